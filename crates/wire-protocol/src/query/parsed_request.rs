//! Queries as a server reads them.

use crate::digest::{Digest, PARTITIONS, partition_id};
use crate::error::WireError;
use crate::message::{Message, field_type, info1};

/// Which partitions a query reads, from where, and how much of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryScope {
    /// Partitions to read from their start.
    pub partitions: Vec<u16>,
    /// Digests to continue after.
    pub after: Vec<Digest>,
    /// The index values of these records, if the query has a predicate.
    pub index_values: Vec<i64>,
    /// Maximum number of records; 0 for all.
    pub max_records: u64,
    /// Maximum number of records per second; 0 for no limit.
    pub records_per_second: u32,
}

impl QueryScope {
    /// Reads the scope of a request.
    ///
    /// # Errors
    /// Requests that the server refuses, too: fields of a wrong size, an empty list, a partition number that is out of
    /// range or repeated, a rate for a short query, index values that do not belong to the digests.
    pub fn parse(message: &Message<'_>) -> Result<Self, WireError> {
        const WRONG: WireError = WireError::Malformed { what: "query", why: "a field has a wrong size" };
        const NONE: WireError = WireError::Malformed { what: "query", why: "a list of partitions is empty" };
        let mut scope = Self::default();
        for field in message.fields() {
            match field.kind {
                field_type::PARTITION_IDS => {
                    let (numbers, []) = field.data.as_chunks::<2>() else { return Err(WRONG) };
                    if numbers.is_empty() {
                        return Err(NONE);
                    }
                    if numbers.len() > PARTITIONS {
                        return Err(WireError::malformed(
                            "query",
                            "it has more partition numbers than there are partitions",
                        ));
                    }
                    scope.partitions = numbers.iter().map(|number| u16::from_le_bytes(*number)).collect();
                    if scope.partitions.iter().any(|&number| usize::from(number) >= PARTITIONS) {
                        return Err(WireError::malformed("query", "a partition number is out of range"));
                    }
                }
                field_type::DIGESTS => {
                    let (digests, []) = field.data.as_chunks::<20>() else { return Err(WRONG) };
                    if digests.is_empty() {
                        return Err(NONE);
                    }
                    if digests.len() > PARTITIONS {
                        return Err(WireError::malformed(
                            "query",
                            "it has more digests than there are partitions",
                        ));
                    }
                    scope.after = digests.to_vec();
                }
                field_type::INDEX_VALUES => {
                    let (values, []) = field.data.as_chunks::<8>() else { return Err(WRONG) };
                    scope.index_values = values.iter().map(|value| i64::from_le_bytes(*value)).collect();
                }
                field_type::MAX_RECORDS => {
                    scope.max_records = u64::from_be_bytes(field.data.try_into().map_err(|_| WRONG)?);
                }
                field_type::RECORDS_PER_SECOND => {
                    scope.records_per_second = u32::from_be_bytes(field.data.try_into().map_err(|_| WRONG)?);
                    if message.header.info1 & info1::SHORT_QUERY != 0 {
                        return Err(WireError::malformed("query", "a short query has a rate"));
                    }
                }
                field_type::SOCKET_TIMEOUT if field.data.len() != 4 => return Err(WRONG),
                _ => {}
            }
        }
        let expected = match message.field(field_type::INDEX_RANGE) {
            // Servers ignore index values beside digests here.
            None if !scope.after.is_empty() => scope.index_values.len(),
            _ => scope.after.len(),
        };
        if scope.index_values.len() != expected {
            return Err(WireError::malformed("query", "it has not one index value for each digest"));
        }
        let mut seen = [false; PARTITIONS];
        let begun = scope.after.iter().map(partition_id);
        let is_new = |number| !std::mem::replace(&mut seen[number], true);
        if !scope.partitions.iter().map(|&number| usize::from(number)).chain(begun).all(is_new) {
            return Err(WireError::malformed("query", "a partition is repeated"));
        }
        Ok(scope)
    }
}
