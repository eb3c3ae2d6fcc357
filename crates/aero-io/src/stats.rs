//! The state of a cluster's handle, for people and for monitoring.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::node::Node;

/// The state of a cluster's handle. Counters start at zero when it connects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Its nodes, by name.
    pub nodes: Vec<NodeStats>,
    /// Requests that were sent again, with what had no answer: after a failure or a node's refusal.
    pub retries: u64,
    /// Requests that were sent to another node because one had no answer yet.
    pub hedges: u64,
}

/// The state of a node. Counters start at zero when the node joins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: SocketAddr,
    /// Whether it failed when it was last looked at or spoken to; it is asked only where no other can be.
    pub suspect: bool,
    /// Whether it failed so often that it is not asked until the error window ends.
    pub circuit_open: bool,
    /// Failures in the error window.
    pub error_rate: u32,
    /// Connections that commands use now.
    pub connections_in_use: usize,
    /// Connections that wait to be used.
    pub connections_idle: usize,
    /// Connections opened so far.
    pub connections_opened: u64,
    /// Connections closed so far.
    pub connections_closed: u64,
    /// Commands that wait for a connection.
    pub waiting: usize,
    /// Failed connections, answers that cannot be read, overload.
    pub errors: u64,
    /// Commands without an answer in time.
    pub timeouts: u64,
    /// Answers that say that too many commands wait for the record.
    pub key_busy: u64,
    /// Requests to this node that were hedged: sent to another one, too.
    pub hedged: u64,
    /// Time that requests take lately, of about as many rows as the last one; none before the first.
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
            usual_time: node.health.latest_time(),
        }
    }
}
