//! The object behind `Client` and `AsyncClient`: a cluster's handle and the client's policies.
//!
//! Connecting and closing are here. `lazy_cluster` connects a client at its first command, `log` passes the cluster's
//! events to Python's `logging`. The commands are further methods of [`Core`], in `commands`.

mod bounded_map;
pub(crate) mod containers;
mod lazy_cluster;
mod log;
pub(crate) mod warned_fields;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aero_io::{Cluster, ClusterConfig, Credentials, TcpTransport, TlsConfig, TlsTransport, Transport};
use futures_util::lock::OwnedMutexGuard;
use pyo3::prelude::*;

pub(crate) use self::lazy_cluster::LazyCluster;
use self::lazy_cluster::{FirstConnect, Unconnected};
use crate::args::config::Config;
use crate::args::convert::{secret_or_none, text_or_none};
use crate::arrays;
use crate::call::{Call, Completions, or_raise, shared_runtime};
use crate::core::containers::KnownContainers;
use crate::core::warned_fields::WarnedFields;
use crate::python::errors::{client_error, closed_error};
use crate::python::process;

enum State {
    New,
    Connected(Cluster),
    Closed,
}

/// The client was closed while it was connecting.
struct ClosedMeanwhile;

struct Inner {
    /// Never held while Python runs, not even to make an exception: Python may switch to another thread, which then
    /// waits for this lock while it holds the GIL.
    state: Mutex<State>,
    /// How often the client was closed. A connect compares it before and after, so that it cannot undo a `close()`
    /// that came in between.
    closings: AtomicU64,
    /// Held from the start of a connect until `state` has its outcome.
    connecting: Arc<futures_util::lock::Mutex<()>>,
    first_connect: FirstConnect,
    /// Whether calls are counted, also on clusters that are connected later. Changed under the lock of `state`.
    has_metrics: AtomicBool,
    /// The credentials of the last successful connect; before that, those of the config.
    credentials: Mutex<Option<Credentials>>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn credentials(&self) -> MutexGuard<'_, Option<Credentials>> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a user other than the one that the client is connected as: calls would still be made as the first one.
    fn check_user(&self, given: Option<&str>) -> Result<(), aero_io::Error> {
        let known = self.credentials();
        let known = known.as_ref().and_then(Credentials::user);
        match given {
            Some(given) if Some(given) != known => {
                let known = known.map_or_else(|| "without a user".into(), |known| format!("as {known:?}"));
                let what = format!("the client is connected {known}; close it to log in as {given:?}");
                Err(aero_io::Error::Param { what })
            }
            _ => Ok(()),
        }
    }

    /// Keeps a cluster that was connected by a call that saw `closings`, unless the client was closed since.
    fn keep(&self, cluster: Cluster, closings: u64) -> Result<(), ClosedMeanwhile> {
        let mut state = self.state();
        if self.closings.load(Ordering::Relaxed) != closings {
            cluster.close();
            return Err(ClosedMeanwhile);
        }
        match &*state {
            // Another thread has connected first, and calls may be running on its cluster.
            State::Connected(_) => cluster.close(),
            State::New | State::Closed => {
                cluster.enable_metrics(self.has_metrics.load(Ordering::Relaxed));
                *state = State::Connected(cluster);
            }
        }
        Ok(())
    }

    /// Sets whether calls are counted from now on: of this cluster, if there is one, and of those connected later.
    fn enable_metrics(&self, enabled: bool) {
        let state = self.state();
        self.has_metrics.store(enabled, Ordering::Relaxed);
        if let State::Connected(cluster) = &*state {
            cluster.enable_metrics(enabled);
        }
    }

    /// Closes the cluster, if there is one, and returns it.
    fn close(&self) -> Option<Cluster> {
        let mut state = self.state();
        self.closings.fetch_add(1, Ordering::Relaxed);
        let State::Connected(cluster) = std::mem::replace(&mut *state, State::Closed) else { return None };
        cluster.close();
        Some(cluster)
    }
}

/// The core of a `Client` or `AsyncClient`.
///
/// Commands take the completions of an event loop, or None to wait for the result.
#[pyclass(frozen, weakref, module = "aerospike_py._native")]
pub(crate) struct Core {
    pub(crate) config: Config,
    /// When it was made. A forked child has a copy of it, but none of its threads, and shares its sockets.
    generation: u32,
    pub(crate) warned: Arc<WarnedFields>,
    pub(crate) containers: Arc<KnownContainers>,
    inner: Arc<Inner>,
}

