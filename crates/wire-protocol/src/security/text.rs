//! Names with one byte for their length, as lists in fields have them.

use crate::error::WireError;

const LIMIT: usize = u8::MAX as usize;

/// A number of items, which has one byte.
pub(super) fn count(what: &'static str, size: usize) -> Result<u8, WireError> {
    u8::try_from(size).map_err(|_| WireError::TooLarge { what, size, limit: LIMIT })
}

pub(super) fn push_text(out: &mut Vec<u8>, what: &'static str, text: &str) -> Result<(), WireError> {
    out.push(count(what, text.len())?);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Splits a name off.
pub(super) fn split_text(data: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let truncated = WireError::Truncated { what: "a name" };
    let (&length, rest) = data.split_first().ok_or(truncated.clone())?;
    rest.split_at_checked(usize::from(length)).ok_or(truncated)
}

/// Names are UTF-8, but other clients may have written others: a list of users stays readable.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a list of names: their number, then each with its length.
pub(super) fn parse_texts(data: &[u8]) -> Result<Vec<String>, WireError> {
    let (&count, mut rest) = data.split_first().ok_or(WireError::Truncated { what: "a list of names" })?;
    let mut texts = Vec::new();
    for _ in 0..count {
        let (name, after) = split_text(rest)?;
        texts.push(text(name));
        rest = after;
    }
    Ok(texts)
}
