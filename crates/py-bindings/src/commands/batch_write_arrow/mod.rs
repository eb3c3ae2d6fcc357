//! Batch writes from Arrow columns: each row is a record, each column a bin.
//!
//! An [`ArrowWriter`] is one call of `batch_write_arrow`. A thread of its own (`source`) reads the stream of record
//! batches (`import`) and checks their rows, since a stream blocks and may run Python code. `write_next` writes the rows that are
//! ready as one batch (`rows`) while that thread reads on; the package calls it until the stream has ended.

mod import;
mod rows;
mod source;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aero_io::{BatchKeys, BatchOperate, BatchPolicy, Error, RowAttributes, Space, client_code};
use arrow_columns::encode::{Nulls, ReadError, RefusedSchema, RowReader, WriteOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use self::import::{NoTable, Table, import};
use self::rows::{KeyDigests, WrittenRows};
use self::source::{Source, SourceEnd};
use crate::args::convert::{one_word, text, text_or_none};
use crate::args::policy;
use crate::arrays::memory::result_arrays;
use crate::call::{Call, Completions, inherited_call};
use crate::core::Core;
use crate::keys::{too_long, user_key_object};
use crate::python::errors::{client_error, io_error, param_error, request_error, type_error};
use crate::python::process;
use crate::results::sinks::{CodeRows, NO_RESPONSE};
use crate::values::Bools;

/// The outcome of the rows that were written so far.
#[derive(Default)]
struct Outcome {
    codes: Vec<i32>,
    in_doubt: Vec<bool>,
    /// The keys of rows that failed.
    failed: Vec<(usize, Py<PyAny>)>,
}

/// One call of `batch_write_arrow`. One thread at a time uses it.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct ArrowWriter {
    /// The process that the call runs in.
    generation: u32,
    core: Py<Core>,
    source: Arc<Source>,
    space: Space,
    policy: BatchPolicy,
    attributes: RowAttributes<'static>,
    send_key: bool,
    outcome: Mutex<Outcome>,
}

/// What a call of `write_next` ends with.
enum Written {
    /// These rows were sent, and the batch ended like this.
    Rows(Arc<WrittenRows>, Arc<CodeRows>, Result<(), Error>),
    /// All rows were sent before.
    End,
    Failed(SourceEnd),
}

#[pymethods]
impl Core {
    /// Begins a call of `batch_write_arrow`. `data` is a capsule with a stream, or the two capsules of an array;
    /// `no_key_hint` ends the message about a key that is no column.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn arrow_writer(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        namespace: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyAny>>,
        key: &str,
        bins: Option<Vec<String>>,
        nulls: &Bound<'_, PyAny>,
        no_key_hint: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<ArrowWriter> {
        let py = slf.py();
        let core = slf.get();
        core.check_process(py)?;
        let policies = &core.config.policies;
        let (policy, row) = policy::batch_with_row(
            py,
            &policies.batch_parent_write,
            &policies.batch_write,
            "batch write policy",
            policy,
        )?;
        core.config.check_replica(py, policy.limits.replica)?;
        let attributes =
            RowAttributes::write(&row.options, false).map_err(|error| request_error(py, &error))?;
        let namespace = text("namespace", namespace)?;
        let set = text_or_none("set", set)?.unwrap_or_default();
        for (what, name) in [("namespace", &namespace), ("set", &set)] {
            too_long(what, name).map_or(Ok(()), |bad| Err(param_error(py, bad)))?;
        }
        let nulls = one_word("nulls", nulls, &[("omit", Nulls::Omit), ("remove", Nulls::Remove)])?;
        let options = WriteOptions { nulls, bools_as_integers: core.config.bools == Bools::AsInteger };
        let Table { fields, batches } = import(data).map_err(|error| match error {
            NoTable::Python(error) => error,
            NoTable::Import(why) => {
                type_error(py, format!("data cannot be read as a table of named columns: {why}"))
            }
        })?;
        let rows = RowReader::new(batches, &fields, key, bins.as_deref(), options)
            .map_err(|error| refused(py, &error, no_key_hint))?;
        let source = Source::start(rows)
            .map_err(|error| client_error(py, format!("no thread to read data with: {error}")))?;
        Ok(ArrowWriter {
            generation: process::generation(),
            core: slf.clone().unbind(),
            source,
            space: Space::new(namespace, set),
            policy,
            attributes,
            send_key: row.send_key,
            outcome: Mutex::default(),
        })
    }
}

/// A schema that cannot be written: a `TypeError` for its types, a `ValueError` for its names.
fn refused(py: Python<'_>, error: &RefusedSchema, no_key_hint: &str) -> PyErr {
    if error.is_type_error() {
        return type_error(py, error.to_string());
    }
    let hint = if error.is_no_key() { no_key_hint } else { "" };
    param_error(py, format!("{error}{hint}"))
}

