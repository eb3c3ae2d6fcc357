//! Commands on one record.

use wire_protocol::ResultCode;
use wire_protocol::message::{Message, MessageHeader, info1, info2};

use crate::command::apply::{self, Call};
use crate::command::read::read;
use crate::command::request::{Filter, RecordRequest, RequestFields};
use crate::command::write::{delete, write};
use crate::protocol::answer::AnswerHeader;
use crate::protocol::flags::Flags;
use crate::security::Access;
use crate::state::clock::Moment;
use crate::state::cluster::ownership::Route;
use crate::state::node::Node;
use crate::state::store::Store;

/// Answers a command on one record that is not part of a batch: appends one message to `out`.
pub(crate) fn answer_single(node: &Node, message: &Message<'_>, user: Option<&Access>, out: &mut Vec<u8>) {
    let code = match parse_request(&node.store, message) {
        Ok(mut request) => {
            if user.is_some_and(|user| {
                let is_call = request.call.is_some();
                !user.may(request.flags, is_call, request.namespace.name.as_bytes(), request.set)
            }) {
                request.refusal = Some(ResultCode::ROLE_VIOLATION);
            }
            match node.ownership.route(request.digest, request.flags) {
                Route::Here => {}
                Route::PassedOn => node.counters.passed_on(1),
                Route::Nowhere => {
                    request.refusal = request.refusal.or(Some(ResultCode::PARTITION_UNAVAILABLE));
                }
            }
            execute(&request, node.store.clock.moment(), out);
            return;
        }
        Err(code) => code,
    };
    AnswerHeader { result_code: code, ..AnswerHeader::default() }.write(out);
}

fn parse_request<'a>(store: &'a Store, message: &Message<'a>) -> Result<RecordRequest<'a>, ResultCode> {
    let fields = RequestFields::of(message.fields());
    let namespace =
        fields.namespace.and_then(|name| store.namespace(name)).ok_or(ResultCode::NAMESPACE_NOT_FOUND)?;
    let Some(digest) = fields.digest else {
        // A query without a list of partitions, or a background query.
        return Err(ResultCode::UNSUPPORTED_FEATURE);
    };
    let MessageHeader { info1, info2, info3, info4, generation, ttl, .. } = message.header;
    let flags = Flags { info1, info2, info3 };
    Ok(RecordRequest {
        namespace,
        digest: digest.try_into().map_err(|_| ResultCode::PARAMETER)?,
        set: fields.set,
        set_number: namespace.known_set(fields.set),
        key: fields.key,
        filter: fields.filter.map(Filter::Sent),
        search: None,
        refusal: fields.refusal_of(flags, info4),
        flags,
        call: fields.call.map(|fields| Call::new(&store.functions, fields, timeout_of(message))),
        generation,
        ttl,
        ops: message.ops(),
        index: 0,
        is_row: false,
    })
}

/// How long the client waits for the answer, in milliseconds; 0 if it does not say.
pub(crate) fn timeout_of(message: &Message<'_>) -> u32 {
    message.header.extra
}

/// Executes a request: appends one message with the answer to `out` and returns its result code.
#[inline]
pub(crate) fn execute(request: &RecordRequest<'_>, now: Moment, out: &mut Vec<u8>) -> ResultCode {
    let Flags { info1, info2, .. } = request.flags;
    let code = match request.refusal {
        Some(code) => code,
        None if info2 & info2::WRITE != 0 => {
            if let Some(call) = &request.call {
                return apply::apply(request, call, now, out);
            }
            return if info2 & info2::DELETE != 0 {
                delete(request, now, out)
            } else {
                write(request, now, out)
            };
        }
        None if info1 & info1::READ != 0 => return read(request, now, out),
        None => ResultCode::PARAMETER,
    };
    AnswerHeader { result_code: code, index: request.index, ..AnswerHeader::default() }.write(out);
    code
}
