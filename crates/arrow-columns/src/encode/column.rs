//! The buffers of an array, behind one type.
//!
//! They are taken from `ArrayData`, with offsets as the C data interface has them: the offset of a struct counts in its
//! fields, too, which are not sliced. Arrays of `arrow-array` cannot be made of all such data: version 59 panics where
//! structs nest and have an offset.

use std::ops::Range;

use arrow_array::OffsetSizeTrait;
use arrow_array::types::{ArrowPrimitiveType, Float16Type};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, ScalarBuffer, ToByteSlice as _};
use arrow_data::ArrayData;
use arrow_schema::DataType;

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
    Map(ScalarBuffer<i32>, Box<Column>, Box<Column>),
    /// Indices, and the values that they stand for.
    Dictionary(Box<Column>, Box<Column>),
    Runs(Runs, Box<Column>),
}

/// Where the bytes of texts and blobs are.
#[derive(Debug)]
pub(super) enum Bytes {
    Small(ScalarBuffer<i32>, Buffer),
    Large(ScalarBuffer<i64>, Buffer),
    /// Sixteen bytes a value, and the buffers of long values.
    Views(ScalarBuffer<u128>, Box<[Buffer]>),
    /// Values of the same length.
    Fixed(usize, Buffer),
}

/// Where the elements of lists are.
#[derive(Debug)]
pub(super) enum Lists {
    Small(ScalarBuffer<i32>),
    Large(ScalarBuffer<i64>),
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

/// Part of an array.
#[derive(Clone, Copy)]
struct Part<'a> {
    data: &'a ArrayData,
    /// Its first value, among those of the buffers.
    start: usize,
    len: usize,
}

impl<'a> Part<'a> {
    /// `len` values of an array from `offset` on; `None` if it does not have them.
    fn new(data: &'a ArrayData, offset: usize, len: usize) -> Option<Self> {
        let end = offset.checked_add(len)?;
        (end <= data.len()).then_some(Self { data, start: data.offset().checked_add(offset)?, len })
    }

    /// The column of a child, whole.
    fn child(&self, place: usize) -> Option<Box<Column>> {
        let child = self.data.child_data().get(place)?;
        Some(Box::new(Column::of(child, 0, child.len())?))
    }

    /// The numbers of a buffer that has one for each value, and `more`.
    fn numbers<T: ArrowNativeType>(&self, buffer: usize, more: usize) -> Option<ScalarBuffer<T>> {
        let buffer = self.data.buffers().get(buffer)?;
        let count = self.len.checked_add(more)?;
        if count == more && buffer.is_empty() {
            // An array without values may have no offset at all.
            return Some(ScalarBuffer::from(vec![T::default(); more]));
        }
        let (size, end) = (size_of::<T>(), self.start.checked_add(count)?);
        let is_aligned = (buffer.as_ptr() as usize).is_multiple_of(align_of::<T>());
        (is_aligned && end.checked_mul(size)? <= buffer.len())
            .then(|| ScalarBuffer::new(buffer.clone(), self.start, count))
    }

    fn fixed<T: ArrowNativeType>(&self, make: impl Fn(ScalarBuffer<T>) -> Values) -> Option<Values> {
        self.numbers(0, 0).map(make)
    }

    fn bytes<O: OffsetSizeTrait>(&self, make: impl Fn(ScalarBuffer<O>, Buffer) -> Bytes) -> Option<Bytes> {
        Some(make(self.numbers(0, 1)?, self.data.buffers().get(1)?.clone()))
    }

    fn views(&self) -> Option<Bytes> {
        Some(Bytes::Views(self.numbers(0, 0)?, self.data.buffers().get(1..)?.into()))
    }

    fn list<O: OffsetSizeTrait>(&self, make: impl Fn(ScalarBuffer<O>) -> Lists) -> Option<Values> {
        Some(Values::List(make(self.numbers(0, 1)?), self.child(0)?))
    }

    fn list_view<O: OffsetSizeTrait>(
        &self,
        make: impl Fn(ScalarBuffer<O>, ScalarBuffer<O>) -> Lists,
    ) -> Option<Values> {
        Some(Values::List(make(self.numbers(0, 0)?, self.numbers(1, 0)?), self.child(0)?))
    }

    fn runs(&self, ends_type: &DataType) -> Option<Values> {
        let [ends, values] = self.data.child_data() else { return None };
        let all = Part::new(ends, 0, ends.len())?;
        let runs = match ends_type {
            DataType::Int16 => Runs::I16(all.numbers(0, 0)?, self.start),
            DataType::Int32 => Runs::I32(all.numbers(0, 0)?, self.start),
            DataType::Int64 => Runs::I64(all.numbers(0, 0)?, self.start),
            _ => return None,
        };
        Some(Values::Runs(runs, Box::new(Column::of(values, 0, values.len())?)))
    }

