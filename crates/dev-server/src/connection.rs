//! One client's connection: frames in, answers out, in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use wire_protocol::ResultCode;
use wire_protocol::message::{FrameHeader, FrameType, Message, info1, write_frame};

use crate::User;
use crate::answer::{Answer, write_code, write_end};
use crate::batch::{BatchRun, rows_of};
use crate::commands::answer_single;
use crate::faults::{CommandKind, Fault};
use crate::info::{self, InfoSource};
use crate::node::Node;
use crate::packing;
use crate::query::{QueryRun, is_query};
use crate::security::{self, Ended};

/// Room that a connection reads into, and keeps.
const READ_BUFFER: usize = 64 * 1024;

/// Bytes of answers that are gathered before they are sent.
const WRITE_BUFFER: usize = 128 * 1024;

/// Largest info request.
const MAX_INFO: usize = 1024 * 1024;

/// What a faulty frame announces.
const HUGE: usize = 100 * 1024 * 1024;

/// What is no frame.
const GARBAGE: [u8; 64] = [0xa5; 64];

/// Bytes of an answer that half of is sent: half of a longer one is too much to keep.
const MOST_TO_HALVE: usize = 1024 * 1024;

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

/// Who uses a connection.
#[derive(Clone, Debug)]
enum Guest {
    /// Nobody has to say.
    Anybody,
    /// Somebody who has not said it yet.
    Unknown,
    User(Arc<User>),
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
    let mut guest = if node.users.is_secure() { Guest::Unknown } else { Guest::Anybody };
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
        buffer.start = body.end;
        let (kind, body) = packing::unpack(node, kind, &buffer.bytes, body);
        let body = &*body;
        let packs = packing::is_wanted(node, kind, body);
        let command = CommandKind::of(kind, body);
        if let Some(command) = command {
            // A node that hangs has been asked all the same.
            node.counting.command(command);
            if command == CommandKind::Batch {
                node.counting.rows(rows_of(body));
            }
        }
        if mode.wait_for(|mode| *mode == Mode::Running).await.is_err() {
            return Ok(());
        }
        let fault = command.and_then(|command| node.faults.take(command));
        if let Some(fault) = fault {
            node.counting.fault();
            // What was asked before is answered.
            send(&mut stream, &mut out).await?;
            match fault {
                Fault::Close => return Ok(()),
                Fault::Silent => continue,
                Fault::Late(time) => {
                    tokio::time::sleep(time).await;
                    if mode.wait_for(|mode| *mode == Mode::Running).await.is_err() {
                        return Ok(());
                    }
                }
                Fault::Garbage => {
                    stream.write_all(&GARBAGE).await?;
                    stream.flush().await?;
                    stream.flush().await?;
                    continue;
                }
                Fault::HugeFrame => {
                    stream.write_all(&FrameHeader { kind, size: HUGE }.to_bytes()).await?;
                    stream.write_all(&[0; 16]).await?;
                    stream.flush().await?;
                    stream.flush().await?;
                    return ignore(&mut stream).await;
                }
                Fault::CloseMidFrame => {
                    let mut rest = answer(node, reached_at, kind, body, None, &mut guest, &mut out);
                    while let Answering::Frames(run) = &mut rest
                        && out.len() < MOST_TO_HALVE
                        && run.next_frame(&mut out)
                    {
                        sleep_if(run.pause()).await;
                    }
                    out.truncate(half(&out));
                    return send(&mut stream, &mut out).await;
                }
                // These are about what the answer says.
                Fault::WrongRowIndex | Fault::RowTwice | Fault::Code(_) | Fault::RowCode(_) => {}
            }
        }
        let start = out.len();
        match answer(node, reached_at, kind, body, fault, &mut guest, &mut out) {
            Answering::Done if packs => packing::pack(&mut out, start),
            Answering::Done => {}
            Answering::Frames(run) => send_frames(&mut stream, run, &mut mode, &mut out, packs).await?,
            Answering::Refused => return send(&mut stream, &mut out).await,
        }
        if out.len() >= WRITE_BUFFER {
            send(&mut stream, &mut out).await?;
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, out: &mut Vec<u8>) -> io::Result<()> {
    if !out.is_empty() {
        stream.write_all(out).await?;
        // TLS may hold back the end of it.
        stream.flush().await?;
        out.clear();
        out.shrink_to(2 * WRITE_BUFFER);
    }
    Ok(())
}

/// Reads until the client goes, and says nothing.
async fn ignore<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}

