//! Sinks of batch reads in which the server picks values out of maps and lists.
//!
//! [`PickedRows`] takes the results of the operations that pick. Rows in which they cannot are left open: they are read
//! again with their whole bins, into [`WholeRows`]. Both write to the same arrays.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aero_io::{RowLease, RowOutcome, RowSink};
use record_decode::{Container, Projection, Step, find_containers};
use wire_protocol::ResultCode;
use wire_protocol::batch::Record;

use crate::results::sinks::{NumpyLease, NumpyRows, OperationLease, result_names};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rows that are filled from the results of operations.
pub(crate) struct PickedRows {
    rows: Arc<NumpyRows>,
    projection: Projection,
    names: Vec<Option<Box<str>>>,
    open: Mutex<Vec<u32>>,
}

impl PickedRows {
    pub(crate) fn new(rows: Arc<NumpyRows>, projection: Projection) -> Self {
        let names = result_names((0..projection.count).map(|_| true));
        Self { rows, projection, names, open: Mutex::default() }
    }

    /// The rows in which the server could not pick the values, in order.
    pub(crate) fn take_open(&self) -> Vec<u32> {
        let mut open = std::mem::take(&mut *lock(&self.open));
        open.sort_unstable();
        // A hedged request may have answered twice, and differently.
        open.dedup();
        open.retain(|&row| !self.rows.0.is_done(row as usize));
        open
    }
}

impl RowSink for PickedRows {
    type Lease<'a> = PickedLease<'a>;

    fn lease(&self) -> Option<PickedLease<'_>> {
        let lease = NumpyLease(self.rows.0.lease_by(&self.projection.plan)?);
        let rows = OperationLease::new(lease, &self.names);
        Some(PickedLease { rows, len: self.rows.0.len(), open: Vec::new(), all_open: &self.open })
    }
}

/// A lease on [`PickedRows`].
pub(crate) struct PickedLease<'a> {
    rows: OperationLease<'a>,
    len: usize,
    open: Vec<u32>,
    all_open: &'a Mutex<Vec<u32>>,
}

impl RowLease for PickedLease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        match record.result_code {
            // A value of another type on the way answers PARAMETER.
            ResultCode::BIN_TYPE | ResultCode::OP_NOT_APPLICABLE | ResultCode::PARAMETER
                if row < self.len =>
            {
                // Rows are numbered by u32 in requests.
                self.open.push(row as u32);
                RowOutcome::Written
            }
            _ => self.rows.record(row, record),
        }
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        self.rows.fail(row, code, in_doubt)
    }
}

impl Drop for PickedLease<'_> {
    fn drop(&mut self) {
        if !self.open.is_empty() {
            lock(self.all_open).append(&mut self.open);
        }
    }
}

/// A path with integer steps: its bin and all its steps.
pub(crate) type IntPath = (Box<str>, Box<[Step]>);

/// What an integer step goes into: the path by its position, the number of steps before, the container.
pub(crate) type FoundContainer = (usize, usize, Container);

/// How many records are looked into for what integer steps go into.
const LOOKED_INTO: usize = 64;

/// Some rows of an array, filled from whole bins.
pub(crate) struct WholeRows {
    rows: Arc<NumpyRows>,
    /// The row of the array for each row that is read.
    numbers: Vec<u32>,
    paths: Vec<IntPath>,
    found: Mutex<(usize, Vec<FoundContainer>)>,
}

impl WholeRows {
    pub(crate) fn new(rows: Arc<NumpyRows>, numbers: Vec<u32>, paths: Vec<IntPath>) -> Self {
        Self { rows, numbers, paths, found: Mutex::default() }
    }

    pub(crate) fn paths(&self) -> &[IntPath] {
        &self.paths
    }

    pub(crate) fn take_found(&self) -> Vec<FoundContainer> {
        std::mem::take(&mut lock(&self.found).1)
    }

    /// Gives the rows without an answer this code.
    pub(crate) fn fail_rest(&self, code: i32) {
        let Some(mut lease) = self.lease() else { return };
        for row in 0..self.numbers.len() {
            lease.fail(row, code, false);
        }
    }
}

impl RowSink for WholeRows {
    type Lease<'a> = WholeLease<'a>;

    fn lease(&self) -> Option<WholeLease<'_>> {
        Some(WholeLease { rows: self.rows.lease()?, whole: self })
    }
}

/// A lease on [`WholeRows`].
pub(crate) struct WholeLease<'a> {
    rows: NumpyLease<'a>,
    whole: &'a WholeRows,
}

impl WholeLease<'_> {
    fn look_into(&self, record: &Record<'_>) {
        let mut found = lock(&self.whole.found);
        let (looked_into, found) = &mut *found;
        if *looked_into >= LOOKED_INTO {
            return;
        }
        *looked_into += 1;
        for (position, (bin, steps)) in self.whole.paths.iter().enumerate() {
            let op = record.ops().find(|op| op.name == bin.as_bytes());
            if let Some(Ok(value)) = op.map(|op| op.particle()) {
                find_containers(&value, steps, |before, container| found.push((position, before, container)));
            }
        }
    }
}

impl RowLease for WholeLease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        let Some(&number) = self.whole.numbers.get(row) else { return RowOutcome::OutOfRange };
        if !self.whole.paths.is_empty() && record.result_code.is_ok() {
            self.look_into(record);
        }
        self.rows.record(number as usize, record)
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        let Some(&number) = self.whole.numbers.get(row) else { return RowOutcome::OutOfRange };
        self.rows.fail(number as usize, code, in_doubt)
    }
}
