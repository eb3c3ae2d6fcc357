//! One node of the cluster: its name, its address, its connections, and what commands learned about it.
//!
//! Start reading here: [`Node`] is what commands use. [`health`] records whether the node answers, how fast,
//! and how often it fails, [`hedge`] derives from that when a request is sent to another node as well.
//! [`connector`] opens authenticated connections, [`events`] keeps what happened for a log. Knows nothing of
//! partitions, of other nodes or of commands.

pub(crate) mod connector;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod hedge;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::info::Build;

use crate::auth::credentials::Credentials;
pub(crate) use crate::auth::credentials::hash_of as password_hash;
use crate::error::{Error, Fault, LoginUser, Tried, node_left};
use crate::metrics::Metrics;
use crate::net::connection::{Connection, ConnectionCounts};
use crate::net::pool::{NoPermit, Permit, Pool, Wanted};
use crate::net::timer::Timer;
use crate::node::connector::Connector;
use crate::node::events::{Event, NodeName, Suspicion};
use crate::node::health::{Health, count};

/// Minimum for the learned limit on a request's rows.
const MIN_LEARNED_ROWS: u32 = 64;

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Node {
    /// Unique in the process. A node that comes back gets a new one.
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    pub(crate) address: SocketAddr,
    pub(crate) tls_name: Option<Box<str>>,
    pub(crate) pool: Pool,
    /// Wakes the node's watch early.
    pub(crate) check_now: Notify,
    pub(crate) health: Health,
    pub(crate) opened: Arc<ConnectionCounts>,
    /// Of requests, by what they are for: "read", "write", "batch", "query", "info".
    pub(crate) metrics: Metrics,
    connector: Arc<Connector>,
    /// Rows that the node accepts in one request, as learned from refusals.
    max_rows: AtomicU32,
    /// See [`Node::has_query_ops`].
    query_ops: AtomicBool,
}

