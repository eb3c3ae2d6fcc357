//! What commands learn about a node: whether it answers, how fast, and how often it fails.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wire_protocol::ResultCode;

use crate::error::Fault;

/// Classes of requests by size: each covers four times the rows of the one before. Times are measured per
/// class, because the time for one row says little about that for a thousand.
const CLASSES: usize = 8;

/// No measurement yet.
const UNKNOWN: u32 = 0;

/// A node's health. All accesses are relaxed: each number is independent of the others.
pub(crate) struct Health {
    born: Instant,
    /// Whether the last check of the node failed, or a command found it silent or broken since.
    suspect: AtomicBool,
    /// The recent average time of requests in microseconds, by class.
    average_time: [AtomicU32; CLASSES],
    /// The class that was measured last.
    latest: AtomicUsize,
    /// When a command was last answered, in microseconds since `born`.
    last_answer: AtomicU64,
    limit: u32,
    window: Duration,
    /// Failures in the window that ends at `window_end`, in microseconds since `born`.
    failures: AtomicU32,
    window_end: AtomicU64,
    pub(crate) counters: Counters,
}

/// The class of requests with `rows` rows: 1, 2 to 4, 5 to 16 and so on.
fn class_of(rows: usize) -> usize {
    let log4 = rows.max(1).next_power_of_two().trailing_zeros().div_ceil(2);
    (log4 as usize).min(CLASSES - 1)
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) errors: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) hedges: AtomicU64,
    /// Times that commands began to avoid the node.
    pub(crate) suspected: AtomicU64,
    /// Times that the circuit breaker opened.
    pub(crate) tripped: AtomicU64,
}

