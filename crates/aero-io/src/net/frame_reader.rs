//! Reads frames from a connection into a buffer that is kept over many exchanges.

use std::io;
use std::ops::Range;

use wire_protocol::WireError;
use wire_protocol::compressed::inflate;
use wire_protocol::message::{FrameHeader, FrameType};

use crate::error::Fault;
use crate::net::connection::Connection;
use crate::net::input_pool::InputPool;
use crate::net::timer::Timer;

/// Minimum free space for a read into a buffer in use.
const MIN_READ: usize = 16 * 1024;

/// Bytes for the beginning of an answer, until there is memory for the rest.
const FIRST_READ: usize = 64;

/// Largest decompressed frame: twice the largest record, and more than servers put into one frame. A compressed
/// frame can announce a thousand times its own size.
const MAX_INFLATED: usize = 16 * 1024 * 1024;

/// Received bytes that were not used yet. The buffer is kept over many exchanges and frames. It grows with the
/// bytes that arrive, never with the size that a frame announces.
#[derive(Default)]
pub(crate) struct FrameReader {
    /// All bytes are initialized; those in `start..end` were received.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    initial: usize,
    /// The last frame, if it was compressed.
    inflated: Vec<u8>,
    is_inflated: bool,
    /// Whether compressed frames are accepted.
    may_inflate: bool,
    /// Where the memory comes from, once there is something to read. None: it is the reader's own.
    pool: Option<InputPool>,
}

impl FrameReader {
    /// An empty buffer that gets a capacity of `initial` bytes when it is first used.
    pub(crate) fn new(initial: usize) -> Self {
        Self { initial, ..Self::default() }
    }

    /// Like [`FrameReader::new`], but without memory until an answer begins: of many requests in flight, few are
    /// answered at once.
    pub(crate) fn of_pool(initial: usize, pool: InputPool) -> Self {
        Self { initial, pool: Some(pool), ..Self::default() }
    }

    /// Returns the memory to the pool that it is of.
    pub(crate) fn give_back(&mut self) {
        if let Some(pool) = &self.pool {
            pool.keep(std::mem::take(&mut self.buffer));
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
        self.may_inflate = false;
    }

    /// Accepts compressed messages, too, until the next [`FrameReader::clear`].
    pub(crate) fn allow_compressed(&mut self) {
        self.may_inflate = true;
    }

    /// Whether all received bytes were used.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Allocated bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity() + self.inflated.capacity()
    }

    /// The body of the frame that [`FrameReader::frame`] returned last.
    pub(crate) fn body(&self, range: Range<usize>) -> &[u8] {
        let buffer = if self.is_inflated { &self.inflated } else { &self.buffer };
        buffer.get(range).unwrap_or(&[])
    }

    /// Reads a whole frame of type `expected`, with a body of at most `limit` bytes. Returns the body's place.
    pub(crate) async fn frame(
        &mut self,
        connection: &mut Connection,
        timer: &mut Timer,
        expected: FrameType,
        limit: usize,
    ) -> Result<Range<usize>, Fault> {
        if self.buffer.is_empty()
            && let Some(pool) = &self.pool
        {
            let mut first = [0; FIRST_READ];
            let n = connection.read(&mut first, timer).await?;
            if n == 0 {
                return Err(self.closed());
            }
            self.buffer = pool.take();
            if self.buffer.len() < FIRST_READ {
                self.buffer.resize(self.initial.max(FIRST_READ), 0);
            }
            self.buffer.iter_mut().zip(first).take(n).for_each(|(place, byte)| *place = byte);
            self.end = n;
        }
        loop {
            let need = match self.peek(expected, limit)? {
                Peeked::Body(body) => return Ok(body),
                Peeked::Need(bytes) => bytes,
            };
            self.make_room(need);
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            let n = connection.read(room, timer).await?;
            if n == 0 {
                return Err(self.closed());
            }
            self.end += n;
        }
    }

