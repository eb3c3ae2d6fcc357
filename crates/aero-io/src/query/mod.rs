//! Queries over the primary index or a secondary one: the records of partitions, as a stream. Background queries.
//!
//! A driver ([`driver`]) asks each node for its partitions over a connection of its own ([`node_request`]) and puts
//! the records into a short queue of blocks. A full queue stops the driver, and thereby reading from the
//! sockets, so memory is bounded by the queue and one frame per node. The driver knows the last record of each
//! partition. After a failure it continues behind that record, so that no record enters the queue twice. Where an
//! index has several entries for a record, the driver keeps the digests of records too ([`seen`]). [`background`]
//! starts jobs, which the nodes carry out by themselves. May use every room below it; it knows nothing of batches.

pub(crate) mod background;
mod delivery;
mod driver;
mod index_hint;
mod node_request;
mod partitions;
mod seen;
pub(crate) mod unread;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use wire_protocol::query::{Predicate, QueryAnswer, QueryAnswers, QueryRecord};

pub use background::BackgroundJob;
pub use delivery::{RecordSink, RecordWriter};
pub use partitions::{PartitionProgress, QueryPartitions, QueryProgress, RecordPosition};

use crate::error::Error;
use crate::key::{Bins, Space};
use crate::net::transport::BoxFuture;
use crate::policy::{Limits, QueryPolicy};
use crate::topology::state::{Handle, Inner};

use self::delivery::{QueueDelivery, SinkDelivery};

/// Blocks in the queue.
const QUEUE: usize = 4;

/// Operations on the bins of records, encoded as a request holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryOps {
    /// The number of operations.
    pub count: usize,
    pub bytes: Vec<u8>,
}

/// What a query asks for.
#[derive(Clone, Debug)]
pub struct Query {
    /// An empty set means the whole namespace.
    pub space: Space,
    /// Records that have none of the named bins are skipped, unless `every_record` is set.
    pub bins: Bins,
    /// Also yield records that have none of the named bins. Bins that a record lacks may come as nil, and bins
    /// that were not named may come, too: nodes that cannot do this are asked for all bins.
    pub every_record: bool,
    /// Operations that read, instead of `bins`. All records are read.
    pub operations: Option<Arc<QueryOps>>,
    /// Which records to find by a secondary index; `None` for all.
    pub predicate: Option<Arc<Predicate>>,
    pub policy: QueryPolicy,
    /// The partitions, and where to continue in each.
    pub partitions: QueryPartitions,
    /// Most records, over all nodes together; 0 for all.
    pub max_records: u64,
    /// Most records per second and node; 0 for no limit.
    pub records_per_second: u32,
}

impl Query {
    /// Whether fewer records are delivered than servers count: servers leave out those that have none of the named bins,
    /// and the client those that servers return again. They count them for a limit all
    /// the same: a request with a limit may return less, though there are more records. The next request for its
    /// partitions then has no limit, and the client stops reading ([`node_request::NodeRequest::reads_on`]).
    fn leaves_out(&self) -> bool {
        let by_bins = !self.every_record
            && self.operations.is_none()
            && matches!(&self.bins, Bins::Names(names) if !names.is_empty());
        by_bins || self.predicate.as_ref().is_some_and(|predicate| predicate.may_repeat_records())
    }

    /// Fails if the protocol cannot express the query.
    fn check(&self) -> Result<(), Error> {
        refuse_transaction(&self.policy.limits)?;
        self.bins.check()?;
        if let Some(predicate) = &self.predicate {
            predicate.check()?;
        }
        Ok(())
    }
}

/// Refuses a transaction: the server has none for queries.
fn refuse_transaction(limits: &Limits) -> Result<(), Error> {
    if limits.transaction.is_none() {
        return Ok(());
    }
    let what = "a query cannot be part of a transaction; read the records by their keys";
    Err(Error::Param { what: what.into() })
}

/// What the driver sends to the stream.
enum StreamItem {
    Records(RecordBlock),
    /// All records of these partitions have been sent.
    Done(Vec<u16>),
    /// The last item.
    Ended(Result<(), Error>),
}

/// Some records of one node, as received. They were validated: [`RecordBlock::records`] yields all of them.
#[derive(Debug, Default)]
pub struct RecordBlock {
    bytes: Vec<u8>,
    len: usize,
}

impl RecordBlock {
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

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

/// The records of a query, in blocks. Nothing is sent before the first block is requested. Dropping the stream
/// closes the query's connections.
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

/// Ends a query while another call may be waiting for its records. Clones share one query.
#[derive(Clone, Debug, Default)]
pub struct QueryStopper(Arc<Mutex<DriverTask>>);

#[derive(Debug, Default)]
struct DriverTask {
    is_stopped: bool,
    task: Option<AbortHandle>,
}

impl QueryStopper {
    /// Ends the query: closes its connections and yields no more records.
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

    /// Stores the task that drives the query, or aborts it if the query was stopped already.
    pub(crate) fn drive(&self, task: AbortHandle) {
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

    /// The next records; `None` at the end. Must be called in a tokio runtime. Cancelling the call loses
    /// nothing.
    ///
    /// # Errors
    /// Why the query failed. All records before the failure have been returned.
    #[expect(clippy::should_implement_trait, reason = "an iterator that waits, like tokio's")]
    pub fn next(&mut self) -> BoxFuture<'_, Result<Option<RecordBlock>, Error>> {
        Box::pin(self.next_block())
    }

    async fn next_block(&mut self) -> Result<Option<RecordBlock>, Error> {
        loop {
            let items = match &mut self.state {
                StreamState::Ended => return Ok(None),
                // Blocks in the queue are not returned after a stop or a close.
                _ if self.stopper.is_stopped() => return self.end(Ok(())),
                _ if self.handle.inner.is_closed() => {
                    return self.end(Err(Error::Closed { in_doubt: false }));
                }
                StreamState::Ready => {
                    let (sender, items) = mpsc::channel(QUEUE);
                    let driver =
                        run_into_queue(Arc::clone(&self.handle.inner), Arc::clone(&self.query), sender);
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
                // The driver sends its outcome, unless its runtime was shut down.
                None => return self.end(Err(Error::Closed { in_doubt: false })),
            }
        }
    }

    fn end(&mut self, outcome: Result<(), Error>) -> Result<Option<RecordBlock>, Error> {
        self.state = StreamState::Ended;
        self.stopper.stop();
        outcome.map(|()| None)
    }

    /// Where the query stands, as far as the caller has reported the records it used.
    #[must_use]
    pub fn progress(&self) -> &QueryProgress {
        &self.progress
    }

    #[must_use]
    pub fn stopper(&self) -> &QueryStopper {
        &self.stopper
    }
}

async fn run_into_queue(inner: Arc<Inner>, query: Arc<Query>, items: mpsc::Sender<StreamItem>) {
    let outcome = driver::run(inner, query, QueueDelivery::new(items.clone())).await;
    // Fails if the stream was dropped, which needs no outcome.
    _ = items.send(StreamItem::Ended(outcome)).await;
}

/// Carries out a query whose records go into `sink`. Ends early if the sink accepts no more.
///
/// # Errors
/// Why the query failed. All records before the failure are in the sink.
pub(crate) async fn into_sink<S: RecordSink>(
    inner: Arc<Inner>,
    query: Query,
    sink: Arc<S>,
) -> Result<(), Error> {
    driver::run(inner, Arc::new(query), SinkDelivery(sink)).await
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
