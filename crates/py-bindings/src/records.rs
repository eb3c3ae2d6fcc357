//! Records as Python objects: the named tuples and classes of `aerospike_py.records`.

use crate::once::Once;
use crate::once::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use wire_protocol::digest::Digest;

use crate::keys::KeyArena;

/// The classes, looked up once.
struct Classes {
    key: Py<PyAny>,
    record: Py<PyAny>,
    exists: Py<PyAny>,
    batch_record: Py<PyAny>,
    batch_records: Py<PyAny>,
}

fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    static CLASSES: Once<Classes> = Once::new();
    CLASSES.get_or_try_init(py, || {
        let module = py.import("aerospike_py.records")?;
        let class = |name: &str| Ok::<_, PyErr>(module.getattr(name)?.unbind());
        Ok(Classes {
            key: class("Key")?,
            record: class("Record")?,
            exists: class("Exists")?,
            batch_record: class("BatchRecord")?,
            batch_records: class("BatchRecords")?,
        })
    })
}

/// The key of a row.
pub(crate) fn key<'py>(
    py: Python<'py>,
    arena: &KeyArena,
    row: usize,
    digest: &Digest,
) -> PyResult<Bound<'py, PyAny>> {
    let (namespace, set) = arena.space(row);
    let primary_key = match arena.user_key(row) {
        Some(_) => arena.primary_key(py, row)?,
        None => py.None().into_bound(py),
    };
    let set = if set.is_empty() { py.None().into_bound(py) } else { PyString::new(py, set).into_any() };
    classes(py)?.key.bind(py).call1((namespace, set, primary_key, PyBytes::new(py, digest)))
}

/// A record's facts.
pub(crate) fn meta(py: Python<'_>, generation: u32, ttl: u32) -> PyResult<Bound<'_, PyDict>> {
    let meta = PyDict::new(py);
    meta.set_item(intern!(py, "ttl"), ttl)?;
    meta.set_item(intern!(py, "gen"), generation)?;
    Ok(meta)
}

/// A record.
pub(crate) fn record<'py>(
    py: Python<'py>,
    key: &Bound<'py, PyAny>,
    meta: &Bound<'py, PyAny>,
    bins: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?.record.bind(py).call1((key, meta, bins))
}

/// The answer of `exists`.
pub(crate) fn exists<'py>(
    py: Python<'py>,
    key: &Bound<'py, PyAny>,
    meta: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?.exists.bind(py).call1((key, meta))
}

/// A row of a batch.
pub(crate) fn batch_record<'py>(
    py: Python<'py>,
    key: &Bound<'py, PyAny>,
    code: i32,
    record: &Bound<'py, PyAny>,
    error: Option<PyErr>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = classes(py)?.batch_record.bind(py);
    match error {
        None => class.call1((key, code, record)),
        Some(error) => class.call1((key, code, record, false, error)),
    }
}

/// The rows of a batch.
pub(crate) fn batch_records(py: Python<'_>, rows: Bound<'_, PyList>, result: i32) -> PyResult<Py<PyAny>> {
    Ok(classes(py)?.batch_records.bind(py).call1((rows, result))?.unbind())
}
