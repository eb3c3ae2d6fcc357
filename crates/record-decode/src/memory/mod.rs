//! The memory of an array's rows, written by several threads at once: the unsafe part of this crate.
//!
//! It knows sizes and offsets only, no records and no plans. Start with [`SharedRows`]: a thread takes a [`Pass`],
//! claims a row, and writes through the [`RowView`] of its [`Claim`].
//!
//! # Contract
//!
//! The creator of a [`SharedRows`] guarantees that its memory stays valid and is not accessed by anything else until it
//! is sealed. In return:
//!
//! - only the fields of rows `0..len`, their meta, codes and digests are written;
//! - nothing is written after [`SharedRows::seal`] has returned;
//! - no two threads access one row at the same time;
//! - a row is either written by one claim or zero, never a mix of two.
//!
//! # Why it is sound
//!
//! 1. *Memory is accessed only through a [`Claim`]* or the [`RowView`] that borrows it. A view covers the itemsize of
//!    the claimed row and checks every offset; meta, codes and digests are at multiples of their fixed sizes. The row is below
//!    `len`, so all accesses are inside the memory that the creator vouched for. Rows do not overlap, since the stride
//!    is at least the itemsize (checked). None of this depends on the plan, the record or the row number being right.
//! 2. *A row has at most one claim.* The state of a row is `FREE`, `CLAIMED` or `DONE`. A claim begins with the
//!    compare-and-swap from `FREE` to `CLAIMED` and ends when its owner stores `DONE`, or `FREE` if the owner unwinds.
//!    The swap acquires what that store released, so the next claim sees the zeros that the previous one left. A row
//!    that is `DONE` stays so.
//! 3. *A claim borrows a [`Pass`]*, and the gate counts the passes: its lowest bit means sealed, the other bits are
//!    their number. A pass enters by compare-and-swap, only while the bit is not set, and leaves when it is dropped,
//!    after its claims. `seal` sets the bit, so the number can only decrease, and waits until it is zero. Leaving
//!    releases and `seal` acquires, through the chain of read-modify-writes of the gate: all writes happen before
//!    `seal` returns.
//! 4. *Passes borrow the [`SharedRows`]*, so none exists when it is dropped, and the creator's duty ends there. A pass
//!    that was leaked cannot write any more either, but makes `seal` wait forever.
//! 5. *No reference to the memory is created*, only raw pointers. Nothing is assumed about its alignment, its content
//!    or other readers.

use std::ops::Range;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use self::sync::{AtomicU8, AtomicUsize, Condvar, Mutex, PoisonError, Probe, Writing, lock};

pub(crate) use self::view::RowView;

pub(crate) mod sync;
mod view;

/// States of a row.
const FREE: u8 = 0;
const CLAIMED: u8 = 1;
const DONE: u8 = 2;

/// The lowest bit of the gate.
const SEALED: usize = 1;
/// What one pass adds to the gate.
const PASS: usize = 2;

/// The size of a digest.
pub(crate) const DIGEST: usize = 20;

/// Where the rows of an array are. No alignment is required.
#[derive(Clone, Copy, Debug)]
pub struct RowMemory {
    /// The first row.
    pub data: *mut u8,
    /// Bytes from one row to the next, at least the schema's itemsize.
    pub stride: usize,
    /// Generation and time to live, 8 bytes per row: two `u32` in native byte order, without gaps.
    pub meta: *mut u8,
    /// Result codes, 4 bytes per row: an `i32` in native byte order, without gaps.
    pub result_codes: *mut u8,
    /// Number of rows.
    pub len: usize,
}

/// What became of a record that was offered to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// The record is in the row.
    Written,
    /// The row is done already, or another lease is writing it. The record was dropped.
    Repeated,
    /// There is no such row. The record was dropped.
    OutOfRange,
    /// The buffer is sealed. The record was dropped.
    Sealed,
}

/// The rows of an array while threads write them, and a `T` that the writers share: next to the rows, so that they need
/// only one pointer. The text of the module says why this is sound.
pub(crate) struct SharedRows<T> {
    shared: T,
    memory: RowMemory,
    itemsize: usize,
    /// The bytes of each field, which are zeroed where a row has no values.
    fields: Box<[Range<usize>]>,
    states: Box<[AtomicU8]>,
    /// One bit per field, `presence_bytes` bytes per row; written by the row's claim.
    presence: Box<[AtomicU8]>,
    presence_bytes: usize,
    probes: Box<[Probe]>,
    /// The digests of the rows, [`DIGEST`] bytes per row without gaps, if there is memory for them.
    digests: Option<*mut u8>,
    gate: AtomicUsize,
    /// Held to wait for the last pass, and to signal that it is gone.
    idle: Mutex<()>,
    last_left: Condvar,
}

