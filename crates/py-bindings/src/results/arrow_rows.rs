//! The sink of a query into Arrow columns: records become rows where they are read, and blocks are handed over in
//! order.
//!
//! Records wait in [`RecordSink::room`] while a block waits to be taken, and nothing is read meanwhile, so the nodes
//! wait as well. If all records are read into one result, its blocks are kept, and there is always room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aero_io::{Error, PARTITIONS, QueryRecord, RecordPosition, RecordSink, RecordWriter, partition_id};
use arrow_columns::{QueryBlock, QueryTable, TableError};

use crate::call::Seal;
use crate::call::runtime::Notify;
use crate::results::query_rows::wait_for;

/// Blocks that may wait to be taken.
const AHEAD: usize = 1;

/// A block that is ready.
pub(crate) struct ReadyColumns {
    pub(crate) block: QueryBlock,
    /// The partitions whose last records are in this block or before.
    pub(crate) finished: Vec<u16>,
    /// The last record of each partition that has records in the block.
    pub(crate) last: Vec<RecordPosition>,
}

pub(crate) struct ArrowQueryRows {
    /// Whether all records are one block.
    is_whole: bool,
    state: Mutex<State>,
    /// There may be room for records.
    has_room: Notify,
    /// A block is ready, or the query has ended.
    is_ready: Notify,
}

struct State {
    table: QueryTable,
    ready: VecDeque<ReadyColumns>,
    /// The index value of the last record of each partition in the open block, if the query has a predicate.
    index_values: HashMap<u16, i64>,
    /// Partitions that are complete, but for the blocks that wait.
    finished: Vec<u16>,
    /// How the query ended.
    outcome: Option<Result<(), Error>>,
    /// Columns could not be inferred.
    failure: Option<TableError>,
    is_closed: bool,
}

impl ArrowQueryRows {
    pub(crate) fn new(table: QueryTable, is_whole: bool) -> Self {
        Self {
            is_whole,
            state: Mutex::new(State {
                table,
                ready: VecDeque::new(),
                index_values: HashMap::new(),
                finished: Vec::new(),
                outcome: None,
                failure: None,
                is_closed: false,
            }),
            has_room: Notify::new(),
            is_ready: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of how the query ended. The last block is ready then; one without records, if there is no other and
    /// the result is one block.
    pub(crate) fn end(&self, outcome: Result<(), Error>) {
        let mut state = self.state();
        if state.is_closed || state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        if self.is_whole || !state.table.is_empty() {
            state.end_block();
        }
        drop(state);
        self.is_ready.notify_waiters();
    }

    /// Ends all writing, without an outcome.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        // The partitions that are complete have records in blocks that are not given any more.
        state.ready.clear();
        state.finished.clear();
        drop(state);
        self.has_room.notify_waiters();
        self.is_ready.notify_waiters();
    }

    /// Waits until a block is ready or the query has ended.
    pub(crate) async fn ready(&self) {
        wait_for(&self.is_ready, || {
            let state = self.state();
            let is_over = state.outcome.is_some() || state.is_closed || state.failure.is_some();
            (is_over || !state.ready.is_empty()).then_some(())
        })
        .await;
    }

    /// The next block, if one is ready.
    pub(crate) fn take(&self) -> Option<ReadyColumns> {
        let block = self.state().ready.pop_front();
        self.has_room.notify_waiters();
        block
    }

    /// A block without records, for a query that has none.
    pub(crate) fn take_empty(&self) -> Result<QueryBlock, TableError> {
        self.state().table.take()
    }

    /// How the query ended; `None` if it has not. Takes an error out.
    pub(crate) fn take_outcome(&self) -> Option<Result<(), Error>> {
        let mut state = self.state();
        let taken = state.outcome.take();
        if taken.is_some() {
            state.outcome = Some(Ok(()));
        }
        taken
    }

    /// Why there are no columns, if so.
    pub(crate) fn failure(&self) -> Option<TableError> {
        self.state().failure.clone()
    }

    /// Partitions that are complete and not in a block.
    pub(crate) fn take_finished(&self) -> Vec<u16> {
        std::mem::take(&mut self.state().finished)
    }
}

impl State {
    /// Makes the open block ready.
    fn end_block(&mut self) {
        let block = match self.table.take() {
            Ok(block) => block,
            Err(error) => {
                self.failure = Some(error);
                return;
            }
        };
        let mut place = vec![u32::MAX; PARTITIONS];
        let mut last: Vec<RecordPosition> = Vec::new();
        let index_values = std::mem::take(&mut self.index_values);
        for digest in block.digests.iter() {
            let partition = partition_id(&digest);
            let at = &mut place[partition];
            match last.get_mut(*at as usize) {
                Some(last) => last.digest = digest,
                None => {
                    *at = last.len() as u32;
                    let index_value = index_values.get(&(partition as u16)).copied().unwrap_or(0);
                    last.push(RecordPosition { digest, index_value });
                }
            }
        }
        let finished = std::mem::take(&mut self.finished);
        self.ready.push_back(ReadyColumns { block, finished, last });
    }

    /// Whether there is room for a record.
    fn has_room(&self) -> bool {
        !self.is_closed && self.failure.is_none() && self.ready.len() < AHEAD
    }
}

/// Appends records to the open block.
pub(crate) struct ColumnWriter<'a> {
    state: MutexGuard<'a, State>,
    is_whole: bool,
}

impl RecordWriter for ColumnWriter<'_> {
    #[inline]
    fn record(&mut self, record: &QueryRecord<'_>) -> bool {
        let state = &mut *self.state;
        if !state.has_room() {
            return false;
        }
        if let Err(error) = state.table.push(record) {
            state.failure = Some(error);
            return false;
        }
        if let Some(index_value) = record.index_value {
            state.index_values.insert(partition_id(record.digest) as u16, index_value);
        }
        if !self.is_whole && state.table.is_full() {
            state.end_block();
        }
        true
    }
}

impl RecordSink for ArrowQueryRows {
    type Writer<'a> = ColumnWriter<'a>;

    fn fill<T>(&self, write: impl FnOnce(&mut ColumnWriter<'_>) -> T) -> Option<T> {
        let state = self.state();
        if !state.has_room() {
            return None;
        }
        let before = state.ready.len();
        let mut writer = ColumnWriter { state, is_whole: self.is_whole };
        let result = write(&mut writer);
        let is_news = writer.state.ready.len() > before || writer.state.failure.is_some();
        drop(writer);
        if is_news {
            self.is_ready.notify_waiters();
        }
        Some(result)
    }

    async fn room(&self) -> bool {
        wait_for(&self.has_room, || {
            let state = self.state();
            if state.is_closed || state.failure.is_some() {
                return Some(false);
            }
            state.has_room().then_some(true)
        })
        .await
    }

    fn finish(&self, partitions: Vec<u16>) {
        let mut state = self.state();
        if !state.is_closed {
            state.finished.extend(partitions);
        }
    }
}

impl Seal for ArrowQueryRows {
    fn seal(&self) {
        self.close();
    }
}
