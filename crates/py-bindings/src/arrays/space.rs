//! Memory for rows whose number is not known: rows of a query. It is allocated without the GIL, by the threads that
//! read the sockets, and becomes NumPy arrays without being copied.

use std::ptr;
use std::sync::Arc;

use numpy::PyArray1;
use numpy::ndarray::ArrayView1;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PySlice;
use record_decode::{BlockRows, Plan, RowBlock, RowMemory};

use super::heap::Memory;
use super::memory::rows_of;
use super::{numpy, out};
use crate::python::once::intern;

/// Bytes of the meta data, the digest and the code of a row.
const META: usize = 8;
const DIGEST: usize = 20;
const CODE: usize = 4;

/// Memory that rows leave to others: without any, the process is aborted.
const SPARE: usize = 4 << 20;

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
    let owner = Bound::new(dtype.py(), ArrayMemory(memory))?;
    let owned = owner.clone();
    array_over(dtype, &owned.get().0, owner.into_any(), len * itemsize)
}

/// The first `size` bytes of `memory` as an array of `dtype`, which keeps `owner`. All of them must have been written,
/// or be mapped: mapped bytes are zero at first.
pub(super) fn array_over<'py>(
    dtype: &Bound<'py, PyAny>,
    memory: &Memory,
    owner: Bound<'py, PyAny>,
    size: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let py = dtype.py();
    numpy(py)?;
    assert!(size <= memory.size(), "{size} bytes of {}", memory.size());
    // SAFETY: the bytes are inside the memory (checked above) and initialized, and nothing writes to them while the
    // view exists, which is until the next line. `owner` has the memory and keeps it where it is.
    let bytes = unsafe {
        let view = ArrayView1::from_shape_ptr(size, memory.data().cast_const());
        PyArray1::<u8>::borrow_from_array(&view, owner)
    };
    bytes.call_method1(intern!(py, "view"), (dtype,))
}

/// Where records are written: into memory of its own, or into a user's array.
enum Records {
    Own(Memory),
    Users { data: *mut u8, stride: usize, array: Py<PyAny> },
}

// SAFETY: the address belongs to `array`, which is kept; threads write to it only through a `RowBlock`.
unsafe impl Send for Records {}
// SAFETY: as above.
unsafe impl Sync for Records {}

/// The memory of rows.
struct SpaceMemory {
    records: Records,
    meta: Memory,
    digests: Memory,
    /// The result codes of one block, which are all 0.
    codes: Memory,
}

/// A block that is sealed when it is dropped.
struct OpenBlock(Arc<RowBlock>);

impl Drop for OpenBlock {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The memory of rows, and the block that fills its free part.
///
/// Invariant: before memory is moved, given away or dropped, the block is sealed, so nothing writes to it. A copy of the
/// block may live longer; it accepts no more records then.
pub(crate) struct RowSpace {
    /// Before `memory`: fields are dropped in this order. `None` if there was no memory for a further block.
    block: Option<OpenBlock>,
    memory: SpaceMemory,
    /// All rows that there is memory for.
    capacity: usize,
    /// The rows of earlier blocks.
    done: Option<BlockRows>,
    settings: Arc<SpaceSettings>,
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
                    memory.zero_new(0);
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
        let array = array.clone_ref(py);
        Self::with_records(settings, Records::Users { data, stride, array }, rows.min(len))
    }

    fn with_records(settings: &Arc<SpaceSettings>, records: Records, rows: usize) -> Option<Self> {
        let memory = SpaceMemory {
            records,
            meta: Memory::new(rows.checked_mul(META)?)?,
            digests: Memory::new(rows.checked_mul(DIGEST)?)?,
            codes: Memory::new(rows.checked_mul(CODE)?)?,
        };
        let block = Some(memory.open(settings, 0, rows));
        Some(Self { block, memory, capacity: rows, done: None, settings: Arc::clone(settings) })
    }

    /// The block that takes records now, unless there was no memory for one.
    pub(crate) fn block(&self) -> Option<&Arc<RowBlock>> {
        self.block.as_ref().map(|block| &block.0)
    }

