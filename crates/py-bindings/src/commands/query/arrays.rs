//! Queries into NumPy arrays: as one array, or in blocks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aero_io::{Bins, Cluster, Error, Query, QueryProgress, QueryStopper};
use pyo3::prelude::*;
use record_decode::{Plan, missing_in_both};

use super::QueryPlace;
use crate::arrays::space::{RowSpace, SpaceSettings, UsersArray, no_memory};
use crate::call::{Call, Completions, inherited_call};
use crate::core::warned_fields::{ReadKind, WarnedFields};
use crate::python::errors::{client_error, io_error};
use crate::python::process;
use crate::results::clock;
use crate::results::numpy_query::{self, QueryResult};
use crate::results::query_rows::{Form, QueryRows, ReadyBlock};
use crate::results::summary::DescribedFailure;

/// Names of bins without a field that are kept, to be compared with those of missing fields.
const KEPT_NAMES: usize = 64;

/// What a query into arrays is made of, besides the query.
pub(super) struct Target {
    pub(super) dtype: Py<PyAny>,
    pub(super) plan: Arc<Plan>,
    /// Whether values that do not fit are no error.
    pub(super) coerce: bool,
    /// Rows of a block; `None` for all records in one array.
    pub(super) rows: Option<usize>,
    pub(super) out: Option<UsersArray>,
    pub(super) warned: Arc<WarnedFields>,
}

/// The records of a query, in arrays. One call at a time reads from it.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct NumpyStream {
    /// The process that the query runs in.
    generation: u32,
    cluster: Cluster,
    target: Target,
    kind: ReadKind,
    sink: Arc<QueryRows>,
    progress: QueryProgress,
    /// Where the query began.
    start: QueryPlace,
    state: Mutex<StreamState>,
}

impl StreamState {
    /// Takes note of the fields that no record of a block has.
    fn note_missing(&mut self, missing: Vec<Box<str>>, unmatched: &[String]) {
        self.missing = Some(match &self.missing {
            Some(before) => missing_in_both(before, &missing),
            None => missing,
        });
        for name in unmatched {
            if self.unmatched.len() < KEPT_NAMES && !self.unmatched.contains(name) {
                self.unmatched.push(name.clone());
            }
        }
    }
}

#[derive(Default)]
struct StreamState {
    /// The query, until it is sent.
    query: Option<Query>,
    stopper: Option<QueryStopper>,
    /// The block that was given to Python last.
    given: Option<GivenBlock>,
    /// Number of the last block.
    number: u64,
    /// The fields that no record of the blocks so far has; `None` without a block.
    missing: Option<Vec<Box<str>>>,
    /// Names of bins without a field, up to [`KEPT_NAMES`].
    unmatched: Vec<String>,
}

/// A block that was made into Python objects. It counts as taken when the next one is asked for; until the caller is
/// known to have received it, it is given again, since a call can be cancelled after its outcome was taken.
struct GivenBlock {
    number: u64,
    result: Py<PyAny>,
    finished: Vec<u16>,
    last: Vec<aero_io::RecordPosition>,
}

/// (number, records, missing fields, names of bins without a field, the first values that do not fit, error).
type Answer = (u64, Py<PyAny>, Vec<String>, Vec<String>, Option<Vec<DescribedFailure>>, Option<PyErr>);

impl NumpyStream {
    pub(super) fn new(cluster: Cluster, query: Query, start: QueryPlace, target: Target) -> Self {
        let form = match (target.rows, &target.out) {
            (None, _) => Form::Whole,
            (Some(_), Some(_)) => Form::Out,
            (Some(rows), None) => Form::Blocks(rows),
        };
        let has_sets = query.space.set.is_empty();
        let settings = SpaceSettings { plan: Arc::clone(&target.plan), now: clock::now(), has_sets };
        let names = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let space = (names(&query.space.namespace), names(&query.space.set));
        Self {
            generation: process::generation(),
            cluster,
            kind: ReadKind::new(Some(&*target.plan), &[space]),
            target,
            sink: Arc::new(QueryRows::new(settings, form)),
            progress: QueryProgress::new(query.partitions.clone()),
            start,
            state: Mutex::new(StreamState { query: Some(query), ..StreamState::default() }),
        }
    }

