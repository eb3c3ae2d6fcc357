//! Columns of numbers, bools and times whose values are put at any row.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use record_decode::{Casting, ColumnNumber, Number};

use super::fixed::{Bool, Conversion, Native, with_conversion};
use crate::error::Misfit;

/// A column of a known number of rows.
pub(crate) trait Placed: Send + Sync {
    /// Puts a number at a row that has none. Returns how many values changed to fit.
    ///
    /// # Errors
    /// The column cannot hold it. The row stays null.
    fn put(&mut self, row: usize, number: Number, casting: Casting) -> Result<u64, Misfit>;

    /// The types of values that the column takes, as messages name them.
    fn takes(&self) -> &'static str;

    /// Takes the values out.
    ///
    /// # Errors
    /// Arrow's checks refuse the array.
    fn finish(&mut self) -> Result<ArrayRef, ArrowError>;
}

/// Which rows have a value.
struct Valid(Vec<u8>);

impl Valid {
    fn new(rows: usize) -> Self {
        Self(vec![0; rows.div_ceil(8)])
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
    values: Vec<Native<C>>,
    valid: Valid,
}

impl<C: Conversion> Placed for Numbers<C> {
    #[inline]
    fn put(&mut self, row: usize, number: Number, casting: Casting) -> Result<u64, Misfit> {
        let (value, changed) = C::convert(number, casting)?;
        if let Some(place) = self.values.get_mut(row) {
            *place = value;
            self.valid.insert(row);
        }
        Ok(changed)
    }

    fn takes(&self) -> &'static str {
        C::TAKES
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let values = std::mem::take(&mut self.values);
        let nulls = self.valid.take(values.len());
        let array = PrimitiveArray::<C::Arrow>::try_new(ScalarBuffer::from(values), nulls)?;
        Ok(Arc::new(array.with_data_type(self.kind.clone())))
    }
}

struct Bools {
    rows: usize,
    values: Valid,
    valid: Valid,
}

impl Placed for Bools {
    fn put(&mut self, row: usize, number: Number, casting: Casting) -> Result<u64, Misfit> {
        if bool::convert(number, casting)?.0 {
            self.values.insert(row);
        }
        self.valid.insert(row);
        Ok(0)
    }

    fn takes(&self) -> &'static str {
        Bool::TAKES
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let values = BooleanBuffer::new(Buffer::from_vec(std::mem::take(&mut self.values.0)), 0, self.rows);
        Ok(Arc::new(BooleanArray::new(values, self.valid.take(self.rows))))
    }
}

/// A column of `rows` nulls; `None` for types of other values.
pub(crate) fn placed(kind: &DataType, rows: usize) -> Option<Box<dyn Placed>> {
    if *kind == DataType::Boolean {
        return Some(Box::new(Bools { rows, values: Valid::new(rows), valid: Valid::new(rows) }));
    }
    macro_rules! numbers {
        ($conversion:ty) => {
            Some(Box::new(Numbers::<$conversion> {
                kind: kind.clone(),
                values: vec![Default::default(); rows],
                valid: Valid::new(rows),
            }))
        };
    }
    with_conversion!(kind, numbers)
}
