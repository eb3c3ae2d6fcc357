//! Metrics as tuples of numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use aero_io::{CANCELLED, Cluster, CommandMetrics};
use arrow_columns::TableReport;
use pyo3::prelude::*;
use pyo3::types::PyList;
use record_decode::Summary;

/// Values of this process that changed to fit their fields, and values that did not fit.
static INEXACT: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

/// Counts what changed or did not fit in the rows of an array.
pub(super) fn count_values(summary: &Summary) {
    count(summary.inexact.iter().map(|(_, count)| *count).sum(), summary.failure_count);
}

/// Counts what changed or did not fit in the rows of a table.
pub(super) fn count_table_values(report: &TableReport) {
    count(report.inexact.values().sum(), report.failure_count);
}

fn count(changed: u64, failed: u64) {
    for (counter, count) in [(&INEXACT, changed), (&FAILED, failed)] {
        if count > 0 {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// The numbers of inexact values and of decode errors in this process so far.
#[pyfunction]
pub(crate) fn decoded_values() -> (u64, u64) {
    (INEXACT.load(Ordering::Relaxed), FAILED.load(Ordering::Relaxed))
}

/// Whether metrics are on; those of calls; those of requests by node.
pub(crate) fn to_python(py: Python<'_>, cluster: &Cluster) -> PyResult<Py<PyAny>> {
    let nodes = cluster.node_metrics();
    let nodes = nodes.iter().map(|(node, all)| {
        let (address, port) = (node.address.ip().to_string(), node.address.port());
        Ok((&*node.name, address, port, of_commands(py, all)?))
    });
    let nodes = nodes.collect::<PyResult<Vec<_>>>()?;
    let calls = of_commands(py, &cluster.metrics())?;
    Ok((cluster.has_metrics(), calls, nodes).into_pyobject(py)?.into_any().unbind())
}

/// (command, namespace, code, calls, records, missing, failed, bytes sent, bytes received, seconds, [(upper end in seconds, calls)]); the
/// code is None for calls that were cancelled.
fn of_commands<'py>(py: Python<'py>, all: &[CommandMetrics]) -> PyResult<Bound<'py, PyList>> {
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let rows = all.iter().map(|each| {
        let counts = &each.counts;
        let code = Some(each.code).filter(|&code| code != CANCELLED);
        let buckets: Vec<_> = each.buckets.iter().map(|&(end, calls)| (seconds(end), calls)).collect();
        (
            each.command,
            &*each.namespace,
            code,
            counts.calls,
            counts.records,
            counts.missing,
            counts.failed,
            counts.bytes_sent,
            counts.bytes_received,
            seconds(counts.nanoseconds),
            buckets,
        )
    });
    PyList::new(py, rows.collect::<Vec<_>>())
}
