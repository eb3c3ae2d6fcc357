//! Batches: the request writer and the response reader.
//!
//! A batch request is one message with one field of rows. A row that differs from the one before it only
//! in its digest is written as index, digest and a repeat flag, so namespace, set and bin names go out
//! once a run. The response is a stream of frames of messages, one a row in any order, that ends with a
//! message that has the last-bit.

use crate::digest::Digest;
use crate::message::{
    FrameType, MAX_FRAME, Message, MessageHeader, Ops, check_name, field_type, info1, info3, op, op_count,
    write_field, write_frame, write_op,
};
use crate::{ResultCode, WireError};

/// Bits of the batch field's flags.
pub mod batch_flags {
    /// Records in memory may be read by the thread that received the request.
    pub const ALLOW_INLINE: u8 = 1;
    /// The same for records on SSD.
    pub const ALLOW_INLINE_SSD: u8 = 2;
    /// Go on after a row that fails, and answer every row.
    pub const RESPOND_ALL_KEYS: u8 = 4;
    /// Answer a row that fails with a record of its own.
    pub const ERROR_AS_RECORD: u8 = 8;
    /// What clients ask for unless told otherwise.
    pub const USUAL: u8 = ALLOW_INLINE | RESPOND_ALL_KEYS | ERROR_AS_RECORD;
}

/// Bits of a row's flags.
pub mod row_flags {
    /// The row takes everything but index and digest from the one before it.
    pub const REPEAT: u8 = 1;
    /// Info bytes one, two and three follow.
    pub const INFO: u8 = 2;
    /// A generation follows.
    pub const GENERATION: u8 = 4;
    /// A time to live follows.
    pub const TTL: u8 = 8;
    /// Info byte four follows.
    pub const INFO4: u8 = 16;
}

/// Which bins a read asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection<'a> {
    /// Every bin.
    All,
    /// None: the header alone.
    Header,
    /// These, in this order.
    Bins(&'a [&'a [u8]]),
}

/// A projection as a request says it.
pub(crate) struct ProjectionParts<'a> {
    /// Bits for the first info byte, beside [`info1::READ`].
    pub(crate) info1: u8,
    /// The number of bins.
    pub(crate) n_ops: u16,
    bins: &'a [&'a [u8]],
}

impl<'a> Projection<'a> {
    pub(crate) fn parts(self) -> Result<ProjectionParts<'a>, WireError> {
        let (info1, bins): (u8, &[&[u8]]) = match self {
            Self::All => (info1::GET_ALL, &[]),
            Self::Header => (info1::NO_BINS, &[]),
            Self::Bins(bins) => (0, bins),
        };
        bins.iter().try_for_each(|bin| check_name(bin))?;
        Ok(ProjectionParts { info1, n_ops: op_count(bins.len())?, bins })
    }
}

impl ProjectionParts<'_> {
    /// Appends the operations that read the bins.
    pub(crate) fn write_ops(&self, out: &mut Vec<u8>) {
        for bin in self.bins {
            write_op(out, op::READ, 0, bin, &[]);
        }
    }
}

/// What all rows of a batch read share.
#[derive(Clone, Copy, Debug)]
pub struct BatchReadHeader<'a> {
    /// Bins to read.
    pub projection: Projection<'a>,
    /// Bits of [`batch_flags`].
    pub flags: u8,
    /// The server's deadline in milliseconds; 0 is the server's own.
    pub timeout_ms: u32,
    /// More bits for each row's first info byte ([`info1::READ_MODE_AP_ALL`]).
    pub info1: u8,
    /// Bits for each row's third info byte (strong-consistency read modes).
    pub info3: u8,
    /// Time to live to set on read, in percent of the record's own; 0 leaves it.
    pub read_touch_ttl_percent: u32,
    /// Bits for the message's own first info byte ([`info1::COMPRESS_RESPONSE`]).
    pub message_info1: u8,
    /// A filter expression as the server takes it; empty for none.
    pub filter: &'a [u8],
}

impl Default for BatchReadHeader<'_> {
    fn default() -> Self {
        Self {
            projection: Projection::All,
            flags: batch_flags::USUAL,
            timeout_ms: 0,
            info1: 0,
            info3: 0,
            read_touch_ttl_percent: 0,
            message_info1: 0,
            filter: &[],
        }
    }
}

/// A row of a batch read.
#[derive(Clone, Copy, Debug)]
pub struct BatchRow<'a> {
    /// The number that the answer will carry.
    pub index: u32,
    /// The record's digest.
    pub digest: &'a Digest,
    /// The record's namespace.
    pub namespace: &'a [u8],
    /// The record's set; empty for none.
    pub set: &'a [u8],
}

/// Bytes of a row that repeats the one before it.
pub const REPEATED_ROW_LEN: usize = 4 + 20 + 1;

