//! Batch requests as a server reads them: the rows of the batch field, in place.

use crate::batch::{REPEATED_ROW_LEN, row_flags};
use crate::digest::{DIGEST_LEN, Digest};
use crate::error::WireError;
use crate::message::{Fields, Ops, split_fields_and_ops};

/// Iterates over the rows in the field of type [`BATCH`](crate::message::field_type::BATCH) of a request.
///
/// [`BatchRequestRows::parse`] validates the whole field: a malformed row fails the batch before any row runs, as in
/// the server, and iterating cannot fail. What a row means (its namespace, whether it may read or write) is not
/// checked.
#[derive(Clone, Debug)]
pub struct BatchRequestRows<'a> {
    flags: u8,
    rows_left: usize,
    rest: &'a [u8],
    /// What a row with the repeat flag takes over.
    previous: Option<Body<'a>>,
}

/// A row of a batch request. A row with the repeat flag has the parts of the row before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRequestRow<'a> {
    /// The number by which the answer refers to the row. Any value is possible, also the same for several rows.
    pub index: u32,
    /// The record's digest.
    pub digest: &'a Digest,
    /// The row's own bits of [`row_flags`].
    pub flags: u8,
    body: Body<'a>,
}

/// All of a row except its index and digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Body<'a> {
    info: [u8; 4],
    generation: u16,
    ttl: u32,
    fields: &'a [u8],
    ops: &'a [u8],
}

impl<'a> BatchRequestRow<'a> {
    /// Bits of [`crate::message::info1`].
    #[must_use]
    pub fn info1(&self) -> u8 {
        self.body.info[0]
    }

    /// Bits of [`crate::message::info2`]; 0 if the row has none.
    #[must_use]
    pub fn info2(&self) -> u8 {
        self.body.info[1]
    }

    /// Bits of [`crate::message::info3`]; 0 if the row has none.
    #[must_use]
    pub fn info3(&self) -> u8 {
        self.body.info[2]
    }

    /// Bits of the fourth info byte; 0 if the row has none.
    #[must_use]
    pub fn info4(&self) -> u8 {
        self.body.info[3]
    }

    /// The generation that a write expects; 0 if the row has none.
    #[must_use]
    pub fn generation(&self) -> u16 {
        self.body.generation
    }

    /// A write's time to live in seconds, a read's percentage for touching the record; 0 if the row has none.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        self.body.ttl
    }

    /// The row's fields: namespace, set and so on.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::over(self.body.fields)
    }

    /// The data of the first field of that type.
    #[must_use]
    pub fn field(&self, kind: u8) -> Option<&'a [u8]> {
        self.fields().find(|field| field.kind == kind).map(|field| field.data)
    }

    /// The row's operations.
    #[must_use]
    pub fn ops(&self) -> Ops<'a> {
        Ops::over(self.body.ops)
    }
}

impl<'a> BatchRequestRows<'a> {
    /// Validates the data of a batch field.
    ///
    /// # Errors
    /// Fewer rows than the field announces, a malformed row, a first row with the repeat flag, bytes after the last
    /// row.
    pub fn parse(field: &'a [u8]) -> Result<Self, WireError> {
        let (&[c0, c1, c2, c3, flags], rest) =
            field.split_first_chunk().ok_or(WireError::Truncated { what: "a batch field" })?;
        let count = u32::from_be_bytes([c0, c1, c2, c3]) as usize;
        if count > rest.len() / REPEATED_ROW_LEN {
            return Err(WireError::malformed("batch field", "it has no room for its rows"));
        }
        let rows = Self { flags, rows_left: count, rest, previous: None };
        let mut walk = rows.clone();
        while walk.rows_left > 0 {
            walk.row()?;
        }
        if walk.rest.is_empty() {
            Ok(rows)
        } else {
            Err(WireError::malformed("batch field", "bytes follow its last row"))
        }
    }

    /// Bits of [`crate::batch::batch_flags`].
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.flags
    }

    #[inline]
    fn row(&mut self) -> Result<BatchRequestRow<'a>, WireError> {
        const TRUNCATED: WireError = WireError::Truncated { what: "a batch row" };
        let (&index, rest) = self.rest.split_first_chunk().ok_or(TRUNCATED)?;
        let (digest, rest) = rest.split_first_chunk::<DIGEST_LEN>().ok_or(TRUNCATED)?;
        let (&flags, rest) = rest.split_first().ok_or(TRUNCATED)?;
        let (body, rest) = if flags & row_flags::REPEAT == 0 {
            split_body(flags, rest)?
        } else {
            let body = self
                .previous
                .ok_or(WireError::malformed("batch row", "the first row has the repeat flag"))?;
            (body, rest)
        };
        self.rest = rest;
        self.rows_left -= 1;
        self.previous = Some(body);
        Ok(BatchRequestRow { index: u32::from_be_bytes(index), digest, flags, body })
    }
}

