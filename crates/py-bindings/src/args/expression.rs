//! Expressions: the compiled form of this or the official client, expression objects, or base64, to bytes.

use std::borrow::Cow;
use std::cell::Cell;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use wire_protocol::WireError;
use wire_protocol::collection::{ListPolicy, MapPolicy};
use wire_protocol::expression::Expression;
use wire_protocol::expression::compiled::{Entry, write_compiled};

use crate::args::convert::whole_number;
use crate::args::operations;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};
use crate::python::once::intern;
use crate::values::{Bools, encode_operand};

/// The operation of an entry that is a value.
const VALUE: i64 = 200;

/// How deep expressions may be inside the contexts and modifications of others.
const MAX_DEPTH: usize = 32;

/// The most entries of an expression. It bounds what an expression that contains itself takes.
const MAX_ENTRIES: usize = 1 << 18;

/// Encodes an expression; `what` begins the messages about it.
pub(crate) fn encode(what: &str, object: &Bound<'_, PyAny>, bools: Bools) -> PyResult<Vec<u8>> {
    let _depth = Depth::enter(object.py(), what)?;
    if let Ok(text) = object.cast::<PyString>() {
        return from_base64(what, text);
    }
    let mut entries = Vec::new();
    read_entries(what, object, bools, &mut entries)?;
    let mut out = Vec::new();
    write_compiled(&mut out, &entries).map_err(|error| error.raise(object.py(), what))?;
    Ok(out)
}

fn from_base64(what: &str, text: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    let py = text.py();
    let refused = |why: &dyn std::fmt::Display| {
        let message = format!(
            "{what} is {}; text must be the base64 of an expression, as get_expression_base64() returns it: {why}",
            describe(text)
        );
        param_error(py, message)
    };
    let text = text.to_str().map_err(|_| refused(&"it is not ASCII"))?;
    if text.is_empty() {
        return Err(refused(&"it is empty"));
    }
    let expression = Expression::from_base64(text).map_err(|error| refused(&error))?;
    expression.to_bytes().map(<[u8]>::to_vec).map_err(|error| refused(&error))
}

/// Reads the entries of a compiled expression. An expression object inside it, as the value of an entry, is compiled in
/// its place: the official client does not know the objects of this one.
fn read_entries<'a, 'py>(
    what: &'a str,
    object: &Bound<'py, PyAny>,
    bools: Bools,
    entries: &mut Vec<CompiledEntry<'a, 'py>>,
) -> PyResult<()> {
    let py = object.py();
    let mut rest = compiled(what, object)?;
    rest.reverse();
    let mut compiled_objects = 0;
    while let Some(item) = rest.pop() {
        let entry = CompiledEntry::read(what, &item, bools)?;
        if entry.op == VALUE
            && let Some(fixed) = &entry.fixed
            && let Some(value) = fixed.get_item(intern!(py, "val"))?
            && is_expression(&value)?
        {
            let mut inner = compiled(what, &value)?;
            inner.reverse();
            rest.append(&mut inner);
            compiled_objects += 1;
        } else {
            entries.push(entry);
        }
        if entries.len() + compiled_objects + rest.len() > MAX_ENTRIES {
            return Err(param_error(
                py,
                format!("{what} has more than {MAX_ENTRIES} parts, or contains itself"),
            ));
        }
    }
    Ok(())
}

/// Whether an object is an expression that is not compiled yet.
fn is_expression(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    Ok(object.hasattr(intern!(py, "compile"))? && object.hasattr(intern!(py, "_children"))?)
}

/// The entries of a compiled expression, or of an expression object.
fn compiled<'py>(what: &str, object: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = object.py();
    let list = match object.cast::<PyList>() {
        Ok(list) => list.clone(),
        Err(_) if is_expression(object)? => {
            object.call_method0(intern!(py, "compile"))?.cast_into::<PyList>()?
        }
        Err(_) => return Err(refused(what, object)),
    };
    if list.is_empty() {
        return Err(param_error(py, format!("{what} is an empty list; it must be a compiled expression")));
    }
    Ok(list.iter().collect())
}

fn refused(what: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let found = describe(object);
    let message = format!(
        "{what} is {found}; it must be an expression, made by aerospike_py.expressions and compiled with compile(), \
         or its base64"
    );
    type_error(object.py(), message)
}

/// The base64 of an expression.
#[pyfunction]
pub(crate) fn get_expression_base64(expression: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = expression.py();
    let what = "get_expression_base64: expression";
    let bytes = encode(what, expression, Bools::default())?;
    let encoded = Expression::from_bytes(bytes).and_then(|expression| expression.to_base64());
    encoded.map_err(|error| EntryError::from(error).raise(py, what))
}

/// An entry of a compiled expression.
struct CompiledEntry<'a, 'py> {
    what: &'a str,
    op: i64,
    result_type: Option<i64>,
    fixed: Option<Bound<'py, PyDict>>,
    children: usize,
    bools: Bools,
}

