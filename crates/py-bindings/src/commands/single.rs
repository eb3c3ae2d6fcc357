//! Commands on one record: put, get, select, exists, remove.

use aero_io::{Answer, Bins, Digest};
use pyo3::prelude::*;

use crate::args::convert::bin_names;
use crate::args::policy::{self, Read};
use crate::call::{Call, Completions, done};
use crate::core::{Core, LazyCluster};
use crate::keys::KeyArena;
use crate::python::errors::{RECORD_NOT_FOUND, about_record, param_error, record_error, refused_request};
use crate::results::{answer, records};
use crate::values::encode_bins;

#[pymethods]
impl Core {
    fn put(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        bins: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let write = policy::write(py, &self.config.policies.write, "write policy", policy)?;
        let arena = KeyArena::read_one(key)?;
        let key = arena.command_key(write.send_key);
        let digest = key.digest;
        let ops = encode_bins(bins, self.config.bools).or_else(|error| {
            let key = records::only_key(py, &arena, &digest)?;
            Err(about_record(py, error, &key, None))
        })?;
        let policy = write.with_meta(py, meta)?;
        let future = async move { cluster.get().await?.write(&key, &ops.write_ops()?, &policy).await };
        let finish = record_result(arena, digest, None, |py, _arena, _answer| done(py));
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    fn get(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let read = self.read_policy(py, policy)?;
        // As in the official client, the key that is returned says whether the primary key was sent.
        let keeps_key = read.send_key;
        read_record(py, completions, cluster, key, Bins::All, read, keeps_key)
    }

    fn select(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        bins: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let read = self.read_policy(py, policy)?;
        let Some(names) = bin_names(Some(bins))? else {
            let message = "bins is None; name the bins to select, or use get() for all of them";
            return Err(param_error(py, message.into()));
        };
        if names.is_empty() {
            let message = "bins is empty; name the bins to select, or use exists() for the header alone";
            return Err(refused_request(py, message.into()));
        }
        let bins = Bins::names(names);
        read_record(py, completions, cluster, key, bins, read, true)
    }

    fn exists(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let read = self.read_policy(py, policy)?;
        let arena = KeyArena::read_one(key)?;
        let key = arena.command_key(read.send_key);
        let digest = key.digest;
        let future = async move { cluster.get().await?.read(&key, &Bins::Header, &read.policy).await };
        let finish = move |py: Python<'_>, outcome: Result<Answer, aero_io::Error>| {
            let key = records::only_key(py, &arena, &digest)?;
            let meta = match outcome {
                Ok(answer) => answer::meta(py, &answer)?,
                Err(error) if error.code() == RECORD_NOT_FOUND => py.None().into_bound(py),
                Err(error) => return Err(record_error(py, &error, &key, None)),
            };
            Ok(records::exists(py, &key, &meta)?.unbind())
        };
        Call::new(future, finish).run(py, completions)
    }

    fn remove(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let write = policy::remove(py, &self.config.policies.remove, "remove policy", policy)?;
        let arena = KeyArena::read_one(key)?;
        let key = arena.command_key(write.send_key);
        let policy = write.with_meta(py, meta)?;
        let digest = key.digest;
        let future = async move { cluster.get().await?.delete(&key, &policy).await };
        let finish = record_result(arena, digest, None, |py, _arena, _answer| done(py));
        Call::new(future, finish).that_writes(true).run(py, completions)
    }
}

impl Core {
    /// The client's read policy, overridden by the call's.
    fn read_policy(&self, py: Python<'_>, policy: Option<&Bound<'_, PyAny>>) -> PyResult<Read> {
        let policy = policy::read(py, &self.config.policies.read, "read policy", policy)?;
        self.config.check_replica(py, policy.policy.limits.replica)?;
        Ok(policy)
    }
}

fn read_record(
    py: Python<'_>,
    completions: Option<&Completions>,
    cluster: LazyCluster,
    key: &Bound<'_, PyAny>,
    bins: Bins,
    read: Read,
    keeps_key: bool,
) -> PyResult<Py<PyAny>> {
    let arena = KeyArena::read_one(key)?;
    let key = arena.command_key(read.send_key);
    let digest = key.digest;
    let future = async move { cluster.get().await?.read(&key, &bins, &read.policy).await };
    let finish = record_result(arena, digest, None, move |py, arena, answer| {
        Ok(answer::record(py, arena, &digest, &answer, keeps_key)?.unbind())
    });
    Call::new(future, finish).run(py, completions)
}

/// Makes the `finish` of a command on one record: `convert` for its answer; for its error the exception, with the
/// record's key and the bin.
pub(crate) fn record_result(
    arena: KeyArena,
    digest: Digest,
    bin: Option<String>,
    convert: impl FnOnce(Python<'_>, &KeyArena, Answer) -> PyResult<Py<PyAny>> + Send + 'static,
) -> impl FnOnce(Python<'_>, Result<Answer, aero_io::Error>) -> PyResult<Py<PyAny>> + Send + 'static {
    move |py, outcome| match outcome {
        Ok(answer) => convert(py, &arena, answer),
        Err(error) => Err(record_error(py, &error, &records::only_key(py, &arena, &digest)?, bin.as_deref())),
    }
}
