//! The answer of a command on one record, as Python objects.

use aero_io::{Answer, Digest};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::keys::KeyArena;
use crate::results::{clock, records};
use crate::values::{BinNames, bin_and_value, bins_dict};

pub(crate) fn meta<'py>(py: Python<'py>, answer: &Answer) -> PyResult<Bound<'py, PyAny>> {
    let ttl = clock::seconds_left(answer.void_time, clock::now());
    Ok(records::meta(py, answer.generation, ttl)?.into_any())
}

/// The record with its bins as a dict. Its key has the primary key if `keeps_key`.
pub(crate) fn record<'py>(
    py: Python<'py>,
    arena: &KeyArena,
    digest: &Digest,
    answer: &Answer,
    keeps_key: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let meta = meta(py, answer)?;
    let bins = bins_dict(py, &mut BinNames::default(), answer.ops())
        .or_else(|unreadable| Err(unreadable.raise(py, &records::only_key(py, arena, digest)?)))?;
    let key = match keeps_key {
        true => records::only_key(py, arena, digest)?,
        false => records::digest_key(py, arena, digest)?,
    };
    records::record(py, &key, &meta, bins.as_any())
}

/// The record with the results of its operations as a list of (bin, value), in the server's order.
pub(crate) fn ordered_record<'py>(
    py: Python<'py>,
    arena: &KeyArena,
    digest: &Digest,
    answer: &Answer,
) -> PyResult<Bound<'py, PyAny>> {
    let key = records::only_key(py, arena, digest)?;
    let meta = meta(py, answer)?;
    let (results, mut names) = (PyList::empty(py), BinNames::default());
    for (position, op) in answer.ops().enumerate() {
        let result = bin_and_value(py, &mut names, position, &op);
        results.append(result.map_err(|unreadable| unreadable.raise(py, &key))?)?;
    }
    records::ordered(py, &key, &meta, results.as_any())
}
