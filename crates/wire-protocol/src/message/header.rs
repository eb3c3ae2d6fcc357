//! The fixed part of a message.

use crate::error::WireError;
use crate::result_code::ResultCode;

/// The fixed part of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageHeader {
    /// Bits of [`info1`](super::info1).
    pub info1: u8,
    /// Bits of [`info2`](super::info2).
    pub info2: u8,
    /// Bits of [`info3`](super::info3).
    pub info3: u8,
    /// Bits of the fourth info byte (transactions).
    pub info4: u8,
    /// An answer's result code.
    pub result_code: ResultCode,
    /// The record's generation.
    pub generation: u32,
    /// Request: time to live in seconds. Answer: when the record expires, in seconds since 2010-01-01 UTC, 0 for never.
    pub ttl: u32,
    /// Request: timeout in milliseconds. Batch answer: the row's index. Otherwise 0.
    pub extra: u32,
    /// Number of fields that follow.
    pub n_fields: u16,
    /// Number of operations that follow the fields.
    pub n_ops: u16,
}

impl MessageHeader {
    /// Bytes of a message header, its own size byte included.
    pub const LEN: usize = 22;

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let bytes: &[u8; Self::LEN] =
            bytes.first_chunk().ok_or(WireError::Truncated { what: "a message header" })?;
        let [size, info1, info2, info3, info4, result_code, g0, g1, g2, g3, t0, t1, t2, t3, rest @ ..] =
            *bytes;
        let [e0, e1, e2, e3, f0, f1, o0, o1] = rest;
        if usize::from(size) != Self::LEN {
            return Err(WireError::malformed("message header", "its size is not 22"));
        }
        Ok(Self {
            info1,
            info2,
            info3,
            info4,
            result_code: ResultCode::new(result_code),
            generation: u32::from_be_bytes([g0, g1, g2, g3]),
            ttl: u32::from_be_bytes([t0, t1, t2, t3]),
            extra: u32::from_be_bytes([e0, e1, e2, e3]),
            n_fields: u16::from_be_bytes([f0, f1]),
            n_ops: u16::from_be_bytes([o0, o1]),
        })
    }

    /// Appends the header's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let head = [Self::LEN as u8, self.info1, self.info2, self.info3, self.info4, self.result_code.get()];
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend_from_slice(&self.ttl.to_be_bytes());
        out.extend_from_slice(&self.extra.to_be_bytes());
        out.extend_from_slice(&self.n_fields.to_be_bytes());
        out.extend_from_slice(&self.n_ops.to_be_bytes());
    }
}
