//! Records into the rows of one array.
//!
//! Start with [`RowBuffer`]. A [`Lease`] writes records; `fill` finds the field of each bin. A [`RowBlock`] gives each
//! record the next free row, for records that come without one, as those of queries do. Access to the memory, and why
//! threads do not collide there, is in `memory`. Results of another shape, such as columns, belong in a module
//! beside this one and share plans, conversion and the report with it.

use std::sync::Arc;

use crate::memory::sync::{Mutex, lock};
use crate::memory::{RowMemory, RowOutcome, SharedRows};
use crate::plan::Plan;
use crate::report::{Summary, Totals};

pub use self::block::{BlockLease, BlockRows, RecordLabels, RowBlock, StoredKeys};
pub use self::lease::{Lease, seconds_left};

mod block;
mod field_set;
mod fill;
mod lease;
#[cfg(all(test, loom))]
#[allow(unsafe_code)]
mod loom_models;
#[cfg(all(test, not(loom)))]
#[allow(unsafe_code)]
mod tests;

/// The rows of an array while they are filled.
pub struct RowBuffer {
    rows: SharedRows<Shared>,
}

/// What the leases of a buffer share.
struct Shared {
    plan: Arc<Plan>,
    now: u32,
    totals: Mutex<Totals>,
}

impl RowBuffer {
    /// Rows of `plan`'s schema in `memory`. `now` is the time in seconds since 2010-01-01 UTC, from which times to live
    /// are computed.
    ///
    /// # Safety
    /// Until [`RowBuffer::seal`] has returned or the buffer is dropped,
    /// - `data` is valid for reads and writes of the schema's itemsize at each multiple of `stride` below
    ///   `len * stride` (the last row may lack the rest of its stride), `meta` for `8 * len` bytes and `result_codes`
    ///   for `4 * len` bytes, each within one allocation, and the three do not overlap;
    /// - no reference to any of it exists, and nothing else writes to the fields, meta or codes. Reading them meanwhile
    ///   by other means, as NumPy allows in another thread, sees them in any state.
    ///
    /// # Panics
    /// If `stride` is less than the schema's itemsize, or the rows exceed the address space.
    #[must_use]
    #[allow(unsafe_code)]
    pub unsafe fn new(plan: Arc<Plan>, memory: RowMemory, now: u32) -> Self {
        let schema = plan.schema();
        let fields = schema.leaves().iter().map(|leaf| leaf.offset()..leaf.offset() + leaf.size()).collect();
        let itemsize = schema.itemsize();
        let totals = Mutex::new(Totals::new(&plan, memory.len));
        let shared = Shared { plan, now, totals };
        // SAFETY: this function has the same contract.
        let rows = unsafe { SharedRows::new(memory, itemsize, fields, shared) };
        Self { rows }
    }

    /// The same rows, with memory for the digests of their records.
    ///
    /// # Safety
    /// As for [`RowBuffer::new`]: `digests` is valid for 20 bytes for each row and overlaps with none of the other
    /// memory.
    ///
    /// # Panics
    /// If the digests exceed the address space.
    #[must_use]
    #[allow(unsafe_code)]
    unsafe fn with_digests(self, digests: *mut u8) -> Self {
        // SAFETY: this function has the same contract.
        Self { rows: unsafe { self.rows.with_digests(digests) } }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.rows.shared().plan
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// Whether the row was written. Later records do not change it.
    #[must_use]
    pub fn is_done(&self, row: usize) -> bool {
        self.rows.is_done(row)
    }

    /// The right to write rows; `None` once the buffer is sealed. Hold it for one frame and never while waiting:
    /// [`RowBuffer::seal`] waits for it.
    #[must_use]
    pub fn lease(&self) -> Option<Lease<'_>> {
        Some(Lease::new(self.rows.enter()?, self.plan()))
    }

    /// [`RowBuffer::lease`] for records in another shape: their bins fill the fields as `plan` says.
    ///
    /// # Panics
    /// If the fields of `plan` are not those of the buffer's.
    #[must_use]
    pub fn lease_by<'b>(&'b self, plan: &'b Plan) -> Option<Lease<'b>> {
        assert_eq!(plan.schema(), self.plan().schema(), "a plan for other rows");
        Some(Lease::new(self.rows.enter()?, plan))
    }

    /// Ends all writing: later leases and writes fail, and when this returns all leases are dropped. It may be called
    /// from any thread and repeatedly, but not by a thread that holds a lease, which would deadlock.
    pub fn seal(&self) {
        self.rows.seal();
    }

    /// Gives every row that is not done this code, as [`Lease::fail`] does. Returns the number of these rows, 0 if the
    /// buffer is sealed.
    pub fn fail_rest(&self, code: i32) -> usize {
        if self.rows.done() == self.len() {
            return 0;
        }
        let Some(mut lease) = self.lease() else { return 0 };
        (0..self.len())
            .filter(|&row| !self.is_done(row) && lease.fail(row, code) == RowOutcome::Written)
            .count()
    }

    /// Seals the buffer and summarizes it. From then on the memory may be accessed by others.
    pub fn finish(&self) -> Summary {
        self.seal();
        #[cfg(loom)]
        self.rows.read_probes();
        let Shared { plan, totals, .. } = self.rows.shared();
        Summary::new(plan, self.rows.done(), self.rows.presence(), &lock(totals))
    }
}
