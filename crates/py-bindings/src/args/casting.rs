//! `casting` and `errors`: what happens to values that do not fit their fields.

use pyo3::prelude::*;
use record_decode::Casting;

use crate::python::errors::param_error;

/// The `casting` and `errors` arguments of a read into arrays.
pub(crate) struct CastingArgs {
    pub(crate) casting: Casting,
    /// Leave cells empty whose values do not fit, instead of raising.
    pub(crate) coerce: bool,
}

impl CastingArgs {
    pub(crate) fn read(py: Python<'_>, casting: &str, errors: &str) -> PyResult<Self> {
        let casting = match casting {
            "unsafe" => Casting::Unsafe,
            "same_value" => Casting::SameValue,
            other => {
                return Err(param_error(
                    py,
                    format!("casting is {other:?}; it must be \"unsafe\" or \"same_value\""),
                ));
            }
        };
        let coerce = match errors {
            "raise" => false,
            "coerce" => true,
            other => {
                return Err(param_error(
                    py,
                    format!("errors is {other:?}; it must be \"raise\" or \"coerce\""),
                ));
            }
        };
        Ok(Self { casting, coerce })
    }
}