/// Appends a batch read request of `rows` to `out`; sort them by namespace and set, or the repeat flags
/// never apply.
///
/// # Errors
/// A request larger than a frame may be, more bins or a longer bin name than a row has room for; `out` is
/// then as it was.
pub fn write_batch_read<'r>(
    out: &mut Vec<u8>,
    header: &BatchReadHeader<'_>,
    rows: impl ExactSizeIterator<Item = BatchRow<'r>>,
) -> Result<(), WireError> {
    let projection = header.projection.parts()?;
    let count = rows.len();
    out.reserve(64 + header.filter.len() + count.saturating_mul(REPEATED_ROW_LEN).min(MAX_FRAME));
    write_frame(out, FrameType::Message, |out| {
        MessageHeader {
            info1: info1::BATCH | header.message_info1,
            extra: header.timeout_ms,
            n_fields: if header.filter.is_empty() { 1 } else { 2 },
            ..MessageHeader::default()
        }
        .write(out);
        if !header.filter.is_empty() {
            write_field(out, field_type::FILTER, header.filter);
        }
        let field = out.len();
        out.extend_from_slice(&[0, 0, 0, 0, field_type::BATCH]);
        out.extend_from_slice(&(count as u32).to_be_bytes());
        out.push(header.flags);
        let mut previous: Option<BatchRow<'_>> = None;
        for row in rows {
            let mut start = [0; REPEATED_ROW_LEN];
            start[..4].copy_from_slice(&row.index.to_be_bytes());
            start[4..24].copy_from_slice(row.digest);
            match previous {
                Some(before) if same(before.namespace, row.namespace) && same(before.set, row.set) => {
                    start[24] = row_flags::REPEAT;
                    out.extend_from_slice(&start);
                }
                _ => {
                    out.extend_from_slice(&start[..24]);
                    write_full_row(out, header, &projection, &row);
                    previous = Some(row);
                }
            }
        }
        let size = (out.len() - field - 4) as u32;
        out[field..field + 4].copy_from_slice(&size.to_be_bytes());
    })
}

/// Whether two names are equal; mostly they are one and the same.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    std::ptr::eq(a, b) || a == b
}

fn write_full_row(
    out: &mut Vec<u8>,
    header: &BatchReadHeader<'_>,
    projection: &ProjectionParts<'_>,
    row: &BatchRow<'_>,
) {
    out.push(row_flags::INFO | row_flags::TTL);
    out.extend_from_slice(&[info1::READ | header.info1 | projection.info1, 0, header.info3]);
    out.extend_from_slice(&header.read_touch_ttl_percent.to_be_bytes());
    out.extend_from_slice(&2u16.to_be_bytes());
    out.extend_from_slice(&projection.n_ops.to_be_bytes());
    write_field(out, field_type::NAMESPACE, row.namespace);
    write_field(out, field_type::SET, row.set);
    projection.write_ops(out);
}

/// A row's answer, borrowed from a frame. Its fields and operations were walked: [`Record::ops`] gives
/// every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The row's number in the request.
    pub index: u32,
    /// The row's result code.
    pub result_code: ResultCode,
    /// The record's generation.
    pub generation: u32,
    /// Seconds since 2010-01-01 UTC when the record ends, 0 for never.
    pub void_time: u32,
    /// Number of bins.
    pub n_ops: u16,
    ops: &'a [u8],
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
            ops: message.ops_bytes(),
        }
    }

    /// The record's bins.
    #[inline]
    #[must_use]
    pub fn ops(&self) -> Ops<'a> {
        Ops::over(self.ops)
    }

    /// The bytes of the bins, for keeping them; [`Ops::over`] walks them again.
    #[must_use]
    pub fn ops_bytes(&self) -> &'a [u8] {
        self.ops
    }
}

/// A message of a batch response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchAnswer<'a> {
    /// The answer of one row.
    Record(Record<'a>),
    /// The end of the response; a code other than 0 is about all rows that were not answered.
    End {
        /// The result code.
        result_code: ResultCode,
    },
}

/// Reads the answers in the body of one frame of a batch response, in order. After an error, or the end
/// of the response, there is nothing more.
#[derive(Clone, Debug)]
pub struct BatchAnswers<'a> {
    rest: &'a [u8],
}

impl<'a> BatchAnswers<'a> {
    /// The answers in `body`.
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
    use crate::message::FrameHeader;

    const DIGEST: Digest = [1; 20];

    fn row(index: u32, namespace: &'static [u8], set: &'static [u8]) -> BatchRow<'static> {
        BatchRow { index, digest: &DIGEST, namespace, set }
    }

    #[test]
    fn only_rows_of_the_same_namespace_and_set_repeat() {
        let rows = [
            row(0, b"test", b"a"),
            row(1, b"test", b"a"),
            row(2, b"test", b"b"),
            row(3, b"bar", b"b"),
            row(4, b"bar", b"b"),
            row(5, b"test", b"a"),
        ];
        let mut out = Vec::new();
        write_batch_read(&mut out, &BatchReadHeader::default(), rows.into_iter()).unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        let field = message.field(field_type::BATCH).unwrap();
        // The flags of each row, at the end of its index and digest; a full row here is 13 bytes longer and
        // has namespace and set.
        let mut at = 5;
        let mut repeats = Vec::new();
        for row in rows {
            let repeat = field[at + 24] == row_flags::REPEAT;
            repeats.push(repeat);
            let full = 3 + 4 + 4 + 5 + row.namespace.len() + 5 + row.set.len();
            at += REPEATED_ROW_LEN + if repeat { 0 } else { full };
        }
        assert_eq!(repeats, [false, true, false, false, true, false]);
        assert_eq!(at, field.len());
    }

    #[test]
    fn what_does_not_fit_is_refused_and_leaves_nothing_behind() {
        let mut out = vec![1];
        let long = [b'x'; 256];
        let header = BatchReadHeader { projection: Projection::Bins(&[&long]), ..BatchReadHeader::default() };
        assert!(write_batch_read(&mut out, &header, [row(0, b"test", b"")].into_iter()).is_err());
        let many = vec![&b"x"[..]; 65536];
        let header = BatchReadHeader { projection: Projection::Bins(&many), ..BatchReadHeader::default() };
        assert!(write_batch_read(&mut out, &header, [row(0, b"test", b"")].into_iter()).is_err());
        let filter = vec![0; MAX_FRAME];
        let header = BatchReadHeader { filter: &filter, ..BatchReadHeader::default() };
        assert!(write_batch_read(&mut out, &header, [row(0, b"test", b"")].into_iter()).is_err());
        assert_eq!(out, [1]);
    }

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
