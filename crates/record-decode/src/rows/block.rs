//! Rows for records that come in no order and whose number is not known: each takes the next free row.

use std::collections::HashMap;
use std::sync::Arc;

use wire_protocol::digest::UserKey;
use wire_protocol::query::QueryRecord;

use crate::memory::sync::{AtomicUsize, Mutex, lock};
use crate::memory::{RowMemory, RowOutcome};
use crate::plan::Plan;
use crate::report::Summary;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::{Lease, RowBuffer};

/// A block of rows that several threads fill with the records of a query.
///
/// A row number is given out once, so no two threads write to one row. A block is *full* when the last number was given
/// out, and *complete* when all its rows are written: a lease reports its rows when it is dropped, and the one that
/// completes the block learns so from [`BlockLease::end`].
pub struct RowBlock {
    rows: RowBuffer,
    /// The next free row; may exceed the number of rows.
    next: AtomicUsize,
    /// Rows that leases have reported as written.
    written: AtomicUsize,
    has_sets: bool,
    labels: Mutex<RecordLabels>,
}

/// What identifies the records of a block, besides their digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordLabels {
    /// The primary keys that servers have stored.
    pub keys: StoredKeys,
    /// The names of the sets, if the block keeps them.
    pub sets: Vec<Box<[u8]>>,
    /// For each record its row and the place of its set's name, in no order.
    pub set_of: Vec<(usize, u32)>,
}

/// Stored primary keys by row, in no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys {
    /// The row, the type, and where the key's bytes end.
    entries: Vec<(usize, KeyType, usize)>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyType {
    Int,
    Str,
    Blob,
}

impl StoredKeys {
    /// Adds the key of a row.
    pub fn push(&mut self, row: usize, key: UserKey<'_>) {
        let (kind, bytes) = match key {
            UserKey::Int(value) => (KeyType::Int, &value.to_le_bytes()[..]),
            UserKey::Str(bytes) => (KeyType::Str, bytes),
            UserKey::Blob(bytes) => (KeyType::Blob, bytes),
        };
        self.bytes.extend_from_slice(bytes);
        self.entries.push((row, kind, self.bytes.len()));
    }

    /// Adds keys whose rows are counted from `first`.
    fn append(&mut self, other: &Self, first: usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.entries.extend(other.entries.iter().map(|&(row, kind, end)| (first + row, kind, start + end)));
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no record has a stored key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The rows with a key, and the keys.
    pub fn iter(&self) -> impl Iterator<Item = (usize, UserKey<'_>)> {
        let mut start = 0;
        self.entries.iter().map(move |&(row, kind, end)| {
            let bytes = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            let key = match kind {
                KeyType::Int => UserKey::Int(i64::from_le_bytes(bytes.try_into().unwrap_or_default())),
                KeyType::Str => UserKey::Str(bytes),
                KeyType::Blob => UserKey::Blob(bytes),
            };
            (row, key)
        })
    }
}

impl RecordLabels {
    /// Adds the labels of records whose rows are counted from `first`.
    pub fn append(&mut self, other: &Self, first: usize) {
        self.keys.append(&other.keys, first);
        let places: Vec<u32> = other.sets.iter().map(|name| self.place(name)).collect();
        let set_of =
            other.set_of.iter().filter_map(|&(row, at)| Some((first + row, *places.get(at as usize)?)));
        self.set_of.extend(set_of);
    }

    /// The place of a set's name, which is added if it is new.
    pub fn place(&mut self, set: &[u8]) -> u32 {
        let known = self.sets.iter().position(|name| **name == *set);
        let at = known.unwrap_or_else(|| {
            self.sets.push(set.into());
            self.sets.len() - 1
        });
        at as u32
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.set_of.is_empty()
    }
}

/// The rows of a block, once nothing writes to them any more.
#[derive(Debug)]
pub struct BlockRows {
    /// The number of rows, which are the first ones of the block.
    pub len: usize,
    /// What they contain.
    pub summary: Summary,
    /// What identifies the records.
    pub labels: RecordLabels,
}

impl BlockRows {
    /// Adds the rows of the block behind this one.
    pub fn append(&mut self, other: Self) {
        self.labels.append(&other.labels, self.len);
        self.summary.append(other.summary, self.len);
        self.len += other.len;
    }
}

impl RowBlock {
    /// Rows of `plan`'s schema in `memory`, and their digests in `digests`. `now` as for [`RowBuffer::new`]. Names of
    /// sets are kept if `has_sets`.
    ///
    /// # Safety
    /// As for [`RowBuffer::new`], until [`RowBlock::finish`] has returned or the block is dropped; `digests` is valid
    /// for 20 bytes for each row and overlaps with none of the other memory.
    ///
    /// # Panics
    /// As [`RowBuffer::new`].
    #[must_use]
    #[allow(unsafe_code)]
    pub unsafe fn new(
        plan: Arc<Plan>,
        memory: RowMemory,
        digests: *mut u8,
        now: u32,
        has_sets: bool,
    ) -> Self {
        // SAFETY: this function has the same contract.
        let rows = unsafe { RowBuffer::new(plan, memory, now).with_digests(digests) };
        Self {
            rows,
            next: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            has_sets,
            labels: Mutex::new(RecordLabels::default()),
        }
    }

