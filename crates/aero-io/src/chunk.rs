//! One request of a batch read: some rows, one node, one connection.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use wire_protocol::WireError;
use wire_protocol::batch::{
    BatchAnswer, BatchAnswers, BatchReadHeader, BatchRow, batch_flags, write_batch_read,
};
use wire_protocol::message::{FrameType, MAX_FRAME};
use wire_protocol::result_code;

use crate::cluster::Inner;
use crate::error::{Error, Fault, Tried};
use crate::keys::{BatchKeys, BatchRead};
use crate::node::Node;
use crate::policy::BatchPolicy;
use crate::scratch::{Scratch, Seen};
use crate::sink::{RowLease as _, RowOutcome, RowSink};
use crate::timer::Timer;

/// What all chunks of one batch read share.
pub(crate) struct Call<S> {
    pub(crate) inner: Arc<Inner>,
    pub(crate) keys: Arc<BatchKeys>,
    pub(crate) request: Arc<BatchRead>,
    pub(crate) sink: Arc<S>,
    pub(crate) start: Instant,
    pub(crate) deadline: Option<Instant>,
}

impl<S> Call<S> {
    pub(crate) fn policy(&self) -> &BatchPolicy {
        &self.request.policy
    }

    pub(crate) fn tried(&self, node: &Node, attempt: u32) -> Tried {
        Tried {
            command: "batch read",
            node: Arc::clone(&node.name),
            address: node.address,
            attempts: attempt.saturating_add(1),
            elapsed: self.start.elapsed(),
            in_doubt: false,
        }
    }

    fn encode(&self, out: &mut Vec<u8>, rows: &[u32], timeout_ms: u32) -> Result<(), WireError> {
        let policy = self.policy();
        let names = self.request.bins.borrowed();
        let mut flags = batch_flags::ERROR_AS_RECORD;
        for (set, flag) in [
            (policy.allow_inline, batch_flags::ALLOW_INLINE),
            (policy.allow_inline_ssd, batch_flags::ALLOW_INLINE_SSD),
            (policy.respond_all_keys, batch_flags::RESPOND_ALL_KEYS),
        ] {
            flags |= if set { flag } else { 0 };
        }
        let header = BatchReadHeader {
            projection: self.request.bins.projection(&names),
            flags,
            timeout_ms,
            info1: policy.read_mode_ap.info1(),
            info3: policy.read_mode_sc.info3(),
            read_touch_ttl_percent: policy.read_touch_ttl_percent as u32,
            filter: &policy.filter,
            ..BatchReadHeader::default()
        };
        let keys = &*self.keys;
        let rows = rows.iter().enumerate().map(|(position, &row)| {
            let space = &keys.spaces()[keys.space_index(row)];
            BatchRow {
                index: position as u32,
                digest: keys.digest(row),
                namespace: &space.namespace,
                set: &space.set,
            }
        });
        out.clear();
        write_batch_read(out, &header, rows)
    }
}

/// Rows to ask a node for in one request.
pub(crate) struct Chunk {
    pub(crate) node: Arc<Node>,
    /// The rows are those in `range`. A row's place among them is the number that its answer carries.
    pub(crate) rows: Arc<Vec<u32>>,
    pub(crate) range: Range<usize>,
    /// Tries before this one.
    pub(crate) attempt: u32,
    /// Time to wait first.
    pub(crate) delay: Duration,
}

/// How a chunk ended.
pub(crate) struct Outcome {
    pub(crate) node: Arc<Node>,
    pub(crate) attempt: u32,
    pub(crate) end: End,
    pub(crate) tally: Tally,
    /// Rows in the chunk.
    pub(crate) len: usize,
    /// Rows that nothing was heard of.
    pub(crate) unanswered: Vec<u32>,
}

/// The last that was heard of a chunk.
pub(crate) enum End {
    /// The server ended its answer, with this code for all rows that it had not answered.
    Code(u8),
    /// Something failed.
    Fault(Fault),
    /// The sink takes no more rows.
    Sealed,
    /// The call makes no sense.
    Refused(Error),
}

/// What the rows of a chunk were answered with.
#[derive(Default)]
pub(crate) struct Tally {
    /// Rows that were found, not found or filtered out: answers about a record.
    pub(crate) about_records: u64,
    /// Rows with a code that is final all the same, by code.
    pub(crate) failed: Vec<(u8, u64)>,
    /// Rows with a code that says nothing about the record, to be asked again, by code.
    pub(crate) deferred: Vec<(u8, Vec<u32>)>,
}

impl Tally {
    fn add_failed(&mut self, code: u8) {
        match self.failed.iter_mut().find(|(known, _)| *known == code) {
            Some((_, n)) => *n += 1,
            None => self.failed.push((code, 1)),
        }
    }

    fn defer(&mut self, code: u8, row: u32) {
        match self.deferred.iter_mut().find(|(known, _)| *known == code) {
            Some((_, rows)) => rows.push(row),
            None => self.deferred.push((code, vec![row])),
        }
    }
}

