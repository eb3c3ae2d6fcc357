//! Operations on one record: reads and writes of bins, applied in order and atomically.

use crate::error::WireError;
use crate::message::{MessageHeader, info1, info2};

use super::write::write_ops;
use super::{RecordKey, WriteOp, WriteOptions};

/// What a list of operations does, and the options that apply if it reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperateReads {
    /// Whether any operation reads a bin.
    pub reads: bool,
    /// Whether any operation writes. If none does, the [`WriteOptions`] for writes are not sent.
    pub writes: bool,
    /// Whether the server answers each operation, also those without a result.
    pub responds_to_all: bool,
    /// Additional [`info1`] bits if any operation reads.
    pub info1: u8,
    /// Additional [`info3`](crate::message::info3) bits if no operation writes.
    pub info3: u8,
    /// If no operation writes: reset the time to live when less than this percentage is left; 0 for the server's
    /// default.
    pub read_touch_ttl_percent: u32,
}

/// Appends reads and writes of one record's bins, which the server applies in order and atomically.
///
/// # Errors
/// As [`write_write`](super::write_write).
pub fn write_operate<'o>(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    ops: impl ExactSizeIterator<Item = WriteOp<'o>>,
    options: &WriteOptions<'_>,
    reads: &OperateReads,
) -> Result<(), WireError> {
    let info1 = if reads.reads { info1::READ | reads.info1 } else { 0 };
    let mut header = MessageHeader { info1, ..options.header(key) };
    if !reads.writes {
        // Without what applies to writes only.
        let (info2, info3, ttl) = (0, reads.info3, reads.read_touch_ttl_percent);
        header = MessageHeader { info2, info3, info4: 0, generation: 0, ttl, ..header };
    }
    if reads.responds_to_all {
        header.info2 |= info2::RESPOND_ALL_OPS;
    }
    write_ops(out, header, key, ops, options.filter)
}
