//! The rows of a batch, which come in any order, into columns in order.
//!
//! Numbers, bools and times are put in their places as they come: their columns have a place for each row. Other values
//! wait in blocks of [`BLOCK_ROWS`]. When a block is complete, and those before it are, its rows are
//! appended to the columns and its memory is used for the next one. A batch asks for its rows roughly in order, so few
//! blocks are open at once, and their bytes stay in the CPU's caches.
//!
//! Without a plan, all rows stay packed until the end, when their columns are inferred.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use record_decode::Casting;

use super::BATCH_ROWS;
use super::answers::{Answers, RecordMeta, RowValues};
use super::arrival::Arrivals;
use super::bin_order::BinOrder;
use super::block::Block;
use super::packed::Bins;
use super::query::{TableError, inferred_plan};
use super::report::TableReport;
use super::table::TableBuilder;
use crate::schema::ColumnPlan;

/// The rows of a block.
const BLOCK_ROWS: usize = 1024;

/// Blocks whose memory is kept for later ones, and for later batches.
const SPARE: usize = 16;

/// The most bytes of a block that is kept.
const MOST_KEPT: usize = BLOCK_ROWS * 512;

/// The most bytes of blocks that are kept for later batches.
const MOST_KEPT_IN_ALL: usize = 4 << 20;

/// The blocks of batches that have ended. Never blocks: a forked child may inherit a held lock.
static KEPT: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// Frees the memory that is kept for later batches.
pub(crate) fn free_kept_blocks() {
    drop(KEPT.try_lock().map(|mut kept| std::mem::take(&mut *kept)));
}

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
    pub codes: RowValues<i32>,
    /// Generation and seconds to live of each row.
    pub meta: RecordMeta,
}

#[derive(Debug)]
struct State {
    bins: Bins,
    order: BinOrder,
    arrivals: Arrivals,
    table: Option<TableBuilder>,
    casting: Casting,
    rows: usize,
    answers: Answers,
    /// Empty if no values wait.
    blocks: Vec<Option<Block>>,
    /// The first block whose rows are not in the columns.
    next: usize,
    spare: Vec<Block>,
    unmatched: Vec<Box<[u8]>>,
    has_record: bool,
    is_sealed: bool,
    /// There was no memory for a value. Later ones are not kept.
    has_no_memory: bool,
}

impl BatchTable {
    /// The table of a batch of `rows` rows. Without a plan, its columns are inferred at the end.
    ///
    /// # Errors
    /// There is no memory for the columns that have a place for each row.
    pub fn new(plan: Option<Arc<ColumnPlan>>, casting: Casting, rows: usize) -> Result<Self, TableError> {
        let arrivals = match plan.as_deref() {
            Some(plan) => Arrivals::new(plan, rows).map_err(|_| TableError::NoMemory)?,
            None => Arrivals::packed(),
        };
        let blocks = if arrivals.has_waiting() { rows.div_ceil(BLOCK_ROWS) } else { 0 };
        let table = plan.clone().map(|plan| {
            let placed = arrivals.placed_columns();
            TableBuilder::beside(plan, BATCH_ROWS, rows, &placed, arrivals.cell_columns())
        });
        Ok(Self(Mutex::new(State {
            bins: plan.map_or_else(Bins::seen, Bins::Planned),
            order: BinOrder::default(),
            arrivals,
            table,
            casting,
            rows,
            answers: Answers::new(rows),
            blocks: (0..blocks).map(|_| None).collect(),
            next: 0,
            spare: KEPT.try_lock().map_or_else(|_| Vec::new(), |mut kept| std::mem::take(&mut *kept)),
            unmatched: Vec::new(),
            has_record: false,
            is_sealed: false,
            has_no_memory: false,
        })))
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
        let (codes, meta) = state.answers.finish(code);
        if state.table.is_none() && !state.has_no_memory {
            state.infer()?;
        }
        while state.next < state.blocks.len() && !state.has_no_memory {
            state.append_next();
        }
        if state.has_no_memory {
            return Err(TableError::NoMemory);
        }
        let state = &mut *state;
        let Some(mut table) = state.table.take() else { return Err(TableError::Finished) };
        if state.blocks.is_empty() {
            table.push_placed_rows(state.rows);
        }
        if state.has_record {
            table.note_record();
        }
        for name in std::mem::take(&mut state.unmatched) {
            table.note_unmatched(&name);
        }
        let (arrays, placed_report) = state.arrivals.finish()?;
        let (batches, report) = table.take_with(&arrays, placed_report)?;
        Ok(FilledBatch { plan: Arc::clone(table.plan()), batches, report, codes, meta })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Ok(mut kept) = KEPT.try_lock()
            && kept.is_empty()
        {
            let mut size = 0;
            kept.extend(self.spare.drain(..).take_while(|block| {
                size += block.size();
                size <= MOST_KEPT_IN_ALL
            }));
        }
    }
}

