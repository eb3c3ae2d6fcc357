//! Rows of one array, written by several threads at once: the one unsafe part of this crate.
//!
//! # What is promised
//!
//! Whoever makes a [`RowBuffer`] promises that its memory stays valid and that nobody else looks at it
//! until the buffer is sealed. In return: nothing but the fields of rows `0..len`, their meta and their
//! codes is ever written; after [`RowBuffer::seal`] has returned nothing is written at all; no two threads
//! touch one row at a time; and a row is either one record's values or zeros, never a mix of two.
//!
//! # Why it holds
//!
//! 1. *Memory is touched through a [`Claim`] alone*, or the [`RowView`] that it lends. A view covers the
//!    itemsize of the claim's row and checks every offset against it; meta and codes are at multiples of
//!    their fixed sizes. The claim's row is below `len`, so all of it is inside what the maker vouched for.
//!    Rows do not overlap because the stride is at least the itemsize (checked). None of this relies on the
//!    plan, the record or the caller's row number being right.
//! 2. *At most one claim on a row exists.* A row's state is `FREE`, `CLAIMED` or `DONE`. A claim is made by
//!    the one compare-and-swap from `FREE` to `CLAIMED` and ended by its owner's store of `DONE`, or of
//!    `FREE` when the owner unwinds. The swap acquires what that store released: the next claim sees the
//!    zeros that the one before left. `DONE` is never left.
//! 3. *A claim lives inside a [`Pass`]*, which it borrows, and the gate counts the passes: its lowest bit
//!    says that the buffer is sealed, the rest is twice their number. A pass is counted in only while the
//!    bit is not set, by compare-and-swap, and counted out when it is dropped, after its claims. `seal` sets
//!    the bit, so that the number can only fall, and waits until it is zero. Counting out releases and
//!    `seal` acquires, through the chain of read-modify-writes of the gate: all writes happened before
//!    `seal` returns.
//! 4. *Who drops the buffer has it alone*: passes borrow it, so none is left, and the maker's duty ends
//!    there. A lease that was leaked instead of dropped can never write again either, but makes `seal` wait
//!    for ever.
//! 5. *No reference to the memory is ever made*, only raw pointers: nothing is assumed about who shares it,
//!    its alignment or the bytes that are in it.

use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use wire_protocol::batch::Record;

use crate::decode;
use crate::marks::{Marks, Narrow, Wide};
use crate::order::Order;
use crate::plan::Plan;
use crate::sync::{AtomicU8, AtomicUsize, Condvar, Mutex, MutexGuard, PoisonError, Probe, Writing};
use crate::tally::{Event, Summary, Tally, Totals};

#[cfg(all(test, loom))]
mod loom_models;
#[cfg(all(test, not(loom)))]
mod tests;

/// States of a row.
const FREE: u8 = 0;
const CLAIMED: u8 = 1;
const DONE: u8 = 2;

/// The gate's lowest bit.
const SEALED: usize = 1;
/// What one pass adds to the gate.
const PASS: usize = 2;

/// Time to live of a record that never expires.
const NEVER: u32 = u32::MAX;

/// Where the rows are. No alignment is needed anywhere.
#[derive(Clone, Copy, Debug)]
pub struct RowMemory {
    /// The first row.
    pub data: *mut u8,
    /// Bytes from one row to the next, at least the schema's itemsize.
    pub stride: usize,
    /// Generation and time to live, 8 bytes a row: two `u32` in native byte order, without gaps.
    pub meta: *mut u8,
    /// Result codes, 4 bytes a row: an `i32` in native byte order, without gaps.
    pub result_codes: *mut u8,
    /// Number of rows.
    pub len: usize,
}

/// What became of a record that was offered to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// The row is done with it.
    Written,
    /// The row was done before, or another lease is at it: the record was dropped.
    Repeated,
    /// There is no such row: the record was dropped.
    OutOfRange,
    /// The buffer is sealed: the record was dropped.
    Sealed,
}

/// The rows of an array while they are filled. See the module's text for why this is sound.
pub struct RowBuffer {
    plan: Arc<Plan>,
    memory: RowMemory,
    now: u32,
    states: Box<[AtomicU8]>,
    /// A bit for each field, [`Plan::presence_bytes`] bytes a row; written by the row's claim.
    presence: Box<[AtomicU8]>,
    probes: Box<[Probe]>,
    gate: AtomicUsize,
    /// Held to wait for, and to tell, that the last pass is gone.
    idle: Mutex<()>,
    last_left: Condvar,
    totals: Mutex<Totals>,
}

