//! A batch read into NumPy arrays, as a `NumpyBatchRecords`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use record_decode::{Plan, Summary};

use crate::arrays::memory::{Arrays, presence_array};
use crate::keys::{KeyArena, KeyTable};
use crate::python::once::Once;
use crate::python::package::from_package;

/// Wraps the filled arrays. Warns of values that changed to fit, and raises for those that did not fit unless
/// `coerce`.
pub(crate) fn wrap(
    py: Python<'_>,
    arrays: Arrays,
    arena: Arc<KeyArena>,
    plan: &Plan,
    summary: Summary,
    coerce: bool,
) -> PyResult<Py<PyAny>> {
    let fields = plan.schema().fields();
    let inexact = PyDict::new(py);
    for (name, count) in &summary.inexact {
        inexact.set_item(&**name, count)?;
    }
    let python = python_batch(py)?;
    let presence = presence_array(py, summary.presence, arena.len())?;
    let batch = python.class.bind(py).call1((
        arrays.records,
        arrays.meta,
        arrays.result_codes,
        Py::new(py, KeyTable(arena))?,
        presence,
        &inexact,
        summary.failure_count,
    ))?;
    if inexact.is_empty() && (summary.failure_count == 0 || coerce) {
        return Ok(batch.unbind());
    }
    let failures: Vec<_> = summary
        .failures
        .iter()
        .map(|failure| {
            let name = fields.get(failure.field).map_or("?", |field| field.name());
            (failure.row, name.to_owned(), failure.bin_type, failure.reason.to_string())
        })
        .collect();
    Ok(python.finish.bind(py).call1((batch, failures, summary.failure_count, coerce))?.unbind())
}

struct PythonBatch {
    class: Py<PyAny>,
    /// Warns and raises once the result is made.
    finish: Py<PyAny>,
}

fn python_batch(py: Python<'_>) -> PyResult<&PythonBatch> {
    static BATCH: Once<PythonBatch> = Once::new();
    BATCH.get_or_try_init(py, || {
        Ok(PythonBatch {
            class: from_package!(py, "NumpyBatchRecords")?.unbind(),
            finish: from_package!(py, "finish_batch_read")?.unbind(),
        })
    })
}
