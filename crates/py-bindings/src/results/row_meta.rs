//! What is known about the rows of a result in Arrow columns, besides their columns.

use aero_io::Digest;
use arrow_columns::{RecordMeta, RowValues};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Generation, time to live, result code and digest of each row, copied into Python objects when they are asked for.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct RowMeta {
    meta: RecordMeta,
    codes: RowValues<i32>,
    digests: RowValues<Digest>,
}

impl RowMeta {
    /// `codes` or `digests` is empty if the result has none.
    pub(crate) fn new(meta: RecordMeta, codes: RowValues<i32>, digests: RowValues<Digest>) -> Self {
        Self { meta, codes, digests }
    }
}

#[pymethods]
impl RowMeta {
    /// Generations and times to live, as bytes of an array of pairs of `u4`.
    fn meta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.meta.len() * 8, |bytes| {
            let pairs = self.meta.generations.iter().zip(self.meta.ttls.iter());
            for (place, (generation, ttl)) in bytes.chunks_exact_mut(8).zip(pairs) {
                let (first, second) = place.split_at_mut(4);
                first.copy_from_slice(&generation.to_ne_bytes());
                second.copy_from_slice(&ttl.to_ne_bytes());
            }
            Ok(())
        })
    }

    /// Result codes as bytes of an array of `i4`.
    fn result_codes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.codes.len() * 4, |bytes| {
            for (place, code) in bytes.chunks_exact_mut(4).zip(self.codes.iter()) {
                place.copy_from_slice(&code.to_ne_bytes());
            }
            Ok(())
        })
    }

    /// Digests, without gaps.
    fn digests<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.digests.len() * size_of::<Digest>(), |bytes| {
            for (place, digest) in bytes.chunks_exact_mut(size_of::<Digest>()).zip(self.digests.iter()) {
                place.copy_from_slice(&digest);
            }
            Ok(())
        })
    }
}
