//! Headers of answers.

use wire_protocol::ResultCode;
use wire_protocol::message::{FrameType, MAX_FRAME, MessageHeader, info3, write_frame};

/// The header of an answer to a command on one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnswerHeader {
    pub(crate) result_code: ResultCode,
    pub(crate) generation: u16,
    pub(crate) void_time: u32,
    /// The index of the row in a batch; 0 otherwise.
    pub(crate) index: u32,
    pub(crate) n_ops: u16,
}

impl AnswerHeader {
    fn to_bytes(self) -> [u8; MessageHeader::LEN] {
        let [g0, g1] = self.generation.to_be_bytes();
        let [v0, v1, v2, v3] = self.void_time.to_be_bytes();
        let [i0, i1, i2, i3] = self.index.to_be_bytes();
        let [o0, o1] = self.n_ops.to_be_bytes();
        let size = MessageHeader::LEN as u8;
        [size, 0, 0, 0, 0, self.result_code.get(), 0, 0, g0, g1, v0, v1, v2, v3, i0, i1, i2, i3, 0, 0, o0, o1]
    }

    #[inline]
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    /// Writes the header at `start`, where [`reserve`] left room for it.
    pub(crate) fn write_at(self, out: &mut [u8], start: usize) {
        if let Some(room) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *room = self.to_bytes();
        }
    }
}

/// Leaves room for a header whose values are not known yet. Returns its position.
pub(crate) fn reserve(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; MessageHeader::LEN]);
    start
}

/// Appends a frame with one message: a header with this code.
pub(crate) fn write_code(out: &mut Vec<u8>, result_code: ResultCode) {
    write_empty(out, result_code, 0);
}

/// Appends the frame that ends the answer to a batch or query.
pub(crate) fn write_end(out: &mut Vec<u8>, result_code: ResultCode) {
    write_empty(out, result_code, info3::LAST);
}

fn write_empty(out: &mut Vec<u8>, result_code: ResultCode, info3: u8) {
    const { assert!(MessageHeader::LEN < MAX_FRAME) };
    // A frame with a single header always fits.
    _ = write_frame(out, FrameType::Message, |out| {
        MessageHeader { result_code, info3, ..MessageHeader::default() }.write(out);
    });
}
