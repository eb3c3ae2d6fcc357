//! Lists of the wire, walked in place into the elements of a sub-array.

use wire_protocol::WireError;
use wire_protocol::msgpack::{Reader, Token};

use crate::convert::field::Number;
use crate::error::Reason;

const WHAT: &str = "list";

/// Takes the elements of a list in the order of the flat sub-array; says how many changed to fit.
pub(crate) trait Elements {
    /// What an element may be, for an error.
    fn takes(&self) -> &'static str;

    /// Takes the next element.
    fn put(&mut self, number: Number) -> Result<u64, Reason>;

    /// Takes the next elements, doubles with their tags, all of them or none: None where it cannot, or where one of
    /// them needs a closer look.
    fn put_doubles(&mut self, doubles: &[[u8; 9]]) -> Option<u64>;
}

/// Doubles that are worth taking together.
const RUN: usize = 4;

/// Walks the list in `bytes`, nested as `shape` says, and gives each number to `elements`; sums up what that
/// returns.
///
/// `shape` has at least one dimension, and each at least one element (a field's invariant).
pub(crate) fn walk(bytes: &[u8], shape: &[usize], elements: &mut impl Elements) -> Result<u64, Reason> {
    let mut reader = Reader::new(bytes);
    let mut changed = 0;
    let mut index = 0;
    let mut in_runs = true;
    let last = shape.last().copied().unwrap_or(1);
    let rows = shape.iter().product::<usize>() / last;
    for row in 0..rows {
        open(&mut reader, shape, row)?;
        let end = index + last;
        while index < end {
            if in_runs {
                let mut ahead = reader.clone();
                let doubles = ahead.doubles(end - index);
                if doubles.len() >= RUN {
                    if let Some(more) = elements.put_doubles(doubles) {
                        changed += more;
                        index += doubles.len();
                        reader = ahead;
                        continue;
                    }
                    // Once is enough: what is not taken is walked one by one.
                    in_runs = false;
                }
            }
            changed += element(&mut reader, index, elements)?;
            index += 1;
        }
    }
    if !reader.is_at_end() {
        return Err(WireError::Malformed { what: WHAT, why: "bytes follow it" }.into());
    }
    Ok(changed)
}

/// Reads the starts of all lists that begin at this row of the innermost dimension, the outermost first.
fn open(reader: &mut Reader<'_>, shape: &[usize], row: usize) -> Result<(), Reason> {
    // A list begins in a dimension when the row is the first one of all dimensions further in.
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
            Token::List { len } => len - order_marks(reader, len)?,
            other => return Err(Reason::NoList { dimension, found: type_name(other) }),
        };
        if found != expected {
            return Err(Reason::ListLength { dimension, expected, found });
        }
    }
    Ok(())
}

/// Passes over the mark that an ordered list starts with. It counts in the list's length and is no
/// element.
fn order_marks(reader: &mut Reader<'_>, len: usize) -> Result<usize, Reason> {
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
fn element(reader: &mut Reader<'_>, index: usize, elements: &mut impl Elements) -> Result<u64, Reason> {
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

/// The type's name, as particles have it.
fn type_name(token: Token<'_>) -> &'static str {
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