impl Node {
    pub(crate) fn new(
        name: &str,
        address: SocketAddr,
        tls_name: Option<&str>,
        connector: Arc<Connector>,
    ) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            address,
            tls_name: tls_name.map(Into::into),
            pool: connector.pool(),
            check_now: Notify::new(),
            health: connector.health(),
            opened: Arc::default(),
            metrics: connector.metrics(),
            connector,
            max_rows: AtomicU32::new(u32::MAX),
            query_ops: AtomicBool::new(false),
        }
    }

    /// Whether to use the node in preference to others.
    pub(crate) fn is_usable(&self) -> bool {
        !self.health.is_suspect() && !self.health.is_tripped()
    }

    /// Records what went wrong with a request of `rows`, which was sent at `sent`.
    pub(crate) fn observe(&self, fault: &Fault, rows: usize, sent: Option<Instant>) {
        if sent.is_some() || !matches!(fault, Fault::Socket | Fault::Deadline) {
            // A timeout while waiting for a connection says nothing about the node.
            self.count_failure(|health| health.note_fault(fault));
        }
        match fault {
            Fault::Io(error) => self.suspect(Suspicion::Broken(Arc::clone(error))),
            Fault::Socket | Fault::Deadline => match sent {
                Some(sent) => _ = self.check_silence(rows, sent),
                None => self.check_now.notify_one(),
            },
            Fault::Wire(_) => self.check_now.notify_one(),
            Fault::Saturated { .. } | Fault::Tripped | Fault::Gone | Fault::Login { .. } => {}
        }
    }

    /// Checks whether the node has answered any command since `sent`, when an unanswered request of `rows` was
    /// sent. If it has not, for longer than such a request should take, commands avoid the node from now on.
    /// Returns whether that is so.
    ///
    /// How long it should take does not depend on the caller's timeout, which may be short.
    pub(crate) fn check_silence(&self, rows: usize, sent: Instant) -> bool {
        if !self.health.is_silent_since(sent) {
            return false;
        }
        let is_long = sent.elapsed() >= hedge::adaptive(&self.health, rows);
        if is_long {
            self.suspect(Suspicion::Silent);
        } else {
            self.check_now.notify_one();
        }
        is_long
    }

    /// Records a code that may mean that the node is overloaded or has lost a partition.
    pub(crate) fn observe_code(&self, code: ResultCode) {
        self.count_failure(|health| health.note_code(code));
        if code == ResultCode::PARTITION_UNAVAILABLE {
            // The partition may have moved.
            self.check_now.notify_one();
        }
    }

    /// Makes commands avoid the node until it answers its next check, which comes soon.
    fn suspect(&self, why: Suspicion) {
        self.avoid(why);
        self.check_now.notify_one();
    }

    /// Makes commands avoid the node.
    pub(crate) fn avoid(&self, why: Suspicion) {
        if self.health.set_suspect(true) {
            count(&self.health.counters.suspected);
            self.connector.events.push(Event::Suspect(self.as_named(), why));
        }
    }

    /// Makes commands use the node again.
    pub(crate) fn trust(&self) {
        if self.health.set_suspect(false) {
            self.connector.events.push(Event::Trusted(self.as_named()));
        }
    }

    pub(crate) fn as_named(&self) -> NodeName {
        NodeName { name: Arc::clone(&self.name), address: self.address }
    }

    /// Counts a possible failure, and reports if the circuit breaker tripped.
    fn count_failure(&self, note: impl FnOnce(&Health)) {
        let was_tripped = self.health.is_tripped();
        note(&self.health);
        if !was_tripped && self.health.is_tripped() {
            count(&self.health.counters.tripped);
            self.connector.events.push(Event::Tripped(self.as_named(), self.health.limit()));
        }
    }

    /// If `code` says that the node no longer knows the connection's session: forgets that session, so that the
    /// next new connection logs in first, and returns true. The server has not executed the command.
    pub(crate) fn forget_lost_session(&self, code: ResultCode, connection: &Connection) -> bool {
        match &self.connector.logins {
            Some(logins) if code.ends_session() => {
                if let Some(session) = &connection.session {
                    logins.forget(self.address, self.tls_name.as_deref(), session);
                }
                true
            }
            _ => false,
        }
    }

    /// The user that connections to the node log in as.
    pub(crate) fn login_user(&self) -> LoginUser {
        let credentials = self.connector.config.credentials.as_ref();
        credentials.map_or_else(LoginUser::none, Credentials::login_user)
    }

    /// Starts the next login if the session ends soon.
    pub(crate) fn renew_session(&self) {
        if let Some(logins) = &self.connector.logins {
            logins.renew(self.address, self.tls_name.as_deref());
        }
    }

    /// Most rows of a request to this node.
    pub(crate) fn max_rows(&self) -> usize {
        self.max_rows.load(Ordering::Relaxed) as usize
    }

    /// Records that a request of `rows` was too large.
    pub(crate) fn refused_rows(&self, rows: usize) {
        let half = u32::try_from(rows / 2).unwrap_or(u32::MAX).max(MIN_LEARNED_ROWS);
        self.max_rows.fetch_min(half, Ordering::Relaxed);
    }

    /// Whether the node carries out read operations in a query, as far as its build is known.
    pub(crate) fn has_query_ops(&self) -> bool {
        self.query_ops.load(Ordering::Relaxed)
    }

    /// Records the server's build; `None` while it is unknown.
    pub(crate) fn set_build(&self, build: Option<Build>) {
        let has_query_ops = build.is_some_and(|build| build >= Build::QUERY_OPS);
        self.query_ops.store(has_query_ops, Ordering::Relaxed);
    }

    /// Waits for the right to use a connection.
    pub(crate) async fn permit(&self, timer: &mut Timer) -> Result<Permit<'_>, Fault> {
        // Once the deadline has passed, a connection would have to be closed again without use.
        timer.check()?;
        if self.health.is_tripped() {
            return Err(Fault::Tripped);
        }
        match self.pool.try_permit() {
            Some(permit) => Ok(permit),
            None => match timer.run(Box::pin(self.pool.permit())).await {
                Ok(Ok(permit)) => Ok(permit),
                Ok(Err(NoPermit::Closed)) => Err(Fault::Gone),
                Ok(Err(NoPermit::Crowded)) => Err(Fault::Saturated { crowded: true }),
                Err(_) => Err(Fault::Saturated { crowded: false }),
            },
        }
    }

    /// An idle connection, or a new one if there is none or `wanted` says so.
    pub(crate) async fn lease<'n>(
        &'n self,
        permit: Permit<'n>,
        timer: &mut Timer,
        wanted: Wanted,
    ) -> Result<Leased<'n>, Fault> {
        if wanted != Wanted::New
            && let Some(connection) = self.pool.pop(wanted)
        {
            return Ok(Leased { permit, connection, reused: true });
        }
        // Boxed because it is rare and large: otherwise every command's future would reserve space for it.
        let entering = self.connector.open_in_home_runtime(self.address, self.tls_name.as_deref(), timer);
        let connection = Box::pin(entering).await?;
        Ok(Leased { permit, connection: connection.counted(&self.opened), reused: false })
    }
}

