//! Commands of operations on sketches.

/// Create or reset a sketch.
pub const INIT: u8 = 0;
/// Add values.
pub const ADD: u8 = 1;
/// Set to the union with other sketches.
pub const SET_UNION: u8 = 2;
/// Compute the number of values anew.
pub const REFRESH_COUNT: u8 = 3;
/// Reduce the number of index bits.
pub const FOLD: u8 = 4;
/// The number of values.
pub const COUNT: u8 = 50;
/// The union with other sketches.
pub const GET_UNION: u8 = 51;
/// The number of values in the union.
pub const UNION_COUNT: u8 = 52;
/// The number of values in the intersection.
pub const INTERSECT_COUNT: u8 = 53;
/// The share of values in common.
pub const SIMILARITY: u8 = 54;
/// The numbers of index bits and of min-hash bits.
pub const DESCRIBE: u8 = 55;
/// Whether all of several values may have been added.
pub const MAY_CONTAIN: u8 = 56;
