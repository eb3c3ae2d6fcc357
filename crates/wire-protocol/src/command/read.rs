//! Reads of one record.

use crate::error::WireError;
use crate::message::{FrameType, MessageHeader, field_type, info1, write_field, write_frame};

use super::{Projection, RecordKey};

/// What a read asks for beside its bins.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions<'a> {
    /// The server's deadline in milliseconds.
    pub timeout_ms: u32,
    /// More bits for the first info byte.
    pub info1: u8,
    /// Bits for the third info byte.
    pub info3: u8,
    /// Time to live to set on read, in percent of the record's own; 0 leaves it.
    pub read_touch_ttl_percent: u32,
    /// A filter expression; empty for none.
    pub filter: &'a [u8],
}

/// Appends a read of one record.
///
/// # Errors
/// A request larger than a frame may be, more bins or a longer bin name than a request has room for; `out`
/// is then as it was.
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
