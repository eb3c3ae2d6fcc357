//! Lists into the elements of a sub-array, read in place.

use wire_protocol::WireError;
use wire_protocol::msgpack::{Reader, Token};

use crate::error::Reason;

use super::number::Number;

const WHAT: &str = "list";

/// Takes the elements of a list, in the order of the flat sub-array, and returns how many changed to fit.
pub(super) trait ElementSink {
    /// The types that an element may have, as messages name them.
    fn takes(&self) -> &'static str;

    /// Takes the next element.
    fn put(&mut self, number: Number) -> Result<u64, Reason>;

    /// Takes the next elements, which are doubles with their tags, all or none: `None` if doubles are not taken in
    /// blocks, or if one of them may be a failure.
    fn put_doubles(&mut self, doubles: &[[u8; 9]]) -> Option<u64>;
}

/// The number of doubles from which taking them together is faster.
const RUN: usize = 4;

/// Reads the list in `bytes`, nested according to `shape`, and passes each number to `elements`. Returns the number of
/// elements that changed to fit.
///
/// `shape` has at least one dimension, and each dimension at least one element (an invariant of fields).
pub(super) fn read(bytes: &[u8], shape: &[usize], elements: &mut impl ElementSink) -> Result<u64, Reason> {
    let mut reader = Reader::new(bytes);
    let changed = read_next(&mut reader, shape, elements)?;
    if !reader.is_at_end() {
        return Err(WireError::Malformed { what: WHAT, why: "bytes follow it" }.into());
    }
    Ok(changed)
}

/// Like [`read`] for the list that is next in `reader`, which is behind it afterwards. After an error its position is
/// undefined.
pub(super) fn read_next(
    reader: &mut Reader<'_>,
    shape: &[usize],
    elements: &mut impl ElementSink,
) -> Result<u64, Reason> {
    let mut changed = 0;
    let mut index = 0;
    let mut in_runs = true;
    let last = shape.last().copied().unwrap_or(1);
    let rows = shape.iter().product::<usize>() / last;
    for row in 0..rows {
        open(reader, shape, row)?;
        let end = index + last;
        while index < end {
            if in_runs {
                let mut ahead = reader.clone();
                let doubles = ahead.doubles(end - index);
                if doubles.len() >= RUN {
                    if let Some(more) = elements.put_doubles(doubles) {
                        changed += more;
                        index += doubles.len();
                        *reader = ahead;
                        continue;
                    }
                    // Not tried again: from here on, elements are read one by one.
                    in_runs = false;
                }
            }
            changed += element(reader, index, elements)?;
            index += 1;
        }
    }
    Ok(changed)
}

/// Reads the headers of all lists that begin at this row of the innermost dimension, outermost first.
fn open(reader: &mut Reader<'_>, shape: &[usize], row: usize) -> Result<(), Reason> {
    // A list of a dimension begins here if the row is the first one inside all inner dimensions.
    let mut rows_inside = 1;
    let mut first = shape.len().saturating_sub(1);
    for (dimension, &length) in shape.iter().enumerate().rev().skip(1) {
        rows_inside *= length;
        if !row.is_multiple_of(rows_inside) {
            break;
        }
        first = dimension;
    }
    for (dimension, &expected) in shape.iter().enumerate().skip(first) {
        let found = match reader.token()? {
            Token::List { len } => len - skip_order(reader, len)?,
            other => return Err(Reason::NoList { dimension, found: type_name(other) }),
        };
        if found != expected {
            return Err(Reason::ListLength { dimension, expected, found });
        }
    }
    Ok(())
}

/// Skips the token with which an ordered list starts. It counts in the length of the list and is not an element.
fn skip_order(reader: &mut Reader<'_>, len: usize) -> Result<usize, Reason> {
    if len == 0 {
        return Ok(0);
    }
    let mut ahead = reader.clone();
    if let Token::Ext { .. } = ahead.token()? {
        *reader = ahead;
        return Ok(1);
    }
    Ok(0)
}

#[inline]
fn element(reader: &mut Reader<'_>, index: usize, elements: &mut impl ElementSink) -> Result<u64, Reason> {
    let token = reader.token()?;
    let number = match token {
        Token::Float(value) => Number::Float(value),
        Token::Int(value) => Number::Int(value),
        Token::Bool(value) => Number::Bool(value),
        Token::Uint(value) => Number::Uint(value),
        other => return Err(refuse(index, other, Reason::TypeNotTaken { takes: elements.takes() })),
    };
    elements.put(number).map_err(|reason| refuse(index, token, reason))
}

#[cold]
fn refuse(index: usize, token: Token<'_>, reason: Reason) -> Reason {
    Reason::Element { index, found: type_name(token), reason: Box::new(reason) }
}

/// The name of a token's type, the same as for particles.
pub(crate) fn type_name(token: Token<'_>) -> &'static str {
    match token {
        Token::Nil => "nil",
        Token::Bool(_) => "bool",
        Token::Int(_) | Token::Uint(_) => "integer",
        Token::Float(_) => "float",
        Token::Str(_) => "string",
        Token::Blob(_) => "blob",
        Token::GeoJson(_) => "GeoJSON",
        Token::List { .. } => "list",
        Token::Map { .. } => "map",
        _ => "unknown",
    }
}
