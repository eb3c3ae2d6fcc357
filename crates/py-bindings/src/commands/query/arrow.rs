//! Queries into Arrow columns: as one result, or in blocks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aero_io::{Cluster, Error, Query, QueryProgress, QueryStopper};
use arrow_columns::{MetaRows, QueryBlock, QueryTable, RowValues, meta_part};
use pyo3::prelude::*;

use super::QueryPlace;
use crate::call::{Call, Completions, inherited_call};
use crate::commands::batch_read_arrow::ColumnArgs;
use crate::core::warned_fields::{ReadKind, WarnedFields};
use crate::python::errors::{client_error, io_error};
use crate::python::once::Once;
use crate::python::package::from_package;
use crate::python::process;
use crate::results::arrow as results;
use crate::results::arrow_rows::{ArrowQueryRows, ReadyColumns};
use crate::results::clock;
use crate::results::query_labels::QueryLabels;
use crate::results::row_meta::RowMeta;
use crate::results::summary::DescribedFailure;

/// Names of bins without a column that are kept, to be compared with those of missing columns.
const KEPT_NAMES: usize = 64;

/// The records of a query, in Arrow columns. One call at a time reads from it.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct ArrowStream {
    /// The process that the query runs in.
    generation: u32,
    cluster: Cluster,
    args: ColumnArgs,
    has_sets: bool,
    warned: Arc<WarnedFields>,
    kind: ReadKind,
    sink: Arc<ArrowQueryRows>,
    progress: QueryProgress,
    /// Where the query began.
    start: QueryPlace,
    state: Mutex<StreamState>,
}

#[derive(Default)]
struct StreamState {
    /// The query, until it is sent.
    query: Option<Query>,
    stopper: Option<QueryStopper>,
    /// The block that was given to Python last. It counts as taken when the next one is asked for; until the caller is
    /// known to have received it, it is given again, since a call can be cancelled after its outcome was taken.
    given: Option<GivenBlock>,
    /// Number of the last block.
    number: u64,
    /// The columns that no record of the blocks so far has a value for; `None` without a block.
    missing: Option<Vec<Box<str>>>,
    /// Names of bins without a column, up to [`KEPT_NAMES`].
    unmatched: Vec<String>,
}

struct GivenBlock {
    number: u64,
    result: Py<PyAny>,
    finished: Vec<u16>,
    last: Vec<aero_io::RecordPosition>,
}

/// (number, records, the first values that do not fit, error).
type Answer = (u64, Py<PyAny>, Option<Vec<DescribedFailure>>, Option<PyErr>);

