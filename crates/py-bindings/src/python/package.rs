//! What the extension uses of the Python package: `aerospike_py._from_native`, and no other module of it.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::python::once::{Once, intern};

/// A name of `aerospike_py._from_native`.
pub(crate) fn get<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: Once<Py<PyModule>> = Once::new();
    let import = || py.import(intern!(py, "aerospike_py._from_native")).map(Bound::unbind);
    MODULE.get_or_try_init(py, import)?.bind(py).getattr(name)
}

/// Looks up a name of `aerospike_py._from_native`, given as a literal; `tests/test_package.py` finds it by this form.
macro_rules! from_package {
    ($py:expr, $name:literal) => {
        $crate::python::package::get($py, $crate::python::once::intern!($py, $name))
    };
}

pub(crate) use from_package;