    fn state(&self) -> MutexGuard<'_, StreamState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is a forked child's copy of a query that runs in its parent, or has lost its descriptors.
    fn is_inherited(&self) -> bool {
        process::check_descriptors();
        self.generation != process::generation()
    }

    fn refuse_inherited(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_inherited() {
            return Err(client_error(py, inherited_call(self.generation)));
        }
        Ok(())
    }

    /// Counts the last block as taken, if the caller has received it. Otherwise returns it, to be given again.
    fn acknowledge(&self, py: Python<'_>, received: u64) -> Option<Py<PyAny>> {
        let mut state = self.state();
        let given = state.given.take()?;
        if given.number != received {
            let again = given.result.clone_ref(py);
            state.given = Some(given);
            return Some(again);
        }
        self.progress.took(given.last);
        self.progress.finish(given.finished);
        None
    }

    /// Makes a block into Python objects.
    fn give(&self, py: Python<'_>, block: Option<ReadyBlock>, error: Option<PyErr>) -> PyResult<Py<PyAny>> {
        let (rows, finished, last) = match block {
            Some(ReadyBlock { rows, finished, last }) => (rows, finished, last),
            None => {
                let rows = RowSpace::new(self.sink.settings(), 1).and_then(RowSpace::finish);
                (rows.ok_or_else(|| self.memory_error(0))?, Vec::new(), Vec::new())
            }
        };
        let has_sets = self.sink.settings().has_sets;
        let result = numpy_query::wrap(py, rows, self.target.dtype.bind(py), &self.target.plan, has_sets)?;
        let QueryResult { records, mut missing, unmatched, failures } = result;
        let mut state = self.state();
        if self.target.rows.is_some() {
            // A block is not all records: another one may have the field.
            state.note_missing(std::mem::take(&mut missing), &unmatched);
        } else if !missing.is_empty() {
            self.target.warned.retain_new(self.kind, &mut missing);
            self.target.warned.add(self.kind, missing.clone());
        }
        state.number += 1;
        let number = state.number;
        let missing = missing.into_iter().map(String::from).collect();
        let failures = (!self.target.coerce && !failures.is_empty()).then_some(failures);
        let answer: Answer = (number, records, missing, unmatched, failures, error);
        let result: Py<PyAny> = answer.into_pyobject(py)?.into_any().unbind();
        state.given = Some(GivenBlock { number, result: result.clone_ref(py), finished, last });
        Ok(result)
    }

    fn memory_error(&self, rows: usize) -> PyErr {
        no_memory(self.target.plan.schema().itemsize(), rows)
    }

    /// The end of the query, once all blocks were given: None, or its error.
    fn conclude(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.progress.finish(self.sink.take_finished());
        match self.sink.take_outcome() {
            Some(Err(error)) => Err(io_error(py, &error)),
            _ if self.sink.is_out_of_memory() => Err(self.memory_error(0)),
            _ => Ok(py.None()),
        }
    }

    /// Sends the query, as a task that writes into the sink.
    fn begin(&self) {
        let mut state = self.state();
        let Some(query) = state.query.take() else { return };
        let (sink, ended) = (Arc::clone(&self.sink), EndsSink(Some(Arc::clone(&self.sink))));
        state.stopper = Some(self.cluster.spawn_query_into(query, sink, move |outcome| ended.end(outcome)));
    }
}

/// Tells a sink that its query has ended, also if the query panicked or was stopped.
struct EndsSink(Option<Arc<QueryRows>>);

impl EndsSink {
    fn end(mut self, outcome: Result<(), Error>) {
        if let Some(sink) = self.0.take() {
            sink.end(outcome);
        }
    }
}

impl Drop for EndsSink {
    fn drop(&mut self) {
        if let Some(sink) = self.0.take() {
            sink.end(Err(Error::Closed { in_doubt: false }));
        }
    }
}

