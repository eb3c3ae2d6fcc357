//! The NumPy pointer hand-over: arrays made or checked, and where their memory is.

use std::cell::RefCell;

use numpy::{PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyImportError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use record_decode::{Plan, RowMemory};

use crate::python::once::{Once, intern};

/// NumPy, or how to get it. The `numpy` crate is touched only after this succeeded: it panics without.
pub(crate) fn numpy(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static NUMPY: Once<Py<PyModule>> = Once::new();
    let numpy = NUMPY.get_or_try_init(py, || {
        py.import("numpy").map(Bound::unbind).map_err(|error| {
            let import = PyImportError::new_err(
                "_dtype needs NumPy 2.0 or newer: pip install 'numpy>=2.0', or this package with its extra [numpy]",
            );
            import.set_cause(py, Some(error));
            import
        })
    })?;
    Ok(numpy.bind(py))
}

/// Finds NumPy's C API, if NumPy has been imported, before threads and forks come: the `numpy` crate keeps it in
/// the kind of cell that `once` warns of. NumPy imports `numpy.ma` when it is first looked at, and an import that is
/// under way at a fork never ends in the child.
pub(crate) fn warm_up(py: Python<'_>) -> PyResult<()> {
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    if modules.contains(intern!(py, "numpy"))? {
        let rows = presence(py, vec![0; 2], 2)?.into_bound(py).call_method0(intern!(py, "ravel"))?;
        rows_of(&rows, 2, 1)?;
        py.import(intern!(py, "numpy.ma"))?;
    }
    Ok(())
}

/// Anything that NumPy takes for a dtype, as a dtype.
pub(crate) fn as_dtype<'py>(dtype: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let class = numpy(dtype.py())?.getattr(intern!(dtype.py(), "dtype"))?;
    if dtype.is_instance(&class)? { Ok(dtype.clone()) } else { class.call1((dtype,)) }
}

/// The arrays of a batch.
pub(crate) struct Arrays {
    pub(crate) records: Py<PyAny>,
    pub(crate) meta: Py<PyAny>,
    pub(crate) result_codes: Py<PyAny>,
    memory: Memory,
}

/// Where the arrays' memory is.
#[derive(Clone, Copy)]
struct Memory {
    data: *mut u8,
    stride: usize,
    meta: *mut u8,
    result_codes: *mut u8,
    len: usize,
}

// SAFETY: plain addresses; who writes through them is `RowBuffer`'s business, which is Send itself.
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
                check_out(numpy, out, dtype, len, keys)?;
                out.clone()
            }
            // Every field of every row is written before anybody sees the array, as are its meta and its code; bytes
            // between fields are not.
            None if plan.schema().is_dense() => numpy.call_method1(intern!(py, "empty"), (len, dtype))?,
            None => numpy.call_method1(intern!(py, "zeros"), (len, dtype))?,
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

    /// Where the rows are.
    pub(crate) fn memory(&self) -> RowMemory {
        let Memory { data, stride, meta, result_codes, len } = self.memory;
        RowMemory { data, stride, meta, result_codes, len }
    }
}

/// Rows of a user's array, to be read while a call is under way.
pub(crate) struct ArrayRows {
    data: *const u8,
    stride: isize,
    itemsize: usize,
    len: usize,
    /// Keeps the memory: an array that others hold is not resized.
    _array: Py<PyAny>,
}

// SAFETY: a plain address into memory that `_array` keeps, which is read through it alone, and never as a
// reference: what other threads write there meanwhile garbles the bytes that they change, and nothing else.
unsafe impl Send for ArrayRows {}
// SAFETY: as above; reading takes no state.
unsafe impl Sync for ArrayRows {}

