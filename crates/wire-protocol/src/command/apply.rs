//! Applying a user-defined function to one record.

use crate::error::WireError;
use crate::message::{FrameType, MessageHeader, field_type, write_field, write_frame};

use super::{RecordKey, WriteOptions};

/// A call of a user-defined function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionCall<'a> {
    /// The module: the name of its file without the ending.
    pub module: &'a [u8],
    /// The function's name.
    pub function: &'a [u8],
    /// The arguments after the record: a list in msgpack.
    pub arguments: &'a [u8],
}

impl FunctionCall<'_> {
    /// The number of fields that [`FunctionCall::write_fields`] writes.
    pub const N_FIELDS: u16 = 3;

    /// Appends the fields of a call.
    pub fn write_fields(&self, out: &mut Vec<u8>) {
        write_field(out, field_type::UDF_MODULE, self.module);
        write_field(out, field_type::UDF_FUNCTION, self.function);
        write_field(out, field_type::UDF_ARGUMENTS, self.arguments);
    }
}

/// Appends a call of a function on one record. Of the options, servers use the time to live, the commit level, the durable
/// delete and the filter, and refuse conditions.
///
/// # Errors
/// A request larger than a frame. `out` is then unchanged.
pub fn write_apply(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    call: &FunctionCall<'_>,
    options: &WriteOptions<'_>,
) -> Result<(), WireError> {
    let header = options.header(key);
    write_frame(out, FrameType::Message, |out| {
        MessageHeader { n_fields: header.n_fields + FunctionCall::N_FIELDS, ..header }.write(out);
        key.write(out);
        if !options.filter.is_empty() {
            write_field(out, field_type::FILTER, options.filter);
        }
        call.write_fields(out);
    })
}
