//! Columns of numbers, bools and times.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use record_decode::{Casting, ColumnNumber, HalfBits, Number, time_count};

use super::{Column, Context};
use crate::error::Misfit;
use crate::value::Value;

/// How values become those of an Arrow type.
pub(super) trait Conversion: Send + Sync + 'static {
    type Arrow: ArrowPrimitiveType;

    /// The types of values that the column takes, as messages name them.
    const TAKES: &'static str;

    fn convert(number: Number, casting: Casting) -> Result<(Native<Self>, u64), Misfit>;

    /// A double of a list, if it fits without a change that counts.
    fn of_double(_value: f64, _casting: Casting) -> Option<Native<Self>> {
        None
    }
}

pub(super) type Native<C> = <<C as Conversion>::Arrow as ArrowPrimitiveType>::Native;

/// Integers and floats, as fields of rows take them.
pub(super) struct AsNumber<T>(PhantomData<fn() -> T>);

macro_rules! numbers {
    ($($arrow:ty)*) => {$(
        impl Conversion for AsNumber<$arrow> {
            type Arrow = $arrow;
            const TAKES: &'static str = "integers, floats and bools";

            #[inline]
            fn convert(number: Number, casting: Casting) -> Result<(Native<Self>, u64), Misfit> {
                Ok(ColumnNumber::convert(number, casting)?)
            }
        }
    )*};
}

numbers!(Int8Type Int16Type Int32Type Int64Type UInt8Type UInt16Type UInt32Type UInt64Type);

impl Conversion for AsNumber<Float64Type> {
    type Arrow = Float64Type;
    const TAKES: &'static str = "integers, floats and bools";

    #[inline]
    fn convert(number: Number, casting: Casting) -> Result<(f64, u64), Misfit> {
        Ok(ColumnNumber::convert(number, casting)?)
    }

    #[inline]
    fn of_double(value: f64, _casting: Casting) -> Option<f64> {
        Some(value)
    }
}

impl Conversion for AsNumber<Float32Type> {
    type Arrow = Float32Type;
    const TAKES: &'static str = "integers, floats and bools";

    #[inline]
    fn convert(number: Number, casting: Casting) -> Result<(f32, u64), Misfit> {
        Ok(ColumnNumber::convert(number, casting)?)
    }

    #[inline]
    fn of_double(value: f64, casting: Casting) -> Option<f32> {
        let rounded = value as f32;
        let is_same = f64::from(rounded) == value || value.is_nan();
        (is_same || (casting == Casting::Unsafe && rounded.is_finite())).then_some(rounded)
    }
}

impl Conversion for AsNumber<Float16Type> {
    type Arrow = Float16Type;
    const TAKES: &'static str = "integers, floats and bools";

    fn convert(number: Number, casting: Casting) -> Result<(Native<Self>, u64), Misfit> {
        let (HalfBits(bits), changed) = ColumnNumber::convert(number, casting)?;
        // The `half` crate is Arrow's: its type is made from bytes, so that it is no dependency here.
        let values: ScalarBuffer<Native<Self>> = Buffer::from(bits.to_ne_bytes().to_vec()).into();
        Ok((values.first().copied().unwrap_or_default(), changed))
    }
}

/// The stored count of a time.
pub(super) struct AsTime<T>(PhantomData<fn() -> T>);

impl<T: ArrowPrimitiveType> Conversion for AsTime<T>
where
    T::Native: TryFrom<i64>,
{
    type Arrow = T;
    const TAKES: &'static str = "integers";

    #[inline]
    fn convert(number: Number, _casting: Casting) -> Result<(T::Native, u64), Misfit> {
        let value = time_count(number)?;
        T::Native::try_from(value).map(|count| (count, 0)).map_err(|_| Misfit::TimeRange { value })
    }
}

struct Fixed<C: Conversion> {
    kind: DataType,
    values: Vec<Native<C>>,
    nulls: NullBufferBuilder,
}

impl<C: Conversion> Fixed<C> {
    fn boxed(kind: &DataType, rows: usize) -> Box<dyn Column> {
        Box::new(Self {
            kind: kind.clone(),
            values: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
        })
    }

    #[inline]
    fn reserve(&mut self, values: usize) -> Result<(), Misfit> {
        if self.values.capacity() - self.values.len() >= values {
            return Ok(());
        }
        self.values.try_reserve(values).map_err(|_| Misfit::NoMemory)
    }
}

impl<C: Conversion> Column for Fixed<C> {
    fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        let Value::Number(number) = value else { return Err(Misfit::TypeNotTaken { takes: C::TAKES }) };
        let (value, changed) = C::convert(number, context.casting)?;
        context.changed += changed;
        self.reserve(1)?;
        self.values.push(value);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_null(&mut self) {
        self.values.push(Native::<C>::default());
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.nulls.truncate(len);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut values = std::mem::take(&mut self.values);
        values.shrink_to_fit();
        let values = ScalarBuffer::from(values);
        let array = PrimitiveArray::<C::Arrow>::try_new(values, self.nulls.finish())?;
        Ok(Arc::new(array.with_data_type(self.kind.clone())))
    }

    fn expect(&mut self, values: usize) {
        // Without memory for so many, it grows as they come.
        _ = self.values.try_reserve_exact(values.saturating_sub(self.values.len()));
    }

