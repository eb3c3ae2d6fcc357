//! A cluster's statistics as named tuples.

use aero_io::{ClusterStats, NodeStats};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::python::package::from_package;

pub(crate) fn to_python(py: Python<'_>, stats: &ClusterStats) -> PyResult<Py<PyAny>> {
    let connections = from_package!(py, "ConnectionStats")?;
    let class = from_package!(py, "NodeStats")?;
    let node = |node: &NodeStats| {
        let conns = connections.call1((
            node.connections_in_use,
            node.connections_idle,
            node.connections_opened,
            node.connections_closed,
            node.waiting,
        ))?;
        // A call takes at most twelve arguments by position.
        let counts = PyDict::new(py);
        counts.set_item("suspect_count", node.suspected)?;
        counts.set_item("circuit_open_count", node.circuit_opened)?;
        let state = (
            &node.name,
            node.address.ip().to_string(),
            node.address.port(),
            conns,
            node.errors,
            node.timeouts,
            node.key_busy,
            node.hedged,
            node.suspect,
            node.error_rate,
            node.circuit_open,
            node.usual_time.map(|time| time.as_secs_f64()),
        );
        class.call(state, Some(&counts))
    };
    let nodes = stats.nodes.iter().map(node).collect::<PyResult<Vec<_>>>()?;
    let all =
        from_package!(py, "ClusterStats")?.call1((PyList::new(py, nodes)?, stats.retries, stats.hedges))?;
    Ok(all.unbind())
}
