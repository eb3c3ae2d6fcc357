//! Which rows of a batch are settled.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// Which rows are settled, and why some of them failed.
///
/// All requests of a batch share it. They are parts of one future, which only one thread drives at a time, so
/// plain loads and stores are sufficient; they are cheaper than read-modify-write operations.
pub(crate) struct Progress {
    rows: usize,
    /// A bit per row; 1 if the row is settled.
    settled: Box<[AtomicU64]>,
    /// Rows that are not settled.
    open: AtomicUsize,
    /// Rows that got an answer about their record: found, not found or filtered out.
    about_records: AtomicUsize,
    /// Rows whose record is not there.
    missing: AtomicUsize,
    /// Rows that were neither carried out nor about a missing or filtered record.
    failed: AtomicUsize,
    causes: Mutex<Vec<Cause>>,
}

/// How rows of a batch ended, but for those that were carried out or filtered out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowTotals {
    /// Rows whose record is not there.
    pub(crate) missing: usize,
    pub(crate) failed: usize,
}

/// Why rows failed.
struct Cause {
    code: i32,
    /// Whether the rows write and may have been applied.
    in_doubt: bool,
    rows: usize,
    /// The first error with this code.
    error: Error,
}

impl Progress {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            rows,
            settled: (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            open: AtomicUsize::new(rows),
            about_records: AtomicUsize::new(0),
            missing: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            causes: Mutex::default(),
        }
    }

    /// Marks a row as settled. Returns false if it was settled before.
    #[inline]
    pub(crate) fn settle(&self, row: u32) -> bool {
        let Some(word) = self.settled.get(row as usize / 64) else { return false };
        let bit = 1 << (row % 64);
        let bits = word.load(Ordering::Relaxed);
        if bits & bit != 0 {
            return false;
        }
        word.store(bits | bit, Ordering::Relaxed);
        true
    }

    pub(crate) fn is_settled(&self, row: u32) -> bool {
        let word = self.settled.get(row as usize / 64);
        word.is_none_or(|word| word.load(Ordering::Relaxed) >> (row % 64) & 1 == 1)
    }

    /// Whether all of `rows` are settled. There may be fewer.
    pub(crate) fn are_settled(&self, rows: Range<usize>) -> bool {
        let rows = rows.start..rows.end.min(self.rows);
        let words = self.settled.get(rows.start / 64..rows.end.div_ceil(64)).unwrap_or_default();
        words.iter().zip(rows.start / 64..).all(|(word, at)| {
            let first = rows.start.saturating_sub(at * 64);
            let past = (at + 1) * 64 - rows.end.min((at + 1) * 64);
            word.load(Ordering::Relaxed) | !(u64::MAX << first) | !(u64::MAX >> past) == u64::MAX
        })
    }

    /// Counts rows that were settled; `about_records` of them got an answer about their record.
    pub(crate) fn advance(&self, settled: usize, about_records: usize) {
        let open = self.open.load(Ordering::Relaxed);
        self.open.store(open.saturating_sub(settled), Ordering::Relaxed);
        let before = self.about_records.load(Ordering::Relaxed);
        self.about_records.store(before + about_records, Ordering::Relaxed);
    }

    /// Adds to the rows that are missing or failed.
    pub(crate) fn add_totals(&self, totals: RowTotals) {
        for (counter, count) in [(&self.missing, totals.missing), (&self.failed, totals.failed)] {
            counter.store(counter.load(Ordering::Relaxed) + count, Ordering::Relaxed);
        }
    }

    pub(crate) fn totals(&self) -> RowTotals {
        let [missing, failed] = [&self.missing, &self.failed].map(|count| count.load(Ordering::Relaxed));
        RowTotals { missing, failed }
    }

    /// The number of rows that are not settled.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Counts rows that failed. `error` is called for the first row with this code. `in_doubt`: the rows write
    /// and may have been applied.
    pub(crate) fn note_cause(&self, rows: usize, code: i32, in_doubt: bool, error: impl FnOnce() -> Error) {
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        match causes.iter_mut().find(|cause| (cause.code, cause.in_doubt) == (code, in_doubt)) {
            Some(cause) => cause.rows += rows,
            None => causes.push(Cause { code, in_doubt, rows, error: error() }),
        }
    }

    /// The outcome of the call. It is an error only if no row got an answer about its record: the most frequent
    /// error, or, if any row is in doubt, the most frequent of those errors, so that the caller does not assume
    /// that nothing was applied.
    pub(crate) fn result(&self) -> Result<(), Error> {
        if self.about_records.load(Ordering::Relaxed) > 0 {
            return Ok(());
        }
        let causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        match causes.iter().max_by_key(|cause| (cause.in_doubt, cause.rows)) {
            Some(cause) => Err(cause.error.clone()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_settled_once() {
        let progress = Progress::new(70);
        assert!(progress.settle(0) && progress.settle(69) && !progress.settle(69));
        assert!(progress.is_settled(69) && !progress.is_settled(68));
        assert!(!progress.settle(1_000) && progress.is_settled(1_000), "there is no such row");
        progress.advance(2, 1);
        assert_eq!(progress.open(), 68);
        assert!(progress.result().is_ok());
    }

    #[test]
    fn ranges_of_rows_are_settled() {
        let progress = Progress::new(130);
        assert!(progress.are_settled(5..5) && progress.are_settled(130..900));
        (3..130).for_each(|row| _ = progress.settle(row));
        for (rows, expected) in [
            (0..130, false),
            (2..130, false),
            (3..130, true),
            (3..64, true),
            (64..128, true),
            (128..999, true),
        ] {
            assert_eq!(progress.are_settled(rows.clone()), expected, "{rows:?}");
        }
        (0..3).for_each(|row| _ = progress.settle(row));
        assert!(progress.are_settled(0..usize::MAX));
    }

    #[test]
    fn the_most_frequent_error_is_the_outcome() {
        let progress = Progress::new(10);
        progress.note_cause(2, -2, false, || Error::Param { what: "few".into() });
        progress.note_cause(3, -1, false, || Error::Closed { in_doubt: false });
        progress.note_cause(2, -1, false, || unreachable!());
        assert!(matches!(progress.result(), Err(Error::Closed { in_doubt: false })));
        progress.note_cause(1, -1, true, || Error::Closed { in_doubt: true });
        assert!(matches!(progress.result(), Err(Error::Closed { in_doubt: true })), "a doubt is not hidden");
        progress.advance(1, 1);
        assert!(progress.result().is_ok());
    }
}
