//! What a table of operations says: for each number of the official client's constants the command that is sent, and
//! the entries of its dictionary in the order in which they are sent.

use std::sync::OnceLock;

use pyo3::prelude::*;
use pyo3::types::PyString;
use wire_protocol::operation::Family;

use super::blobs::{BITS, SKETCHES};
use super::collections::{LISTS, MAPS};
use super::text::TEXT;
use crate::python::once::Name;

/// An operation.
pub(super) struct Spec {
    pub(super) family: Family,
    /// The number of the constant.
    pub(super) number: i64,
    /// The function that makes the dictionary.
    pub(super) name: &'static str,
    pub(super) command: u8,
    pub(super) modifies: bool,
    pub(super) entries: &'static [E],
}

/// In the tables: the operation reads, or modifies.
pub(super) const R: bool = false;
pub(super) const W: bool = true;

impl Spec {
    pub(super) const fn new(
        family: Family,
        number: i64,
        name: &'static str,
        command: u8,
        modifies: bool,
        entries: &'static [E],
    ) -> Self {
        Self { family, number, name, command, modifies, entries }
    }

    /// The operation of a number.
    pub(super) fn of(number: i64) -> Option<&'static Self> {
        let table = match number {
            1001..1100 => LISTS,
            1100..1200 => MAPS,
            1200..1300 => TEXT,
            2000..2100 => BITS,
            2100..2200 => SKETCHES,
            _ => return None,
        };
        table.binary_search_by_key(&number, |spec| spec.number).ok().map(|at| &table[at])
    }

    /// Whether it may have a context. Of the operations on blobs only the one of server 8.2 may.
    pub(super) fn has_context(&self) -> bool {
        match self.family {
            Family::Collection => true,
            Family::Text => self.number != TO_STRING,
            Family::Bits | Family::Hll => self.number == B64_ENCODE,
        }
    }

    /// Whether the server is asked to answer each operation of the request, also those without a result. The official
    /// client asks for it unless there are only operations on lists and plain ones.
    pub(super) fn responds_to_all(&self) -> bool {
        !(1001..1100).contains(&self.number)
    }
}

/// Reads a string, a number or bytes as a string: the one operation of its kind.
pub(super) const TO_STRING: i64 = 1239;
/// Reads bytes as base64.
const B64_ENCODE: i64 = 2018;

/// An entry: its key, the argument of the function, and what it is.
pub(super) struct E(pub(super) Key, pub(super) &'static str, pub(super) Kind);

/// What an entry is, and how it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any value.
    Value,
    Int,
    /// An int or float.
    Number,
    Bool,
    Text,
    Bytes,
    List,
    Map,
    /// A list of texts.
    Texts,
    /// Two texts that are sent as one list.
    PairFirst,
    PairSecond,
    /// An int of at least 0.
    Size,
    /// Bits of this mask.
    Flags(i64),
    /// What is returned; `Inverted` belongs to it.
    ListReturn,
    MapReturn,
    Inverted,
    /// Not sent if it is None.
    OptionalInt,
    OptionalSize,
    OptionalText,
    /// Nil if it is missing.
    RangeBegin,
    /// Not sent if it is missing.
    RangeEnd,
    /// Dictionaries of flags.
    ListPolicy,
    ListFlags,
    MapPolicy,
    /// The order and index of a policy, without its flags.
    MapOrder,
    SetPolicy,
    BitPolicy,
    HllPolicy,
    TextPolicy,
    /// Not sent without an end.
    PolicyOfSnip,
    ListOrder,
    /// The order of what is created; `FlagOfCreate` belongs to it.
    Created,
    FlagOfCreate,
    /// What an overflow does; `SignOfAction` belongs to it.
    Action,
    SignOfAction,
    /// 1 if it is true, else nothing.
    Signed,
    /// The same, but only with a size.
    InvertSize,
    /// A number of bits of a sketch, -1 for none.
    BitCount,
    /// Checked, and not sent.
    Ignored,
}

/// Defines the keys of dictionaries.
macro_rules! keys {
    ($($key:ident = $text:literal),* $(,)?) => {
        /// A key of the dictionaries.
        #[allow(clippy::enum_variant_names)] // one of the keys is "key"
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(super) enum Key {
            $($key),*
        }

        const COUNT: usize = [$($text),*].len();

        static NAMES: [Name; COUNT] = [$(Name($text, OnceLock::new())),*];
    };
}

keys! {
    Op = "op",
    Bin = "bin",
    Ctx = "ctx",
    CdtFlags = "cdt_flags",
    Expr = "expr",
    ExprFlags = "expr_flags",
    Action = "action",
    BitOffset = "bit_offset",
    BitSize = "bit_size",
    ByteOffset = "byte_offset",
    ByteSize = "byte_size",
    Count = "count",
    End = "end",
    HllPolicy = "hll_policy",
    Index = "index",
    IndexBitCount = "index_bit_count",
    InvertSize = "invert_size",
    Inverted = "inverted",
    Key = "key",
    ListOrder = "list_order",
    ListPolicy = "list_policy",
    MapOrder = "map_order",
    MapPolicy = "map_policy",
    MhBitCount = "mh_bit_count",
    ModExp = "mod_exp",
    Needle = "needle",
    NumericType = "numeric_type",
    Occurrence = "occurrence",
    Pad = "pad",
    PadString = "pad_string",
    Pattern = "pattern",
    PersistIndex = "persist_index",
    Policy = "policy",
    Prefix = "prefix",
    Range = "range",
    Rank = "rank",
    RegexFlags = "regex_flags",
    Replacement = "replacement",
    ResizeFlags = "resize_flags",
    ReturnType = "return_type",
    Separator = "separator",
    Sign = "sign",
    SortFlags = "sort_flags",
    Start = "start",
    Suffix = "suffix",
    TargetLength = "target_length",
    Val = "val",
    Value = "value",
    ValueBegin = "value_begin",
    ValueByteSize = "value_byte_size",
    ValueEnd = "value_end",
    ValueList = "value_list",
}

impl Key {
    pub(super) fn get<'py>(self, py: Python<'py>) -> &'py Bound<'py, PyString> {
        NAMES[self as usize].get(py)
    }

    pub(super) fn text(self) -> &'static str {
        NAMES[self as usize].0
    }
}
