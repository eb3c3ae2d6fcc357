//! Memory that grows without being copied, for rows whose number is not known.
//!
//! Small memory comes from the allocator. On Linux, large memory is mapped: growing moves its pages to a larger range
//! of addresses, and pages that no row needs are never touched. It begins at a huge page and asks for them, as NumPy
//! does for its arrays; otherwise page faults would cost a third of the time in which a query fills an array.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ptr;

/// A piece of memory. Its content is arbitrary.
pub(crate) struct Memory {
    data: *mut u8,
    size: usize,
    is_mapped: bool,
}

// SAFETY: an owner of memory like a box. Threads write to it only through a `RowBlock`, which says which may.
unsafe impl Send for Memory {}
// SAFETY: as above; it has no methods that access the memory through a shared reference.
unsafe impl Sync for Memory {}

impl Memory {
    /// `None` if there is not so much memory.
    pub(crate) fn new(size: usize) -> Option<Self> {
        if size >= pages::MIN_SIZE {
            let data = pages::map(size)?;
            return Some(Self { data, size, is_mapped: true });
        }
        // SAFETY: the layout has at least one byte.
        let data = unsafe { alloc(Self::layout(size)?) };
        (!data.is_null()).then_some(Self { data, size, is_mapped: false })
    }

    /// Memory of zeroes that begins at a huge page and has as many as fit, for rows that all get written. `None` if it
    /// is too small for that, or there is not so much memory.
    pub(super) fn of_huge_pages(size: usize) -> Option<Self> {
        let (data, size) = pages::map_huge(size)?;
        Some(Self { data, size, is_mapped: true })
    }

    /// An alignment that every allocator has without effort: for another one, memory would be copied as it grows.
    fn layout(size: usize) -> Option<Layout> {
        Layout::from_size_align(size.max(1), 16).ok()
    }

