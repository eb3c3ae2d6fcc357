//! Operations on bins: the official client's dicts, encoded once into the bytes of a request.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyMapping};
use wire_protocol::message::{self, op};
use wire_protocol::particle::particle_type;

use crate::args::convert::{bin_names, items_of, time_to_live, whole_number};
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};
use crate::values::{Bools, OpBytes, bin_name_at, encode_value};

/// Encoded operations, with what a request says about all of them.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    pub(crate) encoded: OpBytes,
    /// Whether any of them writes.
    pub(crate) writes: bool,
    /// Whether any of them reads.
    pub(crate) reads: bool,
    /// Whether all bins are read; there are no operations then.
    pub(crate) all_bins: bool,
    /// The time to live that a `touch` among them sets, as a request holds it; None for that of the policy.
    pub(crate) ttl: Option<u32>,
}

/// A kind of operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OpKind {
    Read,
    Write,
    Increment,
    Append,
    Prepend,
    Touch,
    Delete,
}

impl OpKind {
    /// The kind of this `OPERATOR_*` constant, whose numbers are the official client's.
    fn of(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Read,
            1 => Self::Write,
            6 => Self::Increment,
            9 => Self::Append,
            10 => Self::Prepend,
            11 => Self::Touch,
            14 => Self::Delete,
            _ => return None,
        })
    }

    fn wire(self) -> u8 {
        match self {
            Self::Read => op::READ,
            Self::Write => op::WRITE,
            Self::Increment => op::INCREMENT,
            Self::Append => op::APPEND,
            Self::Prepend => op::PREPEND,
            Self::Touch => op::TOUCH,
            Self::Delete => op::DELETE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Increment => "increment",
            Self::Append => "append",
            Self::Prepend => "prepend",
            Self::Touch => "touch",
            Self::Delete => "delete",
        }
    }

    /// Whether its dict has a bin and a value, in addition to `op`.
    fn has_bin_and_value(self) -> (bool, bool) {
        match self {
            Self::Read => (true, false),
            Self::Write | Self::Increment | Self::Append | Self::Prepend => (true, true),
            Self::Touch => (false, true),
            Self::Delete => (false, false),
        }
    }

    /// Whether an entry of its dict that it does not use is left alone, as the official client does. A `delete` with a
    /// bin is refused: it deletes the record, and was perhaps meant to remove the bin.
    fn ignores(self, entry: &str) -> bool {
        matches!((self, entry), (Self::Read, "val") | (Self::Touch, "bin"))
    }
}

/// Families of operations that are not supported yet, by the numbers of the official client's constants, and what
/// to use instead.
fn not_supported(number: i64) -> Option<(&'static str, &'static str)> {
    const REWRITE: &str = "read the bin, change it in Python and write it back with the generation that was read \
                           (policy \"gen\": POLICY_GEN_EQ)";
    const ELSEWHERE: &str = "use the official client for them";
    match number {
        2 | 3 | 1001..1100 => Some(("list operations", REWRITE)),
        4 | 5 | 1100..2000 => Some(("map operations", REWRITE)),
        12 | 13 | 2000..2100 => Some(("bit operations", REWRITE)),
        15 | 16 | 2100..2200 => Some(("HyperLogLog operations", ELSEWHERE)),
        7 | 8 | 2200..2300 => Some(("expression operations", ELSEWHERE)),
        _ => None,
    }
}

/// Encodes a list of operations. An error names the position of the operation that is wrong.
pub(crate) fn encode_list(list: &Bound<'_, PyAny>, bools: Bools) -> PyResult<Operations> {
    let py = list.py();
    let Some(items) = items_of(list) else {
        return Err(type_error(
            py,
            format!(
                "operations are {}; they must be a list of dicts, made by aerospike_py.operations",
                describe(list)
            ),
        ));
    };
    if items.is_empty() {
        return Err(param_error(py, "the list of operations is empty; at least one is needed".into()));
    }
    if items.len() > usize::from(u16::MAX) {
        let message = format!("there are {} operations; a request holds at most {}", items.len(), u16::MAX);
        return Err(param_error(py, message));
    }
    let mut operations = Operations::default();
    for (position, item) in items.iter().enumerate() {
        encode_item(&format!("operations[{position}]"), item, bools, &mut operations)?;
    }
    Ok(operations)
}

