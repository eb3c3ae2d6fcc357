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
