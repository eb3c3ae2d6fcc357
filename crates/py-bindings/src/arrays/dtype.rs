//! NumPy dtypes as schemas and decoding plans.

use std::sync::{Arc, Mutex, PoisonError};

use dtype_schema::{Element, Field, MAX_STRUCT_DEPTH, Schema, SchemaError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use record_decode::{Casting, Path, PathError, Plan};

use crate::python::errors::schema_error;
use crate::python::once::intern;

/// A structured dtype, of a row or of a field, and its names. They can be replaced, which changes the dtype: the only
/// way in which one changes.
struct Named {
    dtype: Py<PyAny>,
    names: Py<PyAny>,
}

impl Named {
    fn is_unchanged(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.dtype.bind(py).getattr(intern!(py, "names"))?.is(&self.names))
    }
}

/// Reads a structured dtype.
pub(crate) fn read_schema(dtype: &Bound<'_, PyAny>) -> PyResult<Schema> {
    read_structs(dtype, &mut Vec::new())
}

/// [`read_schema`], with the structured dtypes that were read.
fn read_structs(dtype: &Bound<'_, PyAny>, structs: &mut Vec<Named>) -> PyResult<Schema> {
    let Some((fields, itemsize)) = read_fields(dtype, None, 0, structs)? else {
        return Err(schema_error(&SchemaError::NoFields));
    };
    Schema::new(fields, itemsize).map_err(|error| schema_error(&error))
}

/// The fields of a dtype, and its size; None if it has no names. `parent` is the dotted name of the field whose dtype it
/// is, and `level` the number of structs that it is in.
///
/// Walks the dtype by `names`, since `fields` lists titled fields twice.
fn read_fields(
    dtype: &Bound<'_, PyAny>,
    parent: Option<&str>,
    level: usize,
    structs: &mut Vec<Named>,
) -> PyResult<Option<(Vec<Field>, usize)>> {
    let py = dtype.py();
    let names = dtype.getattr(intern!(py, "names"))?;
    if names.is_none() {
        return Ok(None);
    }
    let fields = dtype.getattr(intern!(py, "fields"))?;
    let mut read = Vec::new();
    for name in names.cast::<PyTuple>()?.iter() {
        let entry = fields.get_item(&name)?;
        let (kind, offset) = (entry.get_item(0)?, entry.get_item(1)?.extract::<usize>()?);
        let name = name.extract::<String>()?;
        let dotted = parent.map_or_else(|| name.clone(), |parent| format!("{parent}.{name}"));
        read.push(field(&name, &dotted, &kind, offset, level, structs)?);
    }
    structs.push(Named { dtype: dtype.clone().unbind(), names: names.unbind() });
    let itemsize = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
    Ok(Some((read, itemsize)))
}

/// A field; `dotted` is its name with those of the structs that it is in, for errors.
fn field(
    name: &str,
    dotted: &str,
    dtype: &Bound<'_, PyAny>,
    offset: usize,
    level: usize,
    structs: &mut Vec<Named>,
) -> PyResult<Field> {
    let py = dtype.py();
    let refuse = |error: SchemaError| schema_error(&error);
    let mut shape: Vec<usize> = dtype.getattr(intern!(py, "shape"))?.extract()?;
    let mut base = dtype.getattr(intern!(py, "base"))?;
    // A sub-array of sub-arrays is one of more dimensions, as in NumPy.
    while !base.getattr(intern!(py, "subdtype"))?.is_none() {
        shape.extend(base.getattr(intern!(py, "shape"))?.extract::<Vec<usize>>()?);
        base = base.getattr(intern!(py, "base"))?;
    }
    if !base.getattr(intern!(py, "names"))?.is_none() {
        if !shape.is_empty() {
            return Err(refuse(SchemaError::StructSubarray { field: dotted.into() }));
        }
        if level == MAX_STRUCT_DEPTH {
            return Err(refuse(SchemaError::TooDeep { field: dotted.into() }));
        }
        let (fields, itemsize) = read_fields(&base, Some(dotted), level + 1, structs)?.unwrap_or_default();
        return Field::nested(name, offset, fields, itemsize).map_err(refuse);
    }
    let kind: char = base.getattr(intern!(py, "kind"))?.extract()?;
    let order: char = base.getattr(intern!(py, "byteorder"))?.extract()?;
    let itemsize = base.getattr(intern!(py, "itemsize"))?.extract()?;
    Element::from_numpy(dotted, kind, itemsize, order)
        .and_then(|element| Field::new(name, offset, element, &shape))
        .map_err(refuse)
}

/// What a plan is made from, besides a dtype.
#[derive(Clone, Copy)]
pub(crate) struct PlanArgs<'a> {
    pub(crate) casting: Casting,
    /// Only fields that come from these bins are filled.
    pub(crate) bins: Option<&'a [String]>,
    /// Where fields come from, if not from the bin of their name.
    pub(crate) paths: &'a [(String, Path)],
}

/// A plan, and what it was made from.
struct CachedPlan {
    /// The dtype, last, and those of its fields that are structs.
    structs: Vec<Named>,
    casting: Casting,
    paths: Box<[(String, Path)]>,
    plan: Arc<Plan>,
}

impl CachedPlan {
    fn is_of(&self, dtype: &Bound<'_, PyAny>, args: PlanArgs<'_>) -> PyResult<bool> {
        if self.structs.last().is_none_or(|row| !row.dtype.is(dtype))
            || self.casting != args.casting
            || *self.paths != *args.paths
        {
            return Ok(false);
        }
        for each in &self.structs {
            if !each.is_unchanged(dtype.py())? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The last plan that was made. Services read with the same dtype again and again, and for a small batch, reading the
/// dtype costs more than everything else that is done with the GIL.
static LAST_PLAN: Mutex<Option<Arc<CachedPlan>>> = Mutex::new(None);

/// The plan that fills the fields of `dtype`. `refuse` makes the exception of paths that do not fit the dtype, which has
/// fields of these names.
pub(crate) fn read_plan(
    dtype: &Bound<'_, PyAny>,
    args: PlanArgs<'_>,
    refuse: impl Fn(&PathError, &[&str]) -> PyErr,
) -> PyResult<Arc<Plan>> {
    let make = |schema: Schema, bins: Option<&[&str]>| {
        let names: Vec<Box<str>> = schema.fields().iter().map(|field| field.name().into()).collect();
        let paths = args.paths.iter().map(|(field, path)| (field.as_str(), path.clone())).collect();
        Plan::with_paths(schema, args.casting, bins, paths).map(Arc::new).map_err(|error| {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            refuse(&error, &names)
        })
    };
    if let Some(bins) = args.bins {
        let bins: Vec<&str> = bins.iter().map(String::as_str).collect();
        return make(read_schema(dtype)?, Some(&bins));
    }
    let last = LAST_PLAN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(cached) = last
        && cached.is_of(dtype, args)?
    {
        return Ok(Arc::clone(&cached.plan));
    }
    let mut structs = Vec::new();
    let plan = make(read_structs(dtype, &mut structs)?, None)?;
    let paths = args.paths.into();
    let cached = CachedPlan { structs, casting: args.casting, paths, plan: Arc::clone(&plan) };
    let before = LAST_PLAN.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(cached));
    // Dropped outside of the lock: this may be the last reference to the dtype, whose deallocation runs Python.
    drop(before);
    Ok(plan)
}