// SAFETY: the raw pointers prevent the automatic implementation. Only claims follow them, and the claims of one row
// exclude each other on whatever threads they are (points 2 and 3 above).
unsafe impl<T: Send> Send for SharedRows<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for SharedRows<T> {}

impl<T> SharedRows<T> {
    /// Rows of `itemsize` bytes with these `fields`, in `memory`.
    ///
    /// # Safety
    /// As for [`RowBuffer::new`](crate::RowBuffer::new), with `itemsize` for the schema's itemsize.
    ///
    /// # Panics
    /// If `memory.stride` is less than `itemsize`, or the rows exceed the address space.
    pub(crate) unsafe fn new(
        memory: RowMemory,
        itemsize: usize,
        fields: Box<[Range<usize>]>,
        shared: T,
    ) -> Self {
        let len = memory.len;
        assert!(memory.stride >= itemsize, "rows of {itemsize} bytes would overlap at {}", memory.stride);
        assert!(
            len.checked_mul(memory.stride.max(8)).is_some_and(|bytes| isize::try_from(bytes).is_ok()),
            "{len} rows do not fit the address space"
        );
        let presence_bytes = fields.len().div_ceil(8);
        Self {
            shared,
            memory,
            itemsize,
            fields,
            states: (0..len).map(|_| AtomicU8::new(FREE)).collect(),
            presence: (0..len * presence_bytes).map(|_| AtomicU8::new(0)).collect(),
            presence_bytes,
            probes: (0..len).map(|_| Probe::default()).collect(),
            digests: None,
            gate: AtomicUsize::new(0),
            idle: Mutex::new(()),
            last_left: Condvar::new(),
        }
    }

    /// The same rows, with memory for their digests.
    ///
    /// # Safety
    /// As for [`RowBuffer::new`](crate::RowBuffer::new): `digests` is valid for `DIGEST * len` bytes, which overlap with
    /// no other memory of the rows.
    ///
    /// # Panics
    /// If the digests exceed the address space.
    pub(crate) unsafe fn with_digests(self, digests: *mut u8) -> Self {
        let len = self.memory.len;
        assert!(
            len.checked_mul(DIGEST).is_some_and(|bytes| isize::try_from(bytes).is_ok()),
            "{len} digests do not fit the address space"
        );
        Self { digests: Some(digests), ..self }
    }

    pub(crate) fn shared(&self) -> &T {
        &self.shared
    }

    pub(crate) fn len(&self) -> usize {
        self.memory.len
    }

    /// Whether the row is done.
    pub(crate) fn is_done(&self, row: usize) -> bool {
        self.states.get(row).is_some_and(|state| state.load(Acquire) == DONE)
    }

    /// The number of rows that are done.
    pub(crate) fn done(&self) -> usize {
        self.states.iter().filter(|state| state.load(Relaxed) == DONE).count()
    }

    /// The presence bits of all rows. Complete once the rows are sealed.
    pub(crate) fn presence(&self) -> Vec<u8> {
        self.presence.iter().map(|byte| byte.load(Relaxed)).collect()
    }

    /// The right to claim rows; `None` once the rows are sealed.
    pub(crate) fn enter(&self) -> Option<Pass<'_, T>> {
        let mut gate = self.gate.load(Relaxed);
        while gate & SEALED == 0 {
            match self.gate.compare_exchange_weak(gate, gate + PASS, Acquire, Relaxed) {
                Ok(_) => return Some(Pass { rows: self }),
                Err(found) => gate = found,
            }
        }
        None
    }

    /// Ends all writing: from now on no pass enters, and when this returns all passes have left.
    pub(crate) fn seal(&self) {
        if self.gate.fetch_or(SEALED, AcqRel) < PASS {
            return;
        }
        let mut idle = lock(&self.idle);
        while self.gate.load(Acquire) >= PASS {
            idle = self.last_left.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn is_sealed(&self) -> bool {
        self.gate.load(Relaxed) & SEALED != 0
    }

    /// The number of passes that have not left.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn passes(&self) -> usize {
        self.gate.load(Relaxed) / PASS
    }

    /// Fails a loom model in which a write to a row did not end before.
    #[cfg(loom)]
    pub(crate) fn read_probes(&self) {
        self.probes.iter().for_each(Probe::read);
    }
}

/// The right to claim rows. The gate counts it.
pub(crate) struct Pass<'b, T> {
    rows: &'b SharedRows<T>,
}

