//! The buffers of an array, behind one type.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, BinaryViewType, ByteArrayType, ByteViewType, Date32Type,
    Date64Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, GenericBinaryType, GenericStringType, Int8Type, Int16Type,
    Int32Type, Int64Type, RunEndIndexType, StringViewType, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer, ToByteSlice as _};
use arrow_schema::{DataType, TimeUnit};

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyNot {
    /// An unsigned integer above the range of bins.
    #[error(
        "{value} is above 2**63 - 1, the largest integer that a bin can hold; write it as float64, text or binary"
    )]
    TooLarge {
        /// The integer.
        value: u64,
    },
    /// Text that is not UTF-8.
    #[error("its text is not UTF-8 (at byte {valid}); write it as binary")]
    NotUtf8 {
        /// The number of valid bytes before the first invalid one.
        valid: usize,
    },
    /// A primary key that is null.
    #[error("the primary key is null; leave such rows out, or give them a key")]
    NullKey,
    /// Two entries of a map with one key.
    #[error("its map has the key {key} twice; a map in a bin has each key once")]
    RepeatedKey {
        /// The key.
        key: Box<str>,
    },
    /// A null key of a map.
    #[error("its map has a null key; a map in a bin has no such key")]
    NullMapKey,
    /// Offsets or indices that point outside of an array.
    #[error("the array is invalid: {what}; the library that made it broke the Arrow format")]
    Invalid {
        /// What is wrong.
        what: &'static str,
    },
}

/// An array whose type `check_type` has accepted.
#[derive(Debug)]
pub(super) struct Column {
    nulls: Option<NullBuffer>,
    pub(super) values: Values,
}

/// The values of an array. Types that differ only in what their integers mean are one variant.
#[derive(Debug)]
pub(super) enum Values {
    Null,
    Bool(BooleanBuffer),
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
    U8(ScalarBuffer<u8>),
    U16(ScalarBuffer<u16>),
    U32(ScalarBuffer<u32>),
    U64(ScalarBuffer<u64>),
    F16(ScalarBuffer<<Float16Type as ArrowPrimitiveType>::Native>),
    F32(ScalarBuffer<f32>),
    F64(ScalarBuffer<f64>),
    Text(Bytes),
    Blob(Bytes),
    List(Lists, Box<Column>),
    /// By field name.
    Struct(Box<[(Box<str>, Column)]>),
    /// Offsets, keys and values.
    Map(OffsetBuffer<i32>, Box<Column>, Box<Column>),
    /// Indices, and the values that they stand for.
    Dictionary(Box<Column>, Box<Column>),
    Runs(Runs, Box<Column>),
}

/// Where the bytes of texts and blobs are.
#[derive(Debug)]
pub(super) enum Bytes {
    Small(OffsetBuffer<i32>, Buffer),
    Large(OffsetBuffer<i64>, Buffer),
    /// Sixteen bytes a value, and the buffers of long values.
    Views(ScalarBuffer<u128>, Arc<[Buffer]>),
    /// Values of the same length.
    Fixed(usize, Buffer),
}

/// Where the elements of lists are.
#[derive(Debug)]
pub(super) enum Lists {
    Small(OffsetBuffer<i32>),
    Large(OffsetBuffer<i64>),
    Fixed(usize),
    /// Offsets and lengths.
    SmallViews(ScalarBuffer<i32>, ScalarBuffer<i32>),
    LargeViews(ScalarBuffer<i64>, ScalarBuffer<i64>),
}

/// The ends of runs, and the position of the first value among all of them.
#[derive(Debug)]
pub(super) enum Runs {
    I16(ScalarBuffer<i16>, usize),
    I32(ScalarBuffer<i32>, usize),
    I64(ScalarBuffer<i64>, usize),
}

/// The values of a primitive array.
fn numbers<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<ScalarBuffer<T::Native>> {
    array.as_primitive_opt::<T>().map(|array| array.values().clone())
}

fn small<T: ByteArrayType<Offset = i32>>(array: &dyn Array) -> Option<Bytes> {
    array.as_bytes_opt::<T>().map(|array| Bytes::Small(array.offsets().clone(), array.values().clone()))
}

