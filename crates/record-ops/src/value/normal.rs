//! The form in which the server stores lists and maps.

use std::borrow::Cow;

use wire_protocol::msgpack::{self, KEY_ORDERED, KEY_VALUE_ORDERED, MAX_DEPTH, Reader, Token};
use wire_protocol::particle::particle_type;

use crate::value::owned::particle_type_of;
use crate::value::{COMPARISON, compare};

/// The bit in an order's extension type that says that the server stores an index with the list or map.
pub const PERSIST_INDEX: i8 = 0x10;

/// The extension type of an ordered list.
pub const LIST_ORDERED: i8 = 1;

/// What a normal form allows.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether any value may be the key of a map, as in servers before 7.1.
    pub any_keys: bool,
    /// Whether the value is a whole bin, which may have a persisted index.
    pub is_bin: bool,
    /// How deep lists and maps may nest.
    pub depth: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { any_keys: false, is_bin: false, depth: MAX_DEPTH }
    }
}

/// Brings one value into the form in which a server stores it: maps sorted by key, numbers and lengths in their
/// shortest encoding, orders without unknown flags. `None` if the bytes are not exactly one value, or if the server
/// refuses it:
///
/// - a map with a key that is not an integer, string or blob, or with a duplicate key;
/// - a list or map that is marked as ordered and is not;
/// - a value that exists in comparisons only: wildcard, infinity.
#[must_use]
pub fn normalize(value: &[u8], rules: Rules) -> Option<Cow<'_, [u8]>> {
    let mut reader = Reader::new(value);
    // This bounds the nesting, and with it the recursion below.
    reader.skip_within(rules.depth).ok()?;
    if !reader.is_at_end() {
        return None;
    }
    if is_short_scalar(value) {
        return Some(Cow::Borrowed(value));
    }
    let mut out = Vec::with_capacity(value.len());
    write_value(&mut Reader::new(value), Rules { depth: rules.depth.min(MAX_DEPTH), ..rules }, &mut out)?;
    Some(Cow::Owned(out))
}

/// Whether the value is a scalar whose encoding has only one form.
fn is_short_scalar(value: &[u8]) -> bool {
    match value.first() {
        // A string may lack its type byte, which does not matter here.
        Some(0x00..=0x7f | 0xa0..=0xbf | 0xc0 | 0xc2 | 0xc3 | 0xca | 0xcb | 0xe0..=0xff) => true,
        Some(0xd9) => value.get(1).is_some_and(|&len| len > 31),
        _ => false,
    }
}

/// The bytes of the next value.
fn next_value<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let start = reader.rest();
    reader.skip_value().ok()?;
    start.get(..start.len() - reader.remaining())
}

fn write_value(reader: &mut Reader<'_>, rules: Rules, out: &mut Vec<u8>) -> Option<()> {
    let start = reader.rest();
    let token = reader.token().ok()?;
    let whole = start.get(..start.len() - reader.remaining())?;
    match token {
        Token::List { len } => return write_list(reader, len, rules, out),
        Token::Map { len } => return write_map(reader, len, rules, out),
        Token::Int(value) => msgpack::write_int(out, value),
        Token::Uint(value) => msgpack::write_uint(out, value),
        Token::Str(text) => msgpack::write_bytes(out, particle_type::STRING, text),
        Token::GeoJson(text) => msgpack::write_bytes(out, particle_type::GEOJSON, text),
        Token::Blob(bytes) => match particle_type_of(whole, bytes.len()) {
            Some(kind) => msgpack::write_bytes(out, kind, bytes),
            None => out.push(0xa0),
        },
        Token::Ext { kind: COMPARISON, data } if matches!(data.len(), 1..=3) => return None,
        // Any other extension is stored, although clients know none but orders.
        Token::Ext { kind, data } => msgpack::write_ext(out, kind, data),
        _ => out.extend_from_slice(whole),
    }
    Some(())
}

/// Reads the order of a list or map, if its next element is the marker of one. Keeps only the bits in `known`, and that
/// of a persisted index only in a whole bin.
fn read_order(reader: &mut Reader<'_>, len: usize, known: i8, rules: Rules) -> Option<i8> {
    let mut ahead = reader.clone();
    match ahead.token() {
        Ok(Token::Ext { kind, data }) if len > 0 && data.is_empty() => {
            *reader = ahead;
            Some(kind & if rules.is_bin { known | PERSIST_INDEX } else { known })
        }
        _ => None,
    }
}

