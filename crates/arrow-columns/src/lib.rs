//! Bin values as Arrow columns, and Arrow columns as the operations of a write. Knows neither Python nor the network.
//!
//! A [`ColumnPlan`] is a schema compiled for one call. A [`BatchTable`] takes the answers of a batch, whose rows come
//! in any order, a [`QueryTable`] the records of a query; both make record batches of at most [`BATCH_ROWS`] rows and a
//! [`TableReport`] of what did not fit. Without a schema, columns are inferred from the values.
//!
//! Numbers convert as they do in the fields of rows (`record-decode`). In detail:
//!
//! - a bin that a record lacks, or that is nil, is null; so is a value that does not fit, which is a failure;
//! - an element of a list, or a part of a map, that does not fit fails the whole value; a field of a struct fails
//!   alone;
//! - nil inside a list is a null element;
//! - text is checked to be UTF-8;
//! - of a bin that comes twice in one record, the first one counts.

#![forbid(unsafe_code)]

mod columns;
pub mod encode;
mod error;
mod fields;
mod infer;
mod rows;
mod schema;
mod value;

pub use columns::type_name;
pub use error::{ColumnError, Misfit};
pub use fields::{LeafValues, batch_of_fields};
pub use infer::MixedTypes;
pub use rows::{
    BATCH_ROWS, BatchLease, BatchTable, ColumnFailure, FilledBatch, KeyKind, KeyValues, MetaColumn,
    MetaError, MetaPart, MetaRows, QueryBlock, QueryTable, RecordMeta, RowAnswer, RowValues, TableBuilder,
    TableError, TableReport, describe_mixed, meta_part, with_meta,
};
pub use schema::{ColumnPlan, parse_type};

/// Frees the memory of results that were released, which is kept for later ones.
pub fn free_kept_memory() {
    columns::free_kept_memory();
    rows::free_kept_blocks();
}
