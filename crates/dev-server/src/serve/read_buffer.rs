//! The bytes that a client has sent, cut into frames.

use std::ops::Range;

use wire_protocol::message::{FrameHeader, FrameType};

/// Initial capacity, which an idle connection keeps.
const READ_BUFFER: usize = 64 * 1024;

/// Size of the largest info request.
const MAX_INFO: usize = 1024 * 1024;

/// The bytes that have come from a client and are not consumed yet: whole frames, then the start of the next.
pub(super) struct ReadBuffer {
    pub(super) bytes: Vec<u8>,
    /// Where the first frame begins that is not consumed.
    start: usize,
}

/// The bytes are not a frame, or announce a larger one than the server accepts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidFrame;

impl ReadBuffer {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(READ_BUFFER), start: 0 }
    }

    /// The next frame, its type and the range of its body in `bytes`. `None` if it is not complete yet.
    pub(super) fn frame(&self) -> Result<Option<(FrameType, Range<usize>)>, InvalidFrame> {
        let Some(head) = self.bytes.get(self.start..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let header = FrameHeader::parse(head).map_err(|_| InvalidFrame)?;
        if header.kind == FrameType::Info && header.size > MAX_INFO {
            return Err(InvalidFrame);
        }
        let body = self.start + FrameHeader::LEN..self.start + FrameHeader::LEN + header.size;
        Ok((body.end <= self.bytes.len()).then_some((header.kind, body)))
    }

    /// Consumes the frame that ends here.
    pub(super) fn consume(&mut self, end: usize) {
        self.start = end;
    }

    /// Drops consumed frames and makes room for more bytes. Memory grows with the bytes that have come, not
    /// with the sizes that frames announce.
    pub(super) fn make_room(&mut self) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_the_bytes_that_came() {
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
    fn frames_are_consumed_one_after_the_other() {
        let mut buffer = ReadBuffer::new();
        for size in [0, 5] {
            buffer.bytes.extend_from_slice(&FrameHeader { kind: FrameType::Info, size }.to_bytes());
            buffer.bytes.extend_from_slice(&[b'x'; 5][..size]);
        }
        assert_eq!(buffer.frame(), Ok(Some((FrameType::Info, 8..8))));
        buffer.consume(8);
        assert_eq!(buffer.frame(), Ok(Some((FrameType::Info, 16..21))));
        buffer.consume(21);
        buffer.make_room();
        assert_eq!(buffer.frame(), Ok(None));
        buffer.bytes.extend_from_slice(b"GET / HTTP/1.1\r\n");
        assert_eq!(buffer.frame(), Err(InvalidFrame));
    }

    #[test]
    fn info_requests_have_a_largest_size() {
        let mut buffer = ReadBuffer::new();
        let header = FrameHeader { kind: FrameType::Info, size: MAX_INFO + 1 };
        buffer.bytes.extend_from_slice(&header.to_bytes());
        assert_eq!(buffer.frame(), Err(InvalidFrame));
    }
}
