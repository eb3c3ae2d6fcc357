//! The rows of a batch, which come in any order, into columns in order.
//!
//! Numbers, bools and times are put in their places as they come: their columns have a place for each row. Other values
//! are packed, in blocks of [`BLOCK`]. When a block is complete, and those before it are, its rows are
//! appended to the columns and its memory is used for the next one. A batch asks for its rows roughly in order, so few
//! blocks are open at once, and the packed bytes stay in the CPU's caches.
//!
//! Without a plan, all rows stay packed until the end, when their columns are inferred.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{ArrayRef, RecordBatch};
use record_decode::Casting;
use wire_protocol::message::Op;

use super::BATCH_ROWS;
use super::packed::{BinOrder, Bins, PackedRows, RowSpan};
use super::query::{TableError, inferred_plan};
use super::report::{ColumnFailure, TableReport};
use super::table::{TableBuilder, bin_type};
use crate::columns::{Placed, placed};
use crate::error::Misfit;
use crate::schema::ColumnPlan;
use crate::value::Value;

/// The rows of a block.
const BLOCK: usize = 1024;

/// Blocks whose memory is kept for later ones.
const SPARE: usize = 4;

/// The code of a row that no answer has come for.
const NO_ANSWER: i32 = i32::MIN;

/// What an answer says about a row, besides its bins.
#[derive(Clone, Copy, Debug)]
pub struct RowAnswer {
    /// The result code.
    pub code: i32,
    /// The generation, 0 without a record.
    pub generation: u32,
    /// The seconds to live, 0 without a record.
    pub ttl: u32,
}

/// The rows of a batch while they come.
#[derive(Debug)]
pub struct BatchTable(Mutex<State>);

/// A batch that has ended.
#[derive(Debug)]
pub struct FilledBatch {
    /// The columns.
    pub plan: Arc<ColumnPlan>,
    /// The rows, in order.
    pub batches: Vec<RecordBatch>,
    /// What did not fit.
    pub report: TableReport,
    /// The result code of each row.
    pub codes: Vec<i32>,
    /// Generation and seconds to live of each row.
    pub meta: Vec<[u32; 2]>,
}

#[derive(Debug)]
struct State {
    bins: Bins,
    order: BinOrder,
    table: Option<TableBuilder>,
    placed: PlacedColumns,
    casting: Casting,
    codes: Vec<i32>,
    meta: Vec<[u32; 2]>,
    blocks: Vec<Option<Block>>,
    /// The first block whose rows are not in the columns.
    next: usize,
    spare: Vec<Block>,
    unmatched: Vec<Box<[u8]>>,
    is_sealed: bool,
}

#[derive(Debug, Default)]
struct Block {
    rows: PackedRows,
    /// Where each row is, once it has come with a record.
    spans: Vec<Option<RowSpan>>,
    /// Rows that have come.
    done: usize,
}

impl Block {
    /// Empties the block, for so many rows.
    fn reset(&mut self, rows: usize) {
        self.rows.clear();
        self.spans.clear();
        self.spans.resize(rows, None);
        self.done = 0;
    }
}

