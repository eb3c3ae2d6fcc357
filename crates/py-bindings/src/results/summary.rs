//! A summary of decoded rows as Python objects, for batches and queries.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use record_decode::{Failure, Summary};

use crate::arrays::memory::presence_array;

/// (row, field, type of value, reason) of a value that does not fit.
pub(crate) type DescribedFailure = (usize, String, &'static str, String);

/// Field to the number of its values that changed to fit.
pub(super) fn inexact<'py>(py: Python<'py>, summary: &Summary) -> PyResult<Bound<'py, PyDict>> {
    let inexact = PyDict::new(py);
    for (name, count) in &summary.inexact {
        inexact.set_item(&**name, count)?;
    }
    Ok(inexact)
}

/// Bits of cells as an array; None if there are none.
pub(super) fn cells(py: Python<'_>, bits: Vec<u8>, rows: usize) -> PyResult<Option<Py<PyAny>>> {
    match bits.is_empty() {
        true => Ok(None),
        false => presence_array(py, bits, rows).map(Some),
    }
}

/// The first failures.
pub(super) fn failures(summary: &Summary) -> Vec<DescribedFailure> {
    let described = |failure: &Failure| {
        (failure.row, failure.name.to_string(), failure.bin_type, failure.reason.to_string())
    };
    summary.failures.iter().map(described).collect()
}

/// Names of bins without a field.
pub(super) fn unmatched(summary: &Summary) -> Vec<String> {
    summary.unmatched_bins.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}
