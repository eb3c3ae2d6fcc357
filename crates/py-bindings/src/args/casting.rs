//! `casting` and `errors`: what happens to values that do not fit their fields.

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