// SAFETY: the raw pointers are what keeps this from being automatic. They are followed by claims only, and
// the claims of one row exclude each other whatever threads they are on (points 2 and 3 above).
unsafe impl Send for RowBuffer {}
// SAFETY: as above.
unsafe impl Sync for RowBuffer {}

impl RowBuffer {
    /// Rows of `plan`'s schema in `memory`. `now` is the time in seconds since 2010-01-01 UTC, from which
    /// times to live count.
    ///
    /// # Safety
    /// Until [`RowBuffer::seal`] has returned or the buffer is dropped,
    /// - `data` is valid for reads and writes of the schema's itemsize at each multiple of `stride` below
    ///   `len * stride` (a view's last row may lack the rest of its stride), `meta` of `8 * len` bytes and
    ///   `result_codes` of `4 * len` bytes, all within one allocation each, and no two of the three overlap;
    /// - no reference to any of it is alive and nobody else writes to the fields, meta or codes. Who reads
    ///   them meanwhile by other means, as NumPy may let another thread do, sees them in any state.
    ///
    /// # Panics
    /// If `stride` is below the schema's itemsize or `len` rows of it are beyond the address space.
    #[must_use]
    pub unsafe fn new(plan: Arc<Plan>, memory: RowMemory, now: u32) -> Self {
        let (itemsize, len) = (plan.schema().itemsize(), memory.len);
        assert!(memory.stride >= itemsize, "rows of {itemsize} bytes would overlap at {}", memory.stride);
        assert!(
            len.checked_mul(memory.stride.max(8)).is_some_and(|bytes| isize::try_from(bytes).is_ok()),
            "{len} rows do not fit the address space"
        );
        Self {
            now,
            states: (0..len).map(|_| AtomicU8::new(FREE)).collect(),
            presence: (0..len * plan.presence_bytes()).map(|_| AtomicU8::new(0)).collect(),
            probes: (0..len).map(|_| Probe::default()).collect(),
            gate: AtomicUsize::new(0),
            idle: Mutex::new(()),
            last_left: Condvar::new(),
            totals: Mutex::new(Totals::new(&plan, len)),
            plan,
            memory,
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.memory.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.memory.len == 0
    }

    /// Whether the row was written; no later record can change it.
    #[must_use]
    pub fn is_done(&self, row: usize) -> bool {
        self.states.get(row).is_some_and(|state| state.load(Acquire) == DONE)
    }

    /// The right to write rows, `None` once the buffer is sealed. Hold it over one frame, never while
    /// waiting for anything: [`RowBuffer::seal`] waits for it.
    #[must_use]
    pub fn lease(&self) -> Option<Lease<'_>> {
        let pass = Pass::enter(self)?;
        let fields = self.plan.cells().len();
        let wide = (fields > Narrow::FIELDS).then(|| (Wide::new(fields), Wide::new(fields)));
        Some(Lease {
            order: Order::new(&self.plan),
            wide,
            events: Vec::new(),
            tally: Tally::default(),
            pass,
            not_send: PhantomData,
        })
    }

