//! Rows in order, into record batches.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Field};
use wire_protocol::message::Ops;
use wire_protocol::particle::particle_type;

use super::packed::{BinOrder, PackedRows, RowSpan};
use super::report::{ColumnFailure, TableReport};
use crate::columns::{Column, Context, new_column, put};
use crate::error::Misfit;
use crate::schema::ColumnPlan;
use crate::value::Value;

/// The bytes of answers after which a record batch ends early: then no offset of 32 bits can overflow, since every
/// element takes at least one byte.
const BATCH_BYTES: usize = 1 << 30;

/// Rows for which columns have memory at first.
const FIRST_ROWS: usize = 4096;

/// Appends rows to columns, and cuts them into record batches.
pub struct TableBuilder {
    filler: Filler,
    order: BinOrder,
    /// The most rows of a record batch.
    batch_rows: usize,
    /// The bytes of answers in the open record batch.
    bytes: usize,
    parts: Vec<Part>,
    /// Arrow's checks refused an array. Nothing that comes from a server may cause this.
    error: Option<ArrowError>,
}

/// The columns of a finished record batch; `None` for those that are placed elsewhere.
struct Part {
    rows: usize,
    arrays: Vec<Option<ArrayRef>>,
}

/// The columns of the open record batch.
struct Filler {
    plan: Arc<ColumnPlan>,
    /// `None`: the column's values are placed elsewhere.
    columns: Vec<Option<Box<dyn Column>>>,
    /// The rows of the open record batch that each column has, and how many columns have the open row.
    filled: Vec<usize>,
    filled_count: usize,
    /// The number of columns here.
    appended: usize,
    context: Context,
    report: TableReport,
    /// Which columns have a value.
    has_value: Vec<bool>,
    /// Rows in the open record batch, and in those before.
    open: usize,
    before: usize,
    /// Whether a record was found.
    has_record: bool,
    /// Whether the columns were inferred, so that a bin without one is a failure.
    is_inferred: bool,
}

impl Filler {
    fn row(&self) -> usize {
        self.before + self.open
    }

    /// Appends the value of a bin to what it fills.
    #[inline]
    fn fill(&mut self, plan: &ColumnPlan, source: usize, kind: u8, bytes: &[u8]) {
        for target in plan.targets(source) {
            let Some(Some(column)) = self.columns.get_mut(target.column) else { continue };
            let Some(filled) = self.filled.get_mut(target.column) else { continue };
            if *filled > self.open {
                // The bin came before in this record; the first one counts.
                continue;
            }
            *filled = self.open + 1;
            self.filled_count += 1;
            self.context.begin();
            let outcome = match Value::of_particle(kind, bytes) {
                Ok(value) if target.steps.is_empty() => {
                    if let (Some(has_value), false) =
                        (self.has_value.get_mut(target.column), matches!(value, Value::Nil))
                    {
                        *has_value = true;
                    }
                    put(&mut **column, value, &mut self.context)
                        .map_err(|misfit| (misfit, bin_type(kind, bytes)))
                }
                Ok(value) => match value.at(&target.steps) {
                    Ok(value) => {
                        let found = value.type_name();
                        if let Some(has_value) = self.has_value.get_mut(target.column) {
                            *has_value |= !matches!(value, Value::Nil);
                        }
                        put(&mut **column, value, &mut self.context).map_err(|misfit| (misfit, found))
                    }
                    Err(misfit) => Err((misfit, bin_type(kind, bytes))),
                },
                Err(error) => Err((error.into(), bin_type(kind, bytes))),
            };
            if let Err((misfit, found)) = outcome {
                self.fail(target.column, found, misfit);
            } else if self.context.changed > 0 || !self.context.failures.is_empty() {
                self.note(target.column);
            }
        }
    }

    /// Ends a row: columns without a value in it get null.
    #[inline]
    fn end_row(&mut self) {
        if self.filled_count < self.appended {
            self.fill_nulls();
        }
        self.filled_count = 0;
        self.open += 1;
    }

