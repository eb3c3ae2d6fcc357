//! Answers to queries as a client reads them.

use crate::digest::{Digest, PARTITIONS, UserKey};
use crate::error::WireError;
use crate::message::{Message, MessageHeader, Ops, field_type, info3};
use crate::result_code::ResultCode;

/// A record of an answer.
#[derive(Clone, Debug)]
pub struct QueryRecord<'a> {
    /// Its namespace.
    pub namespace: &'a [u8],
    /// Its set; empty for none.
    pub set: &'a [u8],
    /// Its digest.
    pub digest: &'a Digest,
    /// The user's key, where it was stored.
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
            field_type::KEY => key = Some(UserKey::parse(field.data)?),
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
