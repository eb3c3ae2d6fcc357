//! Configuration and policy dictionaries, by the official client's key names.
//!
//! A reader takes the keys that it knows from a [`Settings`] and then calls [`Settings::finish`], which refuses the
//! keys that are left and names the most similar known one. So no setting is lost silently.

use std::time::Duration;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyMapping, PyString};

use crate::args::convert::{time_to_live, whole_number};
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error, with_official_text};
use crate::python::package::from_package;
use crate::python::text::unicode;

/// A key of the official client that this client does not act on.
#[derive(Clone, Copy)]
pub(crate) struct UnsupportedKey {
    pub(crate) key: &'static str,
    /// The value that matches the current behaviour and is accepted.
    pub(crate) no_op: NoOpValue,
    /// Why, and what to do instead.
    pub(crate) reason: &'static str,
    /// Whether it will be supported.
    is_planned: bool,
}

impl UnsupportedKey {
    /// What is said about the key where it is refused.
    fn refusal(&self) -> String {
        let yet = if self.is_planned { " yet" } else { "" };
        format!("is not supported{yet}: {}", self.reason)
    }

    /// What is said about the key where it is ignored.
    fn notice(&self) -> String {
        format!("has no effect here: {}", self.reason)
    }
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
    UnsupportedKey { key, no_op, reason, is_planned: false }
}

/// An [`unsupported`] key that will be supported.
pub(crate) const fn not_yet(key: &'static str, no_op: NoOpValue, reason: &'static str) -> UnsupportedKey {
    UnsupportedKey { key, no_op, reason, is_planned: true }
}

