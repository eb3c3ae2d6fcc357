//! Which process this is, and whether it still has its descriptors.
//!
//! What the extension makes (clients, runtimes, calls) belongs to the process that made it, and works as long as its
//! descriptors are open. A forked child has copies of all of it, but none of the threads, and shares the descriptors
//! with the parent. A program that becomes a daemon closes all descriptors, whose numbers may belong to other files
//! afterwards. In both cases, what was made before is leaked untouched, and new clients start afresh.
//!
//! So each object remembers the generation in which it was made. A fork starts a new generation in the child, from a
//! handler of the C library; a child that is made behind the C library's back, by a raw `clone`, stays in that of its
//! parent, but Python does not work there either. Closed descriptors are noticed by a socket that is there only for
//! that: once its number no longer belongs to this socket, [`check_descriptors`] starts a new generation.

use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

/// The generation; 0 if forks are not noticed.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The generation that the last fork started.
static FORKED: AtomicU32 = AtomicU32::new(0);

/// The descriptor of the socket that is watched; -1 if none is.
static WATCHED: AtomicI32 = AtomicI32::new(-1);

/// The inode of that socket, which no other open socket has.
static INODE: AtomicU64 = AtomicU64::new(0);

/// The generation. What was made in another one must not be touched.
pub(crate) fn generation() -> u32 {
    match GENERATION.load(Ordering::Relaxed) {
        0 => std::process::id(),
        generation => generation,
    }
}

/// Why an object of an earlier generation does not work, to follow "was made" in a message.
pub(crate) fn reason(made_in: u32) -> &'static str {
    if is_of_parent(made_in) {
        "before fork() and belongs to the parent process"
    } else {
        "before the descriptors of this process were closed, as os.closerange and daemon libraries do"
    }
}

/// Whether an object of an earlier generation belongs to a parent process.
pub(crate) fn is_of_parent(made_in: u32) -> bool {
    GENERATION.load(Ordering::Relaxed) == 0 || made_in < FORKED.load(Ordering::Relaxed)
}

/// Starts to notice forks. Called once, when the extension is loaded.
pub(crate) fn notice_forks() {
    #[cfg(unix)]
    {
        extern "C" fn in_child() {
            let generation = GENERATION.load(Ordering::Relaxed) + 1;
            GENERATION.store(generation, Ordering::Relaxed);
            FORKED.store(generation, Ordering::Relaxed);
            // The parent's. It says nothing about what this process makes.
            WATCHED.store(-1, Ordering::Relaxed);
        }
        // SAFETY: `in_child` stays loaded, since CPython never unloads an extension, and it does only what is
        // allowed in the forked child of a process with several threads: atomic loads and stores.
        let code = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        if code == 0 {
            GENERATION.store(1, Ordering::Relaxed);
        }
    }
}

/// Starts to watch the descriptors of this generation. Called before the first of them is made.
///
/// # Errors
/// The process has no descriptors left.
pub(crate) fn watch_descriptors() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::fd::IntoRawFd as _;
        // Never closed here: once its number may be another file's, closing it would close that file.
        let descriptor = std::os::unix::net::UnixDatagram::unbound()?.into_raw_fd();
        INODE.store(inode(descriptor).unwrap_or(0), Ordering::Relaxed);
        WATCHED.store(descriptor, Ordering::Release);
    }
    Ok(())
}

/// Starts a new generation if this process's descriptors were closed. Returns whether it did.
pub(crate) fn check_descriptors() -> bool {
    #[cfg(unix)]
    {
        let watched = WATCHED.load(Ordering::Acquire);
        if watched < 0 || inode(watched) == Some(INODE.load(Ordering::Relaxed)) {
            return false;
        }
        // If several threads notice it, one starts the new generation.
        let is_first = WATCHED.compare_exchange(watched, -1, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if is_first && GENERATION.load(Ordering::Relaxed) != 0 {
            GENERATION.fetch_add(1, Ordering::Relaxed);
            return true;
        }
    }
    false
}

/// Starts a new generation because something of generation `of` has lost its descriptors, unless one has started
/// already. Descriptors are closed one by one: the watched one may be the last.
pub(crate) fn abandon(of: u32) {
    #[cfg(unix)]
    if of != 0 && GENERATION.compare_exchange(of, of + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
        WATCHED.store(-1, Ordering::Release);
    }
    #[cfg(not(unix))]
    let _ = of;
}

/// The inode of a socket; `None` if the descriptor is closed or no socket.
#[cfg(unix)]
#[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
fn inode(descriptor: i32) -> Option<u64> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `stat` has room for what `fstat` writes; `fstat` takes any number and changes nothing.
    if unsafe { libc::fstat(descriptor, stat.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: `fstat` has succeeded, so it has written all of `stat`.
    let stat = unsafe { stat.assume_init() };
    (stat.st_mode & libc::S_IFMT == libc::S_IFSOCK).then_some(stat.st_ino as u64)
}
