//! The loop of a batch: it queues rows, sends requests, and reacts to whatever happens first.
//!
//! A row is in one of these states. Only the loop moves rows between them, except that an answer settles a row
//! while its request is still in flight.
//!
//! | state | kept in | event | next state |
//! | --- | --- | --- | --- |
//! | not queued | `order`, from `queued` on | some node has nothing queued | queued, or failed if no node owns it |
//! | queued | a `NodeQueue` | its node may take another request | in flight |
//! | | | its node fails first | queued at another node, once |
//! | in flight | the `InFlight` that owns it | a final answer | settled |
//! | | | the request is overdue (see `overdue`) | owned by a hedge, or queued at another node |
//! | | | the request ends without one (see `finished`) | queued, waiting, owned by another request, or failed |
//! | waiting | the `RetryQueue` | its time comes | queued |
//! | settled, failed | `Progress` | | |
//!
//! The call ends when all rows are settled, or earlier with an error that concerns the whole call.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use wire_protocol::digest::partition_id;

use crate::batch::alarm::Alarm;
use crate::batch::any_sink::AnySink;
use crate::batch::attempt::Attempt;
use crate::batch::call::BatchCall;
use crate::batch::chunk::{self, Chunk, FinishedChunk};
use crate::batch::grouping::{self, NodeQueue, RowOrder};
use crate::batch::in_flight::InFlight;
use crate::batch::keys::BatchKeys;
use crate::batch::progress::{Progress, RowTotals};
use crate::batch::request::Request;
use crate::batch::retry_queue::RetryQueue;
use crate::command::monitor;
use crate::error::Error;
use crate::policy::{Limits, batch_timeout};
use crate::topology::state::Inner;
use crate::transaction::{Running, Transaction};

/// Most requests of one call in flight at a node.
const MAX_IN_FLIGHT: usize = 8;

/// How long requests may take to end after all their rows are settled.
const GRACE: Duration = Duration::from_millis(5);

/// Carries out `request` for the rows of `keys` and delivers the answers to `sink`. Spawns nothing: all work
/// happens in this future.
pub(crate) async fn run(
    inner: &Arc<Inner>,
    keys: Arc<BatchKeys>,
    request: Request,
    sink: Arc<dyn AnySink>,
) -> Result<RowTotals, Error> {
    if keys.is_empty() {
        return Ok(RowTotals::default());
    }
    if u32::try_from(keys.len()).is_err() {
        return Err(Error::Param { what: format!("{} keys in one batch", keys.len()) });
    }
    if let Request::Read(read) = &request {
        read.check(&keys)?;
    }
    let start = Instant::now();
    let deadline = request.policy().limits.deadline(start, batch_timeout(keys.len()));
    let running = match &request.policy().limits.transaction {
        Some(transaction) => Some(Box::pin(begin_in(inner, transaction, &keys, &request, start)).await?),
        None => None,
    };
    let call = BatchCall {
        running,
        inner: Arc::clone(inner),
        start,
        deadline,
        progress: Progress::new(keys.len()),
        keys,
        request,
        sink,
    };
    let _doubts = OpenWrites(&call);
    let mut work = Work::new(&call);
    work.fail_empty()?;
    let mut in_flight = FuturesUnordered::new();
    let mut alarm = Alarm::default();
    loop {
        while let Some(chunk) = work.next_chunk()? {
            in_flight.push(chunk::run(&call, chunk));
        }
        if work.has_idle_node() {
            // Start the requests that are ready, and take what they received meanwhile, before computing more
            // digests.
            let ended = std::future::poll_fn(|cx| Poll::Ready(in_flight.poll_next_unpin(cx))).await;
            if let Poll::Ready(Some(outcome)) = ended {
                work.handle_finished(outcome)?;
            }
            work.queue_more()?;
            continue;
        }
        if work.is_done() {
            return call.progress.result().map(|()| call.progress.totals());
        }
        let event = std::future::poll_fn(|cx| match in_flight.poll_next_unpin(cx) {
            Poll::Ready(Some(outcome)) => Poll::Ready(Wakeup::Ended(outcome)),
            _ if call.progress.open() == 0 && work.grace.is_none() => Poll::Ready(Wakeup::Settled),
            _ => Poll::Pending,
        });
        match alarm.or(work.next_due(), event).await {
            Some(Wakeup::Ended(outcome)) => work.handle_finished(outcome)?,
            Some(Wakeup::Settled) => work.grace = Instant::now().checked_add(GRACE),
            None => work.handle_due()?,
        }
    }
}

/// Begins a batch that is part of a transaction: adds the keys of the rows that write to its monitor record.
async fn begin_in(
    inner: &Inner,
    transaction: &Arc<Transaction>,
    keys: &BatchKeys,
    request: &Request,
    start: Instant,
) -> Result<Running, Error> {
    let running = transaction.begin(keys.spaces().iter().map(|space| &*space.namespace))?;
    keys.compute(0..keys.len())?;
    let written = |row: &u32| request.writes(*row) && !request.is_empty(*row);
    let digests: Vec<_> = (0..keys.len() as u32).filter(written).map(|row| keys.digest_of(row)).collect();
    if !digests.is_empty() {
        let limits = &request.policy().limits;
        let total_timeout = limits.total_timeout.or(Some(batch_timeout(keys.len())));
        let limits = Limits { total_timeout, ..limits.clone() };
        monitor::add_keys(inner, transaction, &limits, start, digests.into_iter()).await?;
    }
    Ok(running)
}

/// A batch in a transaction: rows that write and are still open when it is dropped may have been applied.
struct OpenWrites<'c>(&'c BatchCall);

