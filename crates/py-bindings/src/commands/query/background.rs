//! Operations of queries, background queries, and what nodes say about jobs.

use std::sync::Arc;

use aero_io::{BackgroundJob, InfoAnswers, QueryOps};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use wire_protocol::info::{self, JobStatus};

use super::{limit, space};
use crate::args::convert::one_word;
use crate::args::operations::encode_list;
use crate::args::policy;
use crate::args::predicate::QueryPredicate;
use crate::call::{Call, Completions, or_raise};
use crate::commands::functions::QueryFunction;
use crate::commands::info::info_error;
use crate::core::Core;
use crate::python::describe::describe;
use crate::python::errors::{RECORD_NOT_FOUND, client_error, io_error, param_error, type_error};

/// `JOB_STATUS_*`.
const IN_PROGRESS: i32 = 1;
const COMPLETED: i32 = 2;

/// Operations of a query, encoded.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryOperations {
    pub(super) encoded: Arc<QueryOps>,
    reads: bool,
    writes: bool,
    /// The time to live that a `touch` among them sets.
    ttl: Option<u32>,
}

impl QueryOperations {
    /// Fails if one of them writes.
    pub(super) fn check_reads(&self, py: Python<'_>) -> PyResult<()> {
        if self.writes {
            let message = "the query has operations that write; use execute_background() for them, and only \
                           operations that read here";
            return Err(param_error(py, message.into()));
        }
        Ok(())
    }
}

#[pymethods]
impl Core {
    /// Operations for a query, checked and encoded.
    fn query_operations(&self, list: &Bound<'_, PyAny>) -> PyResult<QueryOperations> {
        let operations = encode_list(list, self.config.values())?;
        if operations.all_bins {
            let message = "operations read all bins; run the query without add_ops() for that";
            return Err(param_error(list.py(), message.into()));
        }
        Ok(QueryOperations {
            encoded: Arc::new(QueryOps {
                count: operations.encoded.count.into(),
                bytes: operations.encoded.bytes,
            }),
            reads: operations.reads,
            writes: operations.writes,
            ttl: operations.ttl,
        })
    }

    /// Starts a background query at all nodes; returns its identifier.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn query_background(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        namespace: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyAny>>,
        predicate: Option<&QueryPredicate>,
        operations: Option<&QueryOperations>,
        function: Option<&QueryFunction>,
        policy: Option<&Bound<'_, PyAny>>,
        records_per_second: &Bound<'_, PyAny>,
        ttl: u32,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let space = space(namespace, set)?;
        match (operations, function) {
            (None, None) => {
                let message = "execute_background: the query has no operations and no function; pass them to add_ops() \
                               or apply() first";
                return Err(param_error(py, message.into()));
            }
            (Some(_), Some(_)) => {
                let message =
                    "execute_background: the query has operations and a function; make a query for each";
                return Err(param_error(py, message.into()));
            }
            _ => {}
        }
        if operations.is_some_and(|operations| operations.reads) {
            let message = "execute_background: the query has operations that read, whose results nobody would get; \
                           pass only operations that write to add_ops()";
            return Err(param_error(py, message.into()));
        }
        let mut policy = policy::background(py, &self.config.policies.write, "write policy", policy)?;
        // The query's time to live, unless it is the namespace's default or the client's.
        if ttl != 0 && ttl != crate::args::convert::CLIENT_DEFAULT_TTL {
            policy.ttl = ttl;
        }
        if let Some(ttl) = operations.and_then(|operations| operations.ttl) {
            policy.ttl = ttl;
        }
        let job = BackgroundJob {
            space,
            predicate: predicate.map(|predicate| Arc::clone(&predicate.0)),
            operations: operations.map(|operations| (*operations.encoded).clone()).unwrap_or_default(),
            function: function.map(|function| function.0.clone()),
            policy,
            records_per_second: limit("records_per_second", records_per_second)? as u32,
        };
        let future = async move { cluster.get().await?.execute_background(&job).await };
        let finish = or_raise(|py, id: u64| Ok(id.into_pyobject(py)?.into_any().unbind()));
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    /// How far a background job is, over all nodes.
    fn job_info(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        job_id: &Bound<'_, PyAny>,
        module: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let Ok(id) = job_id.extract::<u64>() else {
            let message = format!(
                "job_info() argument 1 must be int: job_id is {}; pass the number that execute_background() returned",
                describe(job_id)
            );
            return Err(type_error(py, message));
        };
        one_word("module", module, &[("query", ()), ("scan", ())])?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let command = info::show_query(id);
        let future = async move { cluster.get().await?.info_within(None, &[&command], timeout).await };
        let finish = or_raise(|py, nodes: Vec<InfoAnswers>| summary(py, &nodes));
        Call::new(future, finish).run(py, completions)
    }
}

/// The progress of a job: of the node that is farthest behind, with the records of all of them.
fn summary(py: Python<'_>, nodes: &[InfoAnswers]) -> PyResult<Py<PyAny>> {
    let mut found = Vec::new();
    for (node, answers) in nodes {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => return Err(io_error(py, error)),
        };
        let answer = answers.first().map_or("", |(_, answer)| answer.as_str());
        match info::error_of(answer) {
            Some((code, _)) if i32::from(code) == RECORD_NOT_FOUND => {}
            Some(_) => return Err(info_error(py, "job_info", node, answer)),
            None => found.push(JobStatus::parse(answer).map_err(|error| {
                client_error(py, format!("job_info: the answer of node {node} cannot be read: {error}"))
            })?),
        }
    }
    let progress = found.iter().map(|job| job.progress as i64).min().unwrap_or(0);
    let records = found.iter().fold(0u64, |sum, job| sum.saturating_add(job.records));
    let dict = PyDict::new(py);
    dict.set_item("progress_pct", progress)?;
    dict.set_item("records_read", records)?;
    let is_active = found.iter().any(|job| job.is_active);
    dict.set_item("status", if is_active { IN_PROGRESS } else { COMPLETED })?;
    Ok(dict.into_any().unbind())
}
