//! Rust errors as Python exceptions.

use aero_io::client_code;
use dtype_schema::SchemaError;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;
use wire_protocol::{ResultCode, WireError};

use crate::python::once::intern;
use crate::python::package::from_package;

/// The client's code of a wrong argument.
pub(crate) const PARAM: i32 = client_code::PARAM;
/// The server's code of a bin name that it refuses.
const BIN_NAME: i32 = ResultCode::BIN_NAME.get() as i32;
/// The server's code of a failure that its answer gives no code of.
pub(crate) const SERVER: i32 = ResultCode::SERVER_ERROR.get() as i32;
/// The server's code of a record that does not exist.
pub(crate) const RECORD_NOT_FOUND: i32 = ResultCode::RECORD_NOT_FOUND.get() as i32;
/// The server's code of a user-defined function, or its module, that fails.
pub(crate) const UDF_BAD_RESPONSE: i32 = ResultCode::UDF_BAD_RESPONSE.get() as i32;
/// The code of a cluster that is not available, which the official client also gives a closed one.
const CLUSTER: i32 = ResultCode::PARTITION_UNAVAILABLE.get() as i32;
/// The client's code of a failure without a code of its own.
pub(crate) const CLIENT: i32 = client_code::CLIENT;
/// The client's code of a batch with rows that failed.
pub(crate) const BATCH_FAILED: i32 = client_code::BATCH_FAILED;

/// Whether a row's code says only that its record was found, does not exist, or was filtered out.
pub(crate) fn is_about_record(code: i32) -> bool {
    u8::try_from(code).is_ok_and(|code| ResultCode::new(code).is_about_record())
}

/// The exception of a result code.
pub(crate) fn error_of_code(py: Python<'_>, code: i32, message: String, in_doubt: bool) -> PyErr {
    let class = || -> PyResult<Bound<'_, PyType>> {
        let class = from_package!(py, "error_class")?.call1((code,))?;
        Ok(class.cast_into()?)
    };
    match class() {
        Ok(class) => PyErr::from_type(class, (message, code, in_doubt)),
        Err(error) => error,
    }
}

/// A wrong argument, configuration or policy.
pub(crate) fn param_error(py: Python<'_>, message: String) -> PyErr {
    error_of_code(py, PARAM, message, false)
}

/// An argument of a wrong type: a `ParamError` that is also a `TypeError`.
pub(crate) fn type_error(py: Python<'_>, message: String) -> PyErr {
    let class = || -> PyResult<Bound<'_, PyType>> { Ok(from_package!(py, "ParamTypeError")?.cast_into()?) };
    match class() {
        Ok(class) => PyErr::from_type(class, (message, PARAM, false)),
        Err(error) => error,
    }
}

/// A request that servers refuse: a `ParamError` that is also an `InvalidRequest`.
pub(crate) fn refused_request(py: Python<'_>, message: String) -> PyErr {
    let class = || -> PyResult<Bound<'_, PyType>> { Ok(from_package!(py, "RefusedRequest")?.cast_into()?) };
    class().map_or_else(|error| error, |class| PyErr::from_type(class, (message,)))
}