    /// Ends all writing: later leases and claims fail, and when this returns the open leases are gone. May
    /// be called from any thread and again, but not by one that holds a lease of this buffer, for which it
    /// would wait for ever.
    pub fn seal(&self) {
        if self.gate.fetch_or(SEALED, AcqRel) < PASS {
            return;
        }
        let mut idle = lock(&self.idle);
        while self.gate.load(Acquire) >= PASS {
            idle = self.last_left.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives every row that is not done this code, as [`Lease::fail`] does; returns how many there were.
    /// None once the buffer is sealed.
    pub fn fail_rest(&self, code: i32) -> usize {
        if self.done() == self.len() {
            return 0;
        }
        let Some(mut lease) = self.lease() else { return 0 };
        (0..self.len())
            .filter(|&row| !self.is_done(row) && lease.fail(row, code) == RowOutcome::Written)
            .count()
    }

    /// How many rows are done.
    fn done(&self) -> usize {
        self.states.iter().filter(|state| state.load(Relaxed) == DONE).count()
    }

    /// Seals the buffer and sums up. The memory may be shown to anybody from then on.
    pub fn finish(&self) -> Summary {
        self.seal();
        #[cfg(loom)]
        self.probes.iter().for_each(Probe::read);
        let done = self.done();
        let presence = self.presence.iter().map(|byte| byte.load(Relaxed)).collect();
        Summary::new(&self.plan, done, presence, &lock(&self.totals))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the mutexes guard is whole at every moment, so a panic elsewhere changes nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to write rows of a buffer: see [`RowBuffer::lease`]. What it counted is added to the buffer's
/// sums when it is dropped.
pub struct Lease<'b> {
    order: Order,
    wide: Option<(Wide, Wide)>,
    /// What happened in the row that is being written.
    events: Vec<Event>,
    tally: Tally,
    pass: Pass<'b>,
    not_send: PhantomData<*const ()>,
}

impl Lease<'_> {
    /// Writes a record into a row: its values, or zeros and its result code if it has one. Every field is
    /// written, whatever was there before; bytes outside fields are not touched.
    #[inline]
    pub fn write(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        if !record.result_code.is_ok() {
            return self.fail(row, i32::from(record.result_code));
        }
        let mut claim = match self.pass.claim(row) {
            Ok(claim) => claim,
            Err(outcome) => return outcome,
        };
        let buffer = self.pass.buffer;
        let ttl = seconds_left(record.void_time, buffer.now);
        // A row that was given up half way left its own.
        self.events.clear();
        let (plan, order, events) = (&*buffer.plan, &mut self.order, &mut self.events);
        if let Some((present, absent)) = &mut self.wide {
            present.clear();
            absent.clear();
            decode::fill(plan, order, record, row, &mut claim.view(), (&mut *present, absent), events);
            claim.finish(record.generation, ttl, 0, |at| present.byte(at));
        } else {
            let (mut present, mut absent) = (Narrow::default(), Narrow::default());
            let marks = (&mut present, &mut absent);
            decode::fill(plan, order, record, row, &mut claim.view(), marks, events);
            claim.finish(record.generation, ttl, 0, |at| present.byte(at));
        }
        if !self.events.is_empty() {
            self.events.drain(..).for_each(|event| self.tally.record(row, event));
            if self.tally.is_large() {
                lock(&buffer.totals).absorb(&mut self.tally);
            }
        }
        RowOutcome::Written
    }

    /// Zeroes a row and gives it a result code: the server's, or a negative one of the client.
    pub fn fail(&mut self, row: usize, code: i32) -> RowOutcome {
        match self.pass.claim(row) {
            Ok(mut claim) => {
                claim.zero();
                claim.finish(0, 0, code, |_| 0);
                self.tally.count_code(code, 1);
                RowOutcome::Written
            }
            Err(outcome) => outcome,
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Before the pass goes: who seals the buffer then finds the sums complete.
        self.tally.keep_unmatched(self.order.take_unmatched());
        if !self.tally.is_empty() {
            lock(&self.pass.buffer.totals).absorb(&mut self.tally);
        }
    }
}

/// Seconds that a record has left. One that is there has at least one, whatever the clocks say.
fn seconds_left(void_time: u32, now: u32) -> u32 {
    match void_time {
        0 => NEVER,
        _ => void_time.saturating_sub(now).clamp(1, NEVER - 1),
    }
}

/// One that the gate counts.
struct Pass<'b> {
    buffer: &'b RowBuffer,
}

impl<'b> Pass<'b> {
    fn enter(buffer: &'b RowBuffer) -> Option<Self> {
        let mut gate = buffer.gate.load(Relaxed);
        while gate & SEALED == 0 {
            match buffer.gate.compare_exchange_weak(gate, gate + PASS, Acquire, Relaxed) {
                Ok(_) => return Some(Self { buffer }),
                Err(found) => gate = found,
            }
        }
        None
    }

    #[inline]
    fn claim(&self, row: usize) -> Result<Claim<'_>, RowOutcome> {
        let buffer = self.buffer;
        let state = buffer.states.get(row).ok_or(RowOutcome::OutOfRange)?;
        if buffer.gate.load(Relaxed) & SEALED != 0 {
            return Err(RowOutcome::Sealed);
        }
        match state.compare_exchange(FREE, CLAIMED, Acquire, Relaxed) {
            Ok(_) => {
                Ok(Claim { buffer, row, writing: buffer.probes.get(row).map(Probe::write), done: false })
            }
            Err(_) => Err(RowOutcome::Repeated),
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.buffer.gate.fetch_sub(PASS, Release) == SEALED + PASS {
            // The waiter looks at the gate with the mutex held: past this point it either saw the change or
            // waits and is told.
            drop(lock(&self.buffer.idle));
            self.buffer.last_left.notify_all();
        }
    }
}

/// The right to write one row, below the buffer's length. Gives the row back zeroed unless it is finished.
struct Claim<'p> {
    buffer: &'p RowBuffer,
    row: usize,
    writing: Option<Writing>,
    done: bool,
}

impl Claim<'_> {
    #[inline]
    fn view(&mut self) -> RowView<'_> {
        let memory = &self.buffer.memory;
        // SAFETY: `row` is below `len` and `len * stride` does not overflow (checked by `new`), so this is
        // the start of a row that the maker of the buffer vouched for.
        let start = unsafe { memory.data.add(self.row * memory.stride) };
        RowView { start, size: self.buffer.plan.schema().itemsize(), row: PhantomData }
    }

    fn zero(&mut self) {
        let cells = self.buffer.plan.cells();
        let mut view = self.view();
        for cell in cells {
            cell.zero(&mut view);
        }
    }

    /// Writes what belongs to the row besides its fields; `present` gives the bytes of its presence bits.
    #[inline]
    fn describe(&mut self, generation: u32, ttl: u32, code: i32, present: impl Fn(usize) -> u8) {
        let Self { buffer, row, .. } = *self;
        let (memory, bytes) = (&buffer.memory, buffer.plan.presence_bytes());
        let [g0, g1, g2, g3] = generation.to_ne_bytes();
        let [t0, t1, t2, t3] = ttl.to_ne_bytes();
        let meta = [g0, g1, g2, g3, t0, t1, t2, t3];
        let code = code.to_ne_bytes();
        // SAFETY: `row` is below `len`, and the maker of the buffer vouched for 8 bytes of meta and 4 of
        // codes for each row (`len * 8` does not overflow, checked by `new`). The claim makes this the only
        // access. Arrays on the stack overlap with neither.
        unsafe {
            ptr::copy_nonoverlapping(meta.as_ptr(), memory.meta.add(row * meta.len()), meta.len());
            ptr::copy_nonoverlapping(code.as_ptr(), memory.result_codes.add(row * code.len()), code.len());
        }
        let presence = buffer.presence.get(row * bytes..).unwrap_or_default();
        for (at, byte) in presence.iter().take(bytes).enumerate() {
            byte.store(present(at), Relaxed);
        }
    }

    #[inline]
    fn finish(mut self, generation: u32, ttl: u32, code: i32, present: impl Fn(usize) -> u8) {
        self.describe(generation, ttl, code, present);
        self.done = true;
    }
}

