//! The extension module `aerospike_py._native`: the only crate that knows Python.
//!
//! A command's way through the rooms: `commands` reads the arguments with `args`, `keys` and `values`, makes a
//! future of `aero-io`'s and passes it to `call`, which runs it with the GIL released; `results` makes Python
//! objects of the outcome. Start with `commands/single.rs`.
//!
//! | room | what |
//! | --- | --- |
//! | `commands` | the commands, one file per family: methods of `Core` |
//! | `core` | `Core`, the object behind `Client` and `AsyncClient`: connecting, closing, the log |
//! | `results` | sinks for the rows of a batch; records, rows, NumPy results and statistics as Python objects |
//! | `args` | configuration, policies, operations and single arguments, read from Python and checked |
//! | `keys` | keys, read from Python once and kept as bytes |
//! | `values` | bin values: Python objects to bytes and back |
//! | `arrow` | Arrow: schemas, tables, the C data interface |
//! | `arrays` | NumPy: dtypes as schemas and plans, the memory of arrays |
//! | `call` | runs a command: waiting for it, or in an event loop; the runtimes |
//! | `python` | forks, objects that are made once, the names of the package, exceptions |
//!
//! A room imports only rooms further down in this table; `scripts/rooms.py` lists which.

mod args;
mod arrays;
mod arrow;
mod call;
mod commands;
mod core;
mod keys;
mod python;
mod results;
mod values;

use pyo3::prelude::*;

use commands::{batch_read, batch_write_arrow, functions, query};
use python::{interpreter, once, process};

/// Runs the embedded node with these command-line arguments until it is stopped; returns the exit code.
#[pyfunction]
fn devserver_main(py: Python<'_>, arguments: Vec<String>) -> i32 {
    py.detach(|| dev_server::main_with(arguments.into_iter()))
}

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::refuse_subinterpreters(module.py())?;
    process::notice_forks();
    call::runtime::stop_threads_without_descriptors();
    once::warm_up(module.py());
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<call::Completions>()?;
    module.add_class::<call::Operation>()?;
    module.add_class::<call::trace::PyCallTrace>()?;
    module.add_function(pyo3::wrap_pyfunction!(results::metrics::decoded_values, module)?)?;
    module.add_class::<core::Core>()?;
    module.add_class::<keys::KeyTable>()?;
    module.add_class::<batch_write_arrow::ArrowWriter>()?;
    module.add_class::<args::predicate::QueryPredicate>()?;
    module.add_class::<args::transaction::PyTransaction>()?;
    module.add_class::<query::QueryOperations>()?;
    module.add_class::<functions::QueryFunction>()?;
    module.add_class::<query::QueryPlace>()?;
    module.add_class::<query::QueryStream>()?;
    module.add_class::<query::NumpyStream>()?;
    module.add_class::<query::ArrowStream>()?;
    module.add_class::<results::query_labels::QueryLabels>()?;
    module.add_class::<arrow::table::ArrowTable>()?;
    module.add_class::<results::row_meta::RowMeta>()?;
    module.add_function(wrap_pyfunction!(arrow::table::arrow_table_of_fields, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::stream::arrow_stream, module)?)?;
    module.add_function(wrap_pyfunction!(batch_read::calc_digest, module)?)?;
    module.add_function(wrap_pyfunction!(devserver_main, module)?)?;
    module.add_function(wrap_pyfunction!(args::expression::get_expression_base64, module)?)?;
    module.add_function(wrap_pyfunction!(args::operations::get_context_base64, module)?)?;
    module.add_function(wrap_pyfunction!(args::operations::only_read, module)?)?;
    module.add_function(wrap_pyfunction!(args::operations::operation, module)?)?;
    module.add_function(wrap_pyfunction!(call::runtime::shutdown, module)?)?;
    let shutdown = module.getattr("shutdown")?;
    module.py().import("atexit")?.call_method1("register", (shutdown,))?;
    Ok(())
}
