//! NumPy scalars and arrays as values.

use pyo3::prelude::*;
use pyo3::types::PyFloat;

use super::encode::BadValue;
use crate::python::once::intern;

/// NumPy, if it was imported. If it was not, no object of its can exist.
fn imported_numpy(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    Ok(modules.get_item(intern!(py, "numpy")).ok().filter(|module| !module.is_none()))
}

/// A NumPy scalar as a Python number; None for anything else.
pub(super) fn numpy_scalar<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    let Some(numpy) = imported_numpy(py)? else { return Ok(None) };
    if !value.is_instance(&numpy.getattr(intern!(py, "generic"))?)? {
        return Ok(None);
    }
    let kind: char = value.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "kind"))?.extract()?;
    match kind {
        'b' | 'i' | 'u' => Ok(Some(value.call_method0(intern!(py, "item"))?)),
        // A long double has no Python float: it is refused rather than rounded silently.
        'f' => {
            let item = value.call_method0(intern!(py, "item"))?;
            Ok(item.is_instance_of::<PyFloat>().then_some(item))
        }
        _ => Ok(None),
    }
}

/// A NumPy array of numbers, bools, text or bytes as a list; of several dimensions, as lists of lists.
pub(super) fn numpy_array<'py>(value: &Bound<'py, PyAny>) -> Result<Option<Bound<'py, PyAny>>, BadValue> {
    let py = value.py();
    let Some(numpy) = imported_numpy(py)? else { return Ok(None) };
    if !value.is_instance(&numpy.getattr(intern!(py, "ndarray"))?)? {
        return Ok(None);
    }
    let dtype = value.getattr(intern!(py, "dtype"))?;
    let kind: char = dtype.getattr(intern!(py, "kind"))?.extract()?;
    let width: usize = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
    // `tolist` would turn masked elements into None silently.
    let is_masked = value.hasattr(intern!(py, "mask"))?;
    if is_masked || !(matches!(kind, 'b' | 'i' | 'u' | 'S' | 'U') || kind == 'f' && width <= 8) {
        let what = if is_masked { "a masked array".into() } else { format!("an array of dtype {dtype}") };
        if !is_masked && matches!(kind, 'M' | 'm') {
            return Err(BadValue::Value(format!(
                "{what} cannot be written; a time is written as an integer, in a unit that its readers know: \
                 .astype(\"i8\") has the integers in the unit of the array"
            )));
        }
        return Err(BadValue::Value(format!(
            "{what} cannot be written; arrays of integers, floats up to f8, bools, str and bytes are written as \
             lists; use .tobytes() for its bytes or .tolist() for its elements"
        )));
    }
    Ok(Some(value.call_method0(intern!(py, "tolist"))?))
}
