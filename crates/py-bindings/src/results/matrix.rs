//! A matrix of features, as a `FeatureMatrix`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use record_decode::Summary;

use crate::arrays::matrix::MatrixArrays;
use crate::arrays::memory::presence_array;
use crate::keys::{KeyGroups, KeyTable};
use crate::python::errors::is_about_record;
use crate::python::package::from_package;
use crate::results::metrics::count_values;
use crate::results::summary::{self, DescribedFailure};

/// Wraps the filled arrays. Warns of rows that failed, of values that changed to fit and of the summaries' missing
/// fields, and raises for values that did not fit unless `coerce`.
pub(crate) fn wrap(
    py: Python<'_>,
    arrays: MatrixArrays,
    columns: &[String],
    widths: impl Iterator<Item = usize>,
    keys: &KeyGroups,
    mut summaries: Vec<Summary>,
    coerce: bool,
) -> PyResult<Py<PyAny>> {
    let rows = keys.arenas().first().map_or(0, |arena| arena.len());
    let (inexact, presence, tables) = (PyDict::new(py), PyList::empty(py), PyList::empty(py));
    let (mut decode_errors, mut failed_codes, mut missing) = (0, Vec::new(), Vec::new());
    let mut failures: Vec<(usize, DescribedFailure)> = Vec::new();
    for (group, ((summary, arena), width)) in summaries.iter_mut().zip(keys.arenas()).zip(widths).enumerate()
    {
        presence.append((presence_array(py, std::mem::take(&mut summary.presence), rows)?, width))?;
        tables.append(Py::new(py, KeyTable(arena.clone()))?)?;
        count_values(summary);
        inexact.update(summary::inexact(py, summary)?.as_mapping())?;
        decode_errors += summary.failure_count;
        failed_codes
            .extend(summary.codes.iter().map(|&(code, _)| code).filter(|&code| !is_about_record(code)));
        missing.extend(summary.missing_fields.iter().map(|name| name.to_string()));
        failures.extend(summary::failures(summary).into_iter().map(|failure| (group, failure)));
    }
    failures.sort_by_key(|(_, failure)| failure.0);
    let does_not_fit = decode_errors > 0 && !coerce;
    let has_warnings = !(inexact.is_empty() && failed_codes.is_empty() && missing.is_empty());
    let matrix = from_package!(py, "FeatureMatrix")?.call1((
        arrays.matrix,
        columns,
        arrays.result_codes,
        presence,
        inexact,
        decode_errors,
        tables,
    ))?;
    if !does_not_fit && !has_warnings {
        return Ok(matrix.unbind());
    }
    let failures = does_not_fit.then(|| {
        let flat = |(group, (row, column, kind, reason)): (usize, DescribedFailure)| {
            (row, group, column, kind, reason)
        };
        failures.into_iter().map(flat).collect::<Vec<_>>()
    });
    let finish = from_package!(py, "finish_matrix")?;
    Ok(finish.call1((matrix, failed_codes, missing, failures))?.unbind())
}
