//! Operations on whole bins and records: read, write, increment, append, prepend, touch, delete.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};
use wire_protocol::message::op;
use wire_protocol::particle::particle_type;

use super::table::Key;
use super::{Operations, ValueRules, push};
use crate::args::convert::time_to_live;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error, with_official_text};
use crate::values::{Bools, MAX_BIN_NAME, bin_name_at, encode_value};

/// A kind of operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OpKind {
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
    pub(super) fn of(number: i64) -> Option<Self> {
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

    pub(super) fn writes(self) -> bool {
        self != Self::Read
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

/// Encodes an operation of a list.
pub(super) fn encode(
    position: &str,
    kind: OpKind,
    dict: &Bound<'_, PyDict>,
    rules: ValueRules,
    operations: &mut Operations,
) -> PyResult<()> {
    let py = dict.py();
    let refuse = |what: String| param_error(py, format!("{position} {what}"));
    let (has_bin, has_value) = kind.has_bin_and_value();
    for (entry, found) in dict {
        let known = match entry.extract::<String>().ok().as_deref() {
            Some("op") => true,
            Some("bin") if has_bin => true,
            Some("val") if has_value => true,
            Some("ctx") => {
                if found.is_none() {
                    continue;
                }
                let what = format!("has a \"ctx\", but {} has no context", kind.name());
                return Err(refuse(what));
            }
            Some(entry) => kind.ignores(entry),
            None => false,
        };
        // An unknown entry that is None asks for nothing.
        if !known && !found.is_none() {
            let name = kind.name();
            return Err(refuse(format!("has a {}, which a {name} does not accept", describe(&entry))));
        }
    }
    let bin = match (has_bin, dict.get_item(Key::Bin.get(py))?) {
        (false, _) => String::new(),
        (true, Some(bin)) => named(|| position.to_owned(), &bin)?,
        (true, None) => return Err(refuse(format!("is a {} without a \"bin\"", kind.name()))),
    };
    let value = if has_value { dict.get_item(Key::Val.get(py))? } else { None };
    if kind == OpKind::Touch {
        if let Some(ttl) = value.filter(|ttl| !ttl.is_none()) {
            operations.ttl = time_to_live(&format!("{position} \"val\""), &ttl)?.or(operations.ttl);
        }
        push(operations, kind.wire(), &bin, particle_type::NIL, &[]);
        return Ok(());
    }
    match (has_value, value) {
        (true, Some(value)) => push_value(position, operations, kind, &bin, &value, rules),
        (true, None) => Err(refuse(format!("is a {} without a \"val\"", kind.name()))),
        (false, _) => {
            push(operations, kind.wire(), &bin, particle_type::NIL, &[]);
            Ok(())
        }
    }
}

/// A bin name that must not be empty. `position` begins the messages about it.
pub(super) fn named(position: impl FnOnce() -> String, bin: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = bin.cast::<PyString>()
        && let Ok(name) = text.to_str()
        && (1..=MAX_BIN_NAME).contains(&name.len())
    {
        return Ok(name.to_owned());
    }
    let position = position();
    let name = bin_name_at(format!("{position}: "), bin)?;
    if name.is_empty() {
        return Err(param_error(bin.py(), format!("{position} has an empty \"bin\"; name a bin")));
    }
    Ok(name)
}

fn push_value(
    position: &str,
    operations: &mut Operations,
    kind: OpKind,
    bin: &str,
    value: &Bound<'_, PyAny>,
    rules: ValueRules,
) -> PyResult<()> {
    let mut bytes = Vec::new();
    // A bool is not turned into a number here, so that the check below refuses it.
    let bools = if kind == OpKind::Increment { Bools::AsBool } else { rules.bools };
    let particle = encode_value(bin, value, bools, &mut bytes)?;
    let wanted = match kind {
        _ if !rules.strict_types => None,
        // `null()`: the server answers as it does to the official client.
        _ if particle == particle_type::NIL && !value.is_none() => None,
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
        let (found, action) = (describe(value), kind.name());
        let message =
            format!("{position}: bin {bin:?}: {found} cannot be used to {action}; it must be {wanted}");
        let official = "Cannot concatenate 'str' and 'non-str' objects";
        return Err(with_official_text(value.py(), type_error(value.py(), message), official));
    }
    push(operations, kind.wire(), bin, particle, &bytes);
    Ok(())
}

/// Encodes the operation of a command that is a single operation, such as `append`; returns its name and bin too.
pub(crate) fn encode_one(
    number: i64,
    bin: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    rules: ValueRules,
) -> PyResult<(&'static str, String, Operations)> {
    let py = bin.py();
    let kind =
        OpKind::of(number).ok_or_else(|| param_error(py, format!("no operation has number {number}")))?;
    let mut operations = Operations::default();
    let bin =
        named(|| kind.name().to_owned(), bin).map_err(|error| match bin.is_instance_of::<PyString>() {
            true => error,
            false => with_official_text(py, error, "Bin name should be of type string"),
        })?;
    push_value(kind.name(), &mut operations, kind, &bin, value, rules)?;
    Ok((kind.name(), bin, operations))
}
