//! What a client knows about its cluster: nodes, connections, statistics.

use aero_io::Cluster;
use pyo3::prelude::*;

use crate::core::Core;
use crate::python::errors::client_error;
use crate::results::{metrics, stats};

#[pymethods]
impl Core {
    fn is_connected(&self, py: Python<'_>) -> PyResult<bool> {
        self.check_process(py)?;
        Ok(matches!(self.connected_cluster(py), Ok(Some(cluster)) if cluster.is_connected()))
    }

    fn get_node_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.require_cluster(py)?.node_names())
    }

    /// The state of nodes and connections, as a `ClusterStats`.
    fn stats(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        stats::to_python(py, &self.require_cluster(py)?.stats())
    }

    /// Whether metrics are on, what calls of the cluster took, and what requests to each node took.
    fn metrics(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        metrics::to_python(py, &self.require_cluster(py)?)
    }

    /// The hosts and the number of nodes, for the client's `repr`.
    fn describe(&self, py: Python<'_>) -> String {
        let hosts: Vec<String> = self.config.cluster.seeds.iter().map(ToString::to_string).collect();
        let hosts = hosts.join(", ");
        match self.connected_cluster(py) {
            Ok(Some(cluster)) => format!("of {hosts}: {} nodes", cluster.node_names().len()),
            Ok(None) | Err(_) => format!("of {hosts}: not connected"),
        }
    }
}

impl Core {
    /// The cluster for a method that sends nothing, and so does not connect.
    pub(super) fn require_cluster(&self, py: Python<'_>) -> PyResult<Cluster> {
        self.connected_cluster(py)?.ok_or_else(|| {
            let message = "the client is not connected yet; call connect(), or run a command, which connects";
            client_error(py, message.into())
        })
    }
}
