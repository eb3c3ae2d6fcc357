//! The normal form in which the server stores lists and maps: maps sorted by key, numbers and lengths in
//! their shortest encoding.

use std::cmp::Ordering;

use wire_protocol::msgpack::{self, KEY_ORDERED, KEY_VALUE_ORDERED, Reader, Token};
use wire_protocol::particle::particle_type;

/// The extension type of values that exist in comparisons only: wildcard and infinity.
const COMPARISON_ONLY: i8 = -1;

/// The extension type that marks a list as ordered.
const LIST_ORDERED: i8 = 1;

/// Brings a list or map into normal form. `None` if the bytes are not exactly one value of that type, or if
/// the server refuses it:
///
/// - a map with a key that is not an integer, string or blob (unless `any_keys`), or with a duplicate key;
/// - a list or map that is marked as ordered and is not;
/// - a value that exists in comparisons only.
pub(super) fn normalize(kind: u8, value: &[u8], any_keys: bool) -> Option<Vec<u8>> {
    // This bounds the nesting by `msgpack::MAX_DEPTH`, and with it the recursion below.
    msgpack::check(value).ok()?;
    match (kind, Reader::new(value).token().ok()?) {
        (particle_type::LIST, Token::List { .. }) | (particle_type::MAP, Token::Map { .. }) => {}
        _ => return None,
    }
    let mut out = Vec::with_capacity(value.len());
    write_value(&mut Reader::new(value), value, any_keys, &mut out)?;
    Some(out)
}

/// The bytes of the next value; `reader` reads `all`.
fn next_value<'a>(reader: &mut Reader<'a>, all: &'a [u8]) -> Option<&'a [u8]> {
    let start = all.len() - reader.remaining();
    reader.skip_value().ok()?;
    all.get(start..all.len() - reader.remaining())
}

/// Writes the next value in normal form; `reader` reads `all`.
fn write_value<'a>(reader: &mut Reader<'a>, all: &'a [u8], any_keys: bool, out: &mut Vec<u8>) -> Option<()> {
    let start = all.len() - reader.remaining();
    match reader.token().ok()? {
        Token::List { len } => write_list(reader, all, len, any_keys, out),
        Token::Map { len } => write_map(reader, all, len, any_keys, out),
        Token::Int(value) => {
            msgpack::write_int(out, value);
            Some(())
        }
        Token::Uint(value) => {
            msgpack::write_uint(out, value);
            Some(())
        }
        Token::Ext { kind: COMPARISON_ONLY, data } if matches!(data.len(), 1..=3) => None,
        _ => {
            out.extend_from_slice(all.get(start..all.len() - reader.remaining())?);
            Some(())
        }
    }
}

/// Reads the order of a list or map, if its next element is the marker of one. Keeps only the bits in
/// `known`.
fn read_order(reader: &mut Reader<'_>, len: usize, known: i8) -> Option<i8> {
    let mut ahead = reader.clone();
    match ahead.token() {
        Ok(Token::Ext { kind, .. }) if len > 0 => {
            *reader = ahead;
            Some(kind & known)
        }
        _ => None,
    }
}

fn write_list<'a>(
    reader: &mut Reader<'a>,
    all: &'a [u8],
    len: usize,
    any_keys: bool,
    out: &mut Vec<u8>,
) -> Option<()> {
    let order = read_order(reader, len, LIST_ORDERED);
    let len = len - usize::from(order.is_some());
    let order = order.unwrap_or_default();
    msgpack::write_list_header(out, len + usize::from(order != 0));
    if order != 0 {
        msgpack::write_ext(out, order, &[]);
    }
    let mut ahead = reader.clone();
    let mut before: Option<&[u8]> = None;
    for _ in 0..if order == 0 { 0 } else { len } {
        let element = next_value(&mut ahead, all)?;
        if before.is_some_and(|before| compare(before, element).is_gt()) {
            return None;
        }
        before = Some(element);
    }
    (0..len).try_for_each(|_| write_value(reader, all, any_keys, out))
}

/// Whether a value may be the key of a map.
fn is_key(value: &[u8]) -> bool {
    match Reader::new(value).token() {
        Ok(Token::Int(_) | Token::Uint(_) | Token::Str(_)) => true,
        // Not blobs with the particle type of a language's native serialization.
        Ok(Token::Blob(bytes)) => {
            let before = value.len() - bytes.len();
            value.get(before - 1) == Some(&particle_type::BLOB) && before > 1
        }
        _ => false,
    }
}

