//! Reports of values that changed to fit or failed, of rows without a record and of bins without a field. Each lease
//! makes its own [`Report`]; the buffer merges them into its [`Totals`].

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::error::Reason;
use crate::plan::{KEPT_NAMES, Plan, Target};

use self::cell_set::{CellSet, fields_in_no_row};

mod cell_set;

/// The number of failures that are kept with their details. All are counted.
pub const KEPT_FAILURES: usize = 100;

/// A value that could not be converted. The bytes of its field are zero.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The row.
    pub row: usize,
    /// The index of the field's leaf in the schema; of a struct, that of its first leaf.
    pub field: usize,
    /// The field's name, with the names of the structs that it is in.
    pub name: Box<str>,
    /// The type of the value: of the bin, or of what is inside it.
    pub bin_type: &'static str,
    /// Why the value could not be converted.
    pub reason: Reason,
}

/// What a buffer's rows contain, and what happened to their values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of rows that are done. The memory of the others is unchanged or zero.
    pub done: usize,
    /// One bit per leaf of each row, set if the record had a value for it and the value is in the leaf.
    ///
    /// Each row has [`Plan::presence_bytes`] bytes. Leaf 0 is the highest bit of the row's first byte; bits after the
    /// last leaf are zero. In NumPy:
    /// `np.unpackbits(bits.reshape(rows, -1), axis=1, count=leaves).view(bool)`.
    pub presence: Vec<u8>,
    /// The leaves in which values changed to fit, in the dtype's order, with the number of these values.
    pub inexact: Vec<(Box<str>, u64)>,
    /// The first [`KEPT_FAILURES`] failures, in the order of rows and fields.
    pub failures: Vec<Failure>,
    /// The number of all failures.
    pub failure_count: u64,
    /// The leaves of rows with values that changed to fit, laid out as [`Summary::presence`]; empty if there are none.
    pub changed_cells: Vec<u8>,
    /// The leaves of rows that failed, likewise. Of a struct that failed, these are all of them.
    pub failed_cells: Vec<u8>,
    /// The codes of rows without a record, in ascending order, with the number of these rows.
    pub codes: Vec<(i32, u64)>,
    /// The fields that no record has a value for, in the dtype's order; leaves where a struct has values in some of
    /// them only. Fields that the plan's bins leave out are not among them; without any record there are none.
    pub missing_fields: Vec<Box<str>>,
    /// The names of bins that fill no field, sorted; not all if there are many.
    pub unmatched_bins: Vec<Box<[u8]>>,
}

impl Summary {
    pub(crate) fn new(plan: &Plan, done: usize, presence: Vec<u8>, totals: &Totals) -> Self {
        let name = |leaf: usize| Box::from(plan.name(leaf));
        let Totals { report, changed, failed } = totals;
        let without_record: u64 = report.codes.iter().map(|&(_, count)| count).sum();
        let missing = if done as u64 > without_record {
            fields_in_no_row(plan, [&presence, failed.bytes()])
        } else {
            Vec::new()
        };
        let (mut codes, mut unmatched_bins) = (report.codes.clone(), report.unmatched.clone());
        codes.sort_unstable();
        unmatched_bins.sort_unstable();
        Self {
            done,
            presence,
            inexact: report.changed().map(|(field, count)| (name(field), count)).collect(),
            failures: report.failures(plan),
            failure_count: report.failed(),
            changed_cells: changed.bytes().to_vec(),
            failed_cells: failed.bytes().to_vec(),
            codes,
            missing_fields: names_of_missing(plan, &missing),
            unmatched_bins,
        }
    }
}

/// The names of leaves that no record has; of a field, if no record has any of its leaves.
fn names_of_missing(plan: &Plan, missing: &[usize]) -> Vec<Box<str>> {
    let mut names = Vec::new();
    for (field, leaves) in plan.schema().fields().iter().zip(plan.fields()) {
        let start = missing.partition_point(|leaf| *leaf < leaves.start);
        let end = missing.partition_point(|leaf| *leaf < leaves.end);
        let of_field = missing.get(start..end).unwrap_or_default();
        if of_field.len() == leaves.len() {
            names.push(field.name().into());
        } else {
            names.extend(of_field.iter().map(|&leaf| Box::from(plan.name(leaf))));
        }
    }
    names
}

/// The names in both lists of [`Summary::missing_fields`]: of a field that only one of them has
/// whole, the leaves that the other has.
#[must_use]
pub fn missing_in_both(one: &[Box<str>], other: &[Box<str>]) -> Vec<Box<str>> {
    let is_in = |leaf: &str, field: &str| leaf.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
    let mut both = Vec::new();
    for name in one {
        if other.iter().any(|whole| whole == name || is_in(name, whole)) {
            both.push(name.clone());
        } else {
            both.extend(other.iter().filter(|leaf| is_in(leaf, name)).cloned());
        }
    }
    both
}

