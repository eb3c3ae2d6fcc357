//! A call that runs in an event loop.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use pyo3::prelude::*;

use super::Call;
use super::completions::Completions;
use super::runtime::{AbortHandle, Handle};
use super::wait::{Seal, inherited_call, panic_message};
use crate::python::errors::client_error;
use crate::python::process;

/// The next operation's number.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// A call that was started in an event loop.
///
/// It ends in one of three ways, each of which takes `finish` out: `result()` converts the outcome, `close()` ends
/// the call early, and dropping it does the same as `close()`. Whichever comes first seals the memory that the call
/// writes into, so `finish`, which owns that memory's arrays, is never dropped while a task may still write.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct Operation {
    #[pyo3(get)]
    number: u64,
    /// When the call was made: a forked child has none of its threads.
    generation: u32,
    abort: AbortHandle,
    seal: Arc<dyn Seal>,
    finish: Mutex<Option<Finish>>,
}

impl Operation {
    pub(super) fn start<T, F, G>(
        py: Python<'_>,
        runtime: &Handle,
        completions: &Completions,
        call: Call<F, G>,
    ) -> PyResult<Self>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, aero_io::Error>> + Send + 'static,
        G: FnOnce(Python<'_>, Result<T, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let Call { future, seal, finish, .. } = call;
        let queue = completions.queue(py)?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let slot = Arc::new(Mutex::new(None));
        let task = {
            let slot = slot.clone();
            runtime.spawn(async move {
                let outcome = AssertUnwindSafe(future).catch_unwind().await;
                // The outcome first: once the number is in the queue, the loop may ask for it.
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                queue.push(number);
            })
        };
        let finish = move |py: Python<'_>| {
            let outcome = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            match outcome {
                Some(Ok(outcome)) => finish(py, outcome),
                Some(Err(panic)) => Err(client_error(py, panic_message(&*panic))),
                None => Err(client_error(py, "the call was ended before it was answered".into())),
            }
        };
        Ok(Self {
            number,
            generation: process::generation(),
            abort: task.abort_handle(),
            seal,
            finish: Mutex::new(Some(Box::new(finish))),
        })
    }

    /// Whether this is a forked child's copy of an operation that runs in its parent, or has lost its descriptors.
    fn is_inherited(&self) -> bool {
        self.generation != process::generation()
    }
}

#[pymethods]
impl Operation {
    /// The result, once the queue has given the number; raises what the call raises.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if self.is_inherited() {
            return Err(client_error(py, inherited_call(self.generation)));
        }
        let finish = self.finish.lock().unwrap_or_else(PoisonError::into_inner).take();
        match finish {
            Some(finish) => finish(py),
            None => Err(client_error(py, "the result of this call was already taken".into())),
        }
    }

    /// Ends the call if it is still running. Nothing writes into Python's memory after this returns.
    fn close(&self) {
        if self.is_inherited() {
            return;
        }
        // If `finish` is gone, the call has ended and `finish` has sealed.
        let unfinished = self.finish.lock().unwrap_or_else(PoisonError::into_inner).take();
        if unfinished.is_some() {
            self.abort.abort();
            self.seal.seal();
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if self.is_inherited() {
            // Leaked on purpose: a thread of the parent may have been writing at the moment of the fork. It is not
            // here to finish, so a lock that it held is never released and `seal` would wait forever.
            let finish = self.finish.get_mut().unwrap_or_else(PoisonError::into_inner).take();
            std::mem::forget((finish, self.seal.clone(), self.abort.clone()));
            return;
        }
        self.close();
    }
}