fn write_map<'a>(
    reader: &mut Reader<'a>,
    all: &'a [u8],
    len: usize,
    any_keys: bool,
    out: &mut Vec<u8>,
) -> Option<()> {
    let order = read_order(reader, len, KEY_VALUE_ORDERED);
    if order.is_some() {
        // The value of the marker, which has no meaning.
        reader.skip_value().ok()?;
    }
    let len = len - usize::from(order.is_some());
    let order = order.unwrap_or_default();
    // Without reserving capacity: `len` is only what the map announces.
    let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
    for _ in 0..len {
        let key = next_value(reader, all)?;
        if !any_keys && !is_key(key) {
            return None;
        }
        pairs.push((key, next_value(reader, all)?));
    }
    if order & KEY_ORDERED != 0 && !pairs.is_sorted_by(|a, b| compare(a.0, b.0).is_le()) {
        return None;
    }
    pairs.sort_by(|a, b| compare(a.0, b.0));
    if pairs.windows(2).any(|two| compare(two[0].0, two[1].0).is_eq()) {
        return None;
    }
    if order == 0 {
        msgpack::write_map_header(out, len);
    } else {
        msgpack::write_map_header(out, len + 1);
        msgpack::write_ext(out, order, &[]);
        msgpack::write_nil(out);
    }
    for part in pairs.into_iter().flat_map(|(key, value)| [key, value]) {
        write_value(&mut Reader::new(part), part, any_keys, out)?;
    }
    Some(())
}

/// The position of a type in the server's order of types.
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

/// Compares two values in the server's order, token by token. Lists and maps compare by length first.
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
            // A `Uint` is always larger than the largest `Int`.
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
    fn maps_are_sorted_by_key() {
        let sent = b"\x85\xa2\x03n\x81\xa2\x03x\xc0\xa2\x03a\x01\xa2\x04k\xcb\x3f\xf8\0\0\0\0\0\0\x03\x92\x04\x05\xa2\x03b\xa4\x03two";
        let kept = b"\x85\x03\x92\x04\x05\xa2\x03a\x01\xa2\x03b\xa4\x03two\xa2\x03n\x81\xa2\x03x\xc0\xa2\x04k\xcb\x3f\xf8\0\0\0\0\0\0";
        assert_eq!(normalize(19, sent, false).unwrap(), kept);
        assert_eq!(normalize(19, kept, false).unwrap(), kept);
        // Within a list.
        assert_eq!(normalize(20, b"\x91\x82\x02\xc0\x01\xc0", false).unwrap(), b"\x91\x82\x01\xc0\x02\xc0");
    }

    #[test]
    fn values_marked_as_ordered_must_be_ordered() {
        let ordered = b"\x83\xc7\0\x01\xc0\x01\xc0\x02\xc0";
        assert_eq!(normalize(19, ordered, false).unwrap(), ordered);
        assert_eq!(normalize(19, b"\x83\xc7\0\x01\xc0\x02\xc0\x01\xc0", false), None);
        assert_eq!(normalize(19, b"\x81\xc7\0\x01\xc0", false).unwrap(), b"\x81\xc7\0\x01\xc0");
        let list = b"\x94\xc7\0\x01\x01\x02\x02";
        assert_eq!(normalize(20, list, false).unwrap(), list);
        assert_eq!(normalize(20, b"\x93\xc7\0\x01\x02\x01", false), None);
        // Unknown orders are dropped.
        assert_eq!(normalize(20, b"\x93\xc7\0\x02\x02\x01", false).unwrap(), b"\x92\x02\x01");
        assert_eq!(normalize(19, b"\x82\xc7\0\x00\xc0\x02\xc0", false).unwrap(), b"\x81\x02\xc0");
    }

    #[test]
    fn keys_are_distinct_integers_strings_and_blobs() {
        let map = |key: &[u8]| [b"\x82\x05\xc0", key, b"\xc0"].concat();
        for key in [&b"\x06"[..], b"\xff", b"\xa2\x03a", b"\xa2\x04a"] {
            assert!(normalize(19, &map(key), false).is_some(), "{key:?}");
        }
        for key in [
            &b"\x05"[..],
            b"\xcc\x05",
            b"\xc0",
            b"\xc3",
            b"\x90",
            b"\x80",
            b"\xcb\0\0\0\0\0\0\0\0",
            b"\xa2\x17a",
        ] {
            assert_eq!(normalize(19, &map(key), false), None, "{key:?}");
            let nested = [b"\x91", &map(key)[..]].concat();
            assert_eq!(normalize(20, &nested, false), None, "{key:?}");
        }
    }

    #[test]
    fn numbers_get_their_shortest_encoding() {
        assert_eq!(
            normalize(20, b"\xdc\0\x02\xd3\0\0\0\0\0\0\0\x05\xcd\0\xff", false).unwrap(),
            b"\x92\x05\xcc\xff"
        );
    }

    #[test]
    fn wildcards_and_infinity_are_refused() {
        assert_eq!(normalize(20, b"\x92\x01\xd4\xff\x00", false), None);
        assert_eq!(normalize(20, b"\x92\x01\xd4\xff\x01", false), None);
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
    fn invalid_and_deeply_nested_values_are_refused() {
        for (kind, bytes) in
            [(20, &b"\x80"[..]), (19, b"\x90"), (20, b"\x91"), (20, b""), (20, b"\x90\x90"), (19, b"\x05")]
        {
            assert_eq!(normalize(kind, bytes, false), None, "{bytes:?}");
        }
        assert_eq!(normalize(20, &[&[0x91; 500][..], &[0x90]].concat(), false), None);
    }
}
