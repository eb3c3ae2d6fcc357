//! What a batch does on a timer: it queues retries that are due, and checks requests that take too long.
//!
//! [`Work::handle_due`] checks a request when its `check_at` is reached:
//!
//! | request | condition | action |
//! | --- | --- | --- |
//! | waits for a connection | its node failed, and its rows may still move | abandon it, queue its rows elsewhere; no retry |
//! | | otherwise | check again soon |
//! | was sent | all its rows are settled | stop checking |
//! | | it is not overdue yet | check again when it is |
//! | | it is overdue, and its rows may be hedged within the budget | send its rows to other nodes as well |
//! | | they may not, but its node answers no other request either | the same, as a retry, if any is left |
//! | | otherwise | check again after twice the time |
//!
//! Rows can be sent to other nodes only if they do not write, hedging is on, and another node has them. The
//! budget is that of [`Budget`](crate::node::hedge::Budget); the rows of a hedge are not hedged again. A
//! request whose rows were sent to other nodes stays in flight and may still answer first.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use crate::batch::attempt::Attempt;
use crate::batch::chunk::Chunk;
use crate::batch::grouping;
use crate::batch::in_flight::InFlight;
use crate::batch::retry_queue::QueuedRetry;
use crate::batch::work::Work;
use crate::error::Error;
use crate::node::health::count;

impl Work<'_> {
    /// When to call [`Work::handle_due`], though no request has ended.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let requests = self.in_flight.iter().filter_map(|other| other.check_at);
        requests.chain(self.retries.next()).chain(self.grace).min()
    }

    /// Queues retries that are due, and checks requests that may be overdue.
    pub(super) fn handle_due(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        for QueuedRetry { mut rows, attempt, cause, .. } in self.retries.take_due(now) {
            // Another request that contains the row may have been answered meanwhile.
            rows.retain(|&row| !self.call.progress.is_settled(row));
            self.queue_rows(&rows, attempt, Some(&cause))?;
        }
        let mut place = 0;
        while let Some(request) = self.in_flight.get_mut(place) {
            if request.check_at.is_some_and(|at| at <= now) {
                request.check_at = None;
                self.check_overdue(place, now)?;
            }
            place += 1;
        }
        Ok(())
    }

    /// Checks a request that may be overdue; see the table above.
    fn check_overdue(&mut self, place: usize, now: Instant) -> Result<(), Error> {
        let call = self.call;
        let Some(request) = self.in_flight.get_mut(place) else { return Ok(()) };
        let chunk = Arc::clone(&request.chunk);
        let open = request.open(&call.progress);
        let Some(started) = chunk.started() else {
            if chunk.node.is_usable() || chunk.attempt.is_rerouted || !request.may_move || open.is_empty() {
                request.check_later(now);
                return Ok(());
            }
            // Nothing was sent, so nothing is lost.
            chunk.abandon();
            request.hand_over(&open, &open.iter().copied().collect());
            (request.is_overdue, request.is_counted) = (true, false);
            return self.queue_rows(&open, Attempt { is_rerouted: true, ..chunk.attempt }, None);
        };
        if open.is_empty() {
            return Ok(());
        }
        let overdue_after = request.overdue_after;
        if now < started + overdue_after {
            request.check_at = Some(started + overdue_after);
            return Ok(());
        }
        request.is_overdue = true;
        let is_silent = chunk.node.check_silence(chunk.rows().len(), started);
        chunk.node.health.note_overdue(chunk.rows().len(), now - started);
        if !request.may_repeat {
            request.check_later(now);
            return Ok(());
        }
        // Without hedge budget, or for rows that were repeated before, spend one of the caller's retries if the
        // node is silent. Otherwise keep waiting.
        let attempt = Attempt { number: request.tries, ..chunk.attempt };
        let mut queues = grouping::group_elsewhere(call, &open, attempt, &chunk.node);
        let chunks: Vec<Chunk> = queues
            .iter_mut()
            .flat_map(|queue| std::iter::from_fn(|| queue.cut(&call.keys, &call.request)))
            .collect();
        let is_hedge = !chunks.is_empty() && request.may_hedge && call.inner.hedges.spend(chunks.len());
        let is_retry = is_silent && request.tries < call.policy().limits.max_retries;
        if chunks.is_empty() || !(is_hedge || is_retry) {
            request.check_later(now);
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
        // Rows that no other request contains are checked again.
        request.check_later(now);
        let tries = request.tries;
        for mut chunk in chunks {
            chunk.attempt = Attempt { number: tries, is_again: !is_hedge, ..chunk.attempt };
            let mut request = InFlight::begin(self.call, chunk);
            request.chunk.contest();
            (request.may_hedge, request.is_counted) = (!is_hedge, false);
            self.ready.push(Arc::clone(&request.chunk));
            self.in_flight.push(request);
        }
        Ok(())
    }
}
