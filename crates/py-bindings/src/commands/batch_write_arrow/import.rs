//! Record batches from the C data interface, in capsules.
//!
//! The structs of the interface and the import of an array are those of `arrow-array`. Its stream reader, which
//! `pyo3-arrow` uses, is not: it makes arrays of what it has imported, and version 59 panics there for slices of structs
//! in structs and in lists of a fixed length, which pyarrow passes.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_columns::encode::Batches;
use arrow_data::ArrayData;
use arrow_schema::{DataType, FieldRef, Fields};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// A stream of record batches, and their columns.
pub(super) struct Table {
    pub(super) fields: Fields,
    pub(super) batches: Batches,
}

/// Why there is no table in a capsule.
pub(super) enum NoTable {
    Python(PyErr),
    Import(String),
}

impl From<PyErr> for NoTable {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// Takes the stream out of its capsule, or the array out of its two.
///
/// # Errors
/// The capsules are others, or were used before; what is in them is no table.
pub(super) fn import(data: &Bound<'_, PyAny>) -> Result<Table, NoTable> {
    if let Ok(capsule) = data.cast::<PyCapsule>() {
        return import_stream(capsule);
    }
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = data.extract()?;
    import_array(&schema, &array)
}

fn import_stream(capsule: &Bound<'_, PyCapsule>) -> Result<Table, NoTable> {
    let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: by its name, the capsule holds a stream. It is moved out: what is left in the capsule is released.
    let mut stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
    if stream.release.is_none() {
        return Err(NoTable::Import("its stream was used before".into()));
    }
    let Some(get_schema) = stream.get_schema else { return Err(NoTable::Import(INCOMPLETE.into())) };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the stream is not released, and `schema` is a place for a schema.
    let code = unsafe { get_schema(&raw mut stream, &raw mut schema) };
    if code != 0 {
        return Err(NoTable::Import(last_error(&mut stream, code)));
    }
    let (row, fields) = row_type(&schema)?;
    Ok(Table { fields, batches: Box::new(Stream { stream, row }) })
}

fn import_array(schema: &Bound<'_, PyCapsule>, array: &Bound<'_, PyCapsule>) -> Result<Table, NoTable> {
    let pointer = schema.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
    // SAFETY: by its name, the capsule holds a schema, and it outlives this reference.
    let (row, fields) = row_type(unsafe { pointer.as_ref() })?;
    let pointer = array.pointer_checked(Some(c"arrow_array"))?.cast::<FFI_ArrowArray>();
    // SAFETY: by its name, the capsule holds an array. It is moved out: what is left in the capsule is released.
    let array = unsafe { FFI_ArrowArray::from_raw(pointer.as_ptr()) };
    if array.is_released() {
        return Err(NoTable::Import("its array was used before".into()));
    }
    // Imported by the thread that reads, as the batches of a stream.
    let batches = Box::new(std::iter::once_with(move || import_batch(array, row)));
    Ok(Table { fields, batches })
}

const INCOMPLETE: &str = "its stream lacks a function";

/// The type of a table's rows, and the columns.
fn row_type(schema: &FFI_ArrowSchema) -> Result<(DataType, Fields), NoTable> {
    let row = DataType::try_from(schema).map_err(|error| NoTable::Import(error.to_string()))?;
    match &row {
        DataType::Struct(fields) => Ok((without_null_type(&row), fields.clone())),
        other => Err(NoTable::Import(format!("its values are of type {other}"))),
    }
}

/// The type as which arrays are imported: bool instead of the null type, which `arrow-columns` recognizes by its missing
/// values. polars gives arrays of the null type one buffer, and `arrow-array` refuses them for it. Recurses once per
/// level of the type, as the import does.
fn without_null_type(data_type: &DataType) -> DataType {
    use DataType as T;
    let field = |field: &FieldRef| -> FieldRef {
        let data_type = without_null_type(field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    };
    match data_type {
        T::Null => T::Boolean,
        T::List(item) => T::List(field(item)),
        T::LargeList(item) => T::LargeList(field(item)),
        T::ListView(item) => T::ListView(field(item)),
        T::LargeListView(item) => T::LargeListView(field(item)),
        T::FixedSizeList(item, size) => T::FixedSizeList(field(item), *size),
        T::Struct(fields) => T::Struct(fields.iter().map(field).collect()),
        T::Map(entries, is_sorted) => T::Map(field(entries), *is_sorted),
        T::Dictionary(indices, values) => T::Dictionary(indices.clone(), Box::new(without_null_type(values))),
        T::RunEndEncoded(ends, values) => T::RunEndEncoded(Arc::clone(ends), field(values)),
        other => other.clone(),
    }
}

fn import_batch(array: FFI_ArrowArray, row: DataType) -> Result<ArrayData, String> {
    // SAFETY: the producer of a capsule promises that its arrays are of the schema that it gives.
    unsafe { from_ffi_and_data_type(array, row) }.map_err(|error| error.to_string())
}

/// What a stream says of its last error, which had this code.
fn last_error(stream: &mut FFI_ArrowArrayStream, code: i32) -> String {
    let unnamed = || format!("its stream failed with error {code}");
    let Some(get_last_error) = stream.get_last_error else { return unnamed() };
    // SAFETY: the stream is not released.
    let text = unsafe { get_last_error(stream) };
    if text.is_null() {
        return unnamed();
    }
    // SAFETY: it is text that ends with NUL, valid until the stream is used again.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A stream that is not released before it is dropped.
struct Stream {
    stream: FFI_ArrowArrayStream,
    row: DataType,
}

impl Iterator for Stream {
    type Item = Result<ArrayData, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(get_next) = self.stream.get_next else { return Some(Err(INCOMPLETE.into())) };
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: the stream is not released, and `array` is a place for an array.
        let code = unsafe { get_next(&raw mut self.stream, &raw mut array) };
        if code != 0 {
            return Some(Err(last_error(&mut self.stream, code)));
        }
        // A released array is the end.
        (!array.is_released()).then(|| import_batch(array, self.row.clone()))
    }
}
