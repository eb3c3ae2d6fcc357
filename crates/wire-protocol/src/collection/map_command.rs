//! Commands of operations on maps.

/// Set the order, or create a map.
pub const SET_ORDER: u8 = 64;
/// Put a pair if its key is not there.
pub const ADD: u8 = 65;
/// Put several pairs if none of their keys is there.
pub const ADD_ITEMS: u8 = 66;
/// Put a pair.
pub const PUT: u8 = 67;
/// Put several pairs.
pub const PUT_ITEMS: u8 = 68;
/// Put a pair if its key is there.
pub const REPLACE: u8 = 69;
/// Put several pairs if all of their keys are there.
pub const REPLACE_ITEMS: u8 = 70;
/// Add to the number of a key.
pub const INCREMENT: u8 = 73;
/// Subtract from the number of a key.
pub const DECREMENT: u8 = 74;
/// Remove all pairs.
pub const CLEAR: u8 = 75;
/// Remove by key.
pub const REMOVE_BY_KEY: u8 = 76;
/// Remove by index.
pub const REMOVE_BY_INDEX: u8 = 77;
/// Remove by rank.
pub const REMOVE_BY_RANK: u8 = 79;
/// Remove by any of several keys.
pub const REMOVE_BY_KEY_LIST: u8 = 81;
/// Remove by value.
pub const REMOVE_BY_VALUE: u8 = 82;
/// Remove by any of several values.
pub const REMOVE_BY_VALUE_LIST: u8 = 83;
/// Remove by a range of keys.
pub const REMOVE_BY_KEY_RANGE: u8 = 84;
/// Remove by a range of indexes.
pub const REMOVE_BY_INDEX_RANGE: u8 = 85;
/// Remove by a range of values.
pub const REMOVE_BY_VALUE_RANGE: u8 = 86;
/// Remove by a range of ranks.
pub const REMOVE_BY_RANK_RANGE: u8 = 87;
/// Remove by indexes relative to a key.
pub const REMOVE_BY_KEY_REL_INDEX_RANGE: u8 = 88;
/// Remove by ranks relative to a value.
pub const REMOVE_BY_VALUE_REL_RANK_RANGE: u8 = 89;
/// The number of pairs.
pub const SIZE: u8 = 96;
/// Get by key.
pub const GET_BY_KEY: u8 = 97;
/// Get by index.
pub const GET_BY_INDEX: u8 = 98;
/// Get by rank.
pub const GET_BY_RANK: u8 = 100;
/// Get by value.
pub const GET_BY_VALUE: u8 = 102;
/// Get by a range of keys.
pub const GET_BY_KEY_RANGE: u8 = 103;
/// Get by a range of indexes.
pub const GET_BY_INDEX_RANGE: u8 = 104;
/// Get by a range of values.
pub const GET_BY_VALUE_RANGE: u8 = 105;
/// Get by a range of ranks.
pub const GET_BY_RANK_RANGE: u8 = 106;
/// Get by any of several keys.
pub const GET_BY_KEY_LIST: u8 = 107;
/// Get by any of several values.
pub const GET_BY_VALUE_LIST: u8 = 108;
/// Get by indexes relative to a key.
pub const GET_BY_KEY_REL_INDEX_RANGE: u8 = 109;
/// Get by ranks relative to a value.
pub const GET_BY_VALUE_REL_RANK_RANGE: u8 = 110;
