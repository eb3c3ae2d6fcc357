//! Rows in order, into record batches.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Field};

use super::bin_order::BinOrder;
use super::block::Block;
use super::filler::{BY_BLOCK, Filler};
use super::packed::{PackedRows, RowSpan};
use super::report::TableReport;
use crate::columns::{Column, Context, new_column};
use crate::schema::ColumnPlan;

/// The bytes of answers after which a record batch ends early: then no offset of 32 bits can overflow, since every
/// element takes at least one byte.
const BATCH_BYTES: usize = 1 << 30;

/// Rows for which columns have memory at first.
const FIRST_ROWS: usize = 4096;

/// Rows of a record batch from which on memory for a whole one is reserved, if the number of rows is not known.
const MANY_ROWS: usize = 1024;

/// Appends rows to columns, and cuts them into record batches.
pub struct TableBuilder {
    filler: Filler,
    order: BinOrder,
    /// The most rows of a record batch.
    batch_rows: usize,
    /// The bytes of answers in the open record batch.
    bytes: usize,
    parts: Vec<Part>,
    /// The rows to come, if they are known.
    left: Option<usize>,
    /// Arrow's checks refused an array. Nothing that comes from a server may cause this.
    error: Option<ArrowError>,
}

/// The columns of a finished record batch; `None` for those that are placed elsewhere.
struct Part {
    rows: usize,
    arrays: Vec<Option<ArrayRef>>,
}

impl TableBuilder {
    /// An empty table. `is_inferred`: bins without a column are failures.
    #[must_use]
    pub fn new(plan: Arc<ColumnPlan>, batch_rows: usize, is_inferred: bool) -> Self {
        Self::with_columns(plan, batch_rows, is_inferred, |_| true)
    }

    /// An empty table for so many rows, without the columns `placed`; the columns `by_block` are filled by
    /// [`TableBuilder::push_block`].
    pub(crate) fn beside(
        plan: Arc<ColumnPlan>,
        batch_rows: usize,
        rows: usize,
        placed: &[usize],
        by_block: &[usize],
    ) -> Self {
        let mut table = Self::with_columns(plan, batch_rows, false, |column| !placed.contains(&column));
        for &column in by_block {
            if let Some(filled) = table.filler.filled.get_mut(column) {
                *filled = BY_BLOCK;
                table.filler.appended -= 1;
            }
        }
        table.left = Some(rows);
        table.expect(rows.min(table.batch_rows));
        table
    }

    fn with_columns(
        plan: Arc<ColumnPlan>,
        batch_rows: usize,
        is_inferred: bool,
        has: impl Fn(usize) -> bool,
    ) -> Self {
        let context = Context::new(plan.casting());
        let fields = plan.schema().fields();
        let rows = batch_rows.min(FIRST_ROWS);
        let made = |(at, field): (usize, &Arc<Field>)| {
            // A plan has only types that have columns.
            if has(at) { new_column(field, field.name(), rows) } else { None }
        };
        let columns: Vec<Option<Box<dyn Column>>> = fields.iter().enumerate().map(made).collect();
        Self {
            filler: Filler {
                filled: vec![0; columns.len()],
                filled_count: 0,
                appended: columns.iter().flatten().count(),
                has_value: vec![false; columns.len()],
                columns,
                plan,
                context,
                report: TableReport::default(),
                open: 0,
                before: 0,
                has_record: false,
                is_inferred,
                has_no_memory: false,
            },
            order: BinOrder::default(),
            batch_rows: batch_rows.max(1),
            bytes: 0,
            parts: Vec::new(),
            left: None,
            error: None,
        }
    }

    /// Has memory reserved for a record batch of so many rows.
    fn expect(&mut self, rows: usize) {
        self.filler.columns.iter_mut().flatten().for_each(|column| column.expect(rows));
    }

    /// Whether there was no memory for a value. The columns lack it then.
    #[must_use]
    pub fn has_no_memory(&self) -> bool {
        self.filler.has_no_memory
    }

