//! Commands on one record: what a request or a batch row asks of it, and the answer.

use wire_protocol::ResultCode;
use wire_protocol::digest::Digest;
use wire_protocol::message::{Fields, Message, MessageHeader, Ops, field_type, info1, info2, info3};

use crate::User;
use crate::answer::{self, Answer};
use crate::clock::Moment;
use crate::node::Node;
use crate::operations::{self, Flags, Limits};
use crate::ownership::Route;
use crate::record::{BinFinder, BinsDraft, MAX_BINS, Record, stored_size};
use crate::store::{Namespace, Store};

/// Longest name of a set.
pub(crate) const MAX_SET_NAME: usize = 63;

/// Longest time to live that a write may ask for: ten years.
const MAX_TTL: u32 = 10 * 365 * 24 * 60 * 60;

/// A write's time to live that asks for none.
const NEVER_EXPIRE: u32 = u32::MAX;

/// A write's time to live that leaves the record's own.
const DONT_UPDATE: u32 = u32::MAX - 1;

/// A read's time to live that keeps it from touching.
const DONT_TOUCH: u32 = u32::MAX;

/// Types of fields that ask for what this server does not do.
mod other_field {
    /// A transaction's id.
    pub(super) const TRANSACTION_ID: u8 = 5;
    /// A user-defined function: its module, its name, its arguments.
    pub(super) const UDF: std::ops::RangeInclusive<u8> = 30..=32;
}

/// The fields of a request that matter here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestFields<'a> {
    pub(crate) namespace: Option<&'a [u8]>,
    pub(crate) set: &'a [u8],
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) digest: Option<&'a [u8]>,
    pub(crate) batch: Option<&'a [u8]>,
    /// The code for something that is asked for and not there.
    pub(crate) refused: Option<ResultCode>,
}

impl<'a> RequestFields<'a> {
    #[inline]
    pub(crate) fn of(fields: Fields<'a>) -> Self {
        let mut found = Self::default();
        for field in fields {
            match field.kind {
                field_type::NAMESPACE => found.namespace = Some(field.data),
                field_type::SET => found.set = field.data,
                field_type::KEY => found.key = Some(field.data),
                field_type::DIGEST => found.digest = Some(field.data),
                field_type::BATCH => found.batch = Some(field.data),
                field_type::FILTER => {
                    found.refused = Some(ResultCode::UNSUPPORTED_FEATURE);
                }
                other_field::TRANSACTION_ID => found.refused = Some(ResultCode::ENTERPRISE_ONLY),
                kind if other_field::UDF.contains(&kind) => {
                    found.refused = Some(ResultCode::UNSUPPORTED_FEATURE);
                }
                // Unknown fields are passed over, as the server does.
                _ => {}
            }
        }
        found
    }
}

/// What is asked of one record.
pub(crate) struct Request<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) digest: &'a Digest,
    pub(crate) set: &'a [u8],
    /// The set's number, if it had one when that was looked up.
    pub(crate) set_number: Option<u16>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) refused: Option<ResultCode>,
    pub(crate) flags: Flags,
    pub(crate) generation: u32,
    pub(crate) ttl: u32,
    pub(crate) ops: Ops<'a>,
    /// The index that the answer is to carry.
    pub(crate) index: u32,
}

/// Answers a request that is no batch: appends one message to `out`.
pub(crate) fn answer_single(node: &Node, message: &Message<'_>, user: Option<&User>, out: &mut Vec<u8>) {
    let code = match request_of(&node.store, message) {
        Ok(mut request) => {
            if user.is_some_and(|user| !user.may(request.flags)) {
                request.refused = Some(ResultCode::ROLE_VIOLATION);
            }
            match node.ownership.route(request.digest, request.flags) {
                Route::Here => {}
                Route::PassedOn => node.counting.passed_on(1),
                Route::Nowhere => {
                    request.refused = request.refused.or(Some(ResultCode::PARTITION_UNAVAILABLE));
                }
            }
            execute(&request, node.store.clock.moment(), out);
            return;
        }
        Err(code) => code,
    };
    Answer { result_code: code, ..Answer::default() }.write(out);
}

fn request_of<'a>(store: &'a Store, message: &Message<'a>) -> Result<Request<'a>, ResultCode> {
    let fields = RequestFields::of(message.fields());
    let namespace =
        fields.namespace.and_then(|name| store.namespace(name)).ok_or(ResultCode::NAMESPACE_NOT_FOUND)?;
    let Some(digest) = fields.digest else {
        // A query without a list of partitions, over all of them or in the background.
        return Err(ResultCode::UNSUPPORTED_FEATURE);
    };
    let MessageHeader { info1, info2, info3, generation, ttl, .. } = message.header;
    Ok(Request {
        namespace,
        digest: digest.try_into().map_err(|_| ResultCode::PARAMETER)?,
        set: fields.set,
        set_number: namespace.known_set(fields.set),
        key: fields.key,
        refused: fields.refused,
        flags: Flags { info1, info2, info3 },
        generation,
        ttl,
        ops: message.ops(),
        index: 0,
    })
}

