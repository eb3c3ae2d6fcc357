//! Bin values: Python objects to particles and back.

mod decode;
mod encode;
mod numpy;

use pyo3::prelude::*;

use crate::python::once::Once;
use crate::python::package::from_package;

pub(crate) use decode::{BinNames, Unreadable, bin_and_value, bins_dict};
pub(crate) use encode::{Bools, OpBytes, bin_name, encode_bins, encode_value};

/// The package's classes for values that Python has no type for, looked up once.
struct Classes {
    geojson: Py<PyAny>,
    hyperloglog: Py<PyAny>,
    key_ordered: Py<PyAny>,
}

fn classes(py: Python<'_>) -> PyResult<&Classes> {
    static CLASSES: Once<Classes> = Once::new();
    CLASSES.get_or_try_init(py, || {
        Ok(Classes {
            geojson: from_package!(py, "GeoJSON")?.unbind(),
            hyperloglog: from_package!(py, "HyperLogLog")?.unbind(),
            key_ordered: from_package!(py, "KeyOrderedDict")?.unbind(),
        })
    })
}
