//! Where the records of a batch go: rows of NumPy arrays, or bytes that become Python objects.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aero_io::{RowLease, RowOutcome, RowSink, client_code};
use record_decode::{self as decode, RowBuffer};
use wire_protocol::batch::Record;
use wire_protocol::message::Ops;

use crate::runtime::Seal;

/// Code of a row that has none yet: no answer came.
pub(crate) const NO_RESPONSE: i32 = client_code::NO_RESPONSE;

/// Rows of NumPy arrays.
pub(crate) struct NumpyRows(pub(crate) RowBuffer);

impl RowSink for NumpyRows {
    type Lease<'a> = NumpyLease<'a>;

    fn lease(&self) -> Option<NumpyLease<'_>> {
        self.0.lease().map(NumpyLease)
    }
}

impl Seal for NumpyRows {
    fn seal(&self) {
        self.0.seal();
    }
}

/// The right to write rows of NumPy arrays.
pub(crate) struct NumpyLease<'a>(decode::Lease<'a>);

fn outcome(outcome: decode::RowOutcome) -> RowOutcome {
    match outcome {
        decode::RowOutcome::Written => RowOutcome::Written,
        decode::RowOutcome::Repeated => RowOutcome::Repeated,
        decode::RowOutcome::OutOfRange => RowOutcome::OutOfRange,
        decode::RowOutcome::Sealed => RowOutcome::Sealed,
    }
}

impl RowLease for NumpyLease<'_> {
    #[inline]
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        outcome(self.0.write(row, record))
    }

    fn fail(&mut self, row: usize, code: i32, _in_doubt: bool) -> RowOutcome {
        outcome(self.0.fail(row, code))
    }
}

/// One row of [`RawRows`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawRow {
    /// Whether it has an answer, or was given up.
    pub(crate) done: bool,
    pub(crate) code: i32,
    pub(crate) generation: u32,
    pub(crate) void_time: u32,
    /// It writes, and may have been applied though it failed.
    pub(crate) in_doubt: bool,
    start: usize,
    end: usize,
}

/// Rows as they came, for building Python objects later, in one buffer.
pub(crate) struct RawRows(Mutex<RawState>);

#[derive(Default)]
pub(crate) struct RawState {
    rows: Vec<RawRow>,
    bytes: Vec<u8>,
    sealed: bool,
}

impl RawState {
    pub(crate) fn rows(&self) -> &[RawRow] {
        &self.rows
    }

    pub(crate) fn bins(&self, row: &RawRow) -> Ops<'_> {
        Ops::over(&self.bytes[row.start..row.end])
    }
}

impl RawRows {
    pub(crate) fn new(len: usize) -> Self {
        let row = RawRow { code: NO_RESPONSE, ..RawRow::default() };
        Self(Mutex::new(RawState { rows: vec![row; len], ..RawState::default() }))
    }

    fn state(&self) -> MutexGuard<'_, RawState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the rows out; none are taken in afterwards.
    pub(crate) fn finish(&self) -> RawState {
        let mut state = self.state();
        state.sealed = true;
        std::mem::replace(&mut *state, RawState { sealed: true, ..RawState::default() })
    }
}

impl RowSink for RawRows {
    type Lease<'a> = RawLease<'a>;

    fn lease(&self) -> Option<RawLease<'_>> {
        let state = self.state();
        (!state.sealed).then_some(RawLease(state))
    }
}

/// The right to take rows in.
pub(crate) struct RawLease<'a>(MutexGuard<'a, RawState>);

impl RawLease<'_> {
    fn take(&mut self, index: usize, row: RawRow, bins: &[u8]) -> RowOutcome {
        let state = &mut *self.0;
        let Some(place) = state.rows.get_mut(index) else { return RowOutcome::OutOfRange };
        if place.done {
            return RowOutcome::Repeated;
        }
        let start = state.bytes.len();
        state.bytes.extend_from_slice(bins);
        *place = RawRow { done: true, start, end: state.bytes.len(), ..row };
        RowOutcome::Written
    }
}

impl RowLease for RawLease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        let taken = RawRow {
            code: record.result_code.into(),
            generation: record.generation,
            void_time: record.void_time,
            ..RawRow::default()
        };
        self.take(row, taken, if record.result_code.is_ok() { record.ops_bytes() } else { &[] })
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        self.take(row, RawRow { code, in_doubt, ..RawRow::default() }, &[])
    }
}

/// The codes of rows that write.
pub(crate) struct CodeRows(Mutex<CodeState>);

struct CodeState {
    codes: Vec<i32>,
    in_doubt: Vec<bool>,
}

impl CodeRows {
    pub(crate) fn new(len: usize) -> Self {
        Self(Mutex::new(CodeState { codes: vec![NO_RESPONSE; len], in_doubt: vec![false; len] }))
    }

    /// The codes, and which rows may have been applied though they failed.
    pub(crate) fn finish(&self) -> (Vec<i32>, Vec<bool>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut state.codes), std::mem::take(&mut state.in_doubt))
    }
}

impl RowSink for CodeRows {
    type Lease<'a> = CodeLease<'a>;

    fn lease(&self) -> Option<CodeLease<'_>> {
        Some(CodeLease(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The right to note codes.
pub(crate) struct CodeLease<'a>(MutexGuard<'a, CodeState>);

impl CodeLease<'_> {
    fn take(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        let state = &mut *self.0;
        let (Some(code_of), Some(doubt_of)) = (state.codes.get_mut(row), state.in_doubt.get_mut(row)) else {
            return RowOutcome::OutOfRange;
        };
        (*code_of, *doubt_of) = (code, in_doubt);
        RowOutcome::Written
    }
}

impl RowLease for CodeLease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        self.take(row, record.result_code.into(), false)
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        self.take(row, code, in_doubt)
    }
}
