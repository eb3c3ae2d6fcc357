//! Arrays for results, rows of users' arrays, and the addresses of both.
//!
//! Threads without the GIL write and read the memory behind these addresses while a call runs. It stays valid because
//! the owner of an address also holds a reference to its array, and NumPy does not resize an array that others hold.
//! Memory that Python may access at the same time is touched only through raw pointers, never as a Rust reference.

use std::cell::RefCell;

use numpy::{PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use record_decode::{Plan, RowMemory};

use super::{kept, numpy, out};
use crate::python::once::{Once, intern};

/// The arrays of a batch's result.
pub(crate) struct Arrays {
    pub(crate) records: Py<PyAny>,
    pub(crate) meta: Py<PyAny>,
    pub(crate) result_codes: Py<PyAny>,
    memory: Memory,
}

/// The addresses of a result's arrays.
#[derive(Clone, Copy)]
struct Memory {
    data: *mut u8,
    stride: usize,
    meta: *mut u8,
    result_codes: *mut u8,
    len: usize,
}

// SAFETY: these are addresses only. `RowBuffer`, which writes through them, decides which thread may write when.
unsafe impl Send for Memory {}

impl Arrays {
    /// Makes the arrays for `len` rows, or takes `out` for the records after checking it.
    pub(crate) fn new(
        dtype: &Bound<'_, PyAny>,
        plan: &Plan,
        len: usize,
        keys: &Bound<'_, PyAny>,
        out: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = dtype.py();
        let numpy = numpy(py)?;
        let dtypes = dtypes(numpy)?;
        let records = match out.filter(|out| !out.is_none()) {
            Some(out) => {
                out::check(numpy, out, dtype, len, keys)?;
                out.clone()
            }
            None => {
                // Every field of every row is written before Python sees the array, as are `meta` and `result_codes`.
                // Only bytes between fields would keep what was in the memory before.
                let is_dense = plan.schema().is_dense();
                let size = len.checked_mul(plan.schema().itemsize());
                let large = size.map(|size| kept::array(dtype, size, !is_dense)).transpose()?.flatten();
                let name = if is_dense { intern!(py, "empty") } else { intern!(py, "zeros") };
                large.map_or_else(|| numpy.call_method1(name, (len, dtype)), Ok)?
            }
        };
        let meta = numpy.call_method1(intern!(py, "empty"), (len, dtypes.meta.bind(py)))?;
        let result_codes = numpy.call_method1(intern!(py, "empty"), (len, dtypes.code.bind(py)))?;
        let itemsize = plan.schema().itemsize();
        let (data, stride) = rows_of(&records, len, itemsize)?;
        let (meta_data, meta_stride) = rows_of(&meta, len, 8)?;
        let (codes_data, codes_stride) = rows_of(&result_codes, len, 4)?;
        if (meta_stride, codes_stride) != (8, 4) {
            return Err(PyValueError::new_err("NumPy made arrays with unexpected strides"));
        }
        Ok(Self {
            records: records.unbind(),
            meta: meta.unbind(),
            result_codes: result_codes.unbind(),
            memory: Memory { data, stride, meta: meta_data, result_codes: codes_data, len },
        })
    }

    /// The addresses, as the row buffer takes them.
    pub(crate) fn memory(&self) -> RowMemory {
        let Memory { data, stride, meta, result_codes, len } = self.memory;
        RowMemory { data, stride, meta, result_codes, len }
    }
}

/// Rows of a user's array, read while a call runs.
pub(crate) struct ArrayRows {
    data: *const u8,
    stride: isize,
    itemsize: usize,
    len: usize,
    /// Keeps the memory valid.
    _array: Py<PyAny>,
}

// SAFETY: `data` points into memory that `_array` keeps, and is read only by copying bytes, never as a reference. If
// other threads write there meanwhile, the bytes that they change are garbled, and nothing else is.
unsafe impl Send for ArrayRows {}
// SAFETY: as above; reading changes no state.
unsafe impl Sync for ArrayRows {}

impl ArrayRows {
    /// The rows of a one-dimensional array with any stride.
    pub(crate) fn new(array: &Bound<'_, PyAny>, itemsize: usize, rows: usize) -> PyResult<Self> {
        numpy(array.py())?;
        let object = array.clone().unbind();
        let array = array.cast::<PyUntypedArray>()?;
        if array.ndim() != 1 || array.dtype().itemsize() != itemsize {
            return Err(PyValueError::new_err(
                "data does not have one dimension or the itemsize of its dtype",
            ));
        }
        if array.len() != rows {
            return Err(PyValueError::new_err(format!(
                "there are {rows} keys for the {} rows of data; each row needs one",
                array.len()
            )));
        }
        let stride = array.strides().first().copied().unwrap_or(0);
        // SAFETY: the pointer is that of a live array object, whose `data` stays initialised while it lives.
        let data = unsafe { (*array.as_array_ptr()).fields.data };
        Ok(Self { data: data.cast_const().cast(), stride, itemsize, len: rows, _array: object })
    }

    /// Calls `use_row` with a copy of a row's bytes.
    ///
    /// # Panics
    /// If there is no such row.
    pub(crate) fn with_row<T>(&self, row: usize, use_row: impl FnOnce(&[u8]) -> T) -> T {
        thread_local! {
            static COPY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        assert!(row < self.len, "row {row} of an array of {}", self.len);
        COPY.with_borrow_mut(|copy| {
            if copy.len() < self.itemsize {
                copy.resize(self.itemsize, 0);
            }
            // SAFETY: `row` is below the array's length, so this row's bytes, `itemsize` of them, are memory of the
            // array, which `_array` keeps; the copy has that much room and is no part of the array.
            unsafe {
                let start = self.data.offset(row as isize * self.stride);
                std::ptr::copy_nonoverlapping(start, copy.as_mut_ptr(), self.itemsize);
            }
            use_row(&copy[..self.itemsize])
        })
    }
}

/// Result codes, and whether rows are in doubt, as arrays.
pub(crate) fn result_arrays(
    py: Python<'_>,
    codes: Vec<i32>,
    in_doubt: Vec<bool>,
) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    numpy(py)?;
    let codes = PyArray1::from_vec(py, codes).into_any().unbind();
    Ok((codes, PyArray1::from_vec(py, in_doubt).into_any().unbind()))
}

/// The dtypes of `meta`, `result_codes` and `digests`.
pub(super) struct Dtypes {
    pub(super) meta: Py<PyAny>,
    pub(super) code: Py<PyAny>,
    pub(super) digest: Py<PyAny>,
}

pub(super) fn dtypes<'py>(numpy: &Bound<'py, PyModule>) -> PyResult<&'py Dtypes> {
    static DTYPES: Once<Dtypes> = Once::new();
    DTYPES.get_or_try_init(numpy.py(), || {
        let meta = numpy.call_method1("dtype", (vec![("gen", "u4"), ("ttl", "u4")],))?.unbind();
        let dtype = |name: &str| Ok::<_, PyErr>(numpy.call_method1("dtype", (name,))?.unbind());
        Ok(Dtypes { meta, code: dtype("i4")?, digest: dtype("V20")? })
    })
}

