//! The batch read: chunks side by side, and what was not answered once more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use wire_protocol::digest::partition_id;
use wire_protocol::result_code;

use crate::alarm::Alarm;
use crate::backoff::retry_delay;
use crate::chunk::{self, Call, Chunk, End, Outcome, is_about_record, is_passing, no_such_row};
use crate::cluster::Inner;
use crate::error::{Error, Fault};
use crate::health::count;
use crate::hedge;
use crate::keys::{BatchKeys, BatchRead};
use crate::node::Node;
use crate::progress::Progress;
use crate::rounds::{self, Plan, Queue};
use crate::sink::{RowLease as _, RowOutcome, RowSink};

/// Requests of one call that are under way at a node at a time.
const MAX_IN_FLIGHT: usize = 8;

/// Rows that are failed under one lease, so that a seal waits briefly.
const FAILED_PER_LEASE: usize = 4_096;

/// Reads the rows of `keys` into `sink`. All of it happens within this future.
pub(crate) async fn run<S: RowSink>(
    inner: &Arc<Inner>,
    keys: Arc<BatchKeys>,
    request: Arc<BatchRead>,
    sink: Arc<S>,
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    if u32::try_from(keys.len()).is_err() {
        return Err(Error::Param { what: format!("{} keys in one batch", keys.len()) });
    }
    request.bins.check()?;
    let start = Instant::now();
    let limit = request.policy.total_timeout_for(keys.len());
    let call = Call {
        inner: Arc::clone(inner),
        start,
        deadline: limit.and_then(|limit| start.checked_add(limit)),
        progress: Progress::new(keys.len()),
        keys,
        request,
        sink,
    };
    let mut work = Work::new(&call);
    work.ask(&rounds::rows_by_space(&call.keys), Plan::FIRST, None)?;
    let mut under_way = FuturesUnordered::new();
    let mut alarm = Alarm::default();
    loop {
        while let Some(chunk) = work.next_chunk()? {
            under_way.push(chunk::run(&call, chunk));
        }
        if work.is_done() {
            return call.progress.result();
        }
        let ended = async {
            match under_way.next().await {
                Some(outcome) => outcome,
                // There is always somebody who works on an open row; if not, the call must not wait.
                None => std::future::pending().await,
            }
        };
        match alarm.or(work.next_hedge(), ended).await {
            Some(outcome) => work.settle(outcome)?,
            None => {
                for chunk in work.hedge() {
                    under_way.push(chunk::run(&call, chunk));
                }
            }
        }
    }
}

/// What is left to do.
struct Work<'c, S> {
    call: &'c Call<S>,
    queues: Vec<Queue>,
    under_way: Vec<UnderWay>,
}

/// A request under way.
struct UnderWay {
    chunk: Arc<Chunk>,
    /// How long it waits for its answer before it is hedged; none where it is not (any more).
    patience: Option<Duration>,
    /// Whether others under way carry rows of it, too.
    is_contested: bool,
    /// Whether it is one of those that its node has too many of at some point.
    is_counted: bool,
}

impl<'c, S: RowSink> Work<'c, S> {
    fn new(call: &'c Call<S>) -> Self {
        Self { call, queues: Vec::new(), under_way: Vec::new() }
    }

    /// Whether every row is settled, and no connection is about to be free for the next call: only those
    /// that lost against a hedge are given up.
    fn is_done(&self) -> bool {
        self.under_way.is_empty()
            || (self.call.progress.open() == 0 && self.under_way.iter().all(|other| other.is_contested))
    }

    /// Queues rows for the nodes that have them. Rows that no node is known for fail with `cause`, or
    /// with that very fact where there is no cause yet.
    fn ask(&mut self, rows: &[u32], plan: Plan, cause: Option<&Error>) -> Result<(), Error> {
        let grouped = rounds::group(self.call, rows, plan);
        self.queues.extend(grouped.queues);
        let keys = &*self.call.keys;
        let namespace = |row: u32| {
            let space = &keys.spaces()[keys.space_index(row)];
            String::from_utf8_lossy(&space.namespace).into_owned()
        };
        if let Some(&row) = grouped.unknown.first() {
            let error = Error::NamespaceNotFound { namespace: namespace(row) };
            self.fail(&grouped.unknown, &error)?;
        }
        if let Some(&row) = grouped.homeless.first() {
            let partition = partition_id(keys.digest(row));
            let error = Error::InvalidNode { namespace: namespace(row), partition };
            self.fail(&grouped.homeless, cause.unwrap_or(&error))?;
        }
        Ok(())
    }