/// How an answer goes on.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack, for one frame")]
enum Answering<'a> {
    /// It has been given.
    Done,
    /// In frames that are to come.
    Frames(Run<'a>),
    /// There is none, and the connection is closed.
    Refused,
}

/// An answer of several frames.
enum Run<'a> {
    Batch(BatchRun<'a>),
    Query(QueryRun<'a>),
}

impl Run<'_> {
    /// Appends a frame, if there is one yet; `false` when the answer has ended.
    fn next_frame(&mut self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Batch(run) => run.next_frame(out),
            Self::Query(run) => run.next_frame(out),
        }
    }

    /// How long to wait before the next frame.
    fn pause(&self) -> Option<Duration> {
        match self {
            Self::Batch(_) => None,
            Self::Query(run) => run.pause(),
        }
    }

    /// How long the client may take nothing of it.
    fn patience(&self) -> Option<Duration> {
        match self {
            Self::Batch(_) => None,
            Self::Query(run) => run.patience(),
        }
    }
}

async fn sleep_if(pause: Option<Duration>) {
    if let Some(pause) = pause {
        tokio::time::sleep(pause).await;
    }
}

/// Answers a frame, or begins to.
fn answer<'a>(
    node: &'a Node,
    reached_at: SocketAddr,
    kind: FrameType,
    body: &'a [u8],
    fault: Option<Fault>,
    guest: &mut Guest,
    out: &mut Vec<u8>,
) -> Answering<'a> {
    match (kind, &mut *guest) {
        (FrameType::Security, Guest::Anybody) => write_no_security(out),
        (FrameType::Security, _) => {
            let now = node.store.clock.now();
            let ended = security::answer(&node.users, &node.sessions, now, body, out);
            node.counting.security(&ended);
            *guest = match ended {
                Ended::LoggedIn(user) | Ended::Authenticated(user) => Guest::User(user),
                Ended::Refused => Guest::Unknown,
            };
        }
        (_, Guest::Unknown) => refuse_unknown(kind, body, out),
        (FrameType::Message, Guest::Anybody) => return answer_message(node, body, None, fault, out),
        (FrameType::Message, Guest::User(user)) => {
            return answer_message(node, body, Some(Arc::clone(user)), fault, out);
        }
        (FrameType::Info, guest) => {
            let user = match guest {
                Guest::User(user) => Some(&**user),
                _ => None,
            };
            if info::answer(&InfoSource::new(node, reached_at, user), body, out).is_none() {
                return Answering::Refused;
            }
        }
        (FrameType::Compressed, _) => write_code(out, ResultCode::ENTERPRISE_ONLY),
    }
    Answering::Done
}

