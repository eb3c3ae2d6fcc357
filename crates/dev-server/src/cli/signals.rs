//! The signals that stop the program.

use crate::error::DevServerError;

/// SIGINT and SIGTERM. Their handlers write a byte into a socket pair.
#[cfg(unix)]
pub(super) struct StopSignals(tokio::net::UnixStream);

#[cfg(unix)]
impl StopSignals {
    /// Installs the handlers.
    pub(super) fn new() -> Result<Self, DevServerError> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::low_level::pipe;
        use std::os::unix::net::UnixStream;
        let listen = || {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            pipe::register(SIGINT, writer.try_clone()?)?;
            pipe::register(SIGTERM, writer)?;
            tokio::net::UnixStream::from_std(reader)
        };
        listen().map(Self).map_err(|error: std::io::Error| {
            DevServerError::config(format!("cannot handle signals: {error}"))
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        use tokio::io::AsyncReadExt as _;
        // An error is impossible, and would end the server, as a signal does.
        _ = self.0.read(&mut [0; 16]).await;
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    pub(super) fn new() -> Result<Self, DevServerError> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
