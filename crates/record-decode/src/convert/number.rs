//! Numbers of the wire into integers, floats and bools of a dtype.
//!
//! | field | value | becomes | counted as changed |
//! | --- | --- | --- | --- |
//! | `i`, `u` | integer, bool | its low bits, two's complement | when other bits were there |
//! | `i`, `u` | float | truncated; NaN, infinite or out of range is refused | when a fraction was lost |
//! | `f` | float | nearest, ties to even | when a finite value became infinite |
//! | `f` | integer, bool | nearest, ties to even, in one step | when the float is not that integer |
//! | `?` | integer, bool | whether it is other than zero | never |
//!
//! An integer whose digits a float cannot hold counts, a float that rounds does not: nearly every double
//! rounds on its way into a smaller float and nobody expects otherwise, but an integer that comes back as
//! a different one (an identifier above 2^53 in an `f8`) is a loss.

use crate::convert::half;
use crate::rows::RowView;

/// What became of a number, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// The field holds the same value.
    Exact,
    /// A float was rounded to the nearest that the field can hold.
    Rounded,
    /// The field holds another value.
    Changed,
    /// A float beyond the range of the integer field, which holds nothing of use.
    OutOfRange,
    /// NaN or infinite, for an integer field, which holds nothing of use.
    NotFinite,
    /// The field does not take the type and was not written.
    NotTaken,
}

impl Fit {
    #[inline]
    fn exact_if(exact: bool) -> Self {
        if exact { Self::Exact } else { Self::Changed }
    }

    #[inline]
    fn of_rounding(exact: bool, infinite: bool) -> Self {
        match (exact, infinite) {
            (true, _) => Self::Exact,
            (false, false) => Self::Rounded,
            (false, true) => Self::Changed,
        }
    }
}

/// A number as it comes from the wire.
pub(crate) trait Source: Copy {
    fn convert<T: Scalar>(self) -> (T, Fit);
    /// What it is to a bool, if that takes it.
    fn truth(self) -> Option<bool>;
    /// What it is to a time, if that takes it.
    fn count(self) -> Option<i64>;
}

impl Source for i64 {
    #[inline]
    fn convert<T: Scalar>(self) -> (T, Fit) {
        T::from_int(self)
    }

    #[inline]
    fn truth(self) -> Option<bool> {
        Some(self != 0)
    }

    #[inline]
    fn count(self) -> Option<i64> {
        Some(self)
    }
}

impl Source for u64 {
    fn convert<T: Scalar>(self) -> (T, Fit) {
        T::from_uint(self)
    }

    fn truth(self) -> Option<bool> {
        Some(self != 0)
    }

    fn count(self) -> Option<i64> {
        None
    }
}

impl Source for f64 {
    #[inline]
    fn convert<T: Scalar>(self) -> (T, Fit) {
        T::from_float(self)
    }

    #[inline]
    fn truth(self) -> Option<bool> {
        None
    }

    #[inline]
    fn count(self) -> Option<i64> {
        None
    }
}

impl Source for bool {
    fn convert<T: Scalar>(self) -> (T, Fit) {
        T::from_int(self.into())
    }

    fn truth(self) -> Option<bool> {
        Some(self)
    }

    fn count(self) -> Option<i64> {
        None
    }
}

