//! Answers to queries as a client reads them.

use crate::batch::Record;
use crate::digest::{Digest, PARTITIONS, UserKey};
use crate::error::WireError;
use crate::message::{Message, MessageHeader, Ops, field_type, info3};
use crate::result_code::ResultCode;

/// A record in the answer to a query.
#[derive(Clone, Debug)]
pub struct QueryRecord<'a> {
    /// The record's namespace.
    pub namespace: &'a [u8],
    /// The record's set; empty for none.
    pub set: &'a [u8],
    /// The record's digest.
    pub digest: &'a Digest,
    /// The user's key. None if it is not stored, or if another client stored one that is neither an integer nor
    /// text nor bytes: servers keep any bytes as a key.
    pub key: Option<UserKey<'a>>,
    /// The entry of the secondary index by which the record was found; `None` in a query over the primary index.
    pub index_value: Option<i64>,
    /// The record's generation.
    pub generation: u32,
    /// When the record expires: seconds since 2010-01-01 UTC, 0 for never.
    pub void_time: u32,
    /// Number of bins.
    pub n_ops: u16,
    /// The bytes of the bins; [`Ops::over`] reads them.
    pub bins: &'a [u8],
    /// The whole message, to be kept; [`QueryAnswers`] reads it again.
    pub message: &'a [u8],
}

impl<'a> QueryRecord<'a> {
    /// The record's bins.
    #[must_use]
    pub fn ops(&self) -> Ops<'a> {
        Ops::over(self.bins)
    }

    /// The record as the answer for a row of a batch.
    #[inline]
    #[must_use]
    pub fn as_row(&self) -> Record<'a> {
        Record {
            index: 0,
            result_code: ResultCode::OK,
            generation: self.generation,
            void_time: self.void_time,
            n_ops: self.n_ops,
            fields: &[],
            ops: self.bins,
        }
    }
}

/// A message in the answer to a query.
#[derive(Clone, Debug)]
pub enum QueryAnswer<'a> {
    /// A record.
    Record(QueryRecord<'a>),
    /// The partition is complete; with a code other than OK, the node could not serve it.
    Partition {
        /// The partition's number.
        partition: u16,
        /// The code for the partition, or for the query.
        code: ResultCode,
    },
    /// The end of the answer; with a code other than OK, the query failed.
    End {
        /// The code for the partition, or for the query.
        code: ResultCode,
        /// Whether the message is marked as the last one. A record with a code but OK is not: it ends the answer, and
        /// the node may send on.
        is_last: bool,
    },
}

/// Iterates over the messages in one frame of an answer. An error or [`QueryAnswer::End`] is the last item.
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
    let MessageHeader { info3, result_code: code, generation, ttl, n_ops, .. } = message.header;
    // A record with one of these flags was damaged on its way.
    let ends = info3 & (info3::LAST | info3::PARTITION_DONE) != 0;
    if ends && (n_ops != 0 || message.fields().next().is_some()) {
        return Err(WireError::malformed(
            "query answer",
            "the end of a partition or of the answer has fields or bins",
        ));
    }
    if info3 & info3::LAST != 0 {
        return Ok(QueryAnswer::End { code, is_last: true });
    }
    if info3 & info3::PARTITION_DONE != 0 {
        let partition = u16::try_from(generation).ok().filter(|&number| usize::from(number) < PARTITIONS);
        return match partition {
            Some(partition) => Ok(QueryAnswer::Partition { partition, code }),
            None => Err(WireError::malformed("query answer", "a partition number is out of range")),
        };
    }
    if !code.is_ok() {
        return Ok(QueryAnswer::End { code, is_last: false });
    }
    let (mut namespace, mut set, mut digest, mut key, mut index_value) = (&[][..], &[][..], None, None, None);
    for field in message.fields() {
        match field.kind {
            field_type::NAMESPACE => namespace = field.data,
            field_type::SET => set = field.data,
            field_type::DIGEST => digest = Some(field.data),
            // The digest identifies the record; a stored key that cannot be read must not end the query.
            field_type::KEY => key = UserKey::parse(field.data).ok(),
            field_type::INDEX_VALUES => index_value = Some(field.data),
            // Fields that newer servers may add.
            _ => {}
        }
    }
    let digest = digest
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(WireError::malformed("query answer", "a record has no digest of 20 bytes"))?;
    let index_value = match index_value.map(<[u8; 8]>::try_from) {
        None => None,
        Some(Ok(bytes)) => Some(i64::from_le_bytes(bytes)),
        Some(Err(_)) => return Err(WireError::malformed("query answer", "an index value has not 8 bytes")),
    };
    let bins = message.ops_bytes();
    Ok(QueryAnswer::Record(QueryRecord {
        namespace,
        set,
        digest,
        key,
        index_value,
        generation,
        void_time: ttl,
        n_ops,
        bins,
        message: bytes,
    }))
}