impl Drop for Claim<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.done {
            // The writer unwinds: the row goes back as if nobody had been here.
            self.zero();
            self.describe(0, 0, 0, |_| 0);
        }
        self.writing = None;
        if let Some(state) = self.buffer.states.get(self.row) {
            state.store(if self.done { DONE } else { FREE }, Release);
        }
    }
}

/// The bytes of one claimed row. Offsets are checked: nothing outside the row can be reached.
pub(crate) struct RowView<'c> {
    start: *mut u8,
    size: usize,
    row: PhantomData<&'c mut ()>,
}

impl RowView<'_> {
    /// Writes `bytes` at `offset`.
    ///
    /// # Panics
    /// If they reach beyond the row.
    #[inline]
    pub(crate) fn put<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) {
        self.put_slice(offset, &bytes);
    }

    /// Writes `bytes` at `offset`.
    ///
    /// # Panics
    /// If they reach beyond the row.
    #[inline]
    pub(crate) fn put_slice(&mut self, offset: usize, bytes: &[u8]) {
        let target = self.range(offset, bytes.len());
        // SAFETY: `range` checked that the target is inside the row, which is valid for writes and which
        // the claim makes ours alone; `bytes` is a reference and thus cannot overlap memory to which, as
        // the maker of the buffer vouched, no reference is alive.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len()) }
    }

    /// Zeroes `len` bytes from `offset`.
    ///
    /// # Panics
    /// If they reach beyond the row.
    #[inline]
    pub(crate) fn zero(&mut self, offset: usize, len: usize) {
        let target = self.range(offset, len);
        // SAFETY: as in `put_slice`.
        unsafe { ptr::write_bytes(target, 0, len) }
    }

    #[inline]
    fn range(&self, offset: usize, len: usize) -> *mut u8 {
        if len > self.size || offset > self.size - len {
            beyond_row(offset, len, self.size);
        }
        // SAFETY: at most one past the end of the row, which lies within one allocation.
        unsafe { self.start.add(offset) }
    }
}

#[cold]
fn beyond_row(offset: usize, len: usize, size: usize) -> ! {
    panic!("{len} bytes at {offset} of a row of {size}")
}
