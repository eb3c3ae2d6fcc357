//! Messages read in place: header, fields and operations.

use crate::error::WireError;
use crate::particle::Particle;

use super::MessageHeader;

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// One of [`field_type`](super::field_type).
    pub kind: u8,
    /// The field's data.
    pub data: &'a [u8],
}

/// An operation of a request, or a bin of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op<'a> {
    /// One of [`op`](super::op).
    pub code: u8,
    /// The value's particle type.
    pub particle_type: u8,
    /// The bin's name: UTF-8 by convention, not checked.
    pub name: &'a [u8],
    /// The value's bytes.
    pub value: &'a [u8],
}

impl<'a> Op<'a> {
    /// The operation's value.
    ///
    /// # Errors
    /// Bytes that are not a value of the particle type.
    pub fn particle(&self) -> Result<Particle<'a>, WireError> {
        Particle::parse(self.particle_type, self.value)
    }
}

/// Splits off a part that begins with its size (u32). `what` names it in errors.
fn split_sized<'a>(bytes: &'a [u8], what: &'static str) -> Result<(&'a [u8], &'a [u8]), WireError> {
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or(WireError::Truncated { what })?;
    rest.split_at_checked(u32::from_be_bytes(*size) as usize).ok_or(WireError::Truncated { what })
}

pub(crate) fn split_field(bytes: &[u8]) -> Result<(Field<'_>, &[u8]), WireError> {
    let (body, rest) = split_sized(bytes, "a field")?;
    let (&kind, data) =
        body.split_first().ok_or(WireError::malformed("field", "it is too short for its type"))?;
    Ok((Field { kind, data }, rest))
}

#[inline]
fn split_op(bytes: &[u8]) -> Result<(Op<'_>, &[u8]), WireError> {
    let (body, rest) = split_sized(bytes, "an operation")?;
    let (&[code, particle_type, _flags, name_size], body) = body
        .split_first_chunk::<4>()
        .ok_or(WireError::malformed("operation", "it is too short for its header"))?;
    let (name, value) = body
        .split_at_checked(usize::from(name_size))
        .ok_or(WireError::malformed("operation", "its name is longer than the operation"))?;
    Ok((Op { code, particle_type, name, value }, rest))
}

/// The bytes after a field; `None` if it is malformed or truncated, which [`split_field`] then describes.
#[inline]
fn after_field(bytes: &[u8]) -> Option<&[u8]> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let size = u32::from_be_bytes(*size) as usize;
    if size == 0 {
        return None;
    }
    rest.get(size..)
}

/// The bytes after an operation; `None` if it is malformed or truncated, which [`split_op`] then describes.
#[inline]
fn after_op(bytes: &[u8]) -> Option<&[u8]> {
    let header = u64::from_be_bytes(*bytes.first_chunk::<8>()?);
    // Size, code, particle type, flags and name length in one load.
    let (size, name) = ((header >> 32) as usize, usize::from(header as u8));
    if size < 4 + name {
        return None;
    }
    bytes.get(4..)?.get(size..)
}

/// The bytes of fields, the bytes of operations, and the bytes after them.
pub(crate) type FieldsOpsRest<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Splits off the given numbers of fields and operations.
#[inline]
pub(crate) fn split_fields_and_ops(
    bytes: &[u8],
    n_fields: u16,
    n_ops: u16,
) -> Result<FieldsOpsRest<'_>, WireError> {
    skip_fields_and_ops(bytes, n_fields, n_ops).map_or_else(|| describe(bytes, n_fields, n_ops), Ok)
}

/// The fast path of [`split_fields_and_ops`]: it looks at sizes only, and says nothing about what it refuses, since
/// errors in its loops would cost a tenth of the time of a record.
#[inline]
fn skip_fields_and_ops(bytes: &[u8], n_fields: u16, n_ops: u16) -> Option<FieldsOpsRest<'_>> {
    let mut rest = bytes;
    for _ in 0..n_fields {
        rest = after_field(rest)?;
    }
    let (fields, from_ops) = bytes.split_at(bytes.len() - rest.len());
    for _ in 0..n_ops {
        rest = after_op(rest)?;
    }
    Some((fields, &from_ops[..from_ops.len() - rest.len()], rest))
}