    #[cold]
    fn closed(&self) -> Fault {
        let text = if self.is_empty() {
            "the peer closed the connection before answering"
        } else {
            "the peer closed the connection in the middle of an answer"
        };
        Fault::io(io::ErrorKind::UnexpectedEof, text)
    }

    /// Takes a frame out of the buffer if it is complete.
    fn peek(&mut self, expected: FrameType, limit: usize) -> Result<Peeked, WireError> {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        // The first byte identifies a peer with another protocol, which may never send eight.
        if let Some(&found) = bytes.first().filter(|&&version| version != 2) {
            return Err(WireError::Version { found });
        }
        let Some(header) = bytes.first_chunk() else { return Ok(Peeked::Need(FrameHeader::LEN)) };
        let FrameHeader { kind, size } = FrameHeader::parse(header)?;
        let is_compressed =
            kind == FrameType::Compressed && expected == FrameType::Message && self.may_inflate;
        if kind != expected && !is_compressed {
            return Err(WireError::FrameType { found: header[1] });
        }
        if size > limit {
            return Err(WireError::FrameTooLarge { size: size as u64, limit: limit as u64 });
        }
        let whole = FrameHeader::LEN + size;
        if bytes.len() < whole {
            return Ok(Peeked::Need(whole));
        }
        let body = self.start + FrameHeader::LEN..self.start + whole;
        self.start = body.end;
        self.is_inflated = is_compressed;
        if is_compressed {
            let deflated = self.buffer.get(body).unwrap_or_default();
            inflate(deflated, limit.min(MAX_INFLATED), &mut self.inflated)?;
            return Ok(Peeked::Body(FrameHeader::LEN..self.inflated.len()));
        }
        Ok(Peeked::Body(body))
    }

    /// Makes room for a frame of `need` bytes.
    fn make_room(&mut self, need: usize) {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
        let len = self.buffer.len();
        let fits = self.start + need <= len;
        if self.start > 0 && (!fits || len - self.end < MIN_READ) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == len {
            // At most twice what has arrived, so that announcing a size costs no memory.
            let grown = need.min(len * 2).max(len + 1).max(self.initial);
            self.buffer.resize(grown, 0);
        }
    }
}

/// What the buffer holds of a frame.
enum Peeked {
    /// All of it: the place of its body.
    Body(Range<usize>),
    /// A part; the whole frame has this many bytes.
    Need(usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncWriteExt as _, duplex};
    use wire_protocol::compressed::write_compressed;
    use wire_protocol::message::{MAX_FRAME, write_frame};

    fn message(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_frame(&mut out, FrameType::Message, |out| out.extend_from_slice(body)).unwrap();
        out
    }

    async fn next(input: &mut FrameReader, connection: &mut Connection) -> Result<Vec<u8>, Fault> {
        let mut timer = Timer::within(Duration::from_secs(1));
        let body = input.frame(connection, &mut timer, FrameType::Message, MAX_FRAME).await?;
        Ok(input.body(body).to_vec())
    }