fn large<T: ByteArrayType<Offset = i64>>(array: &dyn Array) -> Option<Bytes> {
    array.as_bytes_opt::<T>().map(|array| Bytes::Large(array.offsets().clone(), array.values().clone()))
}

fn views<T: ByteViewType>(array: &dyn Array) -> Option<Bytes> {
    array
        .as_byte_view_opt::<T>()
        .map(|array| Bytes::Views(array.views().clone(), array.data_buffers().into()))
}

fn dictionary<K: ArrowDictionaryKeyType>(array: &dyn Array) -> Option<Values> {
    let array = array.as_dictionary_opt::<K>()?;
    Some(Values::Dictionary(Box::new(Column::of(array.keys())?), Box::new(Column::of(array.values())?)))
}

fn runs<R: RunEndIndexType>(
    array: &dyn Array,
    make: impl Fn(ScalarBuffer<R::Native>, usize) -> Runs,
) -> Option<Values> {
    let array = array.as_run_opt::<R>()?;
    let ends = array.run_ends();
    Some(Values::Runs(make(ends.inner().clone(), ends.offset()), Box::new(Column::of(array.values())?)))
}

fn list<O: OffsetSizeTrait>(array: &dyn Array, make: impl Fn(OffsetBuffer<O>) -> Lists) -> Option<Values> {
    let array = array.as_list_opt::<O>()?;
    Some(Values::List(make(array.offsets().clone()), Box::new(Column::of(array.values())?)))
}

fn list_view<O: OffsetSizeTrait>(
    array: &dyn Array,
    make: impl Fn(ScalarBuffer<O>, ScalarBuffer<O>) -> Lists,
) -> Option<Values> {
    let array = array.as_list_view_opt::<O>()?;
    let lists = make(array.offsets().clone(), array.sizes().clone());
    Some(Values::List(lists, Box::new(Column::of(array.values())?)))
}

impl Column {
    /// The column of an array. `None` if its type is not supported, or the array is not of its type. Recurses once per
    /// level of the type, which `check_type` has bounded.
    pub(super) fn of(array: &dyn Array) -> Option<Self> {
        Some(Self {
            nulls: array.nulls().cloned().filter(|nulls| nulls.null_count() > 0),
            values: values_of(array)?,
        })
    }

    /// Whether a value is null, or stands for one. A row that does not exist is null.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        if self.nulls.as_ref().is_some_and(|nulls| row >= nulls.len() || nulls.is_null(row)) {
            return true;
        }
        match &self.values {
            Values::Null => true,
            Values::Dictionary(indices, values) => match indices.index(row) {
                // An index that does not exist is an error, not a null.
                Some(place) if place < values.len() => values.is_null(place),
                _ => false,
            },
            Values::Runs(runs, values) => values.is_null(runs.place(row)),
            _ => false,
        }
    }

    /// Whether any value can be null.
    pub(super) fn has_nulls(&self) -> bool {
        self.nulls.is_some()
            || match &self.values {
                Values::Null => true,
                Values::Dictionary(_, values) | Values::Runs(_, values) => values.has_nulls(),
                _ => false,
            }
    }

    /// A bound of the number of values: no value exists at it or above.
    pub(super) fn len(&self) -> usize {
        let len = match &self.values {
            Values::Null => usize::MAX,
            Values::Bool(values) => values.len(),
            Values::I8(values) => values.len(),
            Values::I16(values) => values.len(),
            Values::I32(values) => values.len(),
            Values::I64(values) => values.len(),
            Values::U8(values) => values.len(),
            Values::U16(values) => values.len(),
            Values::U32(values) => values.len(),
            Values::U64(values) => values.len(),
            Values::F16(values) => values.len(),
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
            Values::Text(bytes) | Values::Blob(bytes) => bytes.len(),
            Values::List(lists, items) => lists.len(items),
            Values::Struct(fields) => fields.iter().map(|(_, field)| field.len()).min().unwrap_or(usize::MAX),
            Values::Map(offsets, ..) => offsets.len().saturating_sub(1),
            Values::Dictionary(indices, _) => indices.len(),
            Values::Runs(runs, _) => runs.len(),
        };
        self.nulls.as_ref().map_or(len, |nulls| len.min(nulls.len()))
    }

    /// A value of an array of indices.
    #[inline]
    pub(super) fn index(&self, row: usize) -> Option<usize> {
        match &self.values {
            Values::I8(values) => usize::try_from(*values.get(row)?).ok(),
            Values::I16(values) => usize::try_from(*values.get(row)?).ok(),
            Values::I32(values) => usize::try_from(*values.get(row)?).ok(),
            Values::I64(values) => usize::try_from(*values.get(row)?).ok(),
            Values::U8(values) => Some(usize::from(*values.get(row)?)),
            Values::U16(values) => Some(usize::from(*values.get(row)?)),
            Values::U32(values) => usize::try_from(*values.get(row)?).ok(),
            Values::U64(values) => usize::try_from(*values.get(row)?).ok(),
            _ => None,
        }
    }

    /// The column and the place where the value of a row is, behind dictionaries and runs.
    #[inline]
    pub(super) fn resolve(&self, row: usize) -> Result<(&Self, usize), WhyNot> {
        match &self.values {
            Values::Dictionary(indices, values) => match indices.index(row) {
                Some(place) if place < values.len() => values.resolve(place),
                _ => Err(WhyNot::Invalid { what: "an index is outside of its dictionary" }),
            },
            Values::Runs(runs, values) => values.resolve(runs.place(row)),
            _ => Ok((self, row)),
        }
    }
}

