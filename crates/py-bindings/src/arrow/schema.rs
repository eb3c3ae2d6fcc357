//! Schemas from Python: objects with `__arrow_c_schema__`, and lists of names and types.

use std::collections::HashMap;

use arrow_columns::{ColumnError, parse_type};
use arrow_schema::{DataType, Field, Fields, Schema};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyString, PyTuple};
use pyo3_arrow::{PyField, PySchema};
use std::sync::Arc;

use crate::python::describe::describe;
use crate::python::once::intern;

/// How deep lists of names and types may nest.
const MAX_NESTING: usize = 32;

/// Reads a schema: an object with `__arrow_c_schema__`, or a list of `(name, type)`, as `aerospike_py._arrow` makes it
/// of dtypes and mappings.
pub(crate) fn read_schema(schema: &Bound<'_, PyAny>) -> PyResult<Schema> {
    if let Ok(fields) = schema.cast::<PyList>() {
        return Ok(Schema::new(read_fields(fields, "", MAX_NESTING)?));
    }
    let read = export_schema(schema).and_then(|capsule| PySchema::from_arrow_pycapsule(&capsule));
    let schema = read.map_err(|error| {
        let refused = PyTypeError::new_err(format!(
            "schema is {}, whose __arrow_c_schema__ is not the schema of a table",
            describe(schema)
        ));
        refused.set_cause(schema.py(), Some(error));
        refused
    })?;
    Ok(schema.into_inner().as_ref().clone())
}

/// Not by `FromPyObject` of `pyo3-arrow`, whose names are cells of pyo3's: see `python::once`.
fn export_schema<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyCapsule>> {
    Ok(object.call_method0(intern!(object.py(), "__arrow_c_schema__"))?.cast_into()?)
}

fn read_fields(fields: &Bound<'_, PyList>, parent: &str, depth: usize) -> PyResult<Fields> {
    let mut read = Vec::with_capacity(fields.len());
    for item in fields.iter() {
        let (name, kind): (String, Bound<'_, PyAny>) = item.extract()?;
        let dotted = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        let (kind, metadata) = read_type(&kind, &dotted, depth)?;
        read.push(Field::new(name, kind, true).with_metadata(metadata));
    }
    Ok(Fields::from(read))
}

type Metadata = HashMap<String, String>;

/// A type: its name, an object with `__arrow_c_schema__`, a list of fields, or a tuple: `("fixed_size_list", type,
/// size)` or `("metadata", type, dict)`.
fn read_type(kind: &Bound<'_, PyAny>, name: &str, depth: usize) -> PyResult<(DataType, Metadata)> {
    let plain = |kind: DataType| (kind, Metadata::new());
    let depth = depth.checked_sub(1).ok_or_else(|| {
        PyValueError::new_err(format!("column '{name}' nests more than {MAX_NESTING} types"))
    })?;
    if let Ok(text) = kind.cast::<PyString>() {
        return parse_type(name, &text.to_string_lossy()).map(plain).map_err(column_error);
    }
    if let Ok(fields) = kind.cast::<PyList>() {
        return Ok(plain(DataType::Struct(read_fields(fields, name, depth)?)));
    }
    if let Ok(parts) = kind.cast::<PyTuple>() {
        let what: String = parts.get_item(0)?.extract()?;
        let (inner, mut metadata) = read_type(&parts.get_item(1)?, name, depth)?;
        if what == "metadata" {
            metadata.extend(parts.get_item(2)?.extract::<Metadata>()?);
            return Ok((inner, metadata));
        }
        let size = parts.get_item(2)?.extract()?;
        let item = Field::new_list_field(inner, true).with_metadata(metadata);
        return Ok(plain(DataType::FixedSizeList(Arc::new(item), size)));
    }
    if kind.hasattr(intern!(kind.py(), "__arrow_c_schema__"))? {
        let field = PyField::from_arrow_pycapsule(&export_schema(kind)?)?.into_inner();
        return Ok((field.data_type().clone(), field.metadata().clone()));
    }
    Err(PyTypeError::new_err(format!(
        "the type of column '{name}' is {}; it must be a type's name such as 'int64' or 'list<float32>', a NumPy \
        dtype, or an object with __arrow_c_schema__ such as pyarrow.int64()",
        describe(kind)
    )))
}

/// The exception of a schema that is refused.
pub(crate) fn column_error(error: ColumnError) -> PyErr {
    match error {
        ColumnError::Unsupported { .. } => PyTypeError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}
