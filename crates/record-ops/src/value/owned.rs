//! A value inside a list or map, owned.

use wire_protocol::msgpack::{self, KEY_ORDERED, KEY_VALUE_ORDERED, MAX_DEPTH, Reader, Token};
use wire_protocol::particle::particle_type;

use crate::bin::{Bin, BinView};
use crate::error::OpError;
use crate::value::{COMPARISON, INFINITY, WILDCARD};

/// Whether the server keeps a list sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListOrder {
    /// In the order of insertion.
    #[default]
    Unordered,
    /// Sorted.
    Ordered,
}

/// How the server keeps a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapOrder {
    /// No order is promised; the server keeps it sorted by key nevertheless.
    #[default]
    Unordered,
    /// Sorted by key.
    Key,
    /// Sorted by key, with an index by value.
    KeyValue,
}

/// A value inside a list or map.
///
/// `==` compares the parts of two values; [`compare_values`](crate::value::compare_values) compares as the server does.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Nil,
    /// A bool.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// A float.
    Float(f64),
    /// Text, UTF-8 by convention.
    Str(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
    /// Bytes of another particle type, which is the first of them; may be empty.
    Typed(Vec<u8>),
    /// GeoJSON text.
    GeoJson(Vec<u8>),
    /// A list.
    List(ListOrder, Vec<Value>),
    /// A map, in the order of its bytes.
    Map(MapOrder, Vec<(Value, Value)>),
    /// Equal to everything. Only in comparisons.
    Wildcard,
    /// Above everything. Only in comparisons.
    Infinity,
}

impl Value {
    /// Reads exactly one value.
    ///
    /// # Errors
    /// Code 4: bytes that are not one value, an unknown extension, or nesting deeper than [`MAX_DEPTH`].
    pub fn parse(bytes: &[u8]) -> Result<Self, OpError> {
        // Bounds the nesting, and with it the recursion below.
        msgpack::check(bytes).map_err(|_| INVALID)?;
        Self::read(&mut Reader::new(bytes), MAX_DEPTH)
    }

    /// Reads the next value, with at most `depth` levels of lists and maps.
    ///
    /// # Errors
    /// As [`Value::parse`].
    pub fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, OpError> {
        let start = reader.rest();
        Ok(match token(reader)? {
            Token::Nil => Self::Nil,
            Token::Bool(value) => Self::Bool(value),
            Token::Int(value) => Self::Int(value),
            Token::Uint(value) => Self::Uint(value),
            Token::Float(value) => Self::Float(value),
            Token::Str(text) => Self::Str(text.to_vec()),
            Token::GeoJson(text) => Self::GeoJson(text.to_vec()),
            Token::Blob(bytes) => blob(&start[..start.len() - reader.remaining()], bytes),
            Token::List { len } => return read_list(reader, len, depth),
            Token::Map { len } => return read_map(reader, len, depth),
            Token::Ext { kind: COMPARISON, data: WILDCARD } => Self::Wildcard,
            Token::Ext { kind: COMPARISON, data: INFINITY } => Self::Infinity,
            _ => return Err(INVALID),
        })
    }

    /// Appends the value's encoding.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => msgpack::write_nil(out),
            Self::Bool(value) => msgpack::write_bool(out, *value),
            Self::Int(value) => msgpack::write_int(out, *value),
            Self::Uint(value) => msgpack::write_uint(out, *value),
            Self::Float(value) => msgpack::write_float(out, *value),
            Self::Str(text) => msgpack::write_str(out, text),
            Self::Blob(bytes) => msgpack::write_blob(out, bytes),
            Self::Typed(bytes) => write_typed(out, bytes),
            Self::GeoJson(text) => msgpack::write_geojson(out, text),
            Self::List(order, items) => {
                let marker = usize::from(*order == ListOrder::Ordered);
                msgpack::write_list_header(out, items.len() + marker);
                if marker == 1 {
                    msgpack::write_ext(out, LIST_ORDERED, &[]);
                }
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(order, pairs) => {
                let kind = match order {
                    MapOrder::Unordered => 0,
                    MapOrder::Key => KEY_ORDERED,
                    MapOrder::KeyValue => KEY_VALUE_ORDERED,
                };
                msgpack::write_map_header(out, pairs.len() + usize::from(kind != 0));
                if kind != 0 {
                    msgpack::write_ext(out, kind, &[]);
                    msgpack::write_nil(out);
                }
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
            Self::Wildcard => msgpack::write_ext(out, COMPARISON, WILDCARD),
            Self::Infinity => msgpack::write_ext(out, COMPARISON, INFINITY),
        }
    }

    /// The value's encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// The value of a bin.
    ///
    /// # Errors
    /// Code 12: a particle type that has no such value (HyperLogLog), or invalid bytes.
    pub fn of_bin(bin: BinView<'_>) -> Result<Self, OpError> {
        use wire_protocol::particle::Particle;
        const WHY: &str = "the bin's type cannot be an element of a list or map";
        let particle = Particle::parse(bin.particle_type, bin.bytes).map_err(|_| OpError::bin_type(WHY))?;
        Ok(match particle {
            Particle::Nil => Self::Nil,
            Particle::Int(value) => Self::Int(value),
            Particle::Float(value) => Self::Float(value),
            Particle::Bool(value) => Self::Bool(value),
            Particle::Str(text) => Self::Str(text.to_vec()),
            Particle::Blob(bytes) => Self::Blob(bytes.to_vec()),
            Particle::GeoJson(text) => Self::GeoJson(text.to_vec()),
            Particle::List(bytes) | Particle::Map(bytes) => Self::parse(bytes)?,
            _ => return Err(OpError::bin_type(WHY)),
        })
    }

