//! Memory for rows whose number is not known: rows of a query. It is allocated without the GIL, by the threads that
//! read the sockets, and becomes NumPy arrays without being copied.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ptr;
use std::sync::Arc;

use numpy::PyArray1;
use numpy::ndarray::ArrayView1;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PySlice;
use record_decode::{BlockRows, Plan, RowBlock, RowMemory};

use super::memory::rows_of;
use super::{numpy, out};
use crate::python::once::intern;

/// Bytes of the meta data, the digest and the code of a row.
const META: usize = 8;
const DIGEST: usize = 20;
const CODE: usize = 4;

/// Memory that rows leave to others: without any, the process is aborted.
const SPARE: usize = 4 << 20;

/// A piece of the heap. Its content is arbitrary.
struct Memory {
    data: *mut u8,
    layout: Layout,
}

// SAFETY: an owner of memory like a box. Threads write to it only through a `RowBlock`, which says which may.
unsafe impl Send for Memory {}
// SAFETY: as above; it has no methods that access the memory through a shared reference.
unsafe impl Sync for Memory {}

impl Memory {
    /// `None` if there is not so much memory.
    fn new(size: usize) -> Option<Self> {
        let layout = Self::layout(size)?;
        // SAFETY: the layout has at least one byte.
        let data = unsafe { alloc(layout) };
        (!data.is_null()).then_some(Self { data, layout })
    }

    /// An alignment that every allocator has without effort: for another one, memory would be copied as it grows.
    fn layout(size: usize) -> Option<Layout> {
        Layout::from_size_align(size.max(1), 16).ok()
    }

    /// Changes the size; what was there stays. Large memory is moved without being copied, where the system can do so.
    fn resize(&mut self, size: usize) -> bool {
        let Some(layout) = Self::layout(size) else { return false };
        // SAFETY: `data` was allocated with this layout, the new size is at least one byte and below `isize::MAX`.
        let data = unsafe { realloc(self.data, self.layout, layout.size()) };
        if data.is_null() {
            return false;
        }
        (self.data, self.layout) = (data, layout);
        true
    }

    /// Zeroes the bytes from `start` on.
    fn zero_from(&mut self, start: usize) {
        let size = self.layout.size();
        if start < size {
            // SAFETY: the bytes are inside the memory, which `self` owns alone.
            unsafe { ptr::write_bytes(self.data.add(start), 0, size - start) }
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `data` was allocated with this layout and is not used any more.
        unsafe { dealloc(self.data, self.layout) }
    }
}

/// Keeps the memory of an array.
#[pyclass(frozen, module = "aerospike_py._native")]
struct ArrayMemory(Memory);

/// `memory` as an array of `len` elements of `dtype`, which have `itemsize` bytes.
fn into_array<'py>(
    dtype: &Bound<'py, PyAny>,
    memory: Memory,
    len: usize,
    itemsize: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let py = dtype.py();
    numpy(py)?;
    assert!(len * itemsize <= memory.layout.size(), "{len} rows of {itemsize} bytes");
    let owner = Bound::new(py, ArrayMemory(memory))?;
    let data = owner.get().0.data.cast_const();
    // SAFETY: the bytes are inside the memory (checked above), all of them were written, and nothing writes to them any
    // more. The array keeps `owner`, which keeps the memory where it is.
    let bytes = unsafe {
        let view = ArrayView1::from_shape_ptr(len * itemsize, data);
        PyArray1::<u8>::borrow_from_array(&view, owner.into_any())
    };
    bytes.call_method1(intern!(py, "view"), (dtype,))
}

/// Where records are written: into memory of its own, or into a user's array.
enum Records {
    Own(Memory),
    Users { data: *mut u8, stride: usize, array: Option<Py<PyAny>> },
}

// SAFETY: the address belongs to `array`, which is kept; threads write to it only through a `RowBlock`.
unsafe impl Send for Records {}
// SAFETY: as above.
unsafe impl Sync for Records {}

/// The memory of rows, and the block that fills its free part.
///
/// Invariant: before memory is moved, given away or dropped, the block is sealed, so nothing writes to it. A copy of the
/// block may live longer; it accepts no more records then.
pub(crate) struct RowSpace {
    settings: Arc<SpaceSettings>,
    records: Records,
    meta: Memory,
    digests: Memory,
    /// The block's result codes, which are all 0.
    codes: Memory,
    /// All rows that there is memory for.
    capacity: usize,
    /// The rows of earlier blocks.
    done: Option<BlockRows>,
    block: Arc<RowBlock>,
}

/// What the blocks of a query have in common.
pub(crate) struct SpaceSettings {
    pub(crate) plan: Arc<Plan>,
    /// Seconds since 2010-01-01 UTC.
    pub(crate) now: u32,
    /// Whether rows have names of sets.
    pub(crate) has_sets: bool,
}

