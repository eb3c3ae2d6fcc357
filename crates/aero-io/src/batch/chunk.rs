//! One request of a batch: some rows, one node, one connection.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::time::Instant;
use wire_protocol::ResultCode;

use crate::batch::attempt::Attempt;
use crate::batch::call::BatchCall;
use crate::command::exchange::{self, Exchange, Received, Unanswered};
use crate::error::{Error, Fault};
use crate::net::timer::Timer;
use crate::node::Node;

/// Rows that a node is sent in one request.
pub(crate) struct Chunk {
    pub(crate) node: Arc<Node>,
    /// The chunk's rows are those in `range`. Their answers carry their positions within it.
    pub(crate) rows: Arc<Vec<u32>>,
    pub(crate) range: Range<usize>,
    pub(crate) attempt: Attempt,
    /// When it first got a permit to use a connection.
    started: OnceLock<Instant>,
    /// Rows that its own answer settled.
    pub(crate) settled: AtomicUsize,
    /// Whether another request contains rows of it, too.
    is_contested: AtomicBool,
    /// Whether its rows were reassigned before it got a permit.
    is_abandoned: AtomicBool,
}

impl Chunk {
    pub(crate) fn new(node: Arc<Node>, rows: Arc<Vec<u32>>, range: Range<usize>, attempt: Attempt) -> Self {
        Self {
            node,
            rows,
            range,
            attempt,
            started: OnceLock::new(),
            settled: AtomicUsize::new(0),
            is_contested: AtomicBool::new(false),
            is_abandoned: AtomicBool::new(false),
        }
    }

    /// When it first got a permit to use a connection; `None` while it waits.
    pub(crate) fn started(&self) -> Option<Instant> {
        self.started.get().copied()
    }

    /// Records that another request contains rows of it, too.
    pub(crate) fn contest(&self) {
        self.is_contested.store(true, Ordering::Relaxed);
    }

    /// Whether another request contains or contained rows of it.
    pub(crate) fn is_contested(&self) -> bool {
        self.is_contested.load(Ordering::Relaxed) && !self.is_abandoned.load(Ordering::Relaxed)
    }

    /// Ends it, with nothing sent, as soon as it gets a permit.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn rows(&self) -> &[u32] {
        self.rows.get(self.range.clone()).unwrap_or_default()
    }

    pub(crate) fn has_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed) > 0
    }

    /// Whether its own answer settled all rows.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed) == self.range.len()
    }
}

/// How a chunk ended.
pub(crate) struct FinishedChunk {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) end: ChunkEnd,
    /// Whether any byte was sent: rows that are open may have been applied.
    pub(crate) any_sent: bool,
    /// Rows with a code that is not final, or that another request may still answer.
    pub(crate) deferred: Vec<(u32, ResultCode)>,
}

pub(crate) enum ChunkEnd {
    /// The answer ended with this code, which applies to all rows that it left out.
    Code(ResultCode),
    Fault(Fault),
    /// Nothing was sent: other requests have the rows.
    Abandoned,
    /// The sink takes no more rows.
    Sealed,
    /// The request cannot be sent, or the sink has no such row.
    Refused(Error),
}

/// Sends a chunk's request and hands the answers to the sink.
pub(crate) async fn run(call: &BatchCall, chunk: Arc<Chunk>) -> FinishedChunk {
    let mut timer = Timer::new(call.deadline, call.policy().limits.socket_timeout);
    let mut buffers = call.inner.buffers.take_for_batch();
    let mut exchange = ChunkExchange { call, chunk: &chunk, deferred: Vec::new() };
    let (end, any_sent) = match exchange::run(&mut exchange, &chunk.node, &mut buffers, &mut timer).await {
        Ok((code, ())) => (ChunkEnd::Code(code), true),
        Err(Unanswered { why, any_sent }) => (why, any_sent),
    };
    drop(buffers);
    let deferred = exchange.deferred;
    FinishedChunk { chunk, end, any_sent, deferred }
}

/// The exchange of a chunk. The answer has a record per row, in any order and in any number of frames, then
/// an end.
struct ChunkExchange<'a> {
    call: &'a BatchCall,
    chunk: &'a Chunk,
    deferred: Vec<(u32, ResultCode)>,
}

impl Exchange for ChunkExchange<'_> {
    type Answer = ();
    type Failure = ChunkEnd;

    fn purpose(&self) -> (&'static str, &[u8]) {
        ("batch", self.call.keys.only_namespace())
    }

    fn may_repeat(&self) -> bool {
        !self.call.request.may_write()
    }

    fn compress(&self) -> bool {
        self.call.policy().limits.compress
    }

    fn timed_rows(&self) -> Option<usize> {
        Some(self.chunk.range.len())
    }

    fn begin(&mut self, now: Instant) -> Result<(), ChunkEnd> {
        if self.chunk.is_abandoned.load(Ordering::Relaxed) {
            return Err(ChunkEnd::Abandoned);
        }
        self.chunk.started.get_or_init(|| now);
        Ok(())
    }

    fn encode(&mut self, out: &mut Vec<u8>, timeout_ms: u32) -> Result<(), Error> {
        self.call.request.encode(&self.call.keys, out, self.chunk.rows(), timeout_ms)
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<()>, ChunkEnd> {
        let end = self.call.sink.frame(self.call, body, self.chunk, &mut self.deferred)?;
        Ok(end.map_or(Received::Part, |code| Received::End(code, ())))
    }

    /// A new request would contain all rows, also those that were answered.
    fn can_restart(&self) -> bool {
        !self.chunk.has_settled() && self.deferred.is_empty()
    }
}

/// Moves the deferred rows out of `open`, and groups them by code.
pub(crate) fn by_code(deferred: &[(u32, ResultCode)], open: &mut Vec<u32>) -> BTreeMap<ResultCode, Vec<u32>> {
    let mut by_code: BTreeMap<ResultCode, Vec<u32>> = BTreeMap::new();
    if deferred.is_empty() {
        return by_code;
    }
    // A row with two codes counts once.
    let codes: HashMap<u32, ResultCode> = deferred.iter().copied().collect();
    open.retain(|row| match codes.get(row) {
        Some(&code) => {
            by_code.entry(code).or_default().push(*row);
            false
        }
        None => true,
    });
    by_code
}

impl From<Fault> for ChunkEnd {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for ChunkEnd {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}
