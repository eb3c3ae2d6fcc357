//! Threads of our own that may take the GIL, and the end of the interpreter.
//!
//! Once the interpreter ends, a thread that takes the GIL is stopped in the middle of the foreign code that wanted it:
//! before Python 3.14 by unwinding its stack, which aborts the process if there is C++ on it. So such a thread holds
//! [`MayTakeGil`] meanwhile, and the interpreter's exit waits for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::python::process;

/// How long the interpreter's exit waits. A thread that is still at work then, in a stream that blocks, may never end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The generation of processes in the upper half, and how many threads may take the GIL in the lower.
static AT_WORK: AtomicU64 = AtomicU64::new(0);

static IS_EXITING: AtomicBool = AtomicBool::new(false);

/// Held while a thread may take the GIL. The threads of the runtime never do.
pub(crate) struct MayTakeGil(u64);

impl MayTakeGil {
    /// None if the interpreter is exiting.
    pub(crate) fn enter() -> Option<Self> {
        let generation = u64::from(process::generation()) << 32;
        // In a forked child the number is that of its parent's threads.
        let more =
            |at_work: u64| Some(if at_work >> 32 << 32 == generation { at_work } else { generation } + 1);
        _ = AT_WORK.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        let entered = Self(generation);
        // After the number was raised: the exit looks at it after it has set this.
        (!IS_EXITING.load(Ordering::SeqCst)).then_some(entered)
    }
}

impl Drop for MayTakeGil {
    fn drop(&mut self) {
        let less = |at_work: u64| (at_work >> 32 << 32 == self.0).then(|| at_work - 1);
        _ = AT_WORK.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    }
}

/// Waits until no thread may take the GIL any more, and lets none begin. Called at the interpreter's exit.
pub(crate) fn wait_for_end(py: Python<'_>) {
    IS_EXITING.store(true, Ordering::SeqCst);
    let generation = u64::from(process::generation());
    py.detach(|| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let at_work = AT_WORK.load(Ordering::SeqCst);
            let is_over = at_work >> 32 != generation || at_work & 0xffff_ffff == 0;
            if is_over || Instant::now() >= deadline {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}