/// Does what is asked, appends one message with the answer to `out` and gives its result code.
#[inline]
pub(crate) fn execute(request: &Request<'_>, now: Moment, out: &mut Vec<u8>) -> ResultCode {
    let Flags { info1, info2, .. } = request.flags;
    let refused = match request.refused {
        Some(code) => code,
        None if info2 & info2::WRITE != 0 => {
            return if info2 & info2::DELETE != 0 {
                delete(request, now.seconds, out)
            } else {
                write(request, now, out)
            };
        }
        None if info1 & info1::READ != 0 => return read(request, now, out),
        None => ResultCode::PARAMETER,
    };
    Answer { result_code: refused, index: request.index, ..Answer::default() }.write(out);
    refused
}

/// Whether a key that was sent is not the one that was stored.
fn is_other_key(record: &Record, sent: Option<&[u8]>) -> bool {
    matches!((&record.key, sent), (Some(stored), Some(sent)) if **stored != *sent)
}

/// Whether a record is not in the set that was named. A read and a delete need not name one.
#[inline]
fn is_other_set(request: &Request<'_>, record: &Record, must_name: bool) -> bool {
    if request.set.is_empty() {
        return must_name && record.set != 0;
    }
    // A set that is new since the number was looked up has one now.
    request.set_number != Some(record.set) && request.namespace.known_set(request.set) != Some(record.set)
}

