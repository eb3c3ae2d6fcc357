//! Queries as a client writes them.

use super::Predicate;
use crate::batch::EncodedOps;
use crate::command::Projection;
use crate::digest::{Digest, PARTITIONS};
use crate::error::WireError;
use crate::message::{
    FrameType, MessageHeader, field_type, info1, info2, info3, op_count, write_field, write_frame,
};

/// How long a query is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryDuration {
    /// More than a hundred records per node: the server runs it in the background.
    #[default]
    Long,
    /// Few records: answered at once.
    Short,
    /// As [`Self::Long`]; a namespace in AP mode may leave out records while partitions migrate.
    LongRelaxAp,
}

/// A query to one node.
#[derive(Clone, Copy, Debug)]
pub struct QueryRequest<'a> {
    /// The namespace.
    pub namespace: &'a [u8],
    /// The set; empty for the whole namespace.
    pub set: &'a [u8],
    /// Bins to read. An empty list reads only headers.
    pub projection: Projection<'a>,
    /// Also read the records that have none of the bins in `projection`, which a query leaves out otherwise. A bin that
    /// a record lacks then comes as nil. Servers before [`Build::QUERY_OPS`] ignore this: ask those for all bins.
    ///
    /// [`Build::QUERY_OPS`]: crate::info::Build::QUERY_OPS
    pub every_record: bool,
    /// Operations that read, instead of `projection`. Every record is answered. Servers before [`Build::QUERY_OPS`] do
    /// not carry them out.
    ///
    /// [`Build::QUERY_OPS`]: crate::info::Build::QUERY_OPS
    pub operations: Option<EncodedOps<'a>>,
    /// Which records to find by a secondary index; `None` for all records.
    pub predicate: Option<&'a Predicate>,
    /// Partitions to read from their start.
    pub partitions: &'a [u16],
    /// Digests to continue after, at most one per partition.
    pub after: &'a [Digest],
    /// The index value of each record in `after`, if there is a predicate.
    pub index_values: &'a [i64],
    /// Maximum number of records; 0 for all.
    pub max_records: u64,
    /// Maximum number of records per second; 0 for no limit.
    pub records_per_second: u32,
    /// How long the server waits for a client that does not read, in milliseconds.
    pub socket_timeout_ms: u32,
    /// The identifier by which the server lists this query.
    pub task_id: u64,
    /// How long the query is expected to take.
    pub duration: QueryDuration,
    /// Additional [`info1`] bits, such as [`info1::READ_MODE_AP_ALL`].
    pub info1: u8,
    /// Additional [`info3`] bits: the strong-consistency read mode.
    pub info3: u8,
    /// The time to live in the header; the official client sends [`QueryRequest::DONT_TOUCH`].
    pub ttl: u32,
    /// An encoded filter expression; empty for none.
    pub filter: &'a [u8],
}

impl QueryRequest<'_> {
    /// A time to live that keeps reads from touching records.
    pub const DONT_TOUCH: u32 = u32::MAX;
}

/// Appends a query.
///
/// # Errors
/// A partition number out of range, too many bins, a bin name that is too long, a predicate that servers refuse, digests
/// without index values, a request larger than a frame. `out` is then unchanged.
pub fn write_query(out: &mut Vec<u8>, query: &QueryRequest<'_>) -> Result<(), WireError> {
    if query.partitions.iter().any(|&partition| usize::from(partition) >= PARTITIONS) {
        return Err(WireError::malformed("query", "a partition number is out of range"));
    }
    if let Some(predicate) = query.predicate {
        predicate.check()?;
        if query.index_values.len() != query.after.len() {
            return Err(WireError::malformed("query", "it has not one index value for each digest"));
        }
    }
    let projection = match query.projection {
        _ if query.operations.is_some() => Projection::All,
        // To the server, an empty list of bins means all of them.
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
        query.predicate.is_some() && !query.after.is_empty(),
        query.max_records != 0,
    ];
    let n_optional = optional.into_iter().map(u16::from).sum::<u16>();
    let (short, relax) = match query.duration {
        QueryDuration::Long => (0, 0),
        QueryDuration::Short => (info1::SHORT_QUERY, 0),
        QueryDuration::LongRelaxAp => (0, info2::RELAX_AP_LONG_QUERY),
    };
    let n_ops = match query.operations {
        Some(operations) => op_count(operations.count)?,
        None => projection.n_ops,
    };
    // Other projections leave out no record.
    let every_record = query.every_record || query.operations.is_some();
    let respond_all = if every_record && n_ops > 0 { info2::RESPOND_ALL_OPS } else { 0 };
    write_frame(out, FrameType::Message, |out| {
        MessageHeader {
            // Unlike other reads, a query for all bins does not set GET_ALL.
            info1: info1::READ | short | query.info1 | (projection.info1 & !info1::GET_ALL),
            info2: relax | respond_all,
            info3: info3::PARTITION_DONE | query.info3,
            ttl: query.ttl,
            n_fields: 3 + n_optional + query.predicate.map_or(0, Predicate::n_fields),
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
        if !query.filter.is_empty() {
            write_field(out, field_type::FILTER, query.filter);
        }
        if !query.partitions.is_empty() {
            let numbers: Vec<u8> = query.partitions.iter().flat_map(|number| number.to_le_bytes()).collect();
            write_field(out, field_type::PARTITION_IDS, &numbers);
        }
        if !query.after.is_empty() {
            write_field(out, field_type::DIGESTS, query.after.as_flattened());
            if query.predicate.is_some() {
                let values: Vec<u8> =
                    query.index_values.iter().flat_map(|value| value.to_le_bytes()).collect();
                write_field(out, field_type::INDEX_VALUES, &values);
            }
        }
        if query.max_records != 0 {
            write_field(out, field_type::MAX_RECORDS, &query.max_records.to_be_bytes());
        }
        match query.operations {
            Some(operations) => out.extend_from_slice(operations.bytes),
            None => projection.write_ops(out),
        }
    })
}
