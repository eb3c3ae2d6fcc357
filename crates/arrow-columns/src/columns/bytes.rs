//! Columns of text and bytes.

use std::sync::Arc;

use arrow_array::builder::BufferBuilder;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray, OffsetSizeTrait,
};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use record_decode::Casting;

use super::{Column, Context};
use crate::error::Misfit;
use crate::value::Value;

/// The bytes of a value for a column of text.
///
/// # Errors
/// A value that is no text.
#[inline]
pub(super) fn text<'a>(value: &Value<'a>) -> Result<&'a str, Misfit> {
    let (Value::Str(bytes) | Value::GeoJson(bytes)) = value else {
        return Err(Misfit::TypeNotTaken { takes: "strings and GeoJSON" });
    };
    std::str::from_utf8(bytes).map_err(|error| Misfit::NotText { at: error.valid_up_to() })
}

/// The bytes of a value for a column of bytes.
///
/// # Errors
/// A value that is none.
#[inline]
fn binary<'a>(value: &Value<'a>) -> Result<&'a [u8], Misfit> {
    match value {
        Value::Blob(bytes) | Value::Str(bytes) | Value::Hll(bytes) => Ok(bytes),
        _ => Err(Misfit::TypeNotTaken { takes: "blobs, strings and HLL" }),
    }
}

/// Values of any length behind each other.
pub(super) struct Spans<O> {
    offsets: Vec<O>,
    bytes: Vec<u8>,
    pub(super) nulls: NullBufferBuilder,
}

impl<O: OffsetSizeTrait> Spans<O> {
    pub(super) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(O::usize_as(0));
        Self { offsets, bytes: Vec::new(), nulls: NullBufferBuilder::new(rows) }
    }

    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The caller keeps the bytes of a column within its offsets: see `rows::table`.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.offsets.push(O::usize_as(self.bytes.len()));
        self.nulls.append_non_null();
    }

    fn push_null(&mut self) {
        self.offsets.push(O::usize_as(self.bytes.len()));
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        let end = self.offsets.last().map_or(0, |end| end.as_usize());
        self.bytes.truncate(end);
        self.nulls.truncate(len);
    }

    /// The array; text is checked once more by its constructor.
    pub(super) fn finish<T: ByteArrayType<Offset = O>>(&mut self) -> Result<GenericByteArray<T>, ArrowError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.shrink_to_fit();
        let offsets = std::mem::replace(&mut self.offsets, vec![O::usize_as(0)]);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        GenericByteArray::try_new(offsets, Buffer::from_vec(bytes), self.nulls.finish())
    }
}

/// What a column of spans becomes.
type Finish<O> = fn(&mut Spans<O>) -> Result<ArrayRef, ArrowError>;

struct Bytes<O> {
    spans: Spans<O>,
    is_text: bool,
    finish: Finish<O>,
}

impl<O: OffsetSizeTrait> Column for Bytes<O> {
    fn len(&self) -> usize {
        self.spans.len()
    }

    #[inline]
    fn append(&mut self, value: Value<'_>, _context: &mut Context) -> Result<(), Misfit> {
        let bytes = if self.is_text { text(&value)?.as_bytes() } else { binary(&value)? };
        self.spans.push(bytes);
        Ok(())
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
    bytes: BufferBuilder<u8>,
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
        let kept = bytes.get(..expected).unwrap_or(bytes);
        self.bytes.append_slice(kept);
        self.bytes.append_n(expected - kept.len(), 0);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_null(&mut self) {
        self.bytes.append_n(self.width, 0);
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
        let (bytes, nulls) = (self.bytes.finish(), self.nulls.finish());
        Ok(Arc::new(FixedSizeBinaryArray::try_new(self.width as i32, bytes, nulls)?))
    }
}

/// A column of text or bytes; `None` for other types.
pub(super) fn column(kind: &DataType, rows: usize) -> Option<Box<dyn Column>> {
    fn boxed<O: OffsetSizeTrait>(rows: usize, is_text: bool, finish: Finish<O>) -> Box<dyn Column> {
        Box::new(Bytes { spans: Spans::new(rows), is_text, finish })
    }
    Some(match kind {
        DataType::Utf8 => boxed(rows, true, whole::<Utf8Type>),
        DataType::LargeUtf8 => boxed(rows, true, whole::<LargeUtf8Type>),
        DataType::Utf8View => boxed(rows, true, text_views),
        DataType::Binary => boxed(rows, false, whole::<BinaryType>),
        DataType::LargeBinary => boxed(rows, false, whole::<LargeBinaryType>),
        DataType::BinaryView => boxed(rows, false, binary_views),
        DataType::FixedSizeBinary(width) => {
            let width = usize::try_from(*width).ok().filter(|&width| width > 0)?;
            Box::new(FixedBytes {
                width,
                bytes: BufferBuilder::new(rows.saturating_mul(width)),
                nulls: NullBufferBuilder::new(rows),
            })
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
