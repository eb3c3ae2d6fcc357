//! Bin values: Python objects to particles and back.

mod decode;
mod encode;

use pyo3::prelude::*;

use crate::once::Once;

pub(crate) use decode::{BinNames, Unreadable, bin_and_value, bins_dict};
pub(crate) use encode::{Bools, EncodedOps, bin_name, encode_bins, encode_value};

static GEOJSON: Once<Py<PyAny>> = Once::new();
static ORDERED: Once<Py<PyAny>> = Once::new();
static HLL: Once<Py<PyAny>> = Once::new();

/// A class of `aerospike_py.values`.
fn class<'py>(
    py: Python<'py>,
    cell: &'static Once<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let class = cell
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("aerospike_py.values")?.getattr(name)?.unbind()))?;
    Ok(class.bind(py))
}
