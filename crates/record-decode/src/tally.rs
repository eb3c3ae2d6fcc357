//! What did not go as it came: counted where it happens, summed up in the end.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::cell_bits::{CellBits, fields_in_no_row};
use crate::error::Reason;
use crate::order::KEPT_NAMES;
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
    /// The cells with values that changed to fit, laid out as [`Summary::presence`]; empty if there are none.
    pub changed_cells: Vec<u8>,
    /// The cells with failures, likewise.
    pub failed_cells: Vec<u8>,
    /// The codes of rows without a record, in ascending order, and how many rows have each.
    pub codes: Vec<(i32, u64)>,
    /// Names of fields whose bin no record has, in the dtype's order. Fields that the plan's bins leave out are
    /// not among them; without any record there are none.
    pub missing_fields: Vec<Box<str>>,
    /// Names of bins that fill no field, sorted. Not all if there are many.
    pub unmatched_bins: Vec<Box<[u8]>>,
}

impl Summary {
    pub(crate) fn new(plan: &Plan, done: usize, presence: Vec<u8>, totals: &Totals) -> Self {
        let name = |field: usize| plan.schema().fields().get(field).map(|field| Box::from(field.name()));
        let Totals { tally, changed, failed } = totals;
        let without_record: u64 = tally.codes.iter().map(|&(_, count)| count).sum();
        let missing = if done as u64 > without_record {
            fields_in_no_row(plan, [&presence, failed.bytes()])
        } else {
            Vec::new()
        };
        let (mut codes, mut unmatched_bins) = (tally.codes.clone(), tally.unmatched.clone());
        codes.sort_unstable();
        unmatched_bins.sort_unstable();
        Self {
            done,
            presence,
            inexact: tally.changed().filter_map(|(field, count)| Some((name(field)?, count))).collect(),
            failures: tally.failures(),
            failure_count: tally.failed(),
            changed_cells: changed.bytes().to_vec(),
            failed_cells: failed.bytes().to_vec(),
            codes,
            missing_fields: missing.into_iter().filter_map(name).collect(),
            unmatched_bins,
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

/// How many cells a lease collects before it adds them to the buffer's.
const COLLECTED_CELLS: usize = 4096;

/// Sums over rows.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Changed values a field; shorter than the schema where the rest is zero.
    changed: Vec<u64>,
    /// (row, field) of changed values, and of failures.
    changed_cells: Vec<(usize, usize)>,
    failed_cells: Vec<(usize, usize)>,
    /// How many rows without a record have each code.
    codes: Vec<(i32, u64)>,
    /// Names of bins that fill no field.
    unmatched: Vec<Box<[u8]>>,
    /// The first failures by place, however rows and frames arrived: the last of them on top, to make room.
    kept: BinaryHeap<ByPlace>,
    failed: u64,
}

impl Tally {
    #[cold]
    pub(crate) fn record(&mut self, row: usize, event: Event) {
        match event {
            Event::Changed { field, count } => {
                self.count(field, count);
                self.changed_cells.push((row, field));
            }
            Event::Failed(failure) => {
                self.failed += 1;
                self.failed_cells.push(failure.place());
                self.keep(ByPlace(failure));
            }
        }
    }

    /// Counts rows without a record.
    pub(crate) fn count_code(&mut self, code: i32, rows: u64) {
        match self.codes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += rows,
            None => self.codes.push((code, rows)),
        }
    }

    /// Keeps names of bins that fill no field, up to [`KEPT_NAMES`].
    pub(crate) fn keep_unmatched(&mut self, names: Vec<Box<[u8]>>) {
        for name in names {
            if self.unmatched.len() < KEPT_NAMES && !self.unmatched.contains(&name) {
                self.unmatched.push(name);
            }
        }
    }

    /// Whether it is time to add this to the buffer's sums, so that its memory stays bounded.
    pub(crate) fn is_large(&self) -> bool {
        self.changed_cells.len().max(self.failed_cells.len()) >= COLLECTED_CELLS
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
        self.failed == 0 && self.changed.is_empty() && self.codes.is_empty() && self.unmatched.is_empty()
    }

    /// Adds another's sums, but for its cells.
    fn absorb(&mut self, other: Self) {
        for (field, count) in other.changed.into_iter().enumerate().filter(|&(_, count)| count > 0) {
            self.count(field, count);
        }
        for (code, rows) in other.codes {
            self.count_code(code, rows);
        }
        self.keep_unmatched(other.unmatched);
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

/// Sums over all rows of a buffer.
#[derive(Debug)]
pub(crate) struct Totals {
    tally: Tally,
    changed: CellBits,
    failed: CellBits,
}

impl Totals {
    pub(crate) fn new(plan: &Plan, rows: usize) -> Self {
        Self {
            tally: Tally::default(),
            changed: CellBits::new(plan, rows),
            failed: CellBits::new(plan, rows),
        }
    }

    /// Adds a lease's sums and leaves it empty.
    pub(crate) fn absorb(&mut self, tally: &mut Tally) {
        let mut tally = std::mem::take(tally);
        self.changed.extend(std::mem::take(&mut tally.changed_cells));
        self.failed.extend(std::mem::take(&mut tally.failed_cells));
        self.tally.absorb(tally);
    }
}

#[cfg(test)]
mod tests {
    use dtype_schema::{Element, Field, Schema};

    use super::*;
    use crate::Casting;

    fn summary(totals: &Totals, done: usize) -> Summary {
        Summary::new(&plan(), done, vec![0x80; done], totals)
    }

    fn plan() -> Plan {
        let element = Element::from_numpy("x", 'u', 1, '=').unwrap();
        let field = |at: usize| Field::new(&format!("f{at}"), at, element, &[]).unwrap();
        Plan::new(Schema::new((0..5).map(field).collect(), 5).unwrap(), Casting::Unsafe, None)
    }

    fn failed(row: usize) -> Event {
        let reason = Reason::NotFinite { value: f64::INFINITY };
        Event::Failed(Failure { row, field: row % 3, bin_type: "float", reason })
    }

    #[test]
    fn the_first_failures_are_kept_whatever_their_order() {
        let mut totals = Totals::new(&plan(), 1000);
        // Rows 0..1000, interleaved over two leases, from the back.
        for part in 0..2 {
            let mut lease = Tally::default();
            assert!(lease.is_empty());
            for row in (0..1000).rev().filter(|row| row % 2 == part) {
                lease.record(row, failed(row));
            }
            assert!(!lease.is_empty());
            totals.absorb(&mut lease);
            assert!(lease.is_empty());
        }
        let summary = summary(&totals, 1000);
        assert_eq!(summary.failure_count, 1000);
        let rows: Vec<usize> = summary.failures.iter().map(|failure| failure.row).collect();
        assert_eq!(rows, (0..KEPT_FAILURES).collect::<Vec<_>>());
        // All of them have a bit.
        assert_eq!(summary.failed_cells, (0..1000).map(|row| 0x80 >> (row % 3)).collect::<Vec<u8>>());
        assert_eq!(summary.changed_cells, []);
    }

    #[test]
    fn changes_are_counted_by_field() {
        let mut totals = Totals::new(&plan(), 3);
        let mut lease = Tally::default();
        lease.record(2, Event::Changed { field: 4, count: 3 });
        lease.record(0, Event::Changed { field: 1, count: 1 });
        totals.absorb(&mut lease);
        lease.record(0, Event::Changed { field: 4, count: 2 });
        totals.absorb(&mut lease);
        let summary = summary(&totals, 3);
        assert_eq!(summary.inexact, [("f1".into(), 1), ("f4".into(), 5)]);
        assert_eq!((summary.changed_cells, summary.failed_cells), (vec![0x48, 0, 0x08], vec![]));
    }

    #[test]
    fn a_lease_says_when_its_cells_take_much_memory() {
        let mut lease = Tally::default();
        for row in 0..COLLECTED_CELLS {
            assert!(!lease.is_large());
            lease.record(row, Event::Changed { field: 0, count: 1 });
        }
        assert!(lease.is_large());
        Totals::new(&plan(), COLLECTED_CELLS).absorb(&mut lease);
        assert!(!lease.is_large());
    }

    #[test]
    fn rows_without_a_record_are_counted_by_code() {
        let mut totals = Totals::new(&plan(), 9);
        for codes in [&[2, 9, 2][..], &[-15, 2]] {
            let mut lease = Tally::default();
            codes.iter().for_each(|&code| lease.count_code(code, 1));
            totals.absorb(&mut lease);
        }
        assert_eq!(summary(&totals, 9).codes, [(-15, 1), (2, 3), (9, 1)]);
    }

    #[test]
    fn fields_are_missing_only_if_there_are_records() {
        let mut totals = Totals::new(&plan(), 2);
        let mut lease = Tally::default();
        lease.record(
            0,
            Event::Failed(Failure {
                row: 0,
                field: 3,
                bin_type: "map",
                reason: Reason::NotFinite { value: 0.0 },
            }),
        );
        lease.count_code(2, 1);
        lease.keep_unmatched(vec![(*b"b").into(), (*b"a").into(), (*b"b").into()]);
        totals.absorb(&mut lease);
        // A value that does not fit is there all the same.
        let one = summary(&totals, 2);
        assert_eq!(one.missing_fields, ["f1".into(), "f2".into(), "f4".into()]);
        assert_eq!(one.unmatched_bins, [Box::from(*b"a"), Box::from(*b"b")]);
        assert_eq!(summary(&totals, 1).missing_fields, []);
    }

    #[test]
    fn names_of_unmatched_bins_are_bounded() {
        let mut lease = Tally::default();
        lease.keep_unmatched((0..200u8).map(|at| [at].into()).collect());
        assert_eq!(lease.unmatched.len(), KEPT_NAMES);
    }
}
