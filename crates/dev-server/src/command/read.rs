//! Reads of one record.

use wire_protocol::ResultCode;
use wire_protocol::message::{MAX_FRAME, MessageHeader, Op, info1, op};

use crate::command::operations::{self, Seen, Subject, reads};
use crate::command::request::RecordRequest;
use crate::protocol::answer::{self, AnswerHeader};
use crate::state::clock::Moment;
use crate::state::store::bins::{BinLookup, StoredBins};
use crate::state::store::record::Record;

/// The time to live of a read that never touches the record.
const DONT_TOUCH: u32 = u32::MAX;

/// Appends one message with the answer and returns its result code.
#[inline]
pub(crate) fn read(request: &RecordRequest<'_>, now: Moment, out: &mut Vec<u8>) -> ResultCode {
    let start = answer::reserve(out);
    let mut answer = AnswerHeader { index: request.index, ..AnswerHeader::default() };
    let result = {
        let shard = request.namespace.read(request.digest);
        match shard.get(request.digest) {
            None => Err(ResultCode::RECORD_NOT_FOUND),
            Some(record) => {
                answer.generation = record.generation;
                answer.void_time = now.for_clients(record.void_time);
                if request.is_other_set(record, false) {
                    Err(ResultCode::PARAMETER)
                } else if record.is_expired(now.seconds) {
                    // Like the server's, the header still has the generation and void time of a record that
                    // is not swept yet.
                    Err(ResultCode::RECORD_NOT_FOUND)
                } else {
                    read_bins(request, record, now, out)
                        .map(|n_ops| (n_ops, is_touch_due(record, request.ttl, now.seconds)))
                }
            }
        }
    };
    match result {
        Ok((n_ops, touch)) => {
            answer.n_ops = n_ops;
            if touch {
                touch_on_read(request, now);
            }
        }
        Err(code) => {
            answer.result_code = code;
            out.truncate(start + MessageHeader::LEN);
        }
    }
    answer.write_at(out, start);
    answer.result_code
}

/// Appends the requested bins and returns their number.
#[inline]
fn read_bins(
    request: &RecordRequest<'_>,
    record: &Record,
    now: Moment,
    out: &mut Vec<u8>,
) -> Result<u16, ResultCode> {
    request.check_filter(record, now)?;
    if request.is_other_key(record) {
        return Err(ResultCode::KEY_MISMATCH);
    }
    if !matches!(request.ttl, 0..=100 | DONT_TOUCH) {
        return Err(ResultCode::PARAMETER);
    }
    if request.flags.info1 & info1::NO_BINS != 0 {
        return Ok(0);
    }
    if request.flags.info1 & info1::GET_ALL != 0 {
        record.write_bins(out);
        return Ok(record.n_bins);
    }
    let limit = out.len() + MAX_FRAME / 2;
    let answers_all = request.flags.responds_to_all();
    let lookup = BinLookup::new(record, &request.ops);
    let subject = Subject::stored(request.namespace, request.digest, record, now);
    let seen = Seen { subject: &subject, bins: &StoredBins::of(record) };
    let mut has_ops = false;
    let mut count = 0u16;
    for op in request.ops.clone() {
        has_ops = true;
        operations::check_read(&op)?;
        operations::check_name(&op)?;
        let result = reads::read(&op, lookup.find(op.name), &seen)?;
        // The results in the answer to a batch are all marked as plain reads.
        let answered = if request.is_row { Op { code: op::READ, ..op } } else { op };
        if !result.write(&answered, answers_all, false, out) {
            continue;
        }
        count += 1;
        if out.len() > limit {
            return Err(ResultCode::RECORD_TOO_BIG);
        }
    }
    if has_ops { Ok(count) } else { Err(ResultCode::PARAMETER) }
}

/// Whether a read resets the record's time to live: at most `percent` of it are left.
#[inline]
fn is_touch_due(record: &Record, percent: u32, now: u32) -> bool {
    if record.void_time == 0 || !matches!(percent, 1..=100) {
        return false;
    }
    let ttl = u64::from(record.ttl());
    let left = u64::from(record.void_time.saturating_sub(now));
    left * 100 <= ttl * u64::from(percent)
}

fn touch_on_read(request: &RecordRequest<'_>, now: Moment) {
    let mut shard = request.namespace.write(request.digest);
    // The record may have changed between the read lock and this write lock, so check again.
    let due = shard
        .get(request.digest)
        .filter(|record| !record.is_expired(now.seconds) && is_touch_due(record, request.ttl, now.seconds));
    if let Some(void_time) = due.map(|record| now.seconds.saturating_add(record.ttl())) {
        shard.set_times(request.digest, void_time, now.millis);
    }
}
