//! Wakes an event loop without the GIL.

#[cfg(unix)]
use std::sync::Arc;

use pyo3::prelude::*;

#[cfg(unix)]
use crate::python::process;

/// Wakes an event loop through a socket pair, one end of which the loop watches.
#[cfg(unix)]
pub(super) struct Waker {
    sockets: Arc<Sockets>,
    /// When they were made.
    generation: u32,
}

#[cfg(unix)]
struct Sockets {
    reader: std::os::unix::net::UnixStream,
    writer: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl Waker {
    pub(super) fn new() -> std::io::Result<Self> {
        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Self { sockets: Arc::new(Sockets { reader, writer }), generation: process::generation() })
    }

    pub(super) fn fileno(&self) -> PyResult<i64> {
        use std::os::fd::AsRawFd;
        Ok(self.sockets.reader.as_raw_fd().into())
    }

    pub(super) fn wake(&self) {
        use std::io::Write;
        // A full buffer means that wake-ups are waiting already.
        let _ = (&self.sockets.writer).write(&[1]);
    }

    pub(super) fn clear(&self) {
        use std::io::Read;
        let mut buffer = [0; 64];
        while matches!((&self.sockets.reader).read(&mut buffer), Ok(n) if n == buffer.len()) {}
    }
}

#[cfg(unix)]
impl Drop for Waker {
    fn drop(&mut self) {
        process::check_descriptors();
        if self.generation != process::generation() {
            // Leaked on purpose: their numbers may belong to other files now.
            std::mem::forget(self.sockets.clone());
        }
    }
}

/// On platforms whose loops cannot watch a descriptor, `Completions::call_when_ready` wakes them instead.
#[cfg(not(unix))]
pub(super) struct Waker;

#[cfg(not(unix))]
impl Waker {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn fileno(&self) -> PyResult<i64> {
        Err(pyo3::exceptions::PyNotImplementedError::new_err("this platform wakes loops from a thread"))
    }

    pub(super) fn wake(&self) {}

    pub(super) fn clear(&self) {}
}
