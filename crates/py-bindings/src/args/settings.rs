//! Configuration and policy dictionaries, by the official client's key names.
//!
//! A reader takes the keys that it knows from a [`Settings`] and then calls [`Settings::finish`], which refuses the
//! keys that are left and names the most similar known one. So no setting is lost silently.

use std::time::Duration;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyMapping, PyString};

use crate::args::convert::{unicode, whole_number};
use crate::python::describe::describe;
use crate::python::errors::param_error;
use crate::python::package::from_package;

/// A key of the official client that this client does not act on.
pub(crate) struct UnsupportedKey {
    pub(crate) key: &'static str,
    /// The value that matches the current behaviour and is accepted.
    pub(crate) no_op: NoOpValue,
    /// Why, and what to do instead.
    pub(crate) reason: &'static str,
}

/// The value of an [`UnsupportedKey`] that matches the current behaviour.
#[derive(Clone, Copy)]
pub(crate) enum NoOpValue {
    /// No value does.
    Never,
    Flag(bool),
    Zero,
}

impl NoOpValue {
    fn matches(self, value: &Bound<'_, PyAny>) -> bool {
        match self {
            Self::Never => false,
            Self::Flag(flag) => value.cast::<PyBool>().is_ok_and(|value| value.is_true() == flag),
            Self::Zero => whole_number(value) == Some(0),
        }
    }
}

pub(crate) const fn unsupported(key: &'static str, no_op: NoOpValue, reason: &'static str) -> UnsupportedKey {
    UnsupportedKey { key, no_op, reason }
}

/// A dictionary of settings that is being read.
pub(crate) struct Settings<'py> {
    /// How messages call the dictionary: `config`, `batch policy`.
    name: &'static str,
    /// The entries that were not taken yet.
    left: Bound<'py, PyDict>,
    /// The keys that were asked for, for the message about an unknown one.
    known: Vec<&'static str>,
}