fn values_of(array: &dyn Array) -> Option<Values> {
    use DataType as T;
    Some(match array.data_type() {
        T::Null => Values::Null,
        T::Boolean => Values::Bool(array.as_boolean_opt()?.values().clone()),
        T::Int8 => Values::I8(numbers::<Int8Type>(array)?),
        T::Int16 => Values::I16(numbers::<Int16Type>(array)?),
        T::Int32 => Values::I32(numbers::<Int32Type>(array)?),
        T::Int64 => Values::I64(numbers::<Int64Type>(array)?),
        T::UInt8 => Values::U8(numbers::<UInt8Type>(array)?),
        T::UInt16 => Values::U16(numbers::<UInt16Type>(array)?),
        T::UInt32 => Values::U32(numbers::<UInt32Type>(array)?),
        T::UInt64 => Values::U64(numbers::<UInt64Type>(array)?),
        T::Float16 => Values::F16(numbers::<Float16Type>(array)?),
        T::Float32 => Values::F32(numbers::<Float32Type>(array)?),
        T::Float64 => Values::F64(numbers::<Float64Type>(array)?),
        T::Date32 => Values::I32(numbers::<Date32Type>(array)?),
        T::Date64 => Values::I64(numbers::<Date64Type>(array)?),
        T::Time32(TimeUnit::Second) => Values::I32(numbers::<Time32SecondType>(array)?),
        T::Time32(_) => Values::I32(numbers::<Time32MillisecondType>(array)?),
        T::Time64(TimeUnit::Microsecond) => Values::I64(numbers::<Time64MicrosecondType>(array)?),
        T::Time64(_) => Values::I64(numbers::<Time64NanosecondType>(array)?),
        T::Timestamp(unit, _) => Values::I64(match unit {
            TimeUnit::Second => numbers::<TimestampSecondType>(array)?,
            TimeUnit::Millisecond => numbers::<TimestampMillisecondType>(array)?,
            TimeUnit::Microsecond => numbers::<TimestampMicrosecondType>(array)?,
            TimeUnit::Nanosecond => numbers::<TimestampNanosecondType>(array)?,
        }),
        T::Duration(unit) => Values::I64(match unit {
            TimeUnit::Second => numbers::<DurationSecondType>(array)?,
            TimeUnit::Millisecond => numbers::<DurationMillisecondType>(array)?,
            TimeUnit::Microsecond => numbers::<DurationMicrosecondType>(array)?,
            TimeUnit::Nanosecond => numbers::<DurationNanosecondType>(array)?,
        }),
        T::Utf8 => Values::Text(small::<GenericStringType<i32>>(array)?),
        T::LargeUtf8 => Values::Text(large::<GenericStringType<i64>>(array)?),
        T::Utf8View => Values::Text(views::<StringViewType>(array)?),
        T::Binary => Values::Blob(small::<GenericBinaryType<i32>>(array)?),
        T::LargeBinary => Values::Blob(large::<GenericBinaryType<i64>>(array)?),
        T::BinaryView => Values::Blob(views::<BinaryViewType>(array)?),
        T::FixedSizeBinary(size) => {
            let array = array.as_fixed_size_binary_opt()?;
            Values::Blob(Bytes::Fixed(usize::try_from(*size).ok()?, array.values().clone()))
        }
        T::List(_) => list::<i32>(array, Lists::Small)?,
        T::LargeList(_) => list::<i64>(array, Lists::Large)?,
        T::ListView(_) => list_view::<i32>(array, Lists::SmallViews)?,
        T::LargeListView(_) => list_view::<i64>(array, Lists::LargeViews)?,
        T::FixedSizeList(_, size) => {
            let items = Column::of(array.as_fixed_size_list_opt()?.values())?;
            Values::List(Lists::Fixed(usize::try_from(*size).ok()?), Box::new(items))
        }
        T::Struct(fields) => {
            let columns = array.as_struct_opt()?.columns();
            let named = fields.iter().zip(columns).map(|(field, column): (_, &ArrayRef)| {
                Some((field.name().as_str().into(), Column::of(column)?))
            });
            Values::Struct(named.collect::<Option<_>>()?)
        }
        T::Map(..) => {
            let array = array.as_map_opt()?;
            let (keys, values) = (Column::of(array.keys())?, Column::of(array.values())?);
            Values::Map(array.offsets().clone(), Box::new(keys), Box::new(values))
        }
        T::Dictionary(indices, _) => match &**indices {
            T::Int8 => dictionary::<Int8Type>(array)?,
            T::Int16 => dictionary::<Int16Type>(array)?,
            T::Int32 => dictionary::<Int32Type>(array)?,
            T::Int64 => dictionary::<Int64Type>(array)?,
            T::UInt8 => dictionary::<UInt8Type>(array)?,
            T::UInt16 => dictionary::<UInt16Type>(array)?,
            T::UInt32 => dictionary::<UInt32Type>(array)?,
            T::UInt64 => dictionary::<UInt64Type>(array)?,
            _ => return None,
        },
        T::RunEndEncoded(ends, _) => match ends.data_type() {
            T::Int16 => runs::<Int16Type>(array, Runs::I16)?,
            T::Int32 => runs::<Int32Type>(array, Runs::I32)?,
            T::Int64 => runs::<Int64Type>(array, Runs::I64)?,
            _ => return None,
        },
        _ => return None,
    })
}

