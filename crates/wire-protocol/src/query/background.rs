//! Background queries: a node applies operations, or a function, to the records that it finds, after it has answered.

use super::Predicate;
use crate::batch::EncodedOps;
use crate::command::{FunctionCall, WriteOptions};
use crate::error::WireError;
use crate::message::{FrameType, MessageHeader, field_type, op_count, write_field, write_frame};

/// A background query to one node. The node carries it out in the partitions of which it is the master.
#[derive(Clone, Copy, Debug)]
pub struct BackgroundQuery<'a> {
    /// The namespace.
    pub namespace: &'a [u8],
    /// The set; empty for the whole namespace.
    pub set: &'a [u8],
    /// Which records; `None` for all.
    pub predicate: Option<&'a Predicate>,
    /// Operations that write; none if there is a function.
    pub operations: EncodedOps<'a>,
    /// A function that is applied instead of operations.
    pub function: Option<FunctionCall<'a>>,
    /// How they write. Servers only update and replace records that exist, and compare no generations.
    pub options: WriteOptions<'a>,
    /// Maximum number of records per second; 0 for the server's limit.
    pub records_per_second: u32,
    /// A socket timeout in milliseconds, which servers take note of.
    pub socket_timeout_ms: u32,
    /// The identifier of the job. A node refuses a second job with the same one.
    pub task_id: u64,
}

/// The kind of a function that is applied in the background.
const IN_BACKGROUND: &[u8] = &[2];

/// Appends a background query.
///
/// # Errors
/// A predicate that servers refuse, neither a function nor operations, too many of them, a request larger than a frame. `out` is then unchanged.
pub fn write_background_query(out: &mut Vec<u8>, query: &BackgroundQuery<'_>) -> Result<(), WireError> {
    if query.operations.count == 0 && query.function.is_none() {
        return Err(WireError::malformed("background query", "it has no operations"));
    }
    if let Some(predicate) = query.predicate {
        predicate.check()?;
    }
    let optional = [!query.set.is_empty(), query.records_per_second != 0, !query.options.filter.is_empty()];
    let n_optional = optional.into_iter().map(u16::from).sum::<u16>();
    let n_ops = op_count(query.operations.count)?;
    let bits = query.options.bits();
    let n_call = if query.function.is_some() { 1 + FunctionCall::N_FIELDS } else { 0 };
    write_frame(out, FrameType::Message, |out| {
        MessageHeader {
            info2: bits.info2,
            info3: bits.info3,
            generation: bits.generation,
            ttl: query.options.ttl,
            extra: query.options.timeout_ms,
            n_fields: 3 + n_optional + n_call + query.predicate.map_or(0, Predicate::n_fields),
            n_ops,
            ..MessageHeader::default()
        }
        .write(out);
        write_field(out, field_type::NAMESPACE, query.namespace);
        if !query.set.is_empty() {
            write_field(out, field_type::SET, query.set);
        }
        if query.records_per_second != 0 {
            write_field(out, field_type::RECORDS_PER_SECOND, &query.records_per_second.to_be_bytes());
        }
        write_field(out, field_type::SOCKET_TIMEOUT, &query.socket_timeout_ms.to_be_bytes());
        write_field(out, field_type::TASK_ID, &query.task_id.to_be_bytes());
        if let Some(predicate) = query.predicate {
            predicate.write(out);
        }
        if !query.options.filter.is_empty() {
            write_field(out, field_type::FILTER, query.options.filter);
        }
        if let Some(function) = &query.function {
            write_field(out, field_type::UDF_KIND, IN_BACKGROUND);
            function.write_fields(out);
        }
        out.extend_from_slice(query.operations.bytes);
    })
}