impl Summary {
    /// Adds the rows behind this one's, of which there are `rows`.
    pub(crate) fn append(&mut self, mut other: Self, rows: usize) {
        let row_bytes = self.presence.len().checked_div(rows).unwrap_or(0);
        // Cells are without memory until there is one.
        for (cells, more) in [
            (&mut self.changed_cells, &mut other.changed_cells),
            (&mut self.failed_cells, &mut other.failed_cells),
        ] {
            if cells.is_empty() && !more.is_empty() {
                cells.resize(rows * row_bytes, 0);
            }
            if !cells.is_empty() {
                more.resize(other.presence.len(), 0);
                cells.append(more);
            }
        }
        let is_empty = rows == 0;
        self.presence.append(&mut other.presence);
        self.done += other.done;
        for (name, count) in other.inexact {
            match self.inexact.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None => self.inexact.push((name, count)),
            }
        }
        self.failure_count += other.failure_count;
        let room = KEPT_FAILURES.saturating_sub(self.failures.len());
        let moved = |failure: Failure| Failure { row: failure.row + rows, ..failure };
        self.failures.extend(other.failures.into_iter().take(room).map(moved));
        if is_empty {
            self.missing_fields = other.missing_fields;
        } else if other.done > 0 {
            self.missing_fields = missing_in_both(&self.missing_fields, &other.missing_fields);
        }
        for name in other.unmatched_bins {
            if self.unmatched_bins.len() < KEPT_NAMES && !self.unmatched_bins.contains(&name) {
                self.unmatched_bins.push(name);
            }
        }
        self.unmatched_bins.sort_unstable();
    }
}

/// A failure, ordered by row and field.
#[derive(Clone, Debug)]
struct ByPlace {
    row: usize,
    target: Target,
    bin_type: &'static str,
    reason: Reason,
}

impl ByPlace {
    fn place(&self) -> (usize, usize, usize) {
        (self.row, self.target.first, self.target.name)
    }
}

impl Ord for ByPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
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
    /// `count` values of the leaf changed to fit: several for a list.
    Changed { field: usize, count: u64 },
    /// The value, of this type, could not be converted.
    Failed { target: Target, bin_type: &'static str, reason: Reason },
}

impl Event {
    /// The first leaf that it is about.
    pub(crate) fn leaf(&self) -> usize {
        match self {
            Self::Changed { field, .. } => *field,
            Self::Failed { target, .. } => target.first,
        }
    }
}

/// How many fields of rows a lease collects before it merges them into the totals.
const COLLECTED_CELLS: usize = 4096;

/// What happened in the rows of a lease.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The number of changed values per field. Fields after the end have none.
    changed: Vec<u64>,
    /// (row, field) of values that changed, and of those that failed.
    changed_cells: Vec<(usize, usize)>,
    failed_cells: Vec<(usize, usize)>,
    /// The number of rows without a record per code.
    codes: Vec<(i32, u64)>,
    /// Names of bins that fill no field.
    unmatched: Vec<Box<[u8]>>,
    /// The first failures by row and field, in whatever order they were recorded. The last one is on top, to be
    /// replaced by an earlier one.
    kept: BinaryHeap<ByPlace>,
    failed: u64,
}

