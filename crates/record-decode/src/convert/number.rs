//! Numbers of the protocol into integers, floats and bools of a dtype.
//!
//! | field | value | becomes | counts as changed |
//! | --- | --- | --- | --- |
//! | `i`, `u` | integer, bool | its low bits, two's complement | if other bits are lost |
//! | `i`, `u` | float | truncated; NaN, infinite and out of range are failures | if a fraction is lost |
//! | `f` | float | nearest, ties to even | if a finite value becomes infinite |
//! | `f` | integer, bool | nearest, ties to even, in one step | if the float is another number |
//! | `?` | integer, bool | whether it is not zero | never |
//!
//! Nearly every double is rounded in a smaller float, as everyone expects, so that does not count. An integer that
//! comes back as another integer (an identifier above 2^53 in an `f8`) is a loss, so that counts.

use crate::error::Reason;
use crate::memory::RowView;

use super::casting::Fit;
use super::half;

/// A number of any type: a value that may not fit, or an element of a field.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`; as a value, only in lists.
    Uint(u64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
}

impl Number {
    /// The nearest double.
    pub(super) fn as_float(self) -> f64 {
        match self {
            Self::Float(value) => value,
            Self::Int(value) => value as f64,
            Self::Uint(value) => value as f64,
            Self::Bool(value) => value.into(),
        }
    }

    /// The failure of a number that would change.
    pub(super) fn changes(self) -> Reason {
        match self {
            Self::Float(value) => Reason::FloatChanges { value },
            Self::Int(value) => Reason::IntegerChanges { value: value.into() },
            Self::Uint(value) => Reason::IntegerChanges { value: value.into() },
            Self::Bool(value) => Reason::IntegerChanges { value: value.into() },
        }
    }
}

/// A number of the protocol, by its type.
pub(crate) trait Source: Copy {
    fn convert<T: Scalar>(self) -> (T, Fit);
    /// Its value as a bool; `None` if bools do not take the type.
    fn truth(self) -> Option<bool>;
    /// Its value as the count of a time; `None` if times do not take it.
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

/// A type of a dtype that numbers convert to.
pub(crate) trait Scalar: Sized {
    fn from_int(value: i64) -> (Self, Fit);
    fn from_uint(value: u64) -> (Self, Fit);
    fn from_float(value: f64) -> (Self, Fit);
    /// Writes the scalar at `offset` of the row, with its bytes reversed if `swapped`.
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
                // A float truncates into the range if it lies strictly between MIN - 1 and MAX + 1. For 64 bits,
                // MAX + 1 is a double, although MAX is not; MIN - 1 rounds to MIN, hence the comparison for equality.
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

/// Whether a float with `digits` significant bits can hold the integer, ignoring the range of the exponent.
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

/// A float type that doubles convert to many at a time.
pub(crate) trait FloatScalar: Scalar {
    /// Its size in bytes.
    const SIZE: usize;

    /// Converts a double and writes it to `out`, which has [`Self::SIZE`] bytes, reversed if `swapped`.
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

/// A half-precision float, as its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Half(pub(crate) u16);

impl Half {
    fn is_infinite(self) -> bool {
        self.0 & 0x7fff == 0x7c00
    }

    /// Converts through a double, which still rounds once: doubles hold every integer below 2^53 exactly, and larger
    /// ones become infinite.
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