/// The address of an array's first row and the distance between rows, checked against what will be written.
pub(super) fn rows_of(array: &Bound<'_, PyAny>, len: usize, itemsize: usize) -> PyResult<(*mut u8, usize)> {
    let array = array.cast::<PyUntypedArray>()?;
    let wrong = |what: &str| PyValueError::new_err(format!("a result array {what}"));
    if array.shape() != [len] || array.dtype().itemsize() != itemsize {
        return Err(wrong("does not have the shape or itemsize that it was made with"));
    }
    // With fewer than two rows the stride means nothing.
    let stride = match array.strides() {
        [stride] if len > 1 => usize::try_from(*stride).ok().filter(|&stride| stride >= itemsize),
        _ => Some(itemsize),
    };
    let stride = stride.ok_or_else(|| wrong("has rows that overlap or run backwards"))?;
    // SAFETY: the pointer is that of a live array object, whose `data` stays initialised while it lives.
    let data = unsafe { (*array.as_array_ptr()).fields.data };
    Ok((data.cast(), stride))
}

/// Presence bits as an array, one row of bytes per record.
pub(crate) fn presence_array(py: Python<'_>, bits: Vec<u8>, rows: usize) -> PyResult<Py<PyAny>> {
    let width = bits.len().checked_div(rows).unwrap_or(1);
    let array = PyArray1::from_vec(py, bits);
    Ok(array.reshape([rows, width])?.into_any().unbind())
}
