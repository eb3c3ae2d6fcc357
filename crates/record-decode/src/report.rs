//! What did not go as it came: counted where it happens, summed up in the end.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::error::Reason;
use crate::plan::Plan;

/// How many failures are kept with their facts; all are counted.
pub const KEPT_FAILURES: usize = 100;

/// A value that did not get into its field, whose bytes are zero now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The row.
    pub row: usize,
    /// The field's position in the schema.
    pub field: usize,
    /// The type that came.
    pub bin_type: &'static str,
    /// Why it does not fit.
    pub reason: Reason,
}

impl Failure {
    fn place(&self) -> (usize, usize) {
        (self.row, self.field)
    }
}

/// How the rows of a buffer came out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// How many rows are done. The memory of the others is as it was, or zero.
    pub done: usize,
    /// One bit for each field of each row, set where the bin was there and its value is in the field.
    ///
    /// A row has [`Plan::presence_bytes`] bytes, row after row; field 0 is the highest bit of a row's first
    /// byte, the bits after the last field are zero. In NumPy:
    /// `np.unpackbits(bits.reshape(rows, -1), axis=1, count=fields).view(bool)`.
    pub presence: Vec<u8>,
    /// Names of the fields in which values changed to fit, in the dtype's order, and how many did.
    pub inexact: Vec<(Box<str>, u64)>,
    /// The first [`KEPT_FAILURES`] failures in the order of rows and fields.
    pub failures: Vec<Failure>,
    /// How many failures there were.
    pub failure_count: u64,
}

impl Summary {
    pub(crate) fn new(plan: &Plan, done: usize, presence: Vec<u8>, tally: &Tally) -> Self {
        let name = |field: usize| plan.schema().fields().get(field).map(|field| field.name().into());
        Self {
            done,
            presence,
            inexact: tally.changed().filter_map(|(field, count)| Some((name(field)?, count))).collect(),
            failures: tally.failures(),
            failure_count: tally.failed(),
        }
    }
}

/// A failure ordered by where it is.
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

/// What happened to a value of a row that is not done yet.
#[derive(Debug)]
pub(crate) enum Event {
    /// So many values of the field changed to fit.
    Changed { field: usize, count: u64 },
    /// The value did not get into the field.
    Failed(Failure),
}

/// Sums over rows.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Changed values a field; shorter than the schema where the rest is zero.
    changed: Vec<u64>,
    /// The first failures by place, however rows and frames arrived: the last of them on top, to make room.
    kept: BinaryHeap<ByPlace>,
    failed: u64,
}

impl Tally {
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

    /// Adds another's sums and leaves it empty.
    pub(crate) fn absorb(&mut self, other: &mut Self) {
        let other = std::mem::take(other);
        for (field, count) in other.changed.into_iter().enumerate().filter(|&(_, count)| count > 0) {
            self.count(field, count);
        }
        self.failed += other.failed;
        for failure in other.kept {
            self.keep(failure);
        }
    }

    /// Changed values by field, only those with any.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (usize, u64)> {
        self.changed.iter().copied().enumerate().filter(|&(_, count)| count > 0)
    }

    /// The first failures in the order of rows and fields.
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
        let mut sum = Tally::default();
        assert!(sum.is_empty());
        // Rows 0..1000, interleaved over two leases, from the back.
        for part in 0..2 {
            let mut lease = Tally::default();
            for row in (0..1000).rev().filter(|row| row % 2 == part) {
                lease.record(failed(row));
            }
            assert!(!lease.is_empty());
            sum.absorb(&mut lease);
            assert!(lease.is_empty());
        }
        assert_eq!(sum.failed(), 1000);
        let rows: Vec<usize> = sum.failures().iter().map(|failure| failure.row).collect();
        assert_eq!(rows, (0..KEPT_FAILURES).collect::<Vec<_>>());
    }

    #[test]
    fn changes_are_counted_by_field() {
        let mut sum = Tally::default();
        let mut lease = Tally::default();
        lease.record(Event::Changed { field: 4, count: 3 });
        lease.record(Event::Changed { field: 1, count: 1 });
        sum.absorb(&mut lease);
        sum.record(Event::Changed { field: 4, count: 2 });
        assert_eq!(sum.changed().collect::<Vec<_>>(), [(1, 1), (4, 5)]);
    }
}
