//! What operations on lists and maps return of the elements that they select.

/// Nothing.
pub const NONE: i64 = 0;
/// Their indexes.
pub const INDEX: i64 = 1;
/// Their indexes, counted from the end.
pub const REVERSE_INDEX: i64 = 2;
/// Their ranks.
pub const RANK: i64 = 3;
/// Their ranks, counted from the greatest value.
pub const REVERSE_RANK: i64 = 4;
/// Their number.
pub const COUNT: i64 = 5;
/// Their keys; maps only.
pub const KEY: i64 = 6;
/// Their values.
pub const VALUE: i64 = 7;
/// Their keys and values; maps only.
pub const KEY_VALUE: i64 = 8;
/// Whether there are any.
pub const EXISTS: i64 = 13;
/// An unordered map of them; maps only.
pub const UNORDERED_MAP: i64 = 16;
/// A map of them that is ordered by key; maps only.
pub const ORDERED_MAP: i64 = 17;
/// The bit that selects all other elements instead.
pub const INVERTED: i64 = 0x10000;
