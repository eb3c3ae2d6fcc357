//! Particles: the values of bins, as they are encoded in messages.

use crate::error::WireError;

/// Numbers of particle types.
pub mod particle_type {
    /// No value.
    pub const NIL: u8 = 0;
    /// 64-bit signed integer.
    pub const INTEGER: u8 = 1;
    /// 64-bit IEEE 754 float.
    pub const FLOAT: u8 = 2;
    /// Text, UTF-8 by convention.
    pub const STRING: u8 = 3;
    /// Bytes.
    pub const BLOB: u8 = 4;
    /// An object that a Java client serialized. Types up to [`ERLANG_BLOB`] are of other languages: C#, Python, Ruby,
    /// PHP. Old clients wrote these blobs; no client writes them today.
    pub const JAVA_BLOB: u8 = 7;
    /// An object that an Erlang client serialized.
    pub const ERLANG_BLOB: u8 = 12;
    /// A bool, one byte.
    pub const BOOL: u8 = 17;
    /// A HyperLogLog sketch.
    pub const HLL: u8 = 18;
    /// A map, msgpack.
    pub const MAP: u8 = 19;
    /// A list, msgpack.
    pub const LIST: u8 = 20;
    /// GeoJSON: flags, cells, text.
    pub const GEOJSON: u8 = 23;
}

