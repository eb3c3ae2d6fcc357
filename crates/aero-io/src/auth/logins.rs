//! Logins: one per node. It returns a session token, which authenticates every connection.
//!
//! A login runs in its own task on its own connection. It continues when a command that waits for it times out,
//! so that the next command need not start a slow login again.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::WireError;
use wire_protocol::message::FrameType;
use wire_protocol::security::{LoginAnswer, Proof, result_code_of, write_authenticate};

use crate::auth::credentials::Credentials;
use crate::error::Fault;
use crate::net::connection::Connection;
use crate::net::frame_reader::FrameReader;
use crate::net::opener::Opener;
use crate::net::session::{Secret, Session};
use crate::net::timer::Timer;

/// The largest accepted answer to a security message, well above the size of a token.
const MAX_ANSWER: usize = 64 * 1024;

/// How long a refused login is not repeated.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// Most addresses with a session, well above the nodes of a cluster.
const MAX_KEPT: usize = 4_096;

/// An address and the TLS name that is checked there. The name is part of the key so that a wrong name does not
/// stick to the address, and a token is sent only to the name that issued it.
type Place = (SocketAddr, Option<Box<str>>);

/// The sessions of a cluster handle.
pub(crate) struct Logins {
    config: Arc<LoginConfig>,
    sessions: Mutex<HashMap<Place, Arc<AddressSession>>>,
}

struct LoginConfig {
    credentials: Credentials,
    timeout: Duration,
    /// Opens unauthenticated connections.
    opener: Opener,
}

/// The session at one address, and the login for the next one.
struct AddressSession {
    config: Arc<LoginConfig>,
    address: SocketAddr,
    tls_name: Option<Box<str>>,
    state: Mutex<LoginState>,
}

#[derive(Default)]
struct LoginState {
    session: Option<Arc<Session>>,
    login: Option<PendingLogin>,
    refused: Option<(Instant, Fault)>,
}

impl LoginState {
    /// The last login's refusal, if it is recent.
    fn refusal(&self) -> Option<&Fault> {
        let (at, fault) = self.refused.as_ref()?;
        (at.elapsed() < REFUSED_FOR).then_some(fault)
    }
}

struct PendingLogin {
    outcome: Shared<BoxFuture<'static, LoginResult>>,
    task: AbortHandle,
}

type LoginResult = Result<Arc<Session>, Fault>;

impl Drop for PendingLogin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Logins {
    pub(crate) fn new(credentials: Credentials, timeout: Duration, opener: Opener) -> Self {
        let config = LoginConfig { credentials, timeout, opener };
        Self { config: Arc::new(config), sessions: Mutex::default() }
    }

    fn at(&self, address: SocketAddr, tls_name: Option<&str>) -> Arc<AddressSession> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_KEPT {
            sessions.retain(|_, kept| Arc::strong_count(kept) > 1);
        }
        let made = || {
            Arc::new(AddressSession {
                config: Arc::clone(&self.config),
                address,
                tls_name: tls_name.map(Into::into),
                state: Mutex::default(),
            })
        };
        Arc::clone(sessions.entry((address, tls_name.map(Into::into))).or_insert_with(made))
    }

    /// Starts the next login at an address if the session ends soon.
    pub(crate) fn renew(&self, address: SocketAddr, tls_name: Option<&str>) {
        let sessions = self.at(address, tls_name);
        let mut state = sessions.state();
        if let Some(session) = state.session.clone() {
            sessions.renew(&mut state, &session);
        }
    }

    /// Forgets a session that its node no longer accepts.
    pub(crate) fn forget(&self, address: SocketAddr, tls_name: Option<&str>, session: &Arc<Session>) {
        self.at(address, tls_name).forget(session);
    }

    /// Aborts the pending logins.
    pub(crate) fn close(&self) {
        let sessions = std::mem::take(&mut *self.sessions.lock().unwrap_or_else(PoisonError::into_inner));
        for kept in sessions.into_values() {
            kept.state().login = None;
        }
    }

    /// Opens an authenticated connection.
    pub(crate) async fn open(
        &self,
        address: SocketAddr,
        tls_name: Option<&str>,
        timer: &mut Timer,
    ) -> Result<Connection, Fault> {
        let sessions = self.at(address, tls_name);
        let config = &*self.config;
        let mut is_last = false;
        loop {
            let session = timer.run(sessions.session()).await??;
            let mut connection = config.opener.open(address, tls_name, timer).await?;
            let Some(token) = &session.token else { return Ok(connection.of_session(session)) };
            match config.authenticate(&mut connection, token, timer).await? {
                ResultCode::OK | ResultCode::SECURITY_NOT_ENABLED => {
                    return Ok(connection.of_session(session));
                }
                code => {
                    // A node may end a session at any time; this is where the client notices.
                    sessions.forget(&session);
                    if is_last {
                        let fault = Fault::Login { code, user: config.credentials.login_user() };
                        // Do not let every command log in at a node that does not accept its own tokens.
                        sessions.state().refused = Some((Instant::now(), fault.clone()));
                        return Err(fault);
                    }
                    is_last = true;
                }
            }
        }
    }
}

