//! Columns of text and bytes.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray, OffsetSizeTrait,
};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use record_decode::Casting;

use super::cells::{CellKind, Cells};
use super::{Column, Context, kept};
use crate::error::Misfit;
use crate::value::Value;

/// The bytes of a value for a column of text, which may not be UTF-8.
///
/// # Errors
/// A value of another type than text.
#[inline]
pub(super) fn text_bytes<'a>(value: &Value<'a>) -> Result<&'a [u8], Misfit> {
    match value {
        Value::Str(bytes) | Value::GeoJson(bytes) => Ok(bytes),
        _ => Err(Misfit::TypeNotTaken { takes: "strings and GeoJSON" }),
    }
}

/// The text of a value for a column of text.
///
/// # Errors
/// A value that is no text.
#[inline]
pub(super) fn text<'a>(value: &Value<'a>) -> Result<&'a str, Misfit> {
    utf8(text_bytes(value)?)
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, Misfit> {
    std::str::from_utf8(bytes).map_err(|error| Misfit::NotText { at: error.valid_up_to() })
}

/// The bytes of a value for a column of bytes.
///
/// # Errors
/// A value that is none.
#[inline]
pub(super) fn binary<'a>(value: &Value<'a>) -> Result<&'a [u8], Misfit> {
    match value {
        Value::Blob(bytes) | Value::Str(bytes) | Value::Hll(bytes) => Ok(bytes),
        _ => Err(Misfit::TypeNotTaken { takes: "blobs, strings and HLL" }),
    }
}

/// Rows from which on the memory for the rows to come is estimated. Before, it doubles.
const MEASURED: usize = 1024;

/// The most bytes that are reserved on account of an estimate.
const MOST_AHEAD: usize = 1 << 24;

/// Values of any length behind each other.
pub(super) struct Spans<O> {
    offsets: Vec<O>,
    bytes: Vec<u8>,
    pub(super) nulls: NullBufferBuilder,
    /// How many values there will be, roughly.
    expected: usize,
}

impl<O: OffsetSizeTrait> Spans<O> {
    pub(super) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(O::usize_as(0));
        Self { offsets, bytes: Vec::new(), nulls: NullBufferBuilder::new(rows), expected: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The caller keeps the bytes of a column within its offsets: see `rows::table`.
    ///
    /// # Errors
    /// There is no memory for the value.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Misfit> {
        self.reserve(bytes.len(), 1)?;
        self.bytes.extend_from_slice(bytes);
        self.offsets.push(O::usize_as(self.bytes.len()));
        self.nulls.append_non_null();
        Ok(())
    }

    fn push_null(&mut self) {
        self.offsets.push(O::usize_as(self.bytes.len()));
        self.nulls.append_null();
    }

    /// Makes room for values of so many bytes.
    #[inline]
    fn reserve(&mut self, bytes: usize, values: usize) -> Result<(), Misfit> {
        if self.bytes.capacity() - self.bytes.len() >= bytes
            && self.offsets.capacity() - self.offsets.len() >= values
        {
            return Ok(());
        }
        self.grow(bytes, values)
    }

    /// Memory that grows by doubling is copied each time, and half of it is never used. Once enough values have come,
    /// the memory for all is reserved at once, as their mean length says; what is not used is given back at the end.
    #[cold]
    fn grow(&mut self, bytes: usize, values: usize) -> Result<(), Misfit> {
        let with = self.len() + values;
        if with < self.expected.min(MEASURED) || self.expected < with {
            self.offsets.try_reserve(values).map_err(|_| Misfit::NoMemory)?;
            return self.bytes.try_reserve(bytes).map_err(|_| Misfit::NoMemory);
        }
        self.offsets
            .try_reserve_exact(self.expected + 1 - self.offsets.len())
            .map_err(|_| Misfit::NoMemory)?;
        if self.bytes.capacity() - self.bytes.len() >= bytes {
            return Ok(());
        }
        let needed = self.bytes.len() + bytes;
        // In parts of the sixteenth: a little more than the mean, except for the last values.
        let ahead = (needed / with).saturating_add(1).saturating_mul(self.expected - with);
        let ahead = ahead.saturating_add(ahead / 16).min(MOST_AHEAD);
        if let Some(mut piece) = kept::take(self.bytes.len().saturating_add(bytes).saturating_add(ahead)) {
            piece.extend_from_slice(&self.bytes);
            self.bytes = piece;
            return Ok(());
        }
        let is_reserved = self.bytes.try_reserve_exact(bytes.saturating_add(ahead)).is_ok();
        if is_reserved {
            return Ok(());
        }
        self.bytes.try_reserve_exact(bytes).map_err(|_| Misfit::NoMemory)
    }

