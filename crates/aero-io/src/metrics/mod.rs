//! How many commands there were, how they ended and how long they took; and the trace of one call.
//!
//! Start with [`Metrics`]: a table of counters and a histogram for each command, namespace and outcome. It exists once
//! for the calls of a cluster, and once for the requests to each node. Off, it costs a look at a flag. On, a call adds
//! itself to one of several shards: to the first that no other thread is using, so it does not wait. [`trace`] is for
//! what a single call did.

pub(crate) mod trace;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use histogram::{Config, Histogram};

use crate::error::Error;

/// The outcome of a call or request that was dropped before its end, or whose caller wanted no more of the answer.
pub const CANCELLED: i32 = i32::MIN;

/// Sub-buckets of each power of two: the number of bits. A bucket is at most an eighth of its values wide.
const GROUPING_POWER: u8 = 3;

/// The longest time that has a bucket of its own, as a power of two of nanoseconds: 137 seconds.
const MAX_POWER: u8 = 37;

const SHARDS: usize = 8;

/// Series that a shard has at most. Namespaces beyond them are counted as one without a name: a program may make up
/// namespaces.
const MAX_SERIES: usize = 256;

/// Counters and times by command, namespace and outcome.
pub(crate) struct Metrics {
    enabled: Arc<AtomicBool>,
    shards: [Mutex<Vec<Series>>; SHARDS],
}

/// One command, namespace and outcome.
struct Series {
    command: &'static str,
    namespace: Box<[u8]>,
    code: i32,
    counts: Counts,
    times: Histogram,
}

/// What is counted of calls with the same outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    pub calls: u64,
    /// Records that the calls were about.
    pub records: u64,
    /// Those of batches that are not there, and those that failed.
    pub missing: u64,
    pub failed: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// The sum of the times.
    pub nanoseconds: u64,
}

impl Counts {
    /// One request.
    pub(crate) fn of_request(time: Duration, sent: usize, received: usize) -> Self {
        Self {
            calls: 1,
            bytes_sent: sent as u64,
            bytes_received: received as u64,
            nanoseconds: nanoseconds(time),
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.records = self.records.saturating_add(other.records);
        self.missing = self.missing.saturating_add(other.missing);
        self.failed = self.failed.saturating_add(other.failed);
        self.bytes_sent = self.bytes_sent.saturating_add(other.bytes_sent);
        self.bytes_received = self.bytes_received.saturating_add(other.bytes_received);
        self.nanoseconds = self.nanoseconds.saturating_add(other.nanoseconds);
    }
}

/// The calls of one command with the same namespace and outcome.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CommandMetrics {
    pub command: &'static str,
    /// Empty for commands of no namespace, and for batches of several.
    pub namespace: String,
    /// A result code: 0, the server's, a negative one of the client, or [`CANCELLED`].
    pub code: i32,
    pub counts: Counts,
    /// How many calls took how long: the upper end of each bucket that is not empty, in nanoseconds, and its count.
    pub buckets: Vec<(u64, u64)>,
}

impl Metrics {
    /// Metrics that are on while `enabled` is.
    pub(crate) fn new(enabled: Arc<AtomicBool>) -> Self {
        Self { enabled, shards: Default::default() }
    }

    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Times a call, unless metrics are off: then its namespace is not looked for.
    #[inline]
    pub(crate) fn time<'m>(
        &'m self,
        command: &'static str,
        namespace: impl FnOnce() -> &'m [u8],
        records: usize,
    ) -> CallTimer<'m> {
        let call = self.is_enabled().then(|| TimedCall {
            metrics: self,
            start: Instant::now(),
            command,
            namespace: namespace(),
            counts: Counts { calls: 1, records: records as u64, ..Counts::default() },
        });
        CallTimer(call)
    }

    /// A shard that no other thread is using; if there is none, waits for one.
    fn shard(&self) -> MutexGuard<'_, Vec<Series>> {
        let first = home_shard();
        for step in 0..SHARDS {
            match self.shards[(first + step) % SHARDS].try_lock() {
                Ok(shard) => return shard,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.shards[first].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, command: &'static str, namespace: &[u8], code: i32, counts: &Counts) {
        let mut shard = self.shard();
        let find = |shard: &[Series], namespace: &[u8]| {
            shard.iter().position(|series| {
                series.code == code && series.command == command && *series.namespace == *namespace
            })
        };
        let mut found = find(&shard, namespace);
        let is_full = shard.len() >= MAX_SERIES;
        if found.is_none() && is_full {
            found = find(&shard, &[]);
        }
        let at = found.unwrap_or_else(|| {
            shard.push(Series::new(command, if is_full { &[] } else { namespace }, code));
            shard.len() - 1
        });
        if let Some(series) = shard.get_mut(at) {
            series.counts.add(counts);
            let time = counts.nanoseconds.min((1 << MAX_POWER) - 1);
            // The time is below the largest.
            _ = series.times.increment(time);
        }
    }

    /// Everything so far, in the order of commands, namespaces and codes.
    pub(crate) fn snapshot(&self) -> Vec<CommandMetrics> {
        let mut all: BTreeMap<_, (Counts, BTreeMap<u64, u64>)> = BTreeMap::new();
        for shard in &self.shards {
            for series in shard.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                let key = (series.command, series.namespace.to_vec(), series.code);
                let (counts, buckets) = all.entry(key).or_default();
                counts.add(&series.counts);
                for bucket in series.times.iter().filter(|bucket| bucket.count() > 0) {
                    let count = buckets.entry(bucket.end()).or_default();
                    *count = count.saturating_add(bucket.count());
                }
            }
        }
        let made = all.into_iter().map(|((command, namespace, code), (counts, buckets))| CommandMetrics {
            command,
            namespace: String::from_utf8_lossy(&namespace).into_owned(),
            code,
            counts,
            buckets: buckets.into_iter().collect(),
        });
        made.collect()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("enabled", &self.is_enabled()).finish_non_exhaustive()
    }
}

