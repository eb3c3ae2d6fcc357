//! The thread that reads a stream of record batches.
//!
//! A stream blocks while its producer works, and may run Python code, for which it takes the GIL. So it has a thread
//! of its own, neither the caller's nor one of the runtime's. It reads ahead of what is sent, up to [`QUEUED_ROWS`].

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arrow_columns::encode::{ReadError, RowReader, RowsToWrite};

use crate::call::{panic_message, runtime::Notify};
use crate::python::gil_threads::MayTakeGil;

/// Most rows that are sent as one batch.
const BATCH_ROWS: usize = 65_536;

/// The thread waits while this many rows are ready.
const QUEUED_ROWS: usize = BATCH_ROWS;

/// Why no more rows come.
#[derive(Clone, Debug)]
pub(super) enum SourceEnd {
    /// The stream or a value.
    Failed(ReadError),
    /// The import of an array that its producer has made wrong.
    Panicked(String),
}

impl fmt::Display for SourceEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Panicked(message) => write!(f, "data: its next record batch cannot be read: {message}"),
        }
    }
}

#[derive(Default)]
struct State {
    ready: VecDeque<RowsToWrite>,
    /// The number of rows in `ready`.
    rows: usize,
    /// How the stream ended, once it has.
    end: Option<Result<(), SourceEnd>>,
    is_closed: bool,
}

/// The rows of a stream that are ready to be sent.
#[derive(Default)]
pub(super) struct Source {
    state: Mutex<State>,
    /// Wakes the thread: there is room, or the source is closed.
    has_room: Condvar,
    /// Wakes the call: there are rows, or the stream has ended.
    has_news: Notify,
}

impl Source {
    /// Starts to read.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(rows: RowReader) -> std::io::Result<Arc<Self>> {
        let source = Arc::new(Self::default());
        let reading = Arc::clone(&source);
        std::thread::Builder::new().name("aerospike-arrow".into()).spawn(move || reading.read_all(rows))?;
        Ok(source)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads to the end, or until the source is closed. The stream is released before the end is known.
    fn read_all(&self, mut rows: RowReader) {
        let end = loop {
            let is_closed = self.wait_for_room();
            // What the stream does, its release too, may run Python.
            let Some(_may_take_gil) = MayTakeGil::enter() else {
                std::mem::forget(rows);
                return;
            };
            let end = if is_closed { Some(Ok(())) } else { self.read(&mut rows) };
            if let Some(end) = end {
                _ = catch_unwind(AssertUnwindSafe(|| drop(rows)));
                break end;
            }
        };
        self.state().end = Some(end);
        self.has_news.notify_one();
    }

    /// Waits until there is room for more rows, or the source is closed. Returns whether it is closed.
    fn wait_for_room(&self) -> bool {
        let is_full = |state: &mut State| !state.is_closed && state.rows >= QUEUED_ROWS;
        let state = self.has_room.wait_while(self.state(), is_full);
        state.unwrap_or_else(PoisonError::into_inner).is_closed
    }

    /// Reads a record batch. Returns how the stream has ended, if it has.
    fn read(&self, rows: &mut RowReader) -> Option<Result<(), SourceEnd>> {
        let parts = match catch_unwind(AssertUnwindSafe(|| rows.next_rows(BATCH_ROWS))) {
            Ok(Some(Ok(parts))) => parts,
            Ok(Some(Err(error))) => return Some(Err(SourceEnd::Failed(error))),
            Ok(None) => return Some(Ok(())),
            Err(panic) => return Some(Err(SourceEnd::Panicked(panic_message(&*panic)))),
        };
        let mut state = self.state();
        if state.is_closed {
            // Released without the lock: releasing may wait for the GIL.
            drop(state);
            return Some(Ok(()));
        }
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            state.rows = state.rows.saturating_add(part.len());
            state.ready.push_back(part);
        }
        drop(state);
        self.has_news.notify_one();
        None
    }

    /// The rows that are ready, up to [`BATCH_ROWS`]; `None` at the end of the stream.
    ///
    /// # Errors
    /// What ended the stream, after the rows before.
    pub(super) async fn next(&self) -> Result<Option<Vec<RowsToWrite>>, SourceEnd> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            // Keeps a notification that comes between the look and the wait.
            self.has_news.notified().await;
        }
    }

    fn take(&self) -> Option<Result<Option<Vec<RowsToWrite>>, SourceEnd>> {
        let mut state = self.state();
        let (mut parts, mut rows) = (Vec::new(), 0usize);
        while let Some(part) = state.ready.front() {
            rows = rows.saturating_add(part.len());
            if rows > BATCH_ROWS && !parts.is_empty() {
                break;
            }
            let Some(part) = state.ready.pop_front() else { break };
            state.rows = state.rows.saturating_sub(part.len());
            parts.push(part);
        }
        if !parts.is_empty() {
            drop(state);
            self.has_room.notify_one();
            return Some(Ok(Some(parts)));
        }
        state.end.clone().map(|end| end.map(|()| None))
    }

    /// Stops reading and releases what is ready. A read that has begun ends first, on its thread.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        let ready = std::mem::take(&mut state.ready);
        drop(state);
        self.has_room.notify_one();
        drop(ready);
    }
}
