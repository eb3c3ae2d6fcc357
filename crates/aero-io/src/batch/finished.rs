//! What a batch does with a finished request: it retries the rows without a final answer, or fails them.
//!
//! [`Work::handle_finished`] first handles rows that got a code that is not final: it retries those with a
//! transient code and fails the others. If the request may have been executed in part, it fails the remaining
//! rows that write as in doubt. Then, for the rows that are still open:
//!
//! | end of the request | action |
//! | --- | --- |
//! | `Code`, about a record (such as OK) | retry, unless the policy does not ask for all keys |
//! | `Code` BATCH_MAX_REQUESTS | queue in requests of half the size; no retry |
//! | `Code` PARAMETER, NAMESPACE_NOT_FOUND | with several namespaces, queue a request per namespace; no retry |
//! | `Code`, transient | retry |
//! | `Code`, any other | fail |
//! | `Fault::Gone` (nothing was sent) | queue at the nodes that own the rows now; no retry |
//! | `Fault::Deadline` | fail |
//! | `Fault`, any other | retry |
//! | `Refused` before anything was sent | fail |
//! | `Refused` later, `Sealed` | end the call |
//! | `Abandoned` | nothing: other requests own the rows |
//!
//! To retry a row means to hand it to another request in flight that contains it, or to queue it for the next
//! attempt, at once or after a delay. Without retries or time left, the row fails. A row that writes and may
//! have been applied is never retried.

use std::sync::Arc;

use tokio::time::Instant;
use wire_protocol::ResultCode;

use crate::batch::attempt::Attempt;
use crate::batch::chunk::{Chunk, ChunkEnd, FinishedChunk, by_code};
use crate::batch::grouping;
use crate::batch::in_flight::hand_back;
use crate::batch::keys::PAGE;
use crate::batch::retry_queue::QueuedRetry;
use crate::batch::work::Work;
use crate::command::retry::{moves_on, retry_delay};
use crate::error::{Error, Fault};
use crate::policy::ReadModeSc;

