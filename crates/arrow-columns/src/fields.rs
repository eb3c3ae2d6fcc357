//! The fields of a structured array as columns: values that are in memory already.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeListArray, RecordBatch, RecordBatchOptions,
    StructArray, make_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Schema};

/// A field that is no struct, for all rows.
#[derive(Clone, Debug)]
pub struct LeafValues {
    /// The values in native byte order, without gaps.
    pub data: Vec<u8>,
    /// For each row, whether it has a value: one byte, 0 or 1.
    pub present: Vec<u8>,
}

/// Makes a record batch of `rows` rows of fields. `leaves` are the fields that are no structs, in the order of the
/// schema.
///
/// # Errors
/// Leaves that are not those of the schema.
pub fn batch_of_fields(
    schema: &Arc<Schema>,
    rows: usize,
    leaves: Vec<LeafValues>,
) -> Result<RecordBatch, ArrowError> {
    let mut leaves = leaves.into_iter();
    let column = |field: &Arc<arrow_schema::Field>| column(field.data_type(), rows, &mut leaves);
    let arrays = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
}

fn column(
    kind: &DataType,
    rows: usize,
    leaves: &mut impl Iterator<Item = LeafValues>,
) -> Result<ArrayRef, ArrowError> {
    if let DataType::Struct(fields) = kind {
        let made = fields.iter().map(|field| column(field.data_type(), rows, leaves));
        let arrays = made.collect::<Result<Vec<_>, _>>()?;
        // A struct of which no field has a value has none.
        let has_value = |row: usize| arrays.iter().any(|array| array.is_valid(row));
        let nulls = NullBuffer::from_iter((0..rows).map(has_value));
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        return Ok(Arc::new(StructArray::try_new(fields.clone(), arrays, nulls)?));
    }
    let leaf = leaves.next().ok_or_else(|| wrong("fewer leaves than the schema has"))?;
    if leaf.present.len() != rows {
        return Err(wrong("a leaf with another number of rows"));
    }
    let present = BooleanBuffer::from_iter(leaf.present.iter().map(|&byte| byte != 0));
    let nulls = Some(NullBuffer::new(present)).filter(|nulls| nulls.null_count() > 0);
    values(kind, rows, leaf.data, nulls)
}

/// An array of `len` values that follow each other in memory.
fn values(
    kind: &DataType,
    len: usize,
    data: Vec<u8>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    Ok(match kind {
        DataType::FixedSizeList(item, size) => {
            let inner = len * usize::try_from(*size).unwrap_or(0);
            let inner = values(item.data_type(), inner, data, None)?;
            Arc::new(FixedSizeListArray::try_new(Arc::clone(item), *size, inner, nulls)?)
        }
        DataType::Boolean if data.len() == len => {
            let bits = BooleanBuffer::from_iter(data.iter().map(|&byte| byte != 0));
            Arc::new(BooleanArray::new(bits, nulls))
        }
        DataType::Binary => Arc::new(unpadded(len, &data, nulls)?),
        kind => {
            // Copied into memory that is aligned for any type.
            let values = ScalarBuffer::<u8>::from(Buffer::from_slice_ref(data.as_slice())).into_inner();
            make_array(ArrayData::try_new(
                kind.clone(),
                len,
                nulls.map(|nulls| nulls.into_inner().sliced()),
                0,
                vec![values],
                vec![],
            )?)
        }
    })
}

/// The values of an `S` field, without the zero bytes at their ends.
fn unpadded(len: usize, data: &[u8], nulls: Option<NullBuffer>) -> Result<BinaryArray, ArrowError> {
    let width = data.len().checked_div(len).unwrap_or(0);
    let mut bytes = Vec::new();
    let mut offsets = Vec::with_capacity(len + 1);
    offsets.push(0);
    for row in 0..len {
        let value = data.get(row * width..(row + 1) * width).unwrap_or_default();
        let end = value.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        bytes.extend_from_slice(value.get(..end).unwrap_or_default());
        let offset =
            i32::try_from(bytes.len()).map_err(|_| wrong("more than 2 GiB of bytes in one column"))?;
        offsets.push(offset);
    }
    BinaryArray::try_new(OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(bytes), nulls)
}

#[cold]
fn wrong(what: &str) -> ArrowError {
    ArrowError::InvalidArgumentError(what.into())
}
