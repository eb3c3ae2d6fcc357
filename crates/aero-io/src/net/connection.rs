//! A connection to a node.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::ReadBuf;
use tokio::runtime::Id;

use crate::error::Fault;
use crate::net::channel::Channel;
use crate::net::session::Session;
use crate::net::timer::Timer;
use crate::net::transport::BoxStream;

pub(crate) struct Connection {
    channel: Channel,
    /// The session that authenticated the connection.
    pub(crate) session: Option<Arc<Session>>,
    _counted: Option<Counted>,
}

/// Connections opened and closed so far.
#[derive(Default)]
pub(crate) struct ConnectionCounts {
    pub(crate) opened: AtomicU64,
    pub(crate) closed: AtomicU64,
}

/// Counts a connection as closed when it is dropped.
struct Counted(Arc<ConnectionCounts>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Connection {
    pub(crate) fn new(stream: BoxStream) -> Self {
        Self { channel: Channel::new(stream), session: None, _counted: None }
    }

    pub(crate) fn of_session(self, session: Arc<Session>) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Counts the connection as opened now, and as closed when it is dropped.
    pub(crate) fn counted(self, counts: &Arc<ConnectionCounts>) -> Self {
        counts.opened.fetch_add(1, Ordering::Relaxed);
        Self { _counted: Some(Counted(Arc::clone(counts))), ..self }
    }

    /// Whether the peer has neither closed the connection nor sent anything unasked.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.channel.is_quiet()
    }

    /// Whether the connection can be used in `runtime` without moving it.
    pub(crate) fn belongs_to(&self, runtime: Option<Id>) -> bool {
        self.channel.belongs_to(runtime)
    }

    /// Moves the connection to the caller's runtime.
    pub(crate) fn moved_here(self) -> io::Result<Self> {
        Ok(Self { channel: self.channel.moved_here()?, ..self })
    }

    /// Sends all of `bytes`. An error says whether any of them were sent.
    pub(crate) async fn send(&mut self, bytes: &[u8], timer: &mut Timer) -> Result<(), (Fault, bool)> {
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            let channel = &mut self.channel;
            match timer.steps(|cx| channel.poll_write(cx, rest)).await {
                Ok(Ok(0)) => {
                    let fault = Fault::io(io::ErrorKind::WriteZero, "the connection accepts no more bytes");
                    return Err((fault, sent > 0));
                }
                Ok(Ok(n)) => sent += n,
                Ok(Err(error)) => return Err((error.into(), sent > 0)),
                Err(fault) => return Err((fault, sent > 0)),
            }
        }
        if !self.channel.is_buffered() {
            return Ok(());
        }
        let channel = &mut self.channel;
        match timer.steps(|cx| channel.poll_flush(cx)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err((error.into(), true)),
            Err(fault) => Err((fault, true)),
        }
    }

    pub(crate) async fn read(&mut self, into: &mut [u8], timer: &mut Timer) -> Result<usize, Fault> {
        let mut buffer = ReadBuf::new(into);
        let channel = &mut self.channel;
        timer.steps(|cx| channel.poll_read(cx, &mut buffer)).await??;
        Ok(buffer.filled().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncWriteExt as _, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_quiet_connection_is_neither_closed_nor_readable() {
        let (ours, mut theirs) = duplex(64);
        let mut connection = Connection::new(Box::new(ours));
        assert!(connection.is_quiet());
        theirs.write_all(b"x").await.unwrap();
        assert!(!connection.is_quiet());
        let (ours, theirs) = duplex(64);
        let mut connection = Connection::new(Box::new(ours));
        drop(theirs);
        assert!(!connection.is_quiet());
    }
}
