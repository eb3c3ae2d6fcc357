//! What every other room needs of Python.
//!
//! The process and its forks (`process`), the interpreter (`interpreter`), objects that are made once (`once`), the
//! names of the package that the extension uses (`package`), and exceptions (`errors`). This room uses no other one of
//! the crate; start reading with `once`, which says why pyo3's own cells are not used.

pub(crate) mod describe;
pub(crate) mod errors;
pub(crate) mod interpreter;
pub(crate) mod once;
pub(crate) mod package;
pub(crate) mod process;
