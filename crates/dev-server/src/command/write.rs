//! Writes and deletes of one record.

use wire_protocol::ResultCode;
use wire_protocol::message::{MessageHeader, info2, info3};

use crate::command::operations::{self, Limits, Subject};
use crate::command::request::{MAX_SET_NAME, RecordRequest};
use crate::protocol::answer::{self, AnswerHeader};
use crate::protocol::flags::Flags;
use crate::state::clock::Moment;
use crate::state::store::bins::BinsBuilder;
use crate::state::store::namespace::Namespace;
use crate::state::store::record::{MAX_BINS, Record, stored_size};

/// The longest time to live that a write may set: ten years.
const MAX_TTL: u32 = 10 * 365 * 24 * 60 * 60;

/// The time to live of a write whose record never expires.
const NEVER_EXPIRE: u32 = u32::MAX;

/// The time to live of a write that keeps the void time of the record.
const DONT_UPDATE: u32 = u32::MAX - 1;

/// Checks the conditions of a write or delete against the current record, in the order in which the server
/// does: the first one that fails decides the code.
fn check_conditions(
    request: &RecordRequest<'_>,
    record: Option<&Record>,
    needs_record: bool,
    now: Moment,
) -> Result<(), ResultCode> {
    let Flags { info2, info3, .. } = request.flags;
    let is_delete = info2 & info2::DELETE != 0;
    if is_delete && record.is_some_and(|record| request.is_other_set(record, false)) {
        return Err(ResultCode::PARAMETER);
    }
    let needs_record = needs_record || info3 & (info3::UPDATE_ONLY | info3::REPLACE_ONLY) != 0;
    if needs_record && record.is_none() {
        return Err(ResultCode::RECORD_NOT_FOUND);
    }
    if info2 & info2::CREATE_ONLY != 0 && record.is_some() {
        return Err(ResultCode::RECORD_EXISTS);
    }
    let generation = record.map_or(0, |record| u32::from(record.generation));
    if info2 & info2::GENERATION != 0 && request.generation != generation
        || info2 & info2::GENERATION_GT != 0 && request.generation <= generation
    {
        return Err(ResultCode::GENERATION);
    }
    if !is_delete && record.is_some_and(|record| request.is_other_set(record, true)) {
        return Err(ResultCode::PARAMETER);
    }
    if let Some(record) = record {
        request.check_filter(record, now)?;
    }
    if record.is_some_and(|record| request.is_other_key(record)) {
        return Err(ResultCode::KEY_MISMATCH);
    }
    Ok(())
}

/// Appends one message with the answer and returns its result code.
pub(crate) fn delete(request: &RecordRequest<'_>, now: Moment, out: &mut Vec<u8>) -> ResultCode {
    let result = if request.flags.info2 & info2::DURABLE_DELETE != 0 {
        Err(ResultCode::ENTERPRISE_ONLY)
    } else {
        let mut shard = request.namespace.write(request.digest);
        let record = shard.get(request.digest).filter(|record| !record.is_expired(now.seconds));
        check_conditions(request, record, true, now).map(|()| _ = shard.remove(request.digest))
    };
    let result_code = result.err().unwrap_or(ResultCode::OK);
    AnswerHeader { result_code, index: request.index, ..AnswerHeader::default() }.write(out);
    result_code
}

/// Appends one message with the answer and returns its result code.
pub(crate) fn write(request: &RecordRequest<'_>, now: Moment, out: &mut Vec<u8>) -> ResultCode {
    let start = answer::reserve(out);
    let mut answer = AnswerHeader { index: request.index, ..AnswerHeader::default() };
    if let Err(code) = try_write(request, now, out, &mut answer) {
        answer.result_code = code;
        answer.n_ops = 0;
        out.truncate(start + MessageHeader::LEN);
    }
    answer.write_at(out, start);
    answer.result_code
}

/// Writes the record, or returns a code and changes nothing. Sets the generation and void time in `answer` to
/// those of the record as it is then.
fn try_write(
    request: &RecordRequest<'_>,
    now: Moment,
    out: &mut Vec<u8>,
    answer: &mut AnswerHeader,
) -> Result<(), ResultCode> {
    let namespace = request.namespace;
    let requirements = operations::check(request.ops.clone(), request.flags)?;
    if request.set.len() > MAX_SET_NAME || request.set.contains(&0) {
        return Err(ResultCode::PARAMETER);
    }
    let mut shard = namespace.write(request.digest);
    let old = shard.get(request.digest).filter(|record| !record.is_expired(now.seconds));
    if let Some(old) = old {
        answer.generation = old.generation;
        answer.void_time = now.for_clients(old.void_time);
    }
    check_conditions(request, old, requirements.record, now)?;
    let void_time = void_time(request.ttl, namespace, old, now.seconds)?;
    let mut bins = match old {
        Some(old) if !request.flags.replaces() => BinsBuilder::of(old),
        _ => BinsBuilder::default(),
    };
    let limits = Limits { size: namespace.max_record_size, any_map_keys: namespace.any_map_keys };
    let subject = Subject::written(request, old, void_time, now);
    let n_ops = operations::apply(request.ops.clone(), request.flags, limits, &subject, &mut bins, out)?;
    let n_bins = bins.count();
    if n_bins == 0 {
        // A record that has lost its last bin is deleted.
        if old.is_none() {
            return Err(ResultCode::RECORD_NOT_FOUND);
        }
        // Only here does a write delete the record, so only here is it refused as a durable delete.
        if request.flags.info2 & info2::DURABLE_DELETE != 0 {
            return Err(ResultCode::ENTERPRISE_ONLY);
        }
        shard.remove(request.digest);
        *answer = AnswerHeader { index: request.index, n_ops, ..AnswerHeader::default() };
        return Ok(());
    }
    let key = old.and_then(|old| old.key.as_deref()).or(request.key);
    if n_bins > MAX_BINS {
        return Err(ResultCode::PARAMETER);
    }
    if stored_size(bins.size(), key) > namespace.max_record_size {
        return Err(ResultCode::RECORD_TOO_BIG);
    }
    let record = Record {
        generation: old.map_or(1, |old| old.generation.checked_add(1).unwrap_or(1)),
        void_time,
        last_update: now.millis,
        set: match old {
            Some(old) => old.set,
            None => namespace.set_number(request.set).ok_or(ResultCode::PARAMETER)?,
        },
        n_bins: n_bins as u16,
        has_index: bins.has_index(),
        bins: bins.into_bytes(),
        key: key.map(Box::from),
    };
    answer.generation = record.generation;
    answer.void_time = now.for_clients(record.void_time);
    answer.n_ops = n_ops;
    shard.insert(request.digest, record);
    Ok(())
}

/// The void time of the written record.
pub(super) fn void_time(
    ttl: u32,
    namespace: &Namespace,
    old: Option<&Record>,
    now: u32,
) -> Result<u32, ResultCode> {
    let ttl = match (ttl, old) {
        (NEVER_EXPIRE, _) => return Ok(0),
        (DONT_UPDATE, Some(old)) => return Ok(old.void_time),
        (0 | DONT_UPDATE, _) => namespace.default_ttl,
        (ttl, _) if ttl > MAX_TTL => return Err(ResultCode::PARAMETER),
        (ttl, _) => ttl,
    };
    Ok(if ttl == 0 { 0 } else { now.saturating_add(ttl) })
}
