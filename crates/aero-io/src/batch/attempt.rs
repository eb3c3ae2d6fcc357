//! One try at some rows of a batch: how often they were tried before, and what the next request must avoid.

/// Rows to ask for, and how.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    /// Tries before this one.
    pub(crate) number: u32,
    /// Replicas that were left for the next one before.
    pub(crate) step: u32,
    /// The node that the try before failed at.
    pub(crate) avoid: Option<u64>,
    /// Rows that a request may have.
    pub(crate) max_rows: usize,
    /// Whether the rows were meant for a node that turned out not to answer before they were sent.
    pub(crate) is_rerouted: bool,
    /// Whether the rows were sent before.
    pub(crate) is_again: bool,
}

impl Attempt {
    /// The first try.
    pub(crate) const FIRST: Self =
        Self { number: 0, step: 0, avoid: None, max_rows: usize::MAX, is_rerouted: false, is_again: false };
}
