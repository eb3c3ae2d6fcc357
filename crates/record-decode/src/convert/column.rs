//! Numbers for columns: the conversions of fields, without a row.

use super::casting::{Casting, judge};
use super::field_type::FieldType;
use super::number::{Half, Number, Scalar, Source};
use crate::error::Reason;

/// A type of numbers that a column holds. Values convert as they do in a field of the type.
pub trait ColumnNumber: Copy {
    /// Converts a number. Returns it, and the number of values that changed to fit: 0 or 1.
    ///
    /// # Errors
    /// The column cannot hold the number.
    fn convert(number: Number, casting: Casting) -> Result<(Self, u64), Reason>;
}

#[inline]
fn scalar<T: Scalar>(number: Number, field: FieldType, casting: Casting) -> Result<(T, u64), Reason> {
    let (value, fit) = match number {
        Number::Int(value) => value.convert::<T>(),
        Number::Float(value) => value.convert::<T>(),
        Number::Bool(value) => value.convert::<T>(),
        Number::Uint(value) => value.convert::<T>(),
    };
    judge(field, fit, number, casting).map(|changed| (value, changed))
}

macro_rules! column_numbers {
    ($($number:ty: $field:ident)*) => {$(
        impl ColumnNumber for $number {
            #[inline]
            fn convert(number: Number, casting: Casting) -> Result<(Self, u64), Reason> {
                scalar(number, FieldType::$field, casting)
            }
        }
    )*};
}

column_numbers!(i8: I1 i16: I2 i32: I4 i64: I8 u8: U1 u16: U2 u32: U4 u64: U8 f32: F4 f64: F8);

/// A half-precision float, as its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfBits(pub u16);

impl ColumnNumber for HalfBits {
    fn convert(number: Number, casting: Casting) -> Result<(Self, u64), Reason> {
        let (Half(bits), changed) = scalar(number, FieldType::F2, casting)?;
        Ok((Self(bits), changed))
    }
}

impl ColumnNumber for bool {
    fn convert(number: Number, _casting: Casting) -> Result<(Self, u64), Reason> {
        let truth = match number {
            Number::Int(value) => value.truth(),
            Number::Uint(value) => value.truth(),
            Number::Bool(value) => value.truth(),
            Number::Float(value) => value.truth(),
        };
        truth.map(|truth| (truth, 0)).ok_or_else(|| FieldType::Bool.refusal())
    }
}

/// The count of a time, of which columns take integers only.
///
/// # Errors
/// The number is no integer of 64 bits.
#[inline]
pub fn time_count(number: Number) -> Result<i64, Reason> {
    let count = match number {
        Number::Int(value) => value.count(),
        Number::Uint(value) => value.count(),
        Number::Bool(value) => value.count(),
        Number::Float(value) => value.count(),
    };
    count.ok_or_else(|| FieldType::Time.refusal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_or_do_not() {
        use Casting::{SameValue, Unsafe};
        assert_eq!(<i8 as ColumnNumber>::convert(Number::Int(-128), SameValue), Ok((-128, 0)));
        assert_eq!(<i8 as ColumnNumber>::convert(Number::Int(300), Unsafe), Ok((44, 1)));
        assert_eq!(
            <i8 as ColumnNumber>::convert(Number::Int(300), SameValue),
            Err(Reason::IntegerChanges { value: 300 })
        );
        assert_eq!(<u64 as ColumnNumber>::convert(Number::Uint(u64::MAX), SameValue), Ok((u64::MAX, 0)));
        assert_eq!(<f32 as ColumnNumber>::convert(Number::Float(0.1), Unsafe), Ok((0.1, 0)));
        assert_eq!(
            <f32 as ColumnNumber>::convert(Number::Float(0.1), SameValue),
            Err(Reason::FloatChanges { value: 0.1 })
        );
        assert_eq!(HalfBits::convert(Number::Float(1.0), SameValue), Ok((HalfBits(0x3c00), 0)));
        assert_eq!(<bool as ColumnNumber>::convert(Number::Int(2), SameValue), Ok((true, 0)));
        assert!(matches!(
            <bool as ColumnNumber>::convert(Number::Float(1.0), Unsafe),
            Err(Reason::TypeNotTaken { .. })
        ));
        assert_eq!(time_count(Number::Int(5)), Ok(5));
        assert!(time_count(Number::Bool(true)).is_err() && time_count(Number::Uint(1)).is_err());
    }
}