    /// Takes note that there is a record, although none of its values may come here.
    pub(crate) fn note_record(&mut self) {
        self.filler.has_record = true;
    }

    /// The columns.
    #[must_use]
    pub fn plan(&self) -> &Arc<ColumnPlan> {
        &self.filler.plan
    }

    /// Rows in the open record batch.
    #[must_use]
    pub fn open_rows(&self) -> usize {
        self.filler.open
    }

    /// Appends a record as a row: the operations of its answer.
    pub fn push(&mut self, ops: &[u8]) {
        self.begin(ops.len());
        self.filler.has_record = true;
        let plan = Arc::clone(&self.filler.plan);
        let (mut rest, mut at) = (ops, 0);
        let look_up = |name: &[u8]| plan.source(name).map(|source| source as u16);
        while let Some(bin) = self.order.next(&mut at, &mut rest, look_up) {
            match bin.number {
                Some(source) => self.filler.fill(&plan, source.into(), bin.kind, bin.value),
                None => self.filler.unmatched(bin.name, bin.kind, bin.value),
            }
        }
        self.end();
    }

    /// Appends a packed row, whose bins have numbers: `source` is the bin of the plan with this number. `plan` is the
    /// table's own.
    pub(crate) fn push_packed(
        &mut self,
        plan: &ColumnPlan,
        rows: &PackedRows,
        span: RowSpan,
        source: impl Fn(u16) -> Option<usize>,
    ) {
        self.begin(span.len);
        self.filler.has_record = true;
        for entry in rows.row(span) {
            if let Some(source) = source(entry.number) {
                self.filler.fill(plan, source, entry.kind, entry.value);
            }
        }
        self.end();
    }

    /// Appends the rows of a block: the columns in `by_block` from its cells, the others from its packed values, whose
    /// bins `source` knows. `has_packed`: there are others.
    pub(crate) fn push_block(
        &mut self,
        plan: &ColumnPlan,
        block: &Block,
        (by_block, has_packed): (&[usize], bool),
        source: impl Fn(u16) -> Option<usize>,
    ) {
        let mut at = 0;
        while at < block.len() && !self.filler.has_no_memory {
            let end = block.len().min(at + self.batch_rows - self.filler.open);
            let fitting = block.fitting(at..end, BATCH_BYTES.saturating_sub(self.bytes));
            if fitting == 0 && self.filler.open > 0 {
                self.end_batch();
                continue;
            }
            let rows = at..at + fitting.max(1);
            at = rows.end;
            for (cells, &column) in by_block.iter().enumerate() {
                self.filler.fill_cells(cells, column, block, rows.clone());
            }
            let is_whole = rows.len() == block.len();
            let size = if is_whole { block.size() } else { rows.clone().map(|row| block.size_of(row)).sum() };
            self.bytes = self.bytes.saturating_add(size);
            if !has_packed {
                self.push_rows(rows.len());
                continue;
            }
            for row in rows {
                if let Some(span) = block.span(row) {
                    self.filler.has_record = true;
                    for entry in block.packed.row(span) {
                        if let Some(source) = source(entry.number) {
                            self.filler.fill(plan, source, entry.kind, entry.value);
                        }
                    }
                }
                self.end();
            }
        }
    }

    /// Ends rows without packed values, at most as many as the open record batch has room for: columns that are filled
    /// row by row, since no bin fills them, get nulls.
    fn push_rows(&mut self, rows: usize) {
        let filler = &mut self.filler;
        if filler.appended > 0 {
            let columns = filler.columns.iter_mut().zip(&filler.filled);
            let by_row = columns.filter(|(_, filled)| **filled != BY_BLOCK);
            by_row.filter_map(|(column, _)| column.as_mut()).for_each(|column| {
                (0..rows).for_each(|_| column.append_null());
            });
        }
        filler.open += rows;
        if filler.open >= self.batch_rows {
            self.end_batch();
        }
    }

