//! One client's connection: frames in, answers out, in order.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use wire_protocol::message::{FrameHeader, FrameType, Message, info1, write_frame};
use wire_protocol::result_code;

use crate::answer::{write_code, write_end};
use crate::batch::BatchRun;
use crate::commands::answer_single;
use crate::info::{self, InfoSource};
use crate::node::Node;

/// Room that a connection reads into, and keeps.
const READ_BUFFER: usize = 64 * 1024;

/// Bytes of answers that are gathered before they are sent.
const WRITE_BUFFER: usize = 128 * 1024;

/// Largest info request.
const MAX_INFO: usize = 1024 * 1024;

/// Whether a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It does.
    Running,
    /// It accepts connections and says nothing.
    Paused,
}

/// Bytes from a client: the frames that came, and the start of the next one.
struct ReadBuffer {
    bytes: Vec<u8>,
    /// Where the first frame that was not taken begins.
    start: usize,
}

impl ReadBuffer {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(READ_BUFFER), start: 0 }
    }

    /// The length of the frame at the start, if it is there with all its bytes; an error when there can
    /// never be one.
    fn frame(&self) -> Result<Option<(FrameType, std::ops::Range<usize>)>, ()> {
        let Some(head) = self.bytes.get(self.start..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let header = FrameHeader::parse(head).map_err(drop)?;
        if header.kind == FrameType::Info && header.size > MAX_INFO {
            return Err(());
        }
        let body = self.start + FrameHeader::LEN..self.start + FrameHeader::LEN + header.size;
        Ok((body.end <= self.bytes.len()).then_some((header.kind, body)))
    }

    /// Makes room for more: memory follows the bytes that came, not those that were announced.
    fn make_room(&mut self) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
            if self.bytes.capacity() > 4 * READ_BUFFER {
                self.bytes = Vec::with_capacity(READ_BUFFER);
            }
        } else if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        if self.bytes.capacity() - self.bytes.len() < READ_BUFFER / 2 {
            self.bytes.reserve(self.bytes.len().max(READ_BUFFER));
        }
    }
}

/// Serves a connection until the client goes, or sends what is no frame.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    reached_at: SocketAddr,
    node: &Node,
    mut mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = ReadBuffer::new();
    let mut out = Vec::new();
    loop {
        let (kind, body) = match buffer.frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                // Everything that can be answered was: send it before waiting for more.
                send(&mut stream, &mut out).await?;
                buffer.make_room();
                if stream.read_buf(&mut buffer.bytes).await? == 0 {
                    return Ok(());
                }
                continue;
            }
            // What is no frame is not answered; what was asked before it is.
            Err(()) => return send(&mut stream, &mut out).await,
        };
        if mode.wait_for(|mode| *mode == Mode::Running).await.is_err() {
            return Ok(());
        }
        buffer.start = body.end;
        let body = &buffer.bytes[body];
        match kind {
            FrameType::Message => answer_message(&mut stream, node, body, &mut mode, &mut out).await?,
            FrameType::Info => {
                let source = InfoSource {
                    store: &node.store,
                    cluster: &node.cluster,
                    node: node.index,
                    reached_at,
                    started: node.started,
                    connections: node.connections(),
                };
                if info::answer(&source, body, &mut out).is_none() {
                    return send(&mut stream, &mut out).await;
                }
            }
            FrameType::Security => write_no_security(&mut out),
            FrameType::Compressed => write_code(&mut out, result_code::ENTERPRISE_ONLY),
        }
        if out.len() >= WRITE_BUFFER {
            send(&mut stream, &mut out).await?;
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, out: &mut Vec<u8>) -> io::Result<()> {
    if !out.is_empty() {
        stream.write_all(out).await?;
        out.clear();
        out.shrink_to(2 * WRITE_BUFFER);
    }
    Ok(())
}

async fn answer_message<S: AsyncWrite + Unpin>(
    stream: &mut S,
    node: &Node,
    body: &[u8],
    mode: &mut watch::Receiver<Mode>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let message = match Message::parse_only(body) {
        Ok(message) => message,
        Err(_) => {
            write_code(out, result_code::PARAMETER);
            return Ok(());
        }
    };
    if message.header.info1 & info1::BATCH == 0 {
        // A message that does not fit a frame is refused before it gets here.
        _ = write_frame(out, FrameType::Message, |out| answer_single(&node.store, &message, out));
        return Ok(());
    }
    let mut run = match BatchRun::new(&node.store, &message) {
        Ok(run) => run,
        Err(code) => {
            write_end(out, code);
            return Ok(());
        }
    };
    while run.next_frame(out) {
        send(stream, out).await?;
        // A long batch lets others have the thread, and stops where the node is told to.
        tokio::task::yield_now().await;
        if mode.wait_for(|mode| *mode == Mode::Running).await.is_err() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    Ok(())
}

/// The answer to a login: this server has no users.
fn write_no_security(out: &mut Vec<u8>) {
    const ANSWER_LEN: usize = 16;
    let mut answer = [0; ANSWER_LEN];
    answer[1] = result_code::SECURITY_NOT_SUPPORTED;
    _ = write_frame(out, FrameType::Security, |out| out.extend_from_slice(&answer));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_bytes_that_came() {
        let mut buffer = ReadBuffer::new();
        let header = FrameHeader { kind: FrameType::Message, size: 100 * 1024 * 1024 };
        buffer.bytes.extend_from_slice(&header.to_bytes());
        assert_eq!(buffer.frame(), Ok(None));
        buffer.make_room();
        assert!(buffer.bytes.capacity() <= 2 * READ_BUFFER);
        buffer.bytes.resize(1024 * 1024, 0);
        buffer.make_room();
        assert!(buffer.bytes.capacity() <= 2 * 1024 * 1024);
    }

    #[test]
    fn frames_are_taken_one_after_the_other() {
        let mut buffer = ReadBuffer::new();
        for size in [0, 5] {
            buffer.bytes.extend_from_slice(&FrameHeader { kind: FrameType::Info, size }.to_bytes());
            buffer.bytes.extend_from_slice(&[b'x'; 5][..size]);
        }
        assert_eq!(buffer.frame(), Ok(Some((FrameType::Info, 8..8))));
        buffer.start = 8;
        assert_eq!(buffer.frame(), Ok(Some((FrameType::Info, 16..21))));
        buffer.start = 21;
        buffer.make_room();
        assert_eq!(buffer.frame(), Ok(None));
        buffer.bytes.extend_from_slice(b"GET / HTTP/1.1\r\n");
        assert_eq!(buffer.frame(), Err(()));
    }

    #[test]
    fn a_large_info_request_is_none() {
        let mut buffer = ReadBuffer::new();
        let header = FrameHeader { kind: FrameType::Info, size: MAX_INFO + 1 };
        buffer.bytes.extend_from_slice(&header.to_bytes());
        assert_eq!(buffer.frame(), Err(()));
    }
}
