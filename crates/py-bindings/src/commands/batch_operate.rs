//! Batches that write: the same operations on many records, removals, and rows that each do something of their own.

use std::collections::HashMap;
use std::sync::Arc;

use aero_io::{BatchKeys, BatchOperate, BatchPolicy, BatchWriter, EncodedOps, OperateRow, RowHead, RowOps};
use pyo3::prelude::*;
use pyo3::types::{PyList, PySequence};

use crate::args::casting::{CastingArgs, refuse_numpy_arguments};
use crate::args::convert::time_to_live;
use crate::args::row_command::RowCommand;
use crate::args::{operations, policy};
use crate::call::{Call, Completions};
use crate::commands::batch_operate_numpy::ArrayArgs;
use crate::core::Core;
use crate::keys::KeyArena;
use crate::python::describe::describe;
use crate::python::errors::{io_error, param_error, type_error};
use crate::python::once::intern;
use crate::results::records::Success;
use crate::results::sinks::{NO_RESPONSE, RawRows};
use crate::results::{records, rows};

/// The commands of a batch's rows: one for all of them, or one each.
pub(super) struct RowCommands {
    arena: Arc<KeyArena>,
    commands: Vec<RowCommand>,
}

impl RowCommands {
    /// One command for all rows.
    pub(super) fn one(arena: Arc<KeyArena>, command: RowCommand) -> Self {
        Self { arena, commands: vec![command] }
    }

    fn of(&self, row: usize) -> &RowCommand {
        match self.commands.as_slice() {
            [one] => one,
            many => &many[row],
        }
    }
}

impl RowOps for RowCommands {
    fn head(&self, row: usize) -> RowHead<'_> {
        let command = self.of(row);
        let send_key = if command.send_key { self.arena.user_key(row) } else { None };
        RowHead { attributes: command.attributes(), send_key }
    }

    fn writes(&self, row: usize) -> bool {
        self.of(row).writes
    }

    fn is_empty(&self, _row: usize) -> bool {
        false
    }

    fn size(&self, row: usize) -> usize {
        self.of(row).size() + self.arena.key_size(row)
    }

    fn write<'r>(
        &'r self,
        row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), aero_io::Error> {
        let encoded = &self.of(row).operations.encoded;
        Ok(writer.row(head, EncodedOps { count: encoded.count.into(), bytes: &encoded.bytes })?)
    }
}

#[pymethods]
impl Core {
    #[allow(clippy::too_many_arguments)] // the command's own
    fn batch_operate(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        list: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
        row_policy: Option<&Bound<'_, PyAny>>,
        ttl: Option<&Bound<'_, PyAny>>,
        dtype: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyAny>>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        out: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let parent = self.parent_policy(py, policy)?;
        let mut operations = operations::encode_list(list, self.config.values())?;
        let casting = CastingArgs::read(casting, errors)?;
        let array = match dtype {
            Some(dtype) => {
                // So that the results are in the order of the operations.
                operations.responds_to_all = true;
                let args = ArrayArgs { keys, dtype, fields, casting, out };
                let fields = args.fields(&operations)?;
                Some((args, fields))
            }
            None => {
                refuse_numpy_arguments(&casting, &[("fields", fields), ("out", out)])?;
                None
            }
        };
        let defaults = &self.config.policies.batch_write;
        let mut row = policy::row_write(py, defaults, "batch write policy", row_policy)?.of_row(py, None)?;
        if let Some(ttl) = ttl.filter(|ttl| !ttl.is_none()) {
            row.options.ttl = time_to_live("ttl", ttl)?.unwrap_or(row.options.ttl);
        }
        let command = RowCommand::operate(py, operations, &row, &parent)?;
        if let Some((args, fields)) = array {
            return self.operate_into_numpy(py, completions, &args, &fields, command, parent);
        }
        let arena = Arc::new(KeyArena::read(keys)?);
        self.run_batch(py, completions, "batch_operate", arena, vec![command], parent, None)
    }

    fn batch_remove(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
        row_policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let parent = self.parent_policy(py, policy)?;
        let defaults = &self.config.policies.batch_remove;
        let row = policy::row_remove(py, defaults, "batch remove policy", row_policy)?.of_row(py, None)?;
        let command = RowCommand::remove(py, &row)?;
        let arena = Arc::new(KeyArena::read(keys)?);
        self.run_batch(py, completions, "batch_remove", arena, vec![command], parent, None)
    }

    fn batch_write(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        batch: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let parent = self.parent_policy(py, policy)?;
        let items = items_of_batch(batch)?;
        let mut keys = Vec::with_capacity(items.len());
        let mut commands = Vec::with_capacity(items.len());
        let mut position_of = HashMap::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            if let Some(before) = position_of.insert(item.as_ptr().addr(), position) {
                let message = format!(
                    "batch_records[{position}] is the same object as batch_records[{before}], and can hold the \
                     result of one row only; make one for each"
                );
                return Err(param_error(py, message));
            }
            let command = RowCommand::from_object(item, &self.config, &parent)
                .map_err(|error| at_row(py, position, error))?;
            commands.push(command);
            keys.push(item.getattr(intern!(py, "key"))?);
        }
        let arena = Arc::new(KeyArena::read_each(&keys)?);
        let targets =
            Targets { batch: batch.clone().unbind(), items: items.into_iter().map(Bound::unbind).collect() };
        self.run_batch(py, completions, "batch_write", arena, commands, parent, Some(targets))
    }
}

