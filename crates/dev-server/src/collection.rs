//! Lists and maps as the server keeps them: the pairs of a map in the order of their keys.

use std::cmp::Ordering;

use wire_protocol::msgpack::{self, Reader, Token};
use wire_protocol::particle::particle_type;

/// A list or map in the server's order; `None` for bytes that are not one whole value of that type.
pub(crate) fn in_order(kind: u8, value: &[u8]) -> Option<Vec<u8>> {
    // Nests no deeper than `msgpack::MAX_DEPTH` after this, so the recursion below does not either.
    msgpack::check(value).ok()?;
    match (kind, Reader::new(value).token().ok()?) {
        (particle_type::LIST, Token::List { .. }) | (particle_type::MAP, Token::Map { .. }) => {}
        _ => return None,
    }
    let mut out = Vec::with_capacity(value.len());
    write_in_order(&mut Reader::new(value), value, &mut out)?;
    Some(out)
}

/// Splits the next whole value from a reader of `all`.
fn split<'a>(reader: &mut Reader<'a>, all: &'a [u8]) -> Option<&'a [u8]> {
    let start = all.len() - reader.remaining();
    reader.skip_value().ok()?;
    all.get(start..all.len() - reader.remaining())
}

/// Copies the next value from a reader of `all`.
fn write_in_order<'a>(reader: &mut Reader<'a>, all: &'a [u8], out: &mut Vec<u8>) -> Option<()> {
    let start = all.len() - reader.remaining();
    let token = reader.token().ok()?;
    out.extend_from_slice(all.get(start..all.len() - reader.remaining())?);
    match token {
        Token::List { len } => {
            for _ in 0..len {
                write_in_order(reader, all, out)?;
            }
        }
        Token::Map { len } => {
            // Not reserved at once: the number of pairs is only announced.
            let mut pairs = Vec::new();
            for _ in 0..len {
                let key = split(reader, all)?;
                let value = split(reader, all)?;
                // The pair that carries the map's order stays in front.
                let is_order = matches!(Reader::new(key).token(), Ok(Token::Ext { .. }));
                pairs.push((!is_order, key, value));
            }
            // Stable: pairs of equal keys stay in the order in which they came.
            pairs.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(a.1, b.1)));
            for (_, key, value) in pairs {
                for part in [key, value] {
                    write_in_order(&mut Reader::new(part), part, out)?;
                }
            }
        }
        _ => {}
    }
    Some(())
}

/// The server's order of types.
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
        _ => 9,
    }
}

/// Compares two values, token by token: lists and maps by their elements, then by their number.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (Reader::new(a), Reader::new(b));
    loop {
        let (Ok(x), Ok(y)) = (a.token(), b.token()) else {
            return a.remaining().cmp(&b.remaining());
        };
        let order = match (x, y) {
            (Token::Bool(x), Token::Bool(y)) => x.cmp(&y),
            (Token::Int(x), Token::Int(y)) => x.cmp(&y),
            (Token::Uint(x), Token::Uint(y)) => x.cmp(&y),
            // Only what no `Int` can hold is a `Uint`.
            (Token::Int(_), Token::Uint(_)) => Ordering::Less,
            (Token::Uint(_), Token::Int(_)) => Ordering::Greater,
            (Token::Float(x), Token::Float(y)) => x.total_cmp(&y),
            (Token::Str(x), Token::Str(y))
            | (Token::Blob(x), Token::Blob(y))
            | (Token::GeoJson(x), Token::GeoJson(y)) => x.cmp(y),
            (Token::List { len: x }, Token::List { len: y })
            | (Token::Map { len: x }, Token::Map { len: y }) => x.cmp(&y),
            _ => rank(&x).cmp(&rank(&y)),
        };
        if order.is_ne() || a.is_at_end() && b.is_at_end() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_put_in_the_order_of_their_keys() {
        let sent = b"\x85\xa2\x03n\x81\xa2\x03x\xc0\xa2\x03a\x01\xa2\x04k\xcb\x3f\xf8\0\0\0\0\0\0\x03\x92\x04\x05\xa2\x03b\xa4\x03two";
        let kept = b"\x85\x03\x92\x04\x05\xa2\x03a\x01\xa2\x03b\xa4\x03two\xa2\x03n\x81\xa2\x03x\xc0\xa2\x04k\xcb\x3f\xf8\0\0\0\0\0\0";
        assert_eq!(in_order(19, sent).unwrap(), kept);
        assert_eq!(in_order(19, kept).unwrap(), kept);
        // Within a list, and with the pair that says how the map is ordered.
        assert_eq!(in_order(20, b"\x91\x82\x02\xc0\x01\xc0").unwrap(), b"\x91\x82\x01\xc0\x02\xc0");
        assert_eq!(
            in_order(19, b"\x83\xc7\0\x01\xc0\x02\xc0\x01\xc0").unwrap(),
            b"\x83\xc7\0\x01\xc0\x01\xc0\x02\xc0"
        );
    }

    #[test]
    fn keys_of_all_types_have_an_order() {
        let keys: [&[u8]; 12] = [
            b"\xc0",
            b"\xc2",
            b"\xc3",
            b"\xff",
            b"\x05",
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xa2\x03a",
            b"\xa3\x03aa",
            b"\x91\x05",
            b"\x92\x01\x01",
            b"\xa2\x04a",
            b"\xcb\x3f\xf8\0\0\0\0\0\0",
        ];
        for (i, a) in keys.iter().enumerate() {
            for (j, b) in keys.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn what_is_no_such_value_is_refused() {
        for (kind, bytes) in
            [(20, &b"\x80"[..]), (19, b"\x90"), (20, b"\x91"), (20, b""), (20, b"\x90\x90"), (19, b"\x05")]
        {
            assert_eq!(in_order(kind, bytes), None, "{bytes:?}");
        }
        assert_eq!(in_order(20, &[&[0x91; 500][..], &[0x90]].concat()), None);
    }
}
