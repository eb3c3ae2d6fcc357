//! One call, two faces.
//!
//! A command is a future (no Python in it), a seal (what must stop writing before Python goes on) and a
//! closure that turns the outcome into a Python object. [`Call::run`] waits for it; or, given the
//! [`Completions`] of an event loop, starts it and returns an [`Operation`] whose number comes out of the
//! loop's queue when it is done.

pub(crate) mod runtime;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use futures_util::FutureExt;
use pyo3::prelude::*;

use self::runtime::{AbortHandle, Place, Seal};
use crate::python::errors::{client_error, io_error};
use crate::python::process;

/// A command, ready to run.
pub(crate) struct Call<F, G> {
    pub(crate) future: F,
    pub(crate) seal: Arc<dyn Seal>,
    pub(crate) finish: G,
}

impl<T, F, G> Call<F, G>
where
    T: Send + 'static,
    F: Future<Output = Result<T, aero_io::Error>> + Send + 'static,
    G: FnOnce(Python<'_>, Result<T, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static,
{
    /// Runs the command on the face that asks.
    ///
    /// # Errors
    /// What the command or its conversion raises; for the asynchronous face only what keeps it from
    /// starting.
    pub(crate) fn run(self, py: Python<'_>, face: Option<&Completions>) -> PyResult<Py<PyAny>> {
        self.run_at(py, face, Place::Own)
    }

    /// [`Call::run`] for a command that leaves something behind which goes on by itself.
    ///
    /// # Errors
    /// As [`Call::run`].
    pub(crate) fn run_lasting(self, py: Python<'_>, face: Option<&Completions>) -> PyResult<Py<PyAny>> {
        self.run_at(py, face, Place::Shared)
    }

    fn run_at(self, py: Python<'_>, face: Option<&Completions>, place: Place) -> PyResult<Py<PyAny>> {
        let handle = runtime::handle(py)?;
        let Some(completions) = face else {
            let outcome = runtime::wait(py, &handle, place, &self.seal, self.future)?;
            return (self.finish)(py, outcome);
        };
        if completions.is_parents() {
            return Err(client_error(
                py,
                "this event loop has served a client before fork() and belongs to the parent process; make a new \
                 one in the child"
                    .into(),
            ));
        }
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let slot = Arc::new(Mutex::new(None));
        let queue = completions.queue.clone();
        let task = {
            let slot = slot.clone();
            let future = self.future;
            handle.spawn(async move {
                let outcome = AssertUnwindSafe(future).catch_unwind().await;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                queue.push(number);
            })
        };
        let finish = self.finish;
        let result = move |py: Python<'_>| {
            let outcome = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            match outcome {
                Some(Ok(outcome)) => finish(py, outcome),
                Some(Err(panic)) => Err(client_error(py, runtime::panic_message(&*panic))),
                None => Err(client_error(py, "the call was ended before its answer came".into())),
            }
        };
        let operation = Operation {
            number,
            process: process::id(),
            abort: task.abort_handle(),
            seal: self.seal,
            result: Mutex::new(Some(Box::new(result))),
        };
        Ok(Py::new(py, operation)?.into_any())
    }
}

/// Turns the outcome of an unfinished command into an error or a value; for commands whose errors are
/// plain.
pub(crate) fn plain<T>(
    finish: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> impl FnOnce(Python<'_>, Result<T, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static {
    move |py, outcome| match outcome {
        Ok(value) => finish(py, value),
        Err(error) => Err(io_error(py, &error)),
    }
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);

type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// A call under way in an event loop.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct Operation {
    #[pyo3(get)]
    number: u64,
    /// The process that it runs in: after a fork the parent's threads are not there to be waited for.
    process: u32,
    abort: AbortHandle,
    seal: Arc<dyn Seal>,
    result: Mutex<Option<Finish>>,
}

#[pymethods]
impl Operation {
    /// The result, once the queue has given the number; raises what the call raises.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if self.is_parents() {
            return Err(client_error(py, runtime::PARENTS_CALL.into()));
        }
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        match result {
            Some(result) => result(py),
            None => Err(client_error(py, "the call's result was taken already".into())),
        }
    }

    /// Ends the call if it is under way. Nothing writes into Python's memory after it returns.
    fn close(&self) {
        if self.is_parents() {
            return;
        }
        // A call whose result was taken has ended and was sealed by its conversion.
        let unfinished = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        if unfinished.is_some() {
            self.abort.abort();
            self.seal.seal();
        }
    }
}