pub(super) const BAD_OFFSET: WhyNot = WhyNot::Invalid { what: "an offset is outside of its buffer" };

/// The range between two offsets; `None` if there are no such offsets or they are not in order.
#[inline]
fn between<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> Option<Range<usize>> {
    let (start, end) = (offsets.get(row)?.to_usize()?, offsets.get(row.checked_add(1)?)?.to_usize()?);
    (start <= end).then_some(start..end)
}

/// The range of a list view.
fn viewed<O: OffsetSizeTrait>(offsets: &[O], sizes: &[O], row: usize) -> Option<Range<usize>> {
    let (start, size) = (offsets.get(row)?.to_usize()?, sizes.get(row)?.to_usize()?);
    Some(start..start.checked_add(size)?)
}

impl Bytes {
    fn len(&self) -> usize {
        match self {
            Self::Small(offsets, _) => offsets.len().saturating_sub(1),
            Self::Large(offsets, _) => offsets.len().saturating_sub(1),
            Self::Views(views, _) => views.len(),
            Self::Fixed(0, _) => usize::MAX,
            Self::Fixed(size, values) => values.len() / size,
        }
    }

    /// The bytes of a value.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Result<&[u8], WhyNot> {
        let bytes = match self {
            Self::Small(offsets, values) => between(offsets, row).and_then(|range| values.get(range)),
            Self::Large(offsets, values) => between(offsets, row).and_then(|range| values.get(range)),
            Self::Fixed(size, values) => {
                row.checked_mul(*size).and_then(|start| values.get(start..start.checked_add(*size)?))
            }
            Self::Views(views, buffers) => view(views, buffers, row),
        };
        bytes.ok_or(BAD_OFFSET)
    }
}

