//! Applying a user-defined function to a record.
//!
//! The record stays locked while the function runs, so that no other command sees a partial update; `record-udf` bounds how long
//! that takes. What the function wants written is written when it has returned, or not at all.

use std::time::Duration;

use record_ops::Bin;
use record_udf::{Failure, Reply, Runtime, StoredRecord, Subject};
use wire_protocol::ResultCode;
use wire_protocol::message::{MessageHeader, info2, info3, op, write_op};
use wire_protocol::particle::particle_type;

use crate::command::request::{CallFields, MAX_SET_NAME, RecordRequest};
use crate::command::write::void_time;
use crate::protocol::answer::{self, AnswerHeader};
use crate::protocol::flags::Flags;
use crate::state::clock::Moment;
use crate::state::functions::{Functions, LIMITS};
use crate::state::store::bins::BinsBuilder;
use crate::state::store::record::{Record, bins, storage_size, stored_size};

/// The longest name of a function or of its module.
pub(crate) const MAX_NAME: usize = 127;

/// The time of a function if the client does not say how long it waits.
const DEFAULT_TIME: Duration = LIMITS.time;

/// The longest time of a function.
const MAX_TIME: Duration = Duration::from_secs(10);

/// A user-defined function, and what it is called with.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    functions: &'a Functions,
    fields: CallFields<'a>,
    time: Duration,
}

impl<'a> Call<'a> {
    /// A call that may take as long as the client waits, in milliseconds.
    pub(crate) fn new(functions: &'a Functions, fields: CallFields<'a>, timeout: u32) -> Self {
        let time = match timeout {
            0 => DEFAULT_TIME,
            millis => Duration::from_millis(millis.into()).min(MAX_TIME),
        };
        Self { functions, fields, time }
    }

    /// The names of module and function, and the arguments.
    #[allow(clippy::type_complexity, reason = "module, function, arguments")]
    fn parts(&self) -> Result<(&'a [u8], &'a [u8], &'a [u8]), ResultCode> {
        let name =
            |name: Option<&'a [u8]>| name.filter(|name| name.len() <= MAX_NAME).ok_or(ResultCode::PARAMETER);
        let CallFields { module, function, arguments } = self.fields;
        let (module, function) = (name(module)?, name(function)?);
        Ok((module, function, arguments.ok_or(ResultCode::PARAMETER)?))
    }
}

/// Loads the module of a function.
pub(crate) fn load(functions: &Functions, module: &[u8]) -> Result<Runtime, Failure> {
    Runtime::load(&functions.modules(), &String::from_utf8_lossy(module), LIMITS)
}

/// Applies a function. Appends one message with the answer and returns its result code.
pub(crate) fn apply(
    request: &RecordRequest<'_>,
    call: &Call<'_>,
    now: Moment,
    out: &mut Vec<u8>,
) -> ResultCode {
    let Flags { info2, info3, .. } = request.flags;
    let is_forbidden = info2 & (info2::GENERATION | info2::GENERATION_GT | info2::CREATE_ONLY) != 0
        || info3 & (info3::UPDATE_ONLY | info3::CREATE_OR_REPLACE | info3::REPLACE_ONLY) != 0;
    let start = answer::reserve(out);
    let mut header = AnswerHeader { index: request.index, ..AnswerHeader::default() };
    let outcome = call.parts().and_then(|(module, function, arguments)| {
        if is_forbidden {
            return Err(ResultCode::PARAMETER);
        }
        let mut function = Function {
            runtime: &mut load(call.functions, module),
            name: &String::from_utf8_lossy(function),
            arguments,
            time: call.time,
        };
        function.run(request, now, &mut header)
    });
    match outcome {
        Ok(Outcome::Returned(result)) => {
            write_op(out, op::READ, result.particle_type, b"SUCCESS", &result.bytes);
            header.n_ops = 1;
        }
        Ok(Outcome::Failed(text)) => {
            write_op(out, op::READ, particle_type::STRING, b"FAILURE", text.as_bytes());
            header.n_ops = 1;
            header.result_code = ResultCode::UDF_BAD_RESPONSE;
        }
        Err(code) => {
            header.result_code = code;
            out.truncate(start + MessageHeader::LEN);
        }
    }
    header.write_at(out, start);
    header.result_code
}

/// What a function did.
pub(crate) enum Outcome {
    /// It returned a value, and its changes are written.
    Returned(Bin),
    /// It failed, and nothing is written.
    Failed(String),
}

