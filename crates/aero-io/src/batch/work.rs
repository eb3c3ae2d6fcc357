//! A batch: chunks side by side, and what was not answered once more.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::digest::partition_id;

use crate::batch::alarm::Alarm;
use crate::batch::attempt::Attempt;
use crate::batch::call::BatchCall;
use crate::batch::chunk::{self, Chunk, ChunkEnd, FinishedChunk, by_code, no_such_row};
use crate::batch::grouping::{self, Order, Queue};
use crate::batch::in_flight::{InFlight, hand_back};
use crate::batch::keys::BatchKeys;
use crate::batch::progress::Progress;
use crate::batch::request::Request;
use crate::batch::retry_queue::{QueuedRetry, RetryQueue};
use crate::batch::sink::{RowLease as _, RowOutcome, RowSink};
use crate::command::retry::{moves_on, retry_delay};
use crate::error::{Error, Fault};
use crate::node::health::count;
use crate::policy::ReadModeSc;
use crate::topology::state::Inner;

/// Requests of one call that are under way at a node at a time.
const MAX_IN_FLIGHT: usize = 8;

/// How long requests of which every row is settled may take to end.
const GRACE: Duration = Duration::from_millis(5);

/// Rows that are failed under one lease, so that a seal waits briefly.
const FAILED_PER_LEASE: usize = 4_096;

/// Has what `request` says done for the rows of `keys`, and hands the answers to `sink`. All of it happens within
/// this future.
pub(crate) async fn run<S: RowSink>(
    inner: &Arc<Inner>,
    keys: Arc<BatchKeys>,
    request: Request,
    sink: Arc<S>,
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    if u32::try_from(keys.len()).is_err() {
        return Err(Error::Param { what: format!("{} keys in one batch", keys.len()) });
    }
    if let Request::Read(read) = &request {
        read.bins.check()?;
    }
    let start = Instant::now();
    let limit = request.policy().total_timeout_for(keys.len());
    let call = BatchCall {
        inner: Arc::clone(inner),
        start,
        deadline: limit.and_then(|limit| start.checked_add(limit)),
        progress: Progress::new(keys.len()),
        keys,
        request,
        sink,
    };
    let mut work = Work::new(&call);
    work.drop_empty()?;
    let mut in_flight = FuturesUnordered::new();
    let mut alarm = Alarm::default();
    loop {
        while let Some(chunk) = work.next_chunk()? {
            in_flight.push(chunk::run(&call, chunk));
        }
        if work.wants_more() {
            // What there is to send is sent before more is computed, and what came meanwhile is taken.
            let ended = std::future::poll_fn(|cx| Poll::Ready(in_flight.poll_next_unpin(cx))).await;
            if let Poll::Ready(Some(outcome)) = ended {
                work.settle(outcome)?;
            }
            work.ask_more()?;
            continue;
        }
        if work.is_done() {
            return call.progress.result();
        }
        let event = std::future::poll_fn(|cx| match in_flight.poll_next_unpin(cx) {
            Poll::Ready(Some(outcome)) => Poll::Ready(Wakeup::Ended(outcome)),
            _ if call.progress.open() == 0 && work.grace.is_none() => Poll::Ready(Wakeup::Settled),
            _ => Poll::Pending,
        });
        match alarm.or(work.next_look(), event).await {
            Some(Wakeup::Ended(outcome)) => work.settle(outcome)?,
            Some(Wakeup::Settled) => work.grace = Instant::now().checked_add(GRACE),
            None => work.look()?,
        }
    }
}

/// What a call waits for.
enum Wakeup {
    /// A request ended.
    Ended(FinishedChunk),
    /// The last row was settled.
    Settled,
}

