//! The sending side of a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use crate::command::dispatch::FrameSource;
use crate::serve::compression;
use crate::serve::mode::{Mode, until_running};

/// Answers are collected up to this many bytes before they are sent.
const WRITE_BUFFER: usize = 128 * 1024;

/// A connection's stream, with the answers that are written and not yet sent.
pub(super) struct ClientStream<S> {
    socket: S,
    pub(super) output: Vec<u8>,
    mode: watch::Receiver<Mode>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ClientStream<S> {
    pub(super) fn new(socket: S, mode: watch::Receiver<Mode>) -> Self {
        Self { socket, output: Vec::new(), mode }
    }

    /// Appends what the client sends to a buffer. Returns `false` at the end of the stream.
    pub(super) async fn read_into(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        Ok(self.socket.read_buf(bytes).await? > 0)
    }

    /// Sends the output.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            self.socket.write_all(&self.output).await?;
            // TLS may hold back the last bytes.
            self.socket.flush().await?;
            self.output.clear();
            self.output.shrink_to(2 * WRITE_BUFFER);
        }
        Ok(())
    }

    /// Sends the output if there is much of it.
    pub(super) async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.output.len() >= WRITE_BUFFER { self.flush().await } else { Ok(()) }
    }

    /// Waits until the node runs. Returns `false` if it has stopped.
    pub(super) async fn until_running(&mut self) -> bool {
        until_running(&mut self.mode).await
    }

    /// Sends the frames of a long answer, each before the next is made. Leaves the last one in the output.
    pub(super) async fn send_frames(
        &mut self,
        mut frames: FrameSource<'_>,
        compress: bool,
    ) -> io::Result<()> {
        loop {
            let start = self.output.len();
            let has_more = frames.next_frame(&mut self.output);
            if compress {
                compression::compress_frames(&mut self.output, start);
            }
            if !has_more {
                return Ok(());
            }
            match frames.write_timeout() {
                None => self.flush().await?,
                // Like the server, drop a client that reads nothing for this long.
                Some(timeout) => tokio::time::timeout(timeout, self.flush())
                    .await
                    .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??,
            }
            sleep(frames.delay()).await;
            // Let other connections run, and stop in the middle if the node pauses or stops.
            tokio::task::yield_now().await;
            if !self.until_running().await {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    }

    /// Reads and ignores everything until the client closes the connection.
    pub(super) async fn ignore(&mut self) -> io::Result<()> {
        let mut bytes = [0; 4096];
        while self.socket.read(&mut bytes).await? > 0 {}
        Ok(())
    }
}

pub(super) async fn sleep(delay: Option<Duration>) {
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
}
