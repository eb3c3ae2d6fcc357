//! Batches of operations: the same for many records, deletions, and records that each have their own.

use std::collections::HashMap;
use std::sync::Arc;

use aero_io::{
    BatchOperate, BatchPolicy, BatchWriter, EncodedOps, OperateRow, RowAttributes, RowHead, RowOps,
};
use pyo3::prelude::*;
use pyo3::types::{PyList, PySequence};
use wire_protocol::command::WriteOptions;
use wire_protocol::message::info1;

use crate::call::{Call, Completions};
use crate::core::Core;
use crate::errors::{io_error, param_error};
use crate::keys::{KeyArena, described};
use crate::once::intern;
use crate::ops::{self, Operations};
use crate::policy::{self, RowPolicy};
use crate::records;
use crate::rows;
use crate::runtime::NothingToSeal;
use crate::settings::Settings;
use crate::sink::{NO_RESPONSE, RawRows};

/// What a row does.
pub(crate) struct Command {
    attributes: RowAttributes<'static>,
    operations: Operations,
    send_key: bool,
    writes: bool,
}

impl Command {
    /// Operations, reads among them.
    fn operate(
        py: Python<'_>,
        operations: Operations,
        row: &RowPolicy,
        parent: &BatchPolicy,
    ) -> PyResult<Self> {
        if !operations.writes {
            return Ok(Self::read(operations, parent));
        }
        let ttl = operations.ttl.unwrap_or(row.options.ttl);
        let options = WriteOptions { ttl, ..row.options };
        let attributes =
            RowAttributes::write(&options, operations.reads).map_err(|error| refused(py, &error))?;
        Ok(Self { attributes, operations, send_key: row.send_key, writes: true })
    }

    fn remove(py: Python<'_>, row: &RowPolicy) -> PyResult<Self> {
        let attributes = RowAttributes::delete(&row.options).map_err(|error| refused(py, &error))?;
        Ok(Self { attributes, operations: Operations::default(), send_key: row.send_key, writes: true })
    }

    /// Operations that only read. Without any: all bins, or none with `is_header`.
    fn read(operations: Operations, parent: &BatchPolicy) -> Self {
        let bits = match (operations.all_bins, operations.encoded.count) {
            (true, _) => info1::GET_ALL,
            (false, 0) => info1::NO_BINS,
            _ => 0,
        };
        let attributes = parent.reads.row_attributes(bits);
        Self { attributes, operations, send_key: false, writes: false }
    }
}

pub(crate) fn refused(py: Python<'_>, error: &wire_protocol::WireError) -> PyErr {
    param_error(py, error.to_string())
}

/// The rows of a batch: one command for all of them, or one each.
struct Commands {
    arena: Arc<KeyArena>,
    commands: Vec<Command>,
}

impl Commands {
    fn of(&self, row: usize) -> &Command {
        match self.commands.as_slice() {
            [one] => one,
            many => &many[row],
        }
    }
}

