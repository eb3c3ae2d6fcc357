//! Columns of numbers, bools and times.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use record_decode::{Casting, ColumnNumber, HalfBits, Number, time_count};

use super::{Column, Context};
use crate::error::Misfit;
use crate::value::Value;

/// How values become those of an Arrow type.
trait Conversion: Send + Sync + 'static {
    type Arrow: ArrowPrimitiveType;

    /// The types of values that the column takes, as messages name them.
    const TAKES: &'static str;

    fn convert(number: Number, casting: Casting) -> Result<(Native<Self>, u64), Misfit>;

    /// A double of a list, if it fits without a change that counts.
    fn of_double(_value: f64, _casting: Casting) -> Option<Native<Self>> {
        None
    }
}

type Native<C> = <<C as Conversion>::Arrow as ArrowPrimitiveType>::Native;

/// Integers and floats, as fields of rows take them.
struct AsNumber<T>(PhantomData<fn() -> T>);

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
struct AsTime<T>(PhantomData<fn() -> T>);

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

    fn append_doubles(&mut self, doubles: &[[u8; 9]], casting: Casting) -> bool {
        let len = self.values.len();
        self.values.reserve(doubles.len());
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
            return Err(Misfit::TypeNotTaken { takes: "bools and integers" });
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

/// A column of numbers, bools or times; `None` for other types.
pub(super) fn column(kind: &DataType, rows: usize) -> Option<Box<dyn Column>> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    Some(match kind {
        DataType::Boolean => {
            Box::new(Bools { values: BooleanBufferBuilder::new(rows), nulls: NullBufferBuilder::new(rows) })
        }
        DataType::Int8 => Fixed::<AsNumber<Int8Type>>::boxed(kind, rows),
        DataType::Int16 => Fixed::<AsNumber<Int16Type>>::boxed(kind, rows),
        DataType::Int32 => Fixed::<AsNumber<Int32Type>>::boxed(kind, rows),
        DataType::Int64 => Fixed::<AsNumber<Int64Type>>::boxed(kind, rows),
        DataType::UInt8 => Fixed::<AsNumber<UInt8Type>>::boxed(kind, rows),
        DataType::UInt16 => Fixed::<AsNumber<UInt16Type>>::boxed(kind, rows),
        DataType::UInt32 => Fixed::<AsNumber<UInt32Type>>::boxed(kind, rows),
        DataType::UInt64 => Fixed::<AsNumber<UInt64Type>>::boxed(kind, rows),
        DataType::Float16 => Fixed::<AsNumber<Float16Type>>::boxed(kind, rows),
        DataType::Float32 => Fixed::<AsNumber<Float32Type>>::boxed(kind, rows),
        DataType::Float64 => Fixed::<AsNumber<Float64Type>>::boxed(kind, rows),
        DataType::Date32 => Fixed::<AsTime<Date32Type>>::boxed(kind, rows),
        DataType::Date64 => Fixed::<AsTime<Date64Type>>::boxed(kind, rows),
        DataType::Time32(Second) => Fixed::<AsTime<Time32SecondType>>::boxed(kind, rows),
        DataType::Time32(Millisecond) => Fixed::<AsTime<Time32MillisecondType>>::boxed(kind, rows),
        DataType::Time64(Microsecond) => Fixed::<AsTime<Time64MicrosecondType>>::boxed(kind, rows),
        DataType::Time64(Nanosecond) => Fixed::<AsTime<Time64NanosecondType>>::boxed(kind, rows),
        DataType::Timestamp(Second, _) => Fixed::<AsTime<TimestampSecondType>>::boxed(kind, rows),
        DataType::Timestamp(Millisecond, _) => Fixed::<AsTime<TimestampMillisecondType>>::boxed(kind, rows),
        DataType::Timestamp(Microsecond, _) => Fixed::<AsTime<TimestampMicrosecondType>>::boxed(kind, rows),
        DataType::Timestamp(Nanosecond, _) => Fixed::<AsTime<TimestampNanosecondType>>::boxed(kind, rows),
        DataType::Duration(Second) => Fixed::<AsTime<DurationSecondType>>::boxed(kind, rows),
        DataType::Duration(Millisecond) => Fixed::<AsTime<DurationMillisecondType>>::boxed(kind, rows),
        DataType::Duration(Microsecond) => Fixed::<AsTime<DurationMicrosecondType>>::boxed(kind, rows),
        DataType::Duration(Nanosecond) => Fixed::<AsTime<DurationNanosecondType>>::boxed(kind, rows),
        _ => return None,
    })
}
