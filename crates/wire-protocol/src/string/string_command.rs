//! Commands of operations on text.

/// The number of characters.
pub const STRLEN: u8 = 0;
/// A part, by positions of characters.
pub const SUBSTR: u8 = 1;
/// The character at a position.
pub const CHAR_AT: u8 = 2;
/// The position of a part.
pub const FIND: u8 = 3;
/// Whether there is a part.
pub const CONTAINS: u8 = 4;
/// Whether it starts with a part.
pub const STARTS_WITH: u8 = 5;
/// Whether it ends with a part.
pub const ENDS_WITH: u8 = 6;
/// As an integer.
pub const TO_INTEGER: u8 = 7;
/// As a float.
pub const TO_DOUBLE: u8 = 8;
/// The number of bytes.
pub const BYTE_LENGTH: u8 = 9;
/// Whether it is a number.
pub const IS_NUMERIC: u8 = 10;
/// Whether it is in upper case.
pub const IS_UPPER: u8 = 11;
/// Whether it is in lower case.
pub const IS_LOWER: u8 = 12;
/// As a blob.
pub const TO_BLOB: u8 = 13;
/// As a list of parts.
pub const SPLIT: u8 = 14;
/// The blob that it encodes in base64.
pub const B64_DECODE: u8 = 15;
/// Whether it matches a pattern.
pub const REGEX_COMPARE: u8 = 16;
/// Insert at a position.
pub const INSERT: u8 = 50;
/// Overwrite from a position on.
pub const OVERWRITE: u8 = 51;
/// Append several texts.
pub const CONCAT: u8 = 52;
/// Remove a part, by positions.
pub const SNIP: u8 = 53;
/// Replace the first occurrence.
pub const REPLACE: u8 = 54;
/// Replace all occurrences.
pub const REPLACE_ALL: u8 = 55;
/// Convert to upper case.
pub const UPPER: u8 = 56;
/// Convert to lower case.
pub const LOWER: u8 = 57;
/// Fold case.
pub const CASE_FOLD: u8 = 58;
/// Normalize to NFC.
pub const NORMALIZE_NFC: u8 = 59;
/// Trim spaces at the start.
pub const TRIM_START: u8 = 60;
/// Trim spaces at the end.
pub const TRIM_END: u8 = 61;
/// Trim spaces at both ends.
pub const TRIM: u8 = 62;
/// Pad at the start.
pub const PAD_START: u8 = 63;
/// Pad at the end.
pub const PAD_END: u8 = 64;
/// Repeat.
pub const REPEAT: u8 = 65;
/// Replace what matches a pattern.
pub const REGEX_REPLACE: u8 = 66;
/// Append a text.
pub const APPEND: u8 = 67;
/// Prepend a text.
pub const PREPEND: u8 = 68;