#[pymethods]
impl NumpyStream {
    /// The next block; None after the last. `received` is the number of the last block that the caller has received; 0
    /// before the first.
    fn next_block(
        slf: Bound<'_, Self>,
        py: Python<'_>,
        completions: Option<&Completions>,
        received: u64,
    ) -> PyResult<Py<PyAny>> {
        let this = slf.get();
        this.refuse_inherited(py)?;
        let again = this.acknowledge(py, received);
        if again.is_none()
            && let Some(out) = &this.target.out
        {
            let rows = this.target.rows.unwrap_or(out.len);
            this.sink.offer(|| RowSpace::over(py, this.sink.settings(), out, rows));
        }
        let (sink, stream) = (Arc::clone(&this.sink), slf.clone().unbind());
        let is_given = again.is_some();
        let starter = slf.clone().unbind();
        let future = async move {
            if !is_given {
                starter.get().begin();
                sink.ready().await;
            }
            Ok(())
        };
        let finish = move |py: Python<'_>, outcome: Result<(), Error>| {
            if let Err(error) = outcome {
                return Err(io_error(py, &error));
            }
            if let Some(again) = again {
                return Ok(again);
            }
            let this = stream.get();
            match this.sink.take() {
                Some(block) => this.give(py, Some(block), None),
                None => this.conclude(py),
            }
        };
        Call::new(future, finish).run_on_shared_runtime(py, completions)
    }

    /// All records in one array, and the error with which the query ended, if any.
    fn all(slf: Bound<'_, Self>, py: Python<'_>, completions: Option<&Completions>) -> PyResult<Py<PyAny>> {
        let this = slf.get();
        this.refuse_inherited(py)?;
        let Some(query) = this.state().query.take() else {
            return Err(client_error(py, "this query was sent already".into()));
        };
        let (cluster, sink, stream) = (this.cluster.clone(), Arc::clone(&this.sink), slf.clone().unbind());
        let seal = Arc::clone(&sink);
        let future = async move {
            let outcome = cluster.query_into(query, Arc::clone(&sink)).await;
            sink.end(outcome);
            Ok(())
        };
        let finish = move |py: Python<'_>, outcome: Result<(), Error>| {
            if let Err(error) = outcome {
                return Err(io_error(py, &error));
            }
            let this = stream.get();
            let block = this.sink.take();
            let rows = block.as_ref().map_or(0, |block| block.rows.rows.len);
            let error = match this.sink.take_outcome() {
                Some(Err(error)) => Some(io_error(py, &error)),
                _ if this.sink.is_out_of_memory() => Some(this.memory_error(rows)),
                _ => None,
            };
            let answer = this.give(py, block, error)?;
            this.progress.finish(this.sink.take_finished());
            Ok(answer)
        };
        Call::sealed_by(seal, future, finish).run(py, completions)
    }

    /// Where the query stands. The block with the number `taken`, if it is the last one, counts as taken.
    fn place(&self, py: Python<'_>, taken: u64) -> PyResult<QueryPlace> {
        self.refuse_inherited(py)?;
        _ = self.acknowledge(py, taken);
        let partitions = Arc::new(self.progress.partitions());
        Ok(QueryPlace { partitions, filter: self.start.filter.clone() })
    }

    /// After the last block: the fields that no record of any block has and that no earlier call has warned of, and names
    /// of bins without a field.
    fn missing(&self) -> (Vec<String>, Vec<String>) {
        let mut state = self.state();
        let mut missing = state.missing.take().unwrap_or_default();
        self.target.warned.retain_new(self.kind, &mut missing);
        self.target.warned.add(self.kind, missing.clone());
        (missing.into_iter().map(String::from).collect(), std::mem::take(&mut state.unmatched))
    }

    /// Ends the query and closes its connections. A call that waits for a block gets None.
    fn close(&self) {
        if self.is_inherited() {
            return;
        }
        self.sink.close();
        if let Some(stopper) = &self.state().stopper {
            stopper.stop();
        }
    }
}

impl Drop for NumpyStream {
    fn drop(&mut self) {
        if self.is_inherited() {
            // Leaked on purpose: its sockets are shared with the parent.
            let stopper = self.state().stopper.clone();
            std::mem::forget((Arc::clone(&self.sink), self.cluster.clone(), stopper));
            return;
        }
        self.close();
    }
}

/// The bins to ask for; no bins at all is the record's header.
pub(super) fn bins_of(plan: &Plan) -> Bins {
    match Bins::names(plan.bin_names().map(str::as_bytes)) {
        Bins::Names(names) if names.is_empty() => Bins::Header,
        bins => bins,
    }
}