impl RowSpace {
    /// Memory for `rows` rows, or for fewer if there is not so much. `None` if there is not even memory for one.
    pub(crate) fn new(settings: &Arc<SpaceSettings>, rows: usize) -> Option<Self> {
        let itemsize = settings.plan.schema().itemsize();
        let mut rows = rows.max(1);
        loop {
            let size = rows.checked_mul(itemsize).filter(|&size| isize::try_from(size).is_ok());
            if let Some(mut memory) = size.and_then(Memory::new) {
                if !settings.plan.schema().is_dense() {
                    memory.zero_from(0);
                }
                return Self::with_records(settings, Records::Own(memory), rows);
            }
            if rows == 1 {
                return None;
            }
            rows /= 2;
        }
    }

    /// A space over the first `rows` rows of a user's array, which was checked.
    pub(crate) fn over(
        py: Python<'_>,
        settings: &Arc<SpaceSettings>,
        out: &UsersArray,
        rows: usize,
    ) -> Option<Self> {
        let UsersArray { data, stride, ref array, len } = *out;
        let (rows, array) = (rows.min(len), Some(array.clone_ref(py)));
        Self::with_records(settings, Records::Users { data, stride, array }, rows)
    }

    fn with_records(settings: &Arc<SpaceSettings>, records: Records, rows: usize) -> Option<Self> {
        let (meta, digests) =
            (Memory::new(rows.checked_mul(META)?)?, Memory::new(rows.checked_mul(DIGEST)?)?);
        let codes = Memory::new(rows.checked_mul(CODE)?)?;
        let block = open(settings, &records, &meta, &digests, &codes, 0, rows);
        let settings = Arc::clone(settings);
        Some(Self {
            settings,
            records,
            meta,
            digests,
            codes,
            capacity: rows,
            done: None,
            block: Arc::new(block),
        })
    }

    /// The block that takes records now.
    pub(crate) fn block(&self) -> &Arc<RowBlock> {
        &self.block
    }

    /// The rows that were given out.
    pub(crate) fn len(&self) -> usize {
        self.done.as_ref().map_or(0, |done| done.len) + self.block.len()
    }

    /// Makes room for as many rows again, but no more than `most` in all, once the block is complete. False if there is no
    /// memory; the rows so far stay.
    pub(crate) fn grow(&mut self, most: usize) -> bool {
        self.close_block();
        let Records::Own(records) = &mut self.records else { return false };
        let itemsize = self.settings.plan.schema().itemsize();
        let first = self.done.as_ref().map_or(0, |done| done.len);
        let mut more = self.capacity.min(most.saturating_sub(self.capacity)).max(1);
        loop {
            let rows = self.capacity.checked_add(more);
            // Seen by the compiler as used, so that it is allocated.
            let spare = std::hint::black_box(Memory::new(SPARE));
            let fits = spare.is_some()
                && rows.is_some_and(|rows| {
                    let size = rows.checked_mul(itemsize.max(DIGEST));
                    size.is_some_and(|size| isize::try_from(size).is_ok())
                        && records.resize(rows * itemsize)
                        && self.meta.resize(rows * META)
                        && self.digests.resize(rows * DIGEST)
                        && self.codes.resize((rows - first) * CODE)
                });
            if let (true, Some(rows)) = (fits, rows) {
                self.capacity = rows;
                break;
            }
            if more == 1 {
                return false;
            }
            more /= 2;
        }
        if !self.settings.plan.schema().is_dense() {
            records.zero_from(first * itemsize);
        }
        let (first, rows) = (first, self.capacity - first);
        let Self { settings, records, meta, digests, codes, .. } = self;
        self.block = Arc::new(open(settings, records, meta, digests, codes, first, rows));
        true
    }

    /// Seals the block, and adds its rows to those that are done.
    fn close_block(&mut self) {
        let rows = self.block.finish();
        match &mut self.done {
            Some(done) => done.append(rows),
            None => self.done = Some(rows),
        }
        // The rows were counted; an empty block takes its place.
        self.block = Arc::new(empty(&self.settings));
    }

    /// Ends all writing.
    pub(crate) fn finish(mut self) -> FilledRows {
        self.close_block();
        let rows = self.done.take().unwrap_or_else(|| empty(&self.settings).finish());
        let digests = std::mem::replace(&mut self.digests, nothing());
        let meta = std::mem::replace(&mut self.meta, nothing());
        let records = match &mut self.records {
            Records::Own(memory) => Records::Own(std::mem::replace(memory, nothing())),
            Records::Users { data, stride, array } => {
                Records::Users { data: *data, stride: *stride, array: array.take() }
            }
        };
        FilledRows { settings: Arc::clone(&self.settings), records, meta, digests, rows }
    }
}

impl Drop for RowSpace {
    fn drop(&mut self) {
        self.block.close();
    }
}

/// As little memory as there can be.
fn nothing() -> Memory {
    Memory::new(1).unwrap_or_else(|| std::alloc::handle_alloc_error(Layout::new::<u8>()))
}

/// A block without rows.
fn empty(settings: &SpaceSettings) -> RowBlock {
    let memory = RowMemory {
        data: ptr::dangling_mut(),
        stride: settings.plan.schema().itemsize(),
        meta: ptr::dangling_mut(),
        result_codes: ptr::dangling_mut(),
        len: 0,
    };
    // SAFETY: there are no rows, so there is no memory to be valid.
    unsafe {
        RowBlock::new(
            Arc::clone(&settings.plan),
            memory,
            ptr::dangling_mut(),
            settings.now,
            settings.has_sets,
        )
    }
}