impl RowOps for Commands {
    fn head(&self, row: usize) -> RowHead<'_> {
        let command = self.of(row);
        let send_key = if command.send_key { self.arena.user_key(row) } else { None };
        RowHead { attributes: command.attributes, send_key }
    }

    fn writes(&self, row: usize) -> bool {
        self.of(row).writes
    }

    fn is_empty(&self, _row: usize) -> bool {
        false
    }

    fn size(&self, row: usize) -> usize {
        self.of(row).operations.encoded.bytes.len() + self.arena.key_size(row)
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
        face: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        list: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
        row_policy: Option<&Bound<'_, PyAny>>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let parent = self.parent_policy(py, policy)?;
        let operations = ops::encode_ops(list, self.config.bools)?;
        let defaults = &self.config.policies.batch_write;
        let mut row = policy::row_write(py, defaults, "batch write policy", row_policy)?.of_row(py, None)?;
        if let Some(ttl) = ttl.filter(|ttl| !ttl.is_none()) {
            row.options.ttl = ops::read_ttl("batch_operate", ttl)?;
        }
        let command = Command::operate(py, operations, &row, &parent)?;
        let arena = Arc::new(KeyArena::read(keys)?);
        self.run_batch(py, face, "batch operate", arena, vec![command], parent, None)
    }

    fn batch_remove(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
        row_policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let parent = self.parent_policy(py, policy)?;
        let defaults = &self.config.policies.batch_remove;
        let row = policy::row_remove(py, defaults, "batch remove policy", row_policy)?.of_row(py, None)?;
        let command = Command::remove(py, &row)?;
        let arena = Arc::new(KeyArena::read(keys)?);
        self.run_batch(py, face, "batch remove", arena, vec![command], parent, None)
    }

    fn batch_write(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        batch: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let parent = self.parent_policy(py, policy)?;
        let items: Vec<Bound<'_, PyAny>> = match batch.getattr_opt(intern!(py, "batch_records"))? {
            // What can be walked only once would hide the rows, filled in, from whoever made it.
            Some(list) if list.cast::<PySequence>().is_ok() => list.try_iter()?.collect::<PyResult<_>>()?,
            Some(list) => {
                let found = described(&list);
                return Err(param_error(
                    py,
                    format!(
                        "batch_records.batch_records is {found}; it must be a list of Write, Read and Remove"
                    ),
                ));
            }
            None => {
                return Err(param_error(
                    py,
                    format!(
                        "batch_records is {}; it must be BatchRecords([Write(key, ops), Read(...), Remove(...)]), \
                         as aerospike_py.batch has them",
                        described(batch)
                    ),
                ));
            }
        };
        let mut keys = Vec::with_capacity(items.len());
        let mut commands = Vec::with_capacity(items.len());
        let mut place_of = HashMap::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            if let Some(before) = place_of.insert(item.as_ptr().addr(), place) {
                let message = format!(
                    "batch_records[{place}] is the same object as batch_records[{before}], and can tell of one row \
                     only; make one for each"
                );
                return Err(param_error(py, message));
            }
            let command = self.row_command(item, &parent).map_err(|error| at_row(py, place, error))?;
            commands.push(command);
            keys.push(item.getattr(intern!(py, "key"))?);
        }
        let arena = Arc::new(KeyArena::read_each(&keys)?);
        let targets =
            Targets { batch: batch.clone().unbind(), items: items.into_iter().map(Bound::unbind).collect() };
        self.run_batch(py, face, "batch write", arena, commands, parent, Some(targets))
    }
}

/// A refusal that says which record of the batch it is about.
fn at_row(py: Python<'_>, place: usize, error: PyErr) -> PyErr {
    let value = error.value(py);
    match (value.getattr(intern!(py, "msg")), value.getattr(intern!(py, "code"))) {
        (Ok(message), Ok(code)) => {
            let message = format!("batch_records[{place}]: {message}");
            PyErr::from_type(error.get_type(py), (message, code.unbind(), false))
        }
        _ => error,
    }
}

/// Records that are filled in place.
struct Targets {
    batch: Py<PyAny>,
    items: Vec<Py<PyAny>>,
}

impl Targets {
    /// Notes that no row has an answer, before anything is sent: of a call that is interrupted nothing else is
    /// known, and what an earlier call left there is not this one's.
    fn begin(&self, py: Python<'_>, writes: impl Fn(usize) -> bool) -> PyResult<()> {
        for (at, item) in self.items.iter().enumerate() {
            records::fill(item.bind(py), py.None().into_bound(py), NO_RESPONSE, writes(at), None)?;
        }
        self.batch.setattr(py, intern!(py, "result"), NO_RESPONSE)
    }
}

