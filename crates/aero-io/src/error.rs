//! Why a call failed.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wire_protocol::{ResultCode, WireError};

/// Codes that the client gives, beside the server's; the numbers are the official client's.
pub mod client_code {
    /// A failure of the client.
    pub const CLIENT: i32 = -1;
    /// A parameter that the client refuses.
    pub const PARAM: i32 = -2;
    /// No connection was free in time.
    pub const NO_MORE_CONNECTIONS: i32 = -7;
    /// No node to send the command to.
    pub const INVALID_NODE: i32 = -8;
    /// A connection failed.
    pub const CONNECTION: i32 = -10;
    /// A node that failed too often.
    pub const MAX_ERROR_RATE: i32 = -14;
    /// A row without an answer.
    pub const NO_RESPONSE: i32 = -15;
    /// A batch of which parts failed.
    pub const BATCH_FAILED: i32 = -16;
}

/// What had been tried when a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The command.
    pub command: &'static str,
    /// The node it was last sent to.
    pub node: Arc<str>,
    /// The node's address.
    pub address: SocketAddr,
    /// How often it was tried.
    pub attempts: u32,
    /// Time since the call began.
    pub elapsed: Duration,
    /// Whether a write may have been applied though it failed.
    pub in_doubt: bool,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at node {} ({}), {} {} in {}{}",
            self.command,
            self.node,
            self.address,
            self.attempts,
            if self.attempts == 1 { "try" } else { "tries" },
            Seconds(self.elapsed),
            if self.in_doubt { "; the write may have been applied" } else { "" }
        )
    }
}

/// A time as a user reads it.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            write!(f, "{:.1} ms", self.0.as_secs_f64() * 1e3)
        } else {
            write!(f, "{:.2} s", self.0.as_secs_f64())
        }
    }
}

/// Whom a login was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginUser(UserKind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum UserKind {
    Named(Arc<str>),
    Certificate,
    None,
}

impl LoginUser {
    pub(crate) fn named(name: Arc<str>) -> Self {
        Self(UserKind::Named(name))
    }

    pub(crate) fn certificate() -> Self {
        Self(UserKind::Certificate)
    }

    /// Nobody: the client was given no user.
    pub(crate) fn none() -> Self {
        Self(UserKind::None)
    }
}

impl fmt::Display for LoginUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            UserKind::Named(user) => write!(f, "login of user {user:?}"),
            UserKind::Certificate => f.write_str("login of the client certificate's user"),
            UserKind::None => f.write_str("the node wants a login, and no user was given"),
        }
    }
}

/// Why an address did not turn out to be a node of the cluster.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryFault {
    /// The name has no address.
    #[error("the name cannot be resolved: {0}")]
    Resolve(Arc<io::Error>),
    /// The connection failed.
    #[error("{0}")]
    Connection(Arc<io::Error>),
    /// Nothing came in time.
    #[error("no answer within {}", Seconds(*.0))]
    Timeout(Duration),
    /// The answer is no node's.
    #[error("{0}")]
    Protocol(WireError),
    /// The node is of another cluster.
    #[error("it belongs to cluster {found:?}, not {expected:?}")]
    ClusterName {
        /// The name asked for.
        expected: String,
        /// The node's.
        found: String,
    },
    /// The node refused the user.
    #[error("{code}: {who}")]
    Login {
        /// The server's code.
        code: ResultCode,
        /// Whom it refused.
        who: LoginUser,
    },
    /// Another node has the address.
    #[error("it is node {found}, not {expected}")]
    NodeName {
        /// The name asked for.
        expected: String,
        /// The node's.
        found: String,
    },
}

/// A seed's address that did not lead to the cluster.
#[derive(Clone, Debug)]
pub struct SeedFailure {
    /// The seed as `host:port`.
    pub seed: String,
    /// The address; none where the name has none.
    pub address: Option<SocketAddr>,
    /// Why.
    pub fault: DiscoveryFault,
}

impl fmt::Display for SeedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) if address.to_string() != self.seed => {
                write!(f, "{} ({address}): {}", self.seed, self.fault)
            }
            _ => write!(f, "{}: {}", self.seed, self.fault),
        }
    }
}

