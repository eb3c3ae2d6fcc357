//! Flags of operations on sketches.

/// Only create the bin.
pub const CREATE_ONLY: i64 = 1;
/// Only update the bin.
pub const UPDATE_ONLY: i64 = 2;
/// Succeed without a change if the operation is denied.
pub const NO_FAIL: i64 = 4;
/// Fold the sketch if others have fewer index bits.
pub const ALLOW_FOLD: i64 = 8;