impl Core {
    /// The client's policy for batches that write, overlaid by the call's.
    pub(crate) fn parent_policy(
        &self,
        py: Python<'_>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<BatchPolicy> {
        let policy = policy::batch(py, &self.config.policies.batch_parent_write, "batch policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        Ok(policy)
    }

    /// What a record of `batch_write` asks for.
    fn row_command(&self, item: &Bound<'_, PyAny>, parent: &BatchPolicy) -> PyResult<Command> {
        let py = item.py();
        let kind = item.getattr_opt(intern!(py, "kind"))?.and_then(|kind| kind.extract::<String>().ok());
        let policies = &self.config.policies;
        let policy = |name| Ok::<_, PyErr>(item.getattr_opt(name)?.filter(|value| !value.is_none()));
        match kind.as_deref() {
            Some("write") => {
                let operations = ops::encode_ops(&item.getattr(intern!(py, "ops"))?, self.config.bools)?;
                if !operations.writes {
                    return Err(param_error(py, "a Write has only reads; use Read for them".into()));
                }
                let given = policy(intern!(py, "policy"))?;
                let row = policy::row_write(py, &policies.batch_write, "batch write policy", given.as_ref())?;
                let row = row.of_row(py, policy(intern!(py, "meta"))?.as_ref())?;
                Command::operate(py, operations, &row, parent)
            }
            Some("remove") => {
                let given = policy(intern!(py, "policy"))?;
                let row =
                    policy::row_remove(py, &policies.batch_remove, "batch remove policy", given.as_ref())?;
                Command::remove(py, &row.of_row(py, None)?)
            }
            Some("read") => {
                let all_bins = item.getattr(intern!(py, "read_all_bins"))?.is_truthy()?;
                let list = policy(intern!(py, "ops"))?;
                let given = policy(intern!(py, "policy"))?;
                let modes = policy::row_read(py, parent, "batch read policy", given.as_ref())?;
                if let Some(settings) = Settings::new(py, "meta", policy(intern!(py, "meta"))?.as_ref())? {
                    settings.finish()?;
                }
                let operations = match list.filter(|list| list.len().is_ok_and(|len| len > 0)) {
                    Some(_) if all_bins => {
                        let message = "a Read has ops and read_all_bins; choose one of them";
                        return Err(param_error(py, message.into()));
                    }
                    Some(list) => ops::encode_ops(&list, self.config.bools)?,
                    None => Operations { all_bins, ..Operations::default() },
                };
                if operations.writes {
                    return Err(param_error(
                        py,
                        "a Read has operations that write; use Write for them".into(),
                    ));
                }
                Ok(Command::read(operations, &modes))
            }
            _ => {
                let found = described(item);
                Err(param_error(
                    py,
                    format!("it is {found}; it must be a Write, Read or Remove of aerospike_py.batch"),
                ))
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // what the commands above have in common
    fn run_batch(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        name: &'static str,
        arena: Arc<KeyArena>,
        commands: Vec<Command>,
        policy: BatchPolicy,
        targets: Option<Targets>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let raw = Arc::new(RawRows::new(arena.len()));
        let commands = Arc::new(Commands { arena: arena.clone(), commands });
        if let Some(targets) = &targets {
            targets.begin(py, |row| commands.writes(row))?;
        }
        let future = {
            let (arena, raw, ops) = (arena.clone(), raw.clone(), commands.clone());
            async move {
                let keys = Arc::new(arena.batch_keys()?);
                let digests = keys.clone();
                let batch = BatchOperate { name, ops, policy };
                cluster.batch_operate(keys, batch, raw).await.map(|()| digests)
            }
        };
        let finish = move |py: Python<'_>, outcome: Result<Arc<aero_io::BatchKeys>, aero_io::Error>| {
            let state = raw.finish();
            let writes = |row| commands.writes(row);
            let Some(Targets { batch, items }) = targets else {
                let digests = outcome.map_err(|error| io_error(py, &error))?;
                let mut made = Vec::with_capacity(arena.len());
                let result = rows::each(py, &arena, Some(&digests), &state, writes, |_, row| {
                    made.push(records::batch_record(py, row)?);
                    Ok(())
                })?;
                return records::batch_records(py, PyList::new(py, made)?, result);
            };
            // The rows say what became of them even where the call as a whole failed.
            let error = outcome.as_ref().err();
            let all_in_doubt = error.is_some_and(aero_io::Error::in_doubt);
            let digests = outcome.as_deref().ok();
            let result = rows::each(py, &arena, digests, &state, writes, |at, row| {
                let Some(item) = items.get(at) else { return Ok(()) };
                let is_open = state.rows().get(at).is_some_and(|row| !row.done);
                let in_doubt = row.in_doubt || (is_open && all_in_doubt && writes(at));
                records::fill(item.bind(py), row.record, row.code, in_doubt, row.error)
            })?;
            let result = error.map_or(result, aero_io::Error::code);
            batch.setattr(py, intern!(py, "result"), result)?;
            match error {
                None => Ok(batch),
                Some(error) => Err(io_error(py, error)),
            }
        };
        Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
    }
}