    fn map(&self) -> Option<Values> {
        let [entries] = self.data.child_data() else { return None };
        let [keys, values] = entries.child_data() else { return None };
        let column = |field: &ArrayData| Some(Box::new(Column::of(field, entries.offset(), entries.len())?));
        Some(Values::Map(self.numbers(0, 1)?, column(keys)?, column(values)?))
    }
}

impl Column {
    /// The column of `len` values of an array from `offset` on. `None` if its type is not supported, or its buffers are
    /// too short. Recurses once per level of the type, which `check_type` has bounded.
    pub(super) fn of(data: &ArrayData, offset: usize, len: usize) -> Option<Self> {
        let part = Part::new(data, offset, len)?;
        let nulls = data.nulls().map(|nulls| nulls.slice(offset, len));
        Some(Self { nulls: nulls.filter(|nulls| nulls.null_count() > 0), values: values_of(part)? })
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

fn values_of(part: Part<'_>) -> Option<Values> {
    use DataType as T;
    Some(match part.data.data_type() {
        T::Null => Values::Null,
        // The null type, imported as bool: arrays of that have a buffer for their values.
        T::Boolean if part.data.buffers().is_empty() => Values::Null,
        T::Boolean => {
            let bits = part.data.buffers().first()?;
            let end = part.start.checked_add(part.len)?;
            if end.div_ceil(8) > bits.len() {
                return None;
            }
            Values::Bool(BooleanBuffer::new(bits.clone(), part.start, part.len))
        }
        T::Int8 => part.fixed(Values::I8)?,
        T::Int16 => part.fixed(Values::I16)?,
        T::Int32 | T::Date32 | T::Time32(_) => part.fixed(Values::I32)?,
        T::Int64 | T::Date64 | T::Time64(_) | T::Timestamp(..) | T::Duration(_) => part.fixed(Values::I64)?,
        T::UInt8 => part.fixed(Values::U8)?,
        T::UInt16 => part.fixed(Values::U16)?,
        T::UInt32 => part.fixed(Values::U32)?,
        T::UInt64 => part.fixed(Values::U64)?,
        T::Float16 => part.fixed(Values::F16)?,
        T::Float32 => part.fixed(Values::F32)?,
        T::Float64 => part.fixed(Values::F64)?,
        T::Utf8 => Values::Text(part.bytes(Bytes::Small)?),
        T::LargeUtf8 => Values::Text(part.bytes(Bytes::Large)?),
        T::Utf8View => Values::Text(part.views()?),
        T::Binary => Values::Blob(part.bytes(Bytes::Small)?),
        T::LargeBinary => Values::Blob(part.bytes(Bytes::Large)?),
        T::BinaryView => Values::Blob(part.views()?),
        T::FixedSizeBinary(size) => {
            let size = usize::try_from(*size).ok()?;
            let buffer = part.data.buffers().first()?;
            let (start, length) = (part.start.checked_mul(size)?, part.len.checked_mul(size)?);
            if start.checked_add(length)? > buffer.len() {
                return None;
            }
            Values::Blob(Bytes::Fixed(size, buffer.slice_with_length(start, length)))
        }
        T::List(_) => part.list(Lists::Small)?,
        T::LargeList(_) => part.list(Lists::Large)?,
        T::ListView(_) => part.list_view(Lists::SmallViews)?,
        T::LargeListView(_) => part.list_view(Lists::LargeViews)?,
        T::FixedSizeList(_, size) => {
            let size = usize::try_from(*size).ok()?;
            let (start, length) = (part.start.checked_mul(size)?, part.len.checked_mul(size)?);
            let items = Column::of(part.data.child_data().first()?, start, length)?;
            Values::List(Lists::Fixed(size), Box::new(items))
        }
        T::Struct(fields) if fields.len() == part.data.child_data().len() => {
            let named = fields.iter().zip(part.data.child_data()).map(|(field, child)| {
                Some((field.name().as_str().into(), Column::of(child, part.start, part.len)?))
            });
            Values::Struct(named.collect::<Option<_>>()?)
        }
        T::Map(..) => part.map()?,
        T::Dictionary(indices, _) => {
            let indices = match &**indices {
                T::Int8 => part.fixed(Values::I8)?,
                T::Int16 => part.fixed(Values::I16)?,
                T::Int32 => part.fixed(Values::I32)?,
                T::Int64 => part.fixed(Values::I64)?,
                T::UInt8 => part.fixed(Values::U8)?,
                T::UInt16 => part.fixed(Values::U16)?,
                T::UInt32 => part.fixed(Values::U32)?,
                T::UInt64 => part.fixed(Values::U64)?,
                _ => return None,
            };
            Values::Dictionary(Box::new(Column { nulls: None, values: indices }), part.child(0)?)
        }
        T::RunEndEncoded(ends, _) => part.runs(ends.data_type())?,
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