impl AddressSession {
    fn state(&self) -> MutexGuard<'_, LoginState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, session: &Arc<Session>) {
        let mut state = self.state();
        if state.session.as_ref().is_some_and(|known| Arc::ptr_eq(known, session)) {
            state.session = None;
        }
    }

    /// The session; waits for a login if there is none.
    async fn session(self: &Arc<Self>) -> LoginResult {
        let outcome = {
            let mut state = self.state();
            if let Some(session) = state.session.clone() {
                let has_ended = is_past(session.ends_at);
                self.renew(&mut state, &session);
                if !has_ended {
                    return Ok(session);
                }
                state.session = None;
            }
            if let Some(fault) = state.refusal() {
                return Err(fault.clone());
            }
            self.begin(&mut state)
        };
        outcome.await
    }

    /// Starts the next login if the session ends soon and the last login was not refused just now.
    fn renew(self: &Arc<Self>, state: &mut LoginState, session: &Session) {
        if is_past(session.renew_at) && state.refusal().is_none() {
            // The login continues in its task.
            drop(self.begin(state));
        }
    }

    /// The pending login; starts one if there is none.
    fn begin(self: &Arc<Self>, state: &mut LoginState) -> Shared<BoxFuture<'static, LoginResult>> {
        if let Some(login) = &state.login {
            return login.outcome.clone();
        }
        let (config, address) = (Arc::clone(&self.config), self.address);
        let tls_name = self.tls_name.clone();
        // A weak reference, so that dropping the session aborts the login.
        let sessions = Arc::downgrade(self);
        let task = tokio::spawn(async move {
            let outcome = config.log_in(address, tls_name.as_deref()).await;
            if let Some(sessions) = sessions.upgrade() {
                sessions.end(&outcome);
            }
            outcome
        });
        let abort = task.abort_handle();
        let given_up = || Fault::io(io::ErrorKind::NotConnected, "the login was aborted");
        let outcome = task.map(move |ended| ended.unwrap_or_else(|_| Err(given_up()))).boxed().shared();
        state.login = Some(PendingLogin { outcome: outcome.clone(), task: abort });
        outcome
    }

    /// Records the outcome of a login.
    fn end(&self, outcome: &LoginResult) {
        let mut state = self.state();
        // This aborts the calling task, which does nothing after this call.
        state.login = None;
        match outcome {
            Ok(session) => {
                state.session = Some(Arc::clone(session));
                state.refused = None;
            }
            Err(fault @ Fault::Login { .. }) => state.refused = Some((Instant::now(), fault.clone())),
            Err(_) => {}
        }
    }
}

impl LoginConfig {
    /// Logs in over a new connection.
    async fn log_in(&self, address: SocketAddr, tls_name: Option<&str>) -> LoginResult {
        let timeout = self.opener.connect_timeout();
        let mut connection = self.opener.open(address, tls_name, &mut Timer::within(timeout)).await?;
        let mut request = Vec::new();
        self.credentials.write_login(&mut request)?;
        let exchange = exchange(&mut connection, &request, &mut Timer::within(self.timeout)).await;
        let body = match exchange {
            Err(Fault::Deadline) => {
                return Err(Fault::io(
                    io::ErrorKind::TimedOut,
                    "no answer to the login within the login timeout",
                ));
            }
            ended => ended?,
        };
        let answer = LoginAnswer::parse(&body)?;
        let user = self.credentials.login_user();
        match answer.result_code {
            ResultCode::OK => Ok(Arc::new(Session::new(answer.token.map(Secret::new), answer.ttl, user))),
            // Like the official client: such a server accepts everyone.
            ResultCode::SECURITY_NOT_ENABLED => Ok(Arc::new(Session::new(None, None, user))),
            code => Err(Fault::Login { code, user }),
        }
    }

    /// Authenticates a connection with a token and returns the node's answer.
    async fn authenticate(
        &self,
        connection: &mut Connection,
        token: &Secret,
        timer: &mut Timer,
    ) -> Result<ResultCode, Fault> {
        let mut request = Vec::new();
        write_authenticate(&mut request, self.credentials.user(), Proof::Token(token.reveal()))?;
        Ok(result_code_of(&exchange(connection, &request, timer).await?)?)
    }
}

async fn exchange(connection: &mut Connection, request: &[u8], timer: &mut Timer) -> Result<Vec<u8>, Fault> {
    connection.send(request, timer).await.map_err(|(fault, _)| fault)?;
    let mut input = FrameReader::new(1_024);
    let body = input.frame(connection, timer, FrameType::Security, MAX_ANSWER).await?;
    if !input.is_empty() {
        return Err(WireError::Malformed { what: "security answer", why: "bytes follow it" }.into());
    }
    Ok(input.body(body).to_vec())
}

fn is_past(at: Option<Instant>) -> bool {
    at.is_some_and(|at| at <= Instant::now())
}
