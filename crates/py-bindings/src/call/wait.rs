//! Waiting for a call on the thread that makes it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aero_io::poll_for;
use pyo3::prelude::*;

use super::runtime::{Driver, Handle, thread_runtime};
use super::{CallFuture, End};
use crate::python::errors::{CLIENT, client_error, error_of_code};
use crate::python::process;

/// Time between two looks for signals, and before the first one.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// The message for a call of an earlier generation.
pub(crate) fn inherited_call(made_in: u32) -> String {
    format!("this call was made {}", process::reason(made_in))
}

/// Stops a call's writers.
pub(crate) trait Seal: Send + Sync {
    /// Refuses later writes into Python's memory and waits for those that have begun.
    fn seal(&self);
}

/// For calls that write into no memory of Python's.
pub(super) struct NothingToSeal;

impl Seal for NothingToSeal {
    fn seal(&self) {}
}

/// A panic of the core, as the message of an exception.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    format!("the client's core panicked (please report this): {text}")
}

/// Drives a call on this thread until it is done, with the GIL released.
///
/// Looks for signals every [`SIGNAL_INTERVAL`]. If one raises, as Ctrl-C does, the future is dropped and `seal` runs
/// before the exception reaches Python. If the descriptors are closed meanwhile, a call that `writes` is in doubt.
pub(super) fn wait(
    py: Python<'_>,
    shared: &Handle,
    driver: Driver,
    seal: &Arc<dyn Seal>,
    mut future: CallFuture,
    writes: bool,
) -> PyResult<()> {
    let generation = process::generation();
    let lost = || error_of_code(py, CLIENT, inherited_call(generation), writes);
    // The same runtime for the whole call: timers and sockets belong to the one that polls them first.
    let on_this_thread = driver == Driver::CallingThread && thread_runtime().is_some();
    loop {
        let ended = py.detach(|| {
            let turn = poll_for(Pin::new(&mut future), SIGNAL_INTERVAL);
            // A runtime whose descriptors were closed panics.
            catch_unwind(AssertUnwindSafe(|| match on_this_thread.then(thread_runtime).flatten() {
                Some(runtime) => runtime.block_on(turn),
                None => shared.block_on(turn),
            }))
        });
        let runtime_panic = match ended {
            Ok(Some(End::Complete)) => return Ok(()),
            Ok(Some(End::Panicked)) => None,
            Ok(None) => {
                let signals = py.check_signals();
                // Before the runtime finds its own closed: tokio would close it again while it panics.
                process::check_descriptors();
                if process::generation() != generation {
                    // A signal handler has forked, and this is the child; or the descriptors were closed. The future's
                    // sockets are the parent's, or their numbers belong to other files, so it is leaked: dropping it
                    // would close them.
                    std::mem::forget(future);
                    signals?;
                    return Err(lost());
                }
                if let Err(interrupt) = signals {
                    py.detach(|| {
                        seal.seal();
                        drop(future);
                    });
                    return Err(interrupt);
                }
                continue;
            }
            // The future's own panics are caught within it: this is the runtime's.
            Err(panic) => {
                process::abandon(generation);
                Some(panic)
            }
        };
        seal.seal();
        process::check_descriptors();
        if process::generation() != generation {
            // Leaked: the numbers of its sockets may belong to other files.
            std::mem::forget(future);
            return Err(lost());
        }
        return match runtime_panic {
            Some(panic) => Err(client_error(py, panic_message(&*panic))),
            // `finish` raises it.
            None => Ok(()),
        };
    }
}
