//! Statistics of a cluster handle, for people and for monitoring.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::node::Node;

/// Statistics of a cluster handle. Counters start at zero when it connects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Sorted by name.
    pub nodes: Vec<NodeStats>,
    /// Requests that were sent again after a failure or a refusal.
    pub retries: u64,
    /// Requests that were sent to another node because the first one had not answered yet.
    pub hedges: u64,
}

/// Statistics of a node. Counters start at zero when the node joins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    pub name: String,
    pub address: SocketAddr,
    /// Whether the last check or command failed. Such a node is used only if no other can be.
    pub suspect: bool,
    /// Whether the node failed too often and is not used until the error window ends.
    pub circuit_open: bool,
    /// Failures in the current error window.
    pub error_rate: u32,
    pub connections_in_use: usize,
    pub connections_idle: usize,
    pub connections_opened: u64,
    pub connections_closed: u64,
    /// Commands that wait for a connection.
    pub waiting: usize,
    /// Failed connections, unreadable answers and overload.
    pub errors: u64,
    pub timeouts: u64,
    /// Answers with KEY_BUSY: too many commands wait for the record.
    pub key_busy: u64,
    /// Requests to this node that were also sent to another one.
    pub hedged: u64,
    /// Times that the node became suspect.
    pub suspected: u64,
    /// Times that the node failed too often, so that it was not used for a while.
    pub circuit_opened: u64,
    /// The recent duration of requests with about as many rows as the last one; `None` before the first.
    pub usual_time: Option<Duration>,
}

impl NodeStats {
    pub(crate) fn of(node: &Node) -> Self {
        let (connections_in_use, connections_idle) = node.pool.counts();
        let counters = &node.health.counters;
        Self {
            name: node.name.to_string(),
            address: node.address,
            suspect: node.health.is_suspect(),
            circuit_open: node.health.is_tripped(),
            error_rate: node.health.failures(),
            connections_in_use,
            connections_idle,
            connections_opened: node.opened.opened.load(Ordering::Relaxed),
            connections_closed: node.opened.closed.load(Ordering::Relaxed),
            waiting: node.pool.waiting(),
            errors: counters.errors.load(Ordering::Relaxed),
            timeouts: counters.timeouts.load(Ordering::Relaxed),
            key_busy: counters.busy.load(Ordering::Relaxed),
            hedged: counters.hedges.load(Ordering::Relaxed),
            suspected: counters.suspected.load(Ordering::Relaxed),
            circuit_opened: counters.tripped.load(Ordering::Relaxed),
            usual_time: node.health.latest_time(),
        }
    }
}