fn encode_item(
    position: &str,
    item: &Bound<'_, PyAny>,
    bools: Bools,
    operations: &mut Operations,
) -> PyResult<()> {
    let py = item.py();
    let refuse = |what: String| param_error(py, format!("{position} {what}"));
    let Ok(dict) = item.cast::<PyMapping>() else {
        let found = describe(item);
        return Err(type_error(
            py,
            format!(
                "{position} is {found}; it must be a dict such as {{\"op\": OPERATOR_READ, \"bin\": \"a\"}}"
            ),
        ));
    };
    let Some(number) = optional(dict, "op")? else {
        return Err(refuse(format!(
            "is {}; it has no \"op\", one of the OPERATOR_* constants",
            describe(item)
        )));
    };
    let kind = whole_number(&number).and_then(OpKind::of);
    let Some(kind) = kind else {
        let family = whole_number(&number).and_then(not_supported);
        return Err(refuse(match family {
            Some((family, instead)) => {
                format!("has \"op\" {}: {family} are not supported yet; {instead}", describe(&number))
            }
            None => format!("has \"op\" {}; it must be one of the OPERATOR_* constants", describe(&number)),
        }));
    };
    let (has_bin, has_value) = kind.has_bin_and_value();
    for entry in dict.keys()?.iter() {
        let known = match entry.extract::<String>().ok().as_deref() {
            Some("op") => true,
            Some("bin") if has_bin => true,
            Some("val") if has_value => true,
            Some("ctx") => {
                let what = "has a \"ctx\": operations inside lists and maps are not supported yet; read the bin, \
                            change it in Python and write it back";
                return Err(refuse(what.into()));
            }
            Some(entry) => kind.ignores(entry),
            None => false,
        };
        // An unknown entry that is None asks for nothing.
        if !known && !dict.get_item(&entry)?.is_none() {
            let name = kind.name();
            return Err(refuse(format!("has a {}, which a {name} does not accept", describe(&entry))));
        }
    }
    let bin = match (has_bin, optional(dict, "bin")?) {
        (false, _) => String::new(),
        (true, Some(bin)) => named(position, &bin)?,
        (true, None) => return Err(refuse(format!("is a {} without a \"bin\"", kind.name()))),
    };
    let value = if has_value { optional(dict, "val")? } else { None };
    if kind == OpKind::Touch {
        if let Some(ttl) = value.filter(|ttl| !ttl.is_none()) {
            operations.ttl = time_to_live(&format!("{position} \"val\""), &ttl)?.or(operations.ttl);
        }
        push(operations, kind, &bin, particle_type::NIL, &[]);
        return Ok(());
    }
    match (has_value, value) {
        (true, Some(value)) => push_value(position, operations, kind, &bin, &value, bools),
        (true, None) => Err(refuse(format!("is a {} without a \"val\"", kind.name()))),
        (false, _) => {
            push(operations, kind, &bin, particle_type::NIL, &[]);
            Ok(())
        }
    }
}

fn optional<'py>(dict: &Bound<'py, PyMapping>, key: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    if dict.contains(key)? { dict.get_item(key).map(Some) } else { Ok(None) }
}

/// A bin name that must not be empty.
fn named(position: &str, bin: &Bound<'_, PyAny>) -> PyResult<String> {
    let name = bin_name_at(&format!("{position}: "), bin)?;
    if name.is_empty() {
        return Err(param_error(bin.py(), format!("{position} has an empty \"bin\"; name a bin")));
    }
    Ok(name)
}

fn push(operations: &mut Operations, kind: OpKind, bin: &str, particle: u8, value: &[u8]) {
    message::write_op(&mut operations.encoded.bytes, kind.wire(), particle, bin.as_bytes(), value);
    operations.encoded.count += 1;
    operations.writes |= kind != OpKind::Read;
    operations.reads |= kind == OpKind::Read;
}

fn push_value(
    position: &str,
    operations: &mut Operations,
    kind: OpKind,
    bin: &str,
    value: &Bound<'_, PyAny>,
    bools: Bools,
) -> PyResult<()> {
    let mut bytes = Vec::new();
    // A bool is not turned into a number here, so that the check below refuses it.
    let bools = if kind == OpKind::Increment { Bools::AsBool } else { bools };
    let particle = encode_value(bin, value, bools, &mut bytes)?;
    let wanted = match kind {
        // A bool is an int to Python, but adding one to a number is a mistake.
        OpKind::Increment if value.is_instance_of::<PyBool>() => Some("an int or a float"),
        OpKind::Increment if !matches!(particle, particle_type::INTEGER | particle_type::FLOAT) => {
            Some("an int or a float")
        }
        OpKind::Append | OpKind::Prepend
            if !matches!(particle, particle_type::STRING | particle_type::BLOB) =>
        {
            Some("a str or bytes")
        }
        _ => None,
    };
    if let Some(wanted) = wanted {
        return Err(type_error(
            value.py(),
            format!(
                "{position}: bin {bin:?}: {} cannot be used to {}; it must be {wanted}",
                describe(value),
                kind.name()
            ),
        ));
    }
    push(operations, kind, bin, particle, &bytes);
    Ok(())
}

/// Encodes the operation of a command that is a single operation, such as `append`; returns its name and bin too.
pub(crate) fn encode_one(
    number: i64,
    bin: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<(&'static str, String, Operations)> {
    let py = bin.py();
    let kind =
        OpKind::of(number).ok_or_else(|| param_error(py, format!("no operation has number {number}")))?;
    let mut operations = Operations::default();
    let bin = named(kind.name(), bin)?;
    push_value(kind.name(), &mut operations, kind, &bin, value, Bools::default())?;
    Ok((kind.name(), bin, operations))
}

/// Encodes a touch that sets this time to live.
pub(crate) fn encode_touch(ttl: Option<u32>) -> Operations {
    let mut operations = Operations { ttl, ..Operations::default() };
    push(&mut operations, OpKind::Touch, "", particle_type::NIL, &[]);
    operations
}

/// Encodes writes that remove these bins.
pub(crate) fn encode_removals(bins: &Bound<'_, PyAny>) -> PyResult<Operations> {
    let py = bins.py();
    let mut operations = Operations::default();
    let names = bin_names(Some(bins))?.unwrap_or_default();
    if names.is_empty() {
        return Err(param_error(py, "the list of bins is empty; name at least one to remove".into()));
    }
    for name in names {
        if operations.encoded.count == u16::MAX {
            return Err(param_error(
                py,
                format!("there are too many bins; a request holds at most {}", u16::MAX),
            ));
        }
        push(&mut operations, OpKind::Write, &name, particle_type::NIL, &[]);
    }
    Ok(operations)
}
