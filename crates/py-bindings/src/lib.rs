//! The Python face: the only crate that knows Python.
//!
//! | module | what |
//! | --- | --- |
//! | `core` | `Core`: the object behind `Client` and `AsyncClient` |
//! | `call`, `runtime` | one call for two faces; waiting with the GIL released, waking event loops |
//! | `keys`, `dtype`, `settings`, `config`, `auth`, `tls`, `policy`, `values`, `ops` | Python arguments, read and checked |
//! | `batch_read`, `single`, `operate`, `query`, `info` | the commands |
//! | `ops` | operations on bins, read and encoded |
//! | `sink`, `numpy_memory`, `records` | where answers go: NumPy's memory, Python objects |
//! | `interpreter`, `process` | refuses subinterpreters; which process this is |
//! | `once` | Python objects made once, safely beside forks |
//! | `log` | what happened to a cluster, for Python's `logging` |
//! | `package` | what the extension uses of the Python package |
//! | `errors` | Rust errors as Python exceptions |

mod auth;
mod batch_operate;
mod batch_read;
mod batch_write;
mod call;
mod clock;
mod config;
mod core;
mod dtype;
mod errors;
mod info;
mod interpreter;
mod keys;
mod log;
mod numpy_memory;
mod once;
mod operate;
mod ops;
mod package;
mod policy;
mod process;
mod query;
mod records;
mod rows;
mod runtime;
mod settings;
mod single;
mod sink;
mod stats;
mod tls;
mod values;

use pyo3::prelude::*;

/// Runs the embedded node with these arguments until it is told to stop; returns the exit code.
#[pyfunction]
fn devserver_main(py: Python<'_>, arguments: Vec<String>) -> i32 {
    py.detach(|| dev_server::main_with(arguments.into_iter()))
}

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::refuse_subinterpreters(module.py())?;
    process::keep_id();
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
    module.add_function(wrap_pyfunction!(runtime::shutdown, module)?)?;
    let shutdown = module.getattr("shutdown")?;
    module.py().import("atexit")?.call_method1("register", (shutdown,))?;
    Ok(())
}