/// Why a call failed. [`Error::code`] is its number, [`Error::in_doubt`] says whether a write may have
/// been applied all the same.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with an error.
    #[error("{code}: {tried}")]
    Server {
        /// The server's code.
        code: ResultCode,
        /// What was tried.
        tried: Box<Tried>,
    },
    /// A node refused the user: the login, or the token that a login had given.
    #[error("{code}: {who} at {address}{}", Of(.tried.as_deref()))]
    Login {
        /// The server's code.
        code: ResultCode,
        /// Whom it refused.
        who: LoginUser,
        /// The node's address.
        address: SocketAddr,
        /// What was tried; none where nothing was but to connect.
        tried: Option<Box<Tried>>,
    },
    /// Time was up.
    #[error("no answer in time: {tried}")]
    Timeout {
        /// What was tried.
        tried: Box<Tried>,
    },
    /// A connection failed.
    #[error("the connection failed ({source}): {tried}")]
    Connection {
        /// How.
        source: Arc<io::Error>,
        /// What was tried.
        tried: Box<Tried>,
    },
    /// The node's answer cannot be read.
    #[error("the answer cannot be read ({source}): {tried}")]
    Protocol {
        /// Why.
        source: WireError,
        /// What was tried.
        tried: Box<Tried>,
    },
    /// The node's answer left the row out.
    #[error("the answer left the row out: {tried}")]
    NoResponse {
        /// What was tried.
        tried: Box<Tried>,
    },
    /// No connection to the node became free in time.
    #[error("all {limit} connections were busy and none became free (max_conns_per_node): {tried}")]
    Saturated {
        /// Connections that a node may have.
        limit: usize,
        /// What was tried.
        tried: Box<Tried>,
    },
    /// The node failed too often lately to be asked.
    #[error("the node failed more than {limit} times within the error window: {tried}")]
    ErrorRate {
        /// Failures that a node may have within the window.
        limit: u32,
        /// What was tried.
        tried: Box<Tried>,
    },
    /// The cluster has no such namespace.
    #[error("the cluster has no namespace {namespace:?}")]
    NamespaceNotFound {
        /// The namespace.
        namespace: String,
    },
    /// No node is known for the partition.
    #[error("no node is known for partition {partition} of namespace {namespace:?}")]
    InvalidNode {
        /// The namespace.
        namespace: String,
        /// The partition.
        partition: usize,
    },
    /// The cluster has no node of that name.
    #[error("the cluster has no node {name:?}; it has {}", List(.known))]
    NoSuchNode {
        /// The name.
        name: String,
        /// The nodes that it has.
        known: Vec<String>,
    },
    /// No seed led to a cluster.
    #[error("no cluster was found in {}: {}", Seconds(*.elapsed), List(.tried))]
    Connect {
        /// What was tried, and why it failed.
        tried: Vec<SeedFailure>,
        /// Time that it took.
        elapsed: Duration,
    },
    /// The seeds belong to another cluster.
    #[error("{address} belongs to cluster {found:?}, not {expected:?}")]
    ClusterName {
        /// The name asked for.
        expected: String,
        /// The name found.
        found: String,
        /// Where.
        address: SocketAddr,
    },
    /// A parameter makes no sense.
    #[error("{what}")]
    Param {
        /// What is wrong.
        what: String,
    },
    /// A name that can be no bin's.
    #[error("bin name {name:?} is longer than 15 bytes")]
    BinName {
        /// The name.
        name: String,
    },
    /// The request does not fit the protocol.
    #[error("the request cannot be sent: {source}")]
    Request {
        /// Why.
        source: WireError,
    },
    /// The cluster's handle was closed.
    #[error("the cluster was closed{}", if *.in_doubt { "; the write may have been applied" } else { "" })]
    Closed {
        /// Whether a write was under way that may have been applied.
        in_doubt: bool,
    },
    /// The sink takes no more rows.
    #[error("the rows were sealed while the batch was under way")]
    Sealed,
}

