//! Sinks: where the records of a batch go as they arrive. `group_rows` has that of several arrays.
//!
//! [`NumpyRows`] writes them into arrays, [`OperationRows`] the results of operations, [`ArrowRows`] writes them into
//! Arrow columns; [`RawRows`] keeps their bytes for Python objects, [`CodeRows`] keeps only result codes. A task takes a
//! lease to write, for one frame of an answer at a time. Once a sink is sealed or finished no lease is given, so an
//! answer that arrives late changes nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aero_io::{RowLease, RowOutcome, RowSink, client_code};
use arrow_columns::{BatchLease, BatchTable, RowAnswer};
use record_decode::{self as decode, RowBuffer};
use wire_protocol::batch::Record;
use wire_protocol::message::{Ops, write_op};

use crate::call::Seal;
use crate::results::clock;

/// The code of a row that no answer has come for.
pub(crate) const NO_RESPONSE: i32 = client_code::NO_RESPONSE;

/// Rows of NumPy arrays, written by several tasks at once.
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

/// A lease on [`NumpyRows`].
pub(crate) struct NumpyLease<'a>(pub(super) decode::Lease<'a>);

pub(super) fn outcome(outcome: decode::RowOutcome) -> RowOutcome {
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

/// For each operation, the name under which a plan looks for its result; none if no field takes it.
pub(super) fn result_names(used: impl Iterator<Item = bool>) -> Vec<Option<Box<str>>> {
    used.enumerate().map(|(position, used)| used.then(|| position.to_string().into())).collect()
}

/// Rows of NumPy arrays whose fields are the results of operations.
pub(crate) struct OperationRows {
    rows: NumpyRows,
    /// For each operation, the name under which the plan looks for its result; none if no field takes it.
    names: Vec<Option<Box<str>>>,
}

impl OperationRows {
    /// `used` says for each operation whether a field takes its result.
    pub(crate) fn new(rows: NumpyRows, used: &[bool]) -> Self {
        Self { rows, names: result_names(used.iter().copied()) }
    }

    pub(crate) fn buffer(&self) -> &RowBuffer {
        &self.rows.0
    }
}

impl RowSink for OperationRows {
    type Lease<'a> = OperationLease<'a>;

    fn lease(&self) -> Option<OperationLease<'_>> {
        let rows = self.rows.lease()?;
        Some(OperationLease::new(rows, &self.names))
    }
}

impl Seal for OperationRows {
    fn seal(&self) {
        self.rows.seal();
    }
}

/// A lease on [`OperationRows`].
pub(crate) struct OperationLease<'a> {
    rows: NumpyLease<'a>,
    names: &'a [Option<Box<str>>],
    /// The results of a record that fields take, each under the position of its operation.
    results: Vec<u8>,
}

impl<'a> OperationLease<'a> {
    pub(super) fn new(rows: NumpyLease<'a>, names: &'a [Option<Box<str>>]) -> Self {
        Self { rows, names, results: Vec::new() }
    }
}

impl RowLease for OperationLease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        if !record.result_code.is_ok() {
            return self.rows.record(row, record);
        }
        // A server answers each operation, since it is asked to.
        if usize::from(record.n_ops) != self.names.len() {
            return self.rows.fail(row, client_code::CLIENT, false);
        }
        self.results.clear();
        let mut count = 0;
        for (name, op) in self.names.iter().zip(record.ops()) {
            if let Some(name) = name {
                write_op(&mut self.results, op.code, op.particle_type, name.as_bytes(), op.value);
                count += 1;
            }
        }
        self.rows.record(row, &record.with_ops(count, &self.results))
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        self.rows.fail(row, code, in_doubt)
    }
}

/// Rows of Arrow columns.
pub(crate) struct ArrowRows {
    pub(crate) table: BatchTable,
    now: u32,
}

impl ArrowRows {
    pub(crate) fn new(table: BatchTable) -> Self {
        Self { table, now: clock::now() }
    }
}

impl RowSink for ArrowRows {
    type Lease<'a> = ArrowLease<'a>;

    fn lease(&self) -> Option<ArrowLease<'_>> {
        Some(ArrowLease { rows: self.table.lease()?, now: self.now })
    }
}

impl Seal for ArrowRows {
    fn seal(&self) {
        self.table.seal();
    }
}

/// A lease on [`ArrowRows`].
pub(crate) struct ArrowLease<'a> {
    rows: BatchLease<'a>,
    now: u32,
}

impl ArrowLease<'_> {
    #[inline]
    fn write(&mut self, row: usize, answer: RowAnswer, ops: &[u8]) -> RowOutcome {
        if row >= self.rows.len() {
            return RowOutcome::OutOfRange;
        }
        if self.rows.write(row, answer, ops) { RowOutcome::Written } else { RowOutcome::Repeated }
    }
}

impl RowLease for ArrowLease<'_> {
    #[inline]
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        if !record.result_code.is_ok() {
            return self.fail(row, record.result_code.into(), false);
        }
        let ttl = decode::seconds_left(record.void_time, self.now);
        self.write(row, RowAnswer { code: 0, generation: record.generation, ttl }, record.ops_bytes())
    }

    fn fail(&mut self, row: usize, code: i32, _in_doubt: bool) -> RowOutcome {
        self.write(row, RowAnswer { code, generation: 0, ttl: 0 }, &[])
    }
}

/// One row of [`RawRows`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawRow {
    /// Whether it was answered or given up.
    pub(crate) done: bool,
    pub(crate) code: i32,
    pub(crate) generation: u32,
    pub(crate) void_time: u32,
    /// Whether it writes and may have been applied although it failed.
    pub(crate) in_doubt: bool,
    start: usize,
    end: usize,
}

/// Rows as bytes in one buffer, to build Python objects from later.
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

    /// Takes the rows out and seals: no later row is accepted.
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

/// A lease on [`RawRows`].
pub(crate) struct RawLease<'a>(MutexGuard<'a, RawState>);

impl RawLease<'_> {
    fn store(&mut self, index: usize, row: RawRow, bins: &[u8]) -> RowOutcome {
        let state = &mut *self.0;
        let Some(slot) = state.rows.get_mut(index) else { return RowOutcome::OutOfRange };
        if slot.done {
            return RowOutcome::Repeated;
        }
        let start = state.bytes.len();
        state.bytes.extend_from_slice(bins);
        *slot = RawRow { done: true, start, end: state.bytes.len(), ..row };
        RowOutcome::Written
    }
}

impl RowLease for RawLease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        let answered = RawRow {
            code: record.result_code.into(),
            generation: record.generation,
            void_time: record.void_time,
            ..RawRow::default()
        };
        self.store(row, answered, if record.result_code.is_ok() { record.ops_bytes() } else { &[] })
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        self.store(row, RawRow { code, in_doubt, ..RawRow::default() }, &[])
    }
}

/// The result codes of rows that write.
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

/// A lease on [`CodeRows`].
pub(crate) struct CodeLease<'a>(MutexGuard<'a, CodeState>);

impl CodeLease<'_> {
    fn store(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
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
        self.store(row, record.result_code.into(), false)
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        self.store(row, code, in_doubt)
    }
}
