//! The values of bins: which ones the server accepts, and how it stores them.

use std::borrow::Cow;

use record_ops::value::Rules;
use record_ops::{geo, hll};
use wire_protocol::ResultCode;
use wire_protocol::msgpack::{Reader, Token};
use wire_protocol::particle::{Particle, particle_type};

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
    /// A list or map in the server's normal form, or GeoJSON with its cells.
    Normalized(Vec<u8>),
}

/// A particle type that the server stores as plain bytes.
pub(super) const VECTOR: u8 = 16;

/// Whether a particle type is for the native serialization of a language: Java, C#, Python, Ruby, PHP,
/// Erlang.
pub(super) fn is_language_blob(kind: u8) -> bool {
    matches!(kind, 7..=12)
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
        t::HLL => hll::is_sketch(value),
        t::GEOJSON => {
            return match Particle::parse(kind, value) {
                Ok(Particle::GeoJson(text)) => geo::particle(text).map(StoredValue::Normalized),
                _ => None,
            }
            .ok_or(ResultCode::GEO_INVALID_GEOJSON);
        }
        t::LIST | t::MAP => {
            return normalize_collection(kind, value, any_map_keys)
                .map(StoredValue::Normalized)
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
        assert_eq!(normalize(t::HLL, b"x", false), Err(ResultCode::PARAMETER));
        assert_eq!(normalize(t::GEOJSON, b"\0\0\0{}", false), Err(ResultCode::GEO_INVALID_GEOJSON));
        assert_eq!(normalize(t::GEOJSON, b"", false), Err(ResultCode::GEO_INVALID_GEOJSON));
        assert_eq!(normalize(t::MAP, b"\x81\xc0\x01", false), Err(ResultCode::SERVER_ERROR));
        assert!(matches!(normalize(t::MAP, b"\x81\xc0\x01", true), Ok(StoredValue::Normalized(_))));
    }
}
