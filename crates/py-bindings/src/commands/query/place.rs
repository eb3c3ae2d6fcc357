//! The position of a query.

use std::sync::Arc;

use aero_io::QueryPartitions;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict};

use crate::python::errors::param_error;

/// The position of a query in each of its partitions.
#[pyclass(frozen, module = "aerospike_py._native")]
#[derive(Clone)]
pub(crate) struct QueryPlace {
    pub(super) partitions: Arc<QueryPartitions>,
    /// The partition filter that the query began with.
    pub(super) filter: Option<Arc<QueryPartitions>>,
}

impl QueryPlace {
    /// Where a query begins: as its filter says, or at the start of all partitions.
    pub(super) fn begin(filter: Option<QueryPartitions>) -> Self {
        let filter = filter.map(Arc::new);
        Self { partitions: filter.clone().unwrap_or_default(), filter }
    }

    /// The position of the next run. A query that paginates continues; if the policy has a partition filter too, it
    /// must name the same partitions. Otherwise a run with the filter of the run before continues, as with the official
    /// client, and any other run begins anew.
    pub(super) fn resume(
        &self,
        py: Python<'_>,
        filter: Option<QueryPartitions>,
        paginates: bool,
    ) -> PyResult<Self> {
        let first_and_count = |partitions: &QueryPartitions| {
            (partitions.iter().next().map(|(first, _)| first), partitions.iter().count())
        };
        match filter {
            Some(filter) if paginates && first_and_count(&filter) != first_and_count(&self.partitions) => {
                let message = "policy \"partition_filter\" names other partitions than those that this query is reading \
                               page by page; make another query for them";
                Err(param_error(py, message.into()))
            }
            Some(filter) if !paginates && self.filter.as_deref() != Some(&filter) => {
                Ok(Self::begin(Some(filter)))
            }
            None if !paginates => Ok(Self::begin(None)),
            _ => Ok(self.clone()),
        }
    }
}

#[pymethods]
impl QueryPlace {
    /// Whether all records of all partitions have been read.
    fn is_done(&self) -> bool {
        self.partitions.is_done()
    }

    /// The status as the official client's dict, which that client accepts too: partition to (partition, whether a
    /// record was read, whether to ask for it again, the last record's digest and index value), and two entries about the
    /// whole.
    fn status(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let status = PyDict::new(py);
        status.set_item("done", self.partitions.is_done())?;
        // True would mean: ask for all partitions again, whatever their own entries say.
        status.set_item("retry", false)?;
        for (partition, progress) in self.partitions.iter() {
            let digest = progress.after.map_or([0; 20], |after| after.digest);
            // Without a sign, as the official client has it.
            let index_value = progress.after.map_or(0, |after| after.index_value) as u64;
            let digest = PyByteArray::new(py, &digest);
            let entry = (partition, progress.after.is_some(), !progress.is_done, digest, index_value);
            status.set_item(partition, entry)?;
        }
        Ok(status.into_any().unbind())
    }
}
