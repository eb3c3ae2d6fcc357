//! Batch reads into Arrow columns.

use std::sync::Arc;

use aero_io::{BatchKeys, BatchRead, Bins};
use arrow_columns::{BatchTable, ColumnPlan, FilledBatch, MetaColumn, RowValues, TableError};
use pyo3::prelude::*;
use record_decode::Path;

use crate::args::casting::CastingArgs;
use crate::args::convert::bin_names;
use crate::args::paths::field_paths;
use crate::args::policy;
use crate::arrow::schema::{column_error, read_schema};
use crate::call::{Call, Completions};
use crate::core::Core;
use crate::core::warned_fields::{ReadKind, WarnedFields};
use crate::keys::{KeyArena, KeyTable};
use crate::python::errors::{io_error, is_about_record, param_error};
use crate::python::once::Once;
use crate::python::package::from_package;
use crate::results::arrow as results;
use crate::results::row_meta::RowMeta;
use crate::results::sinks::{ArrowRows, NO_RESPONSE};

/// What a read into columns is made of, as commands take it.
pub(crate) struct ColumnArgs {
    pub(crate) casting: CastingArgs,
    /// `None`: columns are inferred.
    pub(crate) plan: Option<Arc<ColumnPlan>>,
    pub(crate) bins: Option<Vec<String>>,
    pub(crate) meta: Vec<MetaColumn>,
}