/// What is left to do.
struct Work<'c, S> {
    call: &'c BatchCall<S>,
    /// The rows in the order in which they are asked for.
    order: Order,
    /// How many of them were queued.
    asked: usize,
    /// How many are queued at a time.
    segment: usize,
    queues: Vec<Queue>,
    retries: RetryQueue,
    in_flight: Vec<InFlight>,
    /// Requests that are noted as under way and not begun yet.
    begun: Vec<Arc<Chunk>>,
    /// Until when requests of which every row is settled may still end by themselves.
    grace: Option<Instant>,
}

impl<'c, S: RowSink> Work<'c, S> {
    fn new(call: &'c BatchCall<S>) -> Self {
        let order = Order::of(&call.keys);
        let segment = grouping::segment(order.len(), call.inner.view().nodes.len());
        Self {
            call,
            order,
            asked: 0,
            segment,
            queues: Vec::new(),
            retries: RetryQueue::default(),
            in_flight: Vec::new(),
            begun: Vec::new(),
            grace: None,
        }
    }

    /// Fails the rows that there is nothing to send for.
    fn drop_empty(&mut self) -> Result<(), Error> {
        let request = &self.call.request;
        if !request.has_empty() {
            return Ok(());
        }
        let empty = self.order.take_out(|row| request.is_empty(row));
        self.fail(empty, &Error::Param { what: "there is nothing to write: no bin is present".into() })
    }

    /// Whether every row is settled. What has settled some of them ends by itself within moments, so that its
    /// connection can be used again; what has not is given up.
    fn is_done(&self) -> bool {
        if self.call.progress.open() > 0 {
            return self.asked == self.order.len() && self.in_flight.is_empty() && self.retries.is_empty();
        }
        self.in_flight.iter().all(|other| !other.chunk.has_settled())
            || self.grace.is_some_and(|grace| grace <= Instant::now())
    }

    /// Whether rows are to be queued that were not yet: some node has nothing to do.
    fn wants_more(&self) -> bool {
        if self.asked == self.order.len() {
            return false;
        }
        let busy: HashSet<u64> = self.queues.iter().map(|queue| queue.node.id).collect();
        busy.len() < self.call.inner.view().nodes.len().max(1)
    }

    /// Queues the next rows.
    fn ask_more(&mut self) -> Result<(), Error> {
        let end = self.order.len().min(self.asked + self.segment);
        let rows = self.order.rows(self.asked..end);
        self.asked = end;
        grouping::compute_digests(&self.call.keys, &rows)?;
        self.ask(&rows, Attempt::FIRST, None)
    }

    /// Queues rows for the nodes that have them. Rows that no node is known for fail with `cause`, or
    /// with that very fact where there is no cause yet.
    fn ask(&mut self, rows: &[u32], attempt: Attempt, cause: Option<&Error>) -> Result<(), Error> {
        let grouped = grouping::group(self.call, rows, attempt);
        self.queues.extend(grouped.queues);
        let keys = &*self.call.keys;
        let namespace = |row: u32| {
            let space = &keys.spaces()[keys.space_index(row)];
            String::from_utf8_lossy(&space.namespace).into_owned()
        };
        if let Some(&row) = grouped.unknown.first() {
            match self.call.inner.unless_closed(Error::NamespaceNotFound { namespace: namespace(row) }) {
                // Not an answer about these rows: the call ends, and other rows were sent before.
                Error::Closed { .. } => {
                    return Err(Error::Closed { in_doubt: self.call.request.may_write() });
                }
                error => self.fail(grouped.unknown, &error)?,
            }
        }
        if let Some(&row) = grouped.homeless.first() {
            let partition = partition_id(keys.digest_of(row));
            let error = Error::InvalidNode { namespace: namespace(row), partition };
            self.fail(grouped.homeless, cause.unwrap_or(&error))?;
        }
        Ok(())
    }

