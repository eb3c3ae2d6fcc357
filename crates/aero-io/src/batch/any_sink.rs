//! What a batch does with its sink: it hands over the records of a frame, and fails rows.
//!
//! [`AnySink`] is the sink of the batch's loop, which is compiled once for all sinks. Behind it, the loop over the
//! records of a frame is compiled for each, so that a record costs no call through a trait object.

use std::sync::atomic::Ordering;

use wire_protocol::ResultCode;
use wire_protocol::WireError;
use wire_protocol::batch::{BatchAnswer, BatchAnswers, Record};
use wire_protocol::command::TransactionAnswer;

use crate::batch::call::BatchCall;
use crate::batch::chunk::{Chunk, ChunkEnd};
use crate::batch::progress::{Progress, RowTotals};
use crate::batch::sink::{RowLease as _, RowOutcome, RowSink};
use crate::error::{Error, Fault};
use crate::transaction::Transaction;

/// Rows that are failed under one lease, so that sealing the sink does not wait long.
const FAILED_PER_LEASE: usize = 4_096;

/// A [`RowSink`] of any type.
pub(crate) trait AnySink: Send + Sync {
    /// Takes the records of one frame. Returns the code of the answer's end, if it is there.
    fn frame(
        &self,
        call: &BatchCall,
        body: &[u8],
        chunk: &Chunk,
        deferred: &mut Vec<(u32, ResultCode)>,
    ) -> Result<Option<ResultCode>, ChunkEnd>;

    /// Fails rows, unless they are settled.
    fn fail(&self, call: &BatchCall, rows: &[u32], cause: &Error) -> Result<(), Error>;
}

impl<S: RowSink> AnySink for S {
    fn frame(
        &self,
        call: &BatchCall,
        body: &[u8],
        chunk: &Chunk,
        deferred: &mut Vec<(u32, ResultCode)>,
    ) -> Result<Option<ResultCode>, ChunkEnd> {
        handle_frame(self, call, body, chunk, deferred)
    }

    fn fail(&self, call: &BatchCall, rows: &[u32], cause: &Error) -> Result<(), Error> {
        let code = cause.code();
        let (progress, request) = (&call.progress, &call.request);
        for rows in rows.chunks(FAILED_PER_LEASE) {
            let mut lease = self.lease().ok_or(Error::Sealed)?;
            let (mut failed, mut is_doubtful) = (0, false);
            for &row in rows.iter().filter(|&&row| progress.settle(row)) {
                failed += 1;
                let in_doubt = cause.in_doubt() && request.writes(row);
                is_doubtful |= in_doubt;
                if in_doubt && let Some(transaction) = call.transaction() {
                    call.note_doubt(transaction, row);
                }
                match lease.fail(row as usize, code, in_doubt) {
                    RowOutcome::Written | RowOutcome::Repeated => {}
                    RowOutcome::Sealed => return Err(Error::Sealed),
                    RowOutcome::OutOfRange => return Err(no_such_row(row)),
                }
            }
            progress.advance(failed, 0);
            progress.add_totals(RowTotals { missing: 0, failed });
            if failed > 0 {
                progress.note_cause(failed, code, is_doubtful, || cause.clone());
            }
        }
        Ok(())
    }
}

/// Hands the records of one frame to the sink. Returns the code of the answer's end, if it is there.
fn handle_frame<S: RowSink>(
    sink: &S,
    call: &BatchCall,
    body: &[u8],
    chunk: &Chunk,
    deferred: &mut Vec<(u32, ResultCode)>,
) -> Result<Option<ResultCode>, ChunkEnd> {
    let totals = RowTotals::default();
    let mut counts = Counts { progress: &call.progress, chunk, settled: 0, about_records: 0, totals };
    let rows = chunk.rows();
    let mut lease = None;
    for answer in BatchAnswers::new(body) {
        let record = match answer.map_err(Fault::from)? {
            BatchAnswer::Record(record) => record,
            BatchAnswer::End { result_code } => return Ok(Some(result_code)),
        };
        // The server echoes the row's position in the chunk.
        let Some(&row) = rows.get(record.index as usize) else {
            let error = WireError::Malformed { what: "batch response", why: "a row that was not asked for" };
            return Err(Fault::from(error).into());
        };
        if record.result_code == ResultCode::ENTERPRISE_ONLY && call.policy().limits.compress {
            // The server cannot read compressed requests: the code is for the whole request.
            return Ok(Some(record.result_code));
        }
        // A code that is no answer is not final if another request contains the row.
        let is_answer = call.request.is_answer(record.result_code);
        let is_doubtful = || !is_answer && chunk.is_contested();
        if record.result_code.is_transient() || is_doubtful() {
            // One entry per row is enough, however often a server repeats it.
            if deferred.len() < rows.len() {
                deferred.push((row, record.result_code));
            }
            continue;
        }
        // Before the row is settled, since the answer may be malformed.
        if let Some(transaction) = call.transaction()
            && !call.progress.is_settled(row)
        {
            note_answer(call, transaction, row, &record)?;
        }
        // The first answer counts: two nodes may have been sent the row.
        if !call.progress.settle(row) {
            continue;
        }
        counts.settled += 1;
        if !record.result_code.is_ok() {
            counts.note_code(record.result_code);
        }
        let lease = match &mut lease {
            Some(lease) => lease,
            none => none.insert(sink.lease().ok_or(ChunkEnd::Sealed)?),
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

/// Tells the transaction what the answer for a row says.
#[cold]
fn note_answer(
    call: &BatchCall,
    transaction: &Transaction,
    row: u32,
    record: &Record<'_>,
) -> Result<(), Fault> {
    let version = TransactionAnswer::parse(record.fields())?.version;
    let space = &call.keys.spaces()[call.keys.space_index(row)];
    let (digest, is_write) = (call.keys.digest_of(row), call.request.writes(row));
    transaction.note_answer(&digest, &space.set, is_write, record.result_code, version);
    Ok(())
}

/// Counts what one frame settled, and adds it up once per frame.
struct Counts<'a> {
    progress: &'a Progress,
    chunk: &'a Chunk,
    settled: usize,
    about_records: usize,
    totals: RowTotals,
}

impl Counts<'_> {
    fn note_code(&mut self, code: ResultCode) {
        match code {
            ResultCode::RECORD_NOT_FOUND => self.totals.missing += 1,
            ResultCode::FILTERED_OUT => {}
            _ => self.totals.failed += 1,
        }
    }
}

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        self.progress.advance(self.settled, self.about_records);
        self.progress.add_totals(self.totals);
        let before = self.chunk.settled.load(Ordering::Relaxed);
        self.chunk.settled.store(before + self.settled, Ordering::Relaxed);
    }
}

/// The error for a sink that has fewer rows than the batch has keys.
fn no_such_row(row: u32) -> Error {
    Error::Param { what: format!("the sink has no row {row}") }
}