/// The error with the official client's text as its `msg`, which programs compare. Its message stays complete.
pub(crate) fn with_official_text(py: Python<'_>, error: PyErr, text: &str) -> PyErr {
    match error.value(py).setattr(intern!(py, "msg"), text) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// The error with a code other than that of its class: the official client's.
pub(crate) fn with_code(py: Python<'_>, error: PyErr, code: i32) -> PyErr {
    match error.value(py).setattr(intern!(py, "code"), code) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// A failure of the client itself.
pub(crate) fn client_error(py: Python<'_>, message: String) -> PyErr {
    error_of_code(py, CLIENT, message, false)
}

/// A command of a client that is closed.
pub(crate) fn closed_error(py: Python<'_>, message: String, in_doubt: bool) -> PyErr {
    let class = || -> PyResult<Bound<'_, PyType>> { Ok(from_package!(py, "ClosedError")?.cast_into()?) };
    match class() {
        Ok(class) => {
            let error = PyErr::from_type(class, (message, CLUSTER, in_doubt));
            with_official_text(py, error, "No connection to aerospike cluster.")
        }
        Err(error) => error,
    }
}

/// A bin name that the server would refuse.
pub(crate) fn bin_name_error(py: Python<'_>, bin: &str, message: String) -> PyErr {
    let raised = error_of_code(py, BIN_NAME, message, false);
    let raised = with_official_text(py, raised, "A bin name should not exceed 15 characters limit");
    match raised.value(py).setattr(intern!(py, "bin"), bin) {
        Ok(()) => raised,
        Err(error) => error,
    }
}

/// A bin whose value Python cannot hold. [`about_record`] adds the record's key.
pub(crate) fn decode_error(py: Python<'_>, bin: &str, message: String) -> PyErr {
    let raised = || -> PyResult<PyErr> {
        let class = from_package!(py, "RecordDecodeError")?;
        let raised = PyErr::from_value(class.call1((message,))?);
        raised.value(py).setattr(intern!(py, "bin"), bin)?;
        Ok(raised)
    };
    raised().unwrap_or_else(|error| error)
}

/// An error of `aero-io`, with its source as the exception's cause.
pub(crate) fn io_error(py: Python<'_>, error: &aero_io::Error) -> PyErr {
    if let aero_io::Error::Closed { in_doubt } = error {
        return closed_error(py, error.to_string(), *in_doubt);
    }
    if let aero_io::Error::NoSuchNode { .. } = error {
        let class =
            || -> PyResult<Bound<'_, PyType>> { Ok(from_package!(py, "UnknownNodeError")?.cast_into()?) };
        let message = error.to_string();
        return class()
            .map_or_else(|error| error, |class| PyErr::from_type(class, (message, error.code(), false)));
    }
    let raised = error_of_code(py, error.code(), error.to_string(), error.in_doubt());
    if let Some(cause) = cause(error) {
        raised.set_cause(py, Some(cause));
    }
    raised
}

/// A request that cannot be encoded.
pub(crate) fn request_error(py: Python<'_>, error: &WireError) -> PyErr {
    param_error(py, error.to_string())
}

/// An error of a command on one record, with the key and the bin where its class has them.
pub(crate) fn record_error(
    py: Python<'_>,
    error: &aero_io::Error,
    key: &Bound<'_, PyAny>,
    bin: Option<&str>,
) -> PyErr {
    about_record(py, io_error(py, error), key, bin)
}

/// Sets `key` and `bin` of an exception, if its class is one of errors about records.
pub(crate) fn about_record(
    py: Python<'_>,
    raised: PyErr,
    key: &Bound<'_, PyAny>,
    bin: Option<&str>,
) -> PyErr {
    let set = || -> PyResult<()> {
        let raised = raised.value(py);
        if raised.hasattr(intern!(py, "key"))? {
            raised.setattr(intern!(py, "key"), key)?;
            if bin.is_some() {
                raised.setattr(intern!(py, "bin"), bin)?;
            }
        }
        Ok(())
    };
    match set() {
        Ok(()) => raised,
        Err(error) => error,
    }
}

/// The source of an error: the operating system's error, or what is wrong with an answer.
fn cause(error: &aero_io::Error) -> Option<PyErr> {
    use aero_io::{DiscoveryFault, Error};
    match error {
        Error::PartlyRead { source, .. } => cause(source),
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

/// An error of the operating system as an `OSError`, with its number if it has one.
fn os_error(error: &std::io::Error) -> PyErr {
    let text = error.to_string();
    match error.raw_os_error() {
        // Python picks the subclass by the number, such as ConnectionRefusedError.
        Some(number) => {
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text))
        }
        None => std::io::Error::new(error.kind(), text).into(),
    }
}

/// A dtype that is refused: a `TypeError` for its kinds, a `ValueError` for its layout.
pub(crate) fn schema_error(error: &SchemaError) -> PyErr {
    if error.is_type_error() {
        PyTypeError::new_err(error.to_string())
    } else {
        PyValueError::new_err(error.to_string())
    }
}
