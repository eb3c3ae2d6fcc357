//! The `out` argument: a user's array for the records.

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::python::once::intern;

/// Refuses an `out` that cannot be filled with `len` rows of `dtype`.
pub(super) fn check(
    numpy: &Bound<'_, PyModule>,
    out: &Bound<'_, PyAny>,
    dtype: &Bound<'_, PyAny>,
    len: usize,
    keys: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = out.py();
    check_rows(numpy, out, dtype, Some(len))?;
    // A `Keys` may hold an array: its values are read while rows of `out` are written.
    if let Some(values) = keys.getattr_opt(intern!(py, "values"))?
        && values.is_instance(&numpy.getattr(intern!(py, "ndarray"))?)?
        && numpy.call_method1(intern!(py, "may_share_memory"), (out, values))?.extract::<bool>()?
    {
        return Err(PyValueError::new_err("out shares memory with the keys; give each its own"));
    }
    Ok(())
}

/// Refuses an `out` that cannot be filled with rows of `dtype`. Returns the number of its rows.
pub(super) fn check_block(
    numpy: &Bound<'_, PyModule>,
    out: &Bound<'_, PyAny>,
    dtype: &Bound<'_, PyAny>,
) -> PyResult<usize> {
    check_rows(numpy, out, dtype, None)?;
    match out.cast::<PyUntypedArray>()?.len() {
        0 => Err(PyValueError::new_err("out has no rows; it must have room for at least one record")),
        len => Ok(len),
    }
}

/// `len` is the number of rows that `out` must have, if that matters.
fn check_rows(
    numpy: &Bound<'_, PyModule>,
    out: &Bound<'_, PyAny>,
    dtype: &Bound<'_, PyAny>,
    len: Option<usize>,
) -> PyResult<()> {
    let py = out.py();
    let class = out.get_type();
    if !class.is(&numpy.getattr(intern!(py, "ndarray"))?)
        && !class.is(&numpy.getattr(intern!(py, "recarray"))?)
    {
        return Err(PyTypeError::new_err(format!(
            "out is a {}; it must be a plain numpy.ndarray (or recarray): pass numpy.asarray(out)",
            class.name()?
        )));
    }
    let array = out.cast::<PyUntypedArray>()?;
    let found = out.getattr(intern!(py, "dtype"))?;
    if !found.eq(dtype)? {
        return Err(PyTypeError::new_err(format!("out has the dtype {found}; it must have _dtype, {dtype}")));
    }
    if array.ndim() != 1 {
        return Err(PyValueError::new_err(format!("out has {} dimensions; it must have one", array.ndim())));
    }
    if let Some(len) = len.filter(|&len| array.len() != len) {
        return Err(PyValueError::new_err(format!(
            "out has {} rows; it must have {len}, one for each key",
            array.len()
        )));
    }
    let flags = out.getattr(intern!(py, "flags"))?;
    if !flags.getattr(intern!(py, "writeable"))?.extract::<bool>()? {
        return Err(PyValueError::new_err("out is read-only; it must be writeable"));
    }
    if let [stride] = array.strides()
        && array.len() > 1
        && usize::try_from(*stride).map_or(true, |stride| stride < array.dtype().itemsize())
    {
        return Err(PyValueError::new_err(format!(
            "out has rows {stride} bytes apart, of {} bytes each; they must not overlap or run backwards",
            array.dtype().itemsize()
        )));
    }
    Ok(())
}
