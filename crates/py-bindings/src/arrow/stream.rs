//! Record batches that are made when a consumer asks for them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::ArrayRef;
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_stream_pycapsule};

use super::table::{ArrowTable, struct_array, struct_field};

/// Exports the tables that `more` returns, until it returns None, as one stream. `first` is a table that was made
/// before, whose schema the stream has.
///
/// A consumer calls in from any thread, with or without the GIL.
#[pyfunction]
pub(crate) fn arrow_stream<'py>(
    py: Python<'py>,
    first: &Bound<'py, ArrowTable>,
    more: Bound<'py, PyAny>,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let table = first.get();
    let schema = table.schema();
    let batches = Batches {
        ready: table.batches().iter().map(struct_array).collect::<Vec<_>>().into_iter(),
        schema: schema.clone(),
        next: Some(more.unbind()),
    };
    let items = ArrayIterator::new(batches, struct_field(&schema));
    Ok(to_stream_pycapsule(py, Box::new(items), requested_schema)?)
}

struct Batches {
    ready: std::vec::IntoIter<ArrayRef>,
    schema: SchemaRef,
    /// `None` once it has ended or failed.
    next: Option<Py<PyAny>>,
}

impl Iterator for Batches {
    type Item = Result<ArrayRef, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(array) = self.ready.next() {
                return Some(Ok(array));
            }
            let next = self.next.as_ref()?;
            // A panic must not reach the C code that called.
            let outcome =
                catch_unwind(AssertUnwindSafe(|| Python::attach(|py| call(py, next, &self.schema))));
            match outcome {
                Ok(Ok(Some(arrays))) => self.ready = arrays.into_iter(),
                Ok(Ok(None)) => self.end(),
                Ok(Err(error)) => {
                    self.end();
                    return Some(Err(stream_error(error)));
                }
                Err(_) => {
                    self.end();
                    return Some(Err(stream_error("the stream panicked".into())));
                }
            }
        }
    }
}

impl Batches {
    fn end(&mut self) {
        if let Some(next) = self.next.take() {
            Python::attach(|_| drop(next));
        }
    }
}

/// The next table's arrays, or the text of its exception.
fn call(py: Python<'_>, next: &Py<PyAny>, schema: &SchemaRef) -> Result<Option<Vec<ArrayRef>>, String> {
    let described = |error: PyErr| error.to_string();
    let table = next.bind(py).call0().map_err(described)?;
    if table.is_none() {
        return Ok(None);
    }
    let table = table.cast_into::<ArrowTable>().map_err(|error| error.to_string())?;
    let table = table.get();
    if table.schema() != *schema {
        return Err("a block has another schema than the blocks before".into());
    }
    Ok(Some(table.batches().iter().map(struct_array).collect()))
}

/// The text goes through a C string, which ends at a zero byte.
fn stream_error(text: String) -> ArrowError {
    ArrowError::CDataInterface(text.replace('\0', "\\0"))
}
