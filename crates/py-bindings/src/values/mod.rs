//! Bin values: Python objects to the bytes of a request (`encode`, `numpy`), and bytes of an answer to Python objects
//! (`decode`).

mod decode;
mod encode;
mod numpy;

use pyo3::prelude::*;

use crate::python::once::Once;
use crate::python::package::from_package;

pub(crate) use decode::{BinNames, Unreadable, bin_and_value, bins_dict};
pub(crate) use encode::{
    Bools, MAX_BIN_NAME, OpBytes, bin_name, bin_name_at, encode_bins, encode_operand, encode_value,
};

/// The package's classes for values that have no Python type of their own, looked up once.
struct ValueClasses {
    geojson: Py<PyAny>,
    hyperloglog: Py<PyAny>,
    key_ordered: Py<PyAny>,
    infinite: Py<PyAny>,
    wildcard: Py<PyAny>,
    null: Py<PyAny>,
}

fn classes(py: Python<'_>) -> PyResult<&ValueClasses> {
    static CLASSES: Once<ValueClasses> = Once::new();
    CLASSES.get_or_try_init(py, || {
        Ok(ValueClasses {
            geojson: from_package!(py, "GeoJSON")?.unbind(),
            hyperloglog: from_package!(py, "HyperLogLog")?.unbind(),
            key_ordered: from_package!(py, "KeyOrderedDict")?.unbind(),
            infinite: from_package!(py, "CDTInfinite")?.unbind(),
            wildcard: from_package!(py, "CDTWildcard")?.unbind(),
            null: from_package!(py, "null")?.unbind(),
        })
    })
}