impl Work<'_> {
    /// Handles a finished request; see the table above.
    pub(super) fn handle_finished(&mut self, outcome: FinishedChunk) -> Result<(), Error> {
        let chunk = Arc::clone(&outcome.chunk);
        self.handle_rows(outcome)?;
        self.forget_digests(&chunk);
        Ok(())
    }

    /// Frees the digests of pages whose rows are all settled, of those that the request had rows of.
    fn forget_digests(&self, chunk: &Chunk) {
        let (keys, progress) = (&self.call.keys, &self.call.progress);
        if !keys.is_forgetting() {
            return;
        }
        let mut last = None;
        for at in chunk.rows().iter().map(|&row| row as usize / PAGE) {
            if last.replace(at) != Some(at) && progress.are_settled(at * PAGE..(at + 1) * PAGE) {
                keys.forget(at);
            }
        }
    }

    fn handle_rows(&mut self, outcome: FinishedChunk) -> Result<(), Error> {
        let FinishedChunk { chunk, end, any_sent, deferred } = outcome;
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
                self.retry(&chunk, attempt, rows, &error)?;
                last = Some(error);
            } else {
                self.fail(rows, &error)?;
            }
        }
        let is_answered = chunk.has_settled() || !deferred.is_empty();
        if let ChunkEnd::Code(code) = end
            && (is_answered || !code.refuses_request())
        {
            // A server that stops at a row does not say which of the later rows it has applied.
            let error = match is_answered || code.is_about_record() {
                true => Error::NoResponse { tried: tried(true) },
                false => Error::Server { code, tried: tried(true) },
            };
            open = self.fail_written(open, &error)?;
        }
        match end {
            ChunkEnd::Abandoned => Ok(()),
            ChunkEnd::Sealed => Err(Error::Sealed),
            // Other requests may be in flight; they report on their own rows.
            ChunkEnd::Refused(error) if !any_sent => self.fail(open, &error),
            ChunkEnd::Refused(error) => Err(error),
            // Nothing was sent.
            ChunkEnd::Fault(Fault::Gone) => {
                self.queue_rows(&open, Attempt { is_rerouted: true, ..attempt }, None)
            }
            ChunkEnd::Fault(fault) => {
                node.observe(&fault, chunk.rows().len(), chunk.started());
                let is_final = matches!(fault, Fault::Deadline);
                let error = fault.into_error(node, *tried(any_sent));
                if is_final { self.fail(open, &error) } else { self.retry(&chunk, attempt, open, &error) }
            }
            ChunkEnd::Code(_) if open.is_empty() => Ok(()),
            ChunkEnd::Code(code) if code.is_about_record() => {
                // Unless asked to answer every row, a server leaves some out on purpose, except after a row
                // that it could not answer for a transient reason.
                let is_over = !call.policy().respond_all_keys && last.is_none();
                let error = last.unwrap_or_else(|| Error::NoResponse { tried: tried(true) });
                if is_over { self.fail(open, &error) } else { self.retry(&chunk, attempt, open, &error) }
            }
            ChunkEnd::Code(code) => self.handle_refused(&chunk, attempt, open, code),
        }
    }

    /// Handles a code that applies to all open rows of a request.
    fn handle_refused(
        &mut self,
        chunk: &Chunk,
        attempt: Attempt,
        rows: Vec<u32>,
        code: ResultCode,
    ) -> Result<(), Error> {
        // BATCH_MAX_REQUESTS, PARAMETER and NAMESPACE_NOT_FOUND can mean that the request was composed badly:
        // sending the rows in other requests is no retry.
        let attempt = Attempt { is_again: true, ..attempt };
        let len = chunk.rows().len();
        if code == ResultCode::BATCH_MAX_REQUESTS && len > 1 {
            chunk.node.refused_rows(len);
            return self.queue_rows(&rows, Attempt { max_rows: len / 2, ..attempt }, None);
        }
        if matches!(code, ResultCode::PARAMETER | ResultCode::NAMESPACE_NOT_FOUND)
            && let Some(parts) = grouping::split_by_namespace(&self.call.keys, &rows)
        {
            return parts.iter().try_for_each(|rows| self.queue_rows(rows, attempt, None));
        }
        let in_doubt = code == ResultCode::TIMEOUT;
        let tried = Box::new(self.call.tried(&chunk.node, attempt.number, in_doubt));
        let error = Error::Server { code, tried };
        if code.is_transient() { self.retry(chunk, attempt, rows, &error) } else { self.fail(rows, &error) }
    }

    /// Hands `rows` to other requests in flight that contain them, or queues them for the next attempt, or
    /// fails them with `cause`.
    fn retry(
        &mut self,
        chunk: &Chunk,
        attempt: Attempt,
        mut rows: Vec<u32>,
        cause: &Error,
    ) -> Result<(), Error> {
        if cause.in_doubt() {
            // Rows that may have been applied are not sent again.
            rows = self.fail_written(rows, cause)?;
        }
        let policy = self.call.policy();
        let is_free_read = !self.call.request.may_write() && policy.reads.mode_sc != ReadModeSc::Linearize;
        let moves = moves_on(policy.limits.replica, is_free_read, cause);
        let now = Instant::now();
        let due =
            now.checked_add(retry_delay(policy.limits.sleep_between_retries, moves, attempt.number, cause));
        let in_time = |due: &Instant| self.call.deadline.is_none_or(|deadline| *due < deadline);
        let Some(due) = due.filter(in_time).filter(|_| attempt.number < policy.limits.max_retries) else {
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
            return self.queue_rows(&rows, attempt, Some(cause));
        }
        self.retries.push(QueuedRetry { due, rows, attempt, cause: cause.clone() });
        Ok(())
    }

    /// Fails those of `rows` that write, and returns the others.
    fn fail_written(&mut self, rows: Vec<u32>, cause: &Error) -> Result<Vec<u32>, Error> {
        let (written, read) = rows.into_iter().partition(|&row| self.call.request.writes(row));
        self.fail(written, cause).map(|()| read)
    }

    /// Fails rows, unless another request in flight contains them and may still answer.
    pub(super) fn fail(&mut self, rows: Vec<u32>, cause: &Error) -> Result<(), Error> {
        let rows = hand_back(&mut self.in_flight, rows, false, Instant::now());
        self.call.sink.fail(self.call, &rows, cause)
    }
}
