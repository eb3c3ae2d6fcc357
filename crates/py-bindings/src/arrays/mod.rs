//! NumPy: dtypes as schemas, and the memory of arrays.
//!
//! `dtype` reads a dtype into the plan that fills its fields. `memory` makes arrays, checks those of users and
//! hands out their addresses: the crate's unsafe code is there, but for the one line in `commands::batch_read` that
//! passes the addresses on. `matrix` has the arrays of a matrix of features. `space` has the memory of queries' rows,
//! whose number is not known, `kept` that of large results of batches, and `heap` what both are made of. `out` checks
//! the `out` argument.
//!
//! NumPy is optional. The `numpy` crate panics without it, so [`numpy`] comes first, everywhere.

pub(crate) mod dtype;
mod heap;
mod kept;
pub(crate) mod matrix;
pub(crate) mod memory;
mod out;
pub(crate) mod space;

use pyo3::exceptions::{PyImportError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::python::describe::describe;
use crate::python::once::{Once, intern};

/// NumPy, imported; its absence as an error that says how to get it.
pub(crate) fn numpy(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static NUMPY: Once<Py<PyModule>> = Once::new();
    let numpy = NUMPY.get_or_try_init(py, || {
        py.import("numpy").map(Bound::unbind).map_err(|error| {
            let import = PyImportError::new_err(
                "_dtype needs NumPy 2.0 or newer: pip install 'numpy>=2.0', or this package with its extra [numpy]",
            );
            import.set_cause(py, Some(error));
            import
        })
    })?;
    Ok(numpy.bind(py))
}

/// Fills the `numpy` crate's cells, and imports what NumPy imports lazily, if NumPy has been imported.
///
/// Runs when a client is made, before threads and forks: the `numpy` crate keeps NumPy's C API in the kind of cell
/// that `python::once` warns of, and NumPy imports `numpy.ma` at its first use. A child that is forked in the
/// middle of either waits forever.
pub(crate) fn warm_up(py: Python<'_>) -> PyResult<()> {
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    if modules.contains(intern!(py, "numpy"))? {
        let rows =
            memory::presence_array(py, vec![0; 2], 2)?.into_bound(py).call_method0(intern!(py, "ravel"))?;
        memory::rows_of(&rows, 2, 1)?;
        py.import(intern!(py, "numpy.ma"))?;
    }
    Ok(())
}

/// Refuses two of the `out` arrays of a call that may share memory.
pub(crate) fn check_apart(
    py: Python<'_>,
    outs: &[(usize, &Bound<'_, PyAny>)],
    name: impl Fn(usize) -> String,
) -> PyResult<()> {
    out::check_apart(numpy(py)?, outs, name)
}

/// Anything that NumPy takes for a dtype, as a dtype.
pub(crate) fn as_dtype<'py>(dtype: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let class = numpy(dtype.py())?.getattr(intern!(dtype.py(), "dtype"))?;
    if dtype.is_instance(&class)? {
        return Ok(dtype.clone());
    }
    let py = dtype.py();
    class.call1((dtype,)).map_err(|error| {
        if !(error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyValueError>(py)) {
            return error;
        }
        // NumPy's error says what is wrong, but not with which argument.
        let named = PyTypeError::new_err(format!("_dtype is {}, which is not a dtype", describe(dtype)));
        named.set_cause(py, Some(error));
        named
    })
}
