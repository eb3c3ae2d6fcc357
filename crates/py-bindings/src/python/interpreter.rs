//! Refuses subinterpreters.

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Raises in a subinterpreter: the extension's classes and runtime exist once per process, and objects of one
/// interpreter must not be used in another. CPython itself refuses only from 3.12 on, and only in interpreters that
/// ask for it.
pub(crate) fn refuse_subinterpreters(_py: Python<'_>) -> PyResult<()> {
    // SAFETY: `_py` proves that this thread is attached to an interpreter, so that interpreter's state is alive.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if id == 0 {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "aerospike_py cannot be imported in a subinterpreter, only in the main one; use threads or processes",
    ))
}
