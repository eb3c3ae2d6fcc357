//! What the connections of a node share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::security::{Sessions, Users};
use crate::state::cluster::ownership::Ownership;
use crate::state::cluster::{Cluster, NodeIndex};
use crate::state::counters::NodeCounters;
use crate::state::faults::FaultRules;
use crate::state::jobs::Jobs;
use crate::state::store::Store;

/// What the connections of a node share. Survives the death of the node: only its sessions and its uptime
/// start anew, see [`Node::restart`]. Fault rules and counters stay, since they belong to the test that uses
/// the server.
pub(crate) struct Node {
    pub(crate) store: Arc<Store>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) index: NodeIndex,
    pub(crate) ownership: Arc<Ownership>,
    pub(crate) faults: FaultRules,
    pub(crate) counters: NodeCounters,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) users: Arc<Users>,
    pub(crate) sessions: Sessions,
    started: Mutex<Instant>,
}

impl Node {
    pub(crate) fn new(store: Arc<Store>, cluster: Arc<Cluster>, users: Arc<Users>, index: NodeIndex) -> Self {
        Self {
            store,
            ownership: cluster.ownership(index),
            cluster,
            index,
            faults: FaultRules::default(),
            counters: NodeCounters::default(),
            jobs: Arc::default(),
            users,
            sessions: Sessions::default(),
            started: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Stops what the node does by itself: its background queries.
    pub(crate) fn stop(&self) {
        self.jobs.clear();
    }

    /// Forgets what a process loses when it restarts.
    pub(crate) fn restart(&self) {
        self.jobs.clear();
        self.sessions.clear();
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}
