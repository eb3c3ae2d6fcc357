//! Single arguments: whole numbers, text, lists, bin names.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyString, PyTuple};

use crate::python::describe::describe;
use crate::python::errors::param_error;
use crate::values::bin_name;

/// An int, or an object that is one exactly, such as a NumPy integer. A bool, although an int to Python, is not
/// taken for a number.
pub(crate) fn whole_number(value: &Bound<'_, PyAny>) -> Option<i64> {
    if value.is_instance_of::<PyBool>() { None } else { value.extract().ok() }
}

/// The text of a str. If it has lone surrogates, the error does not show it, as Python's own would: it may be a
/// password.
pub(crate) fn unicode(text: &Bound<'_, PyString>, what: &str) -> PyResult<String> {
    text.to_str().map(str::to_owned).map_err(|_| {
        param_error(text.py(), format!("{what} has lone surrogates and cannot be encoded as UTF-8"))
    })
}

/// The items of a list or tuple; None for anything else.
pub(crate) fn items_of<'py>(object: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = object.cast::<PyList>() {
        return Some(list.iter().collect());
    }
    object.cast::<PyTuple>().ok().map(|tuple| tuple.iter().collect())
}

/// Reads the `bins` argument: None, or a list of names.
pub(crate) fn bin_names(bins: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Vec<String>>> {
    let Some(bins) = bins.filter(|bins| !bins.is_none()) else { return Ok(None) };
    let Some(names) = items_of(bins) else {
        return Err(param_error(
            bins.py(),
            format!("bins is {}; it must be a list of bin names", describe(bins)),
        ));
    };
    names.iter().map(bin_name).collect::<PyResult<_>>().map(Some)
}
