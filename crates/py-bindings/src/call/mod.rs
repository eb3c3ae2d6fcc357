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
use std::sync::Arc;

use pyo3::prelude::*;

pub(crate) use self::completions::Completions;
pub(crate) use self::operation::Operation;
use self::runtime::Driver;
pub(crate) use self::runtime::{Handle, shared as shared_runtime};
use self::wait::{NothingToSeal, wait};
pub(crate) use self::wait::{Seal, inherited_call, panic_message};
use crate::python::errors::io_error;

/// A command, ready to run.
pub(crate) struct Call<F, G> {
    future: F,
    seal: Arc<dyn Seal>,
    finish: G,
    writes: bool,
}

impl<T, F, G> Call<F, G>
where
    T: Send + 'static,
    F: Future<Output = Result<T, aero_io::Error>> + Send + 'static,
    G: FnOnce(Python<'_>, Result<T, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static,
{
    /// A command that writes into no memory of Python's.
    pub(crate) fn new(future: F, finish: G) -> Self {
        Self { future, seal: Arc::new(NothingToSeal), finish, writes: false }
    }

    /// A command that writes into Python's memory until `seal` is sealed.
    pub(crate) fn sealed_by(seal: Arc<dyn Seal>, future: F, finish: G) -> Self {
        Self { future, seal, finish, writes: false }
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
        self,
        py: Python<'_>,
        completions: Option<&Completions>,
        driver: Driver,
    ) -> PyResult<Py<PyAny>> {
        match trace::current(py)? {
            None => self.start(py, completions, driver),
            Some(trace) => {
                let Self { future, seal, finish, writes } = self;
                Call { future: trace::follow(trace, future), seal, finish, writes }.start(
                    py,
                    completions,
                    driver,
                )
            }
        }
    }

    fn start(self, py: Python<'_>, completions: Option<&Completions>, driver: Driver) -> PyResult<Py<PyAny>> {
        let runtime = runtime::shared(py)?;
        match completions {
            Some(completions) => {
                let operation = Operation::start(py, &runtime, completions, self)?;
                Ok(Py::new(py, operation)?.into_any())
            }
            None => {
                let outcome = wait(py, &runtime, driver, &self.seal, self.future, self.writes)?;
                (self.finish)(py, outcome)
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