impl Report {
    #[cold]
    pub(crate) fn record(&mut self, row: usize, event: Event) {
        match event {
            Event::Changed { field, count } => {
                self.count(field, count);
                self.changed_cells.push((row, field));
            }
            Event::Failed { target, bin_type, reason } => {
                self.failed += 1;
                self.failed_cells.extend(target.leaves().map(|leaf| (row, leaf)));
                self.keep(ByPlace { row, target, bin_type, reason });
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

    /// Whether it is time to merge this into the totals, so that its memory stays bounded.
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

    /// Adds what `other` has, except its cells.
    fn merge(&mut self, other: Self) {
        for (code, rows) in other.codes {
            self.count_code(code, rows);
        }
        self.keep_unmatched(other.unmatched);
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
    pub(crate) fn failures(&self, plan: &Plan) -> Vec<Failure> {
        let mut kept: Vec<&ByPlace> = self.kept.iter().collect();
        kept.sort_unstable();
        let named = |&ByPlace { row, target, bin_type, ref reason }: &ByPlace| Failure {
            row,
            field: target.first,
            name: plan.name(target.name).into(),
            bin_type,
            reason: reason.clone(),
        };
        kept.into_iter().map(named).collect()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }
}

/// What happened in all rows of a buffer.
#[derive(Debug)]
pub(crate) struct Totals {
    report: Report,
    changed: CellSet,
    failed: CellSet,
}

impl Totals {
    pub(crate) fn new(plan: &Plan, rows: usize) -> Self {
        Self {
            report: Report::default(),
            changed: CellSet::new(plan, rows),
            failed: CellSet::new(plan, rows),
        }
    }

    /// Adds a lease's report and leaves it empty.
    pub(crate) fn merge(&mut self, report: &mut Report) {
        let mut report = std::mem::take(report);
        self.changed.extend(std::mem::take(&mut report.changed_cells));
        self.failed.extend(std::mem::take(&mut report.failed_cells));
        self.report.merge(report);
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
        Event::Failed { target: Target::leaf(row % 3), bin_type: "float", reason }
    }

    #[test]
    fn the_first_failures_are_kept_whatever_their_order() {
        let mut totals = Totals::new(&plan(), 1000);
        // Rows 0..1000, interleaved over two leases, from the back.
        for part in 0..2 {
            let mut lease = Report::default();
            assert!(lease.is_empty());
            for row in (0..1000).rev().filter(|row| row % 2 == part) {
                lease.record(row, failed(row));
            }
            assert!(!lease.is_empty());
            totals.merge(&mut lease);
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
        let mut lease = Report::default();
        lease.record(2, Event::Changed { field: 4, count: 3 });
        lease.record(0, Event::Changed { field: 1, count: 1 });
        totals.merge(&mut lease);
        lease.record(0, Event::Changed { field: 4, count: 2 });
        totals.merge(&mut lease);
        let summary = summary(&totals, 3);
        assert_eq!(summary.inexact, [("f1".into(), 1), ("f4".into(), 5)]);
        assert_eq!((summary.changed_cells, summary.failed_cells), (vec![0x48, 0, 0x08], vec![]));
    }

    #[test]
    fn a_lease_says_when_its_cells_take_much_memory() {
        let mut lease = Report::default();
        for row in 0..COLLECTED_CELLS {
            assert!(!lease.is_large());
            lease.record(row, Event::Changed { field: 0, count: 1 });
        }
        assert!(lease.is_large());
        Totals::new(&plan(), COLLECTED_CELLS).merge(&mut lease);
        assert!(!lease.is_large());
    }

    #[test]
    fn rows_without_a_record_are_counted_by_code() {
        let mut totals = Totals::new(&plan(), 9);
        for codes in [&[2, 9, 2][..], &[-15, 2]] {
            let mut lease = Report::default();
            codes.iter().for_each(|&code| lease.count_code(code, 1));
            totals.merge(&mut lease);
        }
        assert_eq!(summary(&totals, 9).codes, [(-15, 1), (2, 3), (9, 1)]);
    }

    #[test]
    fn fields_are_missing_only_if_there_are_records() {
        let mut totals = Totals::new(&plan(), 2);
        let mut lease = Report::default();
        lease.record(
            0,
            Event::Failed {
                target: Target::leaf(3),
                bin_type: "map",
                reason: Reason::NotFinite { value: 0.0 },
            },
        );
        lease.count_code(2, 1);
        lease.keep_unmatched(vec![(*b"b").into(), (*b"a").into(), (*b"b").into()]);
        totals.merge(&mut lease);
        // A value that does not fit is there all the same.
        let one = summary(&totals, 2);
        assert_eq!(one.missing_fields, ["f1".into(), "f2".into(), "f4".into()]);
        assert_eq!(one.unmatched_bins, [Box::from(*b"a"), Box::from(*b"b")]);
        assert_eq!(summary(&totals, 1).missing_fields, []);
    }

    #[test]
    fn what_two_blocks_lack() {
        let boxed = |names: &[&str]| names.iter().map(|&name| name.into()).collect::<Vec<Box<str>>>();
        let (whole, leaves) = (boxed(&["a", "m", "z"]), boxed(&["b", "m.a", "m.c.d", "mm", "z"]));
        for (one, other) in [(&whole, &leaves), (&leaves, &whole)] {
            assert_eq!(missing_in_both(one, other), boxed(&["m.a", "m.c.d", "z"]));
        }
        assert_eq!(missing_in_both(&whole, &[]), boxed(&[]));
    }

    #[test]
    fn names_of_unmatched_bins_are_bounded() {
        let mut lease = Report::default();
        lease.keep_unmatched((0..200u8).map(|at| [at].into()).collect());
        assert_eq!(lease.unmatched.len(), KEPT_NAMES);
    }
}
