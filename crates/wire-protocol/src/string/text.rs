//! Operations on text.

use super::string_command as c;
use crate::error::WireError;
use crate::message::op;
use crate::operation::{Argument, Call, Family, Operation, Returns, exp_type};

fn modify(command: u8) -> Call {
    Call::new(Family::Text, command, true, Returns::Type(exp_type::STR))
}

fn read(command: u8, exp_type: i64) -> Call {
    Call::new(Family::Text, command, false, Returns::Type(exp_type))
}

/// Reads a bin of any type as text.
///
/// # Errors
/// A bin name that is too long to be encoded.
pub fn to_string(bin: &str) -> Result<Operation, WireError> {
    Operation::without_value(op::TO_STRING, bin)
}

/// The number of characters.
pub fn strlen() -> Call {
    read(c::STRLEN, exp_type::INT)
}

/// The part from position `start` to before position `end`.
pub fn substr(start: impl Into<Argument>, end: impl Into<Argument>) -> Call {
    read(c::SUBSTR, exp_type::STR).arg(start).arg(end)
}

/// The part from position `start` to the end.
pub fn substr_from(start: impl Into<Argument>) -> Call {
    read(c::SUBSTR, exp_type::STR).arg(start)
}

/// The character at a position.
pub fn char_at(index: impl Into<Argument>) -> Call {
    read(c::CHAR_AT, exp_type::STR).arg(index)
}

/// The position of an occurrence of a part, counted from 1; -1 for none.
pub fn find(needle: impl Into<Argument>, occurrence: impl Into<Argument>) -> Call {
    read(c::FIND, exp_type::INT).arg(needle).arg(occurrence)
}

/// Whether there is a part.
pub fn contains(needle: impl Into<Argument>) -> Call {
    read(c::CONTAINS, exp_type::BOOL).arg(needle)
}

/// Whether the text starts with a part.
pub fn starts_with(prefix: impl Into<Argument>) -> Call {
    read(c::STARTS_WITH, exp_type::BOOL).arg(prefix)
}

/// Whether the text ends with a part.
pub fn ends_with(suffix: impl Into<Argument>) -> Call {
    read(c::ENDS_WITH, exp_type::BOOL).arg(suffix)
}

/// The text as an integer.
pub fn to_integer() -> Call {
    read(c::TO_INTEGER, exp_type::INT)
}

/// The text as a float.
pub fn to_double() -> Call {
    read(c::TO_DOUBLE, exp_type::FLOAT)
}

/// The number of bytes.
pub fn byte_length() -> Call {
    read(c::BYTE_LENGTH, exp_type::INT)
}

/// Whether the text is a number, of a kind of [`string_flags`](super::string_flags) such as `NUMERIC_ANY`.
pub fn is_numeric(kind: i64) -> Call {
    read(c::IS_NUMERIC, exp_type::BOOL).arg(kind)
}

/// Whether the text is in upper case.
pub fn is_upper() -> Call {
    read(c::IS_UPPER, exp_type::BOOL)
}

/// Whether the text is in lower case.
pub fn is_lower() -> Call {
    read(c::IS_LOWER, exp_type::BOOL)
}

/// The bytes of the text.
pub fn to_blob() -> Call {
    read(c::TO_BLOB, exp_type::BLOB)
}

/// The characters, as a list.
pub fn split() -> Call {
    read(c::SPLIT, exp_type::LIST)
}

/// The parts between separators, as a list.
pub fn split_by(separator: impl Into<Argument>) -> Call {
    read(c::SPLIT, exp_type::LIST).arg(separator)
}

/// The bytes that the text encodes in base64.
pub fn b64_decode() -> Call {
    read(c::B64_DECODE, exp_type::BLOB)
}

/// Whether the text matches a pattern. `regex_flags` has the bits of [`string_flags`](super::string_flags) that start with
/// `REGEX`.
pub fn regex_compare(pattern: impl Into<Argument>, regex_flags: i64) -> Call {
    read(c::REGEX_COMPARE, exp_type::BOOL).arg(pattern).arg(regex_flags)
}