impl Error {
    /// The error's number: a code of the server as it is, or one of [`client_code`].
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Self::Server { code, .. } | Self::Login { code, .. } => i32::from(*code),
            Self::Timeout { .. } => i32::from(ResultCode::TIMEOUT),
            Self::Connection { .. } | Self::Connect { .. } => client_code::CONNECTION,
            Self::NoResponse { .. } => client_code::NO_RESPONSE,
            Self::Saturated { .. } => client_code::NO_MORE_CONNECTIONS,
            Self::ErrorRate { .. } => client_code::MAX_ERROR_RATE,
            Self::NamespaceNotFound { .. } => i32::from(ResultCode::NAMESPACE_NOT_FOUND),
            Self::InvalidNode { .. } | Self::NoSuchNode { .. } => client_code::INVALID_NODE,
            Self::BinName { .. } => i32::from(ResultCode::BIN_NAME),
            Self::Param { .. } | Self::Request { .. } => client_code::PARAM,
            Self::Protocol { .. } | Self::ClusterName { .. } | Self::Closed { .. } | Self::Sealed => {
                client_code::CLIENT
            }
        }
    }

    /// Whether a write may have been applied though it failed.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        match self {
            Self::Closed { in_doubt } => *in_doubt,
            _ => self.tried().is_some_and(|tried| tried.in_doubt),
        }
    }

    /// What was tried, for errors of commands that reached for a node.
    #[must_use]
    pub fn tried(&self) -> Option<&Tried> {
        match self {
            Self::Server { tried, .. }
            | Self::Timeout { tried }
            | Self::Connection { tried, .. }
            | Self::Protocol { tried, .. }
            | Self::NoResponse { tried }
            | Self::Saturated { tried, .. }
            | Self::ErrorRate { tried, .. } => Some(tried),
            Self::Login { tried, .. } => tried.as_deref(),
            _ => None,
        }
    }
}

/// What was tried, behind what is said before.
struct Of<'a>(Option<&'a Tried>);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |tried| write!(f, ": {tried}"))
    }
}

struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (i, item) in self.0.iter().enumerate() {
            write!(f, "{}{item}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// What went wrong in one exchange with a node.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The call's time is up.
    Deadline,
    /// The connection made no progress for the socket timeout.
    Socket,
    /// The connection failed.
    Io(Arc<io::Error>),
    /// The bytes that came are no answer.
    Wire(WireError),
    /// No connection became free.
    Saturated,
    /// The node failed too often lately to be asked.
    Tripped,
    /// The node left the cluster before anything was sent to it.
    Gone,
    /// The node refused the user.
    Login { code: ResultCode, who: LoginUser },
}

impl Fault {
    pub(crate) fn io(kind: io::ErrorKind, text: &'static str) -> Self {
        Self::Io(Arc::new(io::Error::new(kind, text)))
    }

    /// Whether a connection from the pool may have failed this way because the peer had closed it
    /// before the request went out.
    pub(crate) fn is_stale(&self) -> bool {
        use io::ErrorKind as Kind;
        matches!(self, Self::Io(error) if matches!(
            error.kind(),
            Kind::UnexpectedEof
                | Kind::ConnectionReset
                | Kind::ConnectionAborted
                | Kind::BrokenPipe
                | Kind::NotConnected
        ))
    }

    /// The fault as seen by somebody who looks for a node and gave it `limit`.
    pub(crate) fn into_discovery(self, limit: Duration) -> DiscoveryFault {
        match self {
            Self::Deadline | Self::Socket | Self::Saturated | Self::Tripped => DiscoveryFault::Timeout(limit),
            Self::Gone => DiscoveryFault::Connection(Arc::new(gone())),
            Self::Login { code, who } => DiscoveryFault::Login { code, who },
            Self::Io(error) => DiscoveryFault::Connection(error),
            Self::Wire(error) => DiscoveryFault::Protocol(error),
        }
    }
}

/// The error for a node that left before anything was sent to it.
pub(crate) fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the node left the cluster")
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl From<WireError> for Error {
    fn from(source: WireError) -> Self {
        Self::Request { source }
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_connect_names_every_address() {
        let refused = Arc::new(io::Error::from(io::ErrorKind::ConnectionRefused));
        let error = Error::Connect {
            tried: vec![
                SeedFailure {
                    seed: "db:3000".into(),
                    address: "[::1]:3000".parse().ok(),
                    fault: DiscoveryFault::Connection(refused),
                },
                SeedFailure {
                    seed: "10.0.0.1:3000".into(),
                    address: "10.0.0.1:3000".parse().ok(),
                    fault: DiscoveryFault::Timeout(Duration::from_secs(1)),
                },
            ],
            elapsed: Duration::from_secs(1),
        };
        assert_eq!(
            error.to_string(),
            "no cluster was found in 1.00 s: db:3000 ([::1]:3000): connection refused; \
             10.0.0.1:3000: no answer within 1.00 s"
        );
        assert_eq!(error.code(), -10);
    }
}
