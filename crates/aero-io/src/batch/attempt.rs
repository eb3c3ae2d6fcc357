//! One attempt at some rows of a batch.

/// How rows are sent: what earlier attempts tried, and what this one must avoid.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    /// Attempts before this one.
    pub(crate) number: u32,
    /// Replicas that earlier attempts have moved past.
    pub(crate) step: u32,
    /// The node at which the previous attempt failed.
    pub(crate) avoid: Option<u64>,
    /// Most rows of a request.
    pub(crate) max_rows: usize,
    /// Whether the rows have moved away from a failing node before they were sent. That happens once per
    /// attempt.
    pub(crate) is_rerouted: bool,
    /// Whether the rows were sent before.
    pub(crate) is_again: bool,
}

impl Attempt {
    pub(crate) const FIRST: Self =
        Self { number: 0, step: 0, avoid: None, max_rows: usize::MAX, is_rerouted: false, is_again: false };
}
