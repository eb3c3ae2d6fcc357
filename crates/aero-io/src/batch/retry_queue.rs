//! Rows that wait for their retry.

use std::time::Duration;

use tokio::time::Instant;

use crate::batch::attempt::Attempt;
use crate::error::Error;

/// Rows that fall due within this time of each other are sent together.
const MERGE_WINDOW: Duration = Duration::from_millis(2);

/// Rows to be sent again.
pub(crate) struct QueuedRetry {
    pub(crate) due: Instant,
    pub(crate) rows: Vec<u32>,
    pub(crate) attempt: Attempt,
    pub(crate) cause: Error,
}

#[derive(Default)]
pub(crate) struct RetryQueue(Vec<QueuedRetry>);

impl RetryQueue {
    pub(crate) fn push(&mut self, retry: QueuedRetry) {
        self.0.push(retry);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When to send the next rows: slightly after the first are due, so that rows due at about the same time go
    /// together.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|retry| retry.due + MERGE_WINDOW).min()
    }

    /// Takes the rows that are due, those of the same attempt as one entry.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<QueuedRetry> {
        let (due, retry): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|retry| retry.due <= now);
        self.0 = retry;
        let mut merged: Vec<QueuedRetry> = Vec::new();
        for retry in due {
            let is_same_attempt = |other: &&mut QueuedRetry| {
                other.attempt.number == retry.attempt.number && other.attempt.avoid == retry.attempt.avoid
            };
            match merged.iter_mut().find(is_same_attempt) {
                Some(other) => other.rows.extend(retry.rows),
                None => merged.push(retry),
            }
        }
        merged
    }
}
