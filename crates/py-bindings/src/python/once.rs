//! Python objects that are made once, at first use.
//!
//! pyo3's own cell and `intern!` let other threads have the GIL in the middle of making a value. If one of
//! those forks just then, the cell stays "being made" in the child, where nobody goes on making it, and the
//! child's first use waits for ever. Here the value is made first and put in place afterwards, without a
//! moment at which a fork could come; of two threads that make it at once one throws its own away.

use std::sync::OnceLock;

use pyo3::prelude::*;
use pyo3::types::{PyMapping, PySequence, PyString};

/// Fills pyo3's own cells that we come by, while the package is imported: those of the classes that mappings
/// and sequences are told by.
pub(crate) fn warm_up(py: Python<'_>) {
    let none = py.None();
    let none = none.bind(py);
    let _ = (none.cast::<PyMapping>().is_ok(), none.cast::<PySequence>().is_ok());
}

/// A cell that is written once.
pub(crate) struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value; made by `make` where there is none yet.
    pub(crate) fn get_or_try_init(
        &self,
        _py: Python<'_>,
        make: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<&T> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = make()?;
        // `value` is there already: nothing runs, and nobody is let in, inside of this.
        Ok(self.0.get_or_init(|| value))
    }
}

/// A string that Python interned.
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

/// A literal as a Python string, made at first use; as pyo3's `intern!`, but see above.
macro_rules! intern {
    ($py:expr, $text:literal) => {{
        static NAME: $crate::python::once::Name =
            $crate::python::once::Name($text, ::std::sync::OnceLock::new());
        NAME.get($py)
    }};
}

pub(crate) use intern;
