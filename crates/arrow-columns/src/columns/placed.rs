//! Columns of numbers, bools and times whose values are put at any row.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer, ScalarBuffer, ToByteSlice};
use arrow_schema::{ArrowError, DataType};
use record_decode::{Casting, ColumnNumber, Number};

use super::fixed::{Bool, Conversion, Native, with_conversion};
use crate::error::Misfit;

/// The memory of several columns. One allocation, as a structured array has: the allocator keeps it for the next batch,
/// where it returns many smaller ones to the system, whose new pages cost as much as all conversions.
#[derive(Debug, Default)]
pub(crate) struct PlacedMemory {
    words: usize,
}

/// Columns begin at multiples of so many bytes.
const ALIGNMENT: usize = 64;

impl PlacedMemory {
    /// Where a column of so many bytes begins.
    fn add(&mut self, bytes: usize) -> usize {
        let start = self.words * size_of::<u64>();
        self.words += bytes.next_multiple_of(ALIGNMENT) / size_of::<u64>();
        start
    }

    /// The memory, zeroed.
    ///
    /// # Errors
    /// There is not so much.
    pub(crate) fn allocate(self) -> Result<MutableBuffer, Misfit> {
        zeroed::<u64>(self.words).map(MutableBuffer::from)
    }
}

/// So many zeroes.
///
/// # Errors
/// There is no memory for them.
fn zeroed<T: Clone + Default>(len: usize) -> Result<Vec<T>, Misfit> {
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(|_| Misfit::NoMemory)?;
    values.resize(len, T::default());
    Ok(values)
}

/// A column of a known number of rows, which is null where nothing is put. Its values are in `memory`.
pub(crate) trait Placed: Send + Sync {
    /// Puts a number at a row that has none. Returns how many values changed to fit.
    ///
    /// # Errors
    /// The column cannot hold it. The row stays null.
    fn put(&mut self, memory: &mut [u8], row: usize, number: Number, casting: Casting)
    -> Result<u64, Misfit>;

    /// [`Placed::put`] of an integer.
    fn put_int(
        &mut self,
        memory: &mut [u8],
        row: usize,
        value: i64,
        casting: Casting,
    ) -> Result<u64, Misfit> {
        self.put(memory, row, Number::Int(value), casting)
    }

    /// [`Placed::put`] of a float.
    fn put_float(
        &mut self,
        memory: &mut [u8],
        row: usize,
        value: f64,
        casting: Casting,
    ) -> Result<u64, Misfit> {
        self.put(memory, row, Number::Float(value), casting)
    }

    /// The types of values that the column takes, as messages name them.
    fn takes(&self) -> &'static str;

    /// The column.
    ///
    /// # Errors
    /// Arrow's checks refuse the array.
    fn finish(&mut self, memory: &Buffer) -> Result<ArrayRef, ArrowError>;
}

/// Which rows have a value.
struct Valid(Vec<u8>);

impl Valid {
    fn new(rows: usize) -> Result<Self, Misfit> {
        zeroed(rows.div_ceil(8)).map(Self)
    }

    #[inline]
    fn insert(&mut self, row: usize) {
        if let Some(byte) = self.0.get_mut(row / 8) {
            *byte |= 1 << (row % 8);
        }
    }

    fn take(&mut self, rows: usize) -> Option<NullBuffer> {
        let bits = BooleanBuffer::new(Buffer::from_vec(std::mem::take(&mut self.0)), 0, rows);
        Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
    }
}

struct Numbers<C: Conversion> {
    kind: DataType,
    rows: usize,
    /// Where its values begin.
    start: usize,
    valid: Valid,
    conversion: PhantomData<fn() -> C>,
}

impl<C: Conversion> Numbers<C> {
    const WIDTH: usize = size_of::<Native<C>>();
}

impl<C: Conversion> Placed for Numbers<C> {
    // Inlined into `put_int` and `put_float`, for their kind of number.
    #[inline(always)]
    fn put(
        &mut self,
        memory: &mut [u8],
        row: usize,
        number: Number,
        casting: Casting,
    ) -> Result<u64, Misfit> {
        let (value, changed) = C::convert(number, casting)?;
        let start = self.start + row * Self::WIDTH;
        if row < self.rows
            && let Some(place) = memory.get_mut(start..start + Self::WIDTH)
        {
            place.copy_from_slice(value.to_byte_slice());
            self.valid.insert(row);
        }
        Ok(changed)
    }

    fn takes(&self) -> &'static str {
        C::TAKES
    }

    fn finish(&mut self, memory: &Buffer) -> Result<ArrayRef, ArrowError> {
        let values = ScalarBuffer::from(memory.slice_with_length(self.start, self.rows * Self::WIDTH));
        let array = PrimitiveArray::<C::Arrow>::try_new(values, self.valid.take(self.rows))?;
        Ok(Arc::new(array.with_data_type(self.kind.clone())))
    }
}

struct Bools {
    rows: usize,
    values: Valid,
    valid: Valid,
}

impl Placed for Bools {
    fn put(
        &mut self,
        _memory: &mut [u8],
        row: usize,
        number: Number,
        casting: Casting,
    ) -> Result<u64, Misfit> {
        if bool::convert(number, casting)?.0 {
            self.values.insert(row);
        }
        self.valid.insert(row);
        Ok(0)
    }

    fn takes(&self) -> &'static str {
        Bool::TAKES
    }

    fn finish(&mut self, _memory: &Buffer) -> Result<ArrayRef, ArrowError> {
        let values = BooleanBuffer::new(Buffer::from_vec(std::mem::take(&mut self.values.0)), 0, self.rows);
        Ok(Arc::new(BooleanArray::new(values, self.valid.take(self.rows))))
    }
}

/// A column of `rows` nulls, for whose values there will be room in `memory`; `None` for types of other values.
///
/// # Errors
/// There is no memory for it.
pub(crate) fn placed(
    kind: &DataType,
    rows: usize,
    memory: &mut PlacedMemory,
) -> Result<Option<Box<dyn Placed>>, Misfit> {
    if *kind == DataType::Boolean {
        let (values, valid) = (Valid::new(rows)?, Valid::new(rows)?);
        return Ok(Some(Box::new(Bools { rows, values, valid })));
    }
    macro_rules! numbers {
        ($conversion:ty) => {
            Some(Box::new(Numbers::<$conversion> {
                kind: kind.clone(),
                rows,
                start: memory.add(rows * Numbers::<$conversion>::WIDTH),
                valid: Valid::new(rows)?,
                conversion: PhantomData,
            }))
        };
    }
    Ok(with_conversion!(kind, numbers))
}
