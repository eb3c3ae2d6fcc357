//! Answers, on their way into Python.
//!
//! `sinks` take the rows of a batch where they arrive, on threads without the GIL; `rows`, `records` and `stats` make
//! Python objects of them once the call is done. Another kind of result (columns, Arrow) gets a sink and a module here.

pub(crate) mod answer;
pub(crate) mod clock;
pub(crate) mod numpy_batch;
pub(crate) mod query_records;
pub(crate) mod records;
pub(crate) mod rows;
pub(crate) mod sinks;
pub(crate) mod stats;
