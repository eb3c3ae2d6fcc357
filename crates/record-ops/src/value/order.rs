//! The server's order of values.

use std::cmp::Ordering;

use wire_protocol::msgpack::{KEY_ORDERED, Reader, Token};

use crate::value::owned::particle_type_of;
use crate::value::{COMPARISON, INFINITY, Value, WILDCARD};

/// A value's position in the order of types.
fn rank(token: &Token<'_>) -> u8 {
    match token {
        Token::Nil => 0,
        Token::Bool(_) => 1,
        Token::Int(_) | Token::Uint(_) => 2,
        Token::Str(_) => 3,
        Token::List { .. } => 4,
        Token::Map { .. } => 5,
        Token::Blob(_) => 6,
        Token::Float(_) => 7,
        Token::GeoJson(_) => 8,
        Token::Ext { kind: COMPARISON, data: INFINITY } => 10,
        _ => 9,
    }
}

/// Whether the encoded value is a wildcard.
#[must_use]
pub fn is_wildcard(value: &[u8]) -> bool {
    matches!(Reader::new(value).token(), Ok(Token::Ext { kind: COMPARISON, data: WILDCARD }))
}

/// Compares floats. Zeros are equal; NaN comes after (or, negative, before) all numbers, where the server has no order,
/// so that sorting terminates.
fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.total_cmp(&b))
}

/// Bytes compare with their type byte in front. Mostly the types are equal.
fn compare_blobs(a: (Option<u8>, &[u8]), b: (Option<u8>, &[u8])) -> Ordering {
    a.cmp(&b)
}

/// Compares two encoded values, up to the end of the first of each. Bytes that are not a value compare in some order.
///
/// Takes time up to the size of the smaller one and does not recurse.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    compare_noting(a, b, &mut false)
}

/// Compares as [`compare`] does. `None` if that came to a map whose pairs have no order: expressions do not compare
/// these.
pub(crate) fn compare_ordered(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let mut has_unordered = false;
    let order = compare_noting(a, b, &mut has_unordered);
    if has_unordered { None } else { Some(order) }
}

/// Whether a map of `len` pairs, of which the reader is at the first, is not marked as ordered by key.
fn is_unordered(reader: &Reader<'_>, len: usize) -> bool {
    len > 0 && !matches!(reader.clone().token(), Ok(Token::Ext { kind, .. }) if kind & KEY_ORDERED != 0)
}

fn compare_noting(a: &[u8], b: &[u8], has_unordered: &mut bool) -> Ordering {
    let (mut a, mut b) = (Reader::new(a), Reader::new(b));
    // How many values are left to compare, and the order if all of them are equal.
    let (mut pending, mut or_else) = (1usize, Ordering::Equal);
    while pending > 0 {
        pending -= 1;
        let (start_a, start_b) = (a.rest(), b.rest());
        let (Ok(x), Ok(y)) = (a.token(), b.token()) else {
            return a.remaining().cmp(&b.remaining());
        };
        for (token, reader) in [(&x, &a), (&y, &b)] {
            if let Token::Map { len } = *token {
                *has_unordered |= is_unordered(reader, len);
            }
        }
        let order = match (x, y) {
            (Token::Int(x), Token::Int(y)) => x.cmp(&y),
            (Token::Str(x), Token::Str(y)) | (Token::GeoJson(x), Token::GeoJson(y)) => x.cmp(y),
            (Token::Ext { kind: COMPARISON, data: WILDCARD }, _)
            | (_, Token::Ext { kind: COMPARISON, data: WILDCARD }) => return Ordering::Equal,
            (Token::Float(x), Token::Float(y)) => compare_floats(x, y),
            (Token::Bool(x), Token::Bool(y)) => x.cmp(&y),
            (Token::Uint(x), Token::Uint(y)) => x.cmp(&y),
            // A `Uint` is always larger than the largest `Int`.
            (Token::Int(_), Token::Uint(_)) => Ordering::Less,
            (Token::Uint(_), Token::Int(_)) => Ordering::Greater,
            (Token::Blob(x), Token::Blob(y)) => {
                let kind_of = |start: &[u8], rest: usize, bytes: &[u8]| {
                    particle_type_of(start.get(..start.len() - rest).unwrap_or_default(), bytes.len())
                };
                let of_x = kind_of(start_a, a.remaining(), x);
                let of_y = kind_of(start_b, b.remaining(), y);
                compare_blobs((of_x, x), (of_y, y))
            }
            (Token::List { len: x }, Token::List { len: y }) => {
                let (x, y) = (skip_marker(&mut a, x, false), skip_marker(&mut b, y, false));
                if x == y {
                    pending += x;
                } else {
                    // The first elements decide, then the lengths; what follows the lists does not matter.
                    pending = x.min(y);
                    or_else = x.cmp(&y);
                }
                Ordering::Equal
            }
            (Token::Map { len: x }, Token::Map { len: y }) => {
                let (x, y) = (skip_marker(&mut a, x, true), skip_marker(&mut b, y, true));
                // No overflow: the reader checked that twice as many bytes remain.
                pending += 2 * x;
                x.cmp(&y)
            }
            _ => rank(&x).cmp(&rank(&y)),
        };
        if order.is_ne() {
            return order;
        }
    }
    or_else
}

