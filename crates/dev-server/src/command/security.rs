//! Security messages: logins, the authentication of connections, and the management of users and roles.

use std::net::IpAddr;
use std::sync::Arc;

use wire_protocol::ResultCode;
use wire_protocol::message::{FrameType, write_frame};
use wire_protocol::security::{AdminCommand, SecurityMessage, command, field, write_items, write_security};

use crate::security::{Access, ConnectionCount, check_address, may_administrate};
use crate::state::node::Node;

/// Size of a frame of an answer with users or roles.
const FRAME_SIZE: usize = 64 * 1024;

/// Who uses a connection.
#[derive(Debug)]
pub(crate) enum Identity {
    /// Clients do not log in to this server.
    NotRequired,
    Unauthenticated,
    User(LoggedIn),
}

/// A user that has logged in.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    name: String,
    id: u64,
    /// Of `access`; users and roles may have changed since.
    generation: u64,
    pub(crate) access: Arc<Access>,
    _count: ConnectionCount,
}

impl Identity {
    /// The identity of a new connection.
    pub(crate) fn new(node: &Node) -> Self {
        if node.users.is_secure() { Self::Unauthenticated } else { Self::NotRequired }
    }

    /// Takes over changes of the user and its roles. A user that was removed is logged out.
    pub(crate) fn refresh(&mut self, node: &Node) {
        let Self::User(user) = self else { return };
        if user.generation == node.users.generation() {
            return;
        }
        match node.users.access(&user.name, user.id) {
            Some((generation, access)) => (user.generation, user.access) = (generation, access),
            None => *self = Self::Unauthenticated,
        }
    }

    /// The code that refuses commands from this address.
    pub(crate) fn refusal(&self, address: IpAddr) -> Option<ResultCode> {
        match self {
            Self::NotRequired => None,
            Self::Unauthenticated => Some(ResultCode::NOT_AUTHENTICATED),
            Self::User(user) => check_address(&user.access, address).err(),
        }
    }
}

/// Answers a security message. A login updates the identity of the connection; one that fails also ends the identity
/// that it had.
pub(crate) fn answer(node: &Node, body: &[u8], address: IpAddr, identity: &mut Identity, out: &mut Vec<u8>) {
    if matches!(identity, Identity::NotRequired) {
        return write_not_supported(out);
    }
    let message = SecurityMessage::parse(body).map_err(|_| ResultCode::INVALID_FIELD);
    if let Ok(message) = &message
        && !matches!(message.command, command::LOGIN | command::AUTHENTICATE)
    {
        return administrate(node, message, address, identity, out);
    }
    // Answers this short always fit into a frame.
    *identity = match message.and_then(|message| authenticate(node, &message, address)) {
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
fn authenticate(
    node: &Node,
    message: &SecurityMessage<'_>,
    address: IpAddr,
) -> Result<(LoggedIn, Option<Vec<u8>>), ResultCode> {
    let now = node.store.clock.now();
    let account = node.users.find(message)?;
    match message.field(field::SESSION_TOKEN) {
        Some(token) if message.command == command::AUTHENTICATE => {
            node.sessions.check(account.id, token, now)?;
        }
        _ => account.user.verify(message)?,
    }
    let name = account.user.name().to_owned();
    let (generation, access) = node.users.access(&name, account.id).ok_or(ResultCode::INVALID_USER)?;
    check_address(&access, address)?;
    let token = match message.command {
        command::LOGIN => {
            let token = node.sessions.begin(account.id, now, node.users.session_ttl);
            Some(token.ok_or(ResultCode::SERVER_ERROR)?.to_vec())
        }
        _ => None,
    };
    let _count = node.sessions.count_connection(account.id);
    Ok((LoggedIn { name, id: account.id, generation, access, _count }, token))
}

/// Answers a command on users and roles.
fn administrate(
    node: &Node,
    message: &SecurityMessage<'_>,
    address: IpAddr,
    identity: &mut Identity,
    out: &mut Vec<u8>,
) {
    identity.refresh(node);
    let start = out.len();
    let done = match identity.refusal(address) {
        Some(code) => Err(code),
        None => try_administrate(node, message, identity, out),
    };
    if let Err(code) = done {
        out.truncate(start);
        _ = write_security(out, code, 0, &[]);
    }
}

fn try_administrate(
    node: &Node,
    message: &SecurityMessage<'_>,
    identity: &Identity,
    out: &mut Vec<u8>,
) -> Result<(), ResultCode> {
    let Identity::User(user) = identity else { return Err(ResultCode::NOT_AUTHENTICATED) };
    let command = AdminCommand::parse(message)?;
    if !may_administrate(&user.access, &user.name, &command) {
        return Err(ResultCode::ROLE_VIOLATION);
    }
    let written = match command {
        AdminCommand::QueryUsers { user } => {
            let mut users = Vec::new();
            for (id, mut info) in node.users.user_infos(user.as_deref())? {
                info.connections = node.sessions.connections(id);
                users.push(info);
            }
            write_items(out, &users, FRAME_SIZE)
        }
        AdminCommand::QueryRoles { role } => {
            write_items(out, &node.users.role_infos(role.as_deref())?, FRAME_SIZE)
        }
        command => {
            node.users.apply(command)?;
            write_security(out, ResultCode::OK, 0, &[])
        }
    };
    // A user has at most 255 roles and a role 255 privileges only if each was granted by commands of that size.
    written.map_err(|_| ResultCode::SERVER_ERROR)
}

/// The answer of a server without security to any security message.
fn write_not_supported(out: &mut Vec<u8>) {
    const ANSWER_LEN: usize = 16;
    let mut answer = [0; ANSWER_LEN];
    answer[1] = ResultCode::SECURITY_NOT_SUPPORTED.get();
    _ = write_frame(out, FrameType::Security, |out| out.extend_from_slice(&answer));
}