    /// The next request to send, if there is one for a node that has not too many.
    fn next_chunk(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        if let Some(chunk) = self.begun.pop() {
            return Ok(Some(chunk));
        }
        let mut place = 0;
        while let Some(queue) = self.queues.get_mut(place) {
            if let Some((rows, attempt)) = queue.stranded() {
                let rows = rows.to_vec();
                self.queues.swap_remove(place);
                self.ask(&rows, attempt, None)?;
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

    /// When something is to be done though no request has ended.
    fn next_look(&self) -> Option<Instant> {
        let requests = self.in_flight.iter().filter_map(|other| other.look_at);
        requests.chain(self.retries.next()).chain(self.grace).min()
    }

    /// Does what is due: asks for rows again, asks other nodes where one is late.
    fn look(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        for QueuedRetry { mut rows, attempt, cause, .. } in self.retries.take_due(now) {
            // Another request that has asked for a row may have got its answer meanwhile.
            rows.retain(|&row| !self.call.progress.is_settled(row));
            self.ask(&rows, attempt, Some(&cause))?;
        }
        let mut place = 0;
        while let Some(request) = self.in_flight.get_mut(place) {
            if request.look_at.is_some_and(|at| at <= now) {
                request.look_at = None;
                self.look_at(place, now)?;
            }
            place += 1;
        }
        Ok(())
    }

    /// Looks at a request that may have taken too long.
    fn look_at(&mut self, place: usize, now: Instant) -> Result<(), Error> {
        let call = self.call;
        let Some(request) = self.in_flight.get_mut(place) else { return Ok(()) };
        let chunk = Arc::clone(&request.chunk);
        let open = request.open(&call.progress);
        let Some(started) = chunk.started() else {
            if chunk.node.is_usable() || chunk.attempt.is_rerouted || !request.may_move || open.is_empty() {
                request.look_later(now);
                return Ok(());
            }
            // It waits for a connection to a node that answers nobody: nothing was sent, so nothing is lost.
            chunk.abandon();
            request.hand_over(&open, &open.iter().copied().collect());
            (request.is_overdue, request.is_counted) = (true, false);
            return self.ask(&open, Attempt { is_rerouted: true, ..chunk.attempt }, None);
        };
        if open.is_empty() {
            return Ok(());
        }
        let patience = request.patience;
        if now < started + patience {
            request.look_at = Some(started + patience);
            return Ok(());
        }
        request.is_overdue = true;
        let is_silent = chunk.node.check_silence(chunk.rows().len(), started);
        chunk.node.health.note_overdue(chunk.rows().len(), now - started);
        if !request.may_repeat {
            request.look_later(now);
            return Ok(());
        }
        // Where too much was hedged lately, or the rows were asked for twice already, those of a node that says
        // nothing at all are worth one of the caller's retries; others wait on.
        let attempt = Attempt { number: request.tries, ..chunk.attempt };
        let mut queues = grouping::group_elsewhere(call, &open, attempt, &chunk.node);
        let chunks: Vec<Chunk> = queues
            .iter_mut()
            .flat_map(|queue| std::iter::from_fn(|| queue.cut(&call.keys, &call.request)))
            .collect();
        let is_hedge = !chunks.is_empty() && request.may_hedge && call.inner.hedges.spend(chunks.len());
        let is_retry = is_silent && request.tries < call.policy().max_retries;
        if chunks.is_empty() || !(is_hedge || is_retry) {
            request.look_later(now);
            return Ok(());
        }
        if is_hedge {
            count(&chunk.node.health.counters.hedges);
            call.inner.count_hedges(chunks.len());
        } else {
            request.tries += 1;
        }
        let given: HashSet<u32> = chunks.iter().flat_map(|chunk| chunk.rows().iter().copied()).collect();
        request.hand_over(&open, &given);
        request.is_counted = false;
        // Rows that nobody else has now are looked at again.
        request.look_later(now);
        let tries = request.tries;
        for mut chunk in chunks {
            chunk.attempt = Attempt { number: tries, is_again: !is_hedge, ..chunk.attempt };
            let mut request = InFlight::begin(self.call, chunk);
            request.chunk.contest();
            (request.may_hedge, request.is_counted) = (!is_hedge, false);
            self.begun.push(Arc::clone(&request.chunk));
            self.in_flight.push(request);
        }
        Ok(())
    }

    /// Draws the conclusions of a request's end.
    fn settle(&mut self, outcome: FinishedChunk) -> Result<(), Error> {
        let FinishedChunk { chunk, end, deferred } = outcome;
        let Some(place) = self.in_flight.iter().position(|other| Arc::ptr_eq(&other.chunk, &chunk)) else {
            return Ok(());
        };
        let request = self.in_flight.swap_remove(place);
        let call = self.call;
        let node = &chunk.node;
        let attempt = Attempt { number: request.tries, ..chunk.attempt };
        let tried = |in_doubt| Box::new(call.tried(node, attempt.number, in_doubt));
        let mut open = if chunk.is_settled() { Vec::new() } else { request.open(&call.progress) };
        let mut last = None;
        for (code, rows) in by_code(&deferred, &mut open) {
            node.observe_code(code);
            let error = Error::Server { code, tried: tried(code == ResultCode::TIMEOUT) };
            if code.is_transient() {
                self.ask_again(&chunk, attempt, rows, &error)?;
                last = Some(error);
            } else {
                self.fail(rows, &error)?;
            }
        }
        let is_answered = chunk.has_settled() || !deferred.is_empty();
        if let ChunkEnd::Code(code) = end
            && (is_answered || !code.refuses_request())
        {
            // What a server that stops at one row has applied of the others it does not say.
            let error = match is_answered || code.is_about_record() {
                true => Error::NoResponse { tried: tried(true) },
                false => Error::Server { code, tried: tried(true) },
            };
            open = self.fail_written(open, &error)?;
        }
        match end {
            ChunkEnd::Abandoned => Ok(()),
            ChunkEnd::Sealed => Err(Error::Sealed),
            // Others may be under way, and say themselves what became of them.
            ChunkEnd::Refused(error) if !chunk.is_sent() => self.fail(open, &error),
            ChunkEnd::Refused(error) => Err(error),
            // Nothing was sent to a node that left: its rows go to those who have them now.
            ChunkEnd::Fault(Fault::Gone) => self.ask(&open, Attempt { is_rerouted: true, ..attempt }, None),
            ChunkEnd::Fault(fault) => {
                node.observe(&fault, chunk.rows().len(), chunk.started());
                let is_final = matches!(fault, Fault::Deadline);
                let error = fault.into_error(node, *tried(chunk.is_sent()));
                if is_final { self.fail(open, &error) } else { self.ask_again(&chunk, attempt, open, &error) }
            }
            ChunkEnd::Code(_) if open.is_empty() => Ok(()),
            ChunkEnd::Code(code) if code.is_about_record() => {
                // A server that was not told to answer every row leaves some out on purpose, unless it stopped at
                // one that it could not answer just then.
                let is_over = !call.policy().respond_all_keys && last.is_none();
                let error = last.unwrap_or_else(|| Error::NoResponse { tried: tried(true) });
                if is_over { self.fail(open, &error) } else { self.ask_again(&chunk, attempt, open, &error) }
            }
            ChunkEnd::Code(code) => self.settle_code(&chunk, attempt, open, code),
        }
    }

    /// Draws the conclusions of a code that is about all rows of a request that were left open.
    fn settle_code(
        &mut self,
        chunk: &Chunk,
        attempt: Attempt,
        rows: Vec<u32>,
        code: ResultCode,
    ) -> Result<(), Error> {
        // These three say that the request was put together badly: the same rows in other requests are
        // no new try.
        let attempt = Attempt { is_again: true, ..attempt };
        let len = chunk.rows().len();
        if code == ResultCode::BATCH_MAX_REQUESTS && len > 1 {
            chunk.node.refused_rows(len);
            return self.ask(&rows, Attempt { max_rows: len / 2, ..attempt }, None);
        }
        if matches!(code, ResultCode::PARAMETER | ResultCode::NAMESPACE_NOT_FOUND)
            && let Some(parts) = grouping::split_by_namespace(&self.call.keys, &rows)
        {
            return parts.iter().try_for_each(|rows| self.ask(rows, attempt, None));
        }
        let in_doubt = code == ResultCode::TIMEOUT;
        let tried = Box::new(self.call.tried(&chunk.node, attempt.number, in_doubt));
        let error = Error::Server { code, tried };
        if code.is_transient() {
            self.ask_again(chunk, attempt, rows, &error)
        } else {
            self.fail(rows, &error)
        }
    }

    /// Queues rows for the next try at another node, leaves them to others that have asked for them, or fails
    /// them with `cause`.
    fn ask_again(
        &mut self,
        chunk: &Chunk,
        attempt: Attempt,
        mut rows: Vec<u32>,
        cause: &Error,
    ) -> Result<(), Error> {
        if cause.in_doubt() {
            // What may have been applied is not sent again.
            rows = self.fail_written(rows, cause)?;
        }
        let policy = self.call.policy();
        let is_free_read = !self.call.request.may_write() && policy.read_mode_sc != ReadModeSc::Linearize;
        let moves = moves_on(policy.replica, is_free_read, cause);
        let now = Instant::now();
        let due = now.checked_add(retry_delay(policy.sleep_between_retries, moves, attempt.number, cause));
        let in_time = |due: &Instant| self.call.deadline.is_none_or(|deadline| *due < deadline);
        let Some(due) = due.filter(in_time).filter(|_| attempt.number < policy.max_retries) else {
            return self.fail(rows, cause);
        };
        let rows = hand_back(&mut self.in_flight, rows, true, now);
        if rows.is_empty() {
            return Ok(());
        }
        let attempt = Attempt {
            number: attempt.number + 1,
            step: attempt.step + u32::from(moves),
            avoid: moves.then_some(chunk.node.id),
            max_rows: usize::MAX,
            is_rerouted: false,
            is_again: true,
        };
        if due <= now {
            return self.ask(&rows, attempt, Some(cause));
        }
        self.retries.push(QueuedRetry { due, rows, attempt, cause: cause.clone() });
        Ok(())
    }

    /// Gives those of `rows` up that write, and returns the others.
    fn fail_written(&mut self, rows: Vec<u32>, cause: &Error) -> Result<Vec<u32>, Error> {
        let (written, read) = rows.into_iter().partition(|&row| self.call.request.writes(row));
        self.fail(written, cause).map(|()| read)
    }

    /// Gives rows up for good, unless others that have asked for them may still answer.
    fn fail(&mut self, rows: Vec<u32>, cause: &Error) -> Result<(), Error> {
        let rows = hand_back(&mut self.in_flight, rows, false, Instant::now());
        let code = cause.code();
        let (progress, request) = (&self.call.progress, &self.call.request);
        for rows in rows.chunks(FAILED_PER_LEASE) {
            let mut lease = self.call.sink.lease().ok_or(Error::Sealed)?;
            let (mut failed, mut is_doubtful) = (0, false);
            for &row in rows.iter().filter(|&&row| progress.settle(row)) {
                failed += 1;
                let in_doubt = cause.in_doubt() && request.writes(row);
                is_doubtful |= in_doubt;
                match lease.fail(row as usize, code, in_doubt) {
                    RowOutcome::Written | RowOutcome::Repeated => {}
                    RowOutcome::Sealed => return Err(Error::Sealed),
                    RowOutcome::OutOfRange => return Err(no_such_row(row)),
                }
            }
            progress.advance(failed, 0);
            if failed > 0 {
                progress.note_cause(failed, code, is_doubtful, || cause.clone());
            }
        }
        Ok(())
    }
}
