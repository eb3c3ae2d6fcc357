//! Queries over the primary index: request writer and reader, response reader.
//!
//! A query asks one node for the records of some of its partitions. The node answers with frames of
//! messages, one for each record, in descending order of digests within a partition; so a query that ended
//! early goes on after the last digest of each partition. An empty message ends the answer.

use crate::batch::Projection;
use crate::digest::{Digest, PARTITIONS, UserKey, partition_id};
use crate::message::{
    FrameType, Message, MessageHeader, Ops, field_type, info1, info2, info3, write_field, write_frame,
};
use crate::{ResultCode, WireError};

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

/// Which records of which partitions a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryScope {
    /// Partitions to read from their start.
    pub partitions: Vec<u16>,
    /// Digests to go on after.
    pub after: Vec<Digest>,
    /// The most records; 0 for all.
    pub max_records: u64,
    /// The most records a second; 0 for no limit.
    pub records_per_second: u32,
}

impl QueryScope {
    /// Reads the scope of a request.
    ///
    /// # Errors
    /// What the server refuses as well: fields of a wrong size, an empty list, a partition that there is not or
    /// that is named twice, a rate for a short query.
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
                            "it asks for more partitions than there are",
                        ));
                    }
                    scope.partitions = numbers.iter().map(|number| u16::from_le_bytes(*number)).collect();
                    if scope.partitions.iter().any(|&number| usize::from(number) >= PARTITIONS) {
                        return Err(WireError::malformed(
                            "query",
                            "it asks for a partition that there is not",
                        ));
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
                            "it goes on in more partitions than there are",
                        ));
                    }
                    scope.after = digests.to_vec();
                }
                field_type::MAX_RECORDS => {
                    scope.max_records = u64::from_be_bytes(field.data.try_into().map_err(|_| WRONG)?);
                }
                field_type::RECORDS_PER_SECOND => {
                    scope.records_per_second = u32::from_be_bytes(field.data.try_into().map_err(|_| WRONG)?);
                    if message.header.info1 & info1::SHORT_QUERY != 0 {
                        return Err(WireError::malformed("query", "it is a short one and has a rate"));
                    }
                }
                field_type::SOCKET_TIMEOUT if field.data.len() != 4 => return Err(WRONG),
                _ => {}
            }
        }
        let mut seen = [false; PARTITIONS];
        let begun = scope.after.iter().map(partition_id);
        let is_new = |number| !std::mem::replace(&mut seen[number], true);
        if !scope.partitions.iter().map(|&number| usize::from(number)).chain(begun).all(is_new) {
            return Err(WireError::malformed("query", "it asks for a partition twice"));
        }
        Ok(scope)
    }
}

/// A record of an answer.
#[derive(Clone, Debug)]
pub struct QueryRecord<'a> {
    /// Its namespace.
    pub namespace: &'a [u8],
    /// Its set; empty for none.
    pub set: &'a [u8],
    /// Its digest.
    pub digest: &'a Digest,
    /// The user's key. None if it was not stored, or if other clients stored one that is neither an integer nor
    /// text nor bytes: servers keep any bytes as a key.
    pub key: Option<UserKey<'a>>,
    /// Its generation.
    pub generation: u32,
    /// When it ends: seconds since 2010-01-01 UTC, 0 = never.
    pub void_time: u32,
    /// The bytes of its bins; [`Ops::over`] walks them.
    pub bins: &'a [u8],
    /// All of its message, for keeping it; [`QueryAnswers`] reads it again.
    pub message: &'a [u8],
}

impl<'a> QueryRecord<'a> {
    /// Its bins.
    #[must_use]
    pub fn ops(&self) -> Ops<'a> {
        Ops::over(self.bins)
    }
}

/// A message of an answer.
#[derive(Clone, Debug)]
pub enum QueryAnswer<'a> {
    /// A record.
    Record(QueryRecord<'a>),
    /// Nothing more comes from this partition; with another code than 0 the node could not serve it.
    Partition {
        /// The partition.
        partition: u16,
        /// The result code.
        code: ResultCode,
    },
    /// The answer ends; with another code than 0 it failed.
    End {
        /// The result code.
        code: ResultCode,
    },
}

/// The messages of one frame of an answer. Ends after the first error and after [`QueryAnswer::End`].
#[derive(Clone, Debug)]
pub struct QueryAnswers<'a> {
    rest: &'a [u8],
}

impl<'a> QueryAnswers<'a> {
    /// Reads the body of a frame.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }
}

impl<'a> Iterator for QueryAnswers<'a> {
    type Item = Result<QueryAnswer<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let answer = Message::parse(self.rest).and_then(|(message, rest)| {
            let bytes = self.rest.split_at(self.rest.len() - rest.len()).0;
            self.rest = rest;
            read_answer(&message, bytes)
        });
        match &answer {
            Ok(QueryAnswer::End { .. }) if !self.rest.is_empty() => {
                self.rest = &[];
                return Some(Err(WireError::malformed("query answer", "bytes follow its end")));
            }
            Ok(_) => {}
            Err(_) => self.rest = &[],
        }
        Some(answer)
    }
}

fn read_answer<'a>(message: &Message<'a>, bytes: &'a [u8]) -> Result<QueryAnswer<'a>, WireError> {
    let MessageHeader { info3, result_code: code, generation, ttl, .. } = message.header;
    if info3 & info3::LAST != 0 {
        return Ok(QueryAnswer::End { code });
    }
    if info3 & info3::PARTITION_DONE != 0 {
        let partition = u16::try_from(generation).ok().filter(|&number| usize::from(number) < PARTITIONS);
        return match partition {
            Some(partition) => Ok(QueryAnswer::Partition { partition, code }),
            None => Err(WireError::malformed("query answer", "it is about a partition that there is not")),
        };
    }
    if !code.is_ok() {
        return Ok(QueryAnswer::End { code });
    }
    let (mut namespace, mut set, mut digest, mut key) = (&[][..], &[][..], None, None);
    for field in message.fields() {
        match field.kind {
            field_type::NAMESPACE => namespace = field.data,
            field_type::SET => set = field.data,
            field_type::DIGEST => digest = Some(field.data),
            // The digest identifies the record; a stored key that cannot be read must not end the query.
            field_type::KEY => key = UserKey::parse(field.data).ok(),
            // Index values and what newer servers add.
            _ => {}
        }
    }
    let digest = digest
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(WireError::malformed("query answer", "a record has no digest of 20 bytes"))?;
    let bins = message.ops_bytes();
    Ok(QueryAnswer::Record(QueryRecord {
        namespace,
        set,
        digest,
        key,
        generation,
        void_time: ttl,
        bins,
        message: bytes,
    }))
}
