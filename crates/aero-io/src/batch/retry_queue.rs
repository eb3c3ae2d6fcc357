//! Rows that are to be asked for again, not before their time.

use std::time::Duration;

use tokio::time::Instant;

use crate::batch::attempt::Attempt;
use crate::error::Error;

/// Rows that are due within such a time are asked for together.
const TOGETHER: Duration = Duration::from_millis(2);

/// Some rows, and why they are asked for again.
pub(crate) struct QueuedRetry {
    pub(crate) due: Instant,
    pub(crate) rows: Vec<u32>,
    pub(crate) attempt: Attempt,
    pub(crate) cause: Error,
}

/// All of a call's.
#[derive(Default)]
pub(crate) struct RetryQueue(Vec<QueuedRetry>);

impl RetryQueue {
    pub(crate) fn push(&mut self, later: QueuedRetry) {
        self.0.push(later);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the next are to be asked for: a little later than the first are due, so that those of about the
    /// same time go together.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|later| later.due + TOGETHER).min()
    }

    /// Takes those that are due; rows of the same try go together.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<QueuedRetry> {
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|later| later.due <= now);
        self.0 = later;
        let mut together: Vec<QueuedRetry> = Vec::new();
        for one in due {
            let is_like = |other: &&mut QueuedRetry| {
                other.attempt.number == one.attempt.number && other.attempt.avoid == one.attempt.avoid
            };
            match together.iter_mut().find(is_like) {
                Some(other) => other.rows.extend(one.rows),
                None => together.push(one),
            }
        }
        together
    }
}
