//! Values while an expression is evaluated.

use std::ops::Deref;
use std::rc::Rc;

use wire_protocol::msgpack::{self, Reader, Token};
use wire_protocol::particle::{Particle, particle_type};

use crate::bin::{Bin, BinView};
use crate::expression::node::{Kind, Literal};
use crate::geo::{self, Shape};

/// Bytes of the expression or record, or bytes that an operation made. Cloning is cheap.
#[derive(Clone, Debug)]
pub(super) enum Bytes<'e> {
    Borrowed(&'e [u8]),
    Made(Rc<[u8]>),
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Made(bytes) => bytes,
        }
    }
}

/// The value of a part of an expression.
#[derive(Clone, Debug)]
pub(super) enum Outcome<'e> {
    Unknown,
    Remove,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Bytes<'e>),
    Blob(Bytes<'e>),
    Hll(Bytes<'e>),
    /// GeoJSON text, and its shape if that is known.
    Geo(Bytes<'e>, Option<&'e Shape>),
    /// A list, a map, or something else, encoded.
    Packed(Bytes<'e>),
}

impl<'e> Outcome<'e> {
    pub(super) fn of_literal(literal: &'e Literal<'_>) -> Self {
        match literal {
            Literal::Nil => Self::Nil,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Int(value) => Self::Int(*value),
            Literal::Float(value) => Self::Float(*value),
            Literal::Str(text) => Self::Str(Bytes::Borrowed(text)),
            Literal::Blob(bytes) => Self::Blob(Bytes::Borrowed(bytes)),
            Literal::Hll(bytes) => Self::Hll(Bytes::Borrowed(bytes)),
            Literal::Geo(text, shape) => Self::Geo(Bytes::Borrowed(text), Some(shape)),
            Literal::Packed(bytes) => Self::Packed(Bytes::Borrowed(bytes)),
        }
    }

    /// The value of a bin, if it has this type.
    pub(super) fn of_bin(bin: BinView<'e>, kind: Kind) -> Self {
        Self::of_particle(bin.particle_type, Bytes::Borrowed(bin.bytes), kind)
    }

    /// The result of an operation, if it has this type.
    pub(super) fn of_made(bin: Bin, kind: Kind) -> Self {
        Self::of_particle(bin.particle_type, Bytes::Made(bin.bytes.into()), kind)
    }

    fn of_particle(particle: u8, bytes: Bytes<'e>, kind: Kind) -> Self {
        use particle_type as t;
        match (particle, kind) {
            (t::NIL, Kind::Nil) => Self::Nil,
            (t::INTEGER, Kind::Int) => match bytes.first_chunk() {
                Some(bytes) => Self::Int(i64::from_be_bytes(*bytes)),
                None => Self::Unknown,
            },
            (t::FLOAT, Kind::Float) => match bytes.first_chunk() {
                Some(bytes) => Self::Float(f64::from_be_bytes(*bytes)),
                None => Self::Unknown,
            },
            (t::BOOL, Kind::Bool) => Self::Bool(bytes.first().is_some_and(|&byte| byte != 0)),
            (t::STRING, Kind::Str) => Self::Str(bytes),
            (t::BLOB, Kind::Blob) => Self::Blob(bytes),
            (t::HLL, Kind::Hll) => Self::Hll(bytes),
            (t::LIST, Kind::List) | (t::MAP, Kind::Map) => Self::Packed(bytes),
            (t::GEOJSON, Kind::Geo) => match bytes {
                Bytes::Borrowed(bytes) => match Particle::parse(t::GEOJSON, bytes) {
                    Ok(Particle::GeoJson(text)) => Self::Geo(Bytes::Borrowed(text), None),
                    _ => Self::Unknown,
                },
                Bytes::Made(bytes) => match Particle::parse(t::GEOJSON, &bytes) {
                    Ok(Particle::GeoJson(text)) => Self::Geo(Bytes::Made(text.into()), None),
                    _ => Self::Unknown,
                },
            },
            _ => Self::Unknown,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether the value has this type.
    pub(super) fn is(&self, kind: Kind) -> bool {
        match self {
            Self::Unknown | Self::Bool(_) => kind == Kind::Bool,
            Self::Remove => kind == Kind::Remove,
            Self::Nil => kind == Kind::Nil,
            Self::Int(_) => kind == Kind::Int,
            Self::Float(_) => kind == Kind::Float,
            Self::Str(_) => kind == Kind::Str,
            Self::Blob(_) => kind == Kind::Blob,
            Self::Hll(_) => kind == Kind::Hll,
            Self::Geo(..) => kind == Kind::Geo,
            Self::Packed(bytes) => match Reader::new(bytes).token() {
                Ok(Token::List { .. }) => kind == Kind::List,
                Ok(Token::Map { .. }) => kind == Kind::Map,
                _ => kind == Kind::Other,
            },
        }
    }

    /// The number of bytes of the value.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Str(bytes)
            | Self::Blob(bytes)
            | Self::Hll(bytes)
            | Self::Geo(bytes, _)
            | Self::Packed(bytes) => bytes.len(),
            _ => 8,
        }
    }

    /// The value as a bin or as the result of an operation. `None`: it is unknown or cannot be one.
    pub(super) fn into_bin(self) -> Option<Bin> {
        use particle_type as t;
        Some(match self {
            Self::Unknown | Self::Remove => return None,
            Self::Nil => Bin::nil(),
            Self::Bool(value) => Bin::bool(value),
            Self::Int(value) => Bin::int(value),
            Self::Float(value) => Bin::float(value),
            Self::Str(text) => Bin::new(t::STRING, text.to_vec()),
            Self::Blob(bytes) => Bin::new(t::BLOB, bytes.to_vec()),
            Self::Hll(bytes) => Bin::new(t::HLL, bytes.to_vec()),
            Self::Geo(text, _) => Bin::new(t::GEOJSON, geo::particle(&text)?),
            Self::Packed(bytes) => match Reader::new(&bytes).token() {
                Ok(Token::List { .. }) => Bin::new(t::LIST, bytes.to_vec()),
                Ok(Token::Map { .. }) => Bin::new(t::MAP, bytes.to_vec()),
                _ => return None,
            },
        })
    }

    /// Appends the value as an argument of an operation. `None`: it is unknown or cannot be one.
    pub(super) fn write_packed(&self, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Unknown | Self::Remove => return None,
            Self::Nil => msgpack::write_nil(out),
            Self::Bool(value) => msgpack::write_bool(out, *value),
            Self::Int(value) => msgpack::write_int(out, *value),
            Self::Float(value) => msgpack::write_float(out, *value),
            Self::Str(text) => msgpack::write_str(out, text),
            Self::Blob(bytes) => msgpack::write_blob(out, bytes),
            Self::Hll(bytes) => {
                msgpack::write_blob(out, bytes);
                // `write_blob` writes the type byte of a blob.
                let at = out.len() - bytes.len() - 1;
                out[at] = particle_type::HLL;
            }
            Self::Geo(text, _) => msgpack::write_geojson(out, text),
            Self::Packed(bytes) => out.extend_from_slice(bytes),
        }
        Some(())
    }
}