impl ArrowWriter {
    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is a forked child's copy of a call that runs in its parent, or has lost its descriptors.
    fn is_inherited(&self) -> bool {
        process::check_descriptors();
        self.generation != process::generation()
    }

    /// Adds the codes of a batch that has ended. Returns the number of rows so far.
    fn add(
        &self,
        py: Python<'_>,
        rows: &WrittenRows,
        codes: &CodeRows,
        ended: &Result<(), Error>,
    ) -> PyResult<usize> {
        let (codes, mut in_doubt) = codes.finish();
        let is_doubtful = ended.as_ref().is_err_and(Error::in_doubt);
        let mut failed = Vec::new();
        let first = self.outcome().codes.len();
        for (row, (code, doubt)) in
            codes.iter().zip(&mut in_doubt).enumerate().filter(|(_, (code, _))| **code != 0)
        {
            // A call that ends early leaves rows without an answer.
            *doubt |= is_doubtful && *code == NO_RESPONSE;
            failed.push((first + row, user_key_object(py, rows.key(row))?.unbind()));
        }
        let mut outcome = self.outcome();
        outcome.codes.extend(codes);
        outcome.in_doubt.extend(in_doubt);
        outcome.failed.extend(failed);
        Ok(outcome.codes.len())
    }
}

#[pymethods]
impl ArrowWriter {
    /// Writes the rows that are ready, or waits for some. Returns the number of rows so far; None at the end.
    fn write_next(
        slf: Bound<'_, Self>,
        py: Python<'_>,
        completions: Option<&Completions>,
    ) -> PyResult<Py<PyAny>> {
        let this = slf.get();
        if this.is_inherited() {
            return Err(client_error(py, inherited_call(this.generation)));
        }
        let cluster = this.core.get().cluster(py)?;
        let (source, space, policy) = (Arc::clone(&this.source), this.space.clone(), this.policy.clone());
        let (attributes, send_key) = (this.attributes, this.send_key);
        let future = async move {
            let parts = match source.next().await {
                Ok(Some(parts)) => parts,
                Ok(None) => return Ok(Written::End),
                Err(end) => return Ok(Written::Failed(end)),
            };
            let rows = Arc::new(WrittenRows::new(parts, attributes, send_key));
            let codes = Arc::new(CodeRows::new(rows.len()));
            let keys =
                Arc::new(BatchKeys::single(space.clone(), KeyDigests::new(&rows, &space)).forgetting());
            let batch = BatchOperate { name: "batch_write_arrow", ops: rows.clone(), policy };
            let cluster = cluster.get().await?;
            let ended = cluster.batch_operate(keys, batch, Arc::clone(&codes)).await;
            Ok(Written::Rows(rows, codes, ended))
        };
        let writer = slf.clone().unbind();
        let finish = move |py: Python<'_>, outcome: Result<Written, Error>| {
            let (rows, codes, ended) = match outcome {
                Ok(Written::Rows(rows, codes, ended)) => (rows, codes, ended),
                Ok(Written::End) => return Ok(py.None()),
                Ok(Written::Failed(SourceEnd::Failed(error @ ReadError::Unwritable { .. }))) => {
                    return Err(param_error(py, error.to_string()));
                }
                Ok(Written::Failed(end)) => return Err(client_error(py, end.to_string())),
                Err(error) => return Err(io_error(py, &error)),
            };
            let done = writer.get().add(py, &rows, &codes, &ended)?;
            match ended {
                // Rows without values are no reason to stop.
                Err(error) if error.code() != client_code::PARAM => Err(io_error(py, &error)),
                _ => Ok(done.into_pyobject(py)?.into_any().unbind()),
            }
        };
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    /// The codes of the rows so far, which of them are in doubt, and the keys of those that failed.
    fn outcome_so_far<'py>(&self, py: Python<'py>) -> PyResult<(Py<PyAny>, Py<PyAny>, Bound<'py, PyDict>)> {
        let Outcome { codes, in_doubt, failed } = std::mem::take(&mut *self.outcome());
        let keys = PyDict::new(py);
        for (row, key) in failed {
            keys.set_item(row, key)?;
        }
        let (codes, in_doubt) = result_arrays(py, codes, in_doubt)?;
        Ok((codes, in_doubt, keys))
    }

    /// Stops reading, and releases the stream and what was read of it.
    fn close(&self) {
        if !self.is_inherited() {
            self.source.close();
        }
    }
}

impl Drop for ArrowWriter {
    fn drop(&mut self) {
        if self.is_inherited() {
            // Leaked on purpose: a thread of the parent, which is not here, may hold its lock.
            std::mem::forget(Arc::clone(&self.source));
            return;
        }
        self.source.close();
    }
}
