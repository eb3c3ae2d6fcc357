//! Frames and messages: headers, fields and operations.
//!
//! A frame is an eight-byte [`FrameHeader`] and a body. The body of a message frame holds one
//! [`Message`] (a request) or several (a response), each a [`MessageHeader`], fields and operations.

mod constants;

pub use constants::{field_type, info1, info2, info3, op};

use crate::particle::Particle;
use crate::{ResultCode, WireError};

/// The largest body that a frame may announce.
pub const MAX_FRAME: usize = 128 * 1024 * 1024;

/// What a frame's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameType {
    /// Text: info commands and answers.
    Info,
    /// Login and users.
    Security,
    /// Messages.
    Message,
    /// A deflated frame.
    Compressed,
}

/// The header of a frame: version, type, size of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// What the body is.
    pub kind: FrameType,
    /// Bytes of the body, at most [`MAX_FRAME`].
    pub size: usize,
}

impl FrameHeader {
    /// Bytes of a frame header.
    pub const LEN: usize = 8;

    /// Reads a header.
    ///
    /// # Errors
    /// Another protocol version, an unknown type, a size beyond [`MAX_FRAME`].
    pub fn parse(bytes: &[u8; Self::LEN]) -> Result<Self, WireError> {
        let [version, kind, rest @ ..] = *bytes;
        if version != 2 {
            return Err(WireError::Version { found: version });
        }
        let kind = match kind {
            1 => FrameType::Info,
            2 => FrameType::Security,
            3 => FrameType::Message,
            4 => FrameType::Compressed,
            found => return Err(WireError::FrameType { found }),
        };
        let [a, b, c, d, e, f] = rest;
        let size = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        if size > MAX_FRAME as u64 {
            return Err(WireError::FrameTooLarge { size, limit: MAX_FRAME as u64 });
        }
        Ok(Self { kind, size: size as usize })
    }

    /// The header's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let kind = match self.kind {
            FrameType::Info => 1,
            FrameType::Security => 2,
            FrameType::Message => 3,
            FrameType::Compressed => 4,
        };
        let [_, _, a, b, c, d, e, f] = (self.size as u64).to_be_bytes();
        [2, kind, a, b, c, d, e, f]
    }
}

/// The fixed part of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageHeader {
    /// Bits of [`info1`].
    pub info1: u8,
    /// Bits of [`info2`].
    pub info2: u8,
    /// Bits of [`info3`].
    pub info3: u8,
    /// Bits of the fourth info byte (transactions).
    pub info4: u8,
    /// A response's result code.
    pub result_code: ResultCode,
    /// The record's generation.
    pub generation: u32,
    /// Request: relative seconds to live. Response: void time, seconds since 2010-01-01 UTC, 0 = never.
    pub ttl: u32,
    /// Request: total timeout in milliseconds. Batch response: the row's index. Else 0.
    pub extra: u32,
    /// Number of fields that follow.
    pub n_fields: u16,
    /// Number of operations after the fields.
    pub n_ops: u16,
}

impl MessageHeader {
    /// Bytes of a message header, its own size byte included.
    pub const LEN: usize = 22;

    fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let bytes: &[u8; Self::LEN] =
            bytes.first_chunk().ok_or(WireError::Truncated { what: "a message header" })?;
        let [size, info1, info2, info3, info4, result_code, g0, g1, g2, g3, t0, t1, t2, t3, rest @ ..] =
            *bytes;
        let [e0, e1, e2, e3, f0, f1, o0, o1] = rest;
        if usize::from(size) != Self::LEN {
            return Err(WireError::malformed("message header", "its size is not 22"));
        }
        Ok(Self {
            info1,
            info2,
            info3,
            info4,
            result_code: ResultCode::new(result_code),
            generation: u32::from_be_bytes([g0, g1, g2, g3]),
            ttl: u32::from_be_bytes([t0, t1, t2, t3]),
            extra: u32::from_be_bytes([e0, e1, e2, e3]),
            n_fields: u16::from_be_bytes([f0, f1]),
            n_ops: u16::from_be_bytes([o0, o1]),
        })
    }

    /// Appends the header's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let head = [Self::LEN as u8, self.info1, self.info2, self.info3, self.info4, self.result_code.get()];
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend_from_slice(&self.ttl.to_be_bytes());
        out.extend_from_slice(&self.extra.to_be_bytes());
        out.extend_from_slice(&self.n_fields.to_be_bytes());
        out.extend_from_slice(&self.n_ops.to_be_bytes());
    }
}

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// One of [`field_type`].
    pub kind: u8,
    /// Its bytes.
    pub data: &'a [u8],
}

/// An operation of a request, or a bin of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op<'a> {
    /// One of [`op`].
    pub code: u8,
    /// The value's particle type.
    pub particle_type: u8,
    /// The bin's name, UTF-8 by convention and unchecked here.
    pub name: &'a [u8],
    /// The value's bytes.
    pub value: &'a [u8],
}

impl<'a> Op<'a> {
    /// The value.
    ///
    /// # Errors
    /// A value that its particle type cannot have.
    pub fn particle(&self) -> Result<Particle<'a>, WireError> {
        Particle::parse(self.particle_type, self.value)
    }
}

/// Splits a u32 size and as many bytes from the front. `what` names it in an error.
fn split_sized<'a>(bytes: &'a [u8], what: &'static str) -> Result<(&'a [u8], &'a [u8]), WireError> {
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or(WireError::Truncated { what })?;
    rest.split_at_checked(u32::from_be_bytes(*size) as usize).ok_or(WireError::Truncated { what })
}

