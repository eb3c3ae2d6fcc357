//! Batch reads, into arrays or records.

use std::sync::Arc;

use aero_io::{BatchKeys, BatchRead, Bins};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use record_decode::{Path, RowBuffer};

use crate::args::casting::{CastingArgs, refuse_numpy_arguments};
use crate::args::convert::{bin_names, text, text_or_none};
use crate::args::paths::{field_paths, is_server_side, path_error};
use crate::args::policy;
use crate::arrays::as_dtype;
use crate::arrays::dtype::{PlanArgs, read_plan};
use crate::arrays::memory::Arrays;
use crate::call::{Call, Completions, or_raise};
use crate::commands::projected_read::Projector;
use crate::core::warned_fields::{NewFields, WarnedFields};
use crate::core::{Core, LazyCluster};
use crate::keys::KeyArena;
use crate::python::errors::{io_error, type_error};
use crate::results::records::Success;
use crate::results::sinks::{NO_RESPONSE, NumpyRows, RawRows};
use crate::results::{clock, numpy_batch, records, rows};

#[pymethods]
impl Core {
    #[allow(clippy::too_many_arguments)] // the command's own
    fn batch_read(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        dtype: Option<&Bound<'_, PyAny>>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        out: Option<&Bound<'_, PyAny>>,
        paths: Option<&Bound<'_, PyAny>>,
        project: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = policy::batch(py, &self.config.policies.batch, "batch policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        let request = BatchRead { policy, ..BatchRead::default() };
        let bins = bin_names(bins)?;
        let casting = CastingArgs::read(casting, errors)?;
        let projector =
            is_server_side(project)?.then(|| Projector::new(py, &request.policy, &self.containers));
        let projector = projector.transpose()?;
        match dtype {
            Some(dtype) => {
                let warned = self.warned.clone();
                let paths = field_paths(paths)?;
                let bins = bins.as_deref();
                into_numpy(
                    py,
                    completions,
                    cluster,
                    keys,
                    bins,
                    request,
                    dtype,
                    &casting,
                    &paths,
                    out,
                    warned,
                    projector.as_ref(),
                )
            }
            None => {
                let project = projector.is_some().then_some(project);
                refuse_numpy_arguments(&casting, &[("out", out), ("paths", paths), ("project", project)])?;
                into_records(py, completions, cluster, keys, bins.as_deref(), request)
            }
        }
    }
}

/// The bins to ask for; no bins at all is the record's header.
pub(super) fn bins_of(names: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Bins {
    match Bins::names(names) {
        Bins::Names(names) if names.is_empty() => Bins::Header,
        bins => bins,
    }
}

#[allow(clippy::too_many_arguments)] // the command's own
fn into_numpy(
    py: Python<'_>,
    completions: Option<&Completions>,
    cluster: LazyCluster,
    keys: &Bound<'_, PyAny>,
    bins: Option<&[String]>,
    mut request: BatchRead,
    dtype: &Bound<'_, PyAny>,
    casting: &CastingArgs,
    paths: &[(String, Path)],
    out: Option<&Bound<'_, PyAny>>,
    warned: Arc<WarnedFields>,
    projector: Option<&Projector>,
) -> PyResult<Py<PyAny>> {
    let dtype = as_dtype(dtype)?;
    let args = PlanArgs { casting: casting.casting, bins, paths };
    let plan = read_plan(&dtype, args, |error, fields| path_error(py, error, fields))?;
    request.bins = bins_of(plan.bin_names().map(str::as_bytes));
    request.row_bytes = plan.schema().itemsize();

    let arena = Arc::new(KeyArena::read(keys)?);
    let arrays = Arrays::new(&dtype, &plan, arena.len(), keys, out)?;
    // SAFETY: `arrays` keeps the memory of the three arrays alive and is their only owner, except that `out` is
    // also the caller's, who is told not to resize it or write to it during the call. `finish` owns `arrays`. It
    // seals the buffer before it uses them; if it is dropped unused, `Operation` or `wait` has sealed the buffer
    // before.
    let buffer = unsafe { RowBuffer::new(plan.clone(), arrays.memory(), clock::now()) };
    let rows = Arc::new(NumpyRows(buffer));
    let projected = match projector {
        Some(projector) => projector.read(py, &plan, &arena, &request)?,
        None => None,
    };

    let future = {
        let (arena, rows) = (arena.clone(), rows.clone());
        async move {
            let keys = Arc::new(arena.batch_keys()?);
            let cluster = cluster.get().await?;
            let outcome = match projected {
                Some(projected) => projected.run(cluster, keys, request, &rows).await,
                None => cluster.batch_read(keys, Arc::new(request), Arc::clone(&rows)).await,
            };
            // Every row is answered or given up by now. If one were not, its memory would never have been written.
            rows.0.fail_rest(NO_RESPONSE);
            outcome
        }
    };
    let (seal, coerce) = (rows.clone(), casting.coerce);
    let finish = move |py: Python<'_>, outcome: Result<(), aero_io::Error>| {
        let mut summary = rows.0.finish();
        if let Err(error) = outcome {
            return Err(io_error(py, &error));
        }
        let mut new = NewFields::default();
        new.note(&warned, &plan, arena.spaces(), &mut summary.missing_fields);
        let batch = numpy_batch::wrap(py, arrays, arena, Some(&plan), summary, coerce)?;
        new.add_to(&warned);
        Ok(batch)
    };
    Call::sealed_by(seal, future, finish).run(py, completions)
}

fn into_records(
    py: Python<'_>,
    completions: Option<&Completions>,
    cluster: LazyCluster,
    keys: &Bound<'_, PyAny>,
    bins: Option<&[String]>,
    mut request: BatchRead,
) -> PyResult<Py<PyAny>> {
    if let Some(bins) = bins {
        request.bins = bins_of(bins);
    }
    // Asked for no bins, the official client gives records of two items.
    let is_header = matches!(request.bins, Bins::Header);
    let arena = Arc::new(KeyArena::read(keys)?);
    let raw = Arc::new(RawRows::new(arena.len()));
    let future = {
        let (arena, raw) = (arena.clone(), raw.clone());
        async move {
            let keys = Arc::new(arena.batch_keys()?);
            let digests = keys.clone();
            cluster.get().await?.batch_read(keys, Arc::new(request), raw).await.map(|()| digests)
        }
    };
    let finish = or_raise(move |py, digests: Arc<BatchKeys>| {
        let state = raw.finish();
        let mut made = Vec::with_capacity(arena.len());
        let result = rows::for_each(
            py,
            &arena,
            Some(&digests),
            &state,
            |_| false,
            |_, row| {
                let row = if is_header { row.without_bins(py)? } else { row };
                made.push(records::batch_record(py, row)?);
                Ok(())
            },
        )?;
        records::batch_records(py, PyList::new(py, made)?, result, Success::Found)
    });
    Call::new(future, finish).run(py, completions)
}

/// The digest of a key, as the server computes it.
///
/// Args:
///     ns: the namespace; the digest does not depend on it.
///     set: the set, or None.
///     key: the primary key.
///
/// Example:
///     >>> calc_digest("test", "users", 1).hex()
///     '3921e84015258aed3b93d7ef5770cd27b9bb4167'
#[pyfunction]
pub(crate) fn calc_digest<'py>(
    py: Python<'py>,
    ns: Bound<'py, PyAny>,
    set: Option<Bound<'py, PyAny>>,
    key: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    // Begins as the official client's texts.
    text("Namespace should be a string: ns", &ns)?;
    text_or_none("Set should be a string or unicode: set", set.as_ref())?;
    if key.is_none() {
        return Err(type_error(py, "Key is invalid: it is None; pass an int, a str or bytes".into()));
    }
    let tuple = (ns, set, key).into_pyobject(py)?;
    let arena = KeyArena::read_one_as("Key is invalid", tuple.as_any())?;
    Ok(PyBytes::new(py, &arena.digest(0)))
}
