//! The records of a query, each the next row.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use record_decode::{Casting, RecordLabels};
use wire_protocol::digest::Digest;
use wire_protocol::query::QueryRecord;

use super::BATCH_ROWS;
use super::answers::{RecordMeta, RowValues};
use super::bin_order::BinOrder;
use super::meta::{KeyKind, KeyValues};
use super::packed::{Bins, Entries, PackedRows, RowSpan};
use super::report::TableReport;
use super::table::TableBuilder;
use crate::error::ColumnError;
use crate::infer::{Inference, MixedTypes};
use crate::schema::ColumnPlan;

/// Why a result has no columns.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Bins that mix types, so that no column can be inferred.
    #[error("{}", describe_mixed(.0, &|row| format!("row {row}")))]
    Mixed(Vec<MixedTypes>),
    /// More bins than columns can be inferred for.
    #[error(
        "the records have more than {most} different bins; name those to read with `bins`, or pass a schema"
    )]
    TooManyBins {
        /// How many there may be.
        most: usize,
    },
    /// An inferred schema that is refused.
    #[error(transparent)]
    Schema(#[from] ColumnError),
    /// Arrow's checks refused an array.
    #[error("Arrow refused the result: {0}")]
    Arrow(Arc<ArrowError>),
    /// There is no memory for the columns.
    #[error(
        "there is not enough memory for the columns; read fewer rows or bins at once, or a query in blocks with \
        arrow_batches"
    )]
    NoMemory,
    /// The result was taken out before.
    #[error("the result was taken out before")]
    Finished,
}

impl From<ArrowError> for TableError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(Arc::new(error))
    }
}

/// What an error says about bins that mix types. `row_name` names rows.
#[must_use]
pub fn describe_mixed(mixed: &[MixedTypes], row_name: &dyn Fn(usize) -> String) -> String {
    let bins: Vec<String> = mixed.iter().map(|bin| bin.describe(row_name)).collect();
    format!(
        "no column can be inferred where values mix types: {}; pass a schema, or leave the bins out with `bins`",
        bins.join(", ")
    )
}

/// The plan for packed rows.
///
/// # Errors
/// Bins that mix types.
pub(super) fn inferred_plan<'a>(
    rows: impl Iterator<Item = (usize, Entries<'a>)>,
    bins: &Bins,
    casting: Casting,
) -> Result<ColumnPlan, TableError> {
    let Bins::Seen { names, has_too_many, .. } = bins else { return Err(TableError::Finished) };
    if *has_too_many {
        return Err(TableError::TooManyBins { most: super::packed::MOST_BINS });
    }
    let mut inference = Inference::new(names.len());
    for (row, entries) in rows {
        for entry in entries {
            inference.observe(usize::from(entry.number), row, entry.kind, entry.value);
        }
    }
    let schema = inference.schema(names).map_err(TableError::Mixed)?;
    Ok(ColumnPlan::with_any_columns(&schema, casting, None, Vec::new())?)
}

/// The records of a query while they come.
#[derive(Debug)]
pub struct QueryTable {
    rows: Rows,
    casting: Casting,
    block_rows: usize,
    has_sets: bool,
    has_keys: bool,
    open: Labels,
    /// The type of stored keys, once it is known.
    key_kind: Option<KeyKind>,
    /// The seconds since 2010 from which times to live are computed.
    now: u32,
}

#[derive(Debug)]
enum Rows {
    /// Packed until the columns can be inferred.
    Packed {
        rows: PackedRows,
        spans: Vec<RowSpan>,
        bins: Bins,
        order: BinOrder,
    },
    Table(Box<TableBuilder>),
    /// Freed, since there was no memory for more.
    Lost,
}

/// What identifies the records of the open block.
#[derive(Debug, Default)]
struct Labels {
    digests: RowValues<Digest>,
    meta: RecordMeta,
    labels: RecordLabels,
}

/// Rows of a query that were taken out.
#[derive(Debug)]
pub struct QueryBlock {
    /// The columns.
    pub plan: Arc<ColumnPlan>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// What did not fit.
    pub report: TableReport,
    /// The digest of each row.
    pub digests: RowValues<Digest>,
    /// Generation and seconds to live of each row.
    pub meta: RecordMeta,
    /// Stored keys and sets.
    pub labels: RecordLabels,
    /// The column of stored keys, if it was asked for.
    pub keys: Option<KeyValues>,
}

