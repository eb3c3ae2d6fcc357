//! The values of bins: which ones the server accepts, and how it stores them.

use std::borrow::Cow;

use record_ops::value::Rules;
use wire_protocol::ResultCode;
use wire_protocol::msgpack::{Reader, Token};
use wire_protocol::particle::{Particle, particle_type};

use crate::command::operations::geojson;

/// The limits of a namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Size of the largest record.
    pub(crate) size: usize,
    pub(crate) any_map_keys: bool,
}

/// How a value is stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StoredValue {
    /// Nil: the bin is removed.
    Nothing,
    /// The bytes that the client sent.
    AsIs,
    /// An integer that was sent in fewer than eight bytes.
    Integer(i64),
    /// A list or map in the server's normal form.
    Collection(Vec<u8>),
}

/// A particle type that the server stores as plain bytes.
pub(super) const VECTOR: u8 = 16;

/// Whether a particle type is for the native serialization of a language: Java, C#, Python, Ruby, PHP,
/// Erlang.
pub(super) fn is_language_blob(kind: u8) -> bool {
    matches!(kind, 7..=12)
}

/// Whether the bytes are a HyperLogLog sketch: a byte of flags (always 0), the number of index bits, the
/// number of hash bits, a cached count, and the registers.
fn is_sketch(bytes: &[u8]) -> bool {
    const HEADER: usize = 11;
    const REGISTER: usize = 6;
    let [0, index, hash, ..] = *bytes else {
        return false;
    };
    let registers = (REGISTER + usize::from(hash)) << index.min(16);
    matches!(index, 4..=16)
        && matches!(hash, 0 | 4..=51)
        && index + hash <= 64
        && bytes.len() == HEADER + registers.div_ceil(8)
}

/// Checks a value and decides how it is stored.
pub(super) fn normalize(kind: u8, value: &[u8], any_map_keys: bool) -> Result<StoredValue, ResultCode> {
    use particle_type as t;
    let fits = match kind {
        t::NIL => return Ok(StoredValue::Nothing),
        t::INTEGER => {
            return match *value {
                [a] => Ok(StoredValue::Integer(i64::from(a))),
                [a, b] => Ok(StoredValue::Integer(i64::from(u16::from_be_bytes([a, b])))),
                [a, b, c, d] => Ok(StoredValue::Integer(i64::from(u32::from_be_bytes([a, b, c, d])))),
                [_, _, _, _, _, _, _, _] => Ok(StoredValue::AsIs),
                _ => Err(ResultCode::PARAMETER),
            };
        }
        t::FLOAT => value.len() == 8,
        t::BOOL => matches!(value, [0 | 1]),
        t::STRING | t::BLOB | VECTOR => true,
        t::HLL => is_sketch(value),
        t::GEOJSON => {
            return match Particle::parse(kind, value) {
                Ok(Particle::GeoJson(text)) if geojson::is_valid(text) => Ok(StoredValue::AsIs),
                _ => Err(ResultCode::GEO_INVALID_GEOJSON),
            };
        }
        t::LIST | t::MAP => {
            return normalize_collection(kind, value, any_map_keys)
                .map(StoredValue::Collection)
                .ok_or(ResultCode::SERVER_ERROR);
        }
        _ => is_language_blob(kind),
    };
    if fits { Ok(StoredValue::AsIs) } else { Err(ResultCode::PARAMETER) }
}

/// Brings a list or map into normal form. `None` if it is not one, or if the server refuses it.
fn normalize_collection(kind: u8, value: &[u8], any_keys: bool) -> Option<Vec<u8>> {
    match (kind, Reader::new(value).token().ok()?) {
        (particle_type::LIST, Token::List { .. }) | (particle_type::MAP, Token::Map { .. }) => {}
        _ => return None,
    }
    let rules = Rules { any_keys, is_bin: true, ..Rules::default() };
    record_ops::value::normalize(value, rules).map(Cow::into_owned)
}

/// Refuses unknown particle types.
pub(super) fn check_type(kind: u8) -> Result<(), ResultCode> {
    use particle_type as t;
    let is_known = matches!(kind, t::INTEGER..=t::BLOB | VECTOR..=t::LIST | t::GEOJSON);
    if is_known || is_language_blob(kind) { Ok(()) } else { Err(ResultCode::PARAMETER) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use particle_type as t;

    #[test]
    fn sketches_shapes_and_keys_are_checked() {
        let mut sketch = vec![0, 4, 0];
        sketch.resize(11 + 12, 0);
        assert!(is_sketch(&sketch));
        for (at, byte) in [(0, 1), (1, 3), (1, 17), (2, 3), (2, 52), (2, 4)] {
            let mut sketch = sketch.clone();
            sketch[at] = byte;
            assert!(!is_sketch(&sketch), "{at} {byte}");
        }
        assert!(!is_sketch(&sketch[..22]) && !is_sketch(b""));
        assert_eq!(normalize(t::HLL, b"x", false), Err(ResultCode::PARAMETER));
        assert_eq!(normalize(t::GEOJSON, b"\0\0\0{}", false), Err(ResultCode::GEO_INVALID_GEOJSON));
        assert_eq!(normalize(t::GEOJSON, b"", false), Err(ResultCode::GEO_INVALID_GEOJSON));
        assert_eq!(normalize(t::MAP, b"\x81\xc0\x01", false), Err(ResultCode::SERVER_ERROR));
        assert!(matches!(normalize(t::MAP, b"\x81\xc0\x01", true), Ok(StoredValue::Collection(_))));
    }
}
