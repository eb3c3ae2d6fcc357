//! Errors of commands, and faults of single exchanges.

pub mod client_code;
mod fault;
mod ranges;
mod tried;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wire_protocol::{ResultCode, WireError};

pub(crate) use self::fault::{Fault, node_left};
use self::ranges::Ranges;
use self::tried::Seconds;
pub use self::tried::Tried;
pub(crate) use self::tried::of_operations;

/// The user of a login, for messages.
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

    /// The client has no user.
    pub(crate) fn none() -> Self {
        Self(UserKind::None)
    }
}

impl fmt::Display for LoginUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            UserKind::Named(user) => write!(f, "login of user {user:?}"),
            UserKind::Certificate => f.write_str("login of the client certificate's user"),
            UserKind::None => f.write_str("the node requires a login, but no user is configured"),
        }
    }
}

/// Why an address is not a node of the cluster.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryFault {
    #[error("the name cannot be resolved: {0}")]
    Resolve(Arc<io::Error>),
    #[error("{0}")]
    Connection(Arc<io::Error>),
    #[error("no answer within {}", Seconds(*.0))]
    Timeout(Duration),
    #[error("{0}")]
    Protocol(WireError),
    /// The node belongs to another cluster.
    #[error("it belongs to cluster {found:?}, not {expected:?}")]
    ClusterName {
        /// The configured name.
        expected: String,
        /// The node's cluster.
        found: String,
    },
    /// The node refused the user.
    #[error("{code}: {user}")]
    Login { code: ResultCode, user: LoginUser },
    /// Another node has the address.
    #[error("it is node {found}, not {expected}")]
    NodeName { expected: String, found: String },
}

/// A seed's address that did not lead to the cluster.
#[derive(Clone, Debug)]
pub struct SeedFailure {
    /// `host:port`.
    pub seed: String,
    /// `None` if the name could not be resolved.
    pub address: Option<SocketAddr>,
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

/// How far a node is with an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeProgress {
    /// The node has built so many percent of the index.
    Built(u8),
    /// The node does not know the index.
    Unknown,
    /// The node does not have the namespace, so it builds no index of it.
    NoNamespace,
    /// The node could not be asked.
    Failed(String),
}

struct NodesBehind<'a>(&'a [(String, NodeProgress)]);

impl fmt::Display for NodesBehind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (node, progress)) in self.0.iter().enumerate() {
            write!(f, "{}node {node} ", if i == 0 { "" } else { "; " })?;
            match progress {
                NodeProgress::Built(percent) => write!(f, "has built {percent} %")?,
                NodeProgress::Unknown => f.write_str("does not know it yet")?,
                NodeProgress::NoNamespace => f.write_str("does not have the namespace")?,
                NodeProgress::Failed(why) => write!(f, "cannot be asked ({why})")?,
            }
        }
        Ok(())
    }
}

