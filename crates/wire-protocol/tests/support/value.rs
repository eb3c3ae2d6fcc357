//! A bin value as plain data: what the tests write and expect to read back.
#![allow(dead_code, reason = "each test file uses its part")]

use wire_protocol::msgpack::{self, KEY_ORDERED, Reader, Token};
use wire_protocol::particle::Particle;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`; in lists and maps only.
    Uint(u64),
    /// The float's bits, so that NaN equals itself and -0.0 is not 0.0.
    Float(u64),
    Str(Vec<u8>),
    Blob(Vec<u8>),
    GeoJson(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    OrderedMap(Vec<(Value, Value)>),
    /// In lists and maps only.
    Ext(i8, Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value.to_bits())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Str(value.into())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::List(values)
    }
}

impl Value {
    /// Appends the value as msgpack.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => msgpack::write_nil(out),
            Self::Bool(value) => msgpack::write_bool(out, *value),
            Self::Int(value) => msgpack::write_int(out, *value),
            Self::Uint(value) => msgpack::write_uint(out, *value),
            Self::Float(bits) => msgpack::write_float(out, f64::from_bits(*bits)),
            Self::Str(bytes) => msgpack::write_str(out, bytes),
            Self::Blob(bytes) => msgpack::write_blob(out, bytes),
            Self::GeoJson(bytes) => msgpack::write_geojson(out, bytes),
            Self::Ext(kind, data) => msgpack::write_ext(out, *kind, data),
            Self::List(values) => {
                msgpack::write_list_header(out, values.len());
                values.iter().for_each(|value| value.write(out));
            }
            Self::Map(pairs) => {
                msgpack::write_map_header(out, pairs.len());
                write_pairs(pairs, out);
            }
            Self::OrderedMap(pairs) => {
                msgpack::write_ordered_map_header(out, pairs.len());
                write_pairs(pairs, out);
            }
        }
    }

    /// Reads the value at the front, following it as deep as it goes.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        match reader.token().unwrap() {
            Token::Nil => Self::Nil,
            Token::Bool(value) => Self::Bool(value),
            Token::Int(value) => Self::Int(value),
            Token::Uint(value) => Self::Uint(value),
            Token::Float(value) => Self::Float(value.to_bits()),
            Token::Str(bytes) => Self::Str(bytes.into()),
            Token::Blob(bytes) => Self::Blob(bytes.into()),
            Token::GeoJson(bytes) => Self::GeoJson(bytes.into()),
            Token::Ext { kind, data } => Self::Ext(kind, data.into()),
            Token::List { len } => Self::List((0..len).map(|_| Self::read(reader)).collect()),
            Token::Map { len } => {
                let mut pairs: Vec<_> = (0..len).map(|_| (Self::read(reader), Self::read(reader))).collect();
                if pairs.first() == Some(&(Self::Ext(KEY_ORDERED, Vec::new()), Self::Nil)) {
                    pairs.remove(0);
                    Self::OrderedMap(pairs)
                } else {
                    Self::Map(pairs)
                }
            }
            other => panic!("{other:?} has no model"),
        }
    }

    /// The same value with the pairs of unordered maps in one order.
    pub(crate) fn sorted(self) -> Self {
        match self {
            Self::List(values) => Self::List(values.into_iter().map(Self::sorted).collect()),
            Self::Map(pairs) => {
                let mut pairs: Vec<_> =
                    pairs.into_iter().map(|(key, value)| (key.sorted(), value.sorted())).collect();
                pairs.sort();
                Self::Map(pairs)
            }
            other => other,
        }
    }

    /// Hands the value on as a bin's.
    pub(crate) fn with_particle<T>(&self, then: impl FnOnce(Particle<'_>) -> T) -> T {
        let mut packed = Vec::new();
        then(match self {
            Self::Nil => Particle::Nil,
            Self::Bool(value) => Particle::Bool(*value),
            Self::Int(value) => Particle::Int(*value),
            Self::Float(bits) => Particle::Float(f64::from_bits(*bits)),
            Self::Str(bytes) => Particle::Str(bytes),
            Self::Blob(bytes) => Particle::Blob(bytes),
            Self::GeoJson(bytes) => Particle::GeoJson(bytes),
            Self::List(_) => {
                self.write(&mut packed);
                Particle::List(&packed)
            }
            Self::Map(_) | Self::OrderedMap(_) => {
                self.write(&mut packed);
                Particle::Map(&packed)
            }
            Self::Uint(_) | Self::Ext(..) => panic!("{self:?} cannot be a bin's value"),
        })
    }

    /// Reads a bin's value.
    pub(crate) fn of_particle(particle: Particle<'_>) -> Self {
        match particle {
            Particle::Nil => Self::Nil,
            Particle::Bool(value) => Self::Bool(value),
            Particle::Int(value) => Self::Int(value),
            Particle::Float(value) => Self::Float(value.to_bits()),
            Particle::Str(bytes) => Self::Str(bytes.into()),
            Particle::Blob(bytes) => Self::Blob(bytes.into()),
            Particle::GeoJson(bytes) => Self::GeoJson(bytes.into()),
            Particle::List(bytes) | Particle::Map(bytes) => {
                msgpack::check(bytes).unwrap();
                Self::read(&mut Reader::new(bytes))
            }
            other => panic!("{other:?} has no model"),
        }
    }
}

fn write_pairs(pairs: &[(Value, Value)], out: &mut Vec<u8>) {
    for (key, value) in pairs {
        key.write(out);
        value.write(out);
    }
}