/// The same again, for the error.
#[cold]
#[inline(never)]
fn describe(bytes: &[u8], n_fields: u16, n_ops: u16) -> Result<FieldsOpsRest<'_>, WireError> {
    let mut rest = bytes;
    for _ in 0..n_fields {
        (_, rest) = split_field(rest)?;
    }
    let (fields, from_ops) = bytes.split_at(bytes.len() - rest.len());
    for _ in 0..n_ops {
        (_, rest) = split_op(rest)?;
    }
    Ok((fields, &from_ops[..from_ops.len() - rest.len()], rest))
}

/// A message, read in place. Its fields and operations have been validated, so iterating over them cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The header.
    pub header: MessageHeader,
    fields: &'a [u8],
    ops: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a message from the front of `bytes`; also returns the bytes after it.
    ///
    /// # Errors
    /// A malformed or truncated header, field or operation.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), WireError> {
        let header = MessageHeader::parse(bytes)?;
        let (fields, ops, rest) =
            split_fields_and_ops(&bytes[MessageHeader::LEN..], header.n_fields, header.n_ops)?;
        Ok((Self { header, fields, ops }, rest))
    }

    /// Reads the one message that `body` holds.
    ///
    /// # Errors
    /// As [`Message::parse`], and bytes after the message.
    pub fn parse_only(body: &'a [u8]) -> Result<Self, WireError> {
        match Self::parse(body)? {
            (message, []) => Ok(message),
            _ => Err(WireError::malformed("message", "bytes follow it")),
        }
    }

    /// The fields, in order.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::over(self.fields)
    }

    /// The data of the first field of the given type.
    #[must_use]
    pub fn field(&self, kind: u8) -> Option<&'a [u8]> {
        self.fields().find(|field| field.kind == kind).map(|field| field.data)
    }

    pub(crate) fn fields_bytes(&self) -> &'a [u8] {
        self.fields
    }

    /// The operations, in order.
    #[must_use]
    pub fn ops(&self) -> Ops<'a> {
        Ops::over(self.ops)
    }

    /// The bytes of the operations, to be kept; [`Ops::over`] reads them again.
    #[must_use]
    pub fn ops_bytes(&self) -> &'a [u8] {
        self.ops
    }
}

/// Iterates over the fields of a message.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads validated fields. Ends at the first malformed one.
    pub(crate) fn over(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let (field, rest) = split_field(self.rest).ok()?;
        self.rest = rest;
        Some(field)
    }
}

/// Iterates over the operations of a message.
#[derive(Clone, Debug)]
pub struct Ops<'a> {
    rest: &'a [u8],
}

impl<'a> Ops<'a> {
    /// Reads the bytes of a [`Message`]'s operations. Ends at the first malformed one.
    #[must_use]
    pub fn over(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Ops<'a> {
    type Item = Op<'a>;

    #[inline]
    fn next(&mut self) -> Option<Op<'a>> {
        let (op, rest) = split_op(self.rest).ok()?;
        self.rest = rest;
        Some(op)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{op, write_field, write_op};

    #[test]
    fn what_the_fast_path_refuses_is_described() {
        let mut whole = Vec::new();
        write_field(&mut whole, 1, b"set");
        write_field(&mut whole, 2, b"");
        write_op(&mut whole, op::READ, 3, b"bin", b"value");
        write_op(&mut whole, op::READ, 0, b"", b"");
        let check = |bytes: &[u8]| {
            for (n_fields, n_ops) in [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (3, 0)] {
                let skipped = skip_fields_and_ops(bytes, n_fields, n_ops);
                assert_eq!(skipped, describe(bytes, n_fields, n_ops).ok(), "{n_fields} {n_ops} {bytes:?}");
            }
        };
        for end in 0..=whole.len() {
            check(&whole[..end]);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 3, 4, 5, 8, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = byte;
                check(&changed);
            }
        }
    }
}
