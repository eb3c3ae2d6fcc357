//! Batches: the request writer and the response reader.
//!
//! A batch request is one message with one field of rows. A row that differs from the one before it only
//! in its digest is written as index, digest and a repeat flag, so namespace, set and bin names go out
//! once a run. The response is a stream of frames of messages, one a row in any order, that ends with a
//! message that has the last-bit.

mod answer;
mod operate_request;
mod parsed_request;
mod read_request;

pub use self::answer::{BatchAnswer, BatchAnswers, Record};
pub use self::operate_request::{BatchHeader, BatchWriter, EncodedOps, OperateRow, RowAttributes};
pub use self::parsed_request::{BatchRequestRow, BatchRequestRows};
pub use self::read_request::{BatchReadHeader, BatchRow, write_batch_read};

/// Bits of the batch field's flags.
pub mod batch_flags {
    /// Records in memory may be read by the thread that received the request.
    pub const ALLOW_INLINE: u8 = 1;
    /// The same for records on SSD.
    pub const ALLOW_INLINE_SSD: u8 = 2;
    /// Go on after a row that fails, and answer every row.
    pub const RESPOND_ALL_KEYS: u8 = 4;
    /// Answer a row that fails with a record of its own.
    pub const ERROR_AS_RECORD: u8 = 8;
    /// What clients ask for unless told otherwise.
    pub const USUAL: u8 = ALLOW_INLINE | RESPOND_ALL_KEYS | ERROR_AS_RECORD;
}

/// Bits of a row's flags.
pub mod row_flags {
    /// The row takes everything but index and digest from the one before it.
    pub const REPEAT: u8 = 1;
    /// Info bytes one, two and three follow.
    pub const INFO: u8 = 2;
    /// A generation follows.
    pub const GENERATION: u8 = 4;
    /// A time to live follows.
    pub const TTL: u8 = 8;
    /// Info byte four follows.
    pub const INFO4: u8 = 16;
}

/// Bytes of a row that repeats the one before it.
pub const REPEATED_ROW_LEN: usize = 4 + 20 + 1;

/// Whether two names are equal; mostly they are one and the same.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    std::ptr::eq(a, b) || a == b
}