/// The bytes of a view: its own, or those of a buffer that it points to.
#[inline]
fn view<'a>(views: &'a [u128], buffers: &'a [Buffer], row: usize) -> Option<&'a [u8]> {
    const INLINE: usize = 12;
    let view = views.get(row)?;
    let length = *view as u32 as usize;
    if length <= INLINE {
        // A view is little endian in memory, on any machine that Arrow supports.
        return view.to_byte_slice().get(4..4 + length);
    }
    let (buffer, offset) = ((*view >> 64) as u32 as usize, (*view >> 96) as u32 as usize);
    buffers.get(buffer)?.get(offset..offset.checked_add(length)?)
}

impl Lists {
    fn len(&self, items: &Column) -> usize {
        match self {
            Self::Small(offsets) => offsets.len().saturating_sub(1),
            Self::Large(offsets) => offsets.len().saturating_sub(1),
            Self::Fixed(0) => usize::MAX,
            Self::Fixed(size) => items.len() / size,
            Self::SmallViews(offsets, sizes) => offsets.len().min(sizes.len()),
            Self::LargeViews(offsets, sizes) => offsets.len().min(sizes.len()),
        }
    }

    /// The elements of a list, of which there are `items`.
    #[inline]
    pub(super) fn range(&self, row: usize, items: usize) -> Result<Range<usize>, WhyNot> {
        let range = match self {
            Self::Small(offsets) => between(offsets, row),
            Self::Large(offsets) => between(offsets, row),
            Self::Fixed(size) => {
                row.checked_mul(*size).and_then(|start| Some(start..start.checked_add(*size)?))
            }
            Self::SmallViews(offsets, sizes) => viewed(offsets, sizes, row),
            Self::LargeViews(offsets, sizes) => viewed(offsets, sizes, row),
        };
        range.filter(|range| range.end <= items).ok_or(BAD_OFFSET)
    }
}

/// The entries of a map, of which there are `items`.
pub(super) fn entries(offsets: &[i32], row: usize, items: usize) -> Result<Range<usize>, WhyNot> {
    between(offsets, row).filter(|range| range.end <= items).ok_or(BAD_OFFSET)
}

/// The place of the run that a value is in.
fn run_of<E: Copy + PartialOrd + TryFrom<usize>>(ends: &[E], value: usize) -> usize {
    match E::try_from(value) {
        Ok(value) => ends.partition_point(|end| *end <= value),
        Err(_) => ends.len(),
    }
}

impl Runs {
    /// The place of a row's value; outside of the values if there is no such row.
    pub(super) fn place(&self, row: usize) -> usize {
        match self {
            Self::I16(ends, offset) => run_of(ends, row.saturating_add(*offset)),
            Self::I32(ends, offset) => run_of(ends, row.saturating_add(*offset)),
            Self::I64(ends, offset) => run_of(ends, row.saturating_add(*offset)),
        }
    }

    fn len(&self) -> usize {
        let end = |end: Option<usize>, offset: usize| end.unwrap_or(0).saturating_sub(offset);
        match self {
            Self::I16(ends, offset) => end(ends.last().and_then(|last| usize::try_from(*last).ok()), *offset),
            Self::I32(ends, offset) => end(ends.last().and_then(|last| usize::try_from(*last).ok()), *offset),
            Self::I64(ends, offset) => end(ends.last().and_then(|last| usize::try_from(*last).ok()), *offset),
        }
    }
}
