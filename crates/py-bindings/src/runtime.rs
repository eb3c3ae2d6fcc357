//! The tokio runtime behind both faces, and waiting for it from Python.
//!
//! One multi-threaded runtime serves the process. It belongs to the process that made it: after `fork`
//! the child shares the parent's epoll and sockets, so its runtime is given up without touching them, and
//! clients made before raise at each entry. The runtime is only looked up with the GIL held, so the lock
//! here is never held at the moment of a fork.

use std::cell::RefCell;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aero_io::poll_for;
use futures_util::FutureExt;
use pyo3::prelude::*;
use tokio::runtime::{Handle, Runtime};
pub(crate) use tokio::task::AbortHandle;

use crate::errors::client_error;
use crate::process;

/// How long a wait goes on before the first look for signals, and between looks.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Threads that drive sockets and asynchronous calls.
const MOST_WORKERS: usize = 4;

struct Current {
    process: u32,
    runtime: Option<Runtime>,
}

static CURRENT: Mutex<Current> = Mutex::new(Current { process: 0, runtime: None });

/// The runtime of this process; made when first asked for.
pub(crate) fn handle(py: Python<'_>) -> PyResult<Handle> {
    // The exception is made when the lock has gone: making it runs Python, which may let in another thread
    // that waits here with the GIL.
    handle_or_why().map_err(|why| client_error(py, why))
}

fn handle_or_why() -> Result<Handle, String> {
    let process = process::id();
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    if current.process != process {
        // The parent's: its threads are not in this process, its epoll is shared with the parent.
        std::mem::forget(current.runtime.take());
        let workers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(1, MOST_WORKERS));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .thread_name("aerospike-py")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| format!("no runtime could be started: {error}"))?;
        current.process = process;
        current.runtime = Some(runtime);
    }
    match &current.runtime {
        Some(runtime) => Ok(runtime.handle().clone()),
        None => Err("the interpreter is exiting".into()),
    }
}

/// Threads that have a runtime of their own at a time, at most: each holds four descriptors. The calls of others are
/// driven by the shared one.
const MOST_OWN: u32 = 64;

/// How many have one: of which process (a child has none of its parent's threads), and how many.
static OWNED: Mutex<(u32, u32)> = Mutex::new((0, 0));

/// A runtime of one thread's own.
struct Own {
    process: u32,
    /// None in the moment that it goes.
    runtime: Option<Rc<Runtime>>,
}

impl Own {
    /// None where there are enough, or the system has no descriptors left for one.
    fn new() -> Option<Self> {
        let process = process::id();
        // Whoever finds it locked, as a child may for ever, does without.
        let mut owned = OWNED.try_lock().ok()?;
        if owned.0 != process {
            *owned = (process, 0);
        }
        if owned.1 >= MOST_OWN {
            return None;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().ok()?;
        owned.1 += 1;
        Some(Self { process, runtime: Some(Rc::new(runtime)) })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if self.process != process::id() {
            // The parent's: its epoll is shared with this process.
            std::mem::forget(self.runtime.take());
            return;
        }
        drop(self.runtime.take());
        OWNED.lock().unwrap_or_else(PoisonError::into_inner).1 -= 1;
    }
}

thread_local! {
    static OWN: RefCell<Option<Own>> = const { RefCell::new(None) };
}

/// The runtime of this thread, for commands that it waits for: it drives their sockets and timers itself, where the
/// shared one would have them driven by its own threads, which costs two changes of threads an answer. What lasts
/// longer than a command must not live on it: nobody drives it between two of them.
fn own_runtime() -> Option<Rc<Runtime>> {
    // A thread that is ending has none any more.
    OWN.try_with(|own| {
        let mut own = own.borrow_mut();
        if own.as_ref().is_none_or(|own| own.process != process::id()) {
            *own = Own::new();
        }
        own.as_ref()?.runtime.clone()
    })
    .ok()?
}

/// Where a call is driven that a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the runtime that lasts: for what goes on after the call.
    Shared,
    /// On the thread's own where it can have one: for commands.
    Own,
}

/// Refuses calls from now on: the interpreter is exiting.
///
/// The runtime itself is left to the end of the process. Its threads never touch Python, and shutting it down
/// would pull the clock from under calls that other threads still wait for: tokio panics in those.
#[pyfunction]
pub(crate) fn shutdown() {
    // This thread's own likewise: where threads are killed before it goes, one of them may hold what it needs.
    _ = OWN.try_with(|own| std::mem::forget(own.take()));
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::forget(current.runtime.take());
}

/// What is said of a call of the parent in its child.
pub(crate) const PARENTS_CALL: &str = "this call was made before fork() and belongs to the parent";

/// A panic of the core, as an error.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    format!("the client's core panicked (please report this): {text}")
}

/// Stops whatever writes into memory that Python can see; returns when nobody does any more.
pub(crate) trait Seal: Send + Sync {
    /// Refuses later writes and waits for those under way.
    fn seal(&self);
}

/// For calls that write into no memory of Python's.
pub(crate) struct NothingToSeal;

impl Seal for NothingToSeal {
    fn seal(&self) {}
}

/// Drives a future on this thread until it is done, with the GIL released and an eye on signals: on
/// Ctrl-C the future is dropped, `seal` runs, and the exception is raised.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    handle: &Handle,
    place: Place,
    seal: &Arc<dyn Seal>,
    future: impl Future<Output = T> + Send,
) -> PyResult<T> {
    let process = process::id();
    let mut future = Box::pin(AssertUnwindSafe(future).catch_unwind());
    // One runtime for the whole call: its timers belong to the one that polls them first.
    let is_own = place == Place::Own && own_runtime().is_some();
    loop {
        let outcome = py.detach(|| {
            let turn = poll_for(future.as_mut(), SIGNAL_INTERVAL);
            match is_own.then(own_runtime).flatten() {
                Some(runtime) => runtime.block_on(turn),
                None => handle.block_on(turn),
            }
        });
        match outcome {
            Some(Ok(value)) => return Ok(value),
            Some(Err(panic)) => {
                seal.seal();
                return Err(client_error(py, panic_message(&*panic)));
            }
            None => {
                let signals = py.check_signals();
                if process::id() != process {
                    // A signal's handler has forked, and this is the child: the call is the parent's.
                    std::mem::forget(future);
                    signals?;
                    return Err(client_error(py, PARENTS_CALL.into()));
                }
                if let Err(interrupt) = signals {
                    py.detach(|| {
                        seal.seal();
                        drop(future);
                    });
                    return Err(interrupt);
                }
            }
        }
    }
}
