//! What commands and commits of a transaction hold while they run. Each guard does the right thing if it is dropped,
//! because a command or commit can be cancelled wherever it waits.

use std::sync::Arc;

use wire_protocol::digest::Digest;

use super::tracked::TrackedRecord;
use super::{Transaction, TransactionState};
use crate::error::Error;

/// A running command: the transaction cannot be ended meanwhile.
#[derive(Debug)]
pub(crate) struct Running {
    transaction: Arc<Transaction>,
}

/// A write that is not answered: dropped like this, it may have been applied.
pub(crate) struct WriteDoubt<'a> {
    transaction: &'a Transaction,
    digest: &'a Digest,
    set: &'a [u8],
    is_settled: bool,
}

/// A running commit or abort: the transaction takes no commands meanwhile.
#[derive(Debug)]
pub(crate) struct Ending {
    transaction: Arc<Transaction>,
}

/// A commit that is being decided: dropped like this, it may have been applied.
pub(crate) struct Marking<'a> {
    transaction: &'a Transaction,
    is_settled: bool,
}

impl Transaction {
    /// Begins a command on records of these namespaces.
    ///
    /// # Errors
    /// The transaction takes no commands, or has another namespace. Nothing has changed then.
    pub(crate) fn begin<'a>(
        self: &Arc<Self>,
        mut namespaces: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Running, Error> {
        let mut inner = self.lock();
        let why = match inner.state {
            TransactionState::Open if inner.is_ending => {
                Some("is being committed or aborted and takes no commands; begin a new one")
            }
            TransactionState::Open => None,
            TransactionState::Verified => {
                Some("was verified by a commit and takes no more commands; commit it again, or abort it")
            }
            TransactionState::Committed => Some("was committed and takes no more commands; begin a new one"),
            TransactionState::Aborted => Some("was aborted and takes no more commands; begin a new one"),
            TransactionState::CommitFailed => {
                Some("takes no more commands: a commit may have been applied; commit it again to find out")
            }
        };
        if let Some(why) = why {
            return Err(self.refused(why));
        }
        let first = match &inner.namespace {
            Some(namespace) => namespace.clone(),
            None => match namespaces.next() {
                Some(namespace) => namespace.into(),
                None => Box::default(),
            },
        };
        if let Some(other) = namespaces.find(|namespace| **namespace != *first) {
            let [first, other] = [&*first, other].map(String::from_utf8_lossy);
            return Err(self.refused(&format!(
                "is of namespace {first:?}, and a command names {other:?}; use a transaction for each namespace"
            )));
        }
        if !first.is_empty() {
            inner.namespace = Some(first);
        }
        inner.running += 1;
        drop(inner);
        Ok(Running { transaction: Arc::clone(self) })
    }

    /// Begins a commit or abort.
    ///
    /// # Errors
    /// Another commit or abort is running, or commands are.
    pub(crate) fn begin_ending(self: &Arc<Self>) -> Result<Ending, Error> {
        let mut inner = self.lock();
        if inner.is_ending {
            return Err(self.refused("is being committed or aborted by another call; wait for that"));
        }
        if inner.running > 0 {
            let (count, s) = (inner.running, if inner.running == 1 { "" } else { "s" });
            return Err(self.refused(&format!(
                "still has {count} command{s} running; wait for all of its commands before it is committed or aborted"
            )));
        }
        inner.is_ending = true;
        drop(inner);
        Ok(Ending { transaction: Arc::clone(self) })
    }
}

impl Running {
    pub(crate) fn transaction(&self) -> &Arc<Transaction> {
        &self.transaction
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.transaction.lock().running -= 1;
    }
}

impl<'a> WriteDoubt<'a> {
    pub(crate) fn new(transaction: &'a Transaction, digest: &'a Digest, set: &'a [u8]) -> Self {
        Self { transaction, digest, set, is_settled: false }
    }

    /// The command has ended; `in_doubt` says whether it may have been applied.
    pub(crate) fn settle(mut self, in_doubt: bool) {
        self.is_settled = !in_doubt;
    }
}

impl Drop for WriteDoubt<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.transaction.note_doubt(self.digest, self.set);
        }
    }
}

impl Ending {
    pub(crate) fn set_state(&self, state: TransactionState) {
        let mut inner = self.transaction.lock();
        inner.state = state;
        if matches!(state, TransactionState::Committed | TransactionState::Aborted) {
            inner.in_doubt = false;
        }
    }

    pub(crate) fn to_verify(&self) -> Vec<TrackedRecord> {
        self.transaction.lock().tracked.to_verify()
    }

    pub(crate) fn to_roll(&self) -> Vec<TrackedRecord> {
        self.transaction.lock().tracked.to_roll()
    }

    /// Whether the monitor record is to be deleted. If a write is in doubt, the server needs it to find the record.
    pub(crate) fn closes_monitor(&self) -> bool {
        let inner = self.transaction.lock();
        inner.deadline != 0 && !inner.write_in_doubt
    }

    /// From now on the commit may be applied.
    pub(crate) fn marking(&self) -> Marking<'_> {
        Marking { transaction: &self.transaction, is_settled: false }
    }

    /// Forgets the records: nothing is left to do for them.
    pub(crate) fn forget_records(&self) {
        let mut inner = self.transaction.lock();
        inner.tracked = Default::default();
        inner.deadline = 0;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.transaction.lock().is_ending = false;
    }
}

impl Marking<'_> {
    /// The commit was decided, or certainly not applied.
    pub(crate) fn settle(mut self) {
        self.is_settled = true;
    }
}

impl Drop for Marking<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            let mut inner = self.transaction.lock();
            inner.state = TransactionState::CommitFailed;
            inner.in_doubt = true;
        }
    }
}
