//! What happens to values that do not fit, and how well a number fits.

use crate::error::Reason;

use super::field_type::FieldType;
use super::number::Number;

/// What happens to a value that its field cannot hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Casting {
    /// Integers wrap, floats are rounded, fractions are dropped, bytes are cut. All but the rounding of floats is
    /// counted as a change.
    Unsafe,
    /// Any change of the value is a failure, rounding included.
    SameValue,
}

impl Casting {
    /// The worst fit that is neither counted nor a failure.
    pub(crate) fn worst_silent(self) -> Fit {
        match self {
            Self::Unsafe => Fit::Rounded,
            Self::SameValue => Fit::Exact,
        }
    }
}

/// How well a field holds a number, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// The field holds the same value.
    Exact,
    /// The field holds the nearest float.
    Rounded,
    /// The field holds another value.
    Changed,
    /// The float is outside the range of the integer field. What the field holds is meaningless.
    OutOfRange,
    /// The float is NaN or infinite, and the field is an integer. What the field holds is meaningless.
    NotFinite,
    /// The field does not take the type and was not written.
    NotTaken,
}

impl Fit {
    #[inline]
    pub(super) fn exact_if(exact: bool) -> Self {
        if exact { Self::Exact } else { Self::Changed }
    }

    #[inline]
    pub(super) fn of_rounding(exact: bool, infinite: bool) -> Self {
        match (exact, infinite) {
            (true, _) => Self::Exact,
            (false, false) => Self::Rounded,
            (false, true) => Self::Changed,
        }
    }
}

/// Whether a fit counts as a change (1) or not (0), or is a failure.
#[inline]
pub(super) fn judge(field: FieldType, fit: Fit, number: Number, casting: Casting) -> Result<u64, Reason> {
    match (fit, casting) {
        (Fit::Exact, _) | (Fit::Rounded, Casting::Unsafe) => Ok(0),
        (Fit::Changed, Casting::Unsafe) => Ok(1),
        (Fit::Rounded | Fit::Changed, Casting::SameValue) => Err(number.changes()),
        (Fit::OutOfRange, _) => Err(Reason::OutOfRange { value: number.as_float() }),
        (Fit::NotFinite, _) => Err(Reason::NotFinite { value: number.as_float() }),
        (Fit::NotTaken, _) => Err(field.refusal()),
    }
}