impl ArrayRows {
    /// The rows of a one-dimensional array, of any stride.
    pub(crate) fn new(array: &Bound<'_, PyAny>, itemsize: usize, rows: usize) -> PyResult<Self> {
        numpy(array.py())?;
        let object = array.clone().unbind();
        let array = array.cast::<PyUntypedArray>()?;
        if array.ndim() != 1 || array.dtype().itemsize() != itemsize {
            return Err(PyValueError::new_err("data has another shape or itemsize than its dtype"));
        }
        if array.len() != rows {
            return Err(PyValueError::new_err(format!(
                "there are {rows} keys for the {} rows of data; each row needs one",
                array.len()
            )));
        }
        let stride = array.strides().first().copied().unwrap_or(0);
        // SAFETY: the pointer is of a live array object, whose `data` is initialised for as long as it lives.
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
pub(crate) fn outcome(
    py: Python<'_>,
    codes: Vec<i32>,
    in_doubt: Vec<bool>,
) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    numpy(py)?;
    let codes = PyArray1::from_vec(py, codes).into_any().unbind();
    Ok((codes, PyArray1::from_vec(py, in_doubt).into_any().unbind()))
}

/// The dtypes of the arrays beside the records.
struct Dtypes {
    meta: Py<PyAny>,
    code: Py<PyAny>,
}

fn dtypes<'py>(numpy: &Bound<'py, PyModule>) -> PyResult<&'py Dtypes> {
    static DTYPES: Once<Dtypes> = Once::new();
    DTYPES.get_or_try_init(numpy.py(), || {
        let meta = numpy.call_method1("dtype", (vec![("gen", "u4"), ("ttl", "u4")],))?.unbind();
        Ok(Dtypes { meta, code: numpy.call_method1("dtype", ("i4",))?.unbind() })
    })
}

/// The address of an array's first row and the distance of its rows, checked against what will be
/// written.
fn rows_of(array: &Bound<'_, PyAny>, len: usize, itemsize: usize) -> PyResult<(*mut u8, usize)> {
    let array = array.cast::<PyUntypedArray>()?;
    let wrong = |what: &str| PyValueError::new_err(format!("an array for the result {what}"));
    if array.shape() != [len] || array.dtype().itemsize() != itemsize {
        return Err(wrong("has another shape or itemsize than it was made with"));
    }
    // One row, or none, has no distance to speak of.
    let stride = match array.strides() {
        [stride] if len > 1 => usize::try_from(*stride).ok().filter(|&stride| stride >= itemsize),
        _ => Some(itemsize),
    };
    let stride = stride.ok_or_else(|| wrong("has rows that overlap or run backwards"))?;
    // SAFETY: the pointer is of a live array object, whose `data` is initialised for as long as it lives.
    let data = unsafe { (*array.as_array_ptr()).fields.data };
    Ok((data.cast(), stride))
}

/// Refuses an `out` that cannot be filled with `len` rows of `dtype`.
fn check_out(
    numpy: &Bound<'_, PyModule>,
    out: &Bound<'_, PyAny>,
    dtype: &Bound<'_, PyAny>,
    len: usize,
    keys: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = out.py();
    let class = out.get_type();
    if !class.is(&numpy.getattr(intern!(py, "ndarray"))?)
        && !class.is(&numpy.getattr(intern!(py, "recarray"))?)
    {
        return Err(PyTypeError::new_err(format!(
            "out is a {}; it must be a plain numpy.ndarray (or recarray): pass numpy.asarray(out)",
            class.name()?
        )));
    }
    let array = out.cast::<PyUntypedArray>()?;
    let its = out.getattr(intern!(py, "dtype"))?;
    if !its.eq(dtype)? {
        return Err(PyTypeError::new_err(format!("out has the dtype {its}; it must have _dtype, {dtype}")));
    }
    if array.ndim() != 1 {
        return Err(PyValueError::new_err(format!("out has {} dimensions; it must have one", array.ndim())));
    }
    if array.len() != len {
        return Err(PyValueError::new_err(format!(
            "out has {} rows; it must have {len}, one for each key",
            array.len()
        )));
    }
    let flags = out.getattr(intern!(py, "flags"))?;
    if !flags.getattr(intern!(py, "writeable"))?.extract::<bool>()? {
        return Err(PyValueError::new_err("out is read-only; it must be writeable"));
    }
    if let [stride] = array.strides()
        && len > 1
        && usize::try_from(*stride).map_or(true, |stride| stride < array.dtype().itemsize())
    {
        return Err(PyValueError::new_err(format!(
            "out has rows {stride} bytes apart, of {} bytes each; they must not overlap or run backwards",
            array.dtype().itemsize()
        )));
    }
    if let Some(values) = keys.getattr_opt(intern!(py, "values"))?
        && values.is_instance(&numpy.getattr(intern!(py, "ndarray"))?)?
        && numpy.call_method1(intern!(py, "may_share_memory"), (out, values))?.extract::<bool>()?
    {
        return Err(PyValueError::new_err("out shares memory with the keys; give each its own"));
    }
    Ok(())
}

/// Presence bits as an array, one row of bytes a record.
pub(crate) fn presence(py: Python<'_>, bits: Vec<u8>, rows: usize) -> PyResult<Py<PyAny>> {
    let width = bits.len().checked_div(rows).unwrap_or(1);
    let array = PyArray1::from_vec(py, bits);
    Ok(array.reshape([rows, width])?.into_any().unbind())
}
