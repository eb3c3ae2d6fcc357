//! The records of a query, in lists.

use std::sync::{Arc, PoisonError};

use aero_io::{Cluster, Digest, Query, QueryProgress, QueryStopper, RecordBlock, RecordStream};
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
}

/// The stream, and the block of it that is being given to Python. A call that is cancelled leaves both here for the
/// next one, so no record is lost.
struct Reader {
    stream: RecordStream,
    block: RecordBlock,
    /// The first record of the block that was not given to Python yet.
    at: usize,
    delivered: Arc<Delivered>,
}

/// The records of the last list, and how many of them count as used.
///
/// A query stands behind the last record that was used, not behind the last that was read: a page that is left in the
/// middle goes on in the middle. Kept outside of the reader's lock, so that asking where a query stands does not wait
/// for a call that reads.
struct Delivered {
    progress: QueryProgress,
    /// The digests of the last list, and how many of them were reported to `progress`.
    list: std::sync::Mutex<(Vec<Digest>, usize)>,
}

impl Delivered {
    /// Reports that the first `used` records of the last list were used. Reporting fewer than before changes nothing.
    fn note_used(&self, used: usize) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let (digests, noted) = &mut *list;
        let used = used.min(digests.len());
        self.progress.took(digests.get(*noted..used).unwrap_or_default());
        *noted = used.max(*noted);
    }

    fn replace(&self, digests: Vec<Digest>) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = (digests, 0);
    }
}

impl Reader {
    /// Reads a block if the last one is used up; false at the end of the query.
    async fn fill(&mut self) -> Result<bool, aero_io::Error> {
        // Asking for more means that all of the last list was used.
        self.delivered.note_used(usize::MAX);
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

    /// The block's records as Python objects, up to the first that cannot be converted. If that is the first of
    /// all, its error is raised, and the next call goes on with the record after it.
    fn take_list(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut digests = Vec::new();
        let list = PyList::empty(py);
        let mut maker = RecordMaker::default();
        let now = clock::now();
        for record in self.block.records().skip(self.at) {
            match maker.make(py, &record, now) {
                Ok(made) => list.append(made)?,
                Err(Unreadable::Value(_)) if !list.is_empty() => break,
                Err(unreadable) => {
                    if matches!(unreadable, Unreadable::Value(_)) {
                        self.delivered.progress.took([record.digest]);
                        self.at += 1;
                    }
                    return Err(unreadable.into());
                }
            }
            digests.push(*record.digest);
        }
        self.delivered.replace(digests);
        self.at += list.len();
        Ok(list.into_any().unbind())
    }
}

impl QueryStream {
    pub(super) fn new(cluster: &Cluster, query: Query) -> Self {
        let stream = cluster.query(query);
        let stopper = stream.stopper().clone();
        let delivered =
            Arc::new(Delivered { progress: stream.progress().clone(), list: std::sync::Mutex::default() });
        let reader =
            Reader { stream, block: RecordBlock::default(), at: 0, delivered: Arc::clone(&delivered) };
        Self { generation: process::generation(), delivered, stopper, reader: Arc::new(Mutex::new(reader)) }
    }

    /// Whether this is a forked child's copy of a query that runs in its parent, or has lost its descriptors.
    fn is_inherited(&self) -> bool {
        process::check_descriptors();
        self.generation != process::generation()
    }
}

#[pymethods]
impl QueryStream {
    /// The next records as a list; None after the last.
    fn next_block(&self, py: Python<'_>, completions: Option<&Completions>) -> PyResult<Py<PyAny>> {
        if self.is_inherited() {
            return Err(client_error(py, inherited_call(self.generation)));
        }
        let reader = Arc::clone(&self.reader);
        let future = async move {
            let mut reader = reader.lock_owned().await;
            Ok(if reader.fill().await? { Some(reader) } else { None })
        };
        let finish = or_raise(|py, reader: Option<OwnedMutexGuard<Reader>>| match reader {
            Some(mut reader) => reader.take_list(py),
            None => Ok(py.None()),
        });
        Call::new(future, finish).run(py, completions)
    }

    /// Where the query stands once `used` records of the last list were used.
    fn place(&self, py: Python<'_>, used: usize) -> PyResult<QueryPlace> {
        if self.is_inherited() {
            return Err(client_error(py, inherited_call(self.generation)));
        }
        self.delivered.note_used(used);
        Ok(QueryPlace(self.delivered.progress.partitions()))
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
