//! The package's queue, with an operation that does nothing.

#[path = "../../../crates/py-bindings/src/call/completions.rs"]
mod completions;
#[path = "../../../crates/py-bindings/src/call/waker.rs"]
mod waker;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::task::AbortHandle;

pub(crate) use completions::Completions;

static NUMBERS: AtomicU64 = AtomicU64::new(1);

type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// As the package's `Operation`: a task, a slot for its outcome, a closure that converts it.
#[pyclass(frozen)]
pub(crate) struct Operation {
    #[pyo3(get)]
    number: u64,
    abort: AbortHandle,
    finish: Mutex<Option<Finish>>,
}

impl Operation {
    pub(crate) fn start(py: Python<'_>, completions: &Completions) -> PyResult<Self> {
        let queue = completions.queue(py)?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let is_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&is_done);
        let future: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            tokio::task::yield_now().await;
            done.store(true, Ordering::Release);
        });
        let task = pyo3_async_runtimes::tokio::get_runtime().spawn(async move {
            future.await;
            queue.push(number);
        });
        let finish = move |py: Python<'_>| match is_done.load(Ordering::Acquire) {
            true => Ok(py.None()),
            false => Err(PyRuntimeError::new_err("the call was ended before it was answered")),
        };
        Ok(Self { number, abort: task.abort_handle(), finish: Mutex::new(Some(Box::new(finish))) })
    }

    fn take(&self) -> Option<Finish> {
        self.finish.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[pymethods]
impl Operation {
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let finish = self.take().ok_or_else(|| PyRuntimeError::new_err("the result was already taken"))?;
        finish(py)
    }

    fn close(&self) {
        if self.take().is_some() {
            self.abort.abort();
        }
    }
}