pub(crate) fn split_field(bytes: &[u8]) -> Result<(Field<'_>, &[u8]), WireError> {
    let (body, rest) = split_sized(bytes, "a field")?;
    let (&kind, data) =
        body.split_first().ok_or(WireError::malformed("field", "it has no room for its type"))?;
    Ok((Field { kind, data }, rest))
}

#[inline]
fn split_op(bytes: &[u8]) -> Result<(Op<'_>, &[u8]), WireError> {
    let (body, rest) = split_sized(bytes, "an operation")?;
    let (&[code, particle_type, _flags, name_size], body) = body
        .split_first_chunk::<4>()
        .ok_or(WireError::malformed("operation", "it has no room for its header"))?;
    let (name, value) = body
        .split_at_checked(usize::from(name_size))
        .ok_or(WireError::malformed("operation", "its name is longer than itself"))?;
    Ok((Op { code, particle_type, name, value }, rest))
}

/// The bytes after an operation, if there is a whole one: [`split_op`] says what is wrong otherwise.
#[inline]
fn after_op(bytes: &[u8]) -> Option<&[u8]> {
    let header = u64::from_be_bytes(*bytes.first_chunk::<8>()?);
    // Size, code, particle type, flags and length of name, in one look.
    let (size, name) = ((header >> 32) as usize, usize::from(header as u8));
    if size < 4 + name {
        return None;
    }
    bytes.get(4..)?.get(size..)
}

/// The bytes of fields, the bytes of operations, and the bytes after them.
pub(crate) type FieldsOpsRest<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Splits so many fields and operations from the front.
#[inline]
pub(crate) fn split_fields_and_ops(
    bytes: &[u8],
    n_fields: u16,
    n_ops: u16,
) -> Result<FieldsOpsRest<'_>, WireError> {
    let mut rest = bytes;
    for _ in 0..n_fields {
        (_, rest) = split_field(rest)?;
    }
    let (fields, from_ops) = bytes.split_at(bytes.len() - rest.len());
    for _ in 0..n_ops {
        rest = match after_op(rest) {
            Some(rest) => rest,
            None => split_op(rest)?.1,
        };
    }
    Ok((fields, &from_ops[..from_ops.len() - rest.len()], rest))
}

/// A message read in place. Its fields and operations were walked once: iterating over them cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The fixed part.
    pub header: MessageHeader,
    fields: &'a [u8],
    ops: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a message from the front of `bytes`; returns the bytes after it, too.
    ///
    /// # Errors
    /// A header, field or operation that is malformed or ends beyond `bytes`.
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

    /// The data of the first field of that type.
    #[must_use]
    pub fn field(&self, kind: u8) -> Option<&'a [u8]> {
        self.fields().find(|field| field.kind == kind).map(|field| field.data)
    }

    /// The operations, in order.
    #[must_use]
    pub fn ops(&self) -> Ops<'a> {
        Ops::over(self.ops)
    }

    /// The bytes of the operations, for keeping them; [`Ops::over`] walks them again.
    #[must_use]
    pub fn ops_bytes(&self) -> &'a [u8] {
        self.ops
    }
}

/// Fields of a message.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Walks bytes that were walked before. Ends at the first malformed one.
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

/// Operations of a message.
#[derive(Clone, Debug)]
pub struct Ops<'a> {
    rest: &'a [u8],
}

impl<'a> Ops<'a> {
    /// Walks bytes that a [`Message`] gave as its operations. Ends at the first malformed one.
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

/// Appends a field.
pub fn write_field(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    write_field_parts(out, kind, &[data]);
}

/// Appends a field whose data is `parts`, one after the other.
pub fn write_field_parts(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let size: usize = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    out.extend_from_slice(&(size as u32).to_be_bytes());
    out.push(kind);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends an operation.
///
/// # Panics
/// If `name` is longer than 255 bytes; callers check names against the bin name limit first.
pub fn write_op(out: &mut Vec<u8>, code: u8, particle_type: u8, name: &[u8], value: &[u8]) {
    assert!(name.len() <= 255, "a bin name of {} bytes", name.len());
    out.extend_from_slice(&((4 + name.len() + value.len()) as u32).to_be_bytes());
    out.extend_from_slice(&[code, particle_type, 0, name.len() as u8]);
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

/// A number of operations as a header has it.
pub(crate) fn op_count(count: usize) -> Result<u16, WireError> {
    let limit = usize::from(u16::MAX);
    u16::try_from(count).map_err(|_| WireError::TooLarge { what: "a number of bins", size: count, limit })
}

/// Refuses a bin name that an operation has no room for.
pub(crate) fn check_name(name: &[u8]) -> Result<(), WireError> {
    let limit = usize::from(u8::MAX);
    if name.len() > limit {
        return Err(WireError::TooLarge { what: "a bin name", size: name.len(), limit });
    }
    Ok(())
}

/// Writes a message frame around what `body` appends: reserves the frame header and sets its size.
///
/// # Errors
/// A body larger than [`MAX_FRAME`]; `out` is then as it was.
pub fn write_frame(
    out: &mut Vec<u8>,
    kind: FrameType,
    body: impl FnOnce(&mut Vec<u8>),
) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(&[0; FrameHeader::LEN]);
    body(out);
    let size = out.len() - start - FrameHeader::LEN;
    if size > MAX_FRAME {
        out.truncate(start);
        return Err(WireError::TooLarge { what: "a message", size, limit: MAX_FRAME });
    }
    out[start..start + FrameHeader::LEN].copy_from_slice(&FrameHeader { kind, size }.to_bytes());
    Ok(())
}

#[cfg(test)]
mod tests;
