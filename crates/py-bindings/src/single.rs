//! Commands on one record.

use std::sync::Arc;

use aero_io::{Answer, Bins, Cluster, Key, OwnedKey, Space, WriteOp};
use pyo3::prelude::*;
use wire_protocol::digest::{Digest, UserKey};
use wire_protocol::message::Ops;

use crate::call::{Call, Completions};
use crate::clock;
use crate::core::Core;
use crate::errors::{about_record, record_error};
use crate::keys::KeyArena;
use crate::policy::{self, Read, Write};
use crate::records;
use crate::runtime::NothingToSeal;
use crate::values::{BinNames, Bools, EncodedOps, bins_dict, encode_bins};

/// Result code of a record that is not there.
const NOT_FOUND: i32 = wire_protocol::ResultCode::RECORD_NOT_FOUND.get() as i32;

/// The key of a command; its digest is computed here, for one key costs less than a trip to another
/// thread.
pub(crate) fn command_key(arena: &KeyArena, send: bool) -> Key {
    let (namespace, set) = arena.space(0);
    let send = if send { arena.user_key(0).map(owned) } else { None };
    Key { space: Space::new(namespace, set), digest: arena.digest(0), send }
}

fn owned(key: UserKey<'_>) -> OwnedKey {
    match key {
        UserKey::Int(value) => OwnedKey::Int(value),
        UserKey::Str(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => OwnedKey::Str(text.into()),
            Err(_) => OwnedKey::Blob(bytes.into()),
        },
        UserKey::Blob(bytes) => OwnedKey::Blob(bytes.into()),
    }
}

#[pymethods]
impl Core {
    fn put(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        bins: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let write = policy::write(py, &self.config.policies.write, "write policy", policy)?;
        put(py, face, cluster, key, bins, self.config.bools, meta, write)
    }

    fn get(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = self.read_policy(py, policy)?;
        get(py, face, cluster, key, Bins::All, policy)
    }

    fn exists(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = self.read_policy(py, policy)?;
        exists(py, face, cluster, key, policy)
    }

    fn remove(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let write = policy::remove(py, &self.config.policies.remove, "remove policy", policy)?;
        remove(py, face, cluster, key, meta, write)
    }
}

impl Core {
    /// The client's read policy overlaid by the call's.
    pub(crate) fn read_policy(&self, py: Python<'_>, policy: Option<&Bound<'_, PyAny>>) -> PyResult<Read> {
        let policy = policy::read(py, &self.config.policies.read, "read policy", policy)?;
        self.config.check_replica(py, policy.policy.limits.replica)?;
        Ok(policy)
    }
}

/// Turns the outcome of a command on one record into an error, which says of which record and bin it is, or into
/// a value.
pub(crate) fn of_record(
    arena: KeyArena,
    digest: Digest,
    bin: Option<String>,
    finish: impl FnOnce(Python<'_>, &KeyArena, Answer) -> PyResult<Py<PyAny>> + Send + 'static,
) -> impl FnOnce(Python<'_>, Result<Answer, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static {
    move |py, outcome| match outcome {
        Ok(answer) => finish(py, &arena, answer),
        Err(error) => Err(record_error(py, &error, &records::only_key(py, &arena, &digest)?, bin.as_deref())),
    }
}

/// The record of an answer.
pub(crate) fn record_of<'py>(
    py: Python<'py>,
    arena: &KeyArena,
    digest: &Digest,
    answer: &Answer,
) -> PyResult<Bound<'py, PyAny>> {
    let key = records::only_key(py, arena, digest)?;
    let meta = meta_of(py, answer)?;
    let bins = bins_dict(py, &mut BinNames::default(), answer.ops())?;
    records::record(py, &key, &meta, bins.as_any())
}