    /// The next request to send, if there is one for a node that has not too many.
    fn next_chunk(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        let mut place = 0;
        while let Some(queue) = self.queues.get_mut(place) {
            if let Some((rows, plan)) = queue.stranded() {
                let rows = rows.to_vec();
                self.queues.swap_remove(place);
                self.ask(&rows, plan, None)?;
                continue;
            }
            let is_here = |other: &&UnderWay| other.is_counted && other.chunk.node.id == queue.node.id;
            if self.under_way.iter().filter(is_here).count() >= MAX_IN_FLIGHT {
                place += 1;
                continue;
            }
            if let Some(chunk) = queue.cut(&self.call.keys, &self.call.request.bins) {
                return Ok(Some(self.send(chunk, false, false)));
            }
            self.queues.swap_remove(place);
        }
        Ok(None)
    }

    /// Notes a request as under way. One that is contested is for rows that another has asked for as well.
    fn send(&mut self, chunk: Chunk, is_contested: bool, is_hedge: bool) -> Arc<Chunk> {
        let chunk = Arc::new(chunk);
        let policy = self.call.policy();
        let patience = if is_hedge {
            None
        } else {
            self.call.inner.hedges.earn();
            hedge::delay(policy.hedge, policy.replica, &chunk.node.health, chunk.rows().len())
        };
        self.under_way.push(UnderWay {
            chunk: Arc::clone(&chunk),
            patience,
            is_contested,
            is_counted: !is_contested,
        });
        chunk
    }

    /// When a request is to be hedged next.
    fn next_hedge(&self) -> Option<Instant> {
        let now = Instant::now();
        let due = |other: &UnderWay| {
            // One whose turn did not come yet waits for this client, not for the node.
            let started = other.chunk.started.get().copied().unwrap_or(now);
            started.checked_add(other.patience?)
        };
        self.under_way.iter().filter_map(due).min()
    }

    /// Asks other nodes for the rows of requests that had no answer for too long. Returns the requests.
    fn hedge(&mut self) -> Vec<Arc<Chunk>> {
        let call = self.call;
        let now = Instant::now();
        let mut more = Vec::new();
        for other in &mut self.under_way {
            let chunk = &other.chunk;
            let (Some(patience), Some(&started)) = (other.patience, chunk.started.get()) else { continue };
            if now < started + patience {
                continue;
            }
            let is_silent = chunk.node.health.is_silent_since(started);
            if is_silent {
                chunk.node.suspect();
            }
            let rows: Vec<u32> =
                chunk.rows().iter().copied().filter(|&row| !call.progress.is_settled(row)).collect();
            let plan = Plan { attempt: chunk.attempt, ..Plan::FIRST };
            let mut queues = rounds::group_elsewhere(call, &rows, plan, &chunk.node);
            if queues.is_empty() {
                other.patience = None;
                continue;
            }
            // Where too much was hedged lately, the rows of a node that says nothing at all are worth one of
            // the caller's retries; others wait on.
            let is_hedge = call.inner.hedges.spend(queues.len());
            let is_retry = is_silent && chunk.attempt < call.policy().max_retries;
            if !(is_hedge || is_retry) {
                other.patience = Some(patience * 2);
                continue;
            }
            if is_hedge {
                count(&chunk.node.health.counters.hedges);
                call.inner.count_hedges(queues.len());
            } else {
                call.inner.count_retries(queues.len());
            }
            (other.is_contested, other.is_counted, other.patience) = (true, false, None);
            let attempt = chunk.attempt + u32::from(!is_hedge);
            for queue in &mut queues {
                while let Some(chunk) = queue.cut(&call.keys, &call.request.bins) {
                    more.push((Chunk { attempt, ..chunk }, is_hedge));
                }
            }
        }
        more.into_iter().map(|(chunk, is_hedge)| self.send(chunk, true, is_hedge)).collect()
    }

    /// The rows that a request leaves open and nobody else works on. It is under way no more.
    fn left_open(&mut self, chunk: &Arc<Chunk>) -> Vec<u32> {
        let mut is_contested = false;
        if let Some(place) = self.under_way.iter().position(|other| Arc::ptr_eq(&other.chunk, chunk)) {
            is_contested = self.under_way.swap_remove(place).is_contested;
        }
        if chunk.is_settled() {
            return Vec::new();
        }
        let progress = &self.call.progress;
        let mut open: Vec<u32> =
            chunk.rows().iter().copied().filter(|&row| !progress.is_settled(row)).collect();
        if is_contested {
            let others = self.under_way.iter().filter(|other| other.is_contested);
            let elsewhere: HashSet<u32> =
                others.flat_map(|other| other.chunk.rows().iter().copied()).collect();
            open.retain(|row| !elsewhere.contains(row));
        }
        open
    }

