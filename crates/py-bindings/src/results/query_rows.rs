//! The sink of a query into arrays: blocks of rows that are filled where records are read, and handed over in order.
//!
//! | state | event | next state |
//! | --- | --- | --- |
//! | no block | a record comes, and fewer than [`AHEAD`] blocks wait | a block is open |
//! | | the same, into a user's array | no block, until the next one is asked for |
//! | a block is open | it is complete | the block waits; no block |
//! | | it is complete, and the result is one array | a block is open, over twice as many rows |
//! | | the query has ended | the block waits |
//! | any | closed | closed: no record is accepted |
//!
//! Readers that find no block wait in [`RecordSink::room`], and read nothing meanwhile, so the nodes wait as well.

use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aero_io::{Error, PARTITIONS, QueryRecord, RecordPosition, RecordSink, RecordWriter, partition_id};
use record_decode::BlockLease;

use crate::arrays::space::{FilledRows, RowSpace, SpaceSettings};
use crate::call::Seal;
use crate::call::runtime::Notify;

/// Blocks that may wait to be taken, while the next one is filled.
const AHEAD: usize = 1;

/// Rows of the first block, if the result is one array. Memory that no record needs is not touched.
const FIRST_ROWS: usize = 4096;

/// Rows for which a block has memory at first. A larger one grows.
const FIRST_BLOCK: usize = 65_536;

/// The form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One array.
    Whole,
    /// Blocks of so many rows.
    Blocks(usize),
    /// Blocks in a user's array.
    Out,
}

/// A block that is ready.
pub(crate) struct ReadyBlock {
    pub(crate) rows: FilledRows,
    /// The partitions whose last records are in this block or before.
    pub(crate) finished: Vec<u16>,
    /// The last record of each partition that has records in the block.
    pub(crate) last: Vec<RecordPosition>,
}

pub(crate) struct QueryRows {
    settings: Arc<SpaceSettings>,
    form: Form,
    state: Mutex<State>,
    /// There may be room for records.
    has_room: Notify,
    /// A block is ready, or the query has ended.
    is_ready: Notify,
    /// The index value of the last record of each partition in the open block, if the query has a predicate. It has a
    /// lock of its own, which is taken last: writers add to it while they hold a lease, and closing waits for leases
    /// with the state locked.
    index_values: Mutex<HashMap<u16, i64>>,
}

#[derive(Default)]
struct State {
    space: Option<RowSpace>,
    ready: VecDeque<ReadyBlock>,
    /// Partitions that are complete, but for the blocks that wait.
    finished: Vec<u16>,
    /// How the query ended.
    outcome: Option<Result<(), Error>>,
    is_closed: bool,
    /// There was no memory for another row.
    is_out_of_memory: bool,
}

impl QueryRows {
    pub(crate) fn new(settings: SpaceSettings, form: Form) -> Self {
        Self {
            settings: Arc::new(settings),
            form,
            state: Mutex::default(),
            has_room: Notify::new(),
            is_ready: Notify::new(),
            index_values: Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Arc<SpaceSettings> {
        &self.settings
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a block over a user's array, unless one is open or ready already.
    pub(crate) fn offer(&self, make: impl FnOnce() -> Option<RowSpace>) {
        let mut state = self.state();
        if state.space.is_none() && state.ready.is_empty() && state.outcome.is_none() {
            state.space = make();
            state.is_out_of_memory |= state.space.is_none();
            drop(state);
            self.has_room.notify_waiters();
        }
    }

    /// Opens a block if there is none and there may be one. False if there is no room for a record.
    fn open(&self, state: &mut State) -> bool {
        if state.space.is_none() && state.ready.len() < AHEAD && !state.is_out_of_memory {
            state.space = match self.form {
                Form::Whole => RowSpace::new(&self.settings, FIRST_ROWS),
                Form::Blocks(rows) => RowSpace::new(&self.settings, rows.min(FIRST_BLOCK)),
                Form::Out => return false,
            };
            state.is_out_of_memory = state.space.is_none();
        }
        state.space.as_ref().and_then(RowSpace::block).is_some_and(|block| !block.is_full())
    }

    /// Handles a block that is complete.
    fn complete(&self) {
        let mut state = self.state();
        let most = match self.form {
            Form::Whole => usize::MAX,
            Form::Blocks(rows) => rows,
            Form::Out => 0,
        };
        // Closed meanwhile.
        let Some(space) = &mut state.space else { return };
        let has_grown = space.len() < most && space.grow(most);
        match self.form {
            _ if has_grown => {}
            Form::Whole => state.is_out_of_memory = true,
            // Maybe a smaller block than asked for: there will be memory again when it is dropped.
            _ => state.close_space(&self.index_values),
        }
        drop(state);
        self.has_room.notify_waiters();
        self.is_ready.notify_waiters();
    }

    /// Takes note of how the query ended.
    pub(crate) fn end(&self, outcome: Result<(), Error>) {
        let mut state = self.state();
        if state.is_closed {
            return;
        }
        state.outcome.get_or_insert(outcome);
        state.close_space(&self.index_values);
        drop(state);
        self.is_ready.notify_waiters();
    }

    /// Ends all writing, without an outcome.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        // Seals the block. The partitions that are complete have records in blocks that are not given any more.
        state.space = None;
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
            let is_over = state.outcome.is_some() || state.is_closed || state.is_out_of_memory;
            (is_over || !state.ready.is_empty()).then_some(())
        })
        .await;
    }

