//! Rust errors as Python exceptions: the one place where they are turned.

use dtype_schema::SchemaError;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;

/// Client-side code of an argument that is not what it must be.
const PARAM: i32 = -2;
/// Client-side code of a failure without a code of its own.
pub(crate) const CLIENT: i32 = -1;

/// The exception of a result code.
pub(crate) fn error_of_code(py: Python<'_>, code: i32, message: String, in_doubt: bool) -> PyErr {
    let class = || -> PyResult<Bound<'_, PyType>> {
        let class = py.import("aerospike_py.exception")?.getattr("_class_of")?.call1((code,))?;
        Ok(class.cast_into()?)
    };
    match class() {
        Ok(class) => PyErr::from_type(class, (message, code, in_doubt)),
        Err(error) => error,
    }
}

/// An argument, configuration or policy that is not what it must be.
pub(crate) fn param_error(py: Python<'_>, message: String) -> PyErr {
    error_of_code(py, PARAM, message, false)
}

/// A failure of the client itself.
pub(crate) fn client_error(py: Python<'_>, message: String) -> PyErr {
    error_of_code(py, CLIENT, message, false)
}

/// An error of the network core.
pub(crate) fn io_error(py: Python<'_>, error: &aero_io::Error) -> PyErr {
    error_of_code(py, error.code(), error.to_string(), error.in_doubt())
}

/// A dtype that is refused: Python's `TypeError` for kinds, `ValueError` for layouts.
pub(crate) fn schema_error(error: &SchemaError) -> PyErr {
    if error.is_type_error() {
        PyTypeError::new_err(error.to_string())
    } else {
        PyValueError::new_err(error.to_string())
    }
}
