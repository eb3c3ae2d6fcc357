//! Answers, as Python objects.
//!
//! The records of a batch arrive on threads without the GIL, which write them into one of the `sinks`. Once the
//! call is done, `rows`, `records`, `numpy_batch` and the other modules make Python objects of what is there. Start
//! with `records`, which has the classes. Another kind of result (columns, Arrow, a matrix) gets a sink and a
//! module here.

pub(crate) mod answer;
pub(crate) mod arrow;
pub(crate) mod arrow_rows;
pub(crate) mod clock;
pub(crate) mod group_rows;
pub(crate) mod matrix;
pub(crate) mod metrics;
pub(crate) mod numpy_batch;
pub(crate) mod numpy_query;
pub(crate) mod numpy_sets;
pub(crate) mod projected_rows;
pub(crate) mod query_labels;
pub(crate) mod query_records;
pub(crate) mod query_rows;
pub(crate) mod records;
pub(crate) mod row_meta;
pub(crate) mod rows;
pub(crate) mod sinks;
pub(crate) mod stats;
pub(crate) mod summary;