/// A connection of a node, in use. Dropping it closes the connection, which may have unread answers.
pub(crate) struct Leased<'n> {
    permit: Permit<'n>,
    pub(crate) connection: Connection,
    /// Whether the connection was used before: the peer may have closed it since.
    pub(crate) reused: bool,
}

impl Leased<'_> {
    /// Returns the connection to the pool. All answers must have been read.
    pub(crate) fn recycle(self) {
        self.permit.give_back(self.connection);
    }
}

impl Fault {
    pub(crate) fn into_error(self, node: &Node, tried: Tried) -> Error {
        let tried = Box::new(tried);
        match self {
            Self::Deadline | Self::Socket => Error::Timeout { tried },
            Self::Io(source) => Error::Connection { source, tried },
            Self::Wire(source) => Error::Protocol { source, tried },
            Self::Saturated { crowded } => Error::Saturated { limit: node.pool.limit(), crowded, tried },
            Self::Login { code, user } => {
                Error::Login { code, user, address: node.address, tried: Some(tried) }
            }
            Self::Tripped => Error::ErrorRate { limit: node.health.limit(), tried },
            Self::Gone => Error::Connection { source: Arc::new(node_left()), tried },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClusterConfig;
    use crate::net::transport::TcpTransport;
    use std::time::Duration;

    fn tried(attempts: u32, in_doubt: bool) -> Tried {
        Tried {
            command: "write",
            bins: String::new(),
            is_filtered: false,
            node: "C1".into(),
            address: "127.0.0.1:3100".parse().unwrap(),
            attempts,
            elapsed: Duration::from_micros(1_500),
            in_doubt,
        }
    }

    #[tokio::test]
    async fn messages_contain_what_was_tried() {
        let error = Error::Server { code: ResultCode::KEY_BUSY, tried: Box::new(tried(1, false)) };
        assert_eq!(
            error.to_string(),
            "too many commands wait for the record (KEY_BUSY, code 14): \
             write at node C1 (127.0.0.1:3100), 1 try in 1.5 ms"
        );
        let connector = Connector::new(ClusterConfig::default(), Arc::new(TcpTransport));
        let node = Node::new("C1", "127.0.0.1:3100".parse().unwrap(), None, Arc::new(connector));
        let error = Fault::Socket.into_error(&node, tried(3, true));
        assert_eq!(
            error.to_string(),
            "no answer in time: write at node C1 (127.0.0.1:3100), 3 tries in 1.5 ms; \
             the write may have been applied"
        );
        assert_eq!((error.code(), error.in_doubt()), (9, true));
        let filtered = Tried { is_filtered: true, bins: "a, b".into(), ..tried(1, false) };
        let error = Error::Server { code: ResultCode::PARAMETER, tried: Box::new(filtered) };
        assert_eq!(
            error.to_string(),
            "the server refused the request's parameters (PARAMETER, code 4), bins a, b; it may be the filter \
             expression, for example one that compares values of different types: write at node C1 \
             (127.0.0.1:3100), 1 try in 1.5 ms"
        );
    }
}
