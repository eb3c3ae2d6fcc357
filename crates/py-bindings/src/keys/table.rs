//! The keys of a finished batch, for Python.

use std::collections::HashMap;
use std::sync::Arc;

use aero_io::Digest;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::{KeyArena, KeyKind};

/// The keys of a finished batch, for Python.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct KeyTable(pub(crate) Arc<KeyArena>);

#[pymethods]
impl KeyTable {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The primary keys in row order; the digest for a key that was given without a primary key.
    fn primary_keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let keys = (0..self.0.len()).map(|row| self.0.primary_key(py, row)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, keys)
    }

    fn primary_key<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        if row >= self.0.len() {
            return Err(PyIndexError::new_err(format!(
                "row {row} is out of range; there are {} rows",
                self.0.len()
            )));
        }
        self.0.primary_key(py, row)
    }

    /// The rows whose key was given without a primary key, by its digest.
    fn digest_rows(&self) -> Vec<usize> {
        if !self.0.has_digests {
            return Vec::new();
        }
        (0..self.0.len()).filter(|&row| self.0.user_key(row).is_none()).collect()
    }

    /// The digests of keys of text that is not UTF-8, by row. Python has them as bytes, so that only the digest tells
    /// them from a bytes key.
    fn text_digests(&self) -> HashMap<usize, Digest> {
        if !self.0.has_digests {
            return HashMap::new();
        }
        let is_text = |&row: &usize| {
            self.0.kinds.get(row) == KeyKind::Str && std::str::from_utf8(self.0.bytes_of(row)).is_err()
        };
        (0..self.0.len()).filter(is_text).map(|row| (row, self.0.digest(row))).collect()
    }

    /// The distinct (namespace, set) pairs.
    fn spaces(&self) -> Vec<(String, String)> {
        self.0.spaces.clone()
    }

    /// The position in `spaces` of each row; None if all rows are of the same one.
    fn space_of(&self) -> Option<Vec<u32>> {
        (!self.0.space_of.is_empty()).then(|| self.0.space_of.clone())
    }
}
