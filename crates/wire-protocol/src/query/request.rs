//! Queries as a client writes them.

use crate::command::Projection;
use crate::digest::{Digest, PARTITIONS};
use crate::error::WireError;
use crate::message::{FrameType, MessageHeader, field_type, info1, info2, info3, write_field, write_frame};

/// How long a query is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryDuration {
    /// More than a hundred records a node: the server works at it beside other things.
    #[default]
    Long,
    /// Few records: answered at once, in one frame.
    Short,
    /// As [`Self::Long`], and an available namespace may leave out records while partitions move.
    LongRelaxAp,
}

/// What a node is asked for.
#[derive(Clone, Copy, Debug)]
pub struct QueryRequest<'a> {
    /// The namespace.
    pub namespace: &'a [u8],
    /// The set; empty for the whole namespace.
    pub set: &'a [u8],
    /// Bins to read. No names at all are the header alone.
    pub projection: Projection<'a>,
    /// Partitions to read from their start.
    pub partitions: &'a [u16],
    /// Digests to go on after, at most one of a partition.
    pub after: &'a [Digest],
    /// The most records to send; 0 for all.
    pub max_records: u64,
    /// The most records a second; 0 for no limit.
    pub records_per_second: u32,
    /// For how long the server waits for a socket that takes nothing, in milliseconds.
    pub socket_timeout_ms: u32,
    /// The server's name for this query.
    pub task_id: u64,
    /// How long it is expected to take.
    pub duration: QueryDuration,
    /// More bits for the first info byte ([`info1::READ_MODE_AP_ALL`]).
    pub info1: u8,
    /// More bits for the third info byte (strong-consistency read modes).
    pub info3: u8,
    /// The time to live to send: what the official client sends is [`QueryRequest::DONT_TOUCH`].
    pub ttl: u32,
    /// A filter expression; empty for none.
    pub filter: &'a [u8],
}

impl QueryRequest<'_> {
    /// A time to live that keeps reads from touching.
    pub const DONT_TOUCH: u32 = u32::MAX;
}

/// Appends a query.
///
/// # Errors
/// A partition that there is not, more bins or a longer bin name than a request has room for, a request
/// larger than a frame may be; `out` is then as it was.
pub fn write_query(out: &mut Vec<u8>, query: &QueryRequest<'_>) -> Result<(), WireError> {
    if query.partitions.iter().any(|&partition| usize::from(partition) >= PARTITIONS) {
        return Err(WireError::malformed("query", "it asks for a partition that there is not"));
    }
    let projection = match query.projection {
        // No names would be every bin.
        Projection::Bins([]) => Projection::Header,
        projection => projection,
    };
    let projection = projection.parts()?;
    let optional = [
        !query.set.is_empty(),
        query.records_per_second != 0,
        !query.filter.is_empty(),
        !query.partitions.is_empty(),
        !query.after.is_empty(),
        query.max_records != 0,
    ];
    let n_optional = optional.into_iter().map(u16::from).sum::<u16>();
    let (short, relax) = match query.duration {
        QueryDuration::Long => (0, 0),
        QueryDuration::Short => (info1::SHORT_QUERY, 0),
        QueryDuration::LongRelaxAp => (0, info2::RELAX_AP_LONG_QUERY),
    };
    write_frame(out, FrameType::Message, |out| {
        MessageHeader {
            // A query without names reads every bin, and does not say so.
            info1: info1::READ | short | query.info1 | (projection.info1 & !info1::GET_ALL),
            info2: relax,
            info3: info3::PARTITION_DONE | query.info3,
            ttl: query.ttl,
            n_fields: 3 + n_optional,
            n_ops: projection.n_ops,
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
        if !query.filter.is_empty() {
            write_field(out, field_type::FILTER, query.filter);
        }
        if !query.partitions.is_empty() {
            let numbers: Vec<u8> = query.partitions.iter().flat_map(|number| number.to_le_bytes()).collect();
            write_field(out, field_type::PARTITION_IDS, &numbers);
        }
        if !query.after.is_empty() {
            write_field(out, field_type::DIGESTS, query.after.as_flattened());
        }
        if query.max_records != 0 {
            write_field(out, field_type::MAX_RECORDS, &query.max_records.to_be_bytes());
        }
        projection.write_ops(out);
    })
}