/// The rows of a `BatchRecords`.
fn items_of_batch<'py>(batch: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = batch.py();
    match batch.getattr_opt(intern!(py, "batch_records"))? {
        // A sequence, since the results are filled into the rows: the rows of an iterator could not be reached again.
        Some(list) if list.cast::<PySequence>().is_ok() => list.try_iter()?.collect(),
        Some(list) => {
            let found = describe(&list);
            Err(type_error(
                py,
                format!(
                    "batch_records.batch_records is {found}; it must be a list of Write, Read, Remove and Apply"
                ),
            ))
        }
        None => Err(type_error(
            py,
            format!(
                "batch_records is {}; it must be BatchRecords([Write(key, ops), Read(...), Remove(...)]) of \
                 aerospike_py.batch",
                describe(batch)
            ),
        )),
    }
}

/// An error with the position of the row that it is about.
fn at_row(py: Python<'_>, position: usize, error: PyErr) -> PyErr {
    let value = error.value(py);
    // The message, which `msg` may not be: there, programs find the official client's text.
    let message = value.getattr(intern!(py, "args")).and_then(|args| args.get_item(0));
    match (message, value.getattr(intern!(py, "code"))) {
        (Ok(message), Ok(code)) => {
            let message = format!("batch_records[{position}]: {message}");
            PyErr::from_type(error.get_type(py), (message, code.unbind(), false))
        }
        _ => error,
    }
}

/// The objects of `batch_write` that its results are filled into.
pub(super) struct Targets {
    batch: Py<PyAny>,
    items: Vec<Py<PyAny>>,
}

impl Targets {
    /// Marks all rows as unanswered before anything is sent. A call that is interrupted leaves this state, and not
    /// the results of an earlier call.
    fn reset(&self, py: Python<'_>, writes: impl Fn(usize) -> bool) -> PyResult<()> {
        for (row, item) in self.items.iter().enumerate() {
            records::fill(item.bind(py), py.None().into_bound(py), NO_RESPONSE, writes(row), None)?;
        }
        self.batch.setattr(py, intern!(py, "result"), NO_RESPONSE)
    }
}

impl Core {
    /// The client's policy for batches that write, overridden by the call's.
    pub(super) fn parent_policy(
        &self,
        py: Python<'_>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<BatchPolicy> {
        let policy = policy::batch(py, &self.config.policies.batch_parent_write, "batch policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        Ok(policy)
    }

    #[allow(clippy::too_many_arguments)] // what the commands above have in common
    pub(super) fn run_batch(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        name: &'static str,
        arena: Arc<KeyArena>,
        commands: Vec<RowCommand>,
        policy: BatchPolicy,
        targets: Option<Targets>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let raw = Arc::new(RawRows::new(arena.len()));
        let commands = Arc::new(RowCommands { arena: arena.clone(), commands });
        let may_write = commands.commands.iter().any(|command| command.writes);
        if let Some(targets) = &targets {
            targets.reset(py, |row| commands.writes(row))?;
        }
        let future = {
            let (arena, raw, ops) = (arena.clone(), raw.clone(), commands.clone());
            async move {
                let keys = Arc::new(arena.batch_keys()?);
                let digests = keys.clone();
                let batch = BatchOperate { name, ops, policy };
                cluster.get().await?.batch_operate(keys, batch, raw).await.map(|()| digests)
            }
        };
        let finish = move |py: Python<'_>, outcome: Result<Arc<BatchKeys>, aero_io::Error>| {
            let state = raw.finish();
            let writes = |row| commands.writes(row);
            let Some(Targets { batch, items }) = targets else {
                let digests = outcome.map_err(|error| io_error(py, &error))?;
                let mut made = Vec::with_capacity(arena.len());
                let result = rows::for_each(py, &arena, Some(&digests), &state, writes, |_, row| {
                    made.push(records::batch_record(py, row)?);
                    Ok(())
                })?;
                return records::batch_records(py, PyList::new(py, made)?, result, Success::Done);
            };
            // The rows get their results even if the call as a whole failed.
            let error = outcome.as_ref().err();
            let all_in_doubt = error.is_some_and(aero_io::Error::in_doubt);
            let digests = outcome.as_deref().ok();
            let result = rows::for_each(py, &arena, digests, &state, writes, |index, row| {
                let Some(item) = items.get(index) else { return Ok(()) };
                let is_open = state.rows().get(index).is_some_and(|row| !row.done);
                let in_doubt = row.in_doubt || (is_open && all_in_doubt && writes(index));
                records::fill(item.bind(py), row.record, row.code, in_doubt, row.error)
            })?;
            let result = error.map_or(result, aero_io::Error::code);
            batch.setattr(py, intern!(py, "result"), result)?;
            match error {
                None => Ok(batch),
                Some(error) => Err(io_error(py, error)),
            }
        };
        Call::new(future, finish).that_writes(may_write).run(py, completions)
    }
}
