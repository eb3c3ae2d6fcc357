//! Operations on one record, and the commands that are one operation each: append, prepend, increment, touch,
//! remove_bin.

use aero_io::Answer;
use pyo3::prelude::*;

use crate::args::convert::time_to_live;
use crate::args::operations::{self, Operations};
use crate::args::policy::{self, Operate};
use crate::call::{Call, Completions, done};
use crate::commands::single::record_result;
use crate::core::Core;
use crate::keys::KeyArena;
use crate::python::errors::{CLIENT, with_code};
use crate::results::answer;

/// What a command returns.
#[derive(Clone, Copy)]
enum Returns {
    Nothing,
    /// A record with a dict of bins.
    Record,
    /// A record with a list of (bin, value), one per result.
    OrderedRecord,
}

#[pymethods]
impl Core {
    #[allow(clippy::too_many_arguments)] // the command's own
    fn operate(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        list: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        ordered: bool,
    ) -> PyResult<Py<PyAny>> {
        let policy = self.operate_policy(py, policy)?;
        let returns = if ordered { Returns::OrderedRecord } else { Returns::Record };
        let operations = operations::encode_list(list, self.config.values())?;
        self.run_operations(py, completions, "operate", None, key, operations, meta, policy, returns)
    }

    /// Appends, prepends or increments: the operation with the number `operator`.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn change(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        operator: i64,
        key: &Bound<'_, PyAny>,
        bin: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let policy = self.operate_policy(py, policy)?;
        let (name, bin, operations) = operations::encode_one(operator, bin, value, self.config.values())?;
        self.run_operations(py, completions, name, Some(bin), key, operations, meta, policy, Returns::Nothing)
    }

    fn touch(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        val: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let policy = self.operate_policy(py, policy)?;
        // 0, the default, leaves the time to live to `meta` and `policy`.
        let ttl = if val.is_none() { None } else { time_to_live("val", val)? };
        let operations = operations::encode_touch(ttl.filter(|&ttl| ttl != 0));
        self.run_operations(py, completions, "touch", None, key, operations, meta, policy, Returns::Nothing)
    }

    fn remove_bin(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        list: &Bound<'_, PyAny>,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let write = policy::write(py, &self.config.policies.write, "write policy", policy);
        // The official client has this code for the policy of this command alone.
        let write = write.map_err(|error| with_code(py, error, CLIENT))?;
        let policy = Operate { write, ..Operate::default() };
        let operations = operations::encode_removals(list)?;
        self.run_operations(
            py,
            completions,
            "remove_bin",
            None,
            key,
            operations,
            meta,
            policy,
            Returns::Nothing,
        )
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
        completions: Option<&Completions>,
        name: &'static str,
        bin: Option<String>,
        key: &Bound<'_, PyAny>,
        operations: Operations,
        meta: Option<&Bound<'_, PyAny>>,
        policy: Operate,
        returns: Returns,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let arena = KeyArena::read_one(key)?;
        let key = arena.command_key(policy.write.send_key);
        let policy = policy.with_meta(py, meta, &operations)?;
        let digest = key.digest;
        let writes = operations.writes || !operations.reads;
        let future = async move {
            let ops = operations.encoded.write_ops()?;
            cluster.get().await?.operate(name, &key, &ops, &policy).await
        };
        let finish = record_result(arena, digest, bin, move |py, arena, answer: Answer| {
            Ok(match returns {
                Returns::Nothing => done(py)?,
                Returns::Record => answer::record(py, arena, &digest, &answer, true)?.unbind(),
                Returns::OrderedRecord => answer::ordered_record(py, arena, &digest, &answer)?.unbind(),
            })
        });
        Call::new(future, finish).that_writes(writes).run(py, completions)
    }
}
