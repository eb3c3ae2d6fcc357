//! The records of a query, in lists.

use std::sync::{Arc, MutexGuard, PoisonError};

use aero_io::{Cluster, Query, QueryProgress, QueryStopper, RecordBlock, RecordPosition, RecordStream};
use futures_util::lock::{Mutex, OwnedMutexGuard};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::QueryPlace;
use crate::call::{Call, Completions, inherited_call, or_raise};
use crate::python::errors::client_error;
use crate::python::process;
use crate::results::clock;
use crate::results::query_records::RecordMaker;
use crate::values::Unreadable;

/// The records of a query. One call at a time reads from it; others wait for their turn.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryStream {
    /// The process that the query runs in.
    generation: u32,
    reader: Arc<Mutex<Reader>>,
    delivered: Arc<Delivered>,
    stopper: QueryStopper,
    /// Where the query began.
    start: QueryPlace,
}

/// The stream, and the block of it that is being given to Python. A call that is cancelled leaves both here for the
/// next one, so no record is lost.
struct Reader {
    stream: RecordStream,
    block: RecordBlock,
    /// The first record of the block that is in no list that Python has received.
    at: usize,
    delivered: Arc<Delivered>,
}

/// The records of the last list, and how many of them were taken.
///
/// A query stands behind the last record that was taken, not behind the last that was read: a page that is left in the
/// middle continues in the middle. Kept outside of the reader's lock, so that asking where a query stands does not wait
/// for a call that reads.
struct Delivered {
    progress: QueryProgress,
    list: std::sync::Mutex<DeliveredList>,
}

#[derive(Default)]
struct DeliveredList {
    /// Tells lists apart; 0 before the first.
    number: u64,
    /// All records of the list in order, also those that cannot be converted.
    positions: Vec<RecordPosition>,
    /// For each record that cannot be converted: how many others are before it.
    failed: Vec<usize>,
    /// How many of `positions` were reported to `progress`.
    noted: usize,
}

impl DeliveredList {
    /// How many of `positions` are passed once so many records were taken. A record that cannot be converted is passed
    /// with the record before it.
    fn passed(&self, taken: usize) -> usize {
        let failed = self.failed.partition_point(|&before| before <= taken);
        taken.saturating_add(failed).min(self.positions.len())
    }
}

impl Delivered {
    fn lock(&self) -> MutexGuard<'_, DeliveredList> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, list: &mut DeliveredList, passed: usize) {
        self.progress.took(list.positions.get(list.noted..passed).unwrap_or_default().iter().copied());
        list.noted = passed.max(list.noted);
    }

    /// Reports that the first `taken` records of a list were taken. Reporting fewer than before changes nothing, nor
    /// does a list that is not the last one.
    fn note_taken(&self, number: u64, taken: usize) {
        let mut list = self.lock();
        if list.number == number {
            let passed = list.passed(taken);
            self.note(&mut list, passed);
        }
    }

    /// Reports that all records of the last list were taken, if it is the last one that Python has received. Returns
    /// how many records of the block these are: 0 if a call was interrupted before its list reached Python. The same
    /// records are then given again.
    fn acknowledge(&self, received: u64) -> usize {
        let mut list = self.lock();
        if list.number != received {
            return 0;
        }
        let all = list.positions.len();
        self.note(&mut list, all);
        (list.positions, list.failed, list.noted) = (Vec::new(), Vec::new(), 0);
        all
    }

    /// Keeps the records of a new list; returns its number.
    fn replace(&self, positions: Vec<RecordPosition>, failed: Vec<usize>) -> u64 {
        let mut list = self.lock();
        let number = list.number + 1;
        *list = DeliveredList { number, positions, failed, noted: 0 };
        number
    }
}

/// A list of records for Python: its number, the records, and the position and exception of each record that cannot be
/// converted, or None.
type RecordList<'py> = (u64, Bound<'py, PyList>, Option<Vec<(usize, PyErr)>>);

