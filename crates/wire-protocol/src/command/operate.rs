//! Operations on one record: reads and writes of bins, applied in order and as one.

use crate::error::WireError;
use crate::message::{MessageHeader, info1};

use super::write::write_ops;
use super::{RecordKey, WriteOp, WriteOptions};

/// What an operation reads beside what it writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperateReads {
    /// Whether any operation reads a bin.
    pub reads: bool,
    /// Whether any operation writes; without one, what the options say of writes is left out.
    pub writes: bool,
    /// More bits for the first info byte.
    pub info1: u8,
    /// More bits for the third info byte.
    pub info3: u8,
    /// Where nothing is written: time to live to set on read, in percent of the record's own; 0 leaves it.
    pub read_touch_ttl_percent: u32,
}

/// Appends reads and writes of one record's bins, applied in order and as one.
///
/// # Errors
/// As [`write_write`].
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
        // What only writes have is left out.
        let (info2, info3, ttl) = (0, reads.info3, reads.read_touch_ttl_percent);
        header = MessageHeader { info2, info3, generation: 0, ttl, ..header };
    }
    write_ops(out, header, key, ops, options.filter)
}