    #[tokio::test(start_paused = true)]
    async fn frames_are_complete_however_they_are_split() {
        for cut in [1, 3, 8, 700, 100_000] {
            let (ours, mut theirs) = duplex(1 << 16);
            let bodies: Vec<Vec<u8>> = [0, 5, 1_000, 70_000, 1, 300_000]
                .iter()
                .map(|&size| (0..size).map(|i| (i * 7 + size) as u8).collect())
                .collect();
            let bytes = bodies.iter().flat_map(|body| message(body)).collect::<Vec<_>>();
            tokio::spawn(async move {
                for part in bytes.chunks(cut) {
                    theirs.write_all(part).await.unwrap();
                }
            });
            let mut connection = Connection::new(Box::new(ours));
            let mut input = FrameReader::new(1_024);
            for body in &bodies {
                assert!(next(&mut input, &mut connection).await.unwrap() == *body);
            }
            assert!(input.is_empty());
            assert!(matches!(next(&mut input, &mut connection).await, Err(fault) if fault.is_stale()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_taken_when_an_answer_begins() {
        let pool = InputPool::default();
        let read = async |bodies: &[Vec<u8>], cut: usize| {
            let (ours, mut theirs) = duplex(1 << 20);
            let mut connection = Connection::new(Box::new(ours));
            let mut input = FrameReader::of_pool(1_024, pool.clone());
            let mut timer = Timer::within(Duration::from_secs(1));
            let waiting = input.frame(&mut connection, &mut timer, FrameType::Message, MAX_FRAME).await;
            assert!(matches!(waiting, Err(Fault::Deadline)) && input.capacity() == 0);
            let bytes = bodies.iter().flat_map(|body| message(body)).collect::<Vec<_>>();
            tokio::spawn(async move {
                for part in bytes.chunks(cut) {
                    theirs.write_all(part).await.unwrap();
                }
            });
            for body in bodies {
                assert!(next(&mut input, &mut connection).await.unwrap() == *body);
            }
            let closed = next(&mut input, &mut connection).await.unwrap_err();
            assert!(closed.is_stale() && input.is_empty());
            input.give_back();
            assert_eq!(input.capacity(), 0);
        };
        let bodies: Vec<Vec<u8>> = [5, 0, 70, 3_000, 1].iter().map(|&size| vec![size as u8; size]).collect();
        for cut in [1, 8, 63, 64, 65, 100_000] {
            read(&bodies, cut).await;
            assert_eq!(pool.len(), 1, "the memory is used again");
        }
        read(&[], 1).await;
        assert_eq!(pool.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_announced_size_costs_no_memory() {
        let (ours, mut theirs) = duplex(1 << 16);
        let mut header = message(&[]);
        header[2..].copy_from_slice(&(100u64 << 20).to_be_bytes()[2..]);
        theirs.write_all(&header).await.unwrap();
        theirs.write_all(&[7; 5_000]).await.unwrap();
        let mut connection = Connection::new(Box::new(ours));
        let mut input = FrameReader::new(1_024);
        assert!(matches!(next(&mut input, &mut connection).await, Err(Fault::Deadline)));
        assert!(input.capacity() <= 16 * 1_024, "{}", input.capacity());
    }

    #[tokio::test(start_paused = true)]
    async fn another_protocol_is_detected_by_its_first_byte() {
        let (ours, mut theirs) = duplex(64);
        theirs.write_all(b"H").await.unwrap();
        let mut connection = Connection::new(Box::new(ours));
        let fault = next(&mut FrameReader::new(64), &mut connection).await.unwrap_err();
        assert!(matches!(fault, Fault::Wire(WireError::Version { found: b'H' })));
    }

    #[tokio::test(start_paused = true)]
    async fn compressed_frames_are_accepted_only_on_request() {
        let (ours, mut theirs) = duplex(1 << 16);
        let mut connection = Connection::new(Box::new(ours));
        let mut input = FrameReader::new(1_024);
        let mut compressed = Vec::new();
        write_compressed(&mut compressed, &message(&[5; 3_000])).unwrap();
        let plain = message(b"plain");
        for bytes in [&compressed, &plain, &compressed, &compressed] {
            theirs.write_all(bytes).await.unwrap();
        }
        input.allow_compressed();
        assert_eq!(next(&mut input, &mut connection).await.unwrap(), [5; 3_000]);
        assert_eq!(next(&mut input, &mut connection).await.unwrap(), b"plain");
        assert_eq!(next(&mut input, &mut connection).await.unwrap(), [5; 3_000]);
        input.may_inflate = false;
        let fault = next(&mut input, &mut connection).await.unwrap_err();
        assert!(matches!(fault, Fault::Wire(WireError::FrameType { found: 4 })), "{fault:?}");
    }
}
