//! The cluster that a command runs on. A client that was never connected connects when its first command runs.
//!
//! Commands that begin meanwhile wait for the same connect and get the same error. It runs on the shared runtime, as
//! a task of its own: a command that is cancelled stops waiting, and the client connects all the same.

use std::sync::{Arc, Mutex, PoisonError};

use aero_io::{Cluster, ClusterConfig, Error, TlsConfig};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::{Inner, State, open};
use crate::call::Handle;

/// A cluster that may have to be connected first.
pub(crate) enum LazyCluster {
    Connected(Cluster),
    Unconnected(Box<Unconnected>),
}

impl LazyCluster {
    /// The cluster. Connects first if no command or `connect()` has done so.
    ///
    /// # Errors
    /// Those of [`Cluster::connect`].
    pub(crate) async fn get(self) -> Result<Cluster, Error> {
        match self {
            Self::Connected(cluster) => Ok(cluster),
            Self::Unconnected(client) => client.connect()?.await,
        }
    }
}

/// A client that was never connected, and what connects it.
pub(crate) struct Unconnected {
    pub(super) inner: Arc<Inner>,
    pub(super) config: ClusterConfig,
    pub(super) tls: Option<TlsConfig>,
    /// The closings that the command saw; see [`Inner::keep`].
    pub(super) closings: u64,
    pub(super) runtime: Handle,
}

type Connecting = Shared<BoxFuture<'static, Result<Cluster, Error>>>;

/// The connect that runs, if one does.
#[derive(Default)]
pub(super) struct FirstConnect(Mutex<Option<Connecting>>);

impl FirstConnect {
    fn join_or_start(&self, start: impl FnOnce() -> Connecting) -> Connecting {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.get_or_insert_with(start).clone()
    }

    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Marks the connect as ended, also if it panicked.
struct Ended(Arc<Inner>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.first_connect.clear();
    }
}

impl Unconnected {
    /// Joins the connect that runs, or starts one.
    fn connect(self) -> Result<Connecting, Error> {
        match &*self.inner.state() {
            State::Connected(cluster) => return Ok(std::future::ready(Ok(cluster.clone())).boxed().shared()),
            State::Closed => return Err(Error::Closed { in_doubt: false }),
            State::New => {}
        }
        let inner = Arc::clone(&self.inner);
        Ok(inner.first_connect.join_or_start(|| {
            let runtime = self.runtime.clone();
            let task = runtime.spawn(self.run());
            let outcome = async move {
                match task.await {
                    Ok(outcome) => outcome,
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        // The runtime has ended.
                        Err(_) => Err(Error::Closed { in_doubt: false }),
                    },
                }
            };
            outcome.boxed().shared()
        }))
    }

    async fn run(self) -> Result<Cluster, Error> {
        // Dropped after the guard, and so after the client's state says how this ended.
        let _ended = Ended(Arc::clone(&self.inner));
        // One connect at a time: `connect()` holds this lock too.
        let _guard = self.inner.connecting.lock().await;
        match &*self.inner.state() {
            State::Connected(cluster) => return Ok(cluster.clone()),
            State::Closed => return Err(Error::Closed { in_doubt: false }),
            State::New => {}
        }
        let cluster = open(self.config, self.tls).await?;
        match self.inner.keep(cluster.clone(), self.closings) {
            Ok(()) => Ok(cluster),
            Err(_) => Err(Error::Closed { in_doubt: false }),
        }
    }
}
