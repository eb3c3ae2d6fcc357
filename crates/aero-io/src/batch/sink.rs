//! Where the records of a batch go.

use wire_protocol::batch::Record;

/// Takes the answers of a batch, from several chunks in turn.
///
/// It decides whom a row belongs to: a batch may hand it a row twice, and may be dropped between
/// two rows.
pub trait RowSink: Send + Sync + 'static {
    /// The right to write rows for a while.
    type Lease<'a>: RowLease
    where
        Self: 'a;

    /// The right to write rows, held for the records of one frame and never while waiting for the
    /// network. None: the sink takes nothing any more, and the call ends with
    /// [`Error::Sealed`](crate::Error::Sealed).
    fn lease(&self) -> Option<Self::Lease<'_>>;
}

/// Writes rows.
pub trait RowLease {
    /// Takes the server's answer for a row: any result code, with bins only where it is 0.
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome;

    /// Takes the code of a row that stays without an answer; at most once a row, and never after
    /// [`RowLease::record`] took that row. `in_doubt`: it writes, and may have been applied.
    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome;
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// It was written.
    Written,
    /// It had been written before; this one was dropped.
    Repeated,
    /// The sink has no such row.
    OutOfRange,
    /// The sink takes nothing any more.
    Sealed,
}
