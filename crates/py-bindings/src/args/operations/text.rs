//! The operations on strings, by the official client's numbers.

use wire_protocol::operation::Family;
use wire_protocol::string::string_command as t;

use super::table::Kind::{
    Flags, Int, OptionalInt, PairFirst, PairSecond, PolicyOfSnip, Text, TextPolicy, Texts,
};
use super::table::{E, Key as K, R, Spec, W};

const fn s(number: i64, name: &'static str, command: u8, modifies: bool, entries: &'static [E]) -> Spec {
    Spec::new(Family::Text, number, name, command, modifies, entries)
}

#[rustfmt::skip]
pub(super) static TEXT: &[Spec] = &[
    s(1200, "strlen", t::STRLEN, R, &[]),
    s(1201, "substr", t::SUBSTR, R, &[E(K::Start, "start", Int)]),
    s(1202, "substr_range", t::SUBSTR, R, &[E(K::Start, "start", Int), E(K::End, "end", Int)]),
    s(1203, "char_at", t::CHAR_AT, R, &[E(K::Index, "index", Int)]),
    s(1204, "find", t::FIND, R, &[E(K::Needle, "needle", Text), E(K::Occurrence, "occurrence", Int)]),
    s(1205, "contains", t::CONTAINS, R, &[E(K::Needle, "needle", Text)]),
    s(1206, "starts_with", t::STARTS_WITH, R, &[E(K::Prefix, "prefix", Text)]),
    s(1207, "ends_with", t::ENDS_WITH, R, &[E(K::Suffix, "suffix", Text)]),
    s(1208, "to_integer", t::TO_INTEGER, R, &[]),
    s(1209, "to_double", t::TO_DOUBLE, R, &[]),
    s(1210, "byte_length", t::BYTE_LENGTH, R, &[]),
    s(1211, "is_numeric", t::IS_NUMERIC, R, &[E(K::NumericType, "numeric_type", Flags(3))]),
    s(1212, "is_upper", t::IS_UPPER, R, &[]),
    s(1213, "is_lower", t::IS_LOWER, R, &[]),
    s(1214, "to_blob", t::TO_BLOB, R, &[]),
    s(1215, "split", t::SPLIT, R, &[]),
    s(1216, "split_separator", t::SPLIT, R, &[E(K::Separator, "separator", Text)]),
    s(1217, "base64_decode", t::B64_DECODE, R, &[]),
    s(1218, "regex_compare", t::REGEX_COMPARE, R, &[
        E(K::Pattern, "pattern", Text), E(K::RegexFlags, "regex_flags", Flags(31)),
    ]),
    s(1219, "insert", t::INSERT, W, &[
        E(K::Index, "index", Int), E(K::Value, "value", Text), E(K::Policy, "policy", TextPolicy),
    ]),
    s(1220, "overwrite", t::OVERWRITE, W, &[
        E(K::Index, "index", Int), E(K::Value, "value", Text), E(K::Policy, "policy", TextPolicy),
    ]),
    s(1221, "concat", t::CONCAT, W, &[E(K::ValueList, "value_list", Texts), E(K::Policy, "policy", TextPolicy)]),
    s(1222, "snip", t::SNIP, W, &[
        E(K::Start, "start", Int), E(K::End, "end", OptionalInt), E(K::Policy, "policy", PolicyOfSnip),
    ]),
    s(1224, "replace", t::REPLACE, W, &[
        E(K::Needle, "needle", PairFirst), E(K::Replacement, "replacement", PairSecond), E(K::Policy, "policy", TextPolicy),
    ]),
    s(1225, "replace_all", t::REPLACE_ALL, W, &[
        E(K::Needle, "needle", PairFirst), E(K::Replacement, "replacement", PairSecond), E(K::Policy, "policy", TextPolicy),
    ]),
    s(1226, "upper", t::UPPER, W, &[E(K::Policy, "policy", TextPolicy)]),
    s(1227, "lower", t::LOWER, W, &[E(K::Policy, "policy", TextPolicy)]),
    s(1228, "casefold", t::CASE_FOLD, W, &[E(K::Policy, "policy", TextPolicy)]),
    s(1229, "normalize_nfc", t::NORMALIZE_NFC, W, &[E(K::Policy, "policy", TextPolicy)]),
    s(1230, "trim_start", t::TRIM_START, W, &[E(K::Policy, "policy", TextPolicy)]),
    s(1231, "trim_end", t::TRIM_END, W, &[E(K::Policy, "policy", TextPolicy)]),
    s(1232, "trim", t::TRIM, W, &[E(K::Policy, "policy", TextPolicy)]),
    s(1233, "pad_start", t::PAD_START, W, &[
        E(K::TargetLength, "target_length", Int), E(K::PadString, "pad_string", Text),
        E(K::Policy, "policy", TextPolicy),
    ]),
    s(1234, "pad_end", t::PAD_END, W, &[
        E(K::TargetLength, "target_length", Int), E(K::PadString, "pad_string", Text),
        E(K::Policy, "policy", TextPolicy),
    ]),
    s(1235, "repeat", t::REPEAT, W, &[E(K::Count, "count", Int), E(K::Policy, "policy", TextPolicy)]),
    s(1236, "regex_replace", t::REGEX_REPLACE, W, &[
        E(K::Pattern, "pattern", PairFirst), E(K::Replacement, "replacement", PairSecond),
        E(K::RegexFlags, "regex_flags", Flags(31)), E(K::Policy, "policy", TextPolicy),
    ]),
    s(1237, "append", t::APPEND, W, &[E(K::Value, "value", Text), E(K::Policy, "policy", TextPolicy)]),
    s(1238, "prepend", t::PREPEND, W, &[E(K::Value, "value", Text), E(K::Policy, "policy", TextPolicy)]),
    s(1239, "to_string", 0, R, &[]),
];
