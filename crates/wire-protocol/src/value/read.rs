//! Values from msgpack.

use super::write::{COMPARISON, INFINITY, WILDCARD};
use super::{ListOrder, MapOrder, Value, WriteValue};
use crate::error::WireError;
use crate::msgpack::{MAX_DEPTH, Reader, Token};
use crate::particle::{Particle, particle_type};

impl Value {
    /// Reads one element of msgpack.
    ///
    /// # Errors
    /// What [`Reader::token`] refuses; nesting deeper than [`MAX_DEPTH`]; an ext that is no value.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        read_within(reader, MAX_DEPTH)
    }

    /// Reads a value that is alone in `bytes`.
    ///
    /// # Errors
    /// As [`Value::read`]; bytes after the value.
    pub fn from_msgpack(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        if !reader.is_at_end() {
            return Err(WireError::malformed("msgpack value", "more bytes follow"));
        }
        Ok(value)
    }

    /// Reads the value of a bin.
    ///
    /// # Errors
    /// As [`Value::from_msgpack`], for lists and maps.
    pub fn from_particle(particle: Particle<'_>) -> Result<Self, WireError> {
        Ok(match particle {
            Particle::Nil => Self::Nil,
            Particle::Int(value) => Self::Int(value),
            Particle::Float(value) => Self::Float(value),
            Particle::Bool(value) => Self::Bool(value),
            Particle::Str(text) => Self::Str(text.to_vec()),
            Particle::Blob(bytes) => Self::Blob(bytes.to_vec()),
            Particle::GeoJson(text) => Self::GeoJson(text.to_vec()),
            Particle::Hll(bytes) => Self::Hll(bytes.to_vec()),
            Particle::List(bytes) | Particle::Map(bytes) => Self::from_msgpack(bytes)?,
            Particle::Other { particle_type, bytes } => Self::Other { particle_type, bytes: bytes.to_vec() },
        })
    }

    /// Sorts the pairs of all maps by key, at any depth.
    pub fn sort_maps(&mut self) {
        match self {
            Self::List { items, .. } => items.iter_mut().for_each(Self::sort_maps),
            Self::Map { pairs, .. } => {
                for (key, value) in &mut *pairs {
                    key.sort_maps();
                    value.sort_maps();
                }
                pairs.sort_by(|(a, _), (b, _)| a.compare(b));
            }
            _ => {}
        }
    }
}

/// Appends a value that is encoded already with the pairs of all its maps sorted by key, as expressions need it.
///
/// # Errors
/// As [`Value::from_msgpack`]. `out` is then unchanged.
pub fn sort_maps(out: &mut Vec<u8>, encoded: &[u8]) -> Result<(), WireError> {
    let mut value = Value::from_msgpack(encoded)?;
    value.sort_maps();
    value.write_value(out);
    Ok(())
}

fn read_within(reader: &mut Reader<'_>, depth: usize) -> Result<Value, WireError> {
    let before = reader.rest();
    Ok(match reader.token()? {
        Token::Nil => Value::Nil,
        Token::Bool(value) => Value::Bool(value),
        Token::Int(value) => Value::Int(value),
        Token::Uint(value) => Value::Uint(value),
        Token::Float(value) => Value::Float(value),
        Token::Str(text) => Value::Str(text.to_vec()),
        Token::GeoJson(text) => Value::GeoJson(text.to_vec()),
        Token::Blob(bytes) => match type_byte(&before[..before.len() - reader.remaining()]) {
            particle_type::BLOB => Value::Blob(bytes.to_vec()),
            particle_type::HLL => Value::Hll(bytes.to_vec()),
            particle_type => Value::Other { particle_type, bytes: bytes.to_vec() },
        },
        Token::List { len } => {
            let depth = deeper(depth)?;
            let order = take_order(reader, len)?;
            let n_items = len - usize::from(order.is_some());
            // Not allocated by the announced length: an element takes more bytes in memory than in the message.
            let mut items = Vec::new();
            for _ in 0..n_items {
                items.push(read_within(reader, depth)?);
            }
            let order = if order.is_some_and(|kind| kind & 1 != 0) {
                ListOrder::Ordered
            } else {
                ListOrder::Unordered
            };
            Value::List { order, items }
        }
        Token::Map { len } => {
            let depth = deeper(depth)?;
            let order = take_order(reader, len)?;
            if order.is_some() {
                reader.skip_within(depth)?;
            }
            let n_pairs = len - usize::from(order.is_some());
            let mut pairs = Vec::new();
            for _ in 0..n_pairs {
                let key = read_within(reader, depth)?;
                pairs.push((key, read_within(reader, depth)?));
            }
            let order = match order.unwrap_or(0) & 3 {
                1 => MapOrder::KeyOrdered,
                3 => MapOrder::KeyValueOrdered,
                _ => MapOrder::Unordered,
            };
            Value::Map { order, pairs }
        }
        Token::Ext { kind: COMPARISON, data: [WILDCARD] } => Value::Wildcard,
        Token::Ext { kind: COMPARISON, data: [INFINITY] } => Value::Infinity,
        Token::Ext { .. } => {
            return Err(WireError::malformed("msgpack value", "it is an ext that is no value"));
        }
    })
}

/// The particle type of an encoded string, which its token does not tell. A string without one is a blob.
fn type_byte(string: &[u8]) -> u8 {
    let header = match string.first() {
        Some(0xc4 | 0xd9) => 2,
        Some(0xc5 | 0xda) => 3,
        Some(0xc6 | 0xdb) => 5,
        _ => 1,
    };
    string.get(header).copied().unwrap_or(particle_type::BLOB)
}

fn deeper(depth: usize) -> Result<usize, WireError> {
    depth.checked_sub(1).ok_or_else(|| WireError::malformed("msgpack value", "it nests too deep"))
}

/// Reads the ext that marks the order of a list or map of `len` elements, if there is one.
fn take_order(reader: &mut Reader<'_>, len: usize) -> Result<Option<i8>, WireError> {
    let mut ahead = reader.clone();
    if len == 0 || !ahead.is_at_ext() {
        return Ok(None);
    }
    match ahead.token()? {
        Token::Ext { kind, .. } if kind != COMPARISON => {
            *reader = ahead;
            Ok(Some(kind))
        }
        _ => Ok(None),
    }
}
