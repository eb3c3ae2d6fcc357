//! Which interpreter imports the package.

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Refuses subinterpreters: classes and the runtime behind them are one a process, and objects of one
/// interpreter must not come into another's hands. CPython itself refuses only from 3.12 on, and only in
/// interpreters that ask for it.
pub(crate) fn refuse_subinterpreters(_py: Python<'_>) -> PyResult<()> {
    // SAFETY: this thread is attached to an interpreter, as `_py` shows; that one's state is alive.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if id == 0 {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "aerospike_py cannot be imported in subinterpreters, only in the main one: use threads or processes",
    ))
}