    /// The value as a bin or result. Those that exist in comparisons only become nil.
    #[must_use]
    pub fn to_bin(&self) -> Bin {
        use wire_protocol::particle::Particle;
        let particle = match self {
            Self::Nil | Self::Wildcard | Self::Infinity => Particle::Nil,
            Self::Bool(value) => Particle::Bool(*value),
            Self::Int(value) => Particle::Int(*value),
            Self::Uint(value) => Particle::Int(value.cast_signed()),
            Self::Float(value) => Particle::Float(*value),
            Self::Str(text) => Particle::Str(text),
            Self::Blob(bytes) => Particle::Blob(bytes),
            Self::Typed(bytes) => match bytes.split_first() {
                Some((&particle_type, bytes)) => Particle::Other { particle_type, bytes },
                None => Particle::Blob(bytes),
            },
            Self::GeoJson(text) => Particle::GeoJson(text),
            Self::List(..) => return Bin::new(particle_type::LIST, self.to_bytes()),
            Self::Map(..) => return Bin::new(particle_type::MAP, self.to_bytes()),
        };
        let mut bytes = Vec::new();
        particle.write(&mut bytes);
        Bin::new(particle.particle_type(), bytes)
    }
}

/// The extension type of a sorted list.
const LIST_ORDERED: i8 = 1;

const INVALID: OpError = OpError::parameter("the bytes are not a value");

fn token<'a>(reader: &mut Reader<'a>) -> Result<Token<'a>, OpError> {
    reader.token().map_err(|_| INVALID)
}

/// The value of a [`Token::Blob`]; `whole` is the token, header included.
fn blob(whole: &[u8], bytes: &[u8]) -> Value {
    match particle_type_of(whole, bytes.len()) {
        Some(particle_type::BLOB) => Value::Blob(bytes.to_vec()),
        Some(kind) => Value::Typed([&[kind], bytes].concat()),
        None => Value::Typed(Vec::new()),
    }
}

/// The type byte before the `len` last bytes of an encoded string. `None` if the string does not even have that byte.
pub(crate) fn particle_type_of(whole: &[u8], len: usize) -> Option<u8> {
    let header = match whole.first()? {
        0xc4 | 0xd9 => 2,
        0xc5 | 0xda => 3,
        0xc6 | 0xdb => 5,
        _ => 1,
    };
    let at = whole.len().checked_sub(len + 1)?;
    if at >= header { whole.get(at).copied() } else { None }
}

fn read_list(reader: &mut Reader<'_>, mut len: usize, depth: usize) -> Result<Value, OpError> {
    let depth = depth.checked_sub(1).ok_or(INVALID)?;
    let mut order = ListOrder::Unordered;
    if len > 0
        && let Some(kind) = marker(reader)
    {
        len -= 1;
        if kind & LIST_ORDERED != 0 {
            order = ListOrder::Ordered;
        }
    }
    // Not with capacity `len`: it is only what the list announces.
    let mut items = Vec::new();
    for _ in 0..len {
        items.push(Value::read(reader, depth)?);
    }
    Ok(Value::List(order, items))
}

fn read_map(reader: &mut Reader<'_>, mut len: usize, depth: usize) -> Result<Value, OpError> {
    let depth = depth.checked_sub(1).ok_or(INVALID)?;
    let mut order = MapOrder::Unordered;
    if len > 0
        && let Some(kind) = marker(reader)
    {
        len -= 1;
        // The marker's value has no meaning.
        reader.skip_within(depth).map_err(|_| INVALID)?;
        order = match kind & KEY_VALUE_ORDERED {
            KEY_VALUE_ORDERED => MapOrder::KeyValue,
            KEY_ORDERED => MapOrder::Key,
            _ => MapOrder::Unordered,
        };
    }
    let mut pairs = Vec::new();
    for _ in 0..len {
        let key = Value::read(reader, depth)?;
        pairs.push((key, Value::read(reader, depth)?));
    }
    Ok(Value::Map(order, pairs))
}

/// Reads the extension that marks the order of a list or map, if it is next.
fn marker(reader: &mut Reader<'_>) -> Option<i8> {
    let mut ahead = reader.clone();
    match ahead.token() {
        Ok(Token::Ext { kind, .. }) if kind != COMPARISON => {
            *reader = ahead;
            Some(kind)
        }
        _ => None,
    }
}

fn write_typed(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.split_first() {
        // `write_str` writes a type byte of its own: change it.
        Some((&kind, bytes)) => {
            let at = out.len();
            msgpack::write_blob(out, bytes);
            let type_byte = out.len() - bytes.len() - 1;
            debug_assert!(type_byte > at);
            out[type_byte] = kind;
        }
        None => out.push(0xa0),
    }
}
