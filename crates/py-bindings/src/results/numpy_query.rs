//! Rows of a query in NumPy arrays, as a `NumpyQueryRecords`.

use pyo3::prelude::*;
use record_decode::{BlockRows, Plan};

use super::metrics::count_values;
use super::query_labels::QueryLabels;
use super::summary::{self, DescribedFailure};
use crate::arrays::memory::presence_array;
use crate::arrays::space::FilledRows;
use crate::python::once::Once;
use crate::python::package::from_package;

/// A result, and what to warn of or raise: missing fields, names of bins without a field, and the first failures.
pub(crate) struct QueryResult {
    pub(crate) records: Py<PyAny>,
    pub(crate) missing: Vec<Box<str>>,
    pub(crate) unmatched: Vec<String>,
    pub(crate) failures: Vec<DescribedFailure>,
}

/// Wraps filled rows.
pub(crate) fn wrap(
    py: Python<'_>,
    rows: FilledRows,
    dtype: &Bound<'_, PyAny>,
    plan: &Plan,
    has_sets: bool,
) -> PyResult<QueryResult> {
    let (arrays, BlockRows { len, mut summary, labels }) = rows.into_arrays(dtype)?;
    // In the order of the dtype, whatever block they came from.
    let leaves = plan.schema().leaves();
    summary.inexact.sort_by_key(|(name, _)| leaves.iter().position(|leaf| *leaf.name() == **name));
    count_values(&summary);
    let (inexact, unmatched) = (summary::inexact(py, &summary)?, summary::unmatched(&summary));
    let failures = summary::failures(&summary);
    let records = class(py)?.bind(py).call1((
        arrays.records,
        arrays.meta,
        arrays.digests,
        Py::new(py, QueryLabels::new(labels, len))?,
        has_sets,
        presence_array(py, summary.presence, len)?,
        inexact,
        summary.failure_count,
        summary::cells(py, summary.changed_cells, len)?,
        summary::cells(py, summary.failed_cells, len)?,
    ))?;
    Ok(QueryResult { records: records.unbind(), missing: summary.missing_fields, unmatched, failures })
}

fn class(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static CLASS: Once<Py<PyAny>> = Once::new();
    CLASS.get_or_try_init(py, || Ok(from_package!(py, "NumpyQueryRecords")?.unbind()))
}
