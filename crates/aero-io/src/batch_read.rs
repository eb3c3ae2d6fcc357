//! The batch read: chunks side by side, and what was not answered once more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use wire_protocol::digest::partition_id;
use wire_protocol::result_code;

use crate::chunk::{self, Call, Chunk, End, Outcome, is_about_record, is_passing, no_such_row};
use crate::cluster::Inner;
use crate::error::{Error, Fault};
use crate::keys::{BatchKeys, BatchRead};
use crate::node::Node;
use crate::rounds::{self, Plan, Queue};
use crate::sink::{RowLease as _, RowOutcome, RowSink};

/// Requests of one call that are under way at a node at a time.
const MAX_IN_FLIGHT: usize = 8;

/// Rows that are failed under one lease, so that a seal waits briefly.
const FAILED_PER_LEASE: usize = 4_096;

/// The first wait after a node said that its queues are full; it doubles with each try.
const BACK_OFF: Duration = Duration::from_millis(10);

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
    let call = Arc::new(Call {
        inner: Arc::clone(inner),
        start,
        deadline: limit.and_then(|limit| start.checked_add(limit)),
        keys,
        request,
        sink,
    });
    let mut work = Work::new(&call);
    work.ask(&rounds::rows_by_space(&call.keys), Plan::FIRST, None)?;
    let mut under_way = FuturesUnordered::new();
    loop {
        while let Some(chunk) = work.next_chunk() {
            under_way.push(chunk::run(Arc::clone(&call), chunk));
        }
        match under_way.next().await {
            Some(outcome) => work.settle(outcome)?,
            None => return work.result(),
        }
    }
}

/// What is left to do, and what came of the rest.
struct Work<'c, S> {
    call: &'c Call<S>,
    queues: Vec<Queue>,
    /// Requests under way, by node.
    in_flight: Vec<(u64, usize)>,
    /// Rows that were answered about a record.
    about_records: u64,
    causes: Vec<Cause>,
}

/// Why rows have no answer about a record.
struct Cause {
    code: i32,
    rows: u64,
    /// The first of the kind.
    error: Error,
}

impl<'c, S: RowSink> Work<'c, S> {
    fn new(call: &'c Call<S>) -> Self {
        Self { call, queues: Vec::new(), in_flight: Vec::new(), about_records: 0, causes: Vec::new() }
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
    fn next_chunk(&mut self) -> Option<Chunk> {
        let mut place = 0;
        while let Some(queue) = self.queues.get_mut(place) {
            let id = queue.node.id;
            let under_way = match self.in_flight.iter_mut().find(|(node, _)| *node == id) {
                Some((_, under_way)) => under_way,
                None => {
                    self.in_flight.push((id, 0));
                    continue;
                }
            };
            if *under_way >= MAX_IN_FLIGHT {
                place += 1;
                continue;
            }
            if let Some(chunk) = queue.cut(&self.call.keys, &self.call.request.bins) {
                *under_way += 1;
                return Some(chunk);
            }
            self.queues.swap_remove(place);
        }
        None
    }

    /// Draws the conclusions of a request's end.
    fn settle(&mut self, outcome: Outcome) -> Result<(), Error> {
        let Outcome { node, attempt, end, tally, len, unanswered } = outcome;
        if let Some((_, under_way)) = self.in_flight.iter_mut().find(|(id, _)| *id == node.id) {
            *under_way = under_way.saturating_sub(1);
        }
        let call = self.call;
        let tried = || Box::new(call.tried(&node, attempt));
        self.about_records += tally.about_records;
        for (code, rows) in tally.failed {
            self.count(rows, &Error::Server { code, tried: tried() });
        }
        for (code, rows) in tally.deferred {
            self.ask_again(&node, attempt, &rows, &Error::Server { code, tried: tried() })?;
        }
        match end {
            End::Sealed => Err(Error::Sealed),
            End::Refused(error) => Err(error),
            End::Fault(fault) => {
                node.observe(&fault);
                let is_final = matches!(fault, Fault::Deadline);
                let error = fault.into_error(node.pool.limit(), call.tried(&node, attempt));
                if is_final {
                    self.fail(&unanswered, &error)
                } else {
                    self.ask_again(&node, attempt, &unanswered, &error)
                }
            }
            End::Code(_) if unanswered.is_empty() => Ok(()),
            End::Code(code) if is_about_record(code) => {
                let error = Error::NoResponse { tried: tried() };
                // A server that was not told to answer every row leaves some out on purpose.
                if call.policy().respond_all_keys {
                    self.ask_again(&node, attempt, &unanswered, &error)
                } else {
                    self.fail(&unanswered, &error)
                }
            }
            End::Code(code) => self.settle_code(&node, attempt, len, &unanswered, code),
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
        let mut delay = policy.sleep_between_retries;
        if cause.code() == i32::from(result_code::BATCH_QUEUES_FULL) {
            delay = delay.max(BACK_OFF.saturating_mul(1 << attempt.min(6)));
        }
        let is_too_late = self
            .call
            .deadline
            .is_some_and(|deadline| Instant::now().checked_add(delay).is_none_or(|start| start >= deadline));
        if attempt >= policy.max_retries || is_too_late {
            return self.fail(rows, cause);
        }
        let plan = Plan { attempt: attempt + 1, avoid: Some(node.id), delay, ..Plan::FIRST };
        self.ask(rows, plan, Some(cause))
    }

    /// Gives rows up for good.
    fn fail(&mut self, rows: &[u32], cause: &Error) -> Result<(), Error> {
        self.count(rows.len() as u64, cause);
        let code = cause.code();
        for rows in rows.chunks(FAILED_PER_LEASE) {
            let mut lease = self.call.sink.lease().ok_or(Error::Sealed)?;
            for &row in rows {
                match lease.fail(row as usize, code) {
                    RowOutcome::Written | RowOutcome::Repeated => {}
                    RowOutcome::Sealed => return Err(Error::Sealed),
                    RowOutcome::OutOfRange => return Err(no_such_row(row)),
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, rows: u64, error: &Error) {
        if rows == 0 {
            return;
        }
        let code = error.code();
        match self.causes.iter_mut().find(|cause| cause.code == code) {
            Some(cause) => cause.rows += rows,
            None => self.causes.push(Cause { code, rows, error: error.clone() }),
        }
    }

    /// The call's own outcome, when nothing is left to do.
    fn result(self) -> Result<(), Error> {
        if self.about_records > 0 {
            return Ok(());
        }
        match self.causes.into_iter().max_by_key(|cause| cause.rows) {
            Some(cause) => Err(cause.error),
            None => Ok(()),
        }
    }
}
