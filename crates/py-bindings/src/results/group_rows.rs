//! The sink of groups of rows: each group is filled as an array of its own.

use aero_io::{RowLease, RowOutcome, RowSink};
use record_decode::{self as decode, RowBuffer, Summary};
use wire_protocol::batch::Record;

use crate::call::Seal;
use crate::results::sinks::{NO_RESPONSE, outcome};

/// Groups of rows, the rows of the first group first. The memory of a group belongs to no other.
pub(crate) struct GroupRows {
    groups: Vec<RowBuffer>,
    /// The first row of each group, and the number of rows.
    starts: Vec<usize>,
}

impl GroupRows {
    /// `starts` has the first row of each group, and the number of rows.
    pub(crate) fn new(groups: Vec<RowBuffer>, starts: &[usize]) -> Self {
        Self { groups, starts: starts.to_vec() }
    }

    /// Gives up the rows without an answer: their memory would never have been written.
    pub(crate) fn fail_rest(&self) {
        for group in &self.groups {
            group.fail_rest(NO_RESPONSE);
        }
    }

    /// Seals, and summarizes each group.
    pub(crate) fn finish(&self) -> Vec<Summary> {
        self.groups.iter().map(RowBuffer::finish).collect()
    }
}

impl RowSink for GroupRows {
    type Lease<'a> = GroupLease<'a>;

    fn lease(&self) -> Option<GroupLease<'_>> {
        Some(GroupLease { rows: self, leases: self.groups.iter().map(|_| None).collect(), group: 0 })
    }
}

impl Seal for GroupRows {
    fn seal(&self) {
        for group in &self.groups {
            group.seal();
        }
    }
}

/// A lease on [`GroupRows`]: on each group that a row was written to.
pub(crate) struct GroupLease<'a> {
    rows: &'a GroupRows,
    leases: Vec<Option<decode::Lease<'a>>>,
    /// The group of the row before.
    group: usize,
}

impl<'a> GroupLease<'a> {
    /// The lease on a row's group, and the row's number there.
    #[inline]
    fn at(&mut self, row: usize) -> Result<(&mut decode::Lease<'a>, usize), RowOutcome> {
        let starts = &self.rows.starts;
        let is_of = |group: usize| starts.get(group..group + 2).is_some_and(|of| of[0] <= row && row < of[1]);
        if !is_of(self.group) {
            // Of groups without rows, which start at the same row, the last one has rows.
            self.group = starts.partition_point(|&start| start <= row).saturating_sub(1);
        }
        let (Some(buffer), Some(lease), Some(start)) =
            (self.rows.groups.get(self.group), self.leases.get_mut(self.group), starts.get(self.group))
        else {
            return Err(RowOutcome::OutOfRange);
        };
        if lease.is_none() {
            *lease = buffer.lease();
        }
        lease.as_mut().map(|lease| (lease, row - start)).ok_or(RowOutcome::Sealed)
    }
}

impl RowLease for GroupLease<'_> {
    #[inline]
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        match self.at(row) {
            Ok((lease, row)) => outcome(lease.write(row, record)),
            Err(refused) => refused,
        }
    }

    fn fail(&mut self, row: usize, code: i32, _in_doubt: bool) -> RowOutcome {
        match self.at(row) {
            Ok((lease, row)) => outcome(lease.fail(row, code)),
            Err(refused) => refused,
        }
    }
}