impl Core {
    /// Refuses to work in a forked child, where the connections are the parent's, and when they were closed behind the
    /// client's back.
    pub(crate) fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        process::check_descriptors();
        if self.generation == process::generation() {
            return Ok(());
        }
        let reason = process::reason(self.generation);
        let place = if process::is_of_parent(self.generation) { " in the child" } else { "" };
        Err(client_error(py, format!("this client was made {reason}; make a new one{place}")))
    }

    /// The cluster for a command, connected or not, unless the client is closed or was made by another process.
    pub(crate) fn cluster(&self, py: Python<'_>) -> PyResult<LazyCluster> {
        match self.connected_cluster(py)? {
            Some(cluster) => Ok(LazyCluster::Connected(cluster)),
            None => {
                let runtime = shared_runtime(py)?;
                let (config, tls) =
                    (self.cluster_config(self.inner.credentials().clone()), self.config.tls.clone());
                let inner = Arc::clone(&self.inner);
                let closings = inner.closings.load(Ordering::Relaxed);
                Ok(LazyCluster::Unconnected(Box::new(Unconnected { inner, config, tls, closings, runtime })))
            }
        }
    }

    /// The cluster; None if the client was never connected. Logs what has happened to it.
    ///
    /// # Errors
    /// The client is closed, or was made by another process.
    pub(crate) fn connected_cluster(&self, py: Python<'_>) -> PyResult<Option<Cluster>> {
        self.check_process(py)?;
        // The lock is released before Python runs.
        let cluster = match &*self.inner.state() {
            State::Connected(cluster) => Some(cluster.clone()),
            State::New => return Ok(None),
            State::Closed => None,
        };
        let Some(cluster) = cluster else {
            return Err(closed_error(py, "the client is closed; connect() connects it again".into(), false));
        };
        log::drain(py, &cluster);
        Ok(Some(cluster))
    }

    fn cluster_config(&self, credentials: Option<Credentials>) -> ClusterConfig {
        ClusterConfig { credentials, ..self.config.cluster.clone() }
    }

    /// What to log in with: the arguments of `connect`, else the credentials of the last successful connect, else the
    /// config's. They are kept, so that a password is hashed only once.
    fn credentials(
        &self,
        py: Python<'_>,
        username: Option<&str>,
        password: Option<&str>,
    ) -> PyResult<Option<Credentials>> {
        match (username, password) {
            (None, None) => Ok(self.inner.credentials().clone()),
            _ => self.config.login.with(py, username, password),
        }
    }
}

/// Connects to the cluster of a config.
async fn open(config: ClusterConfig, tls: Option<TlsConfig>) -> Result<Cluster, aero_io::Error> {
    let transport: Arc<dyn Transport> = match tls {
        Some(tls) => Arc::new(TlsTransport::load(tls).await?),
        None => Arc::new(TcpTransport),
    };
    Cluster::connect(config, transport).await
}

#[pymethods]
impl Core {
    #[new]
    fn new(py: Python<'_>, config: &Bound<'_, PyAny>) -> PyResult<Self> {
        process::check_descriptors();
        arrays::warm_up(py)?;
        let config = Config::read(py, config)?;
        Ok(Self {
            generation: process::generation(),
            warned: Arc::default(),
            containers: Arc::default(),
            inner: Arc::new(Inner {
                state: Mutex::new(State::New),
                closings: AtomicU64::new(0),
                connecting: Arc::default(),
                first_connect: FirstConnect::default(),
                has_metrics: AtomicBool::new(false),
                credentials: Mutex::new(config.login.credentials(py)?),
            }),
            config,
        })
    }

    fn connect(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        username: Option<&Bound<'_, PyAny>>,
        password: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.check_process(py)?;
        let username = text_or_none("username", username)?;
        let password = secret_or_none("password", password)?;
        let config = self.cluster_config(self.credentials(py, username.as_deref(), password.as_deref())?);
        let tls = self.config.tls.clone();
        let inner = self.inner.clone();
        let closings = inner.closings.load(Ordering::Relaxed);
        let waiting = inner.clone();
        let future = async move {
            // One connect at a time. Another one waits here, then finds the client connected and logs in nowhere.
            let guard = waiting.connecting.clone().lock_owned().await;
            if matches!(*waiting.state(), State::Connected(_)) {
                return waiting.check_user(username.as_deref()).map(|()| None);
            }
            let credentials = config.credentials.clone();
            let cluster = open(config, tls).await?;
            *waiting.credentials() = credentials;
            Ok(Some((cluster, guard)))
        };
        let finish = or_raise(move |py, connected: Option<(Cluster, OwnedMutexGuard<()>)>| {
            if let Some((cluster, guard)) = connected {
                let kept = inner.keep(cluster.clone(), closings);
                drop(guard);
                log::drain(py, &cluster);
                kept.map_err(|ClosedMeanwhile| {
                    closed_error(py, "the client was closed while it was connecting".into(), false)
                })?;
            }
            Ok(py.None())
        });
        Call::new(future, finish).run_on_shared_runtime(py, completions)
    }

    /// Whether calls are counted and timed from now on, and after the next connect.
    fn enable_metrics(&self, py: Python<'_>, enabled: bool) -> PyResult<()> {
        self.check_process(py)?;
        self.inner.enable_metrics(enabled);
        Ok(())
    }

    /// Whether the client was never connected, so that its next command connects it.
    fn is_new(&self) -> bool {
        self.generation == process::generation() && matches!(*self.inner.state(), State::New)
    }

    /// Connects the client as its first command does.
    fn ensure_connected(&self, py: Python<'_>, completions: Option<&Completions>) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let future = async move { cluster.get().await };
        let finish = or_raise(|py, cluster: Cluster| {
            log::drain(py, &cluster);
            Ok(py.None())
        });
        Call::new(future, finish).run(py, completions)
    }

    /// Takes the events that were not logged yet: level, time and message. None where there are none.
    fn take_events(&self) -> Vec<(u8, f64, String)> {
        if self.generation != process::generation() {
            return Vec::new();
        }
        let cluster = match &*self.inner.state() {
            State::Connected(cluster) if cluster.has_events() => cluster.clone(),
            _ => return Vec::new(),
        };
        log::taken(&cluster)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if let Err(error) = self.check_process(py) {
            // What was closed behind the client's back is closed, so that a `with` block ends normally.
            return if process::is_of_parent(self.generation) { Err(error) } else { Ok(()) };
        }
        if let Some(cluster) = self.inner.close() {
            log::drain(py, &cluster);
        }
        arrow_columns::free_kept_memory();
        Ok(())
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        process::check_descriptors();
        if self.generation != process::generation() {
            // Leaked on purpose: closing its sockets would remove them from the epoll that is shared with the parent,
            // or close others' files, to which the numbers may belong now.
            std::mem::forget(self.inner.clone());
        }
    }
}
