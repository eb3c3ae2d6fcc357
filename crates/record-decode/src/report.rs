//! Reports of values that changed to fit or failed. Each lease counts on its own; the buffer merges the counts.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::error::Reason;
use crate::plan::Plan;

/// The number of failures that are kept with their details. All are counted.
pub const KEPT_FAILURES: usize = 100;

/// A value that could not be converted. The bytes of its field are zero.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The row.
    pub row: usize,
    /// The index of the field in the schema.
    pub field: usize,
    /// The type of the bin.
    pub bin_type: &'static str,
    /// Why the value could not be converted.
    pub reason: Reason,
}

impl Failure {
    fn place(&self) -> (usize, usize) {
        (self.row, self.field)
    }
}

/// What a buffer's rows contain, and what happened to their values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of rows that are done. The memory of the others is unchanged or zero.
    pub done: usize,
    /// One bit per field of each row, set if the record had the bin and its value is in the field.
    ///
    /// Each row has [`Plan::presence_bytes`] bytes. Field 0 is the highest bit of the row's first byte; bits after the
    /// last field are zero. In NumPy:
    /// `np.unpackbits(bits.reshape(rows, -1), axis=1, count=fields).view(bool)`.
    pub presence: Vec<u8>,
    /// The fields in which values changed to fit, in the dtype's order, with the number of these values.
    pub inexact: Vec<(Box<str>, u64)>,
    /// The first [`KEPT_FAILURES`] failures, in the order of rows and fields.
    pub failures: Vec<Failure>,
    /// The number of all failures.
    pub failure_count: u64,
}

impl Summary {
    pub(crate) fn new(plan: &Plan, done: usize, presence: Vec<u8>, report: &Report) -> Self {
        let name = |field: usize| plan.schema().fields().get(field).map(|field| field.name().into());
        Self {
            done,
            presence,
            inexact: report.changed().filter_map(|(field, count)| Some((name(field)?, count))).collect(),
            failures: report.failures(),
            failure_count: report.failed(),
        }
    }
}

/// A failure, ordered by row and field.
#[derive(Debug)]
struct ByPlace(Failure);

impl Ord for ByPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.place().cmp(&other.0.place())
    }
}

impl PartialOrd for ByPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByPlace {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByPlace {}

/// A value that changed or failed. Recorded once its row is done.
#[derive(Debug)]
pub(crate) enum Event {
    /// `count` values of the field changed to fit: several for a list.
    Changed { field: usize, count: u64 },
    /// The value could not be converted.
    Failed(Failure),
}

/// Counts over rows.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The number of changed values per field. Fields after the end have none.
    changed: Vec<u64>,
    /// The first failures by row and field, in whatever order they were recorded. The last one is on top, to be
    /// replaced by an earlier one.
    kept: BinaryHeap<ByPlace>,
    failed: u64,
}

impl Report {
    #[cold]
    pub(crate) fn record(&mut self, event: Event) {
        match event {
            Event::Changed { field, count } => self.count(field, count),
            Event::Failed(failure) => {
                self.failed += 1;
                self.keep(ByPlace(failure));
            }
        }
    }

    fn count(&mut self, field: usize, count: u64) {
        if self.changed.len() <= field {
            self.changed.resize(field + 1, 0);
        }
        if let Some(sum) = self.changed.get_mut(field) {
            *sum = sum.saturating_add(count);
        }
    }

    fn keep(&mut self, failure: ByPlace) {
        if self.kept.len() < KEPT_FAILURES {
            self.kept.push(failure);
        } else if let Some(mut last) = self.kept.peek_mut()
            && failure < *last
        {
            *last = failure;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.failed == 0 && self.changed.is_empty()
    }

    /// Adds the counts of `other` and leaves it empty.
    pub(crate) fn merge(&mut self, other: &mut Self) {
        let other = std::mem::take(other);
        for (field, count) in other.changed.into_iter().enumerate().filter(|&(_, count)| count > 0) {
            self.count(field, count);
        }
        self.failed += other.failed;
        for failure in other.kept {
            self.keep(failure);
        }
    }

    /// The fields with changed values, and the number of these values.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (usize, u64)> {
        self.changed.iter().copied().enumerate().filter(|&(_, count)| count > 0)
    }

    /// The first failures, in the order of rows and fields.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        let mut failures: Vec<Failure> = self.kept.iter().map(|failure| failure.0.clone()).collect();
        failures.sort_unstable_by_key(Failure::place);
        failures
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(row: usize) -> Event {
        let reason = Reason::NotFinite { value: f64::INFINITY };
        Event::Failed(Failure { row, field: row % 3, bin_type: "float", reason })
    }

    #[test]
    fn the_first_failures_are_kept_whatever_their_order() {
        let mut sum = Report::default();
        assert!(sum.is_empty());
        // Rows 0..1000, interleaved over two leases, from the back.
        for part in 0..2 {
            let mut lease = Report::default();
            for row in (0..1000).rev().filter(|row| row % 2 == part) {
                lease.record(failed(row));
            }
            assert!(!lease.is_empty());
            sum.merge(&mut lease);
            assert!(lease.is_empty());
        }
        assert_eq!(sum.failed(), 1000);
        let rows: Vec<usize> = sum.failures().iter().map(|failure| failure.row).collect();
        assert_eq!(rows, (0..KEPT_FAILURES).collect::<Vec<_>>());
    }

    #[test]
    fn changes_are_counted_by_field() {
        let mut sum = Report::default();
        let mut lease = Report::default();
        lease.record(Event::Changed { field: 4, count: 3 });
        lease.record(Event::Changed { field: 1, count: 1 });
        sum.merge(&mut lease);
        sum.record(Event::Changed { field: 4, count: 2 });
        assert_eq!(sum.changed().collect::<Vec<_>>(), [(1, 1), (4, 5)]);
    }
}