/// A dictionary of settings that is being read.
pub(crate) struct Settings<'py> {
    /// How messages call the dictionary: `config`, `batch policy`.
    name: &'static str,
    /// The entries that were not taken yet.
    left: Bound<'py, PyDict>,
    /// The keys that were asked for, for the message about an unknown one.
    known: Vec<&'static str>,
    /// The keys that have no effect or are refused, and what is said about them.
    without_effect: Vec<(&'static str, String)>,
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
            let mut message = format!("{name} is of type {}; it must be a dict", kind(object)?);
            if name == "query options" {
                // Begins as the official client's text.
                message = format!("{name} must be a dictionary; they are of type {}", kind(object)?);
            }
            let error = type_error(py, message);
            let official = if name == "config" { "Config must be a dict" } else { "policy must be a dict" };
            return Err(with_official_text(py, error, official));
        };
        Ok(Some(Self { name, left, known: Vec::new(), without_effect: Vec::new() }))
    }

    /// Whether the settings are defaults of a config.
    pub(crate) fn is_config(&self) -> bool {
        self.name.starts_with("config")
    }

    /// Takes the value of a key; None if it is missing or None.
    pub(crate) fn take(&mut self, key: &'static str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.known.push(key);
        self.remove(key)
    }

    fn remove(&self, key: &'static str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let value = self.left.get_item(key)?;
        if value.is_some() {
            self.left.del_item(key)?;
        }
        Ok(value.filter(|value| !value.is_none()))
    }

    fn refusal(&self, key: &str, value: &Bound<'py, PyAny>, expected: &str) -> String {
        format!("{} {key:?} is {}; it must be {expected}", self.name, describe(value))
    }

    fn wrong(&self, key: &str, value: &Bound<'py, PyAny>, expected: &str) -> PyErr {
        self.invalid(key, param_error(value.py(), self.refusal(key, value, expected)))
    }

    /// The error of a value, with the official client's text.
    fn invalid(&self, key: &str, error: PyErr) -> PyErr {
        let py = self.left.py();
        match (self.name.contains("policy"), self.is_config()) {
            (true, true) => with_official_text(py, error, "Invalid Policy setting value"),
            (true, false) => with_official_text(py, error, &format!("{key} is invalid")),
            (false, _) => error,
        }
    }

    /// A key, as messages call it.
    pub(crate) fn what(&self, key: &str) -> String {
        format!("{} {key:?}", self.name)
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
            Some(_) => Err(self.wrong(key, &value, &expected())),
            None => Err(self.invalid(key, type_error(value.py(), self.refusal(key, &value, &expected())))),
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

    /// A time to live, as a request holds it; None if it is missing or `TTL_CLIENT_DEFAULT`.
    pub(crate) fn time_to_live(&mut self, key: &'static str) -> PyResult<Option<u32>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        time_to_live(&format!("{} {key:?}", self.name), &value)
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> PyResult<Option<bool>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        self.is_true(key, &value).map(Some)
    }

    /// Whether a value is True; an error unless it is True or False.
    fn is_true(&self, key: &str, value: &Bound<'py, PyAny>) -> PyResult<bool> {
        if let Ok(flag) = value.cast::<PyBool>() {
            return Ok(flag.is_true());
        }
        // NumPy's bool is not a subclass of Python's.
        if value.get_type().fully_qualified_name().is_ok_and(|name| name == "numpy.bool") {
            return value.is_truthy();
        }
        let found = kind(value)?;
        let message = format!("{} {key:?} is of type {found}; it must be True or False", self.name);
        let error = self.invalid(key, type_error(value.py(), message));
        Err(match self.name {
            "config" => {
                with_official_text(value.py(), error, &format!("config[\"{key}\"] must be a boolean"))
            }
            _ => error,
        })
    }

    /// The value of a key that is taken later; None if it is missing or None.
    pub(crate) fn peek(&self, key: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.left.get_item(key)?.filter(|value| !value.is_none()))
    }

    /// A str. A value of another type is not shown: it may contain a password.
    pub(crate) fn text(&mut self, key: &'static str) -> PyResult<Option<String>> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        let what = format!("{} {key:?}", self.name);
        match value.cast::<PyString>() {
            Ok(text) => unicode(text, &what).map(Some),
            Err(_) => {
                Err(type_error(value.py(), format!("{what} is of type {}; it must be a str", kind(&value)?)))
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
        for found in keys {
            self.without_effect.push((found.key, found.notice()));
            let Some(value) = self.remove(found.key)? else { continue };
            if let NoOpValue::Flag(_) = found.no_op {
                self.is_true(found.key, &value)?;
            }
            if !found.no_op.matches(&value) {
                let message = format!("{} {:?} {}", self.name, found.key, found.notice());
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
        for found in keys {
            self.without_effect.push((found.key, found.refusal()));
            let Some(value) = self.remove(found.key)? else { continue };
            if !found.no_op.matches(&value) {
                let message = format!("{} {:?} {}", self.name, found.key, found.refusal());
                return Err(param_error(self.left.py(), message));
            }
        }
        Ok(())
    }

    /// Refuses the keys that were not taken.
    pub(crate) fn finish(self) -> PyResult<()> {
        let Some((key, _)) = self.left.iter().next() else { return Ok(()) };
        let py = self.left.py();
        let hint = match key.cast::<PyString>() {
            Ok(text) => self.hint(text)?,
            Err(_) => None,
        };
        let hint = hint.unwrap_or_else(|| {
            let mut known = self.known;
            known.sort_unstable();
            format!("known keys are {}", known.join(", "))
        });
        let error = param_error(py, format!("{} has an unknown key {}; {hint}", self.name, key.repr()?));
        let dictionary = match self.name {
            "meta" => "record metadata",
            name if name.contains("policy") => "policy",
            _ => "client config",
        };
        Err(with_official_text(py, error, &format!("\"{key}\" is an invalid {dictionary} dictionary key")))
    }

    /// What may be meant by an unknown key. A key that has no effect or is refused is not suggested: the message says
    /// what is wrong with it too.
    fn hint(&self, key: &Bound<'_, PyString>) -> PyResult<Option<String>> {
        let mut all = self.known.clone();
        all.extend(self.without_effect.iter().map(|(name, _)| *name));
        if let Some(nearest) = nearest(key, &all, 0.65)?
            && let Some((name, what)) = self.without_effect.iter().find(|(name, _)| *name == nearest)
        {
            return Ok(Some(format!("the most similar key, {name:?}, {what}")));
        }
        let nearest = nearest(key, &self.known, 0.6)?;
        Ok(nearest.map(|nearest| format!("did you mean {nearest:?}?")))
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

/// The name that is most similar to `key`, if one is as similar as `cutoff`.
fn nearest(key: &Bound<'_, PyString>, names: &[&'static str], cutoff: f64) -> PyResult<Option<String>> {
    let difflib = key.py().import("difflib")?;
    let matches = difflib.call_method1("get_close_matches", (key, names.to_vec(), 1, cutoff))?;
    let matches: Vec<String> = matches.extract()?;
    Ok(matches.into_iter().next())
}
