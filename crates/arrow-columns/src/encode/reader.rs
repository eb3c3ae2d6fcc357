//! The rows of a stream of record batches.

use std::sync::Arc;

use arrow_data::ArrayData;
use arrow_schema::Fields;

use super::plan::{WriteOptions, WritePlan};
use super::rows::{RowsToWrite, Unwritable};
use super::types::RefusedSchema;

/// A stream of record batches. Each is a struct of the columns; an error is what the stream's producer says.
pub type Batches = Box<dyn Iterator<Item = Result<ArrayData, String>> + Send>;

/// Why a stream ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A value that no bin can hold. `before` is the number of rows in the record batches before that with the value.
    #[error("data: {unwritable}{}", sent(*.before))]
    Unwritable {
        /// The value.
        unwritable: Unwritable,
        /// The number of rows in the record batches before.
        before: usize,
    },
    /// The stream failed.
    #[error("data: reading the rows from {row} on failed: {why}")]
    Stream {
        /// The first row that was not read.
        row: usize,
        /// What the library that made the stream says.
        why: String,
    },
}

fn sent(before: usize) -> String {
    match before {
        0 => String::new(),
        before => format!("; the {before} rows of the blocks before were sent, see the error's batch"),
    }
}

/// Reads a stream of record batches. It blocks while the stream does.
pub struct RowReader {
    batches: Batches,
    plan: Arc<WritePlan>,
    /// The number of the next row.
    next: usize,
}

impl RowReader {
    /// Compiles the stream's schema, given as its columns; see [`WritePlan::new`].
    ///
    /// # Errors
    /// Those of [`WritePlan::new`].
    pub fn new(
        batches: Batches,
        fields: &Fields,
        key: &str,
        bins: Option<&[String]>,
        options: WriteOptions,
    ) -> Result<Self, RefusedSchema> {
        let plan = Arc::new(WritePlan::new(fields, key, bins, options)?);
        Ok(Self { batches, plan, next: 0 })
    }

    /// The rows of the next record batch, in parts of at most `most` rows; `None` at the end. All of them are checked
    /// before any is returned. After an error, there are no more.
    ///
    /// # Errors
    /// The stream fails; a value that no bin can hold.
    pub fn next_rows(&mut self, most: usize) -> Option<Result<Vec<RowsToWrite>, ReadError>> {
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(why) => return Some(Err(ReadError::Stream { row: self.next, why })),
        };
        if batch.nulls().is_some_and(|nulls| nulls.null_count() > 0) {
            let why = "a record batch has rows that are null as a whole".into();
            return Some(Err(ReadError::Stream { row: self.next, why }));
        }
        let before = self.next;
        self.next = before.saturating_add(batch.len());
        Some(
            self.parts(&batch, before, most)
                .map_err(|unwritable| ReadError::Unwritable { unwritable, before }),
        )
    }

    fn parts(&self, batch: &ArrayData, first: usize, most: usize) -> Result<Vec<RowsToWrite>, Unwritable> {
        let (rows, most) = (batch.len(), most.max(1));
        let starts = (0..rows).step_by(most);
        let parts = starts
            .map(|start| self.plan.rows(batch, start, most.min(rows - start), first.saturating_add(start)));
        parts.collect()
    }
}
