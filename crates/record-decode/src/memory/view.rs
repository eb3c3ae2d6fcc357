//! Checked access to the bytes of one row.

use std::marker::PhantomData;
use std::ptr;

/// The bytes of one claimed row. Offsets are checked, so nothing outside the row can be reached.
pub(crate) struct RowView<'c> {
    start: *mut u8,
    size: usize,
    claim: PhantomData<&'c mut ()>,
}

impl RowView<'_> {
    /// A view of the `size` bytes at `start`.
    ///
    /// # Safety
    /// For the lifetime of the view, `start` is valid for reads and writes of `size` bytes within one allocation, no
    /// reference to them exists, and nothing else writes to them.
    #[inline]
    pub(super) unsafe fn new(start: *mut u8, size: usize) -> Self {
        Self { start, size, claim: PhantomData }
    }

    /// The same view, for as long as this one is not used.
    #[inline]
    pub(crate) fn reborrow(&mut self) -> RowView<'_> {
        RowView { start: self.start, size: self.size, claim: PhantomData }
    }

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
        // SAFETY: `range` checked that the target is inside the row, which by the contract of `new` is valid for
        // writes and not accessed otherwise. `bytes` is a reference, so it cannot overlap the row, to which no
        // reference exists.
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
        // SAFETY: the result is at most one past the end of the row, which lies within one allocation.
        unsafe { self.start.add(offset) }
    }
}

#[cold]
fn beyond_row(offset: usize, len: usize, size: usize) -> ! {
    panic!("{len} bytes at {offset} of a row of {size}")
}
