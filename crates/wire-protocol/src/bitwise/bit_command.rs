//! Commands of operations on bits.

/// Change the number of bytes.
pub const RESIZE: u8 = 0;
/// Insert bytes.
pub const INSERT: u8 = 1;
/// Remove bytes.
pub const REMOVE: u8 = 2;
/// Replace bits.
pub const SET: u8 = 3;
/// Bitwise or.
pub const OR: u8 = 4;
/// Bitwise exclusive or.
pub const XOR: u8 = 5;
/// Bitwise and.
pub const AND: u8 = 6;
/// Bitwise not.
pub const NOT: u8 = 7;
/// Shift left.
pub const LSHIFT: u8 = 8;
/// Shift right.
pub const RSHIFT: u8 = 9;
/// Add to an integer.
pub const ADD: u8 = 10;
/// Subtract from an integer.
pub const SUBTRACT: u8 = 11;
/// Write an integer.
pub const SET_INT: u8 = 12;
/// Read bits.
pub const GET: u8 = 50;
/// Count bits that are set.
pub const COUNT: u8 = 51;
/// Find the first bit of a value, from the left.
pub const LSCAN: u8 = 52;
/// Find the first bit of a value, from the right.
pub const RSCAN: u8 = 53;
/// Read an integer.
pub const GET_INT: u8 = 54;
/// Encode as base64; since server 8.2.
pub const B64_ENCODE: u8 = 55;
