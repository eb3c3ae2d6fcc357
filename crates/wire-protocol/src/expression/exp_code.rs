//! Codes of expressions.

/// Unknown: filters take it as false, operations fail.
pub const UNKNOWN: u8 = 0;
/// Equal.
pub const EQ: u8 = 1;
/// Not equal.
pub const NE: u8 = 2;
/// Greater.
pub const GT: u8 = 3;
/// Greater or equal.
pub const GE: u8 = 4;
/// Less.
pub const LT: u8 = 5;
/// Less or equal.
pub const LE: u8 = 6;
/// Text matches a pattern.
pub const CMP_REGEX: u8 = 7;
/// A region contains a point, or the reverse.
pub const CMP_GEO: u8 = 8;
/// A list contains a value.
pub const IN_LIST: u8 = 9;
/// All are true.
pub const AND: u8 = 16;
/// Any is true.
pub const OR: u8 = 17;
/// Not true.
pub const NOT: u8 = 18;
/// Exactly one is true.
pub const EXCLUSIVE: u8 = 19;
/// The sum.
pub const ADD: u8 = 20;
/// The difference.
pub const SUB: u8 = 21;
/// The product.
pub const MUL: u8 = 22;
/// The quotient.
pub const DIV: u8 = 23;
/// A power.
pub const POW: u8 = 24;
/// A logarithm.
pub const LOG: u8 = 25;
/// The remainder.
pub const MOD: u8 = 26;
/// The absolute value.
pub const ABS: u8 = 27;
/// Rounded down.
pub const FLOOR: u8 = 28;
/// Rounded up.
pub const CEIL: u8 = 29;
/// As an integer.
pub const TO_INT: u8 = 30;
/// As a float.
pub const TO_FLOAT: u8 = 31;
/// Bitwise and.
pub const INT_AND: u8 = 32;
/// Bitwise or.
pub const INT_OR: u8 = 33;
/// Bitwise exclusive or.
pub const INT_XOR: u8 = 34;
/// Bitwise not.
pub const INT_NOT: u8 = 35;
/// Shift left.
pub const INT_LSHIFT: u8 = 36;
/// Shift right, filling with zeros.
pub const INT_RSHIFT: u8 = 37;
/// Shift right, keeping the sign.
pub const INT_ARSHIFT: u8 = 38;
/// The number of bits that are set.
pub const INT_COUNT: u8 = 39;
/// The first bit of a value, from the left.
pub const INT_LSCAN: u8 = 40;
/// The first bit of a value, from the right.
pub const INT_RSCAN: u8 = 41;
/// The least.
pub const MIN: u8 = 50;
/// The greatest.
pub const MAX: u8 = 51;
/// The digest modulo a number.
pub const DIGEST_MODULO: u8 = 64;
/// The record's size on its device.
pub const DEVICE_SIZE: u8 = 65;
/// The time of the last update.
pub const LAST_UPDATE: u8 = 66;
/// Milliseconds since the last update.
pub const SINCE_UPDATE: u8 = 67;
/// The time at which the record expires.
pub const VOID_TIME: u8 = 68;
/// Seconds until the record expires.
pub const TTL: u8 = 69;
/// The name of the set.
pub const SET_NAME: u8 = 70;
/// Whether the record stores its key.
pub const KEY_EXISTS: u8 = 71;
/// Whether the record is a tombstone.
pub const IS_TOMBSTONE: u8 = 72;
/// The record's size in memory.
pub const MEMORY_SIZE: u8 = 73;
/// The record's size.
pub const RECORD_SIZE: u8 = 74;
/// The record's key.
pub const KEY: u8 = 80;
/// The value of a bin.
pub const BIN: u8 = 81;
/// The particle type of a bin.
pub const BIN_TYPE: u8 = 82;
/// As text; since server 8.2.
pub const TO_STRING: u8 = 99;
/// In a modification by path: remove the element.
pub const REMOVE_RESULT: u8 = 100;
/// The keys of a map, as a list.
pub const MAP_KEYS: u8 = 101;
/// The values of a map, as a list.
pub const MAP_VALUES: u8 = 102;
/// A part of the element to which a path has come.
pub const LOOP_VAR: u8 = 122;
/// The value of the first condition that is true.
pub const COND: u8 = 123;
/// The value of a variable.
pub const VAR: u8 = 124;
/// An expression with variables.
pub const LET: u8 = 125;
/// A list as a literal.
pub const QUOTE: u8 = 126;
/// A command of [`exp_module`](super::exp_module).
pub const CALL: u8 = 127;
