//! Memory of large results, kept for the next ones.
//!
//! A page of 4 KiB that is touched for the first time costs two to three microseconds in a virtual machine, more than
//! reading a vector of 4 KiB into it; and later, each page costs a search of the page table. So large results have huge
//! pages, and the memory of a result that was dropped is used for the next. The C library does the latter, too, but
//! with small pages, and NumPy asks for huge ones only from 4 MiB on, for arrays that may begin anywhere.

use std::sync::Mutex;

use pyo3::prelude::*;

use super::heap::Memory;
use super::space::array_over;

/// Results below this size get their memory from NumPy.
const MIN_SIZE: usize = 1 << 20;

/// Memory that is kept, at most. As much as the C library keeps, if arrays of up to 32 MiB were freed.
const MAX_KEPT: usize = 32 << 20;

static KEPT: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

/// Keeps the memory of an array, and then has it kept for the next.
#[pyclass(frozen, module = "aerospike_py._native")]
struct ResultMemory(Option<Memory>);

impl Drop for ResultMemory {
    fn drop(&mut self) {
        if let Some(memory) = self.0.take() {
            keep(memory);
        }
    }
}

/// An array of `size` bytes of `dtype` with any content, or with zeroes if `is_zero`. `None` for sizes that NumPy
/// should serve, or if there is not so much memory.
pub(super) fn array<'py>(
    dtype: &Bound<'py, PyAny>,
    size: usize,
    is_zero: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if size < MIN_SIZE {
        return Ok(None);
    }
    let kept = if is_zero { None } else { take(size) };
    let Some(memory) = kept.or_else(|| Memory::of_huge_pages(size)) else { return Ok(None) };
    let owner = Bound::new(dtype.py(), ResultMemory(Some(memory)))?;
    let owned = owner.clone();
    let memory = owned.get().0.as_ref();
    memory.map(|memory| array_over(dtype, memory, owner.into_any(), size)).transpose()
}

/// Kept memory for `size` bytes, of which it leaves at most a quarter unused. The last that was kept comes first: it is
/// most likely to be in the processor's cache.
fn take(size: usize) -> Option<Memory> {
    // Never blocks: a forked child may inherit a held lock.
    let mut kept = KEPT.try_lock().ok()?;
    let at =
        kept.iter().rposition(|memory| size <= memory.size() && memory.size() - size <= memory.size() / 4)?;
    Some(kept.remove(at))
}

/// Keeps `memory`, and frees what was kept longest if that is too much.
fn keep(memory: Memory) {
    if memory.size() > MAX_KEPT {
        return;
    }
    let Ok(mut kept) = KEPT.try_lock() else { return };
    kept.push(memory);
    let mut size: usize = kept.iter().map(Memory::size).sum();
    let too_many = kept.iter().take_while(|memory| {
        let is_too_much = size > MAX_KEPT;
        size -= memory.size();
        is_too_much
    });
    let too_many = too_many.count();
    kept.drain(..too_many);
}