    /// Draws the conclusions of a request's end.
    fn settle(&mut self, outcome: Outcome) -> Result<(), Error> {
        let Outcome { chunk, end, deferred } = outcome;
        let mut open = self.left_open(&chunk);
        let (node, attempt) = (&chunk.node, chunk.attempt);
        let call = self.call;
        let tried = || Box::new(call.tried(node, attempt));
        for (code, rows) in by_code(&deferred, &mut open) {
            node.observe_code(code);
            self.ask_again(node, attempt, &rows, &Error::Server { code, tried: tried() })?;
        }
        match end {
            End::Sealed => Err(Error::Sealed),
            End::Refused(error) => Err(error),
            End::Fault(fault) => {
                node.observe(&fault, chunk.started.get().copied());
                let is_final = matches!(fault, Fault::Deadline);
                let error = fault.into_error(node, call.tried(node, attempt));
                if is_final { self.fail(&open, &error) } else { self.ask_again(node, attempt, &open, &error) }
            }
            End::Code(_) if open.is_empty() => Ok(()),
            End::Code(code) if is_about_record(code) => {
                let error = Error::NoResponse { tried: tried() };
                // A server that was not told to answer every row leaves some out on purpose.
                if call.policy().respond_all_keys {
                    self.ask_again(node, attempt, &open, &error)
                } else {
                    self.fail(&open, &error)
                }
            }
            End::Code(code) => self.settle_code(node, attempt, chunk.rows().len(), &open, code),
        }
    }

    /// Draws the conclusions of a code that is about all unanswered rows of a request of `len` rows.
    fn settle_code(
        &mut self,
        node: &Arc<Node>,
        attempt: u32,
        len: usize,
        rows: &[u32],
        code: u8,
    ) -> Result<(), Error> {
        // These three say that the request was put together badly: the same rows in other requests are
        // no new try.
        let plan = Plan { attempt, ..Plan::FIRST };
        if code == result_code::BATCH_MAX_REQUESTS && len > 1 {
            node.refused_rows(len);
            return self.ask(rows, Plan { max_rows: len / 2, ..plan }, None);
        }
        if matches!(code, result_code::PARAMETER | result_code::NAMESPACE_NOT_FOUND)
            && let Some(parts) = rounds::split_by_namespace(&self.call.keys, rows)
        {
            return parts.iter().try_for_each(|rows| self.ask(rows, plan, None));
        }
        node.observe_code(code);
        let error = Error::Server { code, tried: Box::new(self.call.tried(node, attempt)) };
        if is_passing(code) { self.ask_again(node, attempt, rows, &error) } else { self.fail(rows, &error) }
    }

    /// Queues rows for the next try at another node, or fails them with `cause`.
    fn ask_again(
        &mut self,
        node: &Arc<Node>,
        attempt: u32,
        rows: &[u32],
        cause: &Error,
    ) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let policy = self.call.policy();
        let delay = retry_delay(policy.sleep_between_retries, policy.replica, attempt, cause);
        let is_too_late = self
            .call
            .deadline
            .is_some_and(|deadline| Instant::now().checked_add(delay).is_none_or(|start| start >= deadline));
        if attempt >= policy.max_retries || is_too_late {
            return self.fail(rows, cause);
        }
        let plan = Plan { attempt: attempt + 1, avoid: Some(node.id), delay, ..Plan::FIRST };
        let before = self.queues.len();
        self.ask(rows, plan, Some(cause))?;
        self.call.inner.count_retries(self.queues.len() - before);
        Ok(())
    }

    /// Gives rows up for good.
    fn fail(&mut self, rows: &[u32], cause: &Error) -> Result<(), Error> {
        let code = cause.code();
        let progress = &self.call.progress;
        for rows in rows.chunks(FAILED_PER_LEASE) {
            let mut lease = self.call.sink.lease().ok_or(Error::Sealed)?;
            let mut failed = 0;
            for &row in rows.iter().filter(|&&row| progress.settle(row)) {
                failed += 1;
                match lease.fail(row as usize, code) {
                    RowOutcome::Written | RowOutcome::Repeated => {}
                    RowOutcome::Sealed => return Err(Error::Sealed),
                    RowOutcome::OutOfRange => return Err(no_such_row(row)),
                }
            }
            progress.advance(failed, 0);
            if failed > 0 {
                progress.blame(failed, code, || cause.clone());
            }
        }
        Ok(())
    }
}

/// The open rows that were answered with a code that says nothing about their record, by code; they are taken
/// out of `open`.
fn by_code(deferred: &[(u32, u8)], open: &mut Vec<u32>) -> BTreeMap<u8, Vec<u32>> {
    let mut by_code: BTreeMap<u8, Vec<u32>> = BTreeMap::new();
    if deferred.is_empty() {
        return by_code;
    }
    // A row that was answered twice counts once.
    let codes: HashMap<u32, u8> = deferred.iter().copied().collect();
    open.retain(|row| match codes.get(row) {
        Some(&code) => {
            by_code.entry(code).or_default().push(*row);
            false
        }
        None => true,
    });
    by_code
}
