//! The tokio runtimes behind the calls.
//!
//! One multi-threaded runtime serves the process. Each thread that waits for calls has a small runtime of its own in
//! addition, on which it drives their sockets itself.
//!
//! A runtime belongs to the process that made it. A forked child shares its parent's epoll and sockets, so there the
//! runtime is leaked untouched, and clients that were made before the fork raise at each entry. So it is when the
//! program closes all descriptors: see [`process`]. The threads of such a runtime, in the same process, are stopped
//! where they would panic. The shared runtime is
//! looked up only with the GIL held, so its lock is never held at the moment of a fork.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use tokio::runtime::Runtime;

pub(crate) use tokio::runtime::Handle;
pub(crate) use tokio::sync::Notify;
pub(super) use tokio::task::AbortHandle;

use crate::python::errors::client_error;
use crate::python::{gil_threads, process};

/// What drives a call that a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// The shared runtime: for calls that leave tasks behind.
    SharedRuntime,
    /// The thread's own runtime if it can have one, else the shared one.
    CallingThread,
}

/// Threads of the shared runtime, at most.
const MAX_WORKERS: usize = 4;

/// Threads that can have a runtime of their own at a time: each holds three descriptors. Calls of other threads are
/// driven by the shared runtime.
const MAX_THREAD_RUNTIMES: u32 = 64;

struct Shared {
    generation: u32,
    /// None before first use, and once the interpreter exits.
    runtime: Option<Runtime>,
}

static SHARED: Mutex<Shared> = Mutex::new(Shared { generation: 0, runtime: None });

thread_local! {
    /// On a thread of a shared runtime, the generation of that.
    static WORKER_OF: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is one of a shared runtime's, which never waits for the GIL.
pub(crate) fn is_worker() -> bool {
    WORKER_OF.try_with(Cell::get).unwrap_or(0) != 0
}

/// Stops threads of a runtime whose descriptors were closed, instead of letting them panic.
///
/// Such a thread panics when it waits for its sockets. If it unwound, it would close descriptors, whose numbers may
/// belong to other files now. The panic of a thread that waits for a call becomes the call's error.
pub(crate) fn stop_threads_without_descriptors() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let worker_of = WORKER_OF.try_with(Cell::get).unwrap_or(0);
        let is_closed = process::check_descriptors() || has_lost_its_driver(panic);
        if is_closed {
            process::abandon(worker_of);
        }
        if worker_of != 0 && worker_of != process::generation() {
            loop {
                std::thread::park();
            }
        }
        if !is_closed {
            report(panic);
        }
    }));
}

/// Whether a panic says that a runtime can no longer wait for its sockets. Descriptors are closed one by one, so the
/// runtime may notice it before the watched descriptor is closed.
fn has_lost_its_driver(panic: &std::panic::PanicHookInfo<'_>) -> bool {
    // What tokio panics with.
    panic.payload_as_str().is_some_and(|message| {
        message.starts_with("unexpected error when polling the I/O driver")
            || message.starts_with("failed to wake I/O driver")
    })
}

/// The shared runtime of this process, made at first use.
pub(crate) fn shared(py: Python<'_>) -> PyResult<Handle> {
    // The exception is made after the lock is released: making it runs Python, which may let in another thread that
    // then waits for the lock with the GIL.
    shared_or_reason().map_err(|reason| client_error(py, reason))
}

fn shared_or_reason() -> Result<Handle, String> {
    let generation = process::generation();
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.generation != generation {
        // Inherited from the parent, with whom its epoll is shared, or its descriptors were closed.
        std::mem::forget(shared.runtime.take());
        process::watch_descriptors().map_err(|error| format!("the runtime cannot be started: {error}"))?;
        let workers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(1, MAX_WORKERS));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .thread_name("aerospike-py")
            .on_thread_start(move || WORKER_OF.set(generation))
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| format!("the runtime cannot be started: {error}"))?;
        shared.generation = generation;
        shared.runtime = Some(runtime);
    }
    match &shared.runtime {
        Some(runtime) => Ok(runtime.handle().clone()),
        None => Err("the interpreter is exiting".into()),
    }
}

/// Refuses calls from now on: the interpreter is exiting.
///
/// The runtimes are left to the end of the process. Their threads never touch Python, and shutting one down would
/// take the timers from calls that other threads still wait for: tokio panics in those.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) {
    gil_threads::wait_for_end(py);
    _ = THREAD_RUNTIME.try_with(|own| std::mem::forget(own.take()));
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::forget(shared.runtime.take());
}

/// How many threads have a runtime of their own: the process that counts, and the number.
static THREAD_RUNTIMES: Mutex<(u32, u32)> = Mutex::new((0, 0));

struct ThreadRuntime {
    generation: u32,
    /// None only while this is dropped.
    runtime: Option<Rc<Runtime>>,
}

impl ThreadRuntime {
    /// None if there are [`MAX_THREAD_RUNTIMES`] already, or no descriptors left.
    fn new() -> Option<Self> {
        let generation = process::generation();
        // Never blocks: a forked child may inherit a held lock.
        let mut count = THREAD_RUNTIMES.try_lock().ok()?;
        if count.0 != generation {
            *count = (generation, 0);
        }
        if count.1 >= MAX_THREAD_RUNTIMES {
            return None;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().ok()?;
        count.1 += 1;
        Some(Self { generation, runtime: Some(Rc::new(runtime)) })
    }
}

impl Drop for ThreadRuntime {
    fn drop(&mut self) {
        process::check_descriptors();
        if self.generation != process::generation() {
            // Inherited from the parent, with which this process shares its epoll, or its descriptors were closed.
            std::mem::forget(self.runtime.take());
            return;
        }
        drop(self.runtime.take());
        THREAD_RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner).1 -= 1;
    }
}

thread_local! {
    static THREAD_RUNTIME: RefCell<Option<ThreadRuntime>> = const { RefCell::new(None) };
}

/// This thread's own runtime, for commands that it waits for.
///
/// The thread then drives their sockets and timers itself. The shared runtime would have its worker threads do it,
/// which costs two thread switches per answer. Tasks that outlive the command must not live here: between two
/// commands this runtime stands still.
pub(super) fn thread_runtime() -> Option<Rc<Runtime>> {
    // Fails on a thread that is ending: its thread-local variables are gone.
    THREAD_RUNTIME
        .try_with(|own| {
            let mut own = own.borrow_mut();
            if own.as_ref().is_none_or(|own| own.generation != process::generation()) {
                *own = ThreadRuntime::new();
            }
            own.as_ref()?.runtime.clone()
        })
        .ok()?
}
