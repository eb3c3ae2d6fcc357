//! The state that the handles, commands and watches of one cluster share.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::metrics::{Metrics, trace};
use crate::net::buffer_cache;
use crate::net::buffers::BufferPool;
use crate::node::connector::Connector;
use crate::node::hedge::Budget;
use crate::topology::members::Members;
use crate::topology::partition_map::View;

/// How long to wait for a cluster that has just started. A node claims its partitions one to two seconds after
/// it begins to answer.
const START_UP: Duration = Duration::from_secs(5);

/// Time between checks of such a cluster.
const START_UP_PAUSE: Duration = Duration::from_millis(50);

/// Closes the cluster when the last handle is dropped. The tasks that watch the nodes hold [`Inner`] alone.
pub(crate) struct Handle {
    pub(crate) inner: Arc<Inner>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.close();
    }
}

/// The state that the handles, commands and watches of one cluster share.
pub(crate) struct Inner {
    pub(crate) connector: Arc<Connector>,
    closed: AtomicBool,
    pub(crate) buffers: BufferPool,
    closing: Notify,
    pub(crate) hedges: Budget,
    view: RwLock<Arc<View>>,
    members: Mutex<Members>,
    round_robin: AtomicUsize,
    pub(crate) metrics: Metrics,
    pub(crate) n_retries: AtomicU64,
    pub(crate) n_hedges: AtomicU64,
}

impl Inner {
    /// A cluster without nodes.
    pub(crate) fn new(connector: Arc<Connector>) -> Self {
        let metrics = connector.metrics();
        Self {
            connector,
            metrics,
            closed: AtomicBool::new(false),
            buffers: BufferPool::default(),
            closing: Notify::new(),
            hedges: Budget::default(),
            view: RwLock::default(),
            members: Mutex::default(),
            round_robin: AtomicUsize::new(0),
            n_retries: AtomicU64::new(0),
            n_hedges: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The current view.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn publish(&self, view: View) {
        let before = std::mem::replace(
            &mut *self.view.write().unwrap_or_else(PoisonError::into_inner),
            Arc::new(view),
        );
        drop(before);
    }

    pub(crate) fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that grows with each call, for spreading load.
    pub(crate) fn next_round_robin(&self) -> usize {
        self.round_robin.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits up to [`START_UP`] for a node to claim a partition.
    pub(crate) async fn await_partitions(&self) {
        let deadline = Instant::now() + START_UP;
        while self.view().has_no_partitions() && Instant::now() < deadline {
            self.view().nodes.iter().for_each(|node| node.check_now.notify_one());
            sleep(START_UP_PAUSE).await;
        }
    }

    /// Counts requests that were sent again.
    pub(crate) fn count_retries(&self, requests: usize) {
        self.n_retries.fetch_add(requests as u64, Ordering::Relaxed);
        trace::note_retries(requests);
    }

    /// Counts requests that were sent because others were not answered.
    pub(crate) fn count_hedges(&self, requests: usize) {
        self.n_hedges.fetch_add(requests as u64, Ordering::Relaxed);
        trace::note_hedges(requests);
    }

    pub(crate) fn close(&self) {
        let mut members = self.members();
        self.closed.store(true, Ordering::Release);
        // Before anything else: calls in flight must end with this reason, not because their pool was closed.
        self.closing.notify_waiters();
        members.clear();
        if let Some(logins) = &self.connector.logins {
            logins.close();
        }
        self.publish(View::default());
        buffer_cache::clear();
    }

    /// `error`, which says that the view lacks something, unless the cluster is closed and its view therefore
    /// empty.
    pub(crate) fn unless_closed(&self, error: Error) -> Error {
        // `close` sets the flag before it empties the view.
        if self.is_closed() { Error::Closed { in_doubt: false } } else { error }
    }

    pub(crate) async fn until_closed<T>(
        &self,
        writes: bool,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let closing = self.closing.notified();
        tokio::pin!(closing);
        // Registered before the flag is read, so that a close in between is not missed.
        closing.as_mut().enable();
        if self.is_closed() {
            return Err(Error::Closed { in_doubt: false });
        }
        tokio::select! {
            biased;
            () = closing => Err(Error::Closed { in_doubt: writes }),
            outcome = work => outcome,
        }
    }
}