    /// The next block, if one is ready.
    pub(crate) fn take(&self) -> Option<ReadyBlock> {
        let block = self.state().ready.pop_front();
        self.has_room.notify_waiters();
        block
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

    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.state().is_out_of_memory
    }

    /// Partitions that are complete and not in a block.
    pub(crate) fn take_finished(&self) -> Vec<u16> {
        std::mem::take(&mut self.state().finished)
    }
}

impl State {
    /// Makes the open block ready, if it has records.
    fn close_space(&mut self, index_values: &Mutex<HashMap<u16, i64>>) {
        let space = self.space.take().filter(|space| space.len() > 0);
        let Some(rows) = space.and_then(RowSpace::finish) else { return };
        let mut place = vec![u32::MAX; PARTITIONS];
        let mut last: Vec<RecordPosition> = Vec::new();
        let index_values = std::mem::take(&mut *index_values.lock().unwrap_or_else(PoisonError::into_inner));
        rows.each_digest(|digest| {
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
        });
        self.ready.push_back(ReadyBlock { rows, finished: std::mem::take(&mut self.finished), last });
    }
}

/// Waits until `look` returns something. It is called again after each notification.
pub(crate) async fn wait_for<T>(changed: &Notify, mut look: impl FnMut() -> Option<T>) -> T {
    let mut notified = pin!(changed.notified());
    loop {
        // Registered before the state is read, so that a change in between is not missed.
        notified.as_mut().enable();
        if let Some(found) = look() {
            return found;
        }
        notified.as_mut().await;
        notified.set(changed.notified());
    }
}

/// Writes into the open block.
pub(crate) struct RowWriter<'a> {
    lease: BlockLease<'a>,
    /// The index values of records that were written, by partition; the last one of a partition counts.
    index_values: Vec<(u16, i64)>,
}

impl RecordWriter for RowWriter<'_> {
    #[inline]
    fn record(&mut self, record: &QueryRecord<'_>) -> bool {
        if !self.lease.append(record) {
            return false;
        }
        if let Some(index_value) = record.index_value {
            let partition = partition_id(record.digest) as u16;
            match self.index_values.last_mut() {
                Some(last) if last.0 == partition => last.1 = index_value,
                _ => self.index_values.push((partition, index_value)),
            }
        }
        true
    }
}

impl RecordSink for QueryRows {
    type Writer<'a> = RowWriter<'a>;

    fn fill<T>(&self, write: impl FnOnce(&mut RowWriter<'_>) -> T) -> Option<T> {
        let block = {
            let mut state = self.state();
            if state.is_closed || !self.open(&mut state) {
                return None;
            }
            Arc::clone(state.space.as_ref()?.block()?)
        };
        let mut writer = RowWriter { lease: block.lease()?, index_values: Vec::new() };
        let result = write(&mut writer);
        let RowWriter { lease, index_values } = writer;
        if !index_values.is_empty() {
            // Before the lease ends: the block can only be handed over then.
            self.index_values.lock().unwrap_or_else(PoisonError::into_inner).extend(index_values);
        }
        if lease.end() {
            self.complete();
        }
        Some(result)
    }

    async fn room(&self) -> bool {
        wait_for(&self.has_room, || {
            let mut state = self.state();
            if state.is_closed {
                return Some(false);
            }
            if state.is_out_of_memory {
                drop(state);
                self.is_ready.notify_waiters();
                return Some(false);
            }
            self.open(&mut state).then_some(true)
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

impl Seal for QueryRows {
    fn seal(&self) {
        self.close();
    }
}