impl BatchTable {
    /// The table of a batch of `rows` rows. Without a plan, its columns are inferred at the end.
    #[must_use]
    pub fn new(plan: Option<Arc<ColumnPlan>>, casting: Casting, rows: usize) -> Self {
        let bins = plan.clone().map_or_else(Bins::seen, Bins::Planned);
        Self(Mutex::new(State {
            bins,
            order: BinOrder::default(),
            placed: plan
                .as_deref()
                .map_or_else(PlacedColumns::default, |plan| PlacedColumns::new(plan, rows)),
            table: plan.map(|plan| {
                let is_placed = |column| PlacedColumns::has(&plan, column);
                TableBuilder::beside(Arc::clone(&plan), BATCH_ROWS, false, is_placed)
            }),
            casting,
            codes: vec![NO_ANSWER; rows],
            meta: vec![[0; 2]; rows],
            blocks: (0..rows.div_ceil(BLOCK)).map(|_| None).collect(),
            next: 0,
            spare: Vec::new(),
            unmatched: Vec::new(),
            is_sealed: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to write rows, held for one frame; `None` once the table is sealed.
    #[must_use]
    pub fn lease(&self) -> Option<BatchLease<'_>> {
        let state = self.state();
        (!state.is_sealed).then_some(BatchLease(state))
    }

    /// Ends all writing.
    pub fn seal(&self) {
        self.state().is_sealed = true;
    }

    /// Ends all writing and completes the columns; rows without an answer get `code`. Called once.
    ///
    /// # Errors
    /// Columns that cannot be inferred.
    pub fn finish(&self, code: i32) -> Result<FilledBatch, TableError> {
        let mut state = self.state();
        state.is_sealed = true;
        for known in state.codes.iter_mut().filter(|known| **known == NO_ANSWER) {
            *known = code;
        }
        if state.table.is_none() {
            state.infer()?;
        }
        while state.next < state.blocks.len() {
            state.append_next();
        }
        let state = &mut *state;
        let Some(mut table) = state.table.take() else { return Err(TableError::Finished) };
        for name in std::mem::take(&mut state.unmatched) {
            table.note_unmatched(&name);
        }
        let (arrays, placed_report) = state.placed.finish()?;
        let (batches, report) = table.take_with(&arrays, placed_report)?;
        let (codes, meta) = (std::mem::take(&mut state.codes), std::mem::take(&mut state.meta));
        Ok(FilledBatch { plan: Arc::clone(table.plan()), batches, report, codes, meta })
    }
}

impl State {
    fn rows_of(&self, block: usize) -> usize {
        rows_of(self.codes.len(), block)
    }

    /// Appends the rows of the next block to the columns.
    fn append_next(&mut self) {
        let at = self.next;
        self.next += 1;
        let rows = self.rows_of(at);
        let Some(table) = &mut self.table else { return };
        let Some(block) = self.blocks.get_mut(at).and_then(Option::take) else {
            (0..rows).for_each(|_| table.push_null());
            return;
        };
        let is_planned = matches!(self.bins, Bins::Planned(_));
        let plan = Arc::clone(table.plan());
        for span in &block.spans {
            match (span, &self.bins) {
                (None, _) => table.push_null(),
                (Some(span), Bins::Seen { names, .. }) if !is_planned => {
                    let source = |number: u16| plan.source(names.get(usize::from(number))?);
                    table.push_packed(&plan, &block.rows, *span, source);
                }
                (Some(span), _) => table.push_packed(&plan, &block.rows, *span, |number| Some(number.into())),
            }
        }
        // A block of huge rows is not kept.
        if self.spare.len() < SPARE && block.rows.size() <= BLOCK * 1024 {
            self.spare.push(block);
        }
    }

    fn infer(&mut self) -> Result<(), TableError> {
        let rows = self.blocks.iter().enumerate().flat_map(|(at, block)| {
            let spans = block.iter().flat_map(|block| block.spans.iter().map(move |span| (block, *span)));
            let numbered = spans.enumerate();
            numbered.filter_map(move |(row, (block, span))| Some((at * BLOCK + row, block.rows.row(span?))))
        });
        let plan = inferred_plan(rows, &self.bins, self.casting)?;
        self.table = Some(TableBuilder::new(Arc::new(plan), BATCH_ROWS, false));
        Ok(())
    }
}

/// The right to write rows of a [`BatchTable`].
pub struct BatchLease<'a>(MutexGuard<'a, State>);

impl BatchLease<'_> {
    /// The number of rows of the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.codes.len()
    }

    /// Whether the table has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the answer for a row: the operations of its record, if the code is 0. False if the row has one already, or
    /// there is no such row.
    #[inline]
    pub fn write(&mut self, row: usize, answer: RowAnswer, ops: &[u8]) -> bool {
        let state = &mut *self.0;
        match (state.codes.get_mut(row), state.meta.get_mut(row)) {
            (Some(code), Some(meta)) if *code == NO_ANSWER => {
                *code = answer.code;
                *meta = [answer.generation, answer.ttl];
            }
            _ => return false,
        }
        let at = row / BLOCK;
        let State { bins, order, blocks, spare, unmatched, codes, placed, casting, .. } = state;
        let rows = rows_of(codes.len(), at);
        let Some(slot) = blocks.get_mut(at) else { return false };
        let block = slot.get_or_insert_with(|| {
            let mut block = spare.pop().unwrap_or_default();
            block.reset(rows);
            block
        });
        if answer.code == 0 {
            let ignored = |name: &[u8]| note(unmatched, name);
            let span =
                block.rows.push(ops, (bins, order), ignored, |bin, op| placed.put(bin, row, op, *casting));
            if let Some(place) = block.spans.get_mut(row % BLOCK) {
                *place = Some(span);
            }
        }
        block.done += 1;
        let is_complete = block.done == rows;
        if is_complete && state.table.is_some() {
            state.append_complete();
        }
        true
    }
}

