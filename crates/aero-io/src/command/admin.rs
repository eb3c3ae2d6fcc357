//! Commands that manage users and roles.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire_protocol::message::FrameType;
use wire_protocol::security::{AdminCommand, RoleInfo, UserInfo, read_items, result_code_of};
use wire_protocol::{ResultCode, WireError};

use crate::command::exchange::{self, Exchange, Failure, Received, Unanswered};
use crate::error::{Error, Fault, Tried};
use crate::net::timer::Timer;
use crate::node::{Node, password_hash};
use crate::topology::state::Inner;

/// The largest list of users or roles, in all frames together.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A message's header, which counts even if a frame is empty.
const MIN_FRAME: usize = 16;

/// A command on users and roles, and the password that goes with it.
pub struct AdminRequest {
    /// The command's name in errors.
    pub name: &'static str,
    /// Its hashes are filled in when it is sent.
    pub command: AdminCommand,
    /// The new password, for commands that set one.
    pub password: Option<String>,
}

/// What a command on users and roles returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAnswer {
    Done,
    Users(Vec<UserInfo>),
    Roles(Vec<RoleInfo>),
}

/// Sends a command to one node after the other until one of them has answered.
pub(crate) async fn run(
    inner: &Arc<Inner>,
    request: AdminRequest,
    timeout: Duration,
) -> Result<AdminAnswer, Error> {
    let AdminRequest { name, mut command, password } = request;
    if password.as_deref().is_some_and(|password| password.contains('\0')) {
        let what = format!("{name}: the password contains a NUL character, which servers cannot accept");
        return Err(Error::Param { what });
    }
    if let Some(password) = password.clone() {
        let hashed = tokio::task::spawn_blocking(move || password_hash(&password)).await;
        set_hash(&mut command, hashed.map_err(|_| Error::Closed { in_doubt: false })?);
    }
    let credentials = inner.connector.config.credentials.as_ref();
    if let (AdminCommand::ChangePassword { old_hash, .. }, Some(credentials)) = (&mut command, credentials) {
        *old_hash = credentials.hash();
    }
    let mut bytes = Vec::new();
    command.write(&mut bytes)?;
    let answer = send(inner, name, &command, &bytes, timeout).await?;
    if let (
        AdminCommand::ChangePassword { user, .. } | AdminCommand::SetPassword { user, .. },
        Some(password),
        Some(credentials),
    ) = (&command, &password, credentials)
    {
        credentials.replace_password(user, password);
    }
    Ok(answer)
}

fn set_hash(command: &mut AdminCommand, new: Vec<u8>) {
    if let AdminCommand::CreateUser { hash, .. }
    | AdminCommand::SetPassword { hash, .. }
    | AdminCommand::ChangePassword { hash, .. } = command
    {
        *hash = new;
    }
}

async fn send(
    inner: &Arc<Inner>,
    name: &'static str,
    command: &AdminCommand,
    bytes: &[u8],
    timeout: Duration,
) -> Result<AdminAnswer, Error> {
    let start = Instant::now();
    let mut attempts = 0;
    let mut last = Error::Closed { in_doubt: false };
    #[allow(clippy::explicit_counter_loop, reason = "it counts what was tried")]
    for node in candidates(inner) {
        let left = timeout.saturating_sub(start.elapsed());
        if attempts > 0 && left.is_zero() {
            break;
        }
        attempts += 1;
        let mut exchange = AdminExchange { command, bytes, answer: empty(command), received: 0 };
        let mut timer = Timer::within(left);
        let mut buffers = inner.buffers.take();
        let answered = exchange::run(&mut exchange, &node, &mut buffers, &mut timer).await;
        let tried = |in_doubt| Tried {
            command: name,
            bins: String::new(),
            is_filtered: false,
            node: Arc::clone(&node.name),
            address: node.address,
            attempts,
            elapsed: start.elapsed(),
            in_doubt,
        };
        let (fault, any_sent) = match answered {
            Ok((code, answer)) if code.is_ok() => return Ok(answer),
            Ok((code, _)) => {
                let what = advice(command, code);
                return Err(Error::Admin { code, what, tried: Box::new(tried(false)) });
            }
            Err(Unanswered { why: Failure::Refused(error), .. }) => return Err(error),
            Err(Unanswered { why: Failure::Fault(fault), any_sent }) => (fault, any_sent),
        };
        node.observe(&fault, 1, any_sent.then_some(start));
        let is_final = matches!(fault, Fault::Login { .. });
        last = fault.into_error(&node, tried(any_sent && !command.is_query()));
        if is_final || (any_sent && !command.is_query()) {
            break;
        }
    }
    Err(last)
}

/// The nodes in the order in which they are asked: usable ones first, starting with any of them.
fn candidates(inner: &Inner) -> Vec<Arc<Node>> {
    let mut nodes: Vec<Arc<Node>> = inner.view().nodes.iter().map(Arc::clone).collect();
    nodes.sort_by_key(|node| !node.is_usable());
    let usable = nodes.iter().filter(|node| node.is_usable()).count().max(1);
    if let Some(usable) = nodes.get_mut(..usable) {
        usable.rotate_left(RandomState::new().build_hasher().finish() as usize % usable.len());
    }
    nodes
}

