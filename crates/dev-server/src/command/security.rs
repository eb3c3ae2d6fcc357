//! Security messages: logins and the authentication of connections. Commands that manage users and roles are
//! refused; they would be answered here.

use std::sync::Arc;

use wire_protocol::ResultCode;
use wire_protocol::message::{FrameType, write_frame};
use wire_protocol::security::{SecurityMessage, command, field, write_security};

use crate::security::User;
use crate::state::node::Node;

/// Who uses a connection.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// Clients do not log in to this server.
    NotRequired,
    Unauthenticated,
    User(Arc<User>),
}

impl Identity {
    /// The identity of a new connection.
    pub(crate) fn new(node: &Node) -> Self {
        if node.users.is_secure() { Self::Unauthenticated } else { Self::NotRequired }
    }
}

/// Answers a security message. Updates the identity of the connection: a login that fails also ends the
/// identity that it had.
pub(crate) fn answer(node: &Node, body: &[u8], identity: &mut Identity, out: &mut Vec<u8>) {
    if matches!(identity, Identity::NotRequired) {
        return write_not_supported(out);
    }
    // Answers this short always fit into a frame.
    *identity = match authenticate(node, body) {
        Ok((user, Some(token))) => {
            node.counters.login();
            let ttl = node.users.session_ttl.to_be_bytes();
            let fields = [(field::SESSION_TOKEN, &token[..]), (field::SESSION_TTL, &ttl[..])];
            _ = write_security(out, ResultCode::OK, 0, &fields);
            Identity::User(user)
        }
        Ok((user, None)) => {
            node.counters.authentication();
            _ = write_security(out, ResultCode::OK, 0, &[]);
            Identity::User(user)
        }
        Err(code) => {
            node.counters.login_refused();
            _ = write_security(out, code, 0, &[]);
            Identity::Unauthenticated
        }
    };
}

/// The user that a message proves to come from, and the token of the new session if it is a login.
fn authenticate(node: &Node, body: &[u8]) -> Result<(Arc<User>, Option<Vec<u8>>), ResultCode> {
    let now = node.store.clock.now();
    let message = SecurityMessage::parse(body).map_err(|_| ResultCode::INVALID_FIELD)?;
    match message.command {
        command::LOGIN => {
            let user = node.users.find(&message)?;
            user.verify(&message)?;
            let token = node
                .sessions
                .begin(user.name(), now, node.users.session_ttl)
                .ok_or(ResultCode::SERVER_ERROR)?;
            Ok((user, Some(token.to_vec())))
        }
        command::AUTHENTICATE => {
            let user = node.users.find(&message)?;
            match message.field(field::SESSION_TOKEN) {
                Some(token) => node.sessions.check(user.name(), token, now)?,
                None => user.verify(&message)?,
            }
            Ok((user, None))
        }
        _ => Err(ResultCode::INVALID_COMMAND),
    }
}

/// The answer of a server without security to any security message.
fn write_not_supported(out: &mut Vec<u8>) {
    const ANSWER_LEN: usize = 16;
    let mut answer = [0; ANSWER_LEN];
    answer[1] = ResultCode::SECURITY_NOT_SUPPORTED.get();
    _ = write_frame(out, FrameType::Security, |out| out.extend_from_slice(&answer));
}
