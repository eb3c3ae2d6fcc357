//! Completing awaited calls: by this package's queue, and by `future_into_py` of `pyo3-async-runtimes`.
//!
//! The queue and what wakes the loop are the package's own source files. Both calls do the same: their task gives way
//! once on a runtime of two threads and ends.

#![cfg(feature = "completions")]

mod call;
mod python;

use pyo3::prelude::*;

use call::{Completions, Operation};

/// A call that `completions` reports.
#[pyfunction]
fn by_queue(py: Python<'_>, completions: &Completions) -> PyResult<Operation> {
    Operation::start(py, completions)
}

/// A call as an awaitable of `pyo3-async-runtimes`.
#[pyfunction]
fn by_future_into_py(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    pyo3_async_runtimes::tokio::future_into_py(py, async {
        tokio::task::yield_now().await;
        Ok(())
    })
}

#[pymodule]
fn left_out(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all();
    pyo3_async_runtimes::tokio::init(runtime);
    module.add_class::<Completions>()?;
    module.add_class::<Operation>()?;
    module.add_function(wrap_pyfunction!(by_queue, module)?)?;
    module.add_function(wrap_pyfunction!(by_future_into_py, module)?)
}
