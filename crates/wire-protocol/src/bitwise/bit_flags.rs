//! Flags of operations on bits.

/// Only create the bin.
pub const CREATE_ONLY: i64 = 1;
/// Only update the bin.
pub const UPDATE_ONLY: i64 = 2;
/// Succeed without a change if the operation is denied.
pub const NO_FAIL: i64 = 4;
/// Change the bits that are there if others are not.
pub const PARTIAL: i64 = 8;

/// Resize at the front.
pub const RESIZE_FROM_FRONT: i64 = 1;
/// Only grow.
pub const RESIZE_GROW_ONLY: i64 = 2;
/// Only shrink.
pub const RESIZE_SHRINK_ONLY: i64 = 4;

/// The integer is signed.
pub const SIGNED: i64 = 1;
/// An overflow of an integer is an error.
pub const OVERFLOW_FAIL: i64 = 0;
/// An overflow gives the greatest or least integer.
pub const OVERFLOW_SATURATE: i64 = 2;
/// An overflow wraps around.
pub const OVERFLOW_WRAP: i64 = 4;

/// The size of a range is what is left of the blob without that many bytes.
pub const INVERT_SIZE: i64 = 1;