impl Reader {
    /// Reads a block if the last one is used up; false at the end of the query.
    async fn fill(&mut self, received: u64) -> Result<bool, aero_io::Error> {
        self.at += self.delivered.acknowledge(received);
        if self.at < self.block.len() {
            return Ok(true);
        }
        (self.block, self.at) = (RecordBlock::default(), 0);
        match self.stream.next().await? {
            Some(block) => self.block = block,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The block's records as Python objects.
    fn make_list<'py>(&self, py: Python<'py>) -> PyResult<RecordList<'py>> {
        let (mut positions, mut failed, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        let list = PyList::empty(py);
        let mut maker = RecordMaker::default();
        let now = clock::now();
        for record in self.block.records().skip(self.at) {
            match maker.make(py, &record, now) {
                Ok(made) => list.append(made)?,
                // One record costs itself only.
                Err(Unreadable::Value(error)) => {
                    failed.push(list.len());
                    failures.push((list.len(), error));
                }
                Err(Unreadable::Python(error)) => return Err(error),
            }
            positions.push(RecordPosition::of(&record));
        }
        let number = self.delivered.replace(positions, failed);
        Ok((number, list, if failures.is_empty() { None } else { Some(failures) }))
    }
}

impl QueryStream {
    pub(super) fn new(cluster: &Cluster, query: Query, start: QueryPlace) -> Self {
        let stream = cluster.query(query);
        let stopper = stream.stopper().clone();
        let delivered =
            Arc::new(Delivered { progress: stream.progress().clone(), list: std::sync::Mutex::default() });
        let reader =
            Reader { stream, block: RecordBlock::default(), at: 0, delivered: Arc::clone(&delivered) };
        Self {
            generation: process::generation(),
            delivered,
            stopper,
            start,
            reader: Arc::new(Mutex::new(reader)),
        }
    }

    /// Whether this is a forked child's copy of a query that runs in its parent, or has lost its descriptors.
    fn is_inherited(&self) -> bool {
        process::check_descriptors();
        self.generation != process::generation()
    }
}

#[pymethods]
impl QueryStream {
    /// The next list: (number, records, failures); None after the last. `received` is the number of the last list that
    /// the caller has received, all of whose records were taken; 0 before the first.
    fn next_block(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        received: u64,
    ) -> PyResult<Py<PyAny>> {
        if self.is_inherited() {
            return Err(client_error(py, inherited_call(self.generation)));
        }
        let reader = Arc::clone(&self.reader);
        let future = async move {
            let mut reader = reader.lock_owned().await;
            Ok(if reader.fill(received).await? { Some(reader) } else { None })
        };
        let finish = or_raise(|py, reader: Option<OwnedMutexGuard<Reader>>| match reader {
            Some(reader) => Ok(reader.make_list(py)?.into_pyobject(py)?.into_any().unbind()),
            None => Ok(py.None()),
        });
        Call::new(future, finish).run(py, completions)
    }

    /// Where the query stands once `taken` records of the list with this number were taken.
    fn place(&self, py: Python<'_>, number: u64, taken: usize) -> PyResult<QueryPlace> {
        if self.is_inherited() {
            return Err(client_error(py, inherited_call(self.generation)));
        }
        self.delivered.note_taken(number, taken);
        let partitions = Arc::new(self.delivered.progress.partitions());
        Ok(QueryPlace { partitions, filter: self.start.filter.clone() })
    }

    /// Where the query began.
    fn start(&self) -> QueryPlace {
        self.start.clone()
    }

    /// Ends the query and closes its connections. A call that waits for records gets None.
    fn close(&self) {
        if !self.is_inherited() {
            self.stopper.stop();
        }
    }
}

impl Drop for QueryStream {
    fn drop(&mut self) {
        if self.is_inherited() {
            // Leaked on purpose: its sockets are shared with the parent.
            std::mem::forget(Arc::clone(&self.reader));
        }
    }
}