/// A block over `rows` rows from `first` on.
fn open(
    settings: &SpaceSettings,
    records: &Records,
    meta: &Memory,
    digests: &Memory,
    codes: &Memory,
    first: usize,
    rows: usize,
) -> RowBlock {
    let itemsize = settings.plan.schema().itemsize();
    let (data, stride) = match records {
        Records::Own(memory) => {
            assert!((first + rows) * itemsize <= memory.layout.size(), "rows of a space");
            (memory.data, itemsize)
        }
        Records::Users { data, stride, .. } => (*data, *stride),
    };
    assert!((first + rows) * META <= meta.layout.size(), "meta data of a space");
    assert!((first + rows) * DIGEST <= digests.layout.size(), "digests of a space");
    assert!(rows * CODE <= codes.layout.size(), "codes of a space");
    // SAFETY: the rows are inside the memory (checked above, and by `UsersArray::new`), which `RowSpace` neither moves
    // nor frees before the block is sealed, and no two of the four overlap. Nothing else accesses it: the memory is not
    // known to Python, except for a user's array, whose owner is told not to use it while a block is asked for.
    unsafe {
        let memory = RowMemory {
            data: data.add(first * stride),
            stride,
            meta: meta.data.add(first * META),
            result_codes: codes.data,
            len: rows,
        };
        let digests = digests.data.add(first * DIGEST);
        RowBlock::new(Arc::clone(&settings.plan), memory, digests, settings.now, settings.has_sets)
    }
}

/// Rows that nothing writes to any more.
pub(crate) struct FilledRows {
    settings: Arc<SpaceSettings>,
    records: Records,
    meta: Memory,
    digests: Memory,
    pub(crate) rows: BlockRows,
}

/// The arrays of a query's result.
pub(crate) struct QueryArrays<'py> {
    pub(crate) records: Bound<'py, PyAny>,
    pub(crate) meta: Bound<'py, PyAny>,
    pub(crate) digests: Bound<'py, PyAny>,
}

impl FilledRows {
    /// Calls `each` with the digest of each row, in order.
    pub(crate) fn each_digest(&self, mut each: impl FnMut([u8; DIGEST])) {
        for row in 0..self.rows.len {
            let mut digest = [0; DIGEST];
            // SAFETY: the digest of each row is inside the memory, was written with its row, and is copied.
            unsafe {
                ptr::copy_nonoverlapping(self.digests.data.add(row * DIGEST), digest.as_mut_ptr(), DIGEST)
            }
            each(digest);
        }
    }

    /// The arrays, and what the rows contain. Gives memory that was not needed back.
    pub(crate) fn into_arrays<'py>(
        self,
        dtype: &Bound<'py, PyAny>,
    ) -> PyResult<(QueryArrays<'py>, BlockRows)> {
        let Self { settings, records, mut meta, mut digests, rows } = self;
        let py = dtype.py();
        let (len, itemsize) = (rows.len, settings.plan.schema().itemsize());
        let dtypes = super::memory::dtypes(numpy(py)?)?;
        // If memory cannot be given back, the array keeps it.
        let records = match records {
            Records::Own(mut memory) => {
                memory.resize(len * itemsize);
                into_array(dtype, memory, len, itemsize)?
            }
            Records::Users { array, .. } => {
                let array = array.ok_or_else(|| PyMemoryError::new_err("the array was given away"))?;
                array.bind(py).get_item(PySlice::new(py, 0, len as isize, 1))?
            }
        };
        meta.resize(len * META);
        digests.resize(len * DIGEST);
        let meta = into_array(dtypes.meta.bind(py), meta, len, META)?;
        let digests = into_array(dtypes.digest.bind(py), digests, len, DIGEST)?;
        Ok((QueryArrays { records, meta, digests }, rows))
    }
}

/// A user's array, into which blocks are written one after the other.
pub(crate) struct UsersArray {
    data: *mut u8,
    stride: usize,
    array: Py<PyAny>,
    pub(crate) len: usize,
}

// SAFETY: the address belongs to `array`, which is kept; it is only passed on to a `RowSpace`.
unsafe impl Send for UsersArray {}
// SAFETY: as above.
unsafe impl Sync for UsersArray {}

impl UsersArray {
    /// Checks an `out` argument.
    pub(crate) fn new(array: &Bound<'_, PyAny>, dtype: &Bound<'_, PyAny>, itemsize: usize) -> PyResult<Self> {
        let numpy = numpy(dtype.py())?;
        let len = out::check_block(numpy, array, dtype)?;
        let (data, stride) = rows_of(array, len, itemsize)?;
        Ok(Self { data, stride, array: array.clone().unbind(), len })
    }
}

/// The error of rows for which there is no memory.
pub(crate) fn no_memory(itemsize: usize, rows: usize) -> PyErr {
    PyMemoryError::new_err(format!(
        "there is no memory for more than {rows} rows of {itemsize} bytes; read the query in blocks with \
         numpy_batches(), or fewer records with max_records"
    ))
}
