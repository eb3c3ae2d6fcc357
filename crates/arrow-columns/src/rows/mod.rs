//! Records into the columns of a result.
//!
//! Start with [`TableBuilder`] (`table`), which appends rows in order to columns (`filler`) and cuts them into record
//! batches. The rows of a batch come in any order: a [`BatchTable`] (`batch`) puts numbers at their row at once
//! (`arrival`), and keeps other values in blocks (`block`, `packed`) until those before have come. Bins are found where
//! they were in the record before (`bin_order`). The records of a query come one after the other: a [`QueryTable`]
//! (`query`) appends them, once it knows the columns. A [`TableReport`] (`report`) has what did not fit. What is known of
//! rows besides their bins is in `answers`, columns about records, such as their keys, in `meta`.

mod answers;
mod arrival;
mod batch;
mod bin_order;
mod block;
mod filler;
mod meta;
mod packed;
mod query;
mod report;
mod table;

pub use self::answers::{RecordMeta, RowValues};
pub(crate) use self::batch::free_kept_blocks;
pub use self::batch::{BatchLease, BatchTable, FilledBatch, RowAnswer};
pub use self::meta::{KeyKind, KeyValues, MetaColumn, MetaError, MetaPart, MetaRows, meta_part, with_meta};
pub use self::query::{QueryBlock, QueryTable, TableError, describe_mixed};
pub use self::report::{ColumnFailure, TableReport};
pub use self::table::TableBuilder;

/// The most rows of a record batch.
pub const BATCH_ROWS: usize = 65_536;
