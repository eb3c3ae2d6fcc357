//! Rust errors as Python exceptions: the one place where they are turned.

use aero_io::client_code;
use dtype_schema::SchemaError;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;
use wire_protocol::ResultCode;

use crate::once::intern;

/// Client-side code of an argument that is not what it must be.
const PARAM: i32 = client_code::PARAM;
/// Code of a bin name that the server would refuse.
const BIN_NAME: i32 = ResultCode::BIN_NAME.get() as i32;
/// Client-side code of a failure without a code of its own.
pub(crate) const CLIENT: i32 = client_code::CLIENT;

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

/// A bin's name that the server would refuse.
pub(crate) fn bin_name_error(py: Python<'_>, bin: &str, message: String) -> PyErr {
    let raised = error_of_code(py, BIN_NAME, message, false);
    match raised.value(py).setattr(intern!(py, "bin"), bin) {
        Ok(()) => raised,
        Err(error) => error,
    }
}

/// An error of the network core, with what lies behind it as its cause.
pub(crate) fn io_error(py: Python<'_>, error: &aero_io::Error) -> PyErr {
    let raised = error_of_code(py, error.code(), error.to_string(), error.in_doubt());
    if let Some(cause) = cause(error) {
        raised.set_cause(py, Some(cause));
    }
    raised
}

/// An error of a command on one record. Errors about records say of which one they are, and of which bin where the
/// command has one.
pub(crate) fn record_error(
    py: Python<'_>,
    error: &aero_io::Error,
    key: &Bound<'_, PyAny>,
    bin: Option<&str>,
) -> PyErr {
    about_record(py, io_error(py, error), key, bin)
}

/// An error that says which record and which bin it is about, if its class has errors about records.
pub(crate) fn about_record(
    py: Python<'_>,
    raised: PyErr,
    key: &Bound<'_, PyAny>,
    bin: Option<&str>,
) -> PyErr {
    let tell = || -> PyResult<()> {
        let raised = raised.value(py);
        if raised.hasattr(intern!(py, "key"))? {
            raised.setattr(intern!(py, "key"), key)?;
            if bin.is_some() {
                raised.setattr(intern!(py, "bin"), bin)?;
            }
        }
        Ok(())
    };
    match tell() {
        Ok(()) => raised,
        Err(error) => error,
    }
}

/// What lies behind an error: the operating system's, or what is wrong with an answer.
fn cause(error: &aero_io::Error) -> Option<PyErr> {
    use aero_io::{DiscoveryFault, Error};
    match error {
        Error::Connection { source, .. } => Some(os_error(source)),
        Error::Protocol { source, .. } | Error::Request { source } => {
            Some(PyValueError::new_err(source.to_string()))
        }
        Error::Connect { tried, .. } => tried.iter().find_map(|failure| match &failure.fault {
            DiscoveryFault::Connection(source) | DiscoveryFault::Resolve(source) => Some(os_error(source)),
            _ => None,
        }),
        _ => None,
    }
}

/// An error of the operating system as Python has it, with its number where it has one.
fn os_error(error: &std::io::Error) -> PyErr {
    let text = error.to_string();
    match error.raw_os_error() {
        // Python makes the subclass of the number, such as ConnectionRefusedError.
        Some(number) => {
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text))
        }
        None => std::io::Error::new(error.kind(), text).into(),
    }
}

/// A dtype that is refused: Python's `TypeError` for kinds, `ValueError` for layouts.
pub(crate) fn schema_error(error: &SchemaError) -> PyErr {
    if error.is_type_error() {
        PyTypeError::new_err(error.to_string())
    } else {
        PyValueError::new_err(error.to_string())
    }
}
