//! `casting` and `errors`: what happens to values that do not fit their fields.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use record_decode::Casting;

use crate::args::convert::one_word;

/// The `casting` and `errors` arguments of a read into arrays.
pub(crate) struct CastingArgs {
    pub(crate) casting: Casting,
    /// Leave cells empty whose values do not fit, instead of raising.
    pub(crate) coerce: bool,
}

impl CastingArgs {
    pub(crate) fn read(casting: &Bound<'_, PyAny>, errors: &Bound<'_, PyAny>) -> PyResult<Self> {
        const CASTINGS: [(&str, Casting); 2] =
            [("unsafe", Casting::Unsafe), ("same_value", Casting::SameValue)];
        Ok(Self {
            casting: one_word("casting", casting, &CASTINGS)?,
            coerce: one_word("errors", errors, &[("raise", false), ("coerce", true)])?,
        })
    }
}

/// Refuses arguments that have a meaning only with a dtype: casting, and `others` by their names.
pub(crate) fn refuse_numpy_arguments(
    casting: &CastingArgs,
    others: &[(&str, Option<&Bound<'_, PyAny>>)],
) -> PyResult<()> {
    let given = others.iter().find(|(_, value)| value.is_some_and(|value| !value.is_none()));
    let given = match given {
        Some((name, _)) => name,
        None if casting.casting != Casting::Unsafe => "casting",
        None if casting.coerce => "errors",
        None => return Ok(()),
    };
    Err(PyTypeError::new_err(format!("{given} needs _dtype; without it, records are not read into an array")))
}
