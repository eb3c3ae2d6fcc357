//! Requests for batches that read bins.

use crate::command::{Projection, ProjectionParts};
use crate::digest::Digest;
use crate::error::WireError;
use crate::message::{FrameType, MAX_FRAME, MessageHeader, field_type, info1, write_field, write_frame};

use super::{REPEATED_ROW_LEN, batch_flags, row_flags, same};

/// What all rows of a batch read have in common.
#[derive(Clone, Copy, Debug)]
pub struct BatchReadHeader<'a> {
    /// Bins to read; [`write_batch_reads`] has those of each row instead.
    pub projection: Projection<'a>,
    /// Bits of [`batch_flags`].
    pub flags: u8,
    /// The server's timeout in milliseconds; 0 for the server's default.
    pub timeout_ms: u32,
    /// Additional [`info1`] bits of each row, such as [`info1::READ_MODE_AP_ALL`].
    pub info1: u8,
    /// [`info3`](crate::message::info3) bits of each row: the strong-consistency read mode.
    pub info3: u8,
    /// Reset the time to live when less than this percentage is left; 0 for the server's default.
    pub read_touch_ttl_percent: u32,
    /// [`info1`] bits of the message itself, such as [`info1::COMPRESS_RESPONSE`].
    pub message_info1: u8,
    /// An encoded filter expression; empty for none.
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
    /// The number by which the answer refers to the row.
    pub index: u32,
    /// The record's digest.
    pub digest: &'a Digest,
    /// The record's namespace.
    pub namespace: &'a [u8],
    /// The record's set; empty for none.
    pub set: &'a [u8],
}

/// Appends a batch read of `rows`. Rows should be sorted by namespace and set: only a row with the namespace and set of
/// the row before it is written in short form.
///
/// # Errors
/// A request larger than a frame, too many bins, a bin name that is too long. `out` is then unchanged.
pub fn write_batch_read<'r>(
    out: &mut Vec<u8>,
    header: &BatchReadHeader<'_>,
    rows: impl ExactSizeIterator<Item = BatchRow<'r>>,
) -> Result<(), WireError> {
    write_batch_reads(out, header, &[header.projection], rows.map(|row| (row, 0)))
}

/// [`write_batch_read`] for rows that read different bins: each has the position of its bins in `projections`. Rows
/// should be sorted by this position, too.
///
/// # Errors
/// Those of [`write_batch_read`], and a position without a projection.
pub fn write_batch_reads<'r>(
    out: &mut Vec<u8>,
    header: &BatchReadHeader<'_>,
    projections: &[Projection<'_>],
    rows: impl ExactSizeIterator<Item = (BatchRow<'r>, usize)>,
) -> Result<(), WireError> {
    let projections: Vec<_> = projections.iter().map(|each| each.parts()).collect::<Result<_, _>>()?;
    let (mut is_unknown, at_first) = (false, out.len());
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
        let mut previous: Option<(BatchRow<'_>, usize)> = None;
        for (row, reads) in rows {
            let mut start = [0; REPEATED_ROW_LEN];
            start[..4].copy_from_slice(&row.index.to_be_bytes());
            start[4..24].copy_from_slice(row.digest);
            match previous {
                Some((before, same_reads))
                    if same_reads == reads
                        && same(before.namespace, row.namespace)
                        && same(before.set, row.set) =>
                {
                    start[24] = row_flags::REPEAT;
                    out.extend_from_slice(&start);
                }
                _ => {
                    let Some(projection) = projections.get(reads) else {
                        is_unknown = true;
                        break;
                    };
                    out.extend_from_slice(&start[..24]);
                    write_full_row(out, header, projection, &row);
                    previous = Some((row, reads));
                }
            }
        }
        let size = (out.len() - field - 4) as u32;
        out[field..field + 4].copy_from_slice(&size.to_be_bytes());
    })?;
    if is_unknown {
        out.truncate(at_first);
        return Err(WireError::Malformed { what: "batch read", why: "a row whose bins are not listed" });
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{FrameHeader, Message};

    const DIGEST: Digest = [1; 20];

    fn row(index: u32, namespace: &'static [u8], set: &'static [u8]) -> BatchRow<'static> {
        BatchRow { index, digest: &DIGEST, namespace, set }
    }

    #[test]
    fn rows_of_one_set_may_read_different_bins() {
        let projections = [Projection::Bins(&[b"a"]), Projection::Bins(&[b"b"])];
        let (header, row) = (BatchReadHeader::default(), |index, reads| (row(index, b"test", b"s"), reads));
        let mut out = vec![1];
        let rows = [row(0, 0), row(1, 0), row(2, 1), row(3, 1), row(4, 0)];
        write_batch_reads(&mut out, &header, &projections, rows.into_iter()).unwrap();
        let reads = |name| out.windows(9).filter(|op| *op == [0, 0, 0, 5, 1, 0, 0, 1, name]).count();
        assert_eq!((reads(b'a'), reads(b'b')), (2, 1));
        let mut out = vec![1];
        assert!(write_batch_reads(&mut out, &header, &projections, [row(0, 2)].into_iter()).is_err());
        assert_eq!(out, [1]);
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
}
