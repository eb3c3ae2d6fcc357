//! Passes a cluster's events to Python's `logging`.
//!
//! The runtime's threads never take the GIL, so they cannot log. They put events into the cluster's queue, and the
//! next call of the client, which has the GIL anyway, logs them. If the program has a log handler, a thread of Python
//! also takes them ([`taken`]), so that those of an idle client do not wait for its next call. That thread logs by
//! itself: were it here while a handler runs, the interpreter's exit could end it in the middle of Rust's frames.

use std::time::{SystemTime, UNIX_EPOCH};

use aero_io::{Cluster, Level};
use pyo3::prelude::*;

use crate::python::once::{Once, intern};
use crate::python::package::from_package;

/// `logging.DEBUG`.
const DEBUG: u8 = 10;

/// The package's logger.
struct Log {
    is_enabled_for: Py<PyAny>,
    emit: Py<PyAny>,
}

fn python_log(py: Python<'_>) -> PyResult<&'static Log> {
    static LOG: Once<Log> = Once::new();
    LOG.get_or_try_init(py, || {
        Ok(Log {
            is_enabled_for: from_package!(py, "logger")?.getattr(intern!(py, "isEnabledFor"))?.unbind(),
            emit: from_package!(py, "log_event")?.unbind(),
        })
    })
}

fn number(level: Level) -> u8 {
    match level {
        Level::Debug => DEBUG,
        Level::Info => 20,
        Level::Warning => 30,
    }
}

/// Logs what has happened since the last call. Without events it costs one look at a flag.
pub(crate) fn drain(py: Python<'_>, cluster: &Cluster) {
    if cluster.has_events() {
        unraisable(py, log(py, cluster));
    }
}

/// Reports an error of a log handler without raising it: the call must not fail for it.
fn unraisable(py: Python<'_>, outcome: PyResult<()>) {
    if let Err(error) = outcome {
        error.write_unraisable(py, None);
    }
}

fn log(py: Python<'_>, cluster: &Cluster) -> PyResult<()> {
    let logger = python_log(py)?;
    let is_enabled = |level: u8| logger.is_enabled_for.bind(py).call1((level,))?.is_truthy();
    cluster.record_retries(is_enabled(DEBUG)?);
    for (time, event) in cluster.take_events() {
        let level = number(event.level());
        if is_enabled(level)? {
            let logged = logger.emit.bind(py).call1((level, seconds(time), event.to_string()));
            unraisable(py, logged.map(drop));
        }
    }
    Ok(())
}

/// Takes what has happened since the last call: level, time in seconds since 1970-01-01 UTC, and message.
pub(super) fn taken(cluster: &Cluster) -> Vec<(u8, f64, String)> {
    let events = cluster.take_events().into_iter();
    events.map(|(time, event)| (number(event.level()), seconds(time), event.to_string())).collect()
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
