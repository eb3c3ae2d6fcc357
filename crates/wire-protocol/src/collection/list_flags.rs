//! Flags of operations on lists.

/// Add only values that are not in the list.
pub const ADD_UNIQUE: i64 = 1;
/// Insert only within the bounds of the list.
pub const INSERT_BOUNDED: i64 = 2;
/// Succeed without a change if a value is denied.
pub const NO_FAIL: i64 = 4;
/// Add the other values if some are denied.
pub const PARTIAL: i64 = 8;

/// Sort in descending order.
pub const SORT_DESCENDING: i64 = 1;
/// Drop duplicates while sorting.
pub const SORT_DROP_DUPLICATES: i64 = 2;

/// With an order: keep an index of the bin's elements.
pub const PERSIST_INDEX: i64 = 0x10;
