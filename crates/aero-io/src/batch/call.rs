//! What all requests of one batch share.

use std::sync::Arc;

use tokio::time::Instant;

use crate::batch::any_sink::AnySink;
use crate::batch::keys::BatchKeys;
use crate::batch::progress::Progress;
use crate::batch::request::Request;
use crate::error::Tried;
use crate::node::Node;
use crate::policy::BatchPolicy;
use crate::topology::state::Inner;
use crate::transaction::{Running, Transaction};

pub(crate) struct BatchCall {
    pub(crate) inner: Arc<Inner>,
    pub(crate) keys: Arc<BatchKeys>,
    pub(crate) request: Request,
    pub(crate) sink: Arc<dyn AnySink>,
    pub(crate) progress: Progress,
    pub(crate) start: Instant,
    pub(crate) deadline: Option<Instant>,
    /// If the batch is part of a transaction.
    pub(crate) running: Option<Running>,
}

impl BatchCall {
    pub(crate) fn policy(&self) -> &BatchPolicy {
        self.request.policy()
    }

    pub(crate) fn transaction(&self) -> Option<&Transaction> {
        self.running.as_ref().map(|running| &**running.transaction())
    }

    /// Tells the transaction that a row may have been applied.
    pub(crate) fn note_doubt(&self, transaction: &Transaction, row: u32) {
        let space = &self.keys.spaces()[self.keys.space_index(row)];
        transaction.note_doubt(&self.keys.digest_of(row), &space.set);
    }

    /// For errors. `in_doubt` says whether rows that write may have been applied.
    pub(crate) fn tried(&self, node: &Node, attempt: u32, in_doubt: bool) -> Tried {
        Tried {
            command: self.request.name(),
            bins: String::new(),
            is_filtered: !self.policy().limits.filter.is_empty(),
            node: Arc::clone(&node.name),
            address: node.address,
            attempts: attempt.saturating_add(1),
            elapsed: self.start.elapsed(),
            in_doubt: in_doubt && self.request.may_write(),
        }
    }
}