    /// The rows that were given out.
    pub(crate) fn len(&self) -> usize {
        self.rows_done() + self.block().map_or(0, |block| block.len())
    }

    fn rows_done(&self) -> usize {
        self.done.as_ref().map_or(0, |done| done.len)
    }

    /// Makes room for at least as many rows again, but no more than `most` in all, once the block is complete. False if
    /// there is no memory; the rows so far stay.
    pub(crate) fn grow(&mut self, most: usize) -> bool {
        self.close_block();
        let first = self.rows_done();
        let schema = self.settings.plan.schema();
        let Records::Own(records) = &mut self.memory.records else { return false };
        // Pages that no row needs cost nothing; moving those that have rows does.
        let more = self.capacity.saturating_mul(if records.is_mapped() { 7 } else { 1 });
        let mut more = more.min(most.saturating_sub(self.capacity)).max(1);
        loop {
            let rows = self.capacity.checked_add(more);
            // Seen by the compiler as used, so that it is allocated.
            let spare = std::hint::black_box(Memory::new(SPARE));
            let fits = spare.is_some()
                && rows.is_some_and(|rows| {
                    let size = rows.checked_mul(schema.itemsize().max(DIGEST));
                    size.is_some_and(|size| isize::try_from(size).is_ok())
                        && records.resize(rows * schema.itemsize())
                        && self.memory.meta.resize(rows * META)
                        && self.memory.digests.resize(rows * DIGEST)
                        && self.memory.codes.resize((rows - first) * CODE)
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
        if !schema.is_dense() {
            records.zero_new(first * schema.itemsize());
        }
        self.block = Some(self.memory.open(&self.settings, first, self.capacity - first));
        true
    }

    /// Seals the block, and adds its rows to those that are done.
    fn close_block(&mut self) {
        let Some(block) = self.block.take() else { return };
        let rows = block.0.finish();
        match &mut self.done {
            Some(done) => done.append(rows),
            None => self.done = Some(rows),
        }
    }

    /// Ends all writing.
    pub(crate) fn finish(mut self) -> Option<FilledRows> {
        self.close_block();
        let Self { memory: SpaceMemory { records, meta, digests, .. }, done, settings, .. } = self;
        Some(FilledRows { settings, records, meta, digests, rows: done? })
    }
}

impl SpaceMemory {
    /// A block over `rows` rows from `first` on.
    fn open(&self, settings: &SpaceSettings, first: usize, rows: usize) -> OpenBlock {
        let Self { records, meta, digests, codes } = self;
        let itemsize = settings.plan.schema().itemsize();
        let (data, stride) = match records {
            Records::Own(memory) => {
                assert!((first + rows) * itemsize <= memory.size(), "rows of a space");
                (memory.data(), itemsize)
            }
            Records::Users { data, stride, .. } => (*data, *stride),
        };
        assert!((first + rows) * META <= meta.size(), "meta data of a space");
        assert!((first + rows) * DIGEST <= digests.size(), "digests of a space");
        assert!(rows * CODE <= codes.size(), "codes of a space");
        // SAFETY: the rows are inside the memory (checked above, and by `UsersArray::new`), which `RowSpace` neither
        // moves nor frees before the block is sealed, and no two of the four overlap. Nothing else accesses it: Python
        // does not know the memory. It does know a user's array, which by the documentation must not be used while a
        // block is read.
        let block = unsafe {
            let memory = RowMemory {
                data: data.add(first * stride),
                stride,
                meta: meta.data().add(first * META),
                result_codes: codes.data(),
                len: rows,
            };
            let digests = digests.data().add(first * DIGEST);
            RowBlock::new(Arc::clone(&settings.plan), memory, digests, settings.now, settings.has_sets)
        };
        OpenBlock(Arc::new(block))
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
                ptr::copy_nonoverlapping(self.digests.data().add(row * DIGEST), digest.as_mut_ptr(), DIGEST)
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
            Records::Users { array, .. } => array.bind(py).get_item(PySlice::new(py, 0, len as isize, 1))?,
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
