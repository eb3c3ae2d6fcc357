//! The families of commands that expressions call.

/// Lists and maps.
pub const CDT: i64 = 0;
/// Bits.
pub const BITS: i64 = 1;
/// HyperLogLog sketches.
pub const HLL: i64 = 2;
/// Text; since server 8.2.
pub const STRING: i64 = 3;
/// The bit of commands that modify what they are given, and return it.
pub const MODIFY: i64 = 0x40;
