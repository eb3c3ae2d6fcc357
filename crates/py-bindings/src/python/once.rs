//! Python objects that are made once, at first use.
//!
//! pyo3's own cell and `intern!` may release the GIL while they make the value. If another thread forks at that
//! moment, the cell stays half-made in the child, where no thread finishes it, and the child's first use waits
//! forever. Here the value is made first and stored afterwards, without releasing the GIL in between. If two
//! threads make it at the same time, one of the two values is dropped.

use std::sync::OnceLock;

use pyo3::prelude::*;
use pyo3::types::{PyMapping, PySequence, PyString};

/// Fills the pyo3 cells that this crate cannot avoid, while the package is imported: those behind the checks for
/// mappings and sequences.
pub(crate) fn warm_up(py: Python<'_>) {
    let none = py.None();
    let none = none.bind(py);
    let _ = (none.cast::<PyMapping>().is_ok(), none.cast::<PySequence>().is_ok());
}

/// A cell that is written once, without blocking.
pub(crate) struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value; `make` makes it at first use.
    pub(crate) fn get_or_try_init(
        &self,
        _py: Python<'_>,
        make: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<&T> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = make()?;
        // `value` exists already, so nothing runs inside of this that could release the GIL.
        Ok(self.0.get_or_init(|| value))
    }
}

/// An interned Python string.
pub(crate) struct Name(pub(crate) &'static str, pub(crate) OnceLock<Py<PyString>>);

impl Name {
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        let name = match self.1.get() {
            Some(name) => name,
            None => {
                let name = PyString::intern(py, self.0).unbind();
                self.1.get_or_init(|| name)
            }
        };
        name.bind(py)
    }
}

/// A literal as an interned Python string, like pyo3's `intern!`, but safe beside forks.
macro_rules! intern {
    ($py:expr, $text:literal) => {{
        static NAME: $crate::python::once::Name =
            $crate::python::once::Name($text, ::std::sync::OnceLock::new());
        NAME.get($py)
    }};
}

pub(crate) use intern;
