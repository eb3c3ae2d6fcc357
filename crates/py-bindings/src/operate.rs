//! Operations on a record's bins, and the commands that are one operation each.

use std::sync::Arc;

use aero_io::{Answer, Bins};
use pyo3::prelude::*;
use pyo3::types::PyList;
use wire_protocol::message::Ops;

use crate::batch_read::read_bins;
use crate::call::{Call, Completions};
use crate::core::Core;
use crate::errors::param_error;
use crate::keys::KeyArena;
use crate::ops::{self, Operations};
use crate::policy::{self, Operate};
use crate::records;
use crate::runtime::NothingToSeal;
use crate::single::{command_key, get, meta_of, of_record, record_of, write_ops};
use crate::values::{BinNames, bin_and_value};

/// What a command gives back.
#[derive(Clone, Copy)]
enum Gives {
    /// None.
    Nothing,
    /// A record with a dict of bins.
    Record,
    /// A record with a list of (bin, value), one for each result.
    Ordered,
}

#[pymethods]
impl Core {
    fn select(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        bins: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = self.read_policy(py, policy)?;
        let Some(names) = read_bins(Some(bins))? else {
            let message = "bins is None; name the bins to select, or use get() for all of them";
            return Err(param_error(py, message.into()));
        };
        let bins = if names.is_empty() { Bins::Header } else { Bins::names(names) };
        get(py, face, cluster, key, bins, policy)
    }

    #[allow(clippy::too_many_arguments)] // the command's own
    fn operate(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        list: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        ordered: bool,
    ) -> PyResult<Py<PyAny>> {
        let policy = self.operate_policy(py, policy)?;
        let gives = if ordered { Gives::Ordered } else { Gives::Record };
        let operations = ops::encode_ops(list, self.config.bools)?;
        self.run_operations(py, face, "operate", None, key, operations, meta, policy, gives)
    }

    /// Appends, prepends or adds: the operation of that number.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn change(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        operator: i64,
        key: &Bound<'_, PyAny>,
        bin: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let policy = self.operate_policy(py, policy)?;
        let (name, operations) = ops::encode_one(operator, bin, value)?;
        let bin = bin.extract::<String>().ok();
        self.run_operations(py, face, name, bin, key, operations, meta, policy, Gives::Nothing)
    }

    fn touch(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        val: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let policy = self.operate_policy(py, policy)?;
        // 0, the default, leaves it to meta and policy.
        let ttl = if val.is_none() { 0 } else { ops::read_ttl("touch", val)? };
        let operations = ops::encode_touch((ttl != 0).then_some(ttl));
        self.run_operations(py, face, "touch", None, key, operations, meta, policy, Gives::Nothing)
    }

    fn remove_bin(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        list: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let write = policy::write(py, &self.config.policies.write, "write policy", policy)?;
        let policy = Operate { write, ..Operate::default() };
        let operations = ops::encode_removals(list)?;
        self.run_operations(py, face, "remove_bin", None, key, operations, meta, policy, Gives::Nothing)
    }
}

impl Core {
    fn operate_policy(&self, py: Python<'_>, policy: Option<&Bound<'_, PyAny>>) -> PyResult<Operate> {
        let policy = policy::operate(py, &self.config.policies.operate, "operate policy", policy)?;
        self.config.check_replica(py, policy.write.policy.limits.replica)?;
        Ok(policy)
    }

    #[allow(clippy::too_many_arguments)] // what the commands above have in common
    fn run_operations(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        name: &'static str,
        bin: Option<String>,
        key: &Bound<'_, PyAny>,
        operations: Operations,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Operate,
        gives: Gives,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let arena = KeyArena::read_one(key)?;
        let key = command_key(&arena, policy.write.send_key);
        let policy = policy.with_meta(py, meta, operations.ttl)?;
        let digest = key.digest;
        let future = async move {
            let ops = write_ops(&operations.encoded)?;
            cluster.operate(name, &key, &ops, &policy).await
        };
        let finish = of_record(arena, digest, bin, move |py, arena, answer: Answer| {
            Ok(match gives {
                Gives::Nothing => py.None(),
                Gives::Record => record_of(py, arena, &digest, &answer)?.unbind(),
                Gives::Ordered => {
                    let key = records::only_key(py, arena, &digest)?;
                    let meta = meta_of(py, &answer)?;
                    records::ordered(py, &key, &meta, results(py, answer.ops())?.as_any())?.unbind()
                }
            })
        });
        Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
    }
}

/// The results of operations as (bin, value), in the server's order.
fn results<'py>(py: Python<'py>, ops: Ops<'_>) -> PyResult<Bound<'py, PyList>> {
    let (results, mut names) = (PyList::empty(py), BinNames::default());
    for (place, op) in ops.enumerate() {
        results.append(bin_and_value(py, &mut names, place, &op)?)?;
    }
    Ok(results)
}