/// Whether a code is an answer about a record.
pub(crate) fn is_about_record(code: u8) -> bool {
    matches!(code, result_code::OK | result_code::RECORD_NOT_FOUND | result_code::FILTERED_OUT)
}

/// Whether a code says that the same may succeed later or elsewhere.
pub(crate) fn is_passing(code: u8) -> bool {
    matches!(
        code,
        result_code::TIMEOUT
            | result_code::PARTITION_UNAVAILABLE
            | result_code::KEY_BUSY
            | result_code::DEVICE_OVERLOAD
            | result_code::BATCH_MAX_REQUESTS
            | result_code::BATCH_QUEUES_FULL
    )
}

/// Asks for a chunk's rows and hands the answers to the sink.
pub(crate) async fn run<S: RowSink>(call: Arc<Call<S>>, chunk: Chunk) -> Outcome {
    let Chunk { node, rows, range, attempt, delay } = chunk;
    let rows = rows.get(range).unwrap_or_default();
    let mut scratch = call.inner.scratch.take();
    let mut tally = Tally::default();
    scratch.seen.reset(rows.len());
    let end = match exchange(&call, &node, rows, delay, &mut scratch, &mut tally).await {
        Ok(code) => End::Code(code),
        Err(end) => end,
    };
    let unanswered = scratch.seen.missing(rows);
    Outcome { node, attempt, end, tally, len: rows.len(), unanswered }
}

async fn exchange<S: RowSink>(
    call: &Call<S>,
    node: &Node,
    rows: &[u32],
    delay: Duration,
    scratch: &mut Scratch,
    tally: &mut Tally,
) -> Result<u8, End> {
    if !delay.is_zero() {
        Timer::new(call.deadline, Duration::ZERO).run(sleep(delay)).await?;
    }
    let mut timer = Timer::new(call.deadline, call.policy().socket_timeout);
    let mut fresh = false;
    'connection: loop {
        let mut leased = node.acquire(&mut timer, fresh).await?;
        // Encoded once there is a connection to send it on: chunks that wait hold no request.
        call.encode(&mut scratch.request, rows, timer.remaining_ms())
            .map_err(|source| End::Refused(Error::Request { source }))?;
        scratch.input.clear();
        // A peer that closed an idle connection has not seen the request: that costs no try.
        if let Err((fault, _)) = leased.connection.send(&scratch.request, &mut timer).await {
            if leased.reused && fault.is_stale() {
                fresh = true;
                continue;
            }
            return Err(fault.into());
        }
        let mut is_first = true;
        loop {
            let frame =
                scratch.input.frame(&mut leased.connection, &mut timer, FrameType::Message, MAX_FRAME).await;
            let body = match frame {
                Ok(body) => body,
                Err(fault) if is_first && scratch.input.is_empty() && leased.reused && fault.is_stale() => {
                    fresh = true;
                    continue 'connection;
                }
                Err(fault) => return Err(fault.into()),
            };
            is_first = false;
            if let Some(code) = walk(call, scratch.input.body(body), rows, &mut scratch.seen, tally)? {
                if scratch.input.is_empty() {
                    leased.recycle();
                }
                return Ok(code);
            }
        }
    }
}

/// Hands the records of one frame to the sink. Returns the code of the answer's end, if it is there.
fn walk<S: RowSink>(
    call: &Call<S>,
    body: &[u8],
    rows: &[u32],
    seen: &mut Seen,
    tally: &mut Tally,
) -> Result<Option<u8>, End> {
    let mut lease = None;
    for answer in BatchAnswers::new(body) {
        let record = match answer.map_err(Fault::from)? {
            BatchAnswer::Record(record) => record,
            BatchAnswer::End { result_code } => return Ok(Some(result_code)),
        };
        // The number that a server echoes is only a place in the chunk's own table.
        let position = record.index as usize;
        let Some(&row) = rows.get(position) else {
            let error = WireError::Malformed { what: "batch response", why: "a row that was not asked for" };
            return Err(Fault::from(error).into());
        };
        if !seen.insert(position) {
            continue;
        }
        if is_passing(record.result_code) {
            tally.defer(record.result_code, row);
            continue;
        }
        let lease = match &mut lease {
            Some(lease) => lease,
            none => none.insert(call.sink.lease().ok_or(End::Sealed)?),
        };
        match lease.record(row as usize, &record) {
            RowOutcome::Written | RowOutcome::Repeated => {}
            RowOutcome::Sealed => return Err(End::Sealed),
            RowOutcome::OutOfRange => return Err(End::Refused(no_such_row(row))),
        }
        if is_about_record(record.result_code) {
            tally.about_records += 1;
        } else {
            tally.add_failed(record.result_code);
        }
    }
    Ok(None)
}

/// The error for a sink that has fewer rows than the batch has keys.
pub(crate) fn no_such_row(row: u32) -> Error {
    Error::Param { what: format!("the sink has no row {row}") }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
