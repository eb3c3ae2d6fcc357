//! Faults of single exchanges: what a command makes of them is in its own error.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use wire_protocol::{ResultCode, WireError};

use super::{DiscoveryFault, LoginUser};

/// What went wrong in one exchange with a node.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The command's deadline has passed.
    Deadline,
    /// The connection made no progress within the socket timeout.
    Socket,
    /// The connection failed.
    Io(Arc<io::Error>),
    /// The received bytes do not follow the protocol.
    Wire(WireError),
    /// No connection became free. `crowded`: the command did not wait, because too many wait already.
    Saturated { crowded: bool },
    /// The node's circuit breaker is open.
    Tripped,
    /// The node left the cluster before anything was sent to it.
    Gone,
    /// The node refused the user.
    Login { code: ResultCode, user: LoginUser },
}

impl Fault {
    pub(crate) fn io(kind: io::ErrorKind, text: &'static str) -> Self {
        Self::Io(Arc::new(io::Error::new(kind, text)))
    }

    /// Whether a reused connection may have failed this way because the peer had closed it before the request
    /// was sent.
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

    /// The fault for discovery, which had `limit` as its timeout.
    pub(crate) fn into_discovery(self, limit: Duration) -> DiscoveryFault {
        match self {
            Self::Deadline | Self::Socket | Self::Saturated { .. } | Self::Tripped => {
                DiscoveryFault::Timeout(limit)
            }
            Self::Gone => DiscoveryFault::Connection(Arc::new(node_left())),
            Self::Login { code, user } => DiscoveryFault::Login { code, user },
            Self::Io(error) => DiscoveryFault::Connection(error),
            Self::Wire(error) => DiscoveryFault::Protocol(error),
        }
    }
}

/// The error for a node that left before anything was sent to it.
pub(crate) fn node_left() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the node left the cluster")
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}
