//! Flags of operations by path: what is returned of the elements that a path selects.

/// The collection, reduced to what is selected.
pub const MATCHING_TREE: i64 = 0;
/// The values of the elements.
pub const VALUE: i64 = 1;
/// The keys of the elements.
pub const MAP_KEY: i64 = 2;
/// The keys and values of the elements.
pub const MAP_KEY_VALUE: i64 = 3;
/// The operation modifies: an expression follows.
pub const APPLY: i64 = 4;
/// Skip elements for which an expression fails.
pub const NO_FAIL: i64 = 0x10;