    /// The number of rows that were given out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.next.load(Relaxed).min(self.rows.len())
    }

    /// Whether no row was given out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether all rows were given out.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.next.load(Relaxed) >= self.rows.len()
    }

    /// The right to write records; `None` once the block is finished or [closed](Self::close). Hold it for one frame and
    /// never while waiting.
    #[must_use]
    pub fn lease(&self) -> Option<BlockLease<'_>> {
        let lease = self.rows.lease()?;
        Some(BlockLease {
            block: self,
            written: 0,
            last_set: None,
            labels: RecordLabels::default(),
            set_places: HashMap::new(),
            lease: Some(lease),
        })
    }

    /// Ends all writing, as [`RowBuffer::seal`] does. Records that come later are refused, and rows that were given out
    /// may stay empty.
    pub fn close(&self) {
        self.rows.seal();
    }

    /// Ends all writing, and summarizes the rows. Call it when the block is complete, or when there is no lease: a row
    /// that is not written yet would stay empty.
    pub fn finish(&self) -> BlockRows {
        let mut summary = self.rows.finish();
        let len = self.len();
        let bytes = self.rows.plan().presence_bytes();
        for bits in [&mut summary.presence, &mut summary.changed_cells, &mut summary.failed_cells] {
            bits.truncate(len * bytes);
        }
        BlockRows { len, summary, labels: std::mem::take(&mut *lock(&self.labels)) }
    }
}

/// The right to write records into a block: see [`RowBlock::lease`].
pub struct BlockLease<'b> {
    block: &'b RowBlock,
    written: usize,
    labels: RecordLabels,
    /// The set of the record before, and its place in `labels`.
    last_set: Option<u32>,
    set_places: HashMap<Box<[u8]>, u32>,
    /// `None` only while it is dropped.
    lease: Option<Lease<'b>>,
}

impl BlockLease<'_> {
    /// Writes a record into the next free row. False if there is none, or the block is closed.
    #[inline]
    pub fn append(&mut self, record: &QueryRecord<'_>) -> bool {
        let Some(lease) = &mut self.lease else { return false };
        // A full block is not counted on, so that the number cannot overflow.
        if self.block.is_full() {
            return false;
        }
        let row = self.block.next.fetch_add(1, Relaxed);
        if lease.write_with_digest(row, &record.as_row(), Some(record.digest)) != RowOutcome::Written {
            return false;
        }
        self.written += 1;
        if let Some(key) = record.key {
            self.labels.keys.push(row, key);
        }
        if self.block.has_sets {
            let place = self.set_place(record.set);
            self.labels.set_of.push((row, place));
        }
        true
    }

    fn set_place(&mut self, set: &[u8]) -> u32 {
        if let Some(place) = self.last_set
            && self.labels.sets.get(place as usize).is_some_and(|name| **name == *set)
        {
            return place;
        }
        let place = match self.set_places.get(set) {
            Some(&place) => place,
            None => {
                let place = self.labels.sets.len() as u32;
                self.labels.sets.push(set.into());
                self.set_places.insert(set.into(), place);
                place
            }
        };
        self.last_set = Some(place);
        place
    }

    /// Ends the lease. True if that completes the block: exactly one lease of a block that becomes complete returns it.
    pub fn end(mut self) -> bool {
        self.report()
    }

    /// Adds what was written to the block. The lease on the rows ends first, so that its report is in the summary.
    fn report(&mut self) -> bool {
        drop(self.lease.take());
        if !self.labels.is_empty() {
            lock(&self.block.labels).append(&std::mem::take(&mut self.labels), 0);
        }
        match std::mem::take(&mut self.written) {
            0 => false,
            rows => self.block.written.fetch_add(rows, AcqRel) + rows == self.block.rows.len(),
        }
    }
}

impl Drop for BlockLease<'_> {
    fn drop(&mut self) {
        self.report();
    }
}

impl std::fmt::Debug for RowBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowBlock")
            .field("rows", &self.rows.len())
            .field("written", &self.written.load(Acquire))
            .finish_non_exhaustive()
    }
}
