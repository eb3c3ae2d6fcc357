//! Bit operations that change a blob.

use crate::bit_string::{WORD, low_bits, read_bits, write_bits};
use crate::bits::MAX_BYTES;
use crate::bits::arguments::{Code, Operation, Outcome, flags, integer_flags, resize_flags};
use crate::error::OpError;
use crate::value::MAX_VALUE;

const OUTSIDE: OpError = OpError::not_applicable("a bit operation reaches past the end of the blob");

/// Applies an operation to a blob; `None` is one that does not exist.
pub(super) fn apply(operation: &Operation<'_>, old: Option<&[u8]>) -> Result<Outcome, OpError> {
    let old = old.unwrap_or_default();
    let start = operation.start(old.len())?;
    let resized = match operation.code {
        Code::Resize => resize(operation, old.len()),
        Code::Insert => Ok(Some(insert(operation, start, old.len()))),
        Code::Remove => remove(operation, start, old.len()),
        _ => return change_bits(operation, start, old),
    };
    match resized {
        Ok(Some(pieces)) => pieces.build(old).map(Outcome::Done),
        Ok(None) => Ok(Outcome::Nothing),
        Err(error) => Ok(Outcome::Failed(error)),
    }
}

/// A new blob: the start of the old one, zeros, a buffer, the end of the old one.
struct Pieces<'b> {
    head: usize,
    zeros: usize,
    buffer: &'b [u8],
    /// Where the end of the old blob starts.
    tail: usize,
}

impl Pieces<'_> {
    fn build(&self, old: &[u8]) -> Result<Vec<u8>, OpError> {
        let (head, tail) =
            (old.get(..self.head).unwrap_or_default(), old.get(self.tail..).unwrap_or_default());
        let size = head.len() + self.zeros + self.buffer.len() + tail.len();
        if size as u64 >= MAX_BYTES {
            return Err(OpError::parameter("the blob would be larger than a message"));
        }
        if size > MAX_VALUE {
            return Err(OpError::too_big("the blob would be larger than a record"));
        }
        let mut new = Vec::with_capacity(size);
        new.extend_from_slice(head);
        new.resize(head.len() + self.zeros, 0);
        new.extend_from_slice(self.buffer);
        new.extend_from_slice(tail);
        Ok(new)
    }
}

fn resize(operation: &Operation<'_>, old: usize) -> Result<Option<Pieces<'static>>, OpError> {
    let has = |flag| operation.subflags & flag != 0;
    let size = operation.size / 8;
    let is_front = has(resize_flags::FROM_FRONT);
    if size < old && has(resize_flags::GROW_ONLY) || size > old && has(resize_flags::SHRINK_ONLY) {
        return Err(OpError::parameter("the flags of a resize do not allow the new size"));
    }
    let zeros = size.saturating_sub(old);
    Ok(match (size == old, is_front) {
        (true, _) => None,
        (false, false) => Some(Pieces { head: size.min(old), zeros, buffer: &[], tail: old }),
        (false, true) => Some(Pieces { head: 0, zeros, buffer: &[], tail: old.saturating_sub(size) }),
    })
}

fn insert<'b>(operation: &Operation<'b>, start: usize, old: usize) -> Pieces<'b> {
    let at = start / 8;
    let head = at.min(old);
    Pieces { head, zeros: at - head, buffer: operation.buffer, tail: head }
}

fn remove(operation: &Operation<'_>, start: usize, old: usize) -> Result<Option<Pieces<'static>>, OpError> {
    let (at, size) = (start / 8, operation.size / 8);
    if at >= old || at + size > old && operation.flags & flags::PARTIAL == 0 {
        return Err(OpError::parameter("a remove reaches past the end of the blob"));
    }
    Ok(Some(Pieces { head: at, zeros: 0, buffer: &[], tail: (at + size).min(old) }))
}

/// Applies an operation that keeps the size.
fn change_bits(operation: &Operation<'_>, start: usize, old: &[u8]) -> Result<Outcome, OpError> {
    let available = (old.len() * 8).saturating_sub(start);
    let is_partial = operation.flags & flags::PARTIAL != 0;
    if available == 0 || operation.size > available && !is_partial {
        return Ok(Outcome::Failed(OUTSIDE));
    }
    let size = operation.size.min(available);
    let mut new = old.to_vec();
    match operation.code {
        Code::Add | Code::Subtract => match sum(operation, read_bits(old, start, size)) {
            Some(value) => write_bits(&mut new, start, size, value),
            None => {
                return Ok(Outcome::Failed(OpError::not_applicable("the sum of a bit operation overflows")));
            }
        },
        Code::SetInteger => write_bits(&mut new, start, size, operation.value),
        _ => {
            for at in (0..size).step_by(WORD) {
                let len = WORD.min(size - at);
                let value = word(operation, old, start, size, at, len);
                write_bits(&mut new, start + at, len, value);
            }
        }
    }
    Ok(Outcome::Done(new))
}

/// The new value of `len` bits at `at` in an operation on `size` bits from `start`.
fn word(operation: &Operation<'_>, old: &[u8], start: usize, size: usize, at: usize, len: usize) -> u64 {
    let before = || read_bits(old, start + at, len);
    let given = || read_bits(operation.buffer, at, len);
    let shift = usize::try_from(operation.value).unwrap_or(usize::MAX);
    match operation.code {
        Code::Set => given(),
        Code::Or => before() | given(),
        Code::Xor => before() ^ given(),
        Code::And => before() & given(),
        Code::Not => !before(),
        Code::LeftShift => {
            let from = at.saturating_add(shift);
            let there = size.saturating_sub(from).min(len);
            if there == 0 { 0 } else { read_bits(old, start + from, there) << (len - there) }
        }
        Code::RightShift => {
            let zeros = shift.saturating_sub(at).min(len);
            if zeros == len { 0 } else { read_bits(old, start + at + zeros - shift, len - zeros) }
        }
        // The other operations are not applied word by word.
        _ => before(),
    }
}

/// The sum or difference of an integer of the blob and the operation's, or `None` if it overflows.
fn sum(operation: &Operation<'_>, old: u64) -> Option<u64> {
    let bits = operation.size;
    let mask = low_bits(bits);
    let has = |flag| operation.subflags & flag != 0;
    let is_add = operation.code == Code::Add;
    let value = operation.value & mask;
    let result = if is_add { old.wrapping_add(value) } else { old.wrapping_sub(value) } & mask;
    if has(integer_flags::WRAP) {
        return Some(result);
    }
    let saturated = if has(integer_flags::SIGNED) {
        let signed = |value: u64| value.cast_signed() << (WORD - bits) >> (WORD - bits);
        let added = if is_add { value } else { value.wrapping_neg() };
        match (signed(old), signed(added), signed(result)) {
            // Like the server, a sum of exactly 0 counts as fitting.
            (..=-1, ..=-1, 1..) => (mask >> (bits - 1)) << (bits - 1),
            (1.., 1.., ..=-1) => mask >> 1,
            _ => return Some(result),
        }
    } else if is_add && result < old {
        mask
    } else if !is_add && result > old {
        0
    } else {
        return Some(result);
    };
    has(integer_flags::SATURATE).then_some(saturated)
}
