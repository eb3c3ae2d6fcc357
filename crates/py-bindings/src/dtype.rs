//! NumPy dtypes as schemas.

use crate::once::intern;
use dtype_schema::{Element, Field, Schema, SchemaError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::errors::schema_error;

/// Reads a structured dtype. It is walked by `names`: `fields` lists titled fields twice.
pub(crate) fn read(dtype: &Bound<'_, PyAny>) -> PyResult<Schema> {
    let py = dtype.py();
    let names = dtype.getattr(intern!(py, "names"))?;
    if names.is_none() {
        return Err(schema_error(&SchemaError::NoFields));
    }
    let fields = dtype.getattr(intern!(py, "fields"))?;
    let mut read = Vec::new();
    for name in names.cast::<PyTuple>()?.iter() {
        let entry = fields.get_item(&name)?;
        let (kind, offset) = (entry.get_item(0)?, entry.get_item(1)?.extract::<usize>()?);
        read.push(field(&name.extract::<String>()?, &kind, offset)?);
    }
    let itemsize = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
    Schema::new(read, itemsize).map_err(|error| schema_error(&error))
}

fn field(name: &str, dtype: &Bound<'_, PyAny>, offset: usize) -> PyResult<Field> {
    let py = dtype.py();
    let shape: Vec<usize> = dtype.getattr(intern!(py, "shape"))?.extract()?;
    let base = dtype.getattr(intern!(py, "base"))?;
    if !base.getattr(intern!(py, "names"))?.is_none() {
        return Err(schema_error(&SchemaError::NestedStruct { field: name.into() }));
    }
    let kind: char = base.getattr(intern!(py, "kind"))?.extract()?;
    let order: char = base.getattr(intern!(py, "byteorder"))?.extract()?;
    let itemsize = base.getattr(intern!(py, "itemsize"))?.extract()?;
    Element::from_numpy(name, kind, itemsize, order)
        .and_then(|element| Field::new(name, offset, element, &shape))
        .map_err(|error| schema_error(&error))
}