impl Series {
    fn new(command: &'static str, namespace: &[u8], code: i32) -> Self {
        #[allow(clippy::expect_used, reason = "constants, which a test checks")]
        let config = Config::new(GROUPING_POWER, MAX_POWER).expect("valid powers");
        let times = Histogram::with_config(&config);
        Self { command, namespace: namespace.into(), code, counts: Counts::default(), times }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The shard that this thread tries first.
fn home_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static HOME: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    HOME.try_with(|home| *home).unwrap_or(0)
}

/// Times a call. Dropped before [`CallTimer::finish`], it counts the call as [`CANCELLED`].
#[must_use]
pub(crate) struct CallTimer<'m>(Option<TimedCall<'m>>);

struct TimedCall<'m> {
    metrics: &'m Metrics,
    start: Instant,
    command: &'static str,
    namespace: &'m [u8],
    counts: Counts,
}

impl CallTimer<'_> {
    /// How many records of a batch are not there, and how many failed.
    pub(crate) fn note_rows(&mut self, missing: usize, failed: usize) {
        if let Some(call) = &mut self.0 {
            (call.counts.missing, call.counts.failed) = (missing as u64, failed as u64);
        }
    }

    /// Ends the call with its outcome, which it returns.
    #[inline]
    pub(crate) fn finish<T>(self, outcome: Result<T, Error>) -> Result<T, Error> {
        if self.0.is_some() {
            self.finish_with(outcome.as_ref().map_or_else(Error::code, |_| 0));
        }
        outcome
    }

    /// Ends the call with a code.
    pub(crate) fn finish_with(mut self, code: i32) {
        if let Some(call) = self.0.take() {
            call.end(code);
        }
    }
}

impl Drop for CallTimer<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call.end(CANCELLED);
        }
    }
}

impl TimedCall<'_> {
    #[cold]
    fn end(mut self, code: i32) {
        self.counts.nanoseconds = nanoseconds(self.start.elapsed());
        self.metrics.add(self.command, self.namespace, code, &self.counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(enabled: bool) -> Metrics {
        Metrics::new(Arc::new(AtomicBool::new(enabled)))
    }

    #[test]
    fn nothing_is_counted_while_off() {
        let metrics = metrics(false);
        metrics.time("get", || b"test", 1).finish_with(0);
        assert!(metrics.snapshot().is_empty());
        // A call that began while off is not counted.
        let timer = metrics.time("get", || b"test", 1);
        metrics.enabled.store(true, Ordering::Relaxed);
        timer.finish_with(0);
        assert!(metrics.snapshot().is_empty());
    }

    #[test]
    fn calls_are_counted_by_command_namespace_and_outcome() {
        let metrics = metrics(true);
        metrics.time("batch_read", || b"test", 100).finish_with(0);
        metrics.time("batch_read", || b"test", 50).finish_with(0);
        metrics.time("batch_read", || b"bar", 1).finish_with(9);
        drop(metrics.time("get", || b"test", 1));
        let closed: Result<(), _> =
            metrics.time("get", || b"test", 1).finish(Err(Error::Closed { in_doubt: false }));
        let code = closed.unwrap_err().code();
        let all = metrics.snapshot();
        let found: Vec<_> =
            all.iter().map(|m| (m.command, m.namespace.as_str(), m.code, m.counts.calls)).collect();
        let expected = [
            ("batch_read", "bar", 9, 1),
            ("batch_read", "test", 0, 2),
            ("get", "test", CANCELLED, 1),
            ("get", "test", code, 1),
        ];
        assert_eq!(found, expected);
        assert_eq!(all[1].counts.records, 150);
        assert_eq!(all[1].buckets.iter().map(|(_, count)| count).sum::<u64>(), 2);
    }

    #[test]
    fn times_fall_into_narrow_buckets() {
        let metrics = metrics(true);
        for nanoseconds in [0, 1, 1_000, 1_000_000, 1_000_000_000, 200_000_000_000, u64::MAX] {
            metrics.add("get", b"test", 0, &Counts { calls: 1, nanoseconds, ..Counts::default() });
        }
        let all = metrics.snapshot();
        let ends: Vec<u64> = all[0].buckets.iter().map(|&(end, _)| end).collect();
        for (time, end) in [(1_000, ends[2]), (1_000_000, ends[3]), (1_000_000_000, ends[4])] {
            assert!(end >= time && end - time <= time / 8, "{time} {end}");
        }
        assert_eq!(all[0].buckets.last(), Some(&((1 << MAX_POWER) - 1, 2)));
    }

    #[test]
    fn made_up_namespaces_are_bounded() {
        let metrics = metrics(true);
        for number in 0..3 * MAX_SERIES {
            let namespace = number.to_string();
            metrics.time("get", || namespace.as_bytes(), 1).finish_with(0);
        }
        let all = metrics.snapshot();
        assert!(all.len() <= MAX_SERIES + 1, "{}", all.len());
        assert_eq!(all.iter().map(|m| m.counts.calls).sum::<u64>(), 3 * MAX_SERIES as u64);
        assert_eq!(all[0].namespace, "");
    }

    #[test]
    fn threads_do_not_lose_calls() {
        let metrics = metrics(true);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| metrics.time("get", || b"test", 1).finish_with(0)));
            }
            for _ in 0..20 {
                metrics.snapshot();
            }
        });
        assert_eq!(metrics.snapshot()[0].counts.calls, 4_000);
    }
}