/// Adds one to a statistics counter.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Health {
    /// A healthy node that may fail `limit` times per `window`; a limit of zero is no limit.
    pub(crate) fn new(limit: u32, window: Duration) -> Self {
        Self {
            born: Instant::now(),
            suspect: AtomicBool::new(false),
            average_time: Default::default(),
            latest: AtomicUsize::new(0),
            last_answer: AtomicU64::new(0),
            limit,
            window,
            failures: AtomicU32::new(0),
            window_end: AtomicU64::new(0),
            counters: Counters::default(),
        }
    }

    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    /// Sets whether to avoid the node. Returns whether that is a change.
    pub(crate) fn set_suspect(&self, suspect: bool) -> bool {
        self.suspect.swap(suspect, Ordering::Relaxed) != suspect
    }

    /// Records that the node answered a command.
    pub(crate) fn note_answer(&self) {
        self.last_answer.store(self.micros(Instant::now()), Ordering::Relaxed);
    }

    /// Whether the node has answered no command since then.
    pub(crate) fn is_silent_since(&self, since: Instant) -> bool {
        self.last_answer.load(Ordering::Relaxed) < self.micros(since)
    }

    /// Records that a request of `rows` took `time`.
    pub(crate) fn note_time(&self, rows: usize, time: Duration) {
        let class = class_of(rows);
        let Some(average_time) = self.average_time.get(class) else { return };
        self.latest.store(class, Ordering::Relaxed);
        let sample = time.as_micros().clamp(1, u128::from(u32::MAX)) as u64;
        // Of two requests that end at the same time, one sample may be lost. That does not matter for an
        // average.
        let average = match u64::from(average_time.load(Ordering::Relaxed)) {
            0 => sample,
            before => (before * 7 + sample).div_ceil(8),
        };
        average_time.store(average as u32, Ordering::Relaxed);
    }

    /// Records that a request of `rows` is unanswered after `time`. Requests slower than the delay must be
    /// measured, too, although no one may wait for their end.
    pub(crate) fn note_overdue(&self, rows: usize, time: Duration) {
        if self.usual_time(rows).is_some_and(|usual| usual < time) {
            self.note_time(rows, time);
        }
    }

    /// The usual time of a request of `rows`; `None` if unknown.
    pub(crate) fn usual_time(&self, rows: usize) -> Option<Duration> {
        self.usual_time_of(class_of(rows))
    }

    /// The usual time of requests in the class that was measured last.
    pub(crate) fn latest_time(&self) -> Option<Duration> {
        self.usual_time_of(self.latest.load(Ordering::Relaxed))
    }

    fn usual_time_of(&self, class: usize) -> Option<Duration> {
        match self.average_time.get(class)?.load(Ordering::Relaxed) {
            UNKNOWN => None,
            average_time => Some(Duration::from_micros(u64::from(average_time))),
        }
    }

    /// Whether the circuit breaker is open: the node has failed too often in the current window.
    pub(crate) fn is_tripped(&self) -> bool {
        self.limit > 0
            && self.failures.load(Ordering::Relaxed) > self.limit
            && self.micros(Instant::now()) < self.window_end.load(Ordering::Relaxed)
    }

    /// Failures in the current window.
    pub(crate) fn failures(&self) -> u32 {
        let is_over = self.micros(Instant::now()) >= self.window_end.load(Ordering::Relaxed);
        if is_over { 0 } else { self.failures.load(Ordering::Relaxed) }
    }

    /// The limit on failures per window.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Counts a connection fault.
    pub(crate) fn note_fault(&self, fault: &Fault) {
        match fault {
            Fault::Deadline | Fault::Socket => count(&self.counters.timeouts),
            Fault::Io(_) | Fault::Wire(_) => count(&self.counters.errors),
            // These are faults of this client, not of the node.
            Fault::Saturated { .. } | Fault::Tripped | Fault::Gone | Fault::Login { .. } => return,
        }
        self.add_failure();
    }

    /// Counts an answer with an error that the node may be responsible for.
    pub(crate) fn note_code(&self, code: ResultCode) {
        match code {
            ResultCode::TIMEOUT => count(&self.counters.timeouts),
            ResultCode::DEVICE_OVERLOAD | ResultCode::PARTITION_UNAVAILABLE => count(&self.counters.errors),
            ResultCode::KEY_BUSY => return count(&self.counters.busy),
            _ => return,
        }
        self.add_failure();
    }

    fn add_failure(&self) {
        let now = self.micros(Instant::now());
        if now >= self.window_end.load(Ordering::Relaxed) {
            // A concurrent failure may still be counted in the previous window. One failure more or less does
            // not matter.
            self.failures.store(1, Ordering::Relaxed);
            self.window_end.store(now + self.window.as_micros() as u64, Ordering::Relaxed);
        } else {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn micros(&self, at: Instant) -> u64 {
        // Starts at one, so that zero is before any time.
        at.saturating_duration_since(self.born).as_micros() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn the_breaker_opens_for_the_rest_of_the_window() {
        let health = Health::new(2, Duration::from_secs(1));
        for _ in 0..2 {
            health.note_fault(&Fault::Socket);
        }
        assert!(!health.is_tripped());
        health.note_code(ResultCode::DEVICE_OVERLOAD);
        assert!(health.is_tripped());
        assert_eq!(health.failures(), 3);
        advance(Duration::from_millis(1_001)).await;
        assert!(!health.is_tripped());
        assert_eq!(health.failures(), 0);
        health.note_fault(&Fault::Socket);
        assert_eq!(health.failures(), 1);
        // Codes and faults that say nothing about the node's health are not counted.
        health.note_code(ResultCode::KEY_BUSY);
        health.note_fault(&Fault::Saturated { crowded: false });
        assert_eq!(health.failures(), 1);
        let without = Health::new(0, Duration::from_secs(1));
        (0..1_000).for_each(|_| without.note_fault(&Fault::Socket));
        assert!(!without.is_tripped());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_pace() {
        let health = Health::new(0, Duration::ZERO);
        let start = Instant::now();
        assert!(health.is_silent_since(start));
        assert_eq!(health.usual_time(300), None);
        advance(Duration::from_millis(1)).await;
        health.note_answer();
        assert!(!health.is_silent_since(start));
        advance(Duration::from_millis(1)).await;
        assert!(health.is_silent_since(Instant::now()));
        for _ in 0..50 {
            health.note_time(300, Duration::from_millis(10));
            health.note_time(1, Duration::from_millis(1));
        }
        assert_eq!(health.usual_time(900), Some(Duration::from_millis(10)));
        assert_eq!(health.usual_time(1), Some(Duration::from_millis(1)));
        assert_eq!(health.usual_time(100), None);
        health.note_overdue(100, Duration::from_millis(50));
        assert_eq!(health.usual_time(100), None, "it may have been the first");
        health.note_overdue(300, Duration::from_millis(5));
        assert_eq!(health.usual_time(300), Some(Duration::from_millis(10)));
        health.note_overdue(300, Duration::from_millis(90));
        assert_eq!(health.usual_time(300), Some(Duration::from_millis(20)));
    }

    #[test]
    fn classes() {
        let classes = [0, 1, 2, 4, 5, 16, 17, 64, 65, 256, 257, 1_024, 1_025, 4_096, 4_097, 1_000_000];
        let expected = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7];
        assert_eq!(classes.map(class_of), expected);
    }
}