impl Operation {
    fn is_parents(&self) -> bool {
        self.process != process::id()
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if self.is_parents() {
            // Leaked on purpose: a thread of the parent may have been writing at the moment of the fork,
            // and what it held is held for ever here.
            let result = self.result.get_mut().unwrap_or_else(PoisonError::into_inner).take();
            std::mem::forget((result, self.seal.clone(), self.abort.clone()));
            return;
        }
        // The arrays live in `result`: nobody may write into them when it goes.
        self.close();
    }
}

/// The queue of one event loop's completed calls.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct Completions {
    /// The process that it belongs to: a child shares the waker's descriptors with its parent.
    process: u32,
    queue: Arc<Queue>,
}

impl Completions {
    fn is_parents(&self) -> bool {
        self.process != process::id()
    }
}

struct Queue {
    done: Mutex<Vec<u64>>,
    waker: Waker,
    /// For loops that cannot watch a descriptor.
    changed: Condvar,
}

impl Queue {
    fn push(&self, number: u64) {
        let first = {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push(number);
            done.len() == 1
        };
        // Who finds the queue empty wakes the loop for all who come before it drains.
        if first {
            self.waker.wake();
            self.changed.notify_one();
        }
    }
}

#[pymethods]
impl Completions {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        let waker = Waker::new()
            .map_err(|error| client_error(py, format!("no descriptor to wake the event loop: {error}")))?;
        Ok(Self {
            process: process::id(),
            queue: Arc::new(Queue { done: Mutex::new(Vec::new()), waker, changed: Condvar::new() }),
        })
    }

    /// The descriptor that is readable when calls have completed.
    fn fileno(&self) -> PyResult<i64> {
        self.queue.waker.fileno()
    }

    /// The numbers of the calls that completed since the last time.
    fn drain(&self) -> Vec<u64> {
        if self.is_parents() {
            // What is in the waker is for the parent to read, and the lock may be held for ever here.
            return Vec::new();
        }
        // Cleared before the queue is read: a call that completes in between wakes the loop once more.
        self.queue.waker.clear();
        std::mem::take(&mut self.queue.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls `callback` from a thread of its own whenever calls have completed; ends with this object.
    fn call_when_ready(&self, callback: Py<PyAny>) {
        let queue = Arc::downgrade(&self.queue);
        std::thread::spawn(move || {
            loop {
                let Some(queue) = queue.upgrade() else { return };
                let done = queue.done.lock().unwrap_or_else(PoisonError::into_inner);
                // A bounded wait, so that the thread ends when the queue has gone.
                let (done, _) = queue
                    .changed
                    .wait_timeout_while(done, std::time::Duration::from_millis(100), |done| done.is_empty())
                    .unwrap_or_else(PoisonError::into_inner);
                let ready = !done.is_empty();
                drop(done);
                drop(queue);
                if ready {
                    let called = Python::try_attach(|py| callback.call0(py).map(drop));
                    if called.is_none_or(|called| called.is_err()) {
                        return;
                    }
                    // The loop drains soon; asking again before it did would be noise.
                    std::thread::sleep(std::time::Duration::from_micros(200));
                }
            }
        });
    }
}

/// Wakes an event loop through a descriptor, without the GIL.
#[cfg(unix)]
struct Waker {
    reader: std::os::unix::net::UnixStream,
    writer: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl Waker {
    fn new() -> std::io::Result<Self> {
        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Self { reader, writer })
    }

    fn fileno(&self) -> PyResult<i64> {
        use std::os::fd::AsRawFd;
        Ok(self.reader.as_raw_fd().into())
    }

    fn wake(&self) {
        use std::io::Write;
        // A full buffer means that the loop has wake-ups enough waiting.
        let _ = (&self.writer).write(&[1]);
    }

    fn clear(&self) {
        use std::io::Read;
        let mut buffer = [0; 64];
        while matches!((&self.reader).read(&mut buffer), Ok(n) if n == buffer.len()) {}
    }
}

/// Where no descriptor serves, the queue's thread wakes the loop.
#[cfg(not(unix))]
struct Waker;

#[cfg(not(unix))]
impl Waker {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    fn fileno(&self) -> PyResult<i64> {
        Err(pyo3::exceptions::PyNotImplementedError::new_err("this platform wakes loops from a thread"))
    }

    fn wake(&self) {}

    fn clear(&self) {}
}
