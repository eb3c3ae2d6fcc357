//! NumPy dtypes as schemas and decoding plans.

use std::sync::{Arc, Mutex, PoisonError};

use dtype_schema::{Element, Field, Schema, SchemaError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use record_decode::{Casting, Plan};

use crate::python::errors::schema_error;
use crate::python::once::intern;

/// Reads a structured dtype. Walks it by `names`, since `fields` lists titled fields twice.
pub(crate) fn read_schema(dtype: &Bound<'_, PyAny>) -> PyResult<Schema> {
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
    let mut shape: Vec<usize> = dtype.getattr(intern!(py, "shape"))?.extract()?;
    let mut base = dtype.getattr(intern!(py, "base"))?;
    // A sub-array of sub-arrays is one of more dimensions, as in NumPy.
    while !base.getattr(intern!(py, "subdtype"))?.is_none() {
        shape.extend(base.getattr(intern!(py, "shape"))?.extract::<Vec<usize>>()?);
        base = base.getattr(intern!(py, "base"))?;
    }
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

/// A plan, and what it was made from.
struct CachedPlan {
    dtype: Py<PyAny>,
    /// Compared too, because a dtype is mutable in one way: its names can be replaced by another tuple.
    names: Py<PyAny>,
    casting: Casting,
    plan: Arc<Plan>,
}

/// The last plan that was made. Services read with the same dtype again and again, and for a small batch, reading the
/// dtype costs more than everything else that is done with the GIL.
static LAST_PLAN: Mutex<Option<Arc<CachedPlan>>> = Mutex::new(None);

/// The plan that fills the fields of `dtype`; with `bins`, only fields of those names.
pub(crate) fn read_plan(
    dtype: &Bound<'_, PyAny>,
    casting: Casting,
    bins: Option<&[String]>,
) -> PyResult<Arc<Plan>> {
    let py = dtype.py();
    if let Some(bins) = bins {
        let bins: Vec<&str> = bins.iter().map(String::as_str).collect();
        return Ok(Arc::new(Plan::new(read_schema(dtype)?, casting, Some(&bins))));
    }
    let names = dtype.getattr(intern!(py, "names"))?;
    let last = LAST_PLAN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(cached) = last
        && cached.dtype.is(dtype)
        && cached.names.is(&names)
        && cached.casting == casting
    {
        return Ok(Arc::clone(&cached.plan));
    }
    let plan = Arc::new(Plan::new(read_schema(dtype)?, casting, None));
    let cached =
        CachedPlan { dtype: dtype.clone().unbind(), names: names.unbind(), casting, plan: Arc::clone(&plan) };
    let before = LAST_PLAN.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(cached));
    // Dropped outside of the lock: this may be the last reference to the dtype, whose deallocation runs Python.
    drop(before);
    Ok(plan)
}
