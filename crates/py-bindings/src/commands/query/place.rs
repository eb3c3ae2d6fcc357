//! Where a query stands.

use aero_io::QueryPartitions;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict};

use crate::python::errors::param_error;

/// Where a query stands in each of its partitions.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryPlace(pub(super) QueryPartitions);

impl QueryPlace {
    /// The partitions to go on in. If the policy has a partition filter too, it must name the same ones.
    pub(super) fn resume(
        &self,
        py: Python<'_>,
        filter: Option<QueryPartitions>,
    ) -> PyResult<QueryPartitions> {
        let first_and_count = |partitions: &QueryPartitions| {
            (partitions.iter().next().map(|(first, _)| first), partitions.iter().count())
        };
        if let Some(filter) = filter
            && first_and_count(&filter) != first_and_count(&self.0)
        {
            let message = "policy \"partition_filter\" names other partitions than those that this query is reading \
                           page by page; make another query for them";
            return Err(param_error(py, message.into()));
        }
        Ok(self.0.clone())
    }
}

#[pymethods]
impl QueryPlace {
    /// Whether all records of all partitions have been read.
    fn is_done(&self) -> bool {
        self.0.is_done()
    }

    /// The status as the official client's dict, which that client accepts too: partition to (partition, whether a
    /// record was read, whether to ask for it again, the last record's digest, 0), and two entries about the whole.
    fn status(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let status = PyDict::new(py);
        status.set_item("done", self.0.is_done())?;
        // True would mean: ask for all partitions again, whatever their own entries say.
        status.set_item("retry", false)?;
        for (partition, progress) in self.0.iter() {
            let digest = PyByteArray::new(py, &progress.after.unwrap_or_default());
            let entry = (partition, progress.after.is_some(), !progress.is_done, digest, 0);
            status.set_item(partition, entry)?;
        }
        Ok(status.into_any().unbind())
    }
}
