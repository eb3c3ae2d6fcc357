//! Batches: many records in one request.
//!
//! A batch request is one message with one field that holds the rows. A row that differs from the row before it only in
//! its digest is written as index, digest and a repeat flag, so runs of rows send namespace, set and bin names once.
//! The answer is a stream of frames with one message per row, in any order; a message with the last-bit ends it.
//!
//! A client writes a [`read request`](write_batch_read), whose rows all read the same bins ([`write_batch_reads`] if they
//! do not), or row by row with a
//! [`BatchWriter`], and reads [`BatchAnswers`]; a server reads [`BatchRequestRows`].

mod answer;
mod operate_request;
mod parsed_request;
mod read_request;

pub use self::answer::{BatchAnswer, BatchAnswers, Record};
pub use self::operate_request::{BatchHeader, BatchWriter, EncodedOps, OperateRow, RowAttributes};
pub use self::parsed_request::{BatchRequestRow, BatchRequestRows};
pub use self::read_request::{BatchReadHeader, BatchRow, write_batch_read, write_batch_reads};

/// Flags of a batch, in the field that holds its rows.
pub mod batch_flags {
    /// Records in memory may be read by the thread that received the request.
    pub const ALLOW_INLINE: u8 = 1;
    /// Records on SSD may be read by the thread that received the request.
    pub const ALLOW_INLINE_SSD: u8 = 2;
    /// Continue after a row that fails, and answer every row.
    pub const RESPOND_ALL_KEYS: u8 = 4;
    /// Answer a row that fails with a record of its own.
    pub const ERROR_AS_RECORD: u8 = 8;
    /// The default of clients.
    pub const USUAL: u8 = ALLOW_INLINE | RESPOND_ALL_KEYS | ERROR_AS_RECORD;
}

/// Flags of a row.
pub mod row_flags {
    /// All but index and digest is as in the row before.
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

/// Bytes of a row that repeats the row before it.
pub const REPEATED_ROW_LEN: usize = 4 + 20 + 1;

/// Whether two names are equal. Compares addresses first: mostly both are the same slice.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    std::ptr::eq(a, b) || a == b
}
