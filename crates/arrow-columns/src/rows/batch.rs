//! The rows of a batch, which come in any order, into columns in order.
//!
//! Rows are packed as they come, in blocks of [`BLOCK`]. When a block is complete, and those before it are, its rows are
//! appended to the columns and its memory is used for the next one. A batch asks for its rows roughly in order, so few
//! blocks are open at once, and the packed bytes stay in the CPU's caches.
//!
//! Without a plan, all rows stay packed until the end, when their columns are inferred.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use record_decode::Casting;

use super::BATCH_ROWS;
use super::packed::{BinOrder, Bins, PackedRows, RowSpan};
use super::query::{TableError, inferred_plan};
use super::report::TableReport;
use super::table::TableBuilder;
use crate::schema::ColumnPlan;

/// The rows of a block.
const BLOCK: usize = 4096;

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
            table: plan.map(|plan| TableBuilder::new(plan, BATCH_ROWS, false)),
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
        let (batches, report) = table.take()?;
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
        let State { bins, order, blocks, spare, unmatched, codes, .. } = state;
        let rows = rows_of(codes.len(), at);
        let Some(slot) = blocks.get_mut(at) else { return false };
        let block = slot.get_or_insert_with(|| {
            let mut block = spare.pop().unwrap_or_default();
            block.reset(rows);
            block
        });
        if answer.code == 0 {
            let span = block.rows.push(ops, (bins, order), |name| note(unmatched, name));
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