/// Why a command failed. [`Error::code`] is its number; [`Error::in_doubt`] says whether a write may have been
/// applied.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with an error code.
    #[error("{code}{}: {tried}", tried.hint(*.code))]
    Server { code: ResultCode, tried: Box<Tried> },
    /// The server refused a command on users or roles.
    #[error("{code}{}{what}: {tried}", if .what.is_empty() { "" } else { ": " })]
    Admin {
        code: ResultCode,
        /// The user or role, and what to do.
        what: String,
        tried: Box<Tried>,
    },
    /// A node cannot find records by the index that a query's predicate needs.
    #[error("{code}: {what}: {tried}")]
    Index {
        code: ResultCode,
        /// Which index is missing, and what to do.
        what: String,
        tried: Box<Tried>,
    },
    /// A user-defined function failed.
    #[error("{code}: {what:?}: {tried}")]
    Function {
        code: ResultCode,
        /// The text of its error.
        what: String,
        tried: Box<Tried>,
    },
    /// Nodes do not have a new module in time, or still have a removed one.
    #[error(
        "module {file:?} is {what}, but not yet at {} after {}",
        List(.nodes),
        Seconds(*.waited)
    )]
    ModuleNotReady { file: String, what: &'static str, waited: Duration, nodes: Vec<String> },
    /// Nodes have not built an index in time.
    #[error(
        "index {name:?} of namespace {namespace:?} is not ready after {}: {}; wait longer",
        Seconds(*.waited),
        NodesBehind(.nodes)
    )]
    IndexNotReady {
        namespace: String,
        name: String,
        waited: Duration,
        /// The nodes that are not ready.
        nodes: Vec<(String, NodeProgress)>,
    },
    #[error("no node knows index {name:?} of namespace {namespace:?}; create it first")]
    NoSuchIndex { namespace: String, name: String },
    /// A background job was not started at every node.
    #[error(
        "{source}; job {job} {}",
        if .started.is_empty() {
            "runs at no other node".to_owned()
        } else {
            format!("runs at {}, so do not start it again for all records", List(.started))
        }
    )]
    Background {
        /// Why it was not, or not surely, started at a node.
        source: Box<Error>,
        /// The identifier of the job.
        job: u64,
        /// The names of the nodes at which it was started.
        started: Vec<String>,
    },
    /// A node refused a login, or the token from an earlier login.
    #[error("{code}: {user} at {address}{}", Of(.tried.as_deref()))]
    Login {
        code: ResultCode,
        user: LoginUser,
        address: SocketAddr,
        /// `None` if the error occurred while connecting to the cluster.
        tried: Option<Box<Tried>>,
    },
    /// A query failed after it had read some of its partitions.
    #[error("{source}; {} of {asked} partitions were not read completely: {}", .unread.len(), Ranges(.unread))]
    PartlyRead {
        source: Box<Error>,
        /// The partitions that the query had to read.
        asked: usize,
        /// Those that are not complete, in ascending order.
        unread: Vec<u16>,
    },
    #[error("no answer in time: {tried}")]
    Timeout { tried: Box<Tried> },
    #[error("the connection failed ({source}): {tried}")]
    Connection { source: Arc<io::Error>, tried: Box<Tried> },
    /// The node's answer does not follow the protocol.
    #[error("the answer cannot be read ({source}): {tried}")]
    Protocol { source: WireError, tried: Box<Tried> },
    /// The server's answer does not contain the row.
    #[error("the server's answer does not contain the row: {tried}")]
    NoResponse { tried: Box<Tried> },
    /// No connection to the node became free in time, or too many commands wait for one.
    #[error(
        "all {limit} connections were busy and {}; make fewer calls at once or raise max_conns_per_node: {tried}",
        if *.crowded { "too many calls wait for one already" } else { "none became free in time" }
    )]
    Saturated {
        /// The most connections per node.
        limit: usize,
        /// Whether the command did not wait, because too many wait already.
        crowded: bool,
        tried: Box<Tried>,
    },
    /// The node failed too often and is not used until the error window ends.
    #[error("the node failed more than {limit} times within the error window: {tried}")]
    ErrorRate {
        /// The most failures per window.
        limit: u32,
        tried: Box<Tried>,
    },
    #[error("the cluster has no namespace {namespace:?}")]
    NamespaceNotFound { namespace: String },
    /// No node owns the partition.
    #[error("no node owns partition {partition} of namespace {namespace:?}")]
    InvalidNode { namespace: String, partition: usize },
    /// No node has that name.
    #[error("the cluster has no node {name:?}; it has {}", List(.known))]
    NoSuchNode {
        name: String,
        /// The names of the nodes.
        known: Vec<String>,
    },
    /// No seed led to a cluster.
    #[error("no cluster was found in {}: {}", Seconds(*.elapsed), List(.tried))]
    Connect {
        /// The addresses that were tried, and why they failed.
        tried: Vec<SeedFailure>,
        elapsed: Duration,
    },
    /// The seeds belong to another cluster.
    #[error("{address} belongs to cluster {found:?}, not {expected:?}")]
    ClusterName {
        /// The configured name.
        expected: String,
        /// The cluster's name.
        found: String,
        address: SocketAddr,
    },
    /// An invalid parameter.
    #[error("{what}")]
    Param {
        /// The message.
        what: String,
    },
    #[error("bin name {name:?} is longer than 15 bytes")]
    BinName { name: String },
    /// The protocol cannot express the request.
    #[error("the request cannot be sent: {source}")]
    Request { source: WireError },
    /// A transaction was aborted, because what it has read has changed or could not be verified.
    #[error("{what}")]
    TransactionFailed {
        /// The message.
        what: String,
        /// Why its records could not be verified, if the server did not say that they have changed.
        source: Option<Box<Error>>,
    },
    /// A transaction has ended otherwise.
    #[error("transaction {id} was {} already", if *.is_committed { "committed" } else { "aborted" })]
    TransactionEnded { id: u64, is_committed: bool },
    /// A transaction was not committed, or may not have been.
    #[error(
        "transaction {id} {} ({source}){}",
        if *.is_aborted { "was aborted by the server" }
        else if *.in_doubt { "may have been committed" }
        else { "was not committed" },
        if *.is_aborted { "" }
        else if *.in_doubt { "; commit it again to find out" }
        else { "; commit it again, or abort it" }
    )]
    CommitFailed {
        id: u64,
        source: Box<Error>,
        in_doubt: bool,
        /// Whether the server had aborted it.
        is_aborted: bool,
    },
    /// The cluster handle was closed.
    #[error("the cluster was closed{}", if *.in_doubt { "; the write may have been applied" } else { "" })]
    Closed {
        /// Whether a write was in flight that may have been applied.
        in_doubt: bool,
    },
    /// The sink accepts no more rows.
    #[error("the row sink was sealed during the batch")]
    Sealed,
}