    fn fill_nulls(&mut self) {
        for (column, filled) in self.columns.iter_mut().zip(&mut self.filled) {
            if let Some(column) = column
                && *filled <= self.open
            {
                column.append_null();
                *filled = self.open + 1;
            }
        }
    }

    #[cold]
    fn fail(&mut self, column: usize, bin_type: &'static str, misfit: Misfit) {
        if let Some(has_value) = self.has_value.get_mut(column) {
            *has_value = true;
        }
        if let Some(Some(column)) = self.columns.get_mut(column) {
            column.append_null();
        }
        let (row, column) = (self.row(), self.name(column));
        self.report.fail(ColumnFailure { row, column, bin_type, misfit });
    }

    /// Takes note of what changed in a value, and of fields that failed.
    #[cold]
    fn note(&mut self, column: usize) {
        if self.context.changed > 0 {
            let name = self.name(column);
            self.report.count_changed(&name, self.context.changed);
        }
        let row = self.row();
        for failure in self.context.failures.drain(..) {
            self.report.fail(ColumnFailure {
                row,
                column: (&*failure.name).into(),
                bin_type: failure.found,
                misfit: failure.misfit,
            });
        }
    }

    fn name(&self, column: usize) -> Box<str> {
        self.plan.schema().fields().get(column).map_or("?", |field| field.name()).into()
    }

    #[cold]
    fn unmatched(&mut self, bin: &[u8], kind: u8, bytes: &[u8]) {
        self.report.note_unmatched(bin);
        if self.is_inferred {
            let (row, column) = (self.row(), String::from_utf8_lossy(bin).into());
            let bin_type = bin_type(kind, bytes);
            self.report.fail(ColumnFailure { row, column, bin_type, misfit: Misfit::NotInferred });
        }
    }
}

#[cold]
pub(super) fn bin_type(kind: u8, bytes: &[u8]) -> &'static str {
    match Value::of_particle(kind, bytes) {
        Ok(value) => value.type_name(),
        Err(_) => match kind {
            particle_type::INTEGER => "integer",
            particle_type::FLOAT => "float",
            particle_type::BOOL => "bool",
            particle_type::GEOJSON => "GeoJSON",
            particle_type::LIST => "list",
            particle_type::MAP => "map",
            _ => "unknown",
        },
    }
}

impl TableBuilder {
    /// An empty table. `is_inferred`: bins without a column are failures.
    #[must_use]
    pub fn new(plan: Arc<ColumnPlan>, batch_rows: usize, is_inferred: bool) -> Self {
        Self::beside(plan, batch_rows, is_inferred, |_| false)
    }

    /// [`TableBuilder::new`], without the columns for which `is_placed` is true.
    pub(crate) fn beside(
        plan: Arc<ColumnPlan>,
        batch_rows: usize,
        is_inferred: bool,
        is_placed: impl Fn(usize) -> bool,
    ) -> Self {
        let context = Context::new(plan.casting());
        let fields = plan.schema().fields();
        let rows = batch_rows.min(FIRST_ROWS);
        let made = |(at, field): (usize, &Arc<Field>)| {
            // A plan has only types that have columns.
            if is_placed(at) { None } else { new_column(field, field.name(), rows) }
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
            },
            order: BinOrder::default(),
            batch_rows: batch_rows.max(1),
            bytes: 0,
            parts: Vec::new(),
            error: None,
        }
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
        for (at, op) in Ops::over(ops).enumerate() {
            let look_up = |name: &[u8]| plan.source(name).map(|source| source as u16);
            match self.order.number(at, op.name, look_up) {
                Some(source) => self.filler.fill(&plan, source.into(), op.particle_type, op.value),
                None => self.filler.unmatched(op.name, op.particle_type, op.value),
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
        filler.filled.fill(0);
        filler.before += rows;
        filler.open = 0;
        self.bytes = 0;
        self.parts.push(Part { rows, arrays });
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