/// Skips the marker of a list's or map's order. Returns the number of elements without it.
fn skip_marker(reader: &mut Reader<'_>, len: usize, is_map: bool) -> usize {
    if len == 0 || !reader.is_at_ext() {
        return len;
    }
    let mut ahead = reader.clone();
    match ahead.token() {
        Ok(Token::Ext { kind, .. }) if kind != COMPARISON => {
            if is_map && ahead.skip_value().is_err() {
                return len;
            }
            *reader = ahead;
            len - 1
        }
        _ => len,
    }
}

/// Compares two values in the same order as [`compare`].
#[must_use]
pub fn compare_values(a: &Value, b: &Value) -> Ordering {
    compare_tree(a, b).unwrap_or(Ordering::Equal)
}

/// `None`: a wildcard was met, which makes the whole values equal.
fn compare_tree(a: &Value, b: &Value) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Wildcard, _) | (_, Value::Wildcard) => return None,
        (Value::Bool(x), Value::Bool(y)) => x.cmp(y),
        (Value::Int(x), Value::Int(y)) => x.cmp(y),
        (Value::Uint(x), Value::Uint(y)) => x.cmp(y),
        (Value::Int(_), Value::Uint(_)) => Ordering::Less,
        (Value::Uint(_), Value::Int(_)) => Ordering::Greater,
        (Value::Float(x), Value::Float(y)) => compare_floats(*x, *y),
        (Value::Str(x), Value::Str(y)) | (Value::GeoJson(x), Value::GeoJson(y)) => x.cmp(y),
        (Value::Blob(_) | Value::Typed(_), Value::Blob(_) | Value::Typed(_)) => {
            compare_blobs(typed(a), typed(b))
        }
        (Value::List(_, x), Value::List(_, y)) => {
            for (x, y) in x.iter().zip(y) {
                match compare_tree(x, y)? {
                    Ordering::Equal => {}
                    order => return Some(order),
                }
            }
            x.len().cmp(&y.len())
        }
        (Value::Map(_, x), Value::Map(_, y)) => {
            if x.len() != y.len() {
                return Some(x.len().cmp(&y.len()));
            }
            for ((xk, xv), (yk, yv)) in x.iter().zip(y) {
                for (x, y) in [(xk, yk), (xv, yv)] {
                    match compare_tree(x, y)? {
                        Ordering::Equal => {}
                        order => return Some(order),
                    }
                }
            }
            Ordering::Equal
        }
        _ => value_rank(a).cmp(&value_rank(b)),
    })
}

fn typed(value: &Value) -> (Option<u8>, &[u8]) {
    match value {
        Value::Blob(bytes) => (Some(wire_protocol::particle::particle_type::BLOB), bytes),
        Value::Typed(bytes) => match bytes.split_first() {
            Some((&kind, bytes)) => (Some(kind), bytes),
            None => (None, &[]),
        },
        _ => (None, &[]),
    }
}

fn value_rank(value: &Value) -> u8 {
    match value {
        Value::Nil => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Uint(_) => 2,
        Value::Str(_) => 3,
        Value::List(..) => 4,
        Value::Map(..) => 5,
        Value::Blob(_) | Value::Typed(_) => 6,
        Value::Float(_) => 7,
        Value::GeoJson(_) => 8,
        Value::Wildcard => 9,
        Value::Infinity => 10,
    }
}
