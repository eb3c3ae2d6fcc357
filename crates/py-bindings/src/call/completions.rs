//! The queue of an event loop's completed calls.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::waker::Waker;
use crate::python::errors::client_error;
use crate::python::process;

/// The queue of one event loop's completed calls, by their numbers.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct Completions {
    /// When it was made: a forked child shares the waker's descriptors with its parent.
    generation: u32,
    queue: Arc<Queue>,
}

pub(super) struct Queue {
    done: Mutex<Vec<u64>>,
    waker: Waker,
    /// Wakes the thread of `call_when_ready`, for loops that cannot watch a descriptor.
    changed: Condvar,
}

impl Queue {
    pub(super) fn push(&self, number: u64) {
        let is_first = {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push(number);
            done.len() == 1
        };
        // One wake-up serves all calls that complete before the loop drains the queue: only the one that found it
        // empty wakes. `drain` clears the waker before it takes the numbers, so none can be left behind without a
        // wake-up.
        if is_first {
            self.waker.wake();
            self.changed.notify_one();
        }
    }
}

impl Completions {
    /// The queue, for a call to put its number into.
    pub(super) fn queue(&self, py: Python<'_>) -> PyResult<Arc<Queue>> {
        if self.is_inherited() {
            let reason = process::reason(self.generation);
            let place = if process::is_of_parent(self.generation) { " in the child" } else { "" };
            let message = format!("this event loop was used by a client {reason}; create a new loop{place}");
            return Err(client_error(py, message));
        }
        Ok(self.queue.clone())
    }

    /// Whether this is a forked child's copy of its parent's queue, or has lost its descriptors.
    fn is_inherited(&self) -> bool {
        self.generation != process::generation()
    }
}

#[pymethods]
impl Completions {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        process::check_descriptors();
        let waker = Waker::new()
            .map_err(|error| client_error(py, format!("no descriptor to wake the event loop: {error}")))?;
        Ok(Self {
            generation: process::generation(),
            queue: Arc::new(Queue { done: Mutex::new(Vec::new()), waker, changed: Condvar::new() }),
        })
    }

    /// The descriptor that is readable when calls have completed.
    fn fileno(&self) -> PyResult<i64> {
        self.queue.waker.fileno()
    }

    /// The numbers of the calls that completed since the last time.
    fn drain(&self) -> Vec<u64> {
        if self.is_inherited() {
            // The waker's bytes are for the parent to read, and a thread of the parent may hold the lock.
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
                // A bounded wait, so that the thread ends soon after the queue is dropped.
                let (done, _) = queue
                    .changed
                    .wait_timeout_while(done, Duration::from_millis(100), |done| done.is_empty())
                    .unwrap_or_else(PoisonError::into_inner);
                let is_ready = !done.is_empty();
                drop(done);
                drop(queue);
                if is_ready {
                    let called = Python::try_attach(|py| callback.call0(py).map(drop));
                    if called.is_none_or(|called| called.is_err()) {
                        return;
                    }
                    // The loop needs a moment to drain the queue; calling again before that would be wasted.
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
        });
    }
}
