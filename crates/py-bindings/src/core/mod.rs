//! The object behind `Client` and `AsyncClient`: a cluster's handle and the client's policies.
//!
//! Connecting and closing are here, and `log`, which passes the cluster's events to Python's `logging`. The
//! commands are further methods of [`Core`], in `commands`.

mod log;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aero_io::{Cluster, Credentials, TcpTransport, TlsTransport, Transport};
use futures_util::lock::OwnedMutexGuard;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::args::config::Config;
use crate::args::convert::unicode;
use crate::arrays;
use crate::call::{Call, Completions, or_raise};
use crate::python::errors::client_error;
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
            State::New | State::Closed => *state = State::Connected(cluster),
        }
        Ok(())
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
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct Core {
    pub(crate) config: Config,
    /// The process that made it. A forked child has a copy of it, but none of its threads, and shares its sockets.
    process: u32,
    inner: Arc<Inner>,
}

impl Core {
    /// Refuses to work in a forked child: the connections are the parent's.
    pub(crate) fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        if self.process == process::id() {
            return Ok(());
        }
        Err(client_error(
            py,
            "this client was made before fork() and belongs to the parent process; make a new one in the child"
                .into(),
        ))
    }

    /// The cluster, if the client is connected and was made by this process. Logs what has happened to it.
    pub(crate) fn cluster(&self, py: Python<'_>) -> PyResult<Cluster> {
        self.check_process(py)?;
        // The lock is released before Python runs.
        let cluster = match &*self.inner.state() {
            State::Connected(cluster) => Ok(cluster.clone()),
            State::New => Err("the client is not connected; call connect() first"),
            State::Closed => Err("the client is closed"),
        };
        let cluster = cluster.map_err(|reason| client_error(py, reason.into()))?;
        log::drain(py, &cluster);
        Ok(cluster)
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

#[pymethods]
impl Core {
    #[new]
    fn new(py: Python<'_>, config: &Bound<'_, PyAny>) -> PyResult<Self> {
        arrays::warm_up(py)?;
        let config = Config::read(py, config)?;
        Ok(Self {
            process: process::id(),
            inner: Arc::new(Inner {
                state: Mutex::new(State::New),
                closings: AtomicU64::new(0),
                connecting: Arc::default(),
                credentials: Mutex::new(config.login.credentials(py)?),
            }),
            config,
        })
    }

    fn connect(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        username: Option<&Bound<'_, PyString>>,
        password: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Py<PyAny>> {
        self.check_process(py)?;
        let mut config = self.config.cluster.clone();
        let username = username.map(|text| unicode(text, "the username")).transpose()?;
        let password = password.map(|text| unicode(text, "the password")).transpose()?;
        config.credentials = self.credentials(py, username.as_deref(), password.as_deref())?;
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
            let transport: Arc<dyn Transport> = match tls {
                Some(tls) => Arc::new(TlsTransport::load(tls).await?),
                None => Arc::new(TcpTransport),
            };
            let credentials = config.credentials.clone();
            let cluster = Cluster::connect(config, transport).await?;
            *waiting.credentials() = credentials;
            Ok(Some((cluster, guard)))
        };
        let finish = or_raise(move |py, connected: Option<(Cluster, OwnedMutexGuard<()>)>| {
            if let Some((cluster, guard)) = connected {
                let kept = inner.keep(cluster.clone(), closings);
                drop(guard);
                log::drain(py, &cluster);
                kept.map_err(|ClosedMeanwhile| {
                    client_error(py, "the client was closed while it was connecting".into())
                })?;
            }
            Ok(py.None())
        });
        Call::new(future, finish).run_on_shared_runtime(py, completions)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.check_process(py)?;
        if let Some(cluster) = self.inner.close() {
            log::drain(py, &cluster);
        }
        Ok(())
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        if self.process != process::id() {
            // Leaked on purpose: closing its sockets would remove them from the epoll that is shared with the parent.
            std::mem::forget(self.inner.clone());
        }
    }
}
