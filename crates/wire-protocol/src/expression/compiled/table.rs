//! How the operations of compiled expressions are encoded.

use crate::bitwise::bit_command;
use crate::collection::{list_command, map_command};
use crate::expression::{exp_code as c, exp_type as t};
use crate::hll::hll_command;
use crate::operation::Family;
use crate::string::string_command;

/// A command of an operation, called.
pub(super) struct CallSpec {
    /// The operation of the entry.
    pub(super) op: u16,
    pub(super) family: Family,
    pub(super) command: u8,
    pub(super) form: CallForm,
    /// The number of children: arguments, a policy, the bin.
    pub(super) children: u8,
    pub(super) policy: Policy,
    /// Arguments before the children.
    pub(super) fixed: &'static [Fixed],
}

/// What a call does, and of which type the result is.
pub(super) enum CallForm {
    /// Returns this type.
    Reads(i64),
    /// Returns elements as a return type says.
    Selects {
        /// At most one element.
        is_single: bool,
        is_map: bool,
    },
    /// Modifies a bin of this type.
    Modifies(i64),
    /// The same, with a return type as first argument.
    Removes(i64),
    /// The same, with the return type for nothing.
    RemovesOne(i64),
}

/// Which parts of a policy are sent, after the arguments.
pub(super) enum Policy {
    None,
    /// Order and flags.
    List,
    ListFlags,
    /// Order and flags.
    Map,
    MapOrder,
}