impl Error {
    /// The error's number: a server's result code, or one of [`client_code`].
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Self::Server { code, .. }
            | Self::Admin { code, .. }
            | Self::Index { code, .. }
            | Self::Function { code, .. }
            | Self::Login { code, .. } => i32::from(*code),
            Self::Background { source, .. }
            | Self::PartlyRead { source, .. }
            | Self::CommitFailed { source, .. }
            | Self::TransactionFailed { source: Some(source), .. } => source.code(),
            Self::TransactionFailed { source: None, .. } => client_code::TRANSACTION_FAILED,
            Self::TransactionEnded { is_committed: true, .. } => client_code::TRANSACTION_COMMITTED,
            Self::TransactionEnded { is_committed: false, .. } => client_code::TRANSACTION_ABORTED,
            Self::Timeout { .. } | Self::IndexNotReady { .. } | Self::ModuleNotReady { .. } => {
                i32::from(ResultCode::TIMEOUT)
            }
            Self::NoSuchIndex { .. } => i32::from(ResultCode::INDEX_NOT_FOUND),
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

    /// Whether a write may have been applied.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        match self {
            Self::Closed { in_doubt } | Self::CommitFailed { in_doubt, .. } => *in_doubt,
            Self::Background { source, started, .. } => !started.is_empty() || source.in_doubt(),
            _ => self.tried().is_some_and(|tried| tried.in_doubt),
        }
    }

    /// What was tried, for errors of commands that got as far as a node.
    #[must_use]
    pub fn tried(&self) -> Option<&Tried> {
        match self {
            Self::Server { tried, .. }
            | Self::Admin { tried, .. }
            | Self::Index { tried, .. }
            | Self::Function { tried, .. }
            | Self::Timeout { tried }
            | Self::Connection { tried, .. }
            | Self::Protocol { tried, .. }
            | Self::NoResponse { tried }
            | Self::Saturated { tried, .. }
            | Self::ErrorRate { tried, .. } => Some(tried),
            Self::Login { tried, .. } => tried.as_deref(),
            Self::Background { source, .. }
            | Self::PartlyRead { source, .. }
            | Self::CommitFailed { source, .. } => source.tried(),
            _ => None,
        }
    }
}

/// Appends what was tried to a message.
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

impl From<WireError> for Error {
    fn from(source: WireError) -> Self {
        Self::Request { source }
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
