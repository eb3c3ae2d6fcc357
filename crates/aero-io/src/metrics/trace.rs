//! What one call did: the nodes that it asked, retries, hedges.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Nodes that are kept of a call.
const MAX_NODES: usize = 64;

tokio::task_local! {
    static CURRENT: Arc<CallTrace>;
}

/// Whether any call was ever traced, so that calls without a trace look no further.
static ANY: AtomicBool = AtomicBool::new(false);

/// What a call did. Shared with the call while it runs.
#[derive(Debug, Default)]
pub struct CallTrace {
    retries: AtomicU64,
    hedges: AtomicU64,
    requests: AtomicU64,
    nodes: Mutex<Vec<(Arc<str>, SocketAddr)>>,
}

impl CallTrace {
    /// Requests that were sent again after a failure or a refusal.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Requests that were sent because others were not answered yet.
    #[must_use]
    pub fn hedges(&self) -> u64 {
        self.hedges.load(Ordering::Relaxed)
    }

    /// All requests, including those.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The nodes that were asked, with their addresses, in the order in which they were first.
    #[must_use]
    pub fn nodes(&self) -> Vec<(Arc<str>, SocketAddr)> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs the future; what commands in it do is added to the trace. Not what tasks do that it spawns.
    pub async fn follow<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        ANY.store(true, Ordering::Relaxed);
        CURRENT.scope(self, future).await
    }

    fn note_node(&self, name: &Arc<str>, address: SocketAddr) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if nodes.len() < MAX_NODES && !nodes.iter().any(|(known, _)| known == name) {
            nodes.push((Arc::clone(name), address));
        }
    }
}

#[inline]
fn current(note: impl FnOnce(&CallTrace)) {
    if ANY.load(Ordering::Relaxed) {
        _ = CURRENT.try_with(|trace| note(trace));
    }
}

/// A request goes to a node.
#[inline]
pub(crate) fn note_request(name: &Arc<str>, address: SocketAddr) {
    current(|trace| trace.note_node(name, address));
}

#[inline]
pub(crate) fn note_retries(requests: usize) {
    current(|trace| _ = trace.retries.fetch_add(requests as u64, Ordering::Relaxed));
}

#[inline]
pub(crate) fn note_hedges(requests: usize) {
    current(|trace| _ = trace.hedges.fetch_add(requests as u64, Ordering::Relaxed));
}