fn answer_message<'a>(
    node: &'a Node,
    body: &'a [u8],
    user: Option<Arc<User>>,
    fault: Option<Fault>,
    out: &mut Vec<u8>,
) -> Answering<'a> {
    let Ok(message) = Message::parse_only(body) else {
        write_code(out, ResultCode::PARAMETER);
        return Answering::Done;
    };
    if message.header.info1 & info1::BATCH != 0 {
        return match BatchRun::new(node, &message, user, fault) {
            Ok(run) => Answering::Frames(Run::Batch(run)),
            Err(code) => {
                write_end(out, code);
                Answering::Done
            }
        };
    }
    if is_query(&message) {
        return match QueryRun::new(node, &message, user.as_deref(), fault) {
            Ok(run) => Answering::Frames(Run::Query(run)),
            Err(code) => {
                write_code(out, code);
                Answering::Done
            }
        };
    }
    // A message that does not fit a frame is refused before it gets here.
    _ = write_frame(out, FrameType::Message, |out| match fault {
        Some(Fault::Code(result_code) | Fault::RowCode(result_code)) => {
            Answer { result_code, ..Answer::default() }.write(out);
        }
        _ => answer_single(node, &message, user.as_deref(), out),
    });
    Answering::Done
}

/// The answer to whoever has not said who it is: to all info commands of a request one line, as the server
/// has it.
fn refuse_unknown(kind: FrameType, body: &[u8], out: &mut Vec<u8>) {
    const CODE: ResultCode = ResultCode::NOT_AUTHENTICATED;
    if kind == FrameType::Info {
        // So short a frame is never too large.
        _ = write_frame(out, FrameType::Info, |out| out.extend_from_slice(b"ERROR:80:not authenticated\n"));
    } else if CommandKind::of(kind, body) == Some(CommandKind::Batch) {
        write_end(out, CODE);
    } else {
        write_code(out, CODE);
    }
}

async fn send_frames<S: AsyncWrite + Unpin>(
    stream: &mut S,
    mut run: Run<'_>,
    mode: &mut watch::Receiver<Mode>,
    out: &mut Vec<u8>,
    packs: bool,
) -> io::Result<()> {
    loop {
        let start = out.len();
        let goes_on = run.next_frame(out);
        if packs {
            packing::pack(out, start);
        }
        if !goes_on {
            return Ok(());
        }
        match run.patience() {
            None => send(stream, out).await?,
            // A client that takes nothing for too long is given up, as the server does.
            Some(patience) => tokio::time::timeout(patience, send(stream, out))
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??,
        }
        sleep_if(run.pause()).await;
        // A long answer lets others have the thread, and stops where the node is told to.
        tokio::task::yield_now().await;
        if mode.wait_for(|mode| *mode == Mode::Running).await.is_err() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
}

/// About half of these frames, and never whole ones only.
fn half(frames: &[u8]) -> usize {
    let half = frames.len() / 2;
    let mut end = 0;
    while let Some(head) = frames.get(end..).and_then(<[u8]>::first_chunk)
        && let Ok(header) = FrameHeader::parse(head)
        && end < half
    {
        end += FrameHeader::LEN + header.size;
    }
    if end == half { half.saturating_sub(1) } else { half }
}

/// The answer to a login: this server has no users.
fn write_no_security(out: &mut Vec<u8>) {
    const ANSWER_LEN: usize = 16;
    let mut answer = [0; ANSWER_LEN];
    answer[1] = ResultCode::SECURITY_NOT_SUPPORTED.get();
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
    fn half_of_an_answer_ends_within_a_frame() {
        let frames = |sizes: &[usize]| {
            let framed = |&size: &usize| {
                let mut frame = FrameHeader { kind: FrameType::Info, size }.to_bytes().to_vec();
                frame.resize(FrameHeader::LEN + size, b'x');
                frame
            };
            sizes.iter().flat_map(framed).collect::<Vec<_>>()
        };
        assert_eq!(half(&frames(&[22])), 15);
        assert_eq!(half(&frames(&[22, 22])), 29);
        assert_eq!(half(&frames(&[22, 24])), 31);
        assert_eq!(half(&[]), 0);
    }

    #[test]
    fn a_large_info_request_is_none() {
        let mut buffer = ReadBuffer::new();
        let header = FrameHeader { kind: FrameType::Info, size: MAX_INFO + 1 };
        buffer.bytes.extend_from_slice(&header.to_bytes());
        assert_eq!(buffer.frame(), Err(()));
    }
}