/// A scalar of a dtype that numbers convert to.
pub(crate) trait Scalar: Sized {
    fn from_int(value: i64) -> (Self, Fit);
    fn from_uint(value: u64) -> (Self, Fit);
    fn from_float(value: f64) -> (Self, Fit);
    /// Writes the scalar at `offset` of the row, its bytes reversed if `swapped`.
    fn put(self, row: &mut RowView<'_>, offset: usize, swapped: bool);
}

/// Writes `source` as a `T` at `offset` of the row.
#[inline]
pub(crate) fn put<T: Scalar>(
    source: impl Source,
    row: &mut RowView<'_>,
    offset: usize,
    swapped: bool,
) -> Fit {
    let (value, fit) = source.convert::<T>();
    value.put(row, offset, swapped);
    fit
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Scalar for $int {
            #[inline]
            fn from_int(value: i64) -> (Self, Fit) {
                (value as Self, Fit::exact_if(Self::try_from(value).is_ok()))
            }

            #[inline]
            fn from_uint(value: u64) -> (Self, Fit) {
                (value as Self, Fit::exact_if(Self::try_from(value).is_ok()))
            }

            #[inline]
            fn from_float(value: f64) -> (Self, Fit) {
                // A float truncates into the range when it lies strictly between the first integers
                // outside. For 64 bits these are no doubles: the one above rounds to MAX + 1 all the same,
                // the one below to MIN itself, hence the comparison for equality.
                const MIN: f64 = <$int>::MIN as f64;
                const ABOVE: f64 = <$int>::MAX as f64 + 1.0;
                let whole = value as Self;
                let fit = if (value == MIN || value > MIN - 1.0) && value < ABOVE {
                    Fit::exact_if(whole as f64 == value)
                } else if value.is_finite() {
                    Fit::OutOfRange
                } else {
                    Fit::NotFinite
                };
                (whole, fit)
            }

            #[inline]
            fn put(self, row: &mut RowView<'_>, offset: usize, swapped: bool) {
                let value = if swapped { self.swap_bytes() } else { self };
                row.put(offset, value.to_ne_bytes());
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

/// Whether a binary float with that many significant digits can hold the integer, its exponent aside.
#[inline]
fn has_digits(magnitude: u64, digits: u32) -> bool {
    magnitude >> digits == 0 || u64::BITS - magnitude.leading_zeros() - magnitude.trailing_zeros() <= digits
}

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl Scalar for $float {
            #[inline]
            fn from_int(value: i64) -> (Self, Fit) {
                (value as Self, Fit::exact_if(has_digits(value.unsigned_abs(), Self::MANTISSA_DIGITS)))
            }

            #[inline]
            fn from_uint(value: u64) -> (Self, Fit) {
                (value as Self, Fit::exact_if(has_digits(value, Self::MANTISSA_DIGITS)))
            }

            #[inline]
            fn from_float(value: f64) -> (Self, Fit) {
                let rounded = value as Self;
                let exact = f64::from(rounded) == value || value.is_nan();
                (rounded, Fit::of_rounding(exact, rounded.is_infinite()))
            }

            #[inline]
            fn put(self, row: &mut RowView<'_>, offset: usize, swapped: bool) {
                self.to_bits().put(row, offset, swapped);
            }
        }
    )*};
}

floats!(f32 f64);

/// A float that doubles are turned into many at a time.
pub(crate) trait FloatScalar: Scalar {
    /// Its bytes.
    const SIZE: usize;

    /// Writes what a double becomes into `out`, of that many bytes, reversed if `swapped`.
    fn write(value: f64, swapped: bool, out: &mut [u8]) -> Fit;
}

macro_rules! float_scalars {
    ($($float:ty)*) => {$(
        impl FloatScalar for $float {
            const SIZE: usize = size_of::<Self>();

            #[inline]
            fn write(value: f64, swapped: bool, out: &mut [u8]) -> Fit {
                let (scalar, fit) = Self::from_float(value);
                let bits = scalar.to_bits();
                let bits = if swapped { bits.swap_bytes() } else { bits };
                out.copy_from_slice(&bits.to_ne_bytes());
                fit
            }
        }
    )*};
}

float_scalars!(f32 f64);

/// A half, as its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Half(pub(crate) u16);

impl Half {
    fn is_infinite(self) -> bool {
        self.0 & 0x7fff == 0x7c00
    }

    /// Through a double, which is one step all the same: it holds every integer below 2^53, and the
    /// others become infinite.
    fn from_whole(double: f64) -> (Self, Fit) {
        let (bits, exact) = half::from_f64(double);
        (Self(bits), Fit::exact_if(exact))
    }
}

impl Scalar for Half {
    fn from_int(value: i64) -> (Self, Fit) {
        Self::from_whole(value as f64)
    }

    fn from_uint(value: u64) -> (Self, Fit) {
        Self::from_whole(value as f64)
    }

    fn from_float(value: f64) -> (Self, Fit) {
        let (bits, exact) = half::from_f64(value);
        let half = Self(bits);
        (half, Fit::of_rounding(exact, half.is_infinite()))
    }

    #[inline]
    fn put(self, row: &mut RowView<'_>, offset: usize, swapped: bool) {
        self.0.put(row, offset, swapped);
    }
}