impl<'b, T> Pass<'b, T> {
    pub(crate) fn shared(&self) -> &'b T {
        &self.rows.shared
    }

    #[inline]
    pub(crate) fn claim(&self, row: usize) -> Result<Claim<'_, T>, RowOutcome> {
        let rows = self.rows;
        let state = rows.states.get(row).ok_or(RowOutcome::OutOfRange)?;
        if rows.gate.load(Relaxed) & SEALED != 0 {
            return Err(RowOutcome::Sealed);
        }
        match state.compare_exchange(FREE, CLAIMED, Acquire, Relaxed) {
            Ok(_) => Ok(Claim { rows, row, writing: rows.probes.get(row).map(Probe::write), done: false }),
            Err(_) => Err(RowOutcome::Repeated),
        }
    }
}

impl<T> Drop for Pass<'_, T> {
    fn drop(&mut self) {
        if self.rows.gate.fetch_sub(PASS, Release) == SEALED + PASS {
            // The waiter reads the gate while it holds the mutex. After this line it has either seen the change, or
            // it is waiting and gets the notification.
            drop(lock(&self.rows.idle));
            self.rows.last_left.notify_all();
        }
    }
}

/// The right to write one row, which is below the number of rows. Unless it is finished, dropping it zeroes the row and
/// frees it for another claim.
pub(crate) struct Claim<'p, T> {
    rows: &'p SharedRows<T>,
    row: usize,
    writing: Option<Writing>,
    done: bool,
}

impl<T> Claim<'_, T> {
    #[inline]
    pub(crate) fn view(&mut self) -> RowView<'_> {
        let memory = &self.rows.memory;
        // SAFETY: `row` is below `len` and `len * stride` does not overflow (checked by `new`), so this is the start of
        // a row that the creator vouched for. The claim makes this the only access to it, and the view borrows the
        // claim.
        unsafe { RowView::new(memory.data.add(self.row * memory.stride), self.rows.itemsize) }
    }

    /// Zeroes the fields of the row. Not inlined, which makes writing a record a little faster.
    #[inline(never)]
    pub(crate) fn zero(&mut self) {
        let rows = self.rows;
        let mut view = self.view();
        for field in &rows.fields {
            view.zero(field.start, field.len());
        }
    }

    /// Writes what the row has besides its fields. `present` returns the bytes of its presence bits.
    #[inline]
    pub(crate) fn describe(&mut self, generation: u32, ttl: u32, code: i32, present: impl Fn(usize) -> u8) {
        let Self { rows, row, .. } = *self;
        let (memory, bytes) = (&rows.memory, rows.presence_bytes);
        let [g0, g1, g2, g3] = generation.to_ne_bytes();
        let [t0, t1, t2, t3] = ttl.to_ne_bytes();
        let meta = [g0, g1, g2, g3, t0, t1, t2, t3];
        let code = code.to_ne_bytes();
        // SAFETY: `row` is below `len`, and the creator vouched for 8 bytes of meta and 4 of codes per row (`len * 8`
        // does not overflow, checked by `new`). The claim makes this the only access. Arrays on the stack do not
        // overlap with either.
        unsafe {
            ptr::copy_nonoverlapping(meta.as_ptr(), memory.meta.add(row * meta.len()), meta.len());
            ptr::copy_nonoverlapping(code.as_ptr(), memory.result_codes.add(row * code.len()), code.len());
        }
        let presence = rows.presence.get(row * bytes..).unwrap_or_default();
        for (at, byte) in presence.iter().take(bytes).enumerate() {
            byte.store(present(at), Relaxed);
        }
    }

    /// Writes the digest of the row's record, if there is memory for it.
    #[inline]
    pub(crate) fn put_digest(&mut self, digest: &[u8; DIGEST]) {
        let Some(digests) = self.rows.digests else { return };
        // SAFETY: `row` is below `len`, and the creator vouched for the digest of each row (`len * DIGEST` does not
        // overflow, checked by `with_digests`). The claim makes this the only access. `digest` is a reference, and no
        // reference to the memory exists.
        unsafe { ptr::copy_nonoverlapping(digest.as_ptr(), digests.add(self.row * DIGEST), DIGEST) }
    }

    /// Undoes what was written, since the writer unwinds.
    #[cold]
    fn give_up(&mut self) {
        self.zero();
        self.describe(0, 0, 0, |_| 0);
    }

    /// Completes the row. `present` returns the bytes of its presence bits.
    #[inline]
    pub(crate) fn finish(mut self, generation: u32, ttl: u32, code: i32, present: impl Fn(usize) -> u8) {
        self.describe(generation, ttl, code, present);
        self.done = true;
    }
}

impl<T> Drop for Claim<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if !self.done {
            self.give_up();
        }
        self.writing = None;
        if let Some(state) = self.rows.states.get(self.row) {
            state.store(if self.done { DONE } else { FREE }, Release);
        }
    }
}