    /// Appends the values of rows of a block. `fail` is called for text that is not UTF-8, which becomes null. Returns
    /// whether there was a value.
    ///
    /// # Errors
    /// There is no memory for the values.
    fn append_cells(
        &mut self,
        block: &Cells,
        rows: Range<usize>,
        kind: CellKind,
        fail: &mut dyn FnMut(usize, Misfit),
    ) -> Result<bool, Misfit> {
        let cells = block.cells(rows.clone());
        let (mut size, mut found, mut first, mut end, mut is_in_order) = (0, 0, 0, 0, true);
        for (start, len) in cells.iter().filter_map(|cell| cell.span()) {
            if found == 0 {
                (first, end) = (start, start);
            }
            is_in_order &= end == start;
            end = start + len;
            size += len;
            found += 1;
        }
        self.reserve(size, cells.len())?;
        let (values, start) = (self.len(), self.bytes.len());
        if found == cells.len() {
            self.nulls.append_n_non_nulls(found);
        } else {
            cells.iter().for_each(|cell| self.nulls.append(cell.span().is_some()));
        }
        let mut end = start;
        let ends = cells.iter().map(|cell| {
            end += cell.span().map_or(0, |(_, len)| len);
            O::usize_as(end)
        });
        self.offsets.extend(ends);
        if is_in_order {
            self.bytes.extend_from_slice(block.bytes(first, size));
        } else {
            for (start, len) in cells.iter().filter_map(|cell| cell.span()) {
                self.bytes.extend_from_slice(block.bytes(start, len));
            }
        }
        if kind == CellKind::Text && !self.is_text_from(values, start) {
            self.truncate(values);
            self.append_each(block, rows, fail)?;
        }
        Ok(found > 0)
    }

    /// Whether all values from `values` on, whose bytes begin at `start`, are UTF-8: their bytes are, and each begins
    /// with a character.
    fn is_text_from(&self, values: usize, start: usize) -> bool {
        let bytes = self.bytes.get(start..).unwrap_or_default();
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let offsets = self.offsets.get(values..).unwrap_or_default();
        text.is_ascii() || offsets.iter().all(|offset| text.is_char_boundary(offset.as_usize() - start))
    }

    /// [`Spans::append_cells`] of text, with each value checked alone.
    #[cold]
    fn append_each(
        &mut self,
        block: &Cells,
        rows: Range<usize>,
        fail: &mut dyn FnMut(usize, Misfit),
    ) -> Result<(), Misfit> {
        for (row, cell) in rows.clone().zip(block.cells(rows)) {
            let Some((start, len)) = cell.span() else {
                self.push_null();
                continue;
            };
            match utf8(block.bytes(start, len)) {
                Ok(text) => self.push(text.as_bytes())?,
                Err(misfit) => {
                    self.push_null();
                    fail(row, misfit);
                }
            }
        }
        Ok(())
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        let end = self.offsets.last().map_or(0, |end| end.as_usize());
        self.bytes.truncate(end);
        self.nulls.truncate(len);
    }

    /// The array; text is checked once more by its constructor.
    pub(super) fn finish<T: ByteArrayType<Offset = O>>(&mut self) -> Result<GenericByteArray<T>, ArrowError> {
        let bytes = kept::buffer(std::mem::take(&mut self.bytes));
        let mut offsets = std::mem::replace(&mut self.offsets, vec![O::usize_as(0)]);
        offsets.shrink_to_fit();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        GenericByteArray::try_new(offsets, bytes, self.nulls.finish())
    }
}

/// What a column of spans becomes.
type Finish<O> = fn(&mut Spans<O>) -> Result<ArrayRef, ArrowError>;

struct Bytes<O> {
    spans: Spans<O>,
    kind: CellKind,
    finish: Finish<O>,
}

impl<O: OffsetSizeTrait> Column for Bytes<O> {
    fn len(&self) -> usize {
        self.spans.len()
    }

    #[inline]
    fn append(&mut self, value: Value<'_>, _context: &mut Context) -> Result<(), Misfit> {
        self.spans.push(match self.kind {
            CellKind::Text => text(&value)?.as_bytes(),
            CellKind::Bytes => binary(&value)?,
        })
    }

    fn append_null(&mut self) {
        self.spans.push_null();
    }

    fn truncate(&mut self, len: usize) {
        self.spans.truncate(len);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        (self.finish)(&mut self.spans)
    }

    fn expect(&mut self, values: usize) {
        self.spans.expected = values;
    }

    fn cell_kind(&self) -> Option<CellKind> {
        Some(self.kind)
    }