impl Drop for OpenWrites<'_> {
    fn drop(&mut self) {
        let Some(transaction) = self.0.transaction() else { return };
        let is_open = |row: &u32| self.0.request.writes(*row) && !self.0.progress.is_settled(*row);
        (0..self.0.keys.len() as u32).filter(is_open).for_each(|row| self.0.note_doubt(transaction, row));
    }
}

/// What the loop waits for.
enum Wakeup {
    Ended(FinishedChunk),
    /// The last row was settled, but requests are still in flight.
    Settled,
}

/// The state of the loop.
pub(super) struct Work<'c> {
    pub(super) call: &'c BatchCall,
    /// All rows, in the order in which they are sent.
    pub(super) order: RowOrder,
    /// How many rows of `order` have been queued.
    pub(super) queued: usize,
    /// How many rows are queued at a time.
    pub(super) segment: usize,
    pub(super) queues: Vec<NodeQueue>,
    pub(super) retries: RetryQueue,
    pub(super) in_flight: Vec<InFlight>,
    /// Requests in `in_flight` whose futures have not been started yet.
    pub(super) ready: Vec<Arc<Chunk>>,
    /// When to stop waiting for requests whose rows are all settled.
    pub(super) grace: Option<Instant>,
}

impl<'c> Work<'c> {
    fn new(call: &'c BatchCall) -> Self {
        let order = RowOrder::of(&call.keys);
        let segment = grouping::segment(order.len(), call.inner.view().nodes.len());
        Self {
            call,
            order,
            queued: 0,
            segment,
            queues: Vec::new(),
            retries: RetryQueue::default(),
            in_flight: Vec::new(),
            ready: Vec::new(),
            grace: None,
        }
    }

    /// Fails the rows that have nothing to send.
    fn fail_empty(&mut self) -> Result<(), Error> {
        let request = &self.call.request;
        if !request.has_empty() {
            return Ok(());
        }
        let empty = self.order.take_out(|row| request.is_empty(row));
        self.fail(empty, &Error::Param { what: "nothing to write: no bin is present".into() })
    }

    /// Whether the call can end. A request that has settled rows is about to end; waiting for it keeps its
    /// connection usable. A request that has settled none is dropped.
    fn is_done(&self) -> bool {
        if self.call.progress.open() > 0 {
            return self.queued == self.order.len() && self.in_flight.is_empty() && self.retries.is_empty();
        }
        self.in_flight.iter().all(|other| !other.chunk.has_settled())
            || self.grace.is_some_and(|grace| grace <= Instant::now())
    }

    /// Whether there are rows to queue and a node with none queued.
    fn has_idle_node(&self) -> bool {
        if self.queued == self.order.len() {
            return false;
        }
        let busy: HashSet<u64> = self.queues.iter().map(|queue| queue.node.id).collect();
        busy.len() < self.call.inner.view().nodes.len().max(1)
    }

    fn queue_more(&mut self) -> Result<(), Error> {
        let end = self.order.len().min(self.queued + self.segment);
        let rows = self.order.rows(self.queued..end);
        self.queued = end;
        grouping::compute_digests(&self.call.keys, &rows)?;
        self.queue_rows(&rows, Attempt::FIRST, None)
    }

    /// Queues rows at the nodes that own them. Rows that no node owns fail with `cause`, the reason for the
    /// retry, or with an error that says so.
    pub(super) fn queue_rows(
        &mut self,
        rows: &[u32],
        attempt: Attempt,
        cause: Option<&Error>,
    ) -> Result<(), Error> {
        let grouped = grouping::group(self.call, rows, attempt);
        self.queues.extend(grouped.queues);
        let keys = &*self.call.keys;
        let namespace = |row: u32| {
            let space = &keys.spaces()[keys.space_index(row)];
            String::from_utf8_lossy(&space.namespace).into_owned()
        };
        if let Some(&row) = grouped.unknown_namespace.first() {
            match self.call.inner.unless_closed(Error::NamespaceNotFound { namespace: namespace(row) }) {
                // This error is not about these rows: it ends the call, and earlier rows may have been applied.
                Error::Closed { .. } => {
                    return Err(Error::Closed { in_doubt: self.call.request.may_write() });
                }
                error => self.fail(grouped.unknown_namespace, &error)?,
            }
        }
        if let Some(&row) = grouped.without_node.first() {
            let partition = partition_id(&keys.digest_of(row));
            let error = Error::InvalidNode { namespace: namespace(row), partition };
            self.fail(grouped.without_node, cause.unwrap_or(&error))?;
        }
        Ok(())
    }

    /// Cuts the next request for a node that may take one.
    fn next_chunk(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        if let Some(chunk) = self.ready.pop() {
            return Ok(Some(chunk));
        }
        let mut place = 0;
        while let Some(queue) = self.queues.get_mut(place) {
            if let Some((rows, attempt)) = queue.unsent_to_failed_node() {
                let rows = rows.to_vec();
                self.queues.swap_remove(place);
                self.queue_rows(&rows, attempt, None)?;
                continue;
            }
            let is_here = |other: &&InFlight| other.is_counted && other.chunk.node.id == queue.node.id;
            if self.in_flight.iter().filter(is_here).count() >= MAX_IN_FLIGHT {
                place += 1;
                continue;
            }
            if queue.is_again() {
                queue.drop_settled(&self.call.progress);
            }
            if let Some(chunk) = queue.cut(&self.call.keys, &self.call.request) {
                self.call.inner.hedges.earn();
                let request = InFlight::begin(self.call, chunk);
                let chunk = Arc::clone(&request.chunk);
                self.in_flight.push(request);
                return Ok(Some(chunk));
            }
            self.queues.swap_remove(place);
        }
        Ok(None)
    }
}
