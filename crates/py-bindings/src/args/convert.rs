//! Single arguments: whole numbers, text, lists, bin names.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyString, PyTuple};

use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error, with_official_text};
use crate::python::text::unicode;
use crate::values::bin_name;

/// An int, or an object that is one exactly, such as a NumPy integer. A bool, although an int to Python, is not
/// taken for a number.
pub(crate) fn whole_number(value: &Bound<'_, PyAny>) -> Option<i64> {
    if value.is_instance_of::<PyBool>() { None } else { value.extract().ok() }
}

/// `TTL_CLIENT_DEFAULT`.
pub(crate) const CLIENT_DEFAULT_TTL: u32 = u32::MAX - 2;

/// The time to live `what` as a request holds it; None for `TTL_CLIENT_DEFAULT`, which leaves it to the policy.
///
/// The official client also takes -1, -2 and -3 for `TTL_NEVER_EXPIRE`, `TTL_DONT_UPDATE` and `TTL_CLIENT_DEFAULT`,
/// which are these numbers as unsigned ones.
pub(crate) fn time_to_live(what: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<u32>> {
    let number = whole_number(value);
    let ttl = match number {
        Some(signed @ -3..=-1) => Some(signed as u32),
        number => number.and_then(|seconds| u32::try_from(seconds).ok()),
    };
    let Some(ttl) = ttl else {
        let message = format!(
            "{what} is {}; it must be a time to live in seconds, or one of TTL_NAMESPACE_DEFAULT, TTL_NEVER_EXPIRE, \
             TTL_DONT_UPDATE and TTL_CLIENT_DEFAULT",
            describe(value)
        );
        return Err(match number {
            Some(_) => param_error(value.py(), message),
            None => type_error(value.py(), message),
        });
    };
    Ok((ttl != CLIENT_DEFAULT_TTL).then_some(ttl))
}

/// The text of an argument that must be a str.
pub(crate) fn text(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => unicode(text, what),
        Err(_) => Err(type_error(value.py(), format!("{what} is {}; it must be a str", describe(value)))),
    }
}

/// The text of an argument that may be None.
pub(crate) fn text_or_none(what: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<String>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    match value.cast::<PyString>() {
        Ok(text) => unicode(text, what).map(Some),
        Err(_) => {
            Err(type_error(value.py(), format!("{what} is {}; it must be a str or None", describe(value))))
        }
    }
}

/// [`text_or_none`] for a password: a message does not show it.
pub(crate) fn secret_or_none(what: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<String>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    match value.cast::<PyString>() {
        Ok(text) => unicode(text, what).map(Some),
        Err(_) => {
            let kind = value.get_type().name()?;
            Err(type_error(value.py(), format!("{what} is of type {kind}; it must be a str or None")))
        }
    }
}

/// An argument that is one of several words, which are given with what they stand for.
pub(crate) fn one_word<T: Copy>(what: &str, value: &Bound<'_, PyAny>, words: &[(&str, T)]) -> PyResult<T> {
    let py = value.py();
    let given = value.cast::<PyString>().ok().and_then(|text| text.to_str().ok());
    if let Some((_, meaning)) = words.iter().find(|(word, _)| given == Some(*word)) {
        return Ok(*meaning);
    }
    let quoted: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    let message = format!("{what} is {}; it must be {}", describe(value), quoted.join(" or "));
    Err(if value.is_instance_of::<PyString>() { param_error(py, message) } else { type_error(py, message) })
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
        let error =
            type_error(bins.py(), format!("bins is {}; it must be a list of bin names", describe(bins)));
        return Err(with_official_text(bins.py(), error, "Bins argument should be a list."));
    };
    names.iter().map(bin_name).collect::<PyResult<_>>().map(Some)
}
