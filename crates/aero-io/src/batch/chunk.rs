//! One request of a batch: some rows, one node, one connection.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::WireError;
use wire_protocol::batch::{BatchAnswer, BatchAnswers};
use wire_protocol::message::{FrameType, MAX_FRAME};

use crate::batch::attempt::Attempt;
use crate::batch::call::BatchCall;
use crate::batch::progress::Progress;
use crate::batch::sink::{RowLease as _, RowOutcome, RowSink};
use crate::error::{Error, Fault};
use crate::net::buffers::Buffers;
use crate::net::pool::Wanted;
use crate::net::timer::Timer;
use crate::node::Node;

/// Rows to ask a node for in one request.
pub(crate) struct Chunk {
    pub(crate) node: Arc<Node>,
    /// The rows are those in `range`. A row's place among them is the number that its answer carries.
    pub(crate) rows: Arc<Vec<u32>>,
    pub(crate) range: Range<usize>,
    pub(crate) attempt: Attempt,
    /// When its turn came: it had the right to a connection.
    started: OnceLock<Instant>,
    /// Rows of it that it was the first to settle.
    settled: AtomicUsize,
    /// Whether another request asks for rows of it, too.
    is_contested: AtomicBool,
    /// Whether its rows were given to others before its turn came.
    is_abandoned: AtomicBool,
    /// Whether any of it went out.
    is_sent: AtomicBool,
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
            is_sent: AtomicBool::new(false),
        }
    }

    /// When its turn came, if it has.
    pub(crate) fn started(&self) -> Option<Instant> {
        self.started.get().copied()
    }

    /// Notes that another request asks for rows of it, too.
    pub(crate) fn contest(&self) {
        self.is_contested.store(true, Ordering::Relaxed);
    }

    /// Whether another request asks for rows of it, too, or did so.
    pub(crate) fn is_contested(&self) -> bool {
        self.is_contested.load(Ordering::Relaxed) && !self.is_abandoned.load(Ordering::Relaxed)
    }

    /// Tells it not to send anything when its turn comes.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    /// Whether any of it went out: what is left open of it may have been applied.
    pub(crate) fn is_sent(&self) -> bool {
        self.is_sent.load(Ordering::Relaxed)
    }

    /// The rows asked for.
    pub(crate) fn rows(&self) -> &[u32] {
        self.rows.get(self.range.clone()).unwrap_or_default()
    }

    /// Whether it settled rows.
    pub(crate) fn has_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed) > 0
    }

    /// Whether it settled all its rows itself.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed) == self.range.len()
    }
}

/// How a chunk ended.
pub(crate) struct FinishedChunk {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) end: ChunkEnd,
    /// Rows with a code that says nothing about the record, or that others may have a better answer for.
    pub(crate) deferred: Vec<(u32, ResultCode)>,
}

/// The last that was heard of a chunk.
pub(crate) enum ChunkEnd {
    /// The server ended its answer, with this code for all rows that it had not answered.
    Code(ResultCode),
    /// Something failed.
    Fault(Fault),
    /// Nothing was sent: others have the rows.
    Abandoned,
    /// The sink takes no more rows.
    Sealed,
    /// The call makes no sense.
    Refused(Error),
}

/// Asks for a chunk's rows and hands the answers to the sink.
pub(crate) async fn run<S: RowSink>(call: &BatchCall<S>, chunk: Arc<Chunk>) -> FinishedChunk {
    let mut buffers = call.inner.buffers.take();
    let mut deferred = Vec::new();
    let end = match exchange(call, &chunk, &mut buffers, &mut deferred).await {
        Ok(code) => ChunkEnd::Code(code),
        Err(end) => end,
    };
    drop(buffers);
    FinishedChunk { chunk, end, deferred }
}

