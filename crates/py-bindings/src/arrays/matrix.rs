//! The arrays of a matrix of features, and where the rows of each of its groups are.

use dtype_schema::Element;
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use record_decode::RowMemory;

use super::{memory, numpy, out};
use crate::python::errors::schema_error;
use crate::python::once::intern;

/// The element of a dtype of numbers.
pub(crate) fn number_element(dtype: &Bound<'_, PyAny>) -> PyResult<Element> {
    let py = dtype.py();
    let kind: char = dtype.getattr(intern!(py, "kind"))?.extract()?;
    let order: char = dtype.getattr(intern!(py, "byteorder"))?.extract()?;
    let itemsize = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
    if !matches!(kind, 'i' | 'u' | 'f' | 'b') {
        return Err(PyTypeError::new_err(format!(
            "dtype is {dtype}; a matrix has integers, floats or bools"
        )));
    }
    Element::from_numpy("matrix", kind, itemsize, order).map_err(|error| schema_error(&error))
}

/// The arrays of a result.
pub(crate) struct MatrixArrays {
    /// Shape (rows, columns).
    pub(crate) matrix: Py<PyAny>,
    /// Shape (groups, rows).
    pub(crate) result_codes: Py<PyAny>,
    /// Keeps the memory that generations and times to live are written to.
    _meta: Py<PyAny>,
    memory: Memory,
}

#[derive(Clone, Copy)]
struct Memory {
    data: *mut u8,
    itemsize: usize,
    meta: *mut u8,
    result_codes: *mut u8,
    rows: usize,
    columns: usize,
}

// SAFETY: these are addresses only. The `RowBuffer`s that write through them decide which thread may write when.
unsafe impl Send for Memory {}

impl MatrixArrays {
    /// Makes the arrays, or takes `out` for the matrix after checking it. `keys` are those of the groups.
    pub(crate) fn new(
        dtype: &Bound<'_, PyAny>,
        (rows, columns, groups): (usize, usize, usize),
        keys: &[Bound<'_, PyAny>],
        out: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = dtype.py();
        let numpy = numpy(py)?;
        let dtypes = memory::dtypes(numpy)?;
        let matrix = match out.filter(|out| !out.is_none()) {
            Some(out) => {
                out::check_matrix(numpy, out, dtype, (rows, columns), keys)?;
                out.clone()
            }
            // Each cell is written before Python sees the array, as are the other two.
            None => empty(numpy, (rows, columns), dtype)?,
        };
        let meta = empty(numpy, (groups, rows), dtypes.meta.bind(py))?;
        let result_codes = empty(numpy, (groups, rows), dtypes.code.bind(py))?;
        let itemsize = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
        let memory = Memory {
            data: address(&matrix, [rows, columns], itemsize)?,
            itemsize,
            meta: address(&meta, [groups, rows], 8)?,
            result_codes: address(&result_codes, [groups, rows], 4)?,
            rows,
            columns,
        };
        Ok(Self {
            matrix: matrix.unbind(),
            result_codes: result_codes.unbind(),
            _meta: meta.unbind(),
            memory,
        })
    }

    /// Where the rows of a group are: the columns from `first_column` on, in rows as long as those of the matrix.
    pub(crate) fn group(&self, group: usize, first_column: usize) -> RowMemory {
        let Memory { data, itemsize, meta, result_codes, rows, columns } = self.memory;
        // A matrix without rows has no memory, so the addresses may be outside of it, and are never used.
        RowMemory {
            data: data.wrapping_add(first_column * itemsize),
            stride: columns * itemsize,
            meta: meta.wrapping_add(group * rows * 8),
            result_codes: result_codes.wrapping_add(group * rows * 4),
            len: rows,
        }
    }
}

fn empty<'py>(
    numpy: &Bound<'py, PyModule>,
    shape: (usize, usize),
    dtype: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    numpy.call_method1(intern!(numpy.py(), "empty"), (shape, dtype))
}

/// The address of an array's first element, checked against what will be written.
fn address(array: &Bound<'_, PyAny>, shape: [usize; 2], itemsize: usize) -> PyResult<*mut u8> {
    let array = array.cast::<PyUntypedArray>()?;
    if array.shape() != shape || array.dtype().itemsize() != itemsize || !array.is_c_contiguous() {
        return Err(PyValueError::new_err(
            "a result array does not have the shape or itemsize that it was made with",
        ));
    }
    // SAFETY: the pointer is that of a live array object, whose `data` stays initialised while it lives.
    let data = unsafe { (*array.as_array_ptr()).fields.data };
    Ok(data.cast())
}
