//! A batch read into NumPy arrays, as a `NumpyBatchRecords`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use record_decode::{Plan, Step, Summary};

use crate::arrays::memory::{Arrays, presence_array};
use crate::keys::{KeyArena, KeyTable};
use crate::python::errors::is_about_record;
use crate::python::once::Once;
use crate::python::package::from_package;
use crate::results::metrics::count_values;
use crate::results::summary::{self, DescribedFailure};

/// Wraps the filled arrays. Warns of rows that failed, of values that changed to fit and of the summary's
/// missing fields, and raises for values that did not fit unless `coerce`. `plan` has the paths of fields, for messages.
pub(crate) fn wrap(
    py: Python<'_>,
    arrays: Arrays,
    arena: Arc<KeyArena>,
    plan: Option<&Plan>,
    summary: Summary,
    coerce: bool,
) -> PyResult<Py<PyAny>> {
    let (batch, end) = batch_object(py, arrays, arena, plan, summary, coerce)?;
    let Some(Finishing { failed_codes, missing, unmatched, failures, paths }) = end else {
        return Ok(batch.unbind());
    };
    let arguments = (batch, failed_codes, missing, unmatched, failures, paths);
    Ok(python_batch(py)?.finish.bind(py).call1(arguments)?.unbind())
}

/// What a batch's end warns of or raises.
pub(super) struct Finishing<'py> {
    pub(super) failed_codes: Vec<i32>,
    pub(super) missing: Vec<String>,
    pub(super) unmatched: Vec<String>,
    /// The first failures, if they are raised.
    pub(super) failures: Option<Vec<DescribedFailure>>,
    pub(super) paths: Option<Bound<'py, PyDict>>,
}

/// The batch, and what is to be warned of or raised, if anything.
pub(super) fn batch_object<'py>(
    py: Python<'py>,
    arrays: Arrays,
    arena: Arc<KeyArena>,
    plan: Option<&Plan>,
    mut summary: Summary,
    coerce: bool,
) -> PyResult<(Bound<'py, PyAny>, Option<Finishing<'py>>)> {
    count_values(&summary);
    let inexact = summary::inexact(py, &summary)?;
    let python = python_batch(py)?;
    let rows = arena.len();
    let bits = |bits: &mut Vec<u8>| std::mem::take(bits);
    let batch = python.class.bind(py).call1((
        arrays.records,
        arrays.meta,
        arrays.result_codes,
        Py::new(py, KeyTable(arena))?,
        presence_array(py, bits(&mut summary.presence), rows)?,
        &inexact,
        summary.failure_count,
        summary::cells(py, bits(&mut summary.changed_cells), rows)?,
        summary::cells(py, bits(&mut summary.failed_cells), rows)?,
    ))?;
    let failed_codes: Vec<i32> =
        summary.codes.iter().map(|&(code, _)| code).filter(|&code| !is_about_record(code)).collect();
    let does_not_fit = summary.failure_count > 0 && !coerce;
    if inexact.is_empty() && failed_codes.is_empty() && summary.missing_fields.is_empty() && !does_not_fit {
        return Ok((batch, None));
    }
    let end = Finishing {
        failed_codes,
        missing: summary.missing_fields.iter().map(|name| name.to_string()).collect(),
        unmatched: summary::unmatched(&summary),
        failures: does_not_fit.then(|| summary::failures(&summary)),
        paths: plan.map(|plan| paths_dict(py, plan)).transpose()?.flatten(),
    };
    Ok((batch, Some(end)))
}

/// The paths of fields as Python passes them; None if there are none.
fn paths_dict<'py>(py: Python<'py>, plan: &Plan) -> PyResult<Option<Bound<'py, PyDict>>> {
    let mut paths = plan.paths().peekable();
    if paths.peek().is_none() {
        return Ok(None);
    }
    let dict = PyDict::new(py);
    for (field, path) in paths {
        let parts = PyList::new(py, [&*path.bin])?;
        for step in &path.steps {
            match step {
                Step::Str(text) => parts.append(&**text)?,
                Step::Blob(bytes) => parts.append(PyBytes::new(py, bytes))?,
                Step::Int(number) => parts.append(number)?,
            }
        }
        dict.set_item(field, parts.to_tuple())?;
    }
    Ok(Some(dict))
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