impl QueryTable {
    /// The table of a query. Without a plan, its columns are inferred from the first records. A block has at most
    /// `block_rows` rows. The names of sets are kept if `has_sets`, and a column of keys if `has_keys`.
    #[must_use]
    pub fn new(
        plan: Option<Arc<ColumnPlan>>,
        casting: Casting,
        block_rows: usize,
        (has_sets, has_keys): (bool, bool),
        now: u32,
    ) -> Self {
        let batch_rows = block_rows.min(BATCH_ROWS);
        let rows = match plan {
            Some(plan) => Rows::Table(Box::new(TableBuilder::new(plan, batch_rows, false))),
            None => Rows::Packed {
                rows: PackedRows::default(),
                spans: Vec::new(),
                bins: Bins::seen(),
                order: BinOrder::default(),
            },
        };
        Self {
            rows,
            casting,
            block_rows: block_rows.max(1),
            has_sets,
            has_keys,
            open: Labels::default(),
            key_kind: None,
            now,
        }
    }

    /// The rows of the open block.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.meta.len()
    }

    /// Whether the open block has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the open block has all rows that it may have.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= self.block_rows
    }

    /// Appends a record.
    ///
    /// # Errors
    /// Columns that cannot be inferred.
    pub fn push(&mut self, record: &QueryRecord<'_>) -> Result<(), TableError> {
        match &mut self.rows {
            Rows::Table(table) => {
                table.push(record.bins);
                if table.has_no_memory() {
                    return Err(self.lose());
                }
            }
            Rows::Packed { rows, spans, bins, order } => match rows.push_row(record.bins, bins, order) {
                Some(span) => spans.push(span),
                None => return Err(self.lose()),
            },
            Rows::Lost => return Err(TableError::NoMemory),
        }
        let open = &mut self.open;
        let row = open.meta.len();
        open.digests.push(*record.digest);
        open.meta.push(record.generation, record_decode::seconds_left(record.void_time, self.now));
        if let Some(key) = record.key {
            open.labels.keys.push(row, key);
        }
        if self.has_sets {
            let place = open.labels.place(record.set);
            open.labels.set_of.push((row, place));
        }
        if row + 1 >= BATCH_ROWS {
            self.infer()?;
        }
        Ok(())
    }

    /// Frees the rows, of which there are more than there is memory for.
    #[cold]
    fn lose(&mut self) -> TableError {
        (self.rows, self.open) = (Rows::Lost, Labels::default());
        TableError::NoMemory
    }

    /// Infers the columns from the rows so far, if they are not known, and appends the rows.
    fn infer(&mut self) -> Result<(), TableError> {
        let Rows::Packed { rows, spans, bins, .. } = &mut self.rows else { return Ok(()) };
        let numbered = spans.iter().enumerate().map(|(row, span)| (row, rows.row(*span)));
        let plan = Arc::new(inferred_plan(numbered, bins, self.casting)?);
        let batch_rows = self.block_rows.min(BATCH_ROWS);
        let mut table = TableBuilder::new(Arc::clone(&plan), batch_rows, true);
        let Bins::Seen { names, .. } = bins else { return Err(TableError::Finished) };
        for &span in &*spans {
            table.push_packed(&plan, rows, span, |number| plan.source(names.get(usize::from(number))?));
        }
        if table.has_no_memory() {
            return Err(self.lose());
        }
        self.rows = Rows::Table(Box::new(table));
        Ok(())
    }

    /// Takes the open block out.
    ///
    /// # Errors
    /// Columns that cannot be inferred.
    pub fn take(&mut self) -> Result<QueryBlock, TableError> {
        self.infer()?;
        let Rows::Table(table) = &mut self.rows else { return Err(TableError::NoMemory) };
        let (batches, mut report) = table.take()?;
        let Labels { digests, meta, labels } = std::mem::take(&mut self.open);
        let keys = self.has_keys.then(|| {
            let mut keys = KeyValues::new(self.key_kind);
            let mut stored = labels.keys.iter().peekable();
            for row in 0..meta.len() {
                let key = stored.next_if(|&(of, _)| of == row).map(|(_, key)| key);
                if let Err(error) = keys.push(key) {
                    report.fail_key(row, &error);
                }
            }
            keys
        });
        if let Some(keys) = &keys {
            // The type of the column must not change from one block to the next.
            self.key_kind = keys.kind().or(Some(KeyKind::Str));
        }
        Ok(QueryBlock { plan: Arc::clone(table.plan()), batches, report, digests, meta, labels, keys })
    }
}
