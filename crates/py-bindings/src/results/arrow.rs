//! Results in Arrow columns, as an `ArrowRecords`.

use arrow_array::RecordBatch;
use arrow_columns::{
    ColumnFailure, ColumnPlan, KeyValues, MetaColumn, MetaPart, MetaRows, RecordMeta, RowValues, TableError,
    TableReport, describe_mixed, meta_part, with_meta,
};
use arrow_schema::ArrowError;
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::arrow::schema::column_error;
use crate::arrow::table::ArrowTable;
use crate::keys::KeyArena;
use crate::python::describe::describe;
use crate::python::errors::client_error;
use crate::results::metrics::count_table_values;
use crate::results::summary::DescribedFailure;

/// Reads the `meta` argument: names of columns about records. `has_codes`: the result has result codes.
pub(crate) fn read_meta(meta: &Bound<'_, PyAny>, has_codes: bool) -> PyResult<Vec<MetaColumn>> {
    if meta.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err(format!(
            "meta is {}; it must be a tuple of names, such as ('key', 'gen')",
            describe(meta)
        )));
    }
    let mut columns: Vec<MetaColumn> = Vec::new();
    let items = meta.try_iter().map_err(|error| {
        let refused =
            PyTypeError::new_err(format!("meta is {}; it must be a tuple of names", describe(meta)));
        refused.set_cause(meta.py(), Some(error));
        refused
    })?;
    for item in items {
        let item = item?;
        let name =
            item.cast::<PyString>().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let known: Vec<&str> = MetaColumn::ALL
            .iter()
            .filter(|(_, column)| has_codes || *column != MetaColumn::ResultCode)
            .map(|(name, _)| *name)
            .collect();
        match MetaColumn::from_name(&name).filter(|_| known.contains(&name.as_str())) {
            Some(column) if columns.contains(&column) => {
                return Err(PyValueError::new_err(format!("meta has {name:?} twice")));
            }
            Some(column) => columns.push(column),
            None => {
                let known = known.join("', '");
                return Err(PyValueError::new_err(format!(
                    "meta has {}; columns about records are '{known}'",
                    describe(&item)
                )));
            }
        }
    }
    Ok(columns)
}

/// The exception of a result that has no columns. `row_name` names its rows.
pub(crate) fn table_error(py: Python<'_>, error: TableError, row_name: &dyn Fn(usize) -> String) -> PyErr {
    match error {
        TableError::Mixed(mixed) => client_error(py, describe_mixed(&mixed, row_name)),
        TableError::TooManyBins { .. } => client_error(py, error.to_string()),
        TableError::Schema(error) => column_error(error),
        TableError::NoMemory => PyMemoryError::new_err(error.to_string()),
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

pub(crate) fn arrow_error(error: &ArrowError) -> PyErr {
    PyRuntimeError::new_err(format!("Arrow refused the result: {error}"))
}

/// The rows of a result with columns about records.
pub(crate) fn table(
    plan: &ColumnPlan,
    batches: Vec<RecordBatch>,
    parts: &[MetaPart],
) -> Result<ArrowTable, ArrowError> {
    if parts.is_empty() {
        return Ok(ArrowTable::new(plan.schema().clone(), batches));
    }
    let (schema, batches) = with_meta(plan.schema(), batches, parts)?;
    Ok(ArrowTable::new(schema, batches))
}

/// The columns about the rows of a batch.
pub(crate) fn batch_parts(
    wanted: &[MetaColumn],
    arena: &KeyArena,
    digest: impl Fn(usize) -> [u8; 20],
    codes: &RowValues<i32>,
    meta: &RecordMeta,
) -> Result<Vec<MetaPart>, ArrowError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut digests = RowValues::default();
    if wanted.contains(&MetaColumn::Digest) {
        (0..arena.len()).for_each(|row| digests.push(digest(row)));
    }
    let sets = |row: usize| arena.space(row).1.as_bytes().to_vec();
    let rows = MetaRows { codes: Some(codes), meta, digests: &digests, sets: &sets };
    let part = |&column: &MetaColumn| {
        let keys = (column == MetaColumn::Key).then(|| {
            let mut keys = KeyValues::new(None);
            // Their types were checked before anything was sent.
            (0..arena.len()).for_each(|row| _ = keys.push(arena.user_key(row)));
            keys
        });
        meta_part(column, &rows, keys)
    };
    wanted.iter().map(part).collect()
}

/// Refuses keys of several types, of which there is no column.
pub(crate) fn check_keys(wanted: &[MetaColumn], arena: &KeyArena) -> PyResult<()> {
    if !wanted.contains(&MetaColumn::Key) {
        return Ok(());
    }
    let mut keys = KeyValues::new(None);
    for row in 0..arena.len() {
        keys.push(arena.user_key(row)).map_err(|error| PyValueError::new_err(error.to_string()))?;
    }
    Ok(())
}

/// What a report says, as Python objects: values that changed by column, and the number of values that do not fit.
/// Adds them to the counts of the process, so it is for one call per table.
pub(crate) fn counts<'py>(py: Python<'py>, report: &TableReport) -> PyResult<(Bound<'py, PyDict>, u64)> {
    count_table_values(report);
    let inexact = PyDict::new(py);
    for (name, count) in &report.inexact {
        inexact.set_item(&**name, count)?;
    }
    Ok((inexact, report.failure_count))
}

/// The first values that do not fit.
pub(crate) fn failures(report: &TableReport) -> Vec<DescribedFailure> {
    let described = |failure: &ColumnFailure| {
        (failure.row, failure.column.to_string(), failure.bin_type, failure.misfit.to_string())
    };
    report.failures.iter().map(described).collect()
}

/// Names of bins without a column.
pub(crate) fn unmatched(report: &TableReport) -> Vec<String> {
    report.unmatched.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// The paths of columns as Python passes them; None if there are none.
pub(crate) fn paths_dict<'py>(py: Python<'py>, plan: &ColumnPlan) -> PyResult<Option<Bound<'py, PyDict>>> {
    let mut paths = plan.paths().peekable();
    if paths.peek().is_none() {
        return Ok(None);
    }
    let dict = PyDict::new(py);
    for (column, path) in paths {
        let parts = PyList::new(py, [&*path.bin])?;
        for step in &path.steps {
            match step {
                record_decode::Step::Str(text) => parts.append(&**text)?,
                record_decode::Step::Blob(bytes) => parts.append(PyBytes::new(py, bytes))?,
                record_decode::Step::Int(number) => parts.append(number)?,
            }
        }
        dict.set_item(column, parts.to_tuple())?;
    }
    Ok(Some(dict))
}
