//! The Python face: the only crate that knows Python.
//!
//! | room | what |
//! | --- | --- |
//! | `commands` | the commands, one file per family: methods of `Core` |
//! | `core` | `Core`: the object behind `Client` and `AsyncClient`; connecting, closing, the log |
//! | `results` | where answers go: rows and records as Python objects, sinks for batches |
//! | `args` | configuration, policies and operations, read from Python and checked |
//! | `keys` | keys of commands, read once and kept as bytes |
//! | `values` | bin values: Python objects to bytes and back |
//! | `arrays` | NumPy: dtypes as schemas, the memory of arrays |
//! | `call` | one call, synchronous or in an event loop; the runtime; stopping writers before Python goes on |
//! | `python` | processes and forks, objects made once, the package's names, exceptions |
//!
//! A room imports only from rooms below it in this table; `scripts/rooms.py` has the exact list.

mod args;
mod arrays;
mod call;
mod commands;
mod core;
mod keys;
mod python;
mod results;
mod values;

use pyo3::prelude::*;

use commands::{batch_read, query};
use python::{interpreter, once, process};

/// Runs the embedded node with these arguments until it is told to stop; returns the exit code.
#[pyfunction]
fn devserver_main(py: Python<'_>, arguments: Vec<String>) -> i32 {
    py.detach(|| dev_server::main_with(arguments.into_iter()))
}

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::refuse_subinterpreters(module.py())?;
    process::cache_id();
    once::warm_up(module.py());
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<call::Completions>()?;
    module.add_class::<call::Operation>()?;
    module.add_class::<core::Core>()?;
    module.add_class::<keys::KeyTable>()?;
    module.add_class::<query::QueryPlace>()?;
    module.add_class::<query::QueryStream>()?;
    module.add_function(wrap_pyfunction!(batch_read::calc_digest, module)?)?;
    module.add_function(wrap_pyfunction!(devserver_main, module)?)?;
    module.add_function(wrap_pyfunction!(call::runtime::shutdown, module)?)?;
    let shutdown = module.getattr("shutdown")?;
    module.py().import("atexit")?.call_method1("register", (shutdown,))?;
    Ok(())
}
