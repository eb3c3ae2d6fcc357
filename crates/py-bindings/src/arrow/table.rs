//! The record batches of a result.

use std::sync::Arc;

use super::schema::read_schema;
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_columns::{LeafValues, batch_of_fields, type_name};
use arrow_schema::{DataType, Field, SchemaRef};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};

/// Record batches with one schema. They share their memory with all that they are exported to, which may outlive them.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct ArrowTable {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl ArrowTable {
    pub(crate) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(crate) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }
}

/// The type of a stream's items: a struct of the columns.
pub(super) fn struct_field(schema: &SchemaRef) -> Arc<Field> {
    let fields = DataType::Struct(schema.fields().clone());
    Arc::new(Field::new("", fields, false).with_metadata(schema.metadata().clone()))
}

/// A record batch as an item of a stream. Without columns it keeps its number of rows.
pub(super) fn struct_array(batch: &RecordBatch) -> ArrayRef {
    if batch.num_columns() == 0 {
        return Arc::new(StructArray::new_empty_fields(batch.num_rows(), None));
    }
    Arc::new(StructArray::from(batch.clone()))
}

#[pymethods]
impl ArrowTable {
    /// The schema, for the Arrow C data interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.schema.as_ref())?)
    }

    /// The record batches, for the Arrow C stream interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let arrays: Vec<ArrayRef> = self.batches.iter().map(struct_array).collect();
        let items = ArrayIterator::new(arrays.into_iter().map(Ok), struct_field(&self.schema));
        Ok(to_stream_pycapsule(py, Box::new(items), requested_schema)?)
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The names and types of the columns.
    fn columns(&self) -> Vec<(String, String)> {
        let described = |field: &Arc<Field>| (field.name().clone(), type_name(field.data_type()));
        self.schema.fields().iter().map(described).collect()
    }

    /// The bytes of the rows in memory.
    fn nbytes(&self) -> usize {
        let columns = self.batches.iter().flat_map(RecordBatch::columns);
        columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum()
    }

    /// The number of nulls in each column.
    fn null_counts(&self) -> Vec<usize> {
        let nulls = |at: usize| self.batches.iter().map(|batch| batch.column(at).null_count()).sum();
        (0..self.schema.fields().len()).map(nulls).collect()
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyRuntimeError::new_err("Arrow results are not pickled; pickle to_pyarrow() instead"))
    }
}

/// The fields of a structured array as a table. `schema` is as `batch_read_arrow` takes it; `leaves` has the values of
/// each field that is no struct, and a byte for each row: whether it has a value.
#[pyfunction]
pub(crate) fn arrow_table_of_fields(
    schema: &Bound<'_, PyAny>,
    rows: usize,
    leaves: Vec<(Vec<u8>, Vec<u8>)>,
) -> PyResult<ArrowTable> {
    let schema = Arc::new(read_schema(schema)?);
    let leaves = leaves.into_iter().map(|(data, present)| LeafValues { data, present }).collect();
    let mut batches = Vec::new();
    if rows > 0 {
        let batch = batch_of_fields(&schema, rows, leaves);
        batches.push(batch.map_err(|error| PyRuntimeError::new_err(error.to_string()))?);
    }
    Ok(ArrowTable::new(schema, batches))
}