#[inline]
fn read(request: &Request<'_>, now: Moment, out: &mut Vec<u8>) -> ResultCode {
    let start = answer::reserve(out);
    let mut answer = Answer { index: request.index, ..Answer::default() };
    let result = {
        let shard = request.namespace.read(request.digest);
        match shard.get(request.digest) {
            None => Err(ResultCode::RECORD_NOT_FOUND),
            Some(record) => {
                answer.generation = record.generation;
                answer.void_time = record.void_time;
                if is_other_set(request, record, false) {
                    Err(ResultCode::PARAMETER)
                } else if record.is_expired(now.seconds) {
                    // Until it is swept, what it was still shows in the answer's header.
                    Err(ResultCode::RECORD_NOT_FOUND)
                } else {
                    read_bins(request, record, out)
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

/// Appends the bins that are asked for and gives their number.
#[inline]
fn read_bins(request: &Request<'_>, record: &Record, out: &mut Vec<u8>) -> Result<u16, ResultCode> {
    if is_other_key(record, request.key) {
        return Err(ResultCode::KEY_MISMATCH);
    }
    if !matches!(request.ttl, 0..=100 | DONT_TOUCH) {
        return Err(ResultCode::PARAMETER);
    }
    if request.flags.info1 & info1::NO_BINS != 0 {
        return Ok(0);
    }
    if request.flags.info1 & info1::GET_ALL != 0 {
        out.extend_from_slice(&record.bins);
        return Ok(record.n_bins);
    }
    let limit = out.len() + wire_protocol::message::MAX_FRAME / 2;
    let answers_all = request.flags.info2 & info2::RESPOND_ALL_OPS != 0;
    let finder = BinFinder::new(record, &request.ops);
    let mut asked = false;
    let mut count = 0u16;
    for op in request.ops.clone() {
        asked = true;
        operations::check_read(&op)?;
        operations::check_name(&op)?;
        match finder.find(op.name) {
            Some(whole) => out.extend_from_slice(whole),
            None if answers_all => wire_protocol::message::write_op(out, op.code, 0, op.name, &[]),
            None => continue,
        }
        count += 1;
        if out.len() > limit {
            return Err(ResultCode::RECORD_TOO_BIG);
        }
    }
    if asked { Ok(count) } else { Err(ResultCode::PARAMETER) }
}

/// Whether a read within the last so many percent of a record's life is to start its life anew.
#[inline]
fn is_touch_due(record: &Record, percent: u32, now: u32) -> bool {
    if record.void_time == 0 || !matches!(percent, 1..=100) {
        return false;
    }
    let life = u64::from(record.life());
    let left = u64::from(record.void_time.saturating_sub(now));
    left * 100 <= life * u64::from(percent)
}

fn touch_on_read(request: &Request<'_>, now: Moment) {
    let mut shard = request.namespace.write(request.digest);
    // Between the two locks the record may have been changed: look again.
    if let Some(record) = shard.get_mut(request.digest)
        && !record.is_expired(now.seconds)
        && is_touch_due(record, request.ttl, now.seconds)
    {
        record.void_time = now.seconds.saturating_add(record.life());
        record.last_update = now.millis;
    }
}

/// Whether the write's conditions hold for the record that is there, or is not.
fn check_conditions(
    request: &Request<'_>,
    record: Option<&Record>,
    needs_record: bool,
) -> Result<(), ResultCode> {
    let Flags { info2, info3, .. } = request.flags;
    let is_delete = info2 & info2::DELETE != 0;
    if is_delete && record.is_some_and(|record| is_other_set(request, record, false)) {
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
    if !is_delete && record.is_some_and(|record| is_other_set(request, record, true)) {
        return Err(ResultCode::PARAMETER);
    }
    if record.is_some_and(|record| is_other_key(record, request.key)) {
        return Err(ResultCode::KEY_MISMATCH);
    }
    Ok(())
}

fn delete(request: &Request<'_>, now: u32, out: &mut Vec<u8>) -> ResultCode {
    let result = if request.flags.info2 & info2::DURABLE_DELETE != 0 {
        Err(ResultCode::ENTERPRISE_ONLY)
    } else {
        let mut shard = request.namespace.write(request.digest);
        let record = shard.get(request.digest).filter(|record| !record.is_expired(now));
        check_conditions(request, record, true).map(|()| _ = shard.remove(request.digest))
    };
    let result_code = result.err().unwrap_or(ResultCode::OK);
    Answer { result_code, index: request.index, ..Answer::default() }.write(out);
    result_code
}

fn write(request: &Request<'_>, now: Moment, out: &mut Vec<u8>) -> ResultCode {
    let start = answer::reserve(out);
    let mut answer = Answer { index: request.index, ..Answer::default() };
    if let Err(code) = try_write(request, now, out, &mut answer) {
        answer.result_code = code;
        answer.n_ops = 0;
        out.truncate(start + MessageHeader::LEN);
    }
    answer.write_at(out, start);
    answer.result_code
}

/// Writes, or changes nothing. `answer` gets generation and void time of the record that is there in the
/// end.
fn try_write(
    request: &Request<'_>,
    now: Moment,
    out: &mut Vec<u8>,
    answer: &mut Answer,
) -> Result<(), ResultCode> {
    let namespace = request.namespace;
    let plan = operations::plan(request.ops.clone(), request.flags)?;
    if request.set.len() > MAX_SET_NAME || request.set.contains(&0) {
        return Err(ResultCode::PARAMETER);
    }
    let mut shard = namespace.write(request.digest);
    let old = shard.get(request.digest).filter(|record| !record.is_expired(now.seconds));
    if let Some(old) = old {
        answer.generation = old.generation;
        answer.void_time = old.void_time;
    }
    check_conditions(request, old, plan.needs_record)?;
    let void_time = void_time(request, namespace, old, now.seconds)?;
    let mut bins = match old {
        Some(old) if !request.flags.replaces() => BinsDraft::of(old),
        _ => BinsDraft::default(),
    };
    let limits = Limits { size: namespace.max_record_size, any_map_keys: namespace.any_map_keys };
    let n_ops = operations::apply(request.ops.clone(), request.flags, limits, &mut bins, out)?;
    let n_bins = bins.count();
    if n_bins == 0 {
        // A record without bins is no record.
        if old.is_none() {
            return Err(ResultCode::RECORD_NOT_FOUND);
        }
        // Nothing else of a write is a delete.
        if request.flags.info2 & info2::DURABLE_DELETE != 0 {
            return Err(ResultCode::ENTERPRISE_ONLY);
        }
        shard.remove(request.digest);
        *answer = Answer { index: request.index, n_ops, ..Answer::default() };
        return Ok(());
    }
    let key = match (old.and_then(|old| old.key.as_deref()), request.key) {
        (None, sent) => sent,
        (stored, _) => stored,
    };
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
        bins: bins.into_bytes(),
        key: key.map(Box::from),
    };
    answer.generation = record.generation;
    answer.void_time = record.void_time;
    answer.n_ops = n_ops;
    shard.insert(request.digest, record);
    Ok(())
}

/// When the record that is written ends.
fn void_time(
    request: &Request<'_>,
    namespace: &Namespace,
    old: Option<&Record>,
    now: u32,
) -> Result<u32, ResultCode> {
    let ttl = match (request.ttl, old) {
        (NEVER_EXPIRE, _) => return Ok(0),
        (DONT_UPDATE, Some(old)) => return Ok(old.void_time),
        (0 | DONT_UPDATE, _) => namespace.default_ttl,
        (ttl, _) if ttl > MAX_TTL => return Err(ResultCode::PARAMETER),
        (ttl, _) => ttl,
    };
    Ok(if ttl == 0 { 0 } else { now.saturating_add(ttl) })
}
