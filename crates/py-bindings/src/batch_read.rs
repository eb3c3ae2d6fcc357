//! Batch reads: arguments in, arrays or records out.

use std::sync::Arc;

use crate::once::Once;
use aero_io::{BatchRead, Bins, Cluster};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use record_decode::{Casting, Plan, RowBuffer, Summary};

use crate::call::{Call, Completions, plain};
use crate::clock;
use crate::core::Core;
use crate::errors::{io_error, param_error};
use crate::keys::{KeyArena, KeyTable, described};
use crate::numpy_memory::{self, Arrays};
use crate::policy;
use crate::records;
use crate::rows;
use crate::runtime::NothingToSeal;
use crate::sink::{NO_RESPONSE, NumpyRows, RawRows};
use crate::values::bin_name;

#[pymethods]
impl Core {
    #[allow(clippy::too_many_arguments)]
    fn batch_read(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        dtype: Option<&Bound<'_, PyAny>>,
        casting: &str,
        errors: &str,
        out: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = policy::batch(py, &self.config.policies.batch, "batch policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        let request = BatchRead { policy, ..BatchRead::default() };
        let bins = read_bins(bins)?;
        match dtype {
            Some(dtype) => {
                let fit = Fit::read(py, casting, errors)?;
                into_numpy(py, face, cluster, keys, bins.as_deref(), request, dtype, &fit, out)
            }
            None => {
                refuse_numpy_arguments(casting, errors, out)?;
                into_records(py, face, cluster, keys, bins.as_deref(), request)
            }
        }
    }
}

/// How a batch read into NumPy treats values that do not fit.
struct Fit {
    casting: Casting,
    coerce: bool,
}

impl Fit {
    fn read(py: Python<'_>, casting: &str, errors: &str) -> PyResult<Self> {
        let casting = match casting {
            "unsafe" => Casting::Unsafe,
            "same_value" => Casting::SameValue,
            other => {
                return Err(param_error(
                    py,
                    format!("casting is {other:?}; it must be \"unsafe\" or \"same_value\""),
                ));
            }
        };
        let coerce = match errors {
            "raise" => false,
            "coerce" => true,
            other => {
                return Err(param_error(
                    py,
                    format!("errors is {other:?}; it must be \"raise\" or \"coerce\""),
                ));
            }
        };
        Ok(Self { casting, coerce })
    }
}

/// Reads the `bins` argument: None, or a sequence of names.
pub(crate) fn read_bins(bins: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Vec<String>>> {
    let Some(bins) = bins.filter(|bins| !bins.is_none()) else { return Ok(None) };
    let names: Vec<Bound<'_, PyAny>> = if let Ok(list) = bins.cast::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = bins.cast::<PyTuple>() {
        tuple.iter().collect()
    } else {
        return Err(param_error(
            bins.py(),
            format!("bins is {}; it must be a list of bin names", described(bins)),
        ));
    };
    names.iter().map(bin_name).collect::<PyResult<_>>().map(Some)
}

fn bins_of(names: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Bins {
    match Bins::names(names) {
        Bins::Names(names) if names.is_empty() => Bins::Header,
        bins => bins,
    }
}

/// A batch read into NumPy arrays.
#[allow(clippy::too_many_arguments)]
fn into_numpy(
    py: Python<'_>,
    face: Option<&Completions>,
    cluster: Cluster,
    keys: &Bound<'_, PyAny>,
    bins: Option<&[String]>,
    mut request: BatchRead,
    dtype: &Bound<'_, PyAny>,
    fit: &Fit,
    out: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let dtype = numpy_memory::as_dtype(dtype)?;
    let plan = crate::dtype::plan(&dtype, fit.casting, bins)?;
    request.bins = bins_of(plan.bin_names().map(str::as_bytes));
    request.row_bytes = plan.schema().itemsize();

    let arena = Arc::new(KeyArena::read(keys)?);
    let arrays = Arrays::new(&dtype, &plan, arena.len(), keys, out)?;
    // SAFETY: `arrays` keeps the three arrays' memory alive, is their only holder besides `out`'s owner
    // (who was told not to resize or write to it), and is dropped after the buffer was sealed: by
    // `finish` below, or with the closure, before which `Operation` and `wait` seal.
    let buffer = unsafe { RowBuffer::new(plan.clone(), arrays.memory(), clock::now()) };
    let rows = Arc::new(NumpyRows(buffer));

    let future = {
        let (arena, rows) = (arena.clone(), rows.clone());
        async move {
            let keys = Arc::new(arena.batch_keys()?);
            let outcome = cluster.batch_read(keys, Arc::new(request), Arc::clone(&rows)).await;
            // None is left open; but what would be in such a row is whatever was in that memory before.
            rows.0.fail_rest(NO_RESPONSE);
            outcome
        }
    };
    let (seal, coerce) = (rows.clone(), fit.coerce);
    let finish = move |py: Python<'_>, outcome: Result<(), aero_io::Error>| {
        let summary = rows.0.finish();
        match outcome {
            Ok(()) => wrap(py, arrays, arena, &plan, summary, coerce),
            Err(error) => Err(io_error(py, &error)),
        }
    };
    Call { future, seal, finish }.run(py, face)
}

/// Wraps the filled arrays; raises for, or warns of, values that did not fit.
fn wrap(
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
    let presence = numpy_memory::presence(py, summary.presence, arena.len())?;
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
    Ok(python.conclude.bind(py).call1((batch, failures, summary.failure_count, coerce))?.unbind())
}

/// What `aerospike_py.numpy_batch` has.
struct PythonBatch {
    class: Py<PyAny>,
    conclude: Py<PyAny>,
}

fn python_batch(py: Python<'_>) -> PyResult<&PythonBatch> {
    static BATCH: Once<PythonBatch> = Once::new();
    BATCH.get_or_try_init(py, || {
        let module = py.import("aerospike_py.numpy_batch")?;
        Ok(PythonBatch {
            class: module.getattr("NumpyBatchRecords")?.unbind(),
            conclude: module.getattr("_conclude")?.unbind(),
        })
    })
}

/// A batch read into Python objects.
fn into_records(
    py: Python<'_>,
    face: Option<&Completions>,
    cluster: Cluster,
    keys: &Bound<'_, PyAny>,
    bins: Option<&[String]>,
    mut request: BatchRead,
) -> PyResult<Py<PyAny>> {
    if let Some(bins) = bins {
        request.bins = bins_of(bins);
    }
    let arena = Arc::new(KeyArena::read(keys)?);
    let raw = Arc::new(RawRows::new(arena.len()));
    let future = {
        let (arena, raw) = (arena.clone(), raw.clone());
        async move {
            let keys = Arc::new(arena.batch_keys()?);
            let digests = keys.clone();
            cluster.batch_read(keys, Arc::new(request), raw).await.map(|()| digests)
        }
    };
    let finish = plain(move |py, digests: Arc<aero_io::BatchKeys>| {
        let state = raw.finish();
        let mut made = Vec::with_capacity(arena.len());
        let result = rows::each(
            py,
            &arena,
            Some(&digests),
            &state,
            |_| false,
            |_, row| {
                made.push(records::batch_record(py, row)?);
                Ok(())
            },
        )?;
        records::batch_records(py, PyList::new(py, made)?, result)
    });
    Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
}

/// Refuses arguments that only make sense with a dtype.
fn refuse_numpy_arguments(casting: &str, errors: &str, out: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let given = if out.is_some_and(|out| !out.is_none()) {
        "out"
    } else if casting != "unsafe" {
        "casting"
    } else if errors != "raise" {
        "errors"
    } else {
        return Ok(());
    };
    Err(PyTypeError::new_err(format!(
        "{given} needs _dtype: it is about arrays, and without _dtype there are none"
    )))
}

/// The digest of a key, as the server computes it.
///
/// Args:
///     ns: the namespace; it is no part of the digest.
///     set: the set, or None.
///     key: the primary key.
///
/// Example:
///     >>> calc_digest("test", "users", 1).hex()
///     '3921e84015258aed3b93d7ef5770cd27b9bb4167'
#[pyfunction]
pub(crate) fn calc_digest<'py>(
    py: Python<'py>,
    ns: Bound<'py, PyString>,
    set: Option<Bound<'py, PyString>>,
    key: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let tuple = (ns, set, key).into_pyobject(py)?;
    let arena = KeyArena::read_one(tuple.as_any())?;
    Ok(PyBytes::new(py, &arena.digest(0)))
}