/// An argument in an entry's dictionary, under a key.
#[derive(Clone, Copy)]
pub(super) enum Fixed {
    Int(&'static str),
    /// 0 if the key is missing.
    Flags(&'static str),
    Text(&'static str),
    /// A literal list of two texts.
    Pair(&'static str, &'static str),
    /// A literal list.
    List(&'static str),
}

/// Operations that are a code and this number of expressions, by the operation of the entry.
pub(super) const NODES: &[(u16, u8, u8)] = &[
    (0, c::UNKNOWN, 0),
    (1, c::EQ, 2),
    (2, c::NE, 2),
    (3, c::GT, 2),
    (4, c::GE, 2),
    (5, c::LT, 2),
    (6, c::LE, 2),
    (8, c::CMP_GEO, 2),
    (9, c::IN_LIST, 2),
    (18, c::NOT, 1),
    (24, c::POW, 2),
    (25, c::LOG, 2),
    (26, c::MOD, 2),
    (27, c::ABS, 1),
    (28, c::FLOOR, 1),
    (29, c::CEIL, 1),
    (30, c::TO_INT, 1),
    (31, c::TO_FLOAT, 1),
    (35, c::INT_NOT, 1),
    (36, c::INT_LSHIFT, 2),
    (37, c::INT_RSHIFT, 2),
    (38, c::INT_ARSHIFT, 2),
    (39, c::INT_COUNT, 1),
    (40, c::INT_LSCAN, 2),
    (41, c::INT_RSCAN, 2),
    (65, c::DEVICE_SIZE, 0),
    (66, c::LAST_UPDATE, 0),
    (67, c::VOID_TIME, 0),
    (68, c::TTL, 0),
    (69, c::SET_NAME, 0),
    (70, c::KEY_EXISTS, 0),
    (71, c::SINCE_UPDATE, 0),
    (72, c::IS_TOMBSTONE, 0),
    (73, c::MEMORY_SIZE, 0),
    (74, c::RECORD_SIZE, 0),
    (100, c::REMOVE_RESULT, 0),
    (101, c::MAP_KEYS, 1),
    (102, c::MAP_VALUES, 1),
    (1239, c::TO_STRING, 1),
];

/// Codes with any number of expressions, which are the operations of their entries, too. Their last child marks the end.
pub(super) const VARIADIC: &[u8] = &[
    c::AND,
    c::OR,
    c::EXCLUSIVE,
    c::ADD,
    c::SUB,
    c::MUL,
    c::DIV,
    c::INT_AND,
    c::INT_OR,
    c::INT_XOR,
    c::MIN,
    c::MAX,
    c::COND,
    c::LET,
];

const ONE_OF_LIST: CallForm = CallForm::Selects { is_single: true, is_map: false };
const OF_LIST: CallForm = CallForm::Selects { is_single: false, is_map: false };
const ONE_OF_MAP: CallForm = CallForm::Selects { is_single: true, is_map: true };
const OF_MAP: CallForm = CallForm::Selects { is_single: false, is_map: true };

const fn collection(op: u16, command: u8, form: CallForm, children: u8, policy: Policy) -> CallSpec {
    CallSpec { op, family: Family::Collection, command, form, children, policy, fixed: &[] }
}

/// With an argument in the dictionary.
const fn with_fixed(op: u16, command: u8, form: CallForm, fixed: &'static [Fixed]) -> CallSpec {
    CallSpec { op, family: Family::Collection, command, form, children: 1, policy: Policy::None, fixed }
}

const fn text(op: u16, command: u8, form: CallForm, fixed: &'static [Fixed]) -> CallSpec {
    CallSpec { op, family: Family::Text, command, form, children: 1, policy: Policy::None, fixed }
}

const fn bits(op: u16, command: u8, form: CallForm, children: u8) -> CallSpec {
    CallSpec { op, family: Family::Bits, command, form, children, policy: Policy::None, fixed: &[] }
}

const fn hll(op: u16, command: u8, form: CallForm, children: u8) -> CallSpec {
    CallSpec { op, family: Family::Hll, command, form, children, policy: Policy::None, fixed: &[] }
}

/// Calls of commands, by the operation of the entry.
#[rustfmt::skip]
pub(super) const CALLS: &[CallSpec] = &[
    collection(1001, list_command::APPEND, CallForm::Modifies(t::LIST), 3, Policy::List),
    collection(1002, list_command::APPEND_ITEMS, CallForm::Modifies(t::LIST), 3, Policy::List),
    collection(1003, list_command::INSERT, CallForm::Modifies(t::LIST), 4, Policy::ListFlags),
    collection(1004, list_command::INSERT_ITEMS, CallForm::Modifies(t::LIST), 4, Policy::ListFlags),
    collection(1009, list_command::CLEAR, CallForm::Modifies(t::LIST), 1, Policy::None),
    collection(1010, list_command::SET, CallForm::Modifies(t::LIST), 4, Policy::ListFlags),
    collection(1014, list_command::SIZE, CallForm::Reads(t::INT), 1, Policy::None),
    collection(1015, list_command::INCREMENT, CallForm::Modifies(t::LIST), 4, Policy::List),
    collection(1016, list_command::GET_BY_INDEX, ONE_OF_LIST, 2, Policy::None),
    collection(1017, list_command::GET_BY_INDEX_RANGE, OF_LIST, 3, Policy::None),
    collection(1018, list_command::GET_BY_RANK, ONE_OF_LIST, 2, Policy::None),
    collection(1019, list_command::GET_BY_RANK_RANGE, OF_LIST, 3, Policy::None),
    collection(1020, list_command::GET_BY_VALUE, OF_LIST, 2, Policy::None),
    collection(1021, list_command::GET_BY_VALUE_LIST, OF_LIST, 2, Policy::None),
    collection(1022, list_command::GET_BY_VALUE_RANGE, OF_LIST, 3, Policy::None),
    collection(1023, list_command::REMOVE_BY_INDEX, CallForm::RemovesOne(t::LIST), 2, Policy::None),
    collection(1024, list_command::REMOVE_BY_INDEX_RANGE, CallForm::Removes(t::LIST), 3, Policy::None),
    collection(1025, list_command::REMOVE_BY_RANK, CallForm::RemovesOne(t::LIST), 2, Policy::None),
    collection(1026, list_command::REMOVE_BY_RANK_RANGE, CallForm::Removes(t::LIST), 3, Policy::None),
    collection(1027, list_command::REMOVE_BY_VALUE, CallForm::Removes(t::LIST), 2, Policy::None),
    collection(1028, list_command::REMOVE_BY_VALUE_LIST, CallForm::Removes(t::LIST), 2, Policy::None),
    collection(1029, list_command::REMOVE_BY_VALUE_RANGE, CallForm::Removes(t::LIST), 3, Policy::None),
    with_fixed(1031, list_command::SORT, CallForm::Modifies(t::LIST), &[Fixed::Int("list_order")]),
    collection(1033, list_command::GET_BY_VALUE_REL_RANK_RANGE, OF_LIST, 4, Policy::None),
    collection(1034, list_command::GET_BY_VALUE_REL_RANK_RANGE, OF_LIST, 3, Policy::None),
    collection(1035, list_command::GET_BY_INDEX_RANGE, OF_LIST, 2, Policy::None),
    collection(1036, list_command::GET_BY_RANK_RANGE, OF_LIST, 2, Policy::None),
    collection(1037, list_command::REMOVE_BY_VALUE_REL_RANK_RANGE, CallForm::Removes(t::LIST), 3, Policy::None),
    collection(1038, list_command::REMOVE_BY_VALUE_REL_RANK_RANGE, CallForm::Removes(t::LIST), 4, Policy::None),
    collection(1039, list_command::REMOVE_BY_INDEX_RANGE, CallForm::Removes(t::LIST), 2, Policy::None),
    collection(1040, list_command::REMOVE_BY_RANK_RANGE, CallForm::Removes(t::LIST), 2, Policy::None),
    collection(1042, list_command::JOIN, CallForm::Reads(t::STR), 1, Policy::None),
    with_fixed(1043, list_command::JOIN, CallForm::Reads(t::STR), &[Fixed::Text("separator")]),
    collection(1102, map_command::PUT, CallForm::Modifies(t::MAP), 4, Policy::Map),
    collection(1103, map_command::PUT_ITEMS, CallForm::Modifies(t::MAP), 3, Policy::Map),
    collection(1104, map_command::INCREMENT, CallForm::Modifies(t::MAP), 4, Policy::MapOrder),
    collection(1106, map_command::SIZE, CallForm::Reads(t::INT), 1, Policy::None),
    collection(1107, map_command::CLEAR, CallForm::Modifies(t::MAP), 1, Policy::None),
    collection(1108, map_command::REMOVE_BY_KEY, CallForm::RemovesOne(t::MAP), 2, Policy::None),
    collection(1109, map_command::REMOVE_BY_KEY_LIST, CallForm::Removes(t::MAP), 2, Policy::None),
    collection(1110, map_command::REMOVE_BY_KEY_RANGE, CallForm::Removes(t::MAP), 3, Policy::None),
    collection(1111, map_command::REMOVE_BY_VALUE, CallForm::Removes(t::MAP), 2, Policy::None),
    collection(1112, map_command::REMOVE_BY_VALUE_LIST, CallForm::Removes(t::MAP), 2, Policy::None),
    collection(1113, map_command::REMOVE_BY_VALUE_RANGE, CallForm::Removes(t::MAP), 3, Policy::None),
    collection(1114, map_command::REMOVE_BY_INDEX, CallForm::RemovesOne(t::MAP), 2, Policy::None),
    collection(1115, map_command::REMOVE_BY_INDEX_RANGE, CallForm::Removes(t::MAP), 3, Policy::None),
    collection(1116, map_command::REMOVE_BY_RANK, CallForm::RemovesOne(t::MAP), 2, Policy::None),
    collection(1117, map_command::REMOVE_BY_RANK_RANGE, CallForm::Removes(t::MAP), 3, Policy::None),
    collection(1118, map_command::GET_BY_KEY, ONE_OF_MAP, 2, Policy::None),
    collection(1119, map_command::GET_BY_KEY_RANGE, OF_MAP, 3, Policy::None),
    collection(1120, map_command::GET_BY_VALUE, OF_MAP, 2, Policy::None),
    collection(1121, map_command::GET_BY_VALUE_RANGE, OF_MAP, 3, Policy::None),
    collection(1122, map_command::GET_BY_INDEX, ONE_OF_MAP, 2, Policy::None),
    collection(1123, map_command::GET_BY_INDEX_RANGE, OF_MAP, 3, Policy::None),
    collection(1124, map_command::GET_BY_RANK, ONE_OF_MAP, 2, Policy::None),
    collection(1125, map_command::GET_BY_RANK_RANGE, OF_MAP, 3, Policy::None),
    collection(1126, map_command::GET_BY_VALUE_LIST, OF_MAP, 2, Policy::None),
    collection(1127, map_command::GET_BY_KEY_LIST, OF_MAP, 2, Policy::None),
    collection(1130, map_command::GET_BY_VALUE_REL_RANK_RANGE, OF_MAP, 4, Policy::None),
    collection(1132, map_command::REMOVE_BY_KEY_REL_INDEX_RANGE, CallForm::Removes(t::MAP), 3, Policy::None),
    collection(1133, map_command::REMOVE_BY_VALUE_REL_RANK_RANGE, CallForm::Removes(t::MAP), 3, Policy::None),
    collection(1134, map_command::REMOVE_BY_INDEX_RANGE, CallForm::Removes(t::MAP), 2, Policy::None),
    collection(1135, map_command::REMOVE_BY_RANK_RANGE, CallForm::Removes(t::MAP), 2, Policy::None),
    collection(1136, map_command::GET_BY_KEY_REL_INDEX_RANGE, OF_MAP, 3, Policy::None),
    collection(1137, map_command::REMOVE_BY_KEY_REL_INDEX_RANGE, CallForm::Removes(t::MAP), 4, Policy::None),
    collection(1139, map_command::REMOVE_BY_VALUE_REL_RANK_RANGE, CallForm::Removes(t::MAP), 4, Policy::None),
    collection(1140, map_command::GET_BY_KEY_REL_INDEX_RANGE, OF_MAP, 4, Policy::None),
    collection(1141, map_command::GET_BY_VALUE_REL_RANK_RANGE, OF_MAP, 3, Policy::None),
    collection(1142, map_command::GET_BY_INDEX_RANGE, OF_MAP, 2, Policy::None),
    collection(1143, map_command::GET_BY_RANK_RANGE, OF_MAP, 2, Policy::None),
    text(1200, string_command::STRLEN, CallForm::Reads(t::INT), &[]),
    text(1201, string_command::SUBSTR, CallForm::Reads(t::STR), &[Fixed::Int("start")]),
    text(1202, string_command::SUBSTR, CallForm::Reads(t::STR), &[Fixed::Int("start"), Fixed::Int("end")]),
    text(1203, string_command::CHAR_AT, CallForm::Reads(t::STR), &[Fixed::Int("index")]),
    text(1204, string_command::FIND, CallForm::Reads(t::INT), &[Fixed::Text("needle"), Fixed::Int("occurrence")]),
    text(1205, string_command::CONTAINS, CallForm::Reads(t::BOOL), &[Fixed::Text("needle")]),
    text(1206, string_command::STARTS_WITH, CallForm::Reads(t::BOOL), &[Fixed::Text("prefix")]),
    text(1207, string_command::ENDS_WITH, CallForm::Reads(t::BOOL), &[Fixed::Text("suffix")]),
    text(1208, string_command::TO_INTEGER, CallForm::Reads(t::INT), &[]),
    text(1209, string_command::TO_DOUBLE, CallForm::Reads(t::FLOAT), &[]),
    text(1210, string_command::BYTE_LENGTH, CallForm::Reads(t::INT), &[]),
    text(1211, string_command::IS_NUMERIC, CallForm::Reads(t::BOOL), &[Fixed::Int("numeric_type")]),
    text(1212, string_command::IS_UPPER, CallForm::Reads(t::BOOL), &[]),
    text(1213, string_command::IS_LOWER, CallForm::Reads(t::BOOL), &[]),
    text(1214, string_command::TO_BLOB, CallForm::Reads(t::BLOB), &[]),
    text(1215, string_command::SPLIT, CallForm::Reads(t::LIST), &[]),
    text(1216, string_command::SPLIT, CallForm::Reads(t::LIST), &[Fixed::Text("separator")]),
    text(1217, string_command::B64_DECODE, CallForm::Reads(t::BLOB), &[]),
    text(1218, string_command::REGEX_COMPARE, CallForm::Reads(t::BOOL),
        &[Fixed::Text("pattern"), Fixed::Int("regex_flags")]),
    text(1219, string_command::INSERT, CallForm::Modifies(t::STR),
        &[Fixed::Int("index"), Fixed::Text("val"), Fixed::Flags("str_policy")]),
    text(1220, string_command::OVERWRITE, CallForm::Modifies(t::STR),
        &[Fixed::Int("index"), Fixed::Text("val"), Fixed::Flags("str_policy")]),
    text(1221, string_command::CONCAT, CallForm::Modifies(t::STR), &[Fixed::List("val"), Fixed::Flags("str_policy")]),
    text(1222, string_command::SNIP, CallForm::Modifies(t::STR),
        &[Fixed::Int("start"), Fixed::Int("end"), Fixed::Flags("str_policy")]),
    text(1223, string_command::SNIP, CallForm::Modifies(t::STR), &[Fixed::Int("start")]),
    text(1224, string_command::REPLACE, CallForm::Modifies(t::STR),
        &[Fixed::Pair("needle", "replacement"), Fixed::Flags("str_policy")]),
    text(1225, string_command::REPLACE_ALL, CallForm::Modifies(t::STR),
        &[Fixed::Pair("needle", "replacement"), Fixed::Flags("str_policy")]),
    text(1226, string_command::UPPER, CallForm::Modifies(t::STR), &[Fixed::Flags("str_policy")]),
    text(1227, string_command::LOWER, CallForm::Modifies(t::STR), &[Fixed::Flags("str_policy")]),
    text(1228, string_command::CASE_FOLD, CallForm::Modifies(t::STR), &[Fixed::Flags("str_policy")]),
    text(1229, string_command::NORMALIZE_NFC, CallForm::Modifies(t::STR), &[Fixed::Flags("str_policy")]),
    text(1230, string_command::TRIM_START, CallForm::Modifies(t::STR), &[Fixed::Flags("str_policy")]),
    text(1231, string_command::TRIM_END, CallForm::Modifies(t::STR), &[Fixed::Flags("str_policy")]),
    text(1232, string_command::TRIM, CallForm::Modifies(t::STR), &[Fixed::Flags("str_policy")]),
    text(1233, string_command::PAD_START, CallForm::Modifies(t::STR),
        &[Fixed::Int("target_length"), Fixed::Text("pad_string"), Fixed::Flags("str_policy")]),
    text(1234, string_command::PAD_END, CallForm::Modifies(t::STR),
        &[Fixed::Int("target_length"), Fixed::Text("pad_string"), Fixed::Flags("str_policy")]),
    text(1235, string_command::REPEAT, CallForm::Modifies(t::STR), &[Fixed::Int("count"), Fixed::Flags("str_policy")]),
    text(1236, string_command::REGEX_REPLACE, CallForm::Modifies(t::STR),
        &[Fixed::Pair("pattern", "replacement"), Fixed::Int("regex_flags"), Fixed::Flags("str_policy")]),
    text(1237, string_command::APPEND, CallForm::Modifies(t::STR), &[Fixed::Text("val"), Fixed::Flags("str_policy")]),
    text(1238, string_command::PREPEND, CallForm::Modifies(t::STR), &[Fixed::Text("val"), Fixed::Flags("str_policy")]),
    bits(2000, bit_command::RESIZE, CallForm::Modifies(t::BLOB), 4),
    bits(2001, bit_command::INSERT, CallForm::Modifies(t::BLOB), 4),
    bits(2002, bit_command::REMOVE, CallForm::Modifies(t::BLOB), 4),
    bits(2003, bit_command::SET, CallForm::Modifies(t::BLOB), 5),
    bits(2004, bit_command::OR, CallForm::Modifies(t::BLOB), 5),
    bits(2005, bit_command::XOR, CallForm::Modifies(t::BLOB), 5),
    bits(2006, bit_command::AND, CallForm::Modifies(t::BLOB), 5),
    bits(2007, bit_command::NOT, CallForm::Modifies(t::BLOB), 4),
    bits(2008, bit_command::LSHIFT, CallForm::Modifies(t::BLOB), 5),
    bits(2009, bit_command::RSHIFT, CallForm::Modifies(t::BLOB), 5),
    bits(2010, bit_command::ADD, CallForm::Modifies(t::BLOB), 6),
    bits(2011, bit_command::SUBTRACT, CallForm::Modifies(t::BLOB), 6),
    bits(2012, bit_command::GET_INT, CallForm::Reads(t::INT), 4),
    bits(2013, bit_command::SET_INT, CallForm::Modifies(t::BLOB), 5),
    bits(2014, bit_command::GET, CallForm::Reads(t::BLOB), 3),
    bits(2015, bit_command::COUNT, CallForm::Reads(t::INT), 3),
    bits(2016, bit_command::LSCAN, CallForm::Reads(t::INT), 4),
    bits(2017, bit_command::RSCAN, CallForm::Reads(t::INT), 4),
    bits(2018, bit_command::B64_ENCODE, CallForm::Reads(t::STR), 1),
    bits(2019, bit_command::B64_ENCODE, CallForm::Reads(t::STR), 4),
    hll(2100, hll_command::ADD, CallForm::Modifies(t::HLL), 5),
    hll(2101, hll_command::DESCRIBE, CallForm::Reads(t::LIST), 1),
    hll(2103, hll_command::COUNT, CallForm::Reads(t::INT), 1),
    hll(2104, hll_command::INTERSECT_COUNT, CallForm::Reads(t::INT), 2),
    hll(2105, hll_command::SIMILARITY, CallForm::Reads(t::FLOAT), 2),
    hll(2106, hll_command::GET_UNION, CallForm::Reads(t::HLL), 2),
    hll(2107, hll_command::UNION_COUNT, CallForm::Reads(t::INT), 2),
    hll(2108, hll_command::INIT, CallForm::Modifies(t::HLL), 4),
    hll(2111, hll_command::MAY_CONTAIN, CallForm::Reads(t::INT), 2),
];
