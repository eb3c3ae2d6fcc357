//! Rows of a query in NumPy arrays, as a `NumpyQueryRecords`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use record_decode::{BlockRows, Failure, Plan};

use super::query_labels::QueryLabels;
use crate::arrays::memory::presence_array;
use crate::arrays::space::FilledRows;
use crate::python::once::Once;
use crate::python::package::from_package;

/// (row, field, type of value, reason) of a value that does not fit.
pub(crate) type DescribedFailure = (usize, String, &'static str, String);

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
    let (arrays, BlockRows { len, summary, labels }) = rows.into_arrays(dtype)?;
    let inexact = PyDict::new(py);
    // In the order of the dtype, whatever block they came from.
    for leaf in plan.schema().leaves() {
        if let Some((name, count)) = summary.inexact.iter().find(|(name, _)| **name == *leaf.name()) {
            inexact.set_item(&**name, count)?;
        }
    }
    let cells = |bits: Vec<u8>| match bits.is_empty() {
        true => Ok(None),
        false => presence_array(py, bits, len).map(Some),
    };
    let presence = if len == 0 {
        presence_array(py, Vec::new(), 0)?
    } else {
        presence_array(py, summary.presence, len)?
    };
    let records = class(py)?.bind(py).call1((
        arrays.records,
        arrays.meta,
        arrays.digests,
        Py::new(py, QueryLabels::new(labels, len))?,
        has_sets,
        presence,
        inexact,
        summary.failure_count,
        cells(summary.changed_cells)?,
        cells(summary.failed_cells)?,
    ))?;
    let described = |failure: &Failure| {
        (failure.row, failure.name.to_string(), failure.bin_type, failure.reason.to_string())
    };
    Ok(QueryResult {
        records: records.unbind(),
        missing: summary.missing_fields,
        unmatched: summary
            .unmatched_bins
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect(),
        failures: summary.failures.iter().map(described).collect(),
    })
}

fn class(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static CLASS: Once<Py<PyAny>> = Once::new();
    CLASS.get_or_try_init(py, || Ok(from_package!(py, "NumpyQueryRecords")?.unbind()))
}