impl ColumnArgs {
    pub(crate) fn read(
        py: Python<'_>,
        schema: Option<&Bound<'_, PyAny>>,
        bins: Option<&Bound<'_, PyAny>>,
        (casting, errors): (&Bound<'_, PyAny>, &Bound<'_, PyAny>),
        paths: Option<&Bound<'_, PyAny>>,
        (meta, has_codes): (&Bound<'_, PyAny>, bool),
    ) -> PyResult<Self> {
        let casting = CastingArgs::read(casting, errors)?;
        let bins = bin_names(bins)?;
        let meta = results::read_meta(meta, has_codes)?;
        let paths = field_paths(paths)?;
        let plan = match schema.filter(|schema| !schema.is_none()) {
            Some(schema) => {
                let schema = read_schema(schema)?;
                let names: Option<Vec<&str>> =
                    bins.as_ref().map(|bins| bins.iter().map(String::as_str).collect());
                let paths: Vec<(&str, Path)> =
                    paths.iter().map(|(column, path)| (column.as_str(), path.clone())).collect();
                let plan = ColumnPlan::new(&schema, casting.casting, names.as_deref(), paths);
                Some(Arc::new(plan.map_err(column_error)?))
            }
            None if paths.is_empty() => None,
            None => {
                let message = "paths needs a schema, which has the columns that they fill".into();
                return Err(param_error(py, message));
            }
        };
        Ok(Self { casting, plan, bins, meta })
    }

    /// The bins to ask for.
    pub(crate) fn bins(&self) -> Bins {
        let bins = match (&self.plan, &self.bins) {
            (Some(plan), _) => Bins::names(plan.bin_names().map(str::as_bytes)),
            (None, Some(bins)) => Bins::names(bins),
            (None, None) => return Bins::All,
        };
        match bins {
            Bins::Names(names) if names.is_empty() => Bins::Header,
            bins => bins,
        }
    }
}

#[pymethods]
impl Core {
    #[allow(clippy::too_many_arguments)] // the command's own
    fn batch_read_arrow(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        schema: Option<&Bound<'_, PyAny>>,
        bins: Option<&Bound<'_, PyAny>>,
        paths: Option<&Bound<'_, PyAny>>,
        meta: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = policy::batch(py, &self.config.policies.batch, "batch policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        let args = ColumnArgs::read(py, schema, bins, (casting, errors), paths, (meta, true))?;
        let mut request = BatchRead { name: "batch_read_arrow", policy, ..BatchRead::default() };
        request.bins = args.bins();
        if let Some(plan) = &args.plan {
            request.row_bytes = plan.row_bytes();
        }
        let arena = Arc::new(KeyArena::read(keys)?);
        results::check_keys(&args.meta, &arena)?;
        let (plan, casting, len) = (args.plan.clone(), args.casting.casting, arena.len());
        let table = py.detach(|| BatchTable::new(plan, casting, len));
        let table = table.map_err(|error| described(py, error, &arena))?;
        let rows = Arc::new(ArrowRows::new(table));
        let needs_digests = args.meta.contains(&MetaColumn::Digest);
        let future = {
            let (arena, rows) = (arena.clone(), rows.clone());
            async move {
                let keys = arena.batch_keys()?;
                let keys = Arc::new(if needs_digests { keys } else { keys.forgetting() });
                let cluster = cluster.get().await?;
                cluster.batch_read(Arc::clone(&keys), Arc::new(request), Arc::clone(&rows)).await?;
                // Here, without the GIL.
                Ok((keys, rows.table.finish(NO_RESPONSE)))
            }
        };
        let warned = self.warned.clone();
        let finish = move |py: Python<'_>, outcome: Result<Outcome, aero_io::Error>| match outcome {
            Err(error) => Err(io_error(py, &error)),
            Ok((keys, filled)) => {
                let filled = filled.map_err(|error| described(py, error, &arena))?;
                wrap(py, filled, &keys, arena, &args, &warned)
            }
        };
        Call::sealed_by(rows, future, finish).run(py, completions)
    }
}

type Outcome = (Arc<BatchKeys>, Result<FilledBatch, TableError>);

/// The exception of a batch without columns. Rows are named by their keys.
fn described(py: Python<'_>, error: TableError, arena: &KeyArena) -> PyErr {
    let named = |row: usize| match arena.primary_key(py, row) {
        Ok(key) => format!("key {}", key.repr().map_or_else(|_| "?".into(), |text| text.to_string())),
        Err(_) => format!("row {row}"),
    };
    results::table_error(py, error, &named)
}

fn wrap(
    py: Python<'_>,
    filled: FilledBatch,
    keys: &BatchKeys,
    arena: Arc<KeyArena>,
    args: &ColumnArgs,
    warned: &WarnedFields,
) -> PyResult<Py<PyAny>> {
    let FilledBatch { plan, batches, mut report, codes, meta } = filled;
    let digest = |row: usize| keys.digest(row).unwrap_or_else(|| arena.digest(row));
    let parts = results::batch_parts(&args.meta, &arena, digest, &codes, &meta)
        .map_err(|error| results::arrow_error(&error))?;
    let table = results::table(&plan, batches, &parts).map_err(|error| results::arrow_error(&error))?;
    let (inexact, failure_count) = results::counts(py, &report)?;
    let mut failed_codes: Vec<i32> = codes.iter().filter(|&code| !is_about_record(code)).collect();
    failed_codes.sort_unstable();
    failed_codes.dedup();
    let kind = ReadKind::new(Some(&*plan), arena.spaces());
    warned.retain_new(kind, &mut report.missing);
    let missing: Vec<&str> = report.missing.iter().map(|name| &**name).collect();
    let failures = (failure_count > 0 && !args.casting.coerce).then(|| results::failures(&report));
    let records = python(py)?.bind(py).call1((
        table,
        Py::new(py, RowMeta::new(meta, codes, RowValues::default()))?,
        Py::new(py, KeyTable(arena.clone()))?,
        inexact,
        failure_count,
        (failed_codes, missing, results::unmatched(&report)),
        failures,
        results::paths_dict(py, &plan)?,
    ))?;
    // Not if the warning was raised as an error: the next call raises it again.
    warned.add(kind, report.missing);
    Ok(records.unbind())
}

/// Makes an `ArrowRecords`, warns and raises.
fn python(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static FINISH: Once<Py<PyAny>> = Once::new();
    FINISH.get_or_try_init(py, || Ok(from_package!(py, "finish_arrow_batch")?.unbind()))
}
