//! A call that runs in an event loop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::completions::Completions;
use super::runtime::{AbortHandle, Handle};
use super::wait::{Seal, inherited_call};
use super::{Call, Finish};
use crate::python::errors::client_error;
use crate::python::process;

/// The next operation's number.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

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
    pub(super) fn start(
        py: Python<'_>,
        runtime: &Handle,
        completions: &Completions,
        call: Call,
    ) -> PyResult<Self> {
        let Call { future, seal, finish, .. } = call;
        let queue = completions.queue(py)?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let task = runtime.spawn(async move {
            // It keeps its outcome first: once the number is in the queue, the loop may ask for it.
            future.await;
            queue.push(number);
        });
        Ok(Self {
            number,
            generation: process::generation(),
            abort: task.abort_handle(),
            seal,
            finish: Mutex::new(Some(finish)),
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