/// Inserts text at a position.
pub fn insert(index: impl Into<Argument>, text: impl Into<Argument>, flags: i64) -> Call {
    modify(c::INSERT).arg(index).arg(text).arg(flags)
}

/// Overwrites the text from a position on.
pub fn overwrite(index: impl Into<Argument>, text: impl Into<Argument>, flags: i64) -> Call {
    modify(c::OVERWRITE).arg(index).arg(text).arg(flags)
}

/// Appends text.
pub fn append(text: impl Into<Argument>, flags: i64) -> Call {
    modify(c::APPEND).arg(text).arg(flags)
}

/// Prepends text.
pub fn prepend(text: impl Into<Argument>, flags: i64) -> Call {
    modify(c::PREPEND).arg(text).arg(flags)
}

/// Appends several texts.
pub fn concat<T: Into<String>>(texts: impl IntoIterator<Item = T>, flags: i64) -> Call {
    modify(c::CONCAT).arg(Argument::texts(texts)).arg(flags)
}

/// Removes the part from position `start` to before position `end`.
pub fn snip(start: impl Into<Argument>, end: impl Into<Argument>, flags: i64) -> Call {
    modify(c::SNIP).arg(start).arg(end).arg(flags)
}

/// Removes the part from position `start` to the end.
pub fn snip_from(start: impl Into<Argument>) -> Call {
    modify(c::SNIP).arg(start)
}

/// Replaces the first occurrence of a part.
pub fn replace(needle: &str, replacement: &str, flags: i64) -> Call {
    modify(c::REPLACE).arg(Argument::texts([needle, replacement])).arg(flags)
}

/// Replaces all occurrences of a part.
pub fn replace_all(needle: &str, replacement: &str, flags: i64) -> Call {
    modify(c::REPLACE_ALL).arg(Argument::texts([needle, replacement])).arg(flags)
}

/// Converts to upper case.
pub fn upper(flags: i64) -> Call {
    modify(c::UPPER).arg(flags)
}

/// Converts to lower case.
pub fn lower(flags: i64) -> Call {
    modify(c::LOWER).arg(flags)
}

/// Folds case, for comparisons that ignore it.
pub fn case_fold(flags: i64) -> Call {
    modify(c::CASE_FOLD).arg(flags)
}

/// Normalizes to NFC.
pub fn normalize_nfc(flags: i64) -> Call {
    modify(c::NORMALIZE_NFC).arg(flags)
}

/// Trims spaces at the start.
pub fn trim_start(flags: i64) -> Call {
    modify(c::TRIM_START).arg(flags)
}

/// Trims spaces at the end.
pub fn trim_end(flags: i64) -> Call {
    modify(c::TRIM_END).arg(flags)
}

/// Trims spaces at both ends.
pub fn trim(flags: i64) -> Call {
    modify(c::TRIM).arg(flags)
}

/// Pads at the start to a number of characters.
pub fn pad_start(length: impl Into<Argument>, padding: impl Into<Argument>, flags: i64) -> Call {
    modify(c::PAD_START).arg(length).arg(padding).arg(flags)
}

/// Pads at the end to a number of characters.
pub fn pad_end(length: impl Into<Argument>, padding: impl Into<Argument>, flags: i64) -> Call {
    modify(c::PAD_END).arg(length).arg(padding).arg(flags)
}

/// Repeats the text.
pub fn repeat(count: impl Into<Argument>, flags: i64) -> Call {
    modify(c::REPEAT).arg(count).arg(flags)
}

/// Replaces what matches a pattern. `regex_flags` is as for [`regex_compare`], and `REGEX_GLOBAL` for all matches.
pub fn regex_replace(pattern: &str, replacement: &str, regex_flags: i64, flags: i64) -> Call {
    modify(c::REGEX_REPLACE).arg(Argument::texts([pattern, replacement])).arg(regex_flags).arg(flags)
}