/// Splits off the part of a row after its flags.
fn split_body(flags: u8, bytes: &[u8]) -> Result<(Body<'_>, &[u8]), WireError> {
    let mut rest = bytes;
    let mut body = Body::default();
    [body.info[0]] = take(&mut rest)?;
    if flags & row_flags::INFO != 0 {
        [body.info[1], body.info[2]] = take(&mut rest)?;
    }
    if flags & row_flags::INFO4 != 0 {
        [body.info[3]] = take(&mut rest)?;
    }
    if flags & row_flags::GENERATION != 0 {
        body.generation = u16::from_be_bytes(take(&mut rest)?);
    }
    if flags & row_flags::TTL != 0 {
        body.ttl = u32::from_be_bytes(take(&mut rest)?);
    }
    let n_fields = u16::from_be_bytes(take(&mut rest)?);
    let n_ops = u16::from_be_bytes(take(&mut rest)?);
    let (fields, ops, rest) = split_fields_and_ops(rest, n_fields, n_ops)?;
    Ok((Body { fields, ops, ..body }, rest))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], WireError> {
    let (bytes, after) = rest.split_first_chunk().ok_or(WireError::Truncated { what: "a batch row" })?;
    *rest = after;
    Ok(*bytes)
}

impl<'a> Iterator for BatchRequestRows<'a> {
    type Item = BatchRequestRow<'a>;

    #[inline]
    fn next(&mut self) -> Option<BatchRequestRow<'a>> {
        if self.rows_left == 0 { None } else { self.row().ok() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rows_left, Some(self.rows_left))
    }
}

impl ExactSizeIterator for BatchRequestRows<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{field_type, op, write_field, write_op};

    const REPEAT: u8 = row_flags::REPEAT;

    fn field(count: u32, rows: &[&[u8]]) -> Vec<u8> {
        let mut out = count.to_be_bytes().to_vec();
        out.push(5);
        out.extend(rows.concat());
        out
    }

    fn head(index: u32, digest: u8, flags: u8) -> Vec<u8> {
        let mut out = index.to_be_bytes().to_vec();
        out.extend([digest; 20]);
        out.push(flags);
        out
    }

    /// A row with every optional part.
    fn full(index: u32) -> Vec<u8> {
        let mut out = head(index, 1, 2 | 4 | 8 | 16);
        out.extend([1, 2, 3, 4, 0, 5, 0, 0, 0, 6, 0, 1, 0, 1]);
        write_field(&mut out, field_type::NAMESPACE, b"test");
        write_op(&mut out, op::READ, 0, b"a", b"");
        out
    }

    #[test]
    fn a_row_has_its_own_parts_or_those_of_the_row_before_it() {
        let mut bare = head(9, 3, 0);
        bare.extend([1, 0, 0, 0, 0]);
        let field = field(4, &[&full(7), &head(u32::MAX, 2, REPEAT), &bare, &head(1, 4, REPEAT)]);
        let rows = BatchRequestRows::parse(&field).unwrap();
        assert_eq!((rows.len(), rows.flags()), (4, 5));
        let rows: Vec<_> = rows.collect();
        for (row, index, digest) in [(&rows[0], 7, 1), (&rows[1], u32::MAX, 2)] {
            assert_eq!((row.index, row.digest), (index, &[digest; 20]));
            assert_eq!((row.info1(), row.info2(), row.info3(), row.info4()), (1, 2, 3, 4));
            assert_eq!((row.generation(), row.ttl()), (5, 6));
            assert_eq!(row.field(field_type::NAMESPACE), Some(&b"test"[..]));
            assert_eq!(row.field(field_type::SET), None);
            assert_eq!(row.ops().map(|op| op.name).collect::<Vec<_>>(), [b"a"]);
        }
        assert_eq!((rows[0].flags, rows[1].flags), (2 | 4 | 8 | 16, REPEAT));
        for row in &rows[2..] {
            assert_eq!((row.info1(), row.info2(), row.info3(), row.info4()), (1, 0, 0, 0));
            assert_eq!((row.generation(), row.ttl()), (0, 0));
            assert_eq!((row.fields().count(), row.ops().count()), (0, 0));
        }
    }

    #[test]
    fn what_is_not_the_announced_rows_is_refused() {
        assert_eq!(BatchRequestRows::parse(&field(0, &[])).unwrap().count(), 0);
        let two = field(2, &[&full(0), &head(1, 2, REPEAT)]);
        assert!(BatchRequestRows::parse(&two).is_ok());
        for len in 0..two.len() {
            assert!(BatchRequestRows::parse(&two[..len]).is_err(), "cut to {len}");
        }
        assert!(BatchRequestRows::parse(&field(1, &[&full(0), &[0]])).is_err(), "bytes follow");
        assert!(BatchRequestRows::parse(&field(1, &[&head(0, 0, REPEAT)])).is_err(), "repeats nothing");
        assert!(BatchRequestRows::parse(&field(u32::MAX, &[&full(0)])).is_err(), "no room");
    }
}
