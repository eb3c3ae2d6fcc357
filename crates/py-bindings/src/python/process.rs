//! Which process this is, without a system call each time it is asked.
//!
//! Every call asks a few times, for a client belongs to the process that made it. The C library forgets its own copy of
//! the number long since, so it is kept here and renewed in every child of `fork`. Children that are made without the
//! C library's knowledge (a raw `clone`) are not told: Python itself does not work in those.

use std::sync::atomic::{AtomicU32, Ordering};

/// The number of this process; 0 where it is not known.
static ID: AtomicU32 = AtomicU32::new(0);

/// The number of this process.
pub(crate) fn id() -> u32 {
    match ID.load(Ordering::Relaxed) {
        0 => std::process::id(),
        id => id,
    }
}

/// Keeps the number from now on, in children of this process the children's own.
///
/// Called once, when the extension is loaded.
pub(crate) fn keep_id() {
    #[cfg(unix)]
    {
        extern "C" fn in_child() {
            ID.store(std::process::id(), Ordering::Relaxed);
        }
        // SAFETY: the function lives as long as the process does, for CPython never unloads an extension, and it does
        // nothing that is not allowed in the child of a process with several threads.
        let code = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        if code == 0 {
            ID.store(std::process::id(), Ordering::Relaxed);
        }
    }
}
