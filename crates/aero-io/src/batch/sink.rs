//! Where a batch puts the answers.

use wire_protocol::batch::Record;

/// Receives the answers of a batch, from several requests in turn.
///
/// The sink decides which answer a row keeps: a batch may deliver a row twice, and may be dropped between two
/// rows.
pub trait RowSink: Send + Sync + 'static {
    /// Permission to write rows for a while.
    type Lease<'a>: RowLease
    where
        Self: 'a;

    /// Permission to write rows. It is held for the records of one frame and never while the batch waits for
    /// the network. `None`: the sink accepts no more rows, and the call ends with
    /// [`Error::Sealed`](crate::Error::Sealed).
    fn lease(&self) -> Option<Self::Lease<'_>>;
}

pub trait RowLease {
    /// Takes the server's answer for a row. Bins are present only with result code 0.
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome;

    /// Takes the code of a row that failed; at most once per row, and never after [`RowLease::record`].
    /// `in_doubt`: the row writes and may have been applied.
    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome;
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    Written,
    /// The row had been written before; this answer was dropped.
    Repeated,
    /// The sink has no such row.
    OutOfRange,
    /// The sink accepts no more rows.
    Sealed,
}
