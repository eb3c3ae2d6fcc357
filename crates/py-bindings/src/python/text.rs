//! The text of Python strings.

use std::fmt::Display;

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::python::errors::param_error;

/// The text of a str. If it has lone surrogates, the error does not show it, as Python's own would: it may be a
/// password.
pub(crate) fn unicode(text: &Bound<'_, PyString>, what: impl Display) -> PyResult<String> {
    text.to_str().map(str::to_owned).map_err(|_| {
        param_error(text.py(), format!("{what} has lone surrogates and cannot be encoded as UTF-8"))
    })
}