impl<'py> Settings<'py> {
    /// Starts to read `object`, a mapping or None.
    pub(crate) fn new(
        py: Python<'py>,
        name: &'static str,
        object: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Self>> {
        let Some(object) = object.filter(|object| !object.is_none()) else { return Ok(None) };
        let left = if let Ok(dict) = object.cast::<PyDict>() {
            if dict.is_empty() {
                return Ok(None);
            }
            dict.copy()?
        } else if let Ok(mapping) = object.cast::<PyMapping>() {
            let dict = PyDict::new(py);
            dict.update(mapping)?;
            dict
        } else {
            // Not shown: it may contain a password.
            return Err(param_error(py, format!("{name} is of type {}; it must be a dict", kind(object)?)));
        };
        Ok(Some(Self { name, left, known: Vec::new() }))
    }

    /// Takes the value of a key; None if it is missing or None.
    pub(crate) fn take(&mut self, key: &'static str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.known.push(key);
        let value = self.left.get_item(key)?;
        if value.is_some() {
            self.left.del_item(key)?;
        }
        Ok(value.filter(|value| !value.is_none()))
    }

    fn wrong(&self, key: &str, value: &Bound<'py, PyAny>, expected: &str) -> PyErr {
        param_error(
            value.py(),
            format!("{} {key:?} is {}; it must be {expected}", self.name, describe(value)),
        )
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, key: &'static str, least: i64, most: i64) -> PyResult<Option<i64>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        let expected = || match most {
            i64::MAX => format!("a whole number of at least {least}"),
            _ => format!("a whole number from {least} to {most}"),
        };
        match whole_number(&value) {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.wrong(key, &value, &expected())),
        }
    }

    /// A count that fits 32 bits.
    pub(crate) fn count(&mut self, key: &'static str) -> PyResult<Option<u32>> {
        Ok(self.number(key, 0, u32::MAX.into())?.map(|number| number as u32))
    }

    /// A time in milliseconds.
    pub(crate) fn millis(&mut self, key: &'static str) -> PyResult<Option<Duration>> {
        Ok(self.count(key)?.map(|millis| Duration::from_millis(millis.into())))
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> PyResult<Option<bool>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        if let Ok(flag) = value.cast::<PyBool>() {
            return Ok(Some(flag.is_true()));
        }
        // NumPy's bool is not a subclass of Python's.
        if value.get_type().fully_qualified_name().is_ok_and(|name| name == "numpy.bool") {
            return value.is_truthy().map(Some);
        }
        let found = kind(&value)?;
        Err(param_error(
            value.py(),
            format!("{} {key:?} is of type {found}; it must be True or False", self.name),
        ))
    }

    /// A str. A value of another type is not shown: it may contain a password.
    pub(crate) fn text(&mut self, key: &'static str) -> PyResult<Option<String>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        let what = format!("{} {key:?}", self.name);
        match value.cast::<PyString>() {
            Ok(text) => unicode(text, &what).map(Some),
            Err(_) => {
                Err(param_error(value.py(), format!("{what} is of type {}; it must be a str", kind(&value)?)))
            }
        }
    }

    /// One of several constants, which are numbered from 0.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        family: &str,
        choices: &[T],
    ) -> PyResult<Option<T>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        let chosen = whole_number(&value)
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|number| choices.get(number));
        match chosen {
            Some(choice) => Ok(Some(*choice)),
            None => Err(self.wrong(key, &value, &format!("one of the {family} constants"))),
        }
    }

    /// Takes keys of the official client that have no effect here. Each gives a warning, unless its value matches the
    /// current behaviour.
    pub(crate) fn ignore(&mut self, keys: &[UnsupportedKey]) -> PyResult<()> {
        for UnsupportedKey { key, no_op, reason } in keys {
            let Some(value) = self.take(key)? else { continue };
            if !no_op.matches(&value) {
                let message = format!("{} {key:?} has no effect here: {reason}", self.name);
                let py = self.left.py();
                let category = py.get_type::<PyUserWarning>();
                from_package!(py, "warn")?.call1((message, category))?;
            }
        }
        Ok(())
    }

    /// Refuses keys of the official client that are not supported, unless their value matches the current
    /// behaviour. To ignore them would change what a call does.
    pub(crate) fn refuse(&mut self, keys: &[UnsupportedKey]) -> PyResult<()> {
        for UnsupportedKey { key, no_op, reason } in keys {
            let Some(value) = self.take(key)? else { continue };
            if !no_op.matches(&value) {
                return Err(param_error(
                    self.left.py(),
                    format!("{} {key:?} is not supported: {reason}", self.name),
                ));
            }
        }
        Ok(())
    }

    /// Refuses the keys that were not taken.
    pub(crate) fn finish(self) -> PyResult<()> {
        let Some((key, _)) = self.left.iter().next() else { return Ok(()) };
        let py = self.left.py();
        let nearest = match key.cast::<PyString>() {
            Ok(text) => nearest(py, text, &self.known)?,
            Err(_) => None,
        };
        let hint = match nearest {
            Some(nearest) => format!("; did you mean {nearest:?}?"),
            None => {
                let mut known = self.known;
                known.sort_unstable();
                format!("; known keys are {}", known.join(", "))
            }
        };
        Err(param_error(py, format!("{} has an unknown key {}{hint}", self.name, key.repr()?)))
    }
}

fn kind(value: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(value.get_type().name()?.to_string())
}

/// The value of a key that may be in the config or among its policies.
pub(crate) fn one_of<T: PartialEq>(
    py: Python<'_>,
    key: &str,
    config: Option<T>,
    policies: Option<T>,
) -> PyResult<Option<T>> {
    match (config, policies) {
        (Some(one), Some(other)) if one != other => Err(param_error(
            py,
            format!("config {key:?} and config \"policies\" {key:?} differ; set only one of them"),
        )),
        (one, other) => Ok(one.or(other)),
    }
}

/// The known key that is most similar to `key`.
fn nearest(py: Python<'_>, key: &Bound<'_, PyString>, known: &[&'static str]) -> PyResult<Option<String>> {
    let matches = py.import("difflib")?.call_method1("get_close_matches", (key, known.to_vec(), 1, 0.6))?;
    let matches: Vec<String> = matches.extract()?;
    Ok(matches.into_iter().next())
}
