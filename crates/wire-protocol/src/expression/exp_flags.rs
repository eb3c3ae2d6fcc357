//! Flags of operations with expressions, of patterns and of loop variables.

/// Only create the bin.
pub const WRITE_CREATE_ONLY: i64 = 1;
/// Only update the bin.
pub const WRITE_UPDATE_ONLY: i64 = 2;
/// Delete the bin if the expression is nil.
pub const WRITE_ALLOW_DELETE: i64 = 4;
/// Succeed without a change if the other flags deny the write.
pub const WRITE_POLICY_NO_FAIL: i64 = 8;
/// Succeed without a change, or without a value, if the expression is unknown.
pub const EVAL_NO_FAIL: i64 = 16;

/// A pattern is an extended regular expression.
pub const REGEX_EXTENDED: i64 = 1;
/// A pattern ignores case.
pub const REGEX_ICASE: i64 = 2;
/// Do not record where a pattern matches.
pub const REGEX_NOSUB: i64 = 4;
/// A line feed ends a line.
pub const REGEX_NEWLINE: i64 = 8;

/// The key of the element of a map.
pub const LOOP_VAR_KEY: i64 = 0;
/// The value of the element.
pub const LOOP_VAR_VALUE: i64 = 1;
/// The index of the element of a list.
pub const LOOP_VAR_INDEX: i64 = 2;
