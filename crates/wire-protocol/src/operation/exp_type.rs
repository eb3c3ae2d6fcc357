//! Types of the values of expressions.

/// No value.
pub const NIL: i64 = 0;
/// A bool.
pub const BOOL: i64 = 1;
/// An integer.
pub const INT: i64 = 2;
/// Text.
pub const STR: i64 = 3;
/// A list.
pub const LIST: i64 = 4;
/// A map.
pub const MAP: i64 = 5;
/// Bytes.
pub const BLOB: i64 = 6;
/// A float.
pub const FLOAT: i64 = 7;
/// GeoJSON.
pub const GEOJSON: i64 = 8;
/// A HyperLogLog sketch.
pub const HLL: i64 = 9;

/// The type of an expression's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpType {
    /// No value.
    Nil,
    /// A bool.
    Bool,
    /// An integer.
    Int,
    /// Text.
    Str,
    /// A list.
    List,
    /// A map.
    Map,
    /// Bytes.
    Blob,
    /// A float.
    Float,
    /// GeoJSON.
    GeoJson,
    /// A HyperLogLog sketch.
    Hll,
}

impl ExpType {
    /// The type's number.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Nil => NIL,
            Self::Bool => BOOL,
            Self::Int => INT,
            Self::Str => STR,
            Self::List => LIST,
            Self::Map => MAP,
            Self::Blob => BLOB,
            Self::Float => FLOAT,
            Self::GeoJson => GEOJSON,
            Self::Hll => HLL,
        }
    }

    /// The type with this number.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        Some(match code {
            NIL => Self::Nil,
            BOOL => Self::Bool,
            INT => Self::Int,
            STR => Self::Str,
            LIST => Self::List,
            MAP => Self::Map,
            BLOB => Self::Blob,
            FLOAT => Self::Float,
            GEOJSON => Self::GeoJson,
            HLL => Self::Hll,
            _ => return None,
        })
    }
}
