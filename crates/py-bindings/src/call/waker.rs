//! Wakes an event loop without the GIL.

use pyo3::prelude::*;

/// Wakes an event loop through a socket pair, one end of which the loop watches.
#[cfg(unix)]
pub(super) struct Waker {
    reader: std::os::unix::net::UnixStream,
    writer: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl Waker {
    pub(super) fn new() -> std::io::Result<Self> {
        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Self { reader, writer })
    }

    pub(super) fn fileno(&self) -> PyResult<i64> {
        use std::os::fd::AsRawFd;
        Ok(self.reader.as_raw_fd().into())
    }

    pub(super) fn wake(&self) {
        use std::io::Write;
        // A full buffer means that wake-ups are waiting already.
        let _ = (&self.writer).write(&[1]);
    }

    pub(super) fn clear(&self) {
        use std::io::Read;
        let mut buffer = [0; 64];
        while matches!((&self.reader).read(&mut buffer), Ok(n) if n == buffer.len()) {}
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
