//! Types of the steps of a context.

/// An element of a list, by its index.
pub const LIST_INDEX: i64 = 0x10;
/// An element of a list, by its rank.
pub const LIST_RANK: i64 = 0x11;
/// The elements of a list that are equal to a value.
pub const LIST_VALUE: i64 = 0x13;
/// A value of a map, by the index of its key.
pub const MAP_INDEX: i64 = 0x20;
/// A value of a map, by its rank.
pub const MAP_RANK: i64 = 0x21;
/// A value of a map, by its key.
pub const MAP_KEY: i64 = 0x22;
/// The values of a map that are equal to a value.
pub const MAP_VALUE: i64 = 0x23;
/// The values of a map, by a list of keys. Only in paths.
pub const MAP_KEYS_IN: i64 = 0x2a;
/// All elements for which an expression is true. Only in paths.
pub const EXPRESSION: i64 = 0x04;
/// With [`EXPRESSION`]: those of the step before for which the expression is true, not their elements.
pub const AND: i64 = 0x200;

/// The bit of types whose argument is a value; other types take an index or rank.
pub const VALUE: i64 = 0x02;
/// The bits that create what is missing, in steps of type [`LIST_INDEX`] and [`MAP_KEY`].
pub const CREATE: i64 = 0xc0;
/// Create an unordered list.
pub const CREATE_LIST: i64 = 0x40;
/// Create an unordered list, and fill the positions before it with nil.
pub const CREATE_LIST_PADDED: i64 = 0x80;
/// Create an ordered list.
pub const CREATE_LIST_ORDERED: i64 = 0xc0;
/// Create an unordered map.
pub const CREATE_MAP: i64 = 0x40;
/// Create a map that is ordered by key.
pub const CREATE_MAP_KEY_ORDERED: i64 = 0x80;
/// Create a map that is ordered by key and has an index by value.
pub const CREATE_MAP_KEY_VALUE_ORDERED: i64 = 0xc0;