impl State {
    /// Appends the blocks that are complete and whose turn it is.
    #[cold]
    fn append_complete(&mut self) {
        loop {
            let rows = self.rows_of(self.next);
            let is_complete = self
                .blocks
                .get(self.next)
                .is_some_and(|block| block.as_ref().is_some_and(|b| b.done == rows));
            if !is_complete {
                return;
            }
            self.append_next();
        }
    }
}

/// The columns of numbers, bools and times, for all rows of a batch.
#[derive(Default)]
struct PlacedColumns {
    /// By the number of the bin.
    by_bin: Vec<Option<PlacedColumn>>,
    report: TableReport,
    /// The number of columns of the plan.
    columns: usize,
}

struct PlacedColumn {
    values: Box<dyn Placed>,
    /// Its place among the columns.
    column: usize,
    name: Box<str>,
    /// The row that came last, for bins that come twice in a record.
    last: usize,
}

impl std::fmt::Debug for PlacedColumns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlacedColumns").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl PlacedColumns {
    fn new(plan: &ColumnPlan, rows: usize) -> Self {
        let by_bin = (0..plan.bin_count()).map(|bin| {
            let column = plan.only_column(bin)?;
            let field = plan.schema().fields().get(column)?;
            let values = placed(field.data_type(), rows)?;
            Some(PlacedColumn { values, column, name: field.name().as_str().into(), last: usize::MAX })
        });
        Self {
            by_bin: by_bin.collect(),
            report: TableReport::default(),
            columns: plan.schema().fields().len(),
        }
    }

    /// Whether the values of a column of the plan are placed.
    fn has(plan: &ColumnPlan, column: usize) -> bool {
        (0..plan.bin_count()).any(|bin| plan.only_column(bin) == Some(column))
            && plan.schema().fields().get(column).is_some_and(|field| placed(field.data_type(), 0).is_some())
    }

    /// Puts the value of a bin into its place. False if the bin has none.
    #[inline]
    fn put(&mut self, bin: u16, row: usize, op: &Op<'_>, casting: Casting) -> bool {
        let Some(Some(place)) = self.by_bin.get_mut(usize::from(bin)) else { return false };
        // The first value of a record counts.
        if std::mem::replace(&mut place.last, row) == row {
            return true;
        }
        let outcome = match Value::of_particle(op.particle_type, op.value) {
            Ok(Value::Number(number)) => place.values.put(row, number, casting),
            Ok(Value::Nil) => Ok(0),
            Ok(_) => Err(Misfit::TypeNotTaken { takes: place.values.takes() }),
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(0) => {}
            Ok(changed) => self.report.count_changed(&place.name, changed),
            Err(misfit) => {
                let (column, bin_type) = (place.name.clone(), bin_type(op.particle_type, op.value));
                self.report.fail_any(ColumnFailure { row, column, bin_type, misfit });
            }
        }
        true
    }

    /// The arrays by their columns, and what did not fit.
    fn finish(&mut self) -> Result<(Vec<Option<ArrayRef>>, TableReport), TableError> {
        let mut arrays = vec![None; self.columns];
        for place in self.by_bin.iter_mut().flatten() {
            if let Some(array) = arrays.get_mut(place.column) {
                *array = Some(place.values.finish()?);
            }
        }
        Ok((arrays, std::mem::take(&mut self.report)))
    }
}

/// The number of rows in a block.
fn rows_of(rows: usize, block: usize) -> usize {
    rows.saturating_sub(block * BLOCK).min(BLOCK)
}

#[cold]
fn note(unmatched: &mut Vec<Box<[u8]>>, name: &[u8]) {
    if unmatched.len() < 64 && !unmatched.iter().any(|known| **known == *name) {
        unmatched.push(name.into());
    }
}
