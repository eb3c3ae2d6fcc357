//! Flags of operations on maps.

/// Only put keys that are not there.
pub const CREATE_ONLY: i64 = 1;
/// Only put keys that are there.
pub const UPDATE_ONLY: i64 = 2;
/// Succeed without a change if a pair is denied.
pub const NO_FAIL: i64 = 4;
/// Put the other pairs if some are denied.
pub const PARTIAL: i64 = 8;

/// With an order: keep an index of the bin's pairs.
pub const PERSIST_INDEX: i64 = 0x10;