fn empty(command: &AdminCommand) -> AdminAnswer {
    match command {
        AdminCommand::QueryUsers { .. } => AdminAnswer::Users(Vec::new()),
        AdminCommand::QueryRoles { .. } => AdminAnswer::Roles(Vec::new()),
        _ => AdminAnswer::Done,
    }
}

/// The exchange of a command: an answer without data, or a list in several frames.
struct AdminExchange<'a> {
    command: &'a AdminCommand,
    bytes: &'a [u8],
    answer: AdminAnswer,
    /// Bytes of the answer so far.
    received: usize,
}

impl Exchange for AdminExchange<'_> {
    type Answer = AdminAnswer;
    type Failure = Failure;

    const FRAME_TYPE: FrameType = FrameType::Security;
    const MAX_BODY: usize = MAX_ANSWER;

    fn purpose(&self) -> (&'static str, &[u8]) {
        ("admin", &[])
    }

    fn may_repeat(&self) -> bool {
        self.command.is_query()
    }

    fn compress(&self) -> bool {
        false
    }

    /// These commands do no work on records.
    fn timed_rows(&self) -> Option<usize> {
        None
    }

    fn encode(&mut self, out: &mut Vec<u8>, _timeout_ms: u32) -> Result<(), Error> {
        // The request may be sent again, after part of an answer.
        (self.answer, self.received) = (empty(self.command), 0);
        out.extend_from_slice(self.bytes);
        Ok(())
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<Self::Answer>, Failure> {
        self.received = self.received.saturating_add(body.len().max(MIN_FRAME));
        if self.received > MAX_ANSWER {
            let error = WireError::Malformed { what: "list of users or roles", why: "it is too large" };
            return Err(Fault::from(error).into());
        }
        let end = match &mut self.answer {
            AdminAnswer::Done => Some(result_code_of(body).map_err(Fault::from)?),
            AdminAnswer::Users(users) => read_items(body, users).map_err(Fault::from)?,
            AdminAnswer::Roles(roles) => read_items(body, roles).map_err(Fault::from)?,
        };
        let Some(code) = end else { return Ok(Received::Part) };
        let code = if code == ResultCode::QUERY_END { ResultCode::OK } else { code };
        Ok(Received::End(code, std::mem::replace(&mut self.answer, AdminAnswer::Done)))
    }
}

/// Which user or role a code is about, and what to do.
fn advice(command: &AdminCommand, code: ResultCode) -> String {
    let user = command.user().unwrap_or_default();
    let role = command.role().unwrap_or_default();
    match code {
        ResultCode::SECURITY_NOT_SUPPORTED => {
            "the server has no users and roles; they need the Enterprise Edition".into()
        }
        ResultCode::SECURITY_NOT_ENABLED => "turn security on in the server's configuration".into(),
        ResultCode::NOT_AUTHENTICATED => "set \"user\" and \"password\" in the config".into(),
        ResultCode::ROLE_VIOLATION => {
            "the client's user may not do this; log in as a user with the role \"user-admin\"".into()
        }
        ResultCode::INVALID_USER => match command {
            AdminCommand::CreateUser { .. } => {
                format!("{user:?} is not a valid name of a user; use 1 to 63 bytes")
            }
            _ => format!("there is no user {user:?}; admin_query_users_info() lists the users"),
        },
        ResultCode::USER_EXISTS => format!(
            "user {user:?} exists; change it with admin_set_password() and admin_grant_roles(), or remove it with \
             admin_drop_user() first"
        ),
        ResultCode::INVALID_PASSWORD | ResultCode::FORBIDDEN_PASSWORD => {
            format!("the server does not accept this password for user {user:?}; choose another one")
        }
        ResultCode::INVALID_CREDENTIAL => format!(
            "the client's own password is not the password of user {user:?}; admin_set_password() sets the password of \
             another user"
        ),
        ResultCode::INVALID_ROLE => match command {
            AdminCommand::CreateUser { roles, .. }
            | AdminCommand::GrantRoles { roles, .. }
            | AdminCommand::RevokeRoles { roles, .. } => {
                format!(
                    "user {user:?}: one of the roles {roles:?} does not exist; admin_get_roles() lists the roles"
                )
            }
            AdminCommand::CreateRole { .. } => {
                format!("{role:?} is not a valid name of a role; use 1 to 63 bytes")
            }
            _ => format!(
                "there is no role {role:?} that can be changed or read; admin_get_roles() lists the roles, of which \
                 predefined ones cannot be changed"
            ),
        },
        ResultCode::ROLE_EXISTS => format!(
            "role {role:?} exists; change it with admin_grant_privileges(), or remove it with admin_drop_role() first"
        ),
        ResultCode::INVALID_PRIVILEGE => {
            format!(
                "role {role:?}: the server does not accept its privileges; use one or more PRIV_* constants"
            )
        }
        ResultCode::INVALID_WHITELIST => format!(
            "role {role:?}: the server does not accept the whitelist; use addresses and networks such as \"10.0.0.0/8\""
        ),
        ResultCode::QUOTAS_NOT_ENABLED => {
            format!("role {role:?} cannot have quotas; set enable-quotas in the server's configuration")
        }
        ResultCode::INVALID_QUOTA => format!("role {role:?}: the server does not accept the quotas"),
        _ if !user.is_empty() => format!("user {user:?}"),
        _ if !role.is_empty() => format!("role {role:?}"),
        _ => String::new(),
    }
}
