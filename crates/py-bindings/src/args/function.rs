//! Calls of user-defined functions: module, name and arguments.

use aero_io::Function;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::args::convert::text;
use crate::python::describe::describe;
use crate::python::errors::{CLIENT, param_error, type_error, with_code, with_official_text};
use crate::values::{Bools, encode_operand};

/// The longest name of a module or function that servers take.
const MAX_NAME: usize = 127;

/// What a call is for: the official client has texts and a code of its own for the arguments of a query's function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Records,
    Query,
}

/// Reads a call.
pub(crate) fn function(
    module: &Bound<'_, PyAny>,
    name: &Bound<'_, PyAny>,
    arguments: Option<&Bound<'_, PyAny>>,
    bools: Bools,
    what_for: For,
) -> PyResult<Function> {
    Ok(Function {
        module: checked_name("module", module)?,
        name: checked_name("function", name)?,
        arguments: encode_arguments(arguments, bools, what_for)?,
    })
}

fn checked_name(what: &str, name: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = name.py();
    let name = text(what, name)?;
    if name.is_empty() || name.len() > MAX_NAME {
        let message = format!("{what} is {name:?}; it must have 1 to {MAX_NAME} bytes");
        return Err(param_error(py, message));
    }
    if what == "module" && name.ends_with(".lua") {
        let message = format!("module is {name:?}; name it without the ending of its file, \".lua\"");
        return Err(param_error(py, message));
    }
    Ok(name)
}

/// Encodes the arguments of a call as a list.
fn encode_arguments(arguments: Option<&Bound<'_, PyAny>>, bools: Bools, what_for: For) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    let Some(arguments) = arguments.filter(|arguments| !arguments.is_none()) else {
        wire_protocol::msgpack::write_list_header(&mut out, 0);
        return Ok(out);
    };
    let py = arguments.py();
    let official = |error, text: &str| match what_for {
        For::Records => error,
        For::Query => with_code(py, with_official_text(py, error, text), CLIENT),
    };
    if !arguments.is_instance_of::<PyList>() && !arguments.is_instance_of::<PyTuple>() {
        let found = describe(arguments);
        let message = format!("args is {found}; it must be a list of the function's arguments");
        return Err(official(type_error(py, message), "udf function arguments must be enclosed in a list"));
    }
    wire_protocol::msgpack::write_list_header(&mut out, arguments.len()?);
    for (position, argument) in arguments.try_iter()?.enumerate() {
        encode_operand(&argument?, bools, &mut out).map_err(|bad| {
            let error = bad.raise_at(py, &format!("args[{position}]"));
            match error.is_instance_of::<PyValueError>(py) {
                true => official(error, "udf function argument type must be supported by Aerospike"),
                false => error,
            }
        })?;
    }
    Ok(out)
}
