//! One call for both clients.
//!
//! A command is a future without Python in it, a [`Seal`] (what must stop writing into Python's memory before the
//! call returns) and a closure `finish` that turns the outcome into a Python object. [`Call::run`] waits for it
//! with the GIL released, or, given the [`Completions`] of an event loop, starts it and returns an [`Operation`],
//! whose number comes out of the loop's queue when it is done.
//!
//! | module | what |
//! | --- | --- |
//! | `wait` | waiting with the GIL released, looking for signals; [`Seal`] |
//! | `operation`, `completions`, `waker` | a call in an event loop; the loop's queue; what wakes the loop |
//! | `trace` | what a call did: nodes, retries, hedges |
//! | `runtime` | the tokio runtimes: the process's shared one and those of waiting threads |

mod completions;
mod operation;
pub(crate) mod runtime;
pub(crate) mod trace;
mod wait;
mod waker;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use pyo3::prelude::*;

pub(crate) use self::completions::Completions;
pub(crate) use self::operation::Operation;
use self::runtime::Driver;
pub(crate) use self::runtime::{Handle, shared as shared_runtime};
use self::wait::{NothingToSeal, wait};
pub(crate) use self::wait::{Seal, inherited_call, panic_message};
use crate::python::errors::{client_error, io_error};

/// A command that keeps its outcome for `finish`.
type CallFuture = Pin<Box<dyn Future<Output = End> + Send>>;

/// Converts the outcome.
type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// How a [`CallFuture`] ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the command's value or error.
    Complete,
    Panicked,
}

/// A command, ready to run.
///
/// It has no type parameters, so what waits for it, or runs it in an event loop, is compiled once and not for each
/// command.
pub(crate) struct Call {
    future: CallFuture,
    seal: Arc<dyn Seal>,
    finish: Finish,
    writes: bool,
}

impl Call {
    /// A command that writes into no memory of Python's.
    pub(crate) fn new<T: Send + 'static>(
        future: impl Future<Output = Result<T, aero_io::Error>> + Send + 'static,
        finish: impl FnOnce(Python<'_>, Result<T, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        Self::sealed_by(Arc::new(NothingToSeal), future, finish)
    }

    /// A command that writes into Python's memory until `seal` is sealed.
    pub(crate) fn sealed_by<T: Send + 'static>(
        seal: Arc<dyn Seal>,
        future: impl Future<Output = Result<T, aero_io::Error>> + Send + 'static,
        finish: impl FnOnce(Python<'_>, Result<T, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        let future = async move {
            let outcome = AssertUnwindSafe(future).catch_unwind().await;
            let end = if outcome.is_ok() { End::Complete } else { End::Panicked };
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            end
        };
        let finish = move |py: Python<'_>| {
            let outcome = filled.lock().unwrap_or_else(PoisonError::into_inner).take();
            match outcome {
                Some(Ok(outcome)) => finish(py, outcome),
                Some(Err(panic)) => Err(client_error(py, panic_message(&*panic))),
                None => Err(client_error(py, "the call was ended before it was answered".into())),
            }
        };
        Self { future: Box::pin(future), seal, finish: Box::new(finish), writes: false }
    }

    /// The same command; `writes` if it may change records. If it cannot be followed to its end, it is in doubt.
    pub(crate) fn that_writes(self, writes: bool) -> Self {
        Self { writes, ..self }
    }

    /// Runs the command: to its end, or in the event loop that `completions` belongs to.
    ///
    /// # Errors
    /// What the command or its conversion raises; in an event loop only what keeps it from starting.
    pub(crate) fn run(self, py: Python<'_>, completions: Option<&Completions>) -> PyResult<Py<PyAny>> {
        self.run_on(py, completions, Driver::CallingThread)
    }

    /// [`Call::run`] for a command that leaves tasks behind, which need a runtime that outlives the call.
    ///
    /// # Errors
    /// As [`Call::run`].
    pub(crate) fn run_on_shared_runtime(
        self,
        py: Python<'_>,
        completions: Option<&Completions>,
    ) -> PyResult<Py<PyAny>> {
        self.run_on(py, completions, Driver::SharedRuntime)
    }

    fn run_on(
        mut self,
        py: Python<'_>,
        completions: Option<&Completions>,
        driver: Driver,
    ) -> PyResult<Py<PyAny>> {
        if let Some(trace) = trace::current(py)? {
            self.future = Box::pin(trace.follow(self.future));
        }
        let runtime = runtime::shared(py)?;
        match completions {
            Some(completions) => {
                let operation = Operation::start(py, &runtime, completions, self)?;
                Ok(Py::new(py, operation)?.into_any())
            }
            None => {
                wait(py, &runtime, driver, &self.seal, self.future, self.writes)?;
                (self.finish)(py)
            }
        }
    }
}

/// What a command without a result returns: 0, as in the official client.
pub(crate) fn done(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(0i32.into_pyobject(py)?.into_any().unbind())
}

/// Makes a `finish` that converts the command's value, and raises its error as it is.
pub(crate) fn or_raise<T>(
    convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> impl FnOnce(Python<'_>, Result<T, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static {
    move |py, outcome| match outcome {
        Ok(value) => convert(py, value),
        Err(error) => Err(io_error(py, &error)),
    }
}