    /// The address of the first byte, valid until the memory is resized or dropped.
    pub(crate) fn data(&self) -> *mut u8 {
        self.data
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Whether pages that were never written take no memory.
    pub(crate) fn is_mapped(&self) -> bool {
        self.is_mapped
    }

    /// Changes the size; what was there stays. False if there is not so much memory; then nothing has changed.
    pub(crate) fn resize(&mut self, size: usize) -> bool {
        if self.is_mapped {
            let Some(data) = pages::resize(self.data, self.size, size) else { return false };
            (self.data, self.size) = (data, size);
            return true;
        }
        if size >= pages::MIN_SIZE {
            let Some(larger) = Self::new(size) else { return false };
            // SAFETY: both have at least as many bytes, and are different pieces of memory.
            unsafe { ptr::copy_nonoverlapping(self.data, larger.data, self.size.min(size)) }
            *self = larger;
            return true;
        }
        let (Some(before), Some(layout)) = (Self::layout(self.size), Self::layout(size)) else {
            return false;
        };
        // SAFETY: `data` was allocated with this layout, the new size is at least one byte and below `isize::MAX`.
        let data = unsafe { realloc(self.data, before, layout.size()) };
        if data.is_null() {
            return false;
        }
        (self.data, self.size) = (data, size);
        true
    }

    /// Zeroes the bytes from `start` on, which must be new since the last resize: mapped ones are zero already.
    pub(crate) fn zero_new(&mut self, start: usize) {
        if start < self.size && !self.is_mapped {
            // SAFETY: the bytes are inside the memory, which `self` owns alone.
            unsafe { ptr::write_bytes(self.data.add(start), 0, self.size - start) }
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.is_mapped {
            pages::unmap(self.data, self.size);
        } else if let Some(layout) = Self::layout(self.size) {
            // SAFETY: `data` was allocated with this layout and is not used any more.
            unsafe { dealloc(self.data, layout) }
        }
    }
}

/// Mapped memory. A mapping has whole pages and at least one; sizes are rounded up here.
#[cfg(target_os = "linux")]
mod pages {
    use std::ptr;

    /// From this size on, memory is mapped.
    pub(super) const MIN_SIZE: usize = 1 << 20;

    /// From this size on, memory has huge pages: a smaller one would often need less than one.
    const MIN_HUGE: usize = 4 << 20;

    /// The size of huge pages on most systems. On others, huge pages begin later than they could.
    const HUGE_PAGE: usize = 2 << 20;

    fn page_size() -> usize {
        // SAFETY: reads a constant of the system.
        usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
    }

    fn rounded(size: usize) -> Option<usize> {
        size.max(1).checked_next_multiple_of(page_size()).filter(|&size| isize::try_from(size).is_ok())
    }

    /// Maps `size` bytes of zeroes, at a huge page if there are as many.
    pub(super) fn map(size: usize) -> Option<*mut u8> {
        let size = rounded(size)?;
        map_at(size, if size >= MIN_HUGE { HUGE_PAGE } else { 1 })
    }

    /// Maps whole pages at a multiple of `alignment`: that of a huge page, or 1.
    fn map_at(size: usize, alignment: usize) -> Option<*mut u8> {
        let extra = alignment.saturating_sub(page_size());
        let whole = size.checked_add(extra)?;
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address that the system chooses.
        let start = unsafe { libc::mmap(ptr::null_mut(), whole, access, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        let start: *mut u8 = start.cast();
        if extra == 0 {
            return Some(start);
        }
        let before = start.align_offset(HUGE_PAGE).min(extra);
        // SAFETY: `before` is at most `extra`, so all three parts are whole pages of the mapping. Only the middle one is
        // used from now on. Advice that the system does not take changes nothing.
        unsafe {
            let data = start.add(before);
            if before > 0 {
                libc::munmap(start.cast(), before);
            }
            if extra > before {
                libc::munmap(data.add(size).cast(), extra - before);
            }
            libc::madvise(data.cast(), size, libc::MADV_HUGEPAGE);
            Some(data)
        }
    }

    /// Maps at least `size` bytes of zeroes at a huge page. The last one may be larger than needed, by at most a quarter
    /// of the size; otherwise small pages end the mapping. Returns the size, too, which is of whole pages.
    pub(super) fn map_huge(size: usize) -> Option<(*mut u8, usize)> {
        let whole = size.checked_next_multiple_of(HUGE_PAGE)?;
        let size = if whole - size <= size / 4 { whole } else { rounded(size)? };
        let data = if size >= HUGE_PAGE { map_at(size, HUGE_PAGE)? } else { return None };
        Some((data, size))
    }

    /// Changes the size of a mapping, and maybe its place.
    pub(super) fn resize(data: *mut u8, size: usize, new_size: usize) -> Option<*mut u8> {
        let (old, new) = (rounded(size)?, rounded(new_size)?);
        if new <= old {
            if new < old {
                // SAFETY: the pages from `new` on belong to the mapping and are not used any more.
                unsafe { libc::munmap(data.add(new).cast(), old - new) };
            }
            return Some(data);
        }
        let target = map(new_size)?;
        // SAFETY: the pages of the old mapping replace the first ones of the new one, which is larger and not yet used.
        let moved = unsafe {
            let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            libc::mremap(data.cast(), old, old, flags, target.cast::<libc::c_void>())
        };
        if moved == libc::MAP_FAILED {
            unmap(target, new_size);
            return None;
        }
        Some(target)
    }

    /// Ends a mapping that is not used any more.
    pub(super) fn unmap(data: *mut u8, size: usize) {
        if let Some(size) = rounded(size) {
            // SAFETY: the whole mapping, by the contract of this function.
            unsafe { libc::munmap(data.cast(), size) };
        }
    }
}

/// Elsewhere, all memory comes from the allocator.
#[cfg(not(target_os = "linux"))]
mod pages {
    pub(super) const MIN_SIZE: usize = usize::MAX;

    pub(super) fn map(_: usize) -> Option<*mut u8> {
        None
    }

    pub(super) fn map_huge(_: usize) -> Option<(*mut u8, usize)> {
        None
    }

    pub(super) fn resize(_: *mut u8, _: usize, _: usize) -> Option<*mut u8> {
        None
    }

    pub(super) fn unmap(_: *mut u8, _: usize) {}
}
