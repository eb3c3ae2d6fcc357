//! Reads of one record.

use crate::error::WireError;
use crate::message::{FrameType, MessageHeader, field_type, info1, write_field, write_frame};

use super::{Projection, RecordKey};

/// Options of a read, apart from its bins.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions<'a> {
    /// The server's timeout in milliseconds; 0 for the server's default.
    pub timeout_ms: u32,
    /// Additional [`info1`] bits.
    pub info1: u8,
    /// [`info3`](crate::message::info3) bits.
    pub info3: u8,
    /// Reset the time to live when less than this percentage is left; 0 for the server's default.
    pub read_touch_ttl_percent: u32,
    /// An encoded filter expression; empty for none.
    pub filter: &'a [u8],
}

/// Appends a read of one record.
///
/// # Errors
/// A request larger than a frame, too many bins, a bin name that is too long. `out` is then unchanged.
pub fn write_read(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    projection: Projection<'_>,
    options: &ReadOptions<'_>,
) -> Result<(), WireError> {
    let projection = projection.parts()?;
    write_frame(out, FrameType::Message, |out| {
        MessageHeader {
            info1: info1::READ | options.info1 | projection.info1,
            info3: options.info3,
            ttl: options.read_touch_ttl_percent,
            extra: options.timeout_ms,
            n_fields: key.n_fields(options.filter),
            n_ops: projection.n_ops,
            ..MessageHeader::default()
        }
        .write(out);
        key.write(out);
        if !options.filter.is_empty() {
            write_field(out, field_type::FILTER, options.filter);
        }
        projection.write_ops(out);
    })
}
