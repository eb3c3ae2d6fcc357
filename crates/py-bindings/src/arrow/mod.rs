//! Arrow: schemas, and record batches for other libraries through the C data interface.
//!
//! `schema` reads a schema from Python. `table` has the record batches of a result and exports them; `stream` exports
//! batches that are made as they are asked for. The C data interface itself is `pyo3-arrow`'s: there is no unsafe code
//! here.

pub(crate) mod schema;
pub(crate) mod stream;
pub(crate) mod table;
