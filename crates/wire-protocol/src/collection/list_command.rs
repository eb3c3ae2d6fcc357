//! Commands of operations on lists.

/// Set the order, or create a list.
pub const SET_ORDER: u8 = 0;
/// Append a value.
pub const APPEND: u8 = 1;
/// Append several values.
pub const APPEND_ITEMS: u8 = 2;
/// Insert a value at an index.
pub const INSERT: u8 = 3;
/// Insert several values at an index.
pub const INSERT_ITEMS: u8 = 4;
/// Remove and return the element at an index.
pub const POP: u8 = 5;
/// Remove and return the elements from an index on.
pub const POP_RANGE: u8 = 6;
/// Remove the element at an index.
pub const REMOVE: u8 = 7;
/// Remove the elements from an index on.
pub const REMOVE_RANGE: u8 = 8;
/// Replace the element at an index.
pub const SET: u8 = 9;
/// Keep the elements from an index on, and remove all others.
pub const TRIM: u8 = 10;
/// Remove all elements.
pub const CLEAR: u8 = 11;
/// Add to the number at an index.
pub const INCREMENT: u8 = 12;
/// Sort.
pub const SORT: u8 = 13;
/// The number of elements.
pub const SIZE: u8 = 16;
/// The element at an index.
pub const GET: u8 = 17;
/// The elements from an index on.
pub const GET_RANGE: u8 = 18;
/// Get by index.
pub const GET_BY_INDEX: u8 = 19;
/// Get by rank.
pub const GET_BY_RANK: u8 = 21;
/// Get by value.
pub const GET_BY_VALUE: u8 = 22;
/// Get by any of several values.
pub const GET_BY_VALUE_LIST: u8 = 23;
/// Get by a range of indexes.
pub const GET_BY_INDEX_RANGE: u8 = 24;
/// Get by a range of values.
pub const GET_BY_VALUE_RANGE: u8 = 25;
/// Get by a range of ranks.
pub const GET_BY_RANK_RANGE: u8 = 26;
/// Get by ranks relative to a value.
pub const GET_BY_VALUE_REL_RANK_RANGE: u8 = 27;
/// Join the elements, text, into one; since server 8.2.
pub const JOIN: u8 = 28;
/// Remove by index.
pub const REMOVE_BY_INDEX: u8 = 32;
/// Remove by rank.
pub const REMOVE_BY_RANK: u8 = 34;
/// Remove by value.
pub const REMOVE_BY_VALUE: u8 = 35;
/// Remove by any of several values.
pub const REMOVE_BY_VALUE_LIST: u8 = 36;
/// Remove by a range of indexes.
pub const REMOVE_BY_INDEX_RANGE: u8 = 37;
/// Remove by a range of values.
pub const REMOVE_BY_VALUE_RANGE: u8 = 38;
/// Remove by a range of ranks.
pub const REMOVE_BY_RANK_RANGE: u8 = 39;
/// Remove by ranks relative to a value.
pub const REMOVE_BY_VALUE_REL_RANK_RANGE: u8 = 40;