fn write_list(reader: &mut Reader<'_>, len: usize, rules: Rules, out: &mut Vec<u8>) -> Option<()> {
    let order = read_order(reader, len, LIST_ORDERED, rules);
    let inner = Rules { is_bin: false, ..rules };
    let len = len - usize::from(order.is_some());
    let order = order.unwrap_or_default();
    msgpack::write_list_header(out, len + usize::from(order != 0));
    if order != 0 {
        msgpack::write_ext(out, order, &[]);
    }
    if order & LIST_ORDERED != 0 {
        let mut ahead = reader.clone();
        let mut before: Option<&[u8]> = None;
        for _ in 0..len {
            let element = next_value(&mut ahead)?;
            if before.is_some_and(|before| compare(before, element).is_gt()) {
                return None;
            }
            before = Some(element);
        }
    }
    (0..len).try_for_each(|_| write_value(reader, inner, out))
}

/// Whether a value may be the key of a map.
#[must_use]
pub fn is_key(value: &[u8]) -> bool {
    match Reader::new(value).token() {
        Ok(Token::Int(_) | Token::Uint(_) | Token::Str(_)) => true,
        // Not blobs with the particle type of a language's native serialization.
        Ok(Token::Blob(bytes)) => particle_type_of(value, bytes.len()) == Some(particle_type::BLOB),
        _ => false,
    }
}

fn write_map(reader: &mut Reader<'_>, len: usize, rules: Rules, out: &mut Vec<u8>) -> Option<()> {
    let order = read_order(reader, len, KEY_VALUE_ORDERED, rules);
    let inner = Rules { is_bin: false, ..rules };
    if order.is_some() {
        // The value of the marker, which has no meaning.
        reader.skip_value().ok()?;
    }
    let len = len - usize::from(order.is_some());
    let order = order.unwrap_or_default();
    // Without reserving capacity: `len` is only what the map announces.
    let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
    for _ in 0..len {
        let key = next_value(reader)?;
        if !rules.any_keys && !is_key(key) {
            return None;
        }
        pairs.push((key, next_value(reader)?));
    }
    if !pairs.is_sorted_by(|a, b| compare(a.0, b.0).is_le()) {
        if order & KEY_ORDERED != 0 {
            return None;
        }
        pairs.sort_by(|a, b| compare(a.0, b.0));
    }
    if pairs.windows(2).any(|two| compare(two[0].0, two[1].0).is_eq()) {
        return None;
    }
    msgpack::write_map_header(out, len + usize::from(order != 0));
    if order != 0 {
        msgpack::write_ext(out, order, &[]);
        msgpack::write_nil(out);
    }
    for part in pairs.into_iter().flat_map(|(key, value)| [key, value]) {
        write_value(&mut Reader::new(part), inner, out)?;
    }
    Some(())
}

/// Whether a list or map has the flag of a persisted index.
#[must_use]
pub fn has_index(value: &[u8]) -> bool {
    let mut reader = Reader::new(value);
    match (reader.token(), reader.is_at_ext()) {
        (Ok(Token::List { .. } | Token::Map { .. }), true) => {
            matches!(reader.token(), Ok(Token::Ext { kind, data: [] }) if kind & PERSIST_INDEX != 0 && kind != COMPARISON)
        }
        _ => false,
    }
}

/// The list or map as a server sends it: without the flag of a persisted index. `None` if it has no such flag.
#[must_use]
pub fn without_index(value: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(value);
    let (len, is_map) = match reader.token().ok()? {
        Token::List { len } if len > 0 => (len, false),
        Token::Map { len } if len > 0 => (len, true),
        _ => return None,
    };
    let Token::Ext { kind, data: [] } = reader.token().ok()? else { return None };
    if kind & PERSIST_INDEX == 0 || kind == COMPARISON {
        return None;
    }
    if is_map {
        reader.skip_value().ok()?;
    }
    let kind = kind & !PERSIST_INDEX;
    let mut out = Vec::with_capacity(value.len());
    let write_header = if is_map { msgpack::write_map_header } else { msgpack::write_list_header };
    write_header(&mut out, len - usize::from(kind == 0));
    if kind != 0 {
        msgpack::write_ext(&mut out, kind, &[]);
        if is_map {
            msgpack::write_nil(&mut out);
        }
    }
    out.extend_from_slice(reader.rest());
    Some(out)
}
