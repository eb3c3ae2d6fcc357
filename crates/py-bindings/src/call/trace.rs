//! Traces of single calls: nodes, retries, hedges.
//!
//! Once tracing is on, a call looks for a [`PyCallTrace`] in the context variable `current_trace` of the package, which
//! Python copies for each task. What the call does is added to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aero_io::CallTrace;
use pyo3::prelude::*;

use crate::python::once::intern;
use crate::python::package::from_package;

static IS_ON: AtomicBool = AtomicBool::new(false);

/// What a call did.
#[pyclass(frozen, name = "CallTrace", module = "aerospike_py._native")]
pub(crate) struct PyCallTrace(Arc<CallTrace>);

#[pymethods]
impl PyCallTrace {
    #[new]
    fn new() -> Self {
        IS_ON.store(true, Ordering::Relaxed);
        Self(Arc::default())
    }

    /// Requests that were sent, with retries and hedges.
    #[getter]
    fn requests(&self) -> u64 {
        self.0.requests()
    }

    /// Requests that were sent again.
    #[getter]
    fn retries(&self) -> u64 {
        self.0.retries()
    }

    /// Requests that were sent to another node as well.
    #[getter]
    fn hedges(&self) -> u64 {
        self.0.hedges()
    }

    /// The nodes that were asked: name, address, port.
    #[getter]
    fn nodes(&self) -> Vec<(String, String, u16)> {
        let named = |(name, address): (Arc<str>, std::net::SocketAddr)| {
            (name.to_string(), address.ip().to_string(), address.port())
        };
        self.0.nodes().into_iter().map(named).collect()
    }
}

/// The caller's active trace, if any.
#[inline]
pub(super) fn current(py: Python<'_>) -> PyResult<Option<Arc<CallTrace>>> {
    if !IS_ON.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let trace = from_package!(py, "current_trace")?.call_method0(intern!(py, "get"))?;
    if trace.is_none() {
        return Ok(None);
    }
    Ok(Some(Arc::clone(&trace.cast::<PyCallTrace>()?.get().0)))
}
