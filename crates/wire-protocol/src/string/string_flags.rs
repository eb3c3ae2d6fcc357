//! Flags of operations on text.

/// Only create the bin.
pub const CREATE_ONLY: i64 = 1;
/// Only update the bin.
pub const UPDATE_ONLY: i64 = 2;
/// Succeed without a change if the operation cannot be applied.
pub const NO_FAIL: i64 = 4;

/// A pattern ignores case.
pub const REGEX_CASE_INSENSITIVE: i64 = 1;
/// `^` and `$` match at the start and end of lines.
pub const REGEX_MULTILINE: i64 = 2;
/// `.` matches the end of a line.
pub const REGEX_DOTALL: i64 = 4;
/// Only a line feed ends a line.
pub const REGEX_UNIX_LINES: i64 = 8;
/// Replace all matches.
pub const REGEX_GLOBAL: i64 = 16;

/// Any number.
pub const NUMERIC_ANY: i64 = 0;
/// An integer.
pub const NUMERIC_INT: i64 = 1;
/// A number with a decimal point.
pub const NUMERIC_FLOAT: i64 = 2;