/// A bin value, borrowed from a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Particle<'a> {
    /// No value.
    Nil,
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// Text: UTF-8 by convention, not checked.
    Str(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
    /// A bool.
    Bool(bool),
    /// A list as msgpack.
    List(&'a [u8]),
    /// A map as msgpack.
    Map(&'a [u8]),
    /// GeoJSON text.
    GeoJson(&'a [u8]),
    /// A HyperLogLog sketch.
    Hll(&'a [u8]),
    /// Any other type, such as language-specific blobs.
    Other {
        /// The type's number.
        particle_type: u8,
        /// The value's bytes.
        bytes: &'a [u8],
    },
}

impl<'a> Particle<'a> {
    /// Reads a value.
    ///
    /// # Errors
    /// A size that a value of the type cannot have.
    #[inline]
    pub fn parse(kind: u8, bytes: &'a [u8]) -> Result<Self, WireError> {
        use self::particle_type as t;
        Ok(match kind {
            t::INTEGER => match bytes.try_into() {
                Ok(bytes) => Self::Int(i64::from_be_bytes(bytes)),
                Err(_) => return Err(WireError::malformed("integer", "it is not 8 bytes long")),
            },
            t::FLOAT => match bytes.try_into() {
                Ok(bytes) => Self::Float(f64::from_be_bytes(bytes)),
                Err(_) => return Err(WireError::malformed("float", "it is not 8 bytes long")),
            },
            t::STRING => Self::Str(bytes),
            t::BLOB => Self::Blob(bytes),
            t::BOOL => match bytes {
                [byte] => Self::Bool(*byte != 0),
                _ => return Err(WireError::malformed("bool", "it is not 1 byte long")),
            },
            t::LIST => Self::List(bytes),
            t::MAP => Self::Map(bytes),
            t::GEOJSON => Self::GeoJson(geojson_text(bytes)?),
            t::HLL => Self::Hll(bytes),
            t::NIL => Self::Nil,
            _ => Self::Other { particle_type: kind, bytes },
        })
    }

    /// The type's name, as in the server's documentation.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::Blob(_) => "blob",
            Self::Bool(_) => "bool",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::GeoJson(_) => "GeoJSON",
            Self::Hll(_) => "HLL",
            Self::Other { particle_type, .. } => match particle_type {
                7 => "Java blob",
                8 => "C# blob",
                9 => "Python blob",
                10 => "Ruby blob",
                11 => "PHP blob",
                12 => "Erlang blob",
                _ => "unknown",
            },
        }
    }

    /// The type's number.
    #[must_use]
    pub fn particle_type(&self) -> u8 {
        use self::particle_type as t;
        match self {
            Self::Nil => t::NIL,
            Self::Int(_) => t::INTEGER,
            Self::Float(_) => t::FLOAT,
            Self::Str(_) => t::STRING,
            Self::Blob(_) => t::BLOB,
            Self::Bool(_) => t::BOOL,
            Self::List(_) => t::LIST,
            Self::Map(_) => t::MAP,
            Self::GeoJson(_) => t::GEOJSON,
            Self::Hll(_) => t::HLL,
            Self::Other { particle_type, .. } => *particle_type,
        }
    }

    /// Appends the value's encoding. GeoJSON is written without cells, as clients send it.
    pub fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Nil => {}
            Self::Int(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::Float(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::Bool(value) => out.push(u8::from(value)),
            Self::GeoJson(text) => {
                out.extend_from_slice(&[0, 0, 0]);
                out.extend_from_slice(text);
            }
            Self::Str(bytes)
            | Self::Blob(bytes)
            | Self::List(bytes)
            | Self::Map(bytes)
            | Self::Hll(bytes)
            | Self::Other { bytes, .. } => out.extend_from_slice(bytes),
        }
    }
}

/// The text of a GeoJSON value: flags u8, number of cells u16, cells u64 each, then the text.
fn geojson_text(bytes: &[u8]) -> Result<&[u8], WireError> {
    let truncated = WireError::Truncated { what: "a GeoJSON value" };
    let (&[_flags, n0, n1], rest) = bytes.split_first_chunk::<3>().ok_or(truncated.clone())?;
    let cells = usize::from(u16::from_be_bytes([n0, n1]));
    rest.get(cells * 8..).ok_or(truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_and_written() {
        let float = 1.5f64.to_be_bytes();
        let cases: [(u8, &[u8], Particle<'_>, &str); 13] = [
            (0, b"", Particle::Nil, "nil"),
            (1, &[0xff; 8], Particle::Int(-1), "integer"),
            (2, &float, Particle::Float(1.5), "float"),
            (3, b"text", Particle::Str(b"text"), "string"),
            (4, &[0, 1], Particle::Blob(&[0, 1]), "blob"),
            (17, &[1], Particle::Bool(true), "bool"),
            (18, &[9, 9], Particle::Hll(&[9, 9]), "HLL"),
            (19, &[0x80], Particle::Map(&[0x80]), "map"),
            (20, &[0x90], Particle::List(&[0x90]), "list"),
            (23, b"\0\0\0{}", Particle::GeoJson(b"{}"), "GeoJSON"),
            (7, b"\xac\xed", Particle::Other { particle_type: 7, bytes: b"\xac\xed" }, "Java blob"),
            (12, b"\x83", Particle::Other { particle_type: 12, bytes: b"\x83" }, "Erlang blob"),
            (99, b"?", Particle::Other { particle_type: 99, bytes: b"?" }, "unknown"),
        ];
        for (kind, bytes, particle, name) in cases {
            assert_eq!(Particle::parse(kind, bytes), Ok(particle));
            assert_eq!((particle.particle_type(), particle.type_name()), (kind, name));
            let mut written = Vec::new();
            particle.write(&mut written);
            assert_eq!(written, bytes, "{name}");
        }
    }

    #[test]
    fn a_size_that_the_type_cannot_have_is_refused() {
        for len in [0, 1, 7, 9] {
            assert!(Particle::parse(particle_type::INTEGER, &vec![0; len]).is_err());
            assert!(Particle::parse(particle_type::FLOAT, &vec![0; len]).is_err());
        }
        assert!(Particle::parse(particle_type::BOOL, &[]).is_err());
        assert!(Particle::parse(particle_type::BOOL, &[0, 1]).is_err());
        assert_eq!(Particle::parse(particle_type::BOOL, &[0]), Ok(Particle::Bool(false)));
    }

    #[test]
    fn geojson_text_follows_the_cells() {
        let mut bytes = vec![0, 0, 2];
        bytes.extend([0xcc; 16]);
        assert_eq!(Particle::parse(particle_type::GEOJSON, &bytes), Ok(Particle::GeoJson(b"")));
        bytes.extend(b"{}");
        assert_eq!(Particle::parse(particle_type::GEOJSON, &bytes), Ok(Particle::GeoJson(b"{}")));
        for len in 0..19 {
            assert!(Particle::parse(particle_type::GEOJSON, &bytes[..len]).is_err(), "cut to {len}");
        }
    }
}
