//! Batch answers as a client reads them.

use crate::error::WireError;
use crate::message::{Fields, Message, Ops, info3};
use crate::result_code::ResultCode;

/// The answer for one row, borrowed from a frame. Its fields and operations have been validated, so [`Record::ops`]
/// yields all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The row's index in the request.
    pub index: u32,
    /// The row's result code.
    pub result_code: ResultCode,
    /// The record's generation.
    pub generation: u32,
    /// When the record expires: seconds since 2010-01-01 UTC, 0 for never.
    pub void_time: u32,
    /// Number of bins.
    pub n_ops: u16,
    pub(crate) fields: &'a [u8],
    pub(crate) ops: &'a [u8],
}

impl<'a> Record<'a> {
    fn of(message: &Message<'a>) -> Self {
        let header = &message.header;
        Self {
            index: header.extra,
            result_code: header.result_code,
            generation: header.generation,
            void_time: header.ttl,
            n_ops: header.n_ops,
            fields: message.fields_bytes(),
            ops: message.ops_bytes(),
        }
    }

    /// The record with other bins, `n_ops` that [`crate::message::write_op`] has written.
    #[must_use]
    pub fn with_ops<'o>(&self, n_ops: u16, ops: &'o [u8]) -> Record<'o> {
        let Self { index, result_code, generation, void_time, .. } = *self;
        Record { index, result_code, generation, void_time, n_ops, fields: &[], ops }
    }

    /// The record's fields. A record with [other bins](Record::with_ops) has none.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::over(self.fields)
    }

    /// The record's bins.
    #[inline]
    #[must_use]
    pub fn ops(&self) -> Ops<'a> {
        Ops::over(self.ops)
    }

    /// The bytes of the bins, to be kept; [`Ops::over`] reads them again.
    #[must_use]
    pub fn ops_bytes(&self) -> &'a [u8] {
        self.ops
    }
}

/// A message of a batch answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchAnswer<'a> {
    /// The answer for one row.
    Record(Record<'a>),
    /// The end of the answer. A code other than OK applies to all rows that were not answered.
    End {
        /// The code for the batch.
        result_code: ResultCode,
    },
}

/// Iterates over the messages in one frame of a batch answer. An error or the end of the answer is the last item.
#[derive(Clone, Debug)]
pub struct BatchAnswers<'a> {
    rest: &'a [u8],
}

impl<'a> BatchAnswers<'a> {
    /// Reads the body of a frame.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }
}

impl<'a> Iterator for BatchAnswers<'a> {
    type Item = Result<BatchAnswer<'a>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match Message::parse(self.rest) {
            Ok((message, rest)) if message.header.info3 & info3::LAST != 0 => {
                self.rest = &[];
                if rest.is_empty() {
                    Some(Ok(BatchAnswer::End { result_code: message.header.result_code }))
                } else {
                    Some(Err(WireError::malformed("batch response", "bytes follow its last message")))
                }
            }
            Ok((message, rest)) => {
                self.rest = rest;
                Some(Ok(BatchAnswer::Record(Record::of(&message))))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MessageHeader;

    #[test]
    fn answers_end_at_the_last_message_or_at_an_error() {
        let mut body = Vec::new();
        MessageHeader { extra: 3, result_code: ResultCode::RECORD_NOT_FOUND, ..MessageHeader::default() }
            .write(&mut body);
        let record = body.clone();
        MessageHeader { info3: info3::LAST, result_code: ResultCode::TIMEOUT, ..MessageHeader::default() }
            .write(&mut body);
        let mut answers = BatchAnswers::new(&body);
        let Some(Ok(BatchAnswer::Record(first))) = answers.next() else { panic!("no record") };
        assert_eq!((first.index, first.result_code, first.n_ops), (3, ResultCode::RECORD_NOT_FOUND, 0));
        assert_eq!((first.ops().count(), first.ops_bytes()), (0, &[][..]));
        assert_eq!(answers.next(), Some(Ok(BatchAnswer::End { result_code: ResultCode::TIMEOUT })));
        assert_eq!(answers.next(), None);

        body.extend(&record);
        let mut answers = BatchAnswers::new(&body);
        assert!(matches!(answers.next(), Some(Ok(BatchAnswer::Record(_)))));
        assert!(matches!(answers.next(), Some(Err(_))), "a message follows the last");
        assert_eq!(answers.next(), None);

        let mut answers = BatchAnswers::new(&record[..21]);
        assert!(matches!(answers.next(), Some(Err(_))), "cut");
        assert_eq!(answers.next(), None);
    }
}
