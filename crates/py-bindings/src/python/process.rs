//! Which process this is, without a system call.
//!
//! A client belongs to the process that made it, so each call checks a few times whether it runs in a forked child.
//! The C library no longer caches the process ID, so it is cached here and updated in every child of `fork`. A
//! child that is made behind the C library's back, by a raw `clone`, would keep its parent's number; Python does
//! not work there either.

use std::sync::atomic::{AtomicU32, Ordering};

/// The ID of this process; 0 while it is not cached.
static ID: AtomicU32 = AtomicU32::new(0);

/// The ID of this process.
pub(crate) fn id() -> u32 {
    match ID.load(Ordering::Relaxed) {
        0 => std::process::id(),
        id => id,
    }
}

/// Starts to cache the ID, here and in forked children. Called once, when the extension is loaded.
pub(crate) fn cache_id() {
    #[cfg(unix)]
    {
        extern "C" fn in_child() {
            ID.store(std::process::id(), Ordering::Relaxed);
        }
        // SAFETY: `in_child` stays loaded, since CPython never unloads an extension, and it does only what is
        // allowed in the forked child of a process with several threads: `getpid` and an atomic store.
        let code = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        if code == 0 {
            ID.store(std::process::id(), Ordering::Relaxed);
        }
    }
}
