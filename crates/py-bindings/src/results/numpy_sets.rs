//! A batch read of several sets, as a dict with a `NumpyBatchRecords` for each.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use record_decode::{Plan, Summary};

use crate::arrays::memory::Arrays;
use crate::keys::KeyArena;
use crate::python::package::from_package;
use crate::results::numpy_batch::{Finishing, batch_object};

/// The rows of a set, which nothing writes to any more.
pub(crate) struct FilledSet {
    /// What the caller calls the set.
    pub(crate) name: Py<PyAny>,
    pub(crate) arrays: Arrays,
    pub(crate) arena: Arc<KeyArena>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) summary: Summary,
}

/// Wraps the filled arrays of each set. Warns and raises as a batch read of one set does, once for all.
pub(crate) fn wrap(py: Python<'_>, sets: Vec<FilledSet>, coerce: bool) -> PyResult<Py<PyAny>> {
    let (result, parts) = (PyDict::new(py), PyList::empty(py));
    let mut is_quiet = true;
    for FilledSet { name, arrays, arena, plan, summary } in sets {
        let (batch, end) = batch_object(py, arrays, arena, Some(&plan), summary, coerce)?;
        result.set_item(&name, batch)?;
        if let Some(Finishing { failed_codes, missing, unmatched, failures, paths }) = end {
            parts.append((name, failed_codes, missing, unmatched, failures, paths))?;
            is_quiet = false;
        }
    }
    if is_quiet {
        return Ok(result.into_any().unbind());
    }
    Ok(from_package!(py, "finish_batch_sets")?.call1((result, parts))?.unbind())
}