impl ArrowStream {
    /// `rows`: the most rows of a block; `None` for all records in one result.
    pub(super) fn new(
        cluster: Cluster,
        query: Query,
        start: QueryPlace,
        args: ColumnArgs,
        rows: Option<usize>,
        warned: Arc<WarnedFields>,
    ) -> Self {
        let has_sets = query.space.set.is_empty();
        let wants_sets = has_sets || args.meta.contains(&arrow_columns::MetaColumn::Set);
        let has_keys = args.meta.contains(&arrow_columns::MetaColumn::Key);
        let table = QueryTable::new(
            args.plan.clone(),
            args.casting.casting,
            rows.unwrap_or(usize::MAX),
            (wants_sets, has_keys),
            clock::now(),
        );
        let names = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let space = (names(&query.space.namespace), names(&query.space.set));
        Self {
            generation: process::generation(),
            cluster,
            has_sets,
            warned,
            kind: ReadKind::new(args.plan.as_deref(), &[space]),
            args,
            sink: Arc::new(ArrowQueryRows::new(table, rows.is_none())),
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
    fn give(&self, py: Python<'_>, ready: ReadyColumns, error: Option<PyErr>) -> PyResult<Py<PyAny>> {
        let ReadyColumns { block, finished, last } = ready;
        let QueryBlock { plan, batches, report, digests, meta, labels, keys } = block;
        let set_names: Vec<Vec<u8>> = labels.sets.iter().map(|name| name.to_vec()).collect();
        // Rows are in order, so that each has the place of its own.
        let sets = |row: usize| {
            let place = labels.set_of.get(row).map_or(usize::MAX, |&(_, place)| place as usize);
            set_names.get(place).cloned().unwrap_or_default()
        };
        let rows = MetaRows { codes: None, meta: &meta, digests: &digests, sets: &sets };
        let mut keys = keys;
        let parts = self.args.meta.iter().map(|&column| {
            let keys = if column == arrow_columns::MetaColumn::Key { keys.take() } else { None };
            meta_part(column, &rows, keys)
        });
        let parts = parts.collect::<Result<Vec<_>, _>>().map_err(|error| results::arrow_error(&error))?;
        let table = results::table(&plan, batches, &parts).map_err(|error| results::arrow_error(&error))?;
        let (inexact, failure_count) = results::counts(py, &report)?;
        let records = python(py)?.bind(py).call1((
            table,
            Py::new(py, QueryLabels::new(labels, meta.len()))?,
            Py::new(py, RowMeta::new(meta, RowValues::default(), digests))?,
            self.has_sets,
            inexact,
            failure_count,
        ))?;
        let failures = (!self.args.casting.coerce && failure_count > 0).then(|| results::failures(&report));
        let mut state = self.state();
        state.missing = Some(match state.missing.take() {
            Some(before) => before.into_iter().filter(|name| report.missing.contains(name)).collect(),
            None => report.missing.clone(),
        });
        for name in results::unmatched(&report) {
            if state.unmatched.len() < KEPT_NAMES && !state.unmatched.contains(&name) {
                state.unmatched.push(name);
            }
        }
        state.number += 1;
        let number = state.number;
        let answer: Answer = (number, records.unbind(), failures, error);
        let result: Py<PyAny> = answer.into_pyobject(py)?.into_any().unbind();
        state.given = Some(GivenBlock { number, result: result.clone_ref(py), finished, last });
        Ok(result)
    }

    /// The end of the query, once all blocks were given: None, or its error.
    fn conclude(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.progress.finish(self.sink.take_finished());
        if let Some(failure) = self.sink.failure() {
            return Err(results::table_error(py, failure, &|row| format!("record {row} of the query")));
        }
        match self.sink.take_outcome() {
            Some(Err(error)) => Err(io_error(py, &error)),
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
struct EndsSink(Option<Arc<ArrowQueryRows>>);

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
impl ArrowStream {
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
                Some(block) => this.give(py, block, None),
                None => this.conclude(py),
            }
        };
        Call::new(future, finish).run_on_shared_runtime(py, completions)
    }

    /// All records in one result, and the error with which the query ended, if any.
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
            let Some(block) = this.sink.take() else { return this.conclude(py) };
            let error = match this.sink.take_outcome() {
                Some(Err(error)) => Some(io_error(py, &error)),
                _ => None,
            };
            let answer = this.give(py, block, error)?;
            this.progress.finish(this.sink.take_finished());
            Ok(answer)
        };
        Call::sealed_by(seal, future, finish).run(py, completions)
    }

    /// Columns without rows: the result of a query that has no records.
    fn empty(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let block = self.sink.take_empty();
        let block = block.map_err(|error| results::table_error(py, error, &|row| format!("record {row}")))?;
        self.give(py, ReadyColumns { block, finished: Vec::new(), last: Vec::new() }, None)
    }

    /// Where the query stands. The block with the number `taken`, if it is the last one, counts as taken.
    fn place(&self, py: Python<'_>, taken: u64) -> PyResult<QueryPlace> {
        self.refuse_inherited(py)?;
        _ = self.acknowledge(py, taken);
        let partitions = Arc::new(self.progress.partitions());
        Ok(QueryPlace { partitions, filter: self.start.filter.clone() })
    }

    /// After the last block: the columns that no record of any block has and that no earlier call has warned of, and
    /// names of bins without a column.
    fn missing(&self) -> (Vec<String>, Vec<String>) {
        let mut state = self.state();
        let mut missing = state.missing.take().unwrap_or_default();
        self.warned.retain_new(self.kind, &mut missing);
        self.warned.add(self.kind, missing.clone());
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

impl Drop for ArrowStream {
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

/// Makes an `ArrowRecords` of a query.
fn python(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static MAKE: Once<Py<PyAny>> = Once::new();
    MAKE.get_or_try_init(py, || Ok(from_package!(py, "arrow_query_records")?.unbind()))
}
