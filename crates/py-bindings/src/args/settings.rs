//! Reading configuration and policy dictionaries: strict, by the official client's key names.
//!
//! A [`Settings`] walks a dictionary; whoever reads it takes the keys that it knows and then calls
//! [`Settings::finish`], which refuses what is left and names the nearest known key.

use std::time::Duration;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyMapping, PyString};

use crate::args::convert::{unicode, whole_number};
use crate::python::describe::describe;
use crate::python::errors::param_error;
use crate::python::package::from_package;

/// A key of the official client's that does nothing here.
pub(crate) struct Foreign {
    pub(crate) key: &'static str,
    /// The value that asks for what is done anyway.
    pub(crate) done_anyway: Anyway,
    /// Why it does nothing, and what to do instead.
    pub(crate) why: &'static str,
}

/// A value that asks for what is done anyway.
#[derive(Clone, Copy)]
pub(crate) enum Anyway {
    /// There is none.
    Nothing,
    /// This bool.
    Flag(bool),
    /// The number 0.
    Zero,
}

impl Anyway {
    fn is(self, value: &Bound<'_, PyAny>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Flag(flag) => value.cast::<PyBool>().is_ok_and(|value| value.is_true() == flag),
            Self::Zero => whole_number(value) == Some(0),
        }
    }
}

/// A [`Foreign`] key.
pub(crate) const fn foreign(key: &'static str, done_anyway: Anyway, why: &'static str) -> Foreign {
    Foreign { key, done_anyway, why }
}

/// A dictionary of settings, being read.
pub(crate) struct Settings<'py> {
    /// How messages call the dictionary: `config`, `batch policy`.
    name: &'static str,
    left: Bound<'py, PyDict>,
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
            // What it is instead may hold passwords: it is not shown.
            return Err(param_error(py, format!("{name} is of type {}; it must be a dict", kind(object)?)));
        };
        Ok(Some(Self { name, left, known: Vec::new() }))
    }

    /// Takes a key; None where it is missing or None.
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

    /// A bool.
    pub(crate) fn flag(&mut self, key: &'static str) -> PyResult<Option<bool>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        if let Ok(flag) = value.cast::<PyBool>() {
            return Ok(Some(flag.is_true()));
        }
        // NumPy's bool is none of Python's.
        if value.get_type().fully_qualified_name().is_ok_and(|name| name == "numpy.bool") {
            return value.is_truthy().map(Some);
        }
        let found = kind(&value)?;
        Err(param_error(
            value.py(),
            format!("{} {key:?} is of type {found}; it must be True or False", self.name),
        ))
    }

    /// A text. What it is instead is not shown: it may be a user with the password.
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

    /// One of several constants.
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

    /// Keys of the official client that have no meaning here: accepted with one warning each, unless they ask for
    /// what is done anyway.
    pub(crate) fn without_meaning(&mut self, keys: &[Foreign]) -> PyResult<()> {
        for Foreign { key, done_anyway, why } in keys {
            let Some(value) = self.take(key)? else { continue };
            if !done_anyway.is(&value) {
                let message = format!("{} {key:?} has no effect here: {why}", self.name);
                let py = self.left.py();
                let category = py.get_type::<PyUserWarning>();
                from_package!(py, "warn")?.call1((message, category))?;
            }
        }
        Ok(())
    }

    /// Keys of the official client that this version does not support: refused, for to ignore them would
    /// change what a call does; unless they ask for what is done anyway.
    pub(crate) fn not_supported(&mut self, keys: &[Foreign]) -> PyResult<()> {
        for Foreign { key, done_anyway, why } in keys {
            let Some(value) = self.take(key)? else { continue };
            if !done_anyway.is(&value) {
                return Err(param_error(
                    self.left.py(),
                    format!("{} {key:?} is not supported: {why}", self.name),
                ));
            }
        }
        Ok(())
    }

    /// Refuses the keys that nobody took.
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

/// The value of a key that may stand in two places.
pub(crate) fn one_of<T: PartialEq>(
    py: Python<'_>,
    key: &str,
    config: Option<T>,
    policies: Option<T>,
) -> PyResult<Option<T>> {
    match (config, policies) {
        (Some(one), Some(other)) if one != other => Err(param_error(
            py,
            format!("config {key:?} and config \"policies\" {key:?} differ; set one of them"),
        )),
        (one, other) => Ok(one.or(other)),
    }
}

/// The known key that is most like `key`.
fn nearest(py: Python<'_>, key: &Bound<'_, PyString>, known: &[&'static str]) -> PyResult<Option<String>> {
    let matches = py.import("difflib")?.call_method1("get_close_matches", (key, known.to_vec(), 1, 0.6))?;
    let matches: Vec<String> = matches.extract()?;
    Ok(matches.into_iter().next())
}
