//! What all other rooms need of Python.
//!
//! | module | what |
//! | --- | --- |
//! | `interpreter`, `process` | which interpreter imports the package; which process this is, forks included |
//! | `gil_threads` | threads of our own that may take the GIL, which the interpreter's exit waits for |
//! | `once` | Python objects that are made once, safely beside forks |
//! | `tuples` | instances of named tuples |
//! | `package` | the names of the Python package that the extension uses |
//! | `errors`, `describe`, `text` | exceptions, objects in their messages, the text of strings |
//!
//! This room uses no other room of the crate. Start with `once`, which says why pyo3's own cells are not used.

pub(crate) mod describe;
pub(crate) mod errors;
pub(crate) mod gil_threads;
pub(crate) mod interpreter;
pub(crate) mod once;
pub(crate) mod package;
pub(crate) mod process;
pub(crate) mod text;
pub(crate) mod tuples;