    /// Takes note of rows of which no column here has values.
    pub(crate) fn push_placed_rows(&mut self, mut rows: usize) {
        while rows > 0 {
            let some = rows.min(self.batch_rows - self.filler.open);
            self.push_rows(some);
            rows -= some;
        }
    }

    /// Appends a row without a record: all null.
    pub fn push_null(&mut self) {
        self.begin(0);
        self.end();
    }

    /// Takes note of a bin without a column.
    pub(crate) fn note_unmatched(&mut self, bin: &[u8]) {
        self.filler.report.note_unmatched(bin);
    }

    fn begin(&mut self, bytes: usize) {
        if self.bytes.saturating_add(bytes) > BATCH_BYTES && self.filler.open > 0 {
            self.end_batch();
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn end(&mut self) {
        self.filler.end_row();
        if self.filler.open == self.batch_rows {
            self.end_batch();
        } else if self.filler.open == MANY_ROWS && self.left.is_none() {
            self.expect(self.batch_rows);
        }
    }

    /// Ends the open record batch, if it has rows.
    pub fn end_batch(&mut self) {
        let Self { filler, .. } = self;
        let rows = filler.open;
        if rows == 0 {
            return;
        }
        let mut arrays = Vec::with_capacity(filler.columns.len());
        for column in &mut filler.columns {
            match column.as_mut().map(|column| column.finish()).transpose() {
                Ok(array) => arrays.push(array),
                Err(error) => self.error = Some(error),
            }
        }
        filler.filled.iter_mut().filter(|filled| **filled != BY_BLOCK).for_each(|filled| *filled = 0);
        filler.before += rows;
        filler.open = 0;
        self.bytes = 0;
        self.parts.push(Part { rows, arrays });
        self.left = self.left.map(|left| left.saturating_sub(rows));
        if let Some(left) = self.left {
            self.expect(left.min(self.batch_rows));
        } else {
            self.expect(0);
        }
    }

    /// Takes the finished record batches out, and what was found in them. Rows are counted from 0 again.
    ///
    /// # Errors
    /// Arrow's checks refused an array.
    pub fn take(&mut self) -> Result<(Vec<RecordBatch>, TableReport), ArrowError> {
        self.take_with(&[], TableReport::default())
    }

    /// [`TableBuilder::take`], with the columns that are placed elsewhere, for all rows, and a report on them.
    pub(crate) fn take_with(
        &mut self,
        placed: &[Option<ArrayRef>],
        report: TableReport,
    ) -> Result<(Vec<RecordBatch>, TableReport), ArrowError> {
        self.end_batch();
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let filler = &mut self.filler;
        let mut start = 0;
        let mut batches = Vec::with_capacity(self.parts.len());
        for Part { rows, arrays } in self.parts.drain(..) {
            let whole = |(at, array): (usize, Option<ArrayRef>)| {
                array.or_else(|| Some(placed.get(at)?.as_ref()?.slice(start, rows)))
            };
            let arrays = arrays.into_iter().enumerate().filter_map(whole).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let schema = Arc::clone(filler.plan.schema());
            batches.push(RecordBatch::try_new_with_options(schema, arrays, &options)?);
            start += rows;
        }
        // A value that did not fit is one all the same.
        for failure in &report.failures {
            if let Some((at, _)) = filler.plan.schema().column_with_name(&failure.column)
                && let Some(has_value) = filler.has_value.get_mut(at)
            {
                *has_value = true;
            }
        }
        let mut all = std::mem::take(&mut filler.report);
        all.merge(report);
        for (has_value, placed) in filler.has_value.iter_mut().zip(placed) {
            *has_value |= placed.as_ref().is_some_and(|array| array.null_count() < array.len());
        }
        if filler.has_record {
            all.set_missing(&filler.plan, &filler.has_value);
        }
        filler.has_value.fill(false);
        (filler.before, filler.has_record) = (0, false);
        Ok((batches, all))
    }
}

impl std::fmt::Debug for TableBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableBuilder").field("open", &self.filler.open).finish_non_exhaustive()
    }
}