async fn exchange<S: RowSink>(
    call: &BatchCall<S>,
    chunk: &Chunk,
    buffers: &mut Buffers,
    deferred: &mut Vec<(u32, ResultCode)>,
) -> Result<ResultCode, ChunkEnd> {
    let (node, rows) = (&*chunk.node, chunk.rows());
    let mut timer = Timer::new(call.deadline, call.policy().limits.socket_timeout);
    let mut wanted = if call.request.may_write() { Wanted::Open } else { Wanted::Any };
    let mut has_lost_session = false;
    'connection: loop {
        let permit = node.permit(&mut timer).await?;
        if chunk.is_abandoned.load(Ordering::Relaxed) {
            return Err(ChunkEnd::Abandoned);
        }
        let started = *chunk.started.get_or_init(Instant::now);
        let mut leased = node.lease(permit, &mut timer, wanted).await?;
        // Encoded once there is a connection to send it on: chunks that wait hold no request.
        call.request
            .encode(&call.keys, &mut buffers.request, rows, timer.remaining_ms())
            .and_then(|()| Ok(buffers.prepare(call.policy().limits.compress)?))
            .map_err(ChunkEnd::Refused)?;
        // A peer that closed an idle connection has not seen the request: that costs no try. Of a write that
        // is certain only where nothing went out.
        let may_repeat = !call.request.may_write();
        if let Err((fault, any_sent)) = leased.connection.send(&buffers.request, &mut timer).await {
            if leased.reused && fault.is_stale() && (may_repeat || !any_sent) {
                wanted = Wanted::New;
                continue;
            }
            chunk.is_sent.fetch_or(any_sent, Ordering::Relaxed);
            return Err(fault.into());
        }
        chunk.is_sent.store(true, Ordering::Relaxed);
        let mut is_first = true;
        loop {
            let frame =
                buffers.input.frame(&mut leased.connection, &mut timer, FrameType::Message, MAX_FRAME).await;
            let body = match frame {
                Ok(body) => body,
                Err(fault)
                    if may_repeat
                        && is_first
                        && buffers.input.is_empty()
                        && leased.reused
                        && fault.is_stale() =>
                {
                    wanted = Wanted::New;
                    continue 'connection;
                }
                Err(fault) => return Err(fault.into()),
            };
            is_first = false;
            node.health.note_answer();
            if let Some(code) = walk(call, buffers.input.body(body), chunk, deferred)? {
                let is_untouched = !chunk.has_settled() && deferred.is_empty();
                if !has_lost_session && is_untouched && node.forget_lost_session(code, &leased.connection) {
                    (has_lost_session, wanted) = (true, Wanted::New);
                    chunk.is_sent.store(false, Ordering::Relaxed);
                    continue 'connection;
                }
                if buffers.input.is_empty() {
                    leased.recycle();
                }
                // A refusal is quick, and says nothing about how long the work takes.
                if code == ResultCode::OK {
                    node.health.note_time(rows.len(), started.elapsed());
                }
                return Ok(code);
            }
        }
    }
}

/// Hands the records of one frame to the sink. Returns the code of the answer's end, if it is there.
fn walk<S: RowSink>(
    call: &BatchCall<S>,
    body: &[u8],
    chunk: &Chunk,
    deferred: &mut Vec<(u32, ResultCode)>,
) -> Result<Option<ResultCode>, ChunkEnd> {
    let mut counts = Counts { progress: &call.progress, chunk, settled: 0, about_records: 0 };
    let rows = chunk.rows();
    let mut lease = None;
    for answer in BatchAnswers::new(body) {
        let record = match answer.map_err(Fault::from)? {
            BatchAnswer::Record(record) => record,
            BatchAnswer::End { result_code } => return Ok(Some(result_code)),
        };
        // The number that a server echoes is only a place in the chunk's own table.
        let Some(&row) = rows.get(record.index as usize) else {
            let error = WireError::Malformed { what: "batch response", why: "a row that was not asked for" };
            return Err(Fault::from(error).into());
        };
        if record.result_code == ResultCode::ENTERPRISE_ONLY && call.policy().limits.compress {
            // The whole request was refused for being compressed, by a server that does not look into it.
            return Ok(Some(record.result_code));
        }
        // An answer that is none is left to others who asked for the same row.
        let is_answer = call.request.is_answer(record.result_code);
        let is_doubtful = || !is_answer && chunk.is_contested();
        if record.result_code.is_transient() || is_doubtful() {
            // A server may answer a row only once, and be asked for it again only as often.
            if deferred.len() < rows.len() {
                deferred.push((row, record.result_code));
            }
            continue;
        }
        // Whoever answers first has the row: it may have been asked for at two nodes.
        if !call.progress.settle(row) {
            continue;
        }
        counts.settled += 1;
        let lease = match &mut lease {
            Some(lease) => lease,
            none => none.insert(call.sink.lease().ok_or(ChunkEnd::Sealed)?),
        };
        match lease.record(row as usize, &record) {
            RowOutcome::Written | RowOutcome::Repeated => {}
            RowOutcome::Sealed => return Err(ChunkEnd::Sealed),
            RowOutcome::OutOfRange => return Err(ChunkEnd::Refused(no_such_row(row))),
        }
        if is_answer {
            counts.about_records += 1;
        } else {
            let code = record.result_code;
            let error = || Error::Server {
                code,
                tried: Box::new(call.tried(&chunk.node, chunk.attempt.number, false)),
            };
            call.progress.note_cause(1, i32::from(code), false, error);
        }
    }
    Ok(None)
}

/// What one frame settled, noted once for all of its rows.
struct Counts<'a> {
    progress: &'a Progress,
    chunk: &'a Chunk,
    settled: usize,
    about_records: usize,
}

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        self.progress.advance(self.settled, self.about_records);
        let before = self.chunk.settled.load(Ordering::Relaxed);
        self.chunk.settled.store(before + self.settled, Ordering::Relaxed);
    }
}

/// The open rows that were answered with a code that says nothing about their record, by code; they are taken
/// out of `open`.
pub(crate) fn by_code(deferred: &[(u32, ResultCode)], open: &mut Vec<u32>) -> BTreeMap<ResultCode, Vec<u32>> {
    let mut by_code: BTreeMap<ResultCode, Vec<u32>> = BTreeMap::new();
    if deferred.is_empty() {
        return by_code;
    }
    // A row that was answered twice counts once.
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

/// The error for a sink that has fewer rows than the batch has keys.
pub(crate) fn no_such_row(row: u32) -> Error {
    Error::Param { what: format!("the sink has no row {row}") }
}

impl From<Fault> for ChunkEnd {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
