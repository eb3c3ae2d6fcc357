//! What identifies the records of a query's arrays, besides their digests.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use record_decode::RecordLabels;

use crate::keys::user_key_object;

/// The stored keys and the sets of a query's rows, as bytes until they are asked for.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryLabels {
    labels: RecordLabels,
    rows: usize,
}

impl QueryLabels {
    pub(crate) fn new(labels: RecordLabels, rows: usize) -> Self {
        Self { labels, rows }
    }
}

#[pymethods]
impl QueryLabels {
    /// The primary key of each row that has a stored one, else None.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::new(py, (0..self.rows).map(|_| py.None()))?;
        for (row, key) in self.labels.keys.iter() {
            list.set_item(row, user_key_object(py, key)?)?;
        }
        Ok(list)
    }

    /// The set of each row, None for a record without a set.
    fn sets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let name = |name: &[u8]| match name {
            [] => py.None().into_bound(py),
            name => PyString::new(py, &String::from_utf8_lossy(name)).into_any(),
        };
        let names: Vec<_> = self.labels.sets.iter().map(|set| name(set)).collect();
        let list = PyList::new(py, (0..self.rows).map(|_| py.None()))?;
        for &(row, at) in &self.labels.set_of {
            if let Some(name) = names.get(at as usize) {
                list.set_item(row, name)?;
            }
        }
        Ok(list)
    }
}