impl State {
    /// Appends the rows of the next block to the columns.
    fn append_next(&mut self) {
        let at = self.next;
        self.next += 1;
        let block = self.blocks.get_mut(at).and_then(Option::take).unwrap_or_else(|| {
            // No row of it has come.
            let mut block = self.spare.pop().unwrap_or_default();
            block.reset(rows_of(self.rows, at), self.arrivals.cell_columns().len(), false);
            block
        });
        let Some(table) = &mut self.table else { return };
        let plan = Arc::clone(table.plan());
        let columns = (self.arrivals.cell_columns(), self.arrivals.has_packed());
        match &self.bins {
            Bins::Planned(_) => table.push_block(&plan, &block, columns, |number| Some(number.into())),
            Bins::Seen { names, .. } => table
                .push_block(&plan, &block, columns, |number| plan.source(names.get(usize::from(number))?)),
        }
        if table.has_no_memory() {
            self.give_up();
            return;
        }
        // A block of huge rows is not kept.
        if self.spare.len() < SPARE && block.size() <= MOST_KEPT {
            self.spare.push(block);
        }
    }

    /// Frees what there is, since there is no memory for the rest.
    #[cold]
    fn give_up(&mut self) {
        self.has_no_memory = true;
        self.table = None;
        self.blocks.clear();
        self.spare.clear();
    }

    fn infer(&mut self) -> Result<(), TableError> {
        let rows = self.blocks.iter().enumerate().flat_map(|(at, block)| {
            let spans = block.iter().flat_map(|block| (0..block.len()).map(move |row| (block, row)));
            spans.filter_map(move |(block, row)| {
                Some((at * BLOCK_ROWS + row, block.packed.row(block.span(row)?)))
            })
        });
        let plan = inferred_plan(rows, &self.bins, self.casting)?;
        self.table = Some(TableBuilder::beside(Arc::new(plan), BATCH_ROWS, self.rows, &[], &[]));
        Ok(())
    }
}

/// The right to write rows of a [`BatchTable`].
pub struct BatchLease<'a>(MutexGuard<'a, State>);

impl BatchLease<'_> {
    /// The number of rows of the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.rows
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
        if !state.answers.take(row, (answer.code, answer.generation, answer.ttl)) {
            return false;
        }
        if state.has_no_memory {
            return true;
        }
        let State { bins, order, arrivals, blocks, spare, unmatched, rows, casting, .. } = state;
        let (at, in_block) = (row / BLOCK_ROWS, row % BLOCK_ROWS);
        let mut block = blocks.get_mut(at).map(|slot| {
            slot.get_or_insert_with(|| {
                let mut block = spare.pop().unwrap_or_default();
                let rows = rows_of(*rows, at);
                block.reset(rows, arrivals.cell_columns().len(), arrivals.has_packed());
                block
            })
        });
        let mut start = None;
        if answer.code == 0 {
            state.has_record = true;
            start = block.as_deref().map(|block| block.packed.len());
            let (mut rest, mut place) = (ops, 0);
            while let Some(bin) = order.next(&mut place, &mut rest, |name| bins.number(name)) {
                let Some(number) = bin.number else {
                    note(unmatched, bin.name);
                    continue;
                };
                let value = (number, bin.kind, bin.value);
                if !arrivals.put(value, row, (block.as_deref_mut(), in_block), *casting) {
                    state.give_up();
                    return true;
                }
            }
        }
        let Some(block) = block else { return true };
        block.finish_row(in_block, start);
        if block.is_complete() && state.table.is_some() {
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
            let block = self.blocks.get(self.next).and_then(Option::as_ref);
            let is_complete = block.is_some_and(Block::is_complete);
            if !is_complete {
                return;
            }
            self.append_next();
        }
    }
}

/// The number of rows in a block.
fn rows_of(rows: usize, block: usize) -> usize {
    rows.saturating_sub(block * BLOCK_ROWS).min(BLOCK_ROWS)
}

#[cold]
fn note(unmatched: &mut Vec<Box<[u8]>>, name: &[u8]) {
    if unmatched.len() < 64 && !unmatched.iter().any(|known| **known == *name) {
        unmatched.push(name.into());
    }
}
