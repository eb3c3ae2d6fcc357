//! What a client knows about its cluster: nodes, connections, statistics.

use pyo3::prelude::*;

use crate::core::Core;
use crate::results::stats;

#[pymethods]
impl Core {
    fn is_connected(&self, py: Python<'_>) -> PyResult<bool> {
        self.check_process(py)?;
        Ok(self.cluster(py).is_ok_and(|cluster| cluster.is_connected()))
    }

    fn get_node_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.cluster(py)?.node_names())
    }

    /// The state of nodes and connections, as a `ClusterStats`.
    fn stats(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        stats::to_python(py, &self.cluster(py)?.stats())
    }

    /// The hosts and the number of nodes, for the client's `repr`.
    fn describe(&self, py: Python<'_>) -> String {
        let hosts: Vec<String> = self.config.cluster.seeds.iter().map(ToString::to_string).collect();
        let hosts = hosts.join(", ");
        match self.cluster(py) {
            Ok(cluster) => format!("of {hosts}: {} nodes", cluster.node_names().len()),
            Err(_) => format!("of {hosts}: not connected"),
        }
    }
}
