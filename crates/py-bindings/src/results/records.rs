//! Records as Python objects: the named tuples and classes of the package.

use aero_io::Digest;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::keys::KeyArena;
use crate::python::once::{Once, intern};
use crate::python::package::from_package;
use crate::python::tuples::TupleClass;

struct RecordClasses {
    key: TupleClass,
    record: TupleClass,
    ordered: TupleClass,
    header: TupleClass,
    exists: TupleClass,
    batch_record: Py<PyAny>,
    batch_records: Py<PyAny>,
    /// `object.__new__`. Calling the class itself would run Python code for each object and cost several times as much.
    new_object: Py<PyAny>,
}

fn classes(py: Python<'_>) -> PyResult<&'static RecordClasses> {
    static CLASSES: Once<RecordClasses> = Once::new();
    CLASSES.get_or_try_init(py, || {
        Ok(RecordClasses {
            key: TupleClass::new(&from_package!(py, "Key")?)?,
            record: TupleClass::new(&from_package!(py, "Record")?)?,
            ordered: TupleClass::new(&from_package!(py, "OrderedRecord")?)?,
            header: TupleClass::new(&from_package!(py, "RecordHeader")?)?,
            exists: TupleClass::new(&from_package!(py, "Exists")?)?,
            batch_record: from_package!(py, "BatchRecord")?.unbind(),
            batch_records: from_package!(py, "BatchRecords")?.unbind(),
            new_object: py.get_type::<PyAny>().getattr("__new__")?.unbind(),
        })
    })
}

/// Namespaces and sets of a batch's rows as Python strings, each made once.
pub(crate) struct SpaceNames<'py>(Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>);

impl<'py> SpaceNames<'py> {
    pub(crate) fn new(py: Python<'py>, arena: &KeyArena) -> Self {
        let names = |(namespace, set): &(String, String)| {
            let set =
                if set.is_empty() { py.None().into_bound(py) } else { PyString::new(py, set).into_any() };
            (PyString::new(py, namespace).into_any(), set)
        };
        Self(arena.spaces().iter().map(names).collect())
    }
}

/// The `Key` of a row.
pub(crate) fn key<'py>(
    py: Python<'py>,
    names: &SpaceNames<'py>,
    arena: &KeyArena,
    row: usize,
    digest: &Digest,
) -> PyResult<Bound<'py, PyAny>> {
    let (namespace, set) = &names.0[arena.space_index(row)];
    let primary_key = match arena.user_key(row) {
        Some(_) => arena.primary_key(py, row)?,
        None => py.None().into_bound(py),
    };
    let items = [namespace.clone(), set.clone(), primary_key, PyBytes::new(py, digest).into_any()];
    classes(py)?.key.make(py, items)
}

/// A `Key` of namespace, set, primary key and digest.
pub(crate) fn key_of<'py>(py: Python<'py>, parts: [Bound<'py, PyAny>; 4]) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?.key.make(py, parts)
}

/// The `Key` of a command on one record.
pub(crate) fn only_key<'py>(
    py: Python<'py>,
    arena: &KeyArena,
    digest: &Digest,
) -> PyResult<Bound<'py, PyAny>> {
    key(py, &SpaceNames::new(py, arena), arena, 0, digest)
}

/// [`only_key`] without its primary key.
pub(crate) fn digest_key<'py>(
    py: Python<'py>,
    arena: &KeyArena,
    digest: &Digest,
) -> PyResult<Bound<'py, PyAny>> {
    let names = SpaceNames::new(py, arena);
    let (namespace, set) = &names.0[arena.space_index(0)];
    let none = py.None().into_bound(py);
    key_of(py, [namespace.clone(), set.clone(), none, PyBytes::new(py, digest).into_any()])
}

/// A record's `meta` dict.
pub(crate) fn meta(py: Python<'_>, generation: u32, ttl: u32) -> PyResult<Bound<'_, PyDict>> {
    let meta = PyDict::new(py);
    meta.set_item(intern!(py, "ttl"), ttl)?;
    meta.set_item(intern!(py, "gen"), generation)?;
    Ok(meta)
}

pub(crate) fn record<'py>(
    py: Python<'py>,
    key: &Bound<'py, PyAny>,
    meta: &Bound<'py, PyAny>,
    bins: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?.record.make(py, [key.clone(), meta.clone(), bins.clone()])
}

/// An `OrderedRecord`, whose bins are a list of the results of operations.
pub(crate) fn ordered<'py>(
    py: Python<'py>,
    key: &Bound<'py, PyAny>,
    meta: &Bound<'py, PyAny>,
    bins: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?.ordered.make(py, [key.clone(), meta.clone(), bins.clone()])
}

/// The result of `exists`.
pub(crate) fn exists<'py>(
    py: Python<'py>,
    key: &Bound<'py, PyAny>,
    meta: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?.exists.make(py, [key.clone(), meta.clone()])
}

/// The result of a batch's row.
pub(crate) struct Row<'py> {
    pub(crate) key: Bound<'py, PyAny>,
    pub(crate) code: i32,
    /// The record, or None.
    pub(crate) record: Bound<'py, PyAny>,
    pub(crate) in_doubt: bool,
    /// Why a record that was read could not be converted.
    pub(crate) error: Option<PyErr>,
}

impl<'py> Row<'py> {
    /// The row with a `RecordHeader`, which is (key, meta), as its record.
    pub(crate) fn without_bins(self, py: Python<'py>) -> PyResult<Self> {
        if self.record.is_none() {
            return Ok(self);
        }
        let items = [self.key.clone(), self.record.get_item(1)?];
        let record = classes(py)?.header.make(py, items)?;
        Ok(Self { record, ..self })
    }
}

/// A row of a batch as a `BatchRecord`.
pub(crate) fn batch_record<'py>(py: Python<'py>, row: Row<'py>) -> PyResult<Bound<'py, PyAny>> {
    let classes = classes(py)?;
    let made = classes.new_object.bind(py).call1((&classes.batch_record,))?;
    made.setattr(intern!(py, "key"), &row.key)?;
    fill(&made, row.record, row.code, row.in_doubt, row.error)?;
    Ok(made)
}

/// Fills the result of a row into its object.
pub(crate) fn fill(
    target: &Bound<'_, PyAny>,
    record: Bound<'_, PyAny>,
    code: i32,
    in_doubt: bool,
    error: Option<PyErr>,
) -> PyResult<()> {
    let py = target.py();
    target.setattr(intern!(py, "result"), code)?;
    target.setattr(intern!(py, "record"), record)?;
    target.setattr(intern!(py, "in_doubt"), in_doubt)?;
    target.setattr(intern!(py, "error"), error)
}

/// What a row without an error is called in the `repr` of a batch.
pub(crate) enum Success {
    /// Its record was found.
    Found,
    /// Its operations were done.
    Done,
}

/// The rows of a batch as a `BatchRecords`.
pub(crate) fn batch_records(
    py: Python<'_>,
    rows: Bound<'_, PyList>,
    result: i32,
    success: Success,
) -> PyResult<Py<PyAny>> {
    let success = match success {
        Success::Found => intern!(py, "found"),
        Success::Done => intern!(py, "done"),
    };
    Ok(classes(py)?.batch_records.bind(py).call1((rows, result, success))?.unbind())
}
