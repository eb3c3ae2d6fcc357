//! Queries over the primary index: the records of partitions, as a stream.
//!
//! A driver ([`driver`]) asks each node for its partitions over a connection of its own ([`exchange`]) and puts
//! what comes into a short queue of blocks. LoginUser does not take them stops the driver there, and so the sockets:
//! memory is bounded by that queue and a frame for each node. The driver knows the last record of each
//! partition, so after a failure it asks for what is below that, and for nothing that was put into the queue.

mod driver;
mod exchange;
mod partitions;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use wire_protocol::query::{QueryAnswer, QueryAnswers, QueryRecord};

pub use partitions::{PartitionProgress, QueryPartitions, QueryProgress};

use crate::error::Error;
use crate::key::{Bins, Space};
use crate::policy::QueryPolicy;
use crate::topology::state::Handle;

/// Blocks that wait for whoever takes them.
const QUEUE: usize = 4;

/// What a query asks for.
#[derive(Clone, Debug)]
pub struct Query {
    /// The namespace and the set; all of the namespace where that is empty.
    pub space: Space,
    /// Bins to read. A record that has none of those that are named is left out.
    pub bins: Bins,
    /// How it is carried out.
    pub policy: QueryPolicy,
    /// The partitions, and where to go on in each.
    pub partitions: QueryPartitions,
    /// The most records, over all nodes together; 0 for all.
    pub max_records: u64,
    /// The most records a second of each node; 0 for no limit.
    pub records_per_second: u32,
}

/// What comes out of the driver.
enum StreamItem {
    /// Records.
    Records(RecordBlock),
    /// All records of these partitions have come.
    Done(Vec<u16>),
    /// Nothing more comes.
    Ended(Result<(), Error>),
}

/// Some records of one node, as they came. They were looked at: [`RecordBlock::records`] gives all of them.
#[derive(Debug, Default)]
pub struct RecordBlock {
    bytes: Vec<u8>,
    len: usize,
}

impl RecordBlock {
    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the records take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The records.
    pub fn records(&self) -> impl Iterator<Item = QueryRecord<'_>> {
        QueryAnswers::new(&self.bytes).filter_map(|answer| match answer {
            Ok(QueryAnswer::Record(record)) => Some(record),
            _ => None,
        })
    }

    fn push(&mut self, record: &QueryRecord<'_>) {
        self.bytes.extend_from_slice(record.message);
        self.len += 1;
    }
}

/// The records of a query, in blocks. Nothing is asked for before the first one is. Dropped, it closes the
/// connections of what is under way.
pub struct RecordStream {
    handle: Arc<Handle>,
    query: Arc<Query>,
    progress: QueryProgress,
    stopper: QueryStopper,
    state: StreamState,
}

enum StreamState {
    Ready,
    Running(mpsc::Receiver<StreamItem>),
    Ended,
}

/// Ends a query, though another call may wait for its records. Clones are of the same one.
#[derive(Clone, Debug, Default)]
pub struct QueryStopper(Arc<Mutex<DriverTask>>);

#[derive(Debug, Default)]
struct DriverTask {
    is_stopped: bool,
    task: Option<AbortHandle>,
}

impl QueryStopper {
    /// Ends the query: its connections are closed, and nothing more comes.
    pub fn stop(&self) {
        let mut driver = self.lock();
        driver.is_stopped = true;
        if let Some(task) = driver.task.take() {
            task.abort();
        }
    }

    fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// Notes the task that drives the query, or ends it where the query was stopped already.
    fn drive(&self, task: AbortHandle) {
        let mut driver = self.lock();
        if driver.is_stopped {
            task.abort();
        } else {
            driver.task = Some(task);
        }
    }

    fn lock(&self) -> MutexGuard<'_, DriverTask> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecordStream {
    pub(crate) fn new(handle: Arc<Handle>, query: Query) -> Self {
        let progress = QueryProgress::new(query.partitions.clone());
        Self {
            handle,
            query: Arc::new(query),
            progress,
            stopper: QueryStopper::default(),
            state: StreamState::Ready,
        }
    }

    /// The next records; None when all have come. Must be called within a tokio runtime. A call that is
    /// cancelled loses nothing.
    ///
    /// # Errors
    /// What ended the query. Records that came before it have been given.
    pub async fn next(&mut self) -> Result<Option<RecordBlock>, Error> {
        loop {
            let items = match &mut self.state {
                StreamState::Ended => return Ok(None),
                // What waits in the queue is not given after a stop, or a close.
                _ if self.stopper.is_stopped() => return self.end(Ok(())),
                _ if self.handle.inner.is_closed() => {
                    return self.end(Err(Error::Closed { in_doubt: false }));
                }
                StreamState::Ready => {
                    let (sender, items) = mpsc::channel(QUEUE);
                    let driver = driver::run(Arc::clone(&self.handle.inner), Arc::clone(&self.query), sender);
                    self.stopper.drive(self.handle.inner.connector.spawn(driver).abort_handle());
                    self.state = StreamState::Running(items);
                    continue;
                }
                StreamState::Running(items) => items,
            };
            match items.recv().await {
                Some(StreamItem::Records(block)) => return Ok(Some(block)),
                Some(StreamItem::Done(partitions)) => self.progress.finish(partitions),
                Some(StreamItem::Ended(outcome)) => return self.end(outcome),
                None if self.stopper.is_stopped() => return self.end(Ok(())),
                // The driver says how it ends, unless its runtime was taken away.
                None => return self.end(Err(Error::Closed { in_doubt: false })),
            }
        }
    }

    fn end(&mut self, outcome: Result<(), Error>) -> Result<Option<RecordBlock>, Error> {
        self.state = StreamState::Ended;
        self.stopper.stop();
        outcome.map(|()| None)
    }

    /// Where the query stands, as far as it is told what was used.
    #[must_use]
    pub fn progress(&self) -> &QueryProgress {
        &self.progress
    }

    /// What ends the query.
    #[must_use]
    pub fn stopper(&self) -> &QueryStopper {
        &self.stopper
    }
}

impl Drop for RecordStream {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

impl fmt::Debug for RecordStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream").field("query", &self.query).finish_non_exhaustive()
    }
}