impl<'a, 'py> CompiledEntry<'a, 'py> {
    fn read(what: &'a str, item: &Bound<'py, PyAny>, bools: Bools) -> PyResult<Self> {
        let wrong = || {
            let found = describe(item);
            let message = format!(
                "{what} has an entry {found}; it must be a tuple of operation, type, dict and number of children"
            );
            type_error(item.py(), message)
        };
        let tuple = item.cast::<PyTuple>().ok().filter(|tuple| tuple.len() == 4).ok_or_else(wrong)?;
        let part = |index| tuple.get_item(index);
        let op = whole_number(&part(0)?).ok_or_else(wrong)?;
        let result_type = part(1)?;
        let result_type = match result_type.is_none() {
            true => None,
            false => Some(whole_number(&result_type).ok_or_else(wrong)?),
        };
        let fixed = part(2)?;
        let fixed = match fixed.is_none() {
            true => None,
            false => Some(fixed.cast_into::<PyDict>().map_err(|_| wrong())?),
        };
        let children =
            whole_number(&part(3)?).and_then(|count| usize::try_from(count).ok()).ok_or_else(wrong)?;
        Ok(Self { what, op, result_type, fixed, children, bools })
    }

    fn get(&self, key: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(fixed) = &self.fixed else { return Ok(None) };
        Ok(fixed.get_item(key)?.filter(|value| !value.is_none()))
    }

    fn wrong(&self, key: &str, value: &Bound<'_, PyAny>, expected: &str) -> EntryError {
        let message = format!("{}: {key} is {}; it must be {expected}", self.what, describe(value));
        type_error(value.py(), message).into()
    }
}

impl Entry for CompiledEntry<'_, '_> {
    type Error = EntryError;

    fn op(&self) -> i64 {
        self.op
    }

    fn result_type(&self) -> Option<i64> {
        self.result_type
    }

    fn children(&self) -> usize {
        self.children
    }

    fn integer(&self, key: &'static str) -> Result<Option<i64>, EntryError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        if key == "str_policy" {
            return Ok(Some(operations::text_of_expression(self.what, &value)?));
        }
        match whole_number(&value) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(key, &value, "an int of 64 bits")),
        }
    }

    fn text(&self, key: &'static str) -> Result<Option<Cow<'_, str>>, EntryError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        match value.cast::<PyString>().ok().and_then(|text| text.to_str().ok().map(str::to_owned)) {
            Some(text) => Ok(Some(Cow::Owned(text))),
            None => Err(self.wrong(key, &value, "a str")),
        }
    }

    fn write_value(&self, key: &'static str, out: &mut Vec<u8>) -> Result<(), EntryError> {
        let value = match &self.fixed {
            Some(fixed) => fixed.get_item(key)?,
            None => None,
        };
        let Some(value) = value else {
            return Err(
                WireError::Argument { function: "expression", argument: key, why: "is missing" }.into()
            );
        };
        encode_operand(&value, self.bools, out)
            .map_err(|bad| bad.raise_at(value.py(), &format!("{}: {key}", self.what)).into())
    }

    fn write_context(&self, out: &mut Vec<u8>) -> Result<bool, EntryError> {
        let Some(context) = self.get("ctx")? else { return Ok(false) };
        Ok(operations::write_of_expression(self.what, &context, self.bools, out)?)
    }

    fn write_expression(&self, key: &'static str, out: &mut Vec<u8>) -> Result<(), EntryError> {
        let Some(expression) = self.get(key)? else {
            return Err(
                WireError::Argument { function: "expression", argument: key, why: "is missing" }.into()
            );
        };
        out.extend_from_slice(&encode(&format!("{}: {key}", self.what), &expression, self.bools)?);
        Ok(())
    }

    fn list_policy(&self) -> Result<Option<ListPolicy>, EntryError> {
        let Some(policy) = self.get("list_policy")? else { return Ok(None) };
        Ok(operations::list_of_expression(self.what, &policy)?)
    }

    fn map_policy(&self) -> Result<Option<MapPolicy>, EntryError> {
        let Some(policy) = self.get("map_policy")? else { return Ok(None) };
        Ok(operations::map_of_expression(self.what, &policy)?)
    }
}

/// Why an expression cannot be encoded.
enum EntryError {
    Python(PyErr),
    Wire(WireError),
}

impl EntryError {
    fn raise(self, py: Python<'_>, what: &str) -> PyErr {
        match self {
            Self::Python(error) => error,
            Self::Wire(WireError::Argument { argument, why, .. }) => {
                param_error(py, format!("{what}: {argument} {why}"))
            }
            Self::Wire(error) => param_error(py, format!("{what}: {error}")),
        }
    }
}

impl From<PyErr> for EntryError {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<WireError> for EntryError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// A level of expressions inside expressions; it ends when this is dropped.
struct Depth;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

impl Depth {
    fn enter(py: Python<'_>, what: &str) -> PyResult<Self> {
        let depth = DEPTH.get();
        if depth >= MAX_DEPTH {
            // `what` has grown with each level.
            let what: String = what.chars().take(80).collect();
            return Err(param_error(
                py,
                format!("{what}...: expressions are nested deeper than {MAX_DEPTH}, or contain themselves"),
            ));
        }
        DEPTH.set(depth + 1);
        Ok(Self)
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}