    fn append_cells(
        &mut self,
        block: &Cells,
        rows: Range<usize>,
        fail: &mut dyn FnMut(usize, Misfit),
    ) -> Result<bool, Misfit> {
        self.spans.append_cells(block, rows, self.kind, fail)
    }
}

fn whole<T: ByteArrayType>(spans: &mut Spans<T::Offset>) -> Result<ArrayRef, ArrowError>
where
    T::Offset: OffsetSizeTrait,
{
    Ok(Arc::new(spans.finish::<T>()?))
}

fn text_views(spans: &mut Spans<i64>) -> Result<ArrayRef, ArrowError> {
    let array = spans.finish::<LargeUtf8Type>()?;
    Ok(Arc::new(GenericByteViewArray::<StringViewType>::from(&array)))
}

fn binary_views(spans: &mut Spans<i64>) -> Result<ArrayRef, ArrowError> {
    let array = spans.finish::<LargeBinaryType>()?;
    Ok(Arc::new(GenericByteViewArray::<BinaryViewType>::from(&array)))
}

/// Values of one width.
struct FixedBytes {
    width: usize,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl Column for FixedBytes {
    fn len(&self) -> usize {
        self.bytes.len() / self.width
    }

    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        let bytes = binary(&value)?;
        let (found, expected) = (bytes.len(), self.width);
        if found != expected {
            if context.casting == Casting::SameValue {
                return Err(Misfit::Width { expected, found });
            }
            context.changed += 1;
        }
        self.bytes.try_reserve(expected).map_err(|_| Misfit::NoMemory)?;
        let end = self.bytes.len() + expected;
        self.bytes.extend_from_slice(bytes.get(..expected).unwrap_or(bytes));
        self.bytes.resize(end, 0);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_null(&mut self) {
        self.bytes.resize(self.bytes.len() + self.width, 0);
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len * self.width);
        self.nulls.truncate(len);
    }

    fn null_bytes(&self) -> usize {
        self.width
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.shrink_to_fit();
        let (bytes, nulls) = (Buffer::from_vec(bytes), self.nulls.finish());
        Ok(Arc::new(FixedSizeBinaryArray::try_new(self.width as i32, bytes, nulls)?))
    }

    fn expect(&mut self, values: usize) {
        // Without memory for so many, it grows as they come.
        let size = values.saturating_mul(self.width).min(MOST_AHEAD);
        _ = self.bytes.try_reserve_exact(size.saturating_sub(self.bytes.len()));
    }
}

/// A column of text or bytes; `None` for other types.
pub(super) fn column(kind: &DataType, rows: usize) -> Option<Box<dyn Column>> {
    fn boxed<O: OffsetSizeTrait>(rows: usize, kind: CellKind, finish: Finish<O>) -> Box<dyn Column> {
        Box::new(Bytes { spans: Spans::new(rows), kind, finish })
    }
    Some(match kind {
        DataType::Utf8 => boxed(rows, CellKind::Text, whole::<Utf8Type>),
        DataType::LargeUtf8 => boxed(rows, CellKind::Text, whole::<LargeUtf8Type>),
        DataType::Utf8View => boxed(rows, CellKind::Text, text_views),
        DataType::Binary => boxed(rows, CellKind::Bytes, whole::<BinaryType>),
        DataType::LargeBinary => boxed(rows, CellKind::Bytes, whole::<LargeBinaryType>),
        DataType::BinaryView => boxed(rows, CellKind::Bytes, binary_views),
        DataType::FixedSizeBinary(width) => {
            let width = usize::try_from(*width).ok().filter(|&width| width > 0)?;
            Box::new(FixedBytes { width, bytes: Vec::new(), nulls: NullBufferBuilder::new(rows) })
        }
        _ => return None,
    })
}

/// The number of values of an array, for callers that have only spans.
pub(super) fn text_array(spans: &mut Spans<i64>, kind: &DataType) -> Option<Result<ArrayRef, ArrowError>> {
    Some(match kind {
        DataType::Utf8 => spans.finish::<LargeUtf8Type>().and_then(|array| {
            let bytes = array.value_data().to_vec();
            let offsets: Vec<i32> = array.value_offsets().iter().map(|&at| at as i32).collect();
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            let array = GenericByteArray::<Utf8Type>::try_new(offsets, Buffer::from_vec(bytes), None)?;
            Ok(Arc::new(array) as Arc<dyn Array>)
        }),
        DataType::LargeUtf8 => whole::<LargeUtf8Type>(spans),
        DataType::Utf8View => text_views(spans),
        _ => return None,
    })
}
