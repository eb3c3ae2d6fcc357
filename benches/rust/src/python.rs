//! What the queue uses of the package: here, no process forks and no descriptor is closed.

pub(crate) mod process {
    pub(crate) fn generation() -> u32 {
        0
    }

    pub(crate) fn check_descriptors() -> bool {
        false
    }

    pub(crate) fn reason(_made_in: u32) -> String {
        String::new()
    }

    pub(crate) fn is_of_parent(_made_in: u32) -> bool {
        false
    }
}

pub(crate) mod errors {
    use pyo3::prelude::*;

    pub(crate) fn client_error(_py: Python<'_>, message: String) -> PyErr {
        pyo3::exceptions::PyRuntimeError::new_err(message)
    }
}