    fn append_doubles(&mut self, doubles: &[[u8; 9]], casting: Casting) -> bool {
        let len = self.values.len();
        if self.reserve(doubles.len()).is_err() {
            // Appending one at a time says so.
            return false;
        }
        for &[_, ref bits @ ..] in doubles {
            match C::of_double(f64::from_be_bytes(*bits), casting) {
                Some(value) => self.values.push(value),
                None => {
                    self.values.truncate(len);
                    return false;
                }
            }
        }
        self.nulls.append_n_non_nulls(doubles.len());
        true
    }

    fn width(&self) -> Option<usize> {
        Some(size_of::<Native<C>>())
    }

    fn append_raw(&mut self, bytes: &[u8]) {
        let count = bytes.len() / size_of::<Native<C>>();
        let whole = bytes.get(..count * size_of::<Native<C>>()).unwrap_or_default();
        let values: ScalarBuffer<Native<C>> = Buffer::from(whole).into();
        self.values.extend_from_slice(&values);
        self.nulls.append_n_non_nulls(count);
    }
}

struct Bools {
    values: BooleanBufferBuilder,
    nulls: NullBufferBuilder,
}

impl Column for Bools {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        let Value::Number(number) = value else {
            return Err(Misfit::TypeNotTaken { takes: Bool::TAKES });
        };
        let (truth, _) = bool::convert(number, context.casting)?;
        self.values.append(truth);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_null(&mut self) {
        self.values.append(false);
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.nulls.truncate(len);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(BooleanArray::new(self.values.finish(), self.nulls.finish())))
    }
}

/// Bools, for messages.
pub(super) struct Bool;

impl Bool {
    pub(super) const TAKES: &'static str = "bools and integers";
}

/// Calls the macro `make` with the conversion of a type of numbers or times; `None` for other types.
macro_rules! with_conversion {
    ($kind:expr, $make:ident) => {
        match $kind {
            arrow_schema::DataType::Int8 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::Int8Type>)
            }
            arrow_schema::DataType::Int16 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::Int16Type>)
            }
            arrow_schema::DataType::Int32 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::Int32Type>)
            }
            arrow_schema::DataType::Int64 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::Int64Type>)
            }
            arrow_schema::DataType::UInt8 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::UInt8Type>)
            }
            arrow_schema::DataType::UInt16 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::UInt16Type>)
            }
            arrow_schema::DataType::UInt32 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::UInt32Type>)
            }
            arrow_schema::DataType::UInt64 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::UInt64Type>)
            }
            arrow_schema::DataType::Float16 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::Float16Type>)
            }
            arrow_schema::DataType::Float32 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::Float32Type>)
            }
            arrow_schema::DataType::Float64 => {
                $make!($crate::columns::fixed::AsNumber<arrow_array::types::Float64Type>)
            }
            arrow_schema::DataType::Date32 => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::Date32Type>)
            }
            arrow_schema::DataType::Date64 => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::Date64Type>)
            }
            arrow_schema::DataType::Time32(arrow_schema::TimeUnit::Second) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::Time32SecondType>)
            }
            arrow_schema::DataType::Time32(arrow_schema::TimeUnit::Millisecond) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::Time32MillisecondType>)
            }
            arrow_schema::DataType::Time64(arrow_schema::TimeUnit::Microsecond) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::Time64MicrosecondType>)
            }
            arrow_schema::DataType::Time64(arrow_schema::TimeUnit::Nanosecond) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::Time64NanosecondType>)
            }
            arrow_schema::DataType::Timestamp(arrow_schema::TimeUnit::Second, _) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::TimestampSecondType>)
            }
            arrow_schema::DataType::Timestamp(arrow_schema::TimeUnit::Millisecond, _) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::TimestampMillisecondType>)
            }
            arrow_schema::DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, _) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::TimestampMicrosecondType>)
            }
            arrow_schema::DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, _) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::TimestampNanosecondType>)
            }
            arrow_schema::DataType::Duration(arrow_schema::TimeUnit::Second) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::DurationSecondType>)
            }
            arrow_schema::DataType::Duration(arrow_schema::TimeUnit::Millisecond) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::DurationMillisecondType>)
            }
            arrow_schema::DataType::Duration(arrow_schema::TimeUnit::Microsecond) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::DurationMicrosecondType>)
            }
            arrow_schema::DataType::Duration(arrow_schema::TimeUnit::Nanosecond) => {
                $make!($crate::columns::fixed::AsTime<arrow_array::types::DurationNanosecondType>)
            }
            _ => None,
        }
    };
}

pub(super) use with_conversion;

/// A column of numbers, bools or times; `None` for other types.
pub(super) fn column(kind: &DataType, rows: usize) -> Option<Box<dyn Column>> {
    if *kind == DataType::Boolean {
        let values = BooleanBufferBuilder::new(rows);
        return Some(Box::new(Bools { values, nulls: NullBufferBuilder::new(rows) }));
    }
    macro_rules! numbers {
        ($conversion:ty) => {
            Some(Fixed::<$conversion>::boxed(kind, rows))
        };
    }
    with_conversion!(kind, numbers)
}
