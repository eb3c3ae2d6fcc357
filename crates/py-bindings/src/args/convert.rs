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

/// What a time to live must be, for the message about another value.
pub(crate) const TIME_TO_LIVE: &str = "a time to live in seconds, or one of TTL_NAMESPACE_DEFAULT, TTL_NEVER_EXPIRE, TTL_DONT_UPDATE and \
     TTL_CLIENT_DEFAULT";

/// A time to live as an argument says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeToLive {
    /// `TTL_CLIENT_DEFAULT`: what the policy says.
    OfPolicy,
    /// Seconds, or another `TTL_*` constant, as a request holds it.
    Given(u32),
}

impl TimeToLive {
    /// Reads a time to live; None if it is none. The official client also takes -1, -2 and -3 for `TTL_NEVER_EXPIRE`,
    /// `TTL_DONT_UPDATE` and `TTL_CLIENT_DEFAULT`, which are these numbers as unsigned ones.
    pub(crate) fn read(value: &Bound<'_, PyAny>) -> Option<Self> {
        const CLIENT_DEFAULT: u32 = u32::MAX - 2;
        let given = match whole_number(value)? {
            signed @ -3..=-1 => signed as u32,
            seconds => u32::try_from(seconds).ok()?,
        };
        Some(if given == CLIENT_DEFAULT { Self::OfPolicy } else { Self::Given(given) })
    }

    /// Reads the time to live `what`.
    pub(crate) fn read_argument(what: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read(value).ok_or_else(|| {
            param_error(value.py(), format!("{what} is {}; it must be {TIME_TO_LIVE}", describe(value)))
        })
    }

    /// What a request holds; None if the policy decides.
    pub(crate) fn given(self) -> Option<u32> {
        match self {
            Self::OfPolicy => None,
            Self::Given(given) => Some(given),
        }
    }
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
