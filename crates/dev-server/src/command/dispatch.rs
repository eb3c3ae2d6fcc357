//! Finds the command that a frame asks for, and starts its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wire_protocol::ResultCode;
use wire_protocol::message::{FrameType, Message, info1, write_frame};

use crate::command::batch::{BatchRun, row_count};
use crate::command::info::{self, InfoSource};
use crate::command::query::run::QueryRun;
use crate::command::query::{background, is_background, is_query};
use crate::command::security::{self, Identity};
use crate::command::single::answer_single;
use crate::protocol::answer::{AnswerHeader, write_code, write_end};
use crate::protocol::command_kind::CommandKind;
use crate::security::Access;
use crate::state::faults::Fault;
use crate::state::node::Node;

/// The addresses of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoints {
    /// The address at which the client reached the node.
    pub(crate) local: SocketAddr,
    pub(crate) client: SocketAddr,
}

/// A frame from a client, and where it came in.
#[derive(Clone, Copy)]
pub(crate) struct ClientFrame<'a> {
    pub(crate) node: &'a Node,
    pub(crate) endpoints: Endpoints,
    pub(crate) kind: FrameType,
    pub(crate) body: &'a [u8],
}

/// How the answer to a frame goes on.
#[expect(clippy::large_enum_variant, reason = "lives on the stack while one frame is answered")]
pub(crate) enum Response<'a> {
    /// The whole answer is written.
    Complete,
    /// The answer is long: its frames are made one at a time.
    Frames(FrameSource<'a>),
    /// There is no answer, and the connection is to be closed.
    Close,
}

/// Makes the frames of a long answer.
pub(crate) enum FrameSource<'a> {
    Batch(BatchRun<'a>),
    Query(QueryRun<'a>),
}

impl FrameSource<'_> {
    /// Appends the next frame; nothing if there is none yet. Returns `false` when the answer is complete.
    pub(crate) fn next_frame(&mut self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Batch(run) => run.next_frame(out),
            Self::Query(run) => run.next_frame(out),
        }
    }

    /// How long to wait before the next frame.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self {
            Self::Batch(_) => None,
            Self::Query(run) => run.delay(),
        }
    }

    /// How long the client may read nothing before it is dropped.
    pub(crate) fn write_timeout(&self) -> Option<Duration> {
        match self {
            Self::Batch(_) => None,
            Self::Query(run) => run.write_timeout(),
        }
    }
}

/// Counts a command that has come in.
pub(crate) fn count(node: &Node, command: CommandKind, body: &[u8]) {
    node.counters.command(command);
    if command == CommandKind::Batch {
        node.counters.rows(row_count(body));
    }
}

/// Answers a frame, or starts to. Of the faults, only those about rows and result codes are applied here.
pub(crate) fn answer<'a>(
    frame: ClientFrame<'a>,
    fault: Option<Fault>,
    identity: &mut Identity,
    out: &mut Vec<u8>,
) -> Response<'a> {
    let ClientFrame { node, endpoints, kind, body } = frame;
    let address = endpoints.client.ip();
    if kind == FrameType::Security {
        security::answer(node, body, address, identity, out);
        return Response::Complete;
    }
    identity.refresh(node);
    if let Some(code) = identity.refusal(address) {
        refuse(code, kind, body, out);
        return Response::Complete;
    }
    let access = match identity {
        Identity::User(user) => Some(&user.access),
        _ => None,
    };
    match kind {
        FrameType::Message => return answer_message(&frame, access.map(Arc::clone), fault, out),
        FrameType::Info => {
            let access = access.map(|access| &**access);
            if info::answer(&InfoSource::new(node, endpoints.local, access), body, out).is_none() {
                return Response::Close;
            }
        }
        _ => write_code(out, ResultCode::ENTERPRISE_ONLY),
    }
    Response::Complete
}

fn answer_message<'a>(
    frame: &ClientFrame<'a>,
    user: Option<Arc<Access>>,
    fault: Option<Fault>,
    out: &mut Vec<u8>,
) -> Response<'a> {
    let ClientFrame { node, endpoints, body, .. } = *frame;
    let Ok(message) = Message::parse_only(body) else {
        write_code(out, ResultCode::PARAMETER);
        return Response::Complete;
    };
    if message.header.info1 & info1::BATCH != 0 {
        return match BatchRun::new(node, &message, user, fault) {
            Ok(run) => Response::Frames(FrameSource::Batch(run)),
            Err(code) => {
                write_end(out, code);
                Response::Complete
            }
        };
    }
    if is_query(&message) {
        return match QueryRun::new(node, &message, endpoints.client, user.as_deref(), fault) {
            Ok(run) => Response::Frames(FrameSource::Query(run)),
            Err(code) => {
                write_code(out, code);
                Response::Complete
            }
        };
    }
    if is_background(&message) {
        match background::start(node, body, &message, endpoints.client, user.as_deref(), fault) {
            Ok(()) => write_end(out, ResultCode::OK),
            Err(code) => write_code(out, code),
        }
        return Response::Complete;
    }
    // `answer_single` keeps to the size of a frame, so writing it does not fail.
    _ = write_frame(out, FrameType::Message, |out| match fault {
        Some(Fault::Code(result_code) | Fault::RowCode(result_code)) => {
            AnswerHeader { result_code, ..AnswerHeader::default() }.write(out);
        }
        _ => answer_single(node, &message, user.as_deref(), out),
    });
    Response::Complete
}

/// Refuses a command of a client that has not logged in, or may not from its address. A request of several info commands
/// gets a single line, as from the server.
fn refuse(code: ResultCode, kind: FrameType, body: &[u8], out: &mut Vec<u8>) {
    if kind == FrameType::Info {
        let line = match code {
            ResultCode::NOT_AUTHENTICATED => "ERROR:80:not authenticated\n".to_owned(),
            code => format!("ERROR:{}:not whitelisted\n", code.get()),
        };
        // A frame this short always fits.
        _ = write_frame(out, FrameType::Info, |out| out.extend_from_slice(line.as_bytes()));
    } else if CommandKind::of(kind, body) == Some(CommandKind::Batch) {
        write_end(out, code);
    } else {
        write_code(out, code);
    }
}