/// A function with its arguments.
pub(crate) struct Function<'a> {
    pub(crate) runtime: &'a mut Result<Runtime, Failure>,
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a [u8],
    pub(crate) time: Duration,
}

impl Function<'_> {
    /// Runs the function and writes what it wants written. Sets the generation and void time in `answer`.
    ///
    /// # Errors
    /// The code that refuses the call or the write. Nothing is written then.
    pub(crate) fn run(
        &mut self,
        request: &RecordRequest<'_>,
        now: Moment,
        answer: &mut AnswerHeader,
    ) -> Result<Outcome, ResultCode> {
        if request.set.len() > MAX_SET_NAME || request.set.contains(&0) {
            return Err(ResultCode::PARAMETER);
        }
        let namespace = request.namespace;
        let mut shard = namespace.write(request.digest);
        let old = shard.get(request.digest).filter(|record| !record.is_expired(now.seconds));
        if let Some(old) = old {
            answer.generation = old.generation;
            answer.void_time = now.for_clients(old.void_time);
            if request.is_other_set(old, true) {
                return Err(ResultCode::PARAMETER);
            }
            request.check_filter(old, now)?;
            if request.is_other_key(old) {
                return Err(ResultCode::KEY_MISMATCH);
            }
        }
        let runtime = match &mut *self.runtime {
            Ok(runtime) => runtime,
            Err(Failure(text)) => return Ok(Outcome::Failed(text.clone())),
        };
        let (result, changes) =
            match runtime.apply(self.name, subject(request, old, now), self.arguments, self.time) {
                Reply::Done { result, changes } => (result, changes),
                Reply::Failed(text) => return Ok(Outcome::Failed(text)),
                Reply::Refused(code) => return Err(code),
            };
        let Some(changes) = changes else { return Ok(Outcome::Returned(result)) };
        let void_time = void_time(changes.ttl.unwrap_or(request.ttl), namespace, old, now.seconds)?;
        if changes.bins.is_empty() {
            if changes.old_bins == 0 || old.is_none() {
                return Err(ResultCode::RECORD_NOT_FOUND);
            }
            if request.flags.info2 & info2::DURABLE_DELETE != 0 {
                return Err(ResultCode::ENTERPRISE_ONLY);
            }
            let generation = next_generation(old);
            shard.remove(request.digest);
            (answer.generation, answer.void_time) = (generation, now.for_clients(void_time));
            return Ok(Outcome::Returned(result));
        }
        let mut builder = BinsBuilder::default();
        for (name, bin) in &changes.bins {
            builder.put(name, bin.particle_type, &bin.bytes);
        }
        let key = match changes.drops_key {
            true => None,
            false => old.and_then(|old| old.key.as_deref()).or(request.key),
        };
        if stored_size(builder.size(), key) > namespace.max_record_size {
            return Err(ResultCode::RECORD_TOO_BIG);
        }
        let record = Record {
            generation: next_generation(old),
            void_time,
            last_update: now.millis,
            set: match old {
                Some(old) => old.set,
                None => namespace.set_number(request.set).ok_or(ResultCode::PARAMETER)?,
            },
            n_bins: builder.count() as u16,
            has_index: builder.has_index(),
            key: key.map(Box::from),
            bins: builder.into_bytes(),
        };
        answer.generation = record.generation;
        answer.void_time = now.for_clients(record.void_time);
        shard.insert(request.digest, record);
        Ok(Outcome::Returned(result))
    }
}

fn next_generation(old: Option<&Record>) -> u16 {
    old.map_or(1, |old| old.generation.checked_add(1).unwrap_or(1))
}

/// The record as a function sees it.
fn subject(request: &RecordRequest<'_>, old: Option<&Record>, now: Moment) -> Subject {
    let stored = old.map(|old| StoredRecord {
        bins: bins(&old.bins)
            .map(|(_, bin)| (Box::from(bin.name), Bin::new(bin.particle_type, bin.value.to_vec())))
            .collect(),
        key: old.key.clone(),
        generation: old.generation,
        ttl: old.void_time.saturating_sub(now.seconds),
        last_update: old.last_update,
        size: storage_size(&old.bins, request.set, old.key.as_deref(), old.void_time),
    });
    Subject {
        digest: *request.digest,
        set: request.set.into(),
        key: request.key.map(Box::from),
        stored,
        now: now.millis,
    }
}
