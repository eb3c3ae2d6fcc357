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
    check_rows(numpy, out, dtype, Some(len))?;
    check_keys(numpy, out, keys)
}

/// Refuses an `out` that shares memory with the keys.
fn check_keys(numpy: &Bound<'_, PyModule>, out: &Bound<'_, PyAny>, keys: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = out.py();
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

/// Refuses an `out` that cannot be filled as a matrix of this shape.
pub(super) fn check_matrix(
    numpy: &Bound<'_, PyModule>,
    out: &Bound<'_, PyAny>,
    dtype: &Bound<'_, PyAny>,
    (rows, columns): (usize, usize),
    keys: &[Bound<'_, PyAny>],
) -> PyResult<()> {
    let py = out.py();
    let class = out.get_type();
    if !class.is(&numpy.getattr(intern!(py, "ndarray"))?) {
        return Err(PyTypeError::new_err(format!(
            "out is a {}; it must be a plain numpy.ndarray: pass numpy.asarray(out)",
            class.name()?
        )));
    }
    let array = out.cast::<PyUntypedArray>()?;
    let found = out.getattr(intern!(py, "dtype"))?;
    if !found.eq(dtype)? {
        return Err(PyTypeError::new_err(format!("out has the dtype {found}; it must have dtype, {dtype}")));
    }
    if array.shape() != [rows, columns] {
        return Err(PyValueError::new_err(format!(
            "out has the shape {}; it must have ({rows}, {columns}), a row for each key of a group and all columns",
            out.getattr(intern!(py, "shape"))?
        )));
    }
    let flags = out.getattr(intern!(py, "flags"))?;
    if !flags.getattr(intern!(py, "writeable"))?.extract::<bool>()? {
        return Err(PyValueError::new_err("out is read-only; it must be writeable"));
    }
    if !array.is_c_contiguous() {
        return Err(PyValueError::new_err("out is not C-contiguous; its rows must be adjacent in memory"));
    }
    keys.iter().try_for_each(|keys| check_keys(numpy, out, keys))
}

/// Refuses two arrays that may share memory. `name` is what messages call them, by position.
pub(super) fn check_apart(
    numpy: &Bound<'_, PyModule>,
    outs: &[(usize, &Bound<'_, PyAny>)],
    name: impl Fn(usize) -> String,
) -> PyResult<()> {
    for (at, (place, one)) in outs.iter().enumerate() {
        for (other_place, other) in &outs[at + 1..] {
            let shares = numpy.call_method1(intern!(one.py(), "may_share_memory"), (one, other))?;
            if shares.extract::<bool>()? {
                let (one, other) = (name(*place), name(*other_place));
                return Err(PyValueError::new_err(format!(
                    "out[{one}] and out[{other}] may share memory; give each set its own"
                )));
            }
        }
    }
    Ok(())
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