/// Reads a record.
pub(crate) fn get(
    py: Python<'_>,
    face: Option<&Completions>,
    cluster: Cluster,
    key: &Bound<'_, PyAny>,
    bins: Bins,
    read: Read,
) -> PyResult<Py<PyAny>> {
    let arena = KeyArena::read_one(key)?;
    let key = command_key(&arena, read.send_key);
    let digest = key.digest;
    let future = async move { cluster.read(&key, &bins, &read.policy).await };
    let finish = of_record(arena, digest, None, move |py, arena, answer| {
        Ok(record_of(py, arena, &digest, &answer)?.unbind())
    });
    Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
}

/// Looks whether a record is there.
fn exists(
    py: Python<'_>,
    face: Option<&Completions>,
    cluster: Cluster,
    key: &Bound<'_, PyAny>,
    read: Read,
) -> PyResult<Py<PyAny>> {
    let arena = KeyArena::read_one(key)?;
    let key = command_key(&arena, read.send_key);
    let digest = key.digest;
    let future = async move { cluster.read(&key, &Bins::Header, &read.policy).await };
    let finish = move |py: Python<'_>, outcome: Result<Answer, aero_io::Error>| {
        let key = records::only_key(py, &arena, &digest)?;
        let meta = match outcome {
            Ok(answer) => meta_of(py, &answer)?,
            Err(error) if error.code() == NOT_FOUND => py.None().into_bound(py),
            Err(error) => return Err(record_error(py, &error, &key, None)),
        };
        Ok(records::exists(py, &key, &meta)?.unbind())
    };
    Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
}

pub(crate) fn meta_of<'py>(py: Python<'py>, answer: &Answer) -> PyResult<Bound<'py, PyAny>> {
    let ttl = clock::seconds_left(answer.void_time, clock::now());
    Ok(records::meta(py, answer.generation, ttl)?.into_any())
}

/// Writes bins of a record.
#[allow(clippy::too_many_arguments)] // the command's own
fn put(
    py: Python<'_>,
    face: Option<&Completions>,
    cluster: Cluster,
    key: &Bound<'_, PyAny>,
    bins: &Bound<'_, PyAny>,
    bools: Bools,
    meta: Option<&Bound<'_, PyAny>>,
    write: Write,
) -> PyResult<Py<PyAny>> {
    let arena = KeyArena::read_one(key)?;
    let key = command_key(&arena, write.send_key);
    let digest = key.digest;
    let ops = encode_bins(bins, bools).or_else(|error| {
        let key = records::only_key(py, &arena, &digest)?;
        Err(about_record(py, error, &key, None))
    })?;
    let policy = write.with_meta(py, meta)?;
    let future = async move {
        let ops = write_ops(&ops)?;
        cluster.write(&key, &ops, &policy).await
    };
    let finish = of_record(arena, digest, None, |py, _arena, _answer| Ok(py.None()));
    Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
}

/// Encoded operations as the network core takes them.
pub(crate) fn write_ops(ops: &EncodedOps) -> Result<Vec<WriteOp<'_>>, aero_io::Error> {
    let mut read = Vec::with_capacity(ops.count.into());
    for op in Ops::over(&ops.bytes) {
        let value =
            op.particle().map_err(|error| aero_io::Error::Param { what: format!("a value: {error}") })?;
        read.push(WriteOp { code: op.code, name: op.name, value });
    }
    Ok(read)
}

/// Deletes a record.
fn remove(
    py: Python<'_>,
    face: Option<&Completions>,
    cluster: Cluster,
    key: &Bound<'_, PyAny>,
    meta: Option<&Bound<'_, PyAny>>,
    write: Write,
) -> PyResult<Py<PyAny>> {
    let arena = KeyArena::read_one(key)?;
    let key = command_key(&arena, write.send_key);
    let policy = write.with_meta(py, meta)?;
    let digest = key.digest;
    let future = async move { cluster.delete(&key, &policy).await };
    let finish = of_record(arena, digest, None, |py, _arena, _answer| Ok(py.None()));
    Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
}
