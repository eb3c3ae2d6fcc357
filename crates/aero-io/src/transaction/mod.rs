//! A transaction: what it has read and written, and how far it is.
//!
//! The commands of a transaction record here which versions they have read and which records they have written.
//! What is sent for it is elsewhere: the keys that a command is about to write go to the monitor record
//! (`command/monitor.rs`), and room `commit` ends the transaction. Start with [`Transaction`]; [`guards`] are what
//! commands and commits hold while they run.

mod guards;
mod tracked;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use wire_protocol::ResultCode;
use wire_protocol::command::{RecordVersion, TransactionFields};
use wire_protocol::digest::Digest;

pub(crate) use self::guards::{Ending, Running, WriteDoubt};
pub(crate) use self::tracked::TrackedRecord;

use self::tracked::Tracked;
use crate::error::Error;

/// How far a transaction is. The numbers are the official client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransactionState {
    /// It takes commands.
    #[default]
    Open = 0,
    /// What it has read is verified; it may still be committed or aborted.
    Verified = 1,
    Committed = 2,
    Aborted = 3,
    /// A commit may have been applied: only another commit can tell.
    CommitFailed = 4,
}

/// Several commands on records of one namespace that are applied together or not at all.
///
/// It is part of the policies of its commands ([`Limits::transaction`](crate::Limits::transaction)), and ends with
/// [`Cluster::commit`](crate::Cluster::commit) or [`Cluster::abort`](crate::Cluster::abort). Its commands may run
/// concurrently.
pub struct Transaction {
    id: u64,
    timeout: AtomicU32,
    inner: Mutex<Inner>,
    /// Held by the command that creates the monitor record; others wait for it.
    pub(crate) creating: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    state: TransactionState,
    /// Whether the outcome of a commit is unknown.
    in_doubt: bool,
    /// That of the first command.
    namespace: Option<Box<[u8]>>,
    /// When the server ends the transaction; 0 until its monitor record is known to exist.
    deadline: u32,
    /// Whether the server may know of a write that its answer has not confirmed.
    write_in_doubt: bool,
    tracked: Tracked,
    /// Commands that are running.
    running: usize,
    /// Whether a commit or abort is running.
    is_ending: bool,
}

impl Default for Transaction {
    fn default() -> Self {
        Self::new()
    }
}

impl Transaction {
    /// A transaction with a random identifier.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // The hasher's keys are random, but the same in a forked process.
        let state = std::collections::hash_map::RandomState::new();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = state.hash_one((std::process::id(), SystemTime::now(), count)).max(1);
        Self::with_id(id)
    }

    /// A transaction with this identifier, which must not be 0 and must be its own in the cluster.
    #[must_use]
    pub fn with_id(id: u64) -> Self {
        Self {
            id,
            timeout: AtomicU32::new(0),
            inner: Mutex::default(),
            creating: tokio::sync::Mutex::new(()),
        }
    }

    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Seconds after which the server ends the transaction, counted from its first write; 0 is the server's default.
    #[must_use]
    pub fn timeout(&self) -> u32 {
        self.timeout.load(Ordering::Relaxed)
    }

    /// Sets the [`timeout`](Self::timeout). It has no effect after the first write.
    pub fn set_timeout(&self, seconds: u32) {
        self.timeout.store(seconds, Ordering::Relaxed);
    }

    #[must_use]
    pub fn state(&self) -> TransactionState {
        self.lock().state
    }

    /// Whether a commit may have been applied although it failed.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.lock().in_doubt
    }

    /// How many records it has read with a version that a commit verifies.
    #[must_use]
    pub fn n_reads(&self) -> usize {
        self.lock().tracked.n_reads()
    }

    /// How many records it has written, or may have.
    #[must_use]
    pub fn n_writes(&self) -> usize {
        self.lock().tracked.n_writes()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, why: &str) -> Error {
        Error::Param { what: format!("transaction {} {why}", self.id) }
    }

    pub(crate) fn namespace(&self) -> Option<Box<[u8]>> {
        self.lock().namespace.clone()
    }

    /// Whether the monitor record is known to exist.
    pub(crate) fn has_monitor(&self) -> bool {
        self.lock().deadline != 0
    }

    /// Whether the monitor record has the key already.
    pub(crate) fn has_written(&self, digest: &Digest) -> bool {
        self.lock().tracked.has_written(digest)
    }

    /// Takes the server's answer to a write of the monitor record.
    pub(crate) fn note_deadline(&self, deadline: u32) {
        self.lock().deadline = deadline;
    }

    /// The fields of a command on one record.
    pub(crate) fn fields(&self, digest: &Digest, is_write: bool) -> TransactionFields {
        let inner = self.lock();
        TransactionFields {
            id: Some(self.id),
            version: inner.tracked.version(digest),
            deadline: is_write.then_some(inner.deadline),
        }
    }

    /// The fields of a row of a batch, which has no deadline before the server has named one.
    pub(crate) fn row_fields(&self, digest: &Digest, is_write: bool) -> TransactionFields {
        let fields = self.fields(digest, is_write);
        TransactionFields { deadline: fields.deadline.filter(|&deadline| deadline != 0), ..fields }
    }

    /// Takes the answer for a record: a read is verified at the end, a write is kept or dropped.
    pub(crate) fn note_answer(
        &self,
        digest: &Digest,
        set: &[u8],
        is_write: bool,
        code: ResultCode,
        version: Option<RecordVersion>,
    ) {
        let mut inner = self.lock();
        match version {
            // Also for a write: the server did not apply it, and says what it has seen.
            Some(version) => inner.tracked.read(digest, set, version),
            None if is_write && code.is_ok() => inner.tracked.write(digest, set),
            None => {}
        }
    }

    /// Records that a record may have been written: the end of the transaction must include it.
    pub(crate) fn note_doubt(&self, digest: &Digest, set: &[u8]) {
        let mut inner = self.lock();
        inner.write_in_doubt = true;
        inner.tracked.write(digest, set);
    }
}

impl PartialEq for Transaction {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Transaction {}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("Transaction")
            .field("id", &self.id)
            .field("state", &inner.state)
            .field("in_doubt", &inner.in_doubt)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn identifiers_differ_and_are_not_zero() {
        let ids: std::collections::HashSet<u64> = (0..1_000).map(|_| Transaction::new().id()).collect();
        assert!(ids.len() == 1_000 && !ids.contains(&0));
    }

    #[test]
    fn answers_say_what_is_read_and_written() {
        let transaction = Transaction::with_id(7);
        let (a, b, c) = (&[1; 20], &[2; 20], &[3; 20]);
        let version = Some([9; 7]);
        transaction.note_answer(a, b"s", false, ResultCode::OK, version);
        transaction.note_answer(b, b"s", false, ResultCode::OK, None);
        transaction.note_answer(c, b"s", true, ResultCode::GENERATION, version);
        assert_eq!((transaction.n_reads(), transaction.n_writes()), (2, 0));
        assert_eq!(transaction.fields(a, false), TransactionFields { id: Some(7), version, deadline: None });
        // What is written needs no verification.
        transaction.note_answer(a, b"s", true, ResultCode::OK, None);
        transaction.note_answer(b, b"s", true, ResultCode::GENERATION, None);
        assert_eq!((transaction.n_reads(), transaction.n_writes()), (1, 1));
        assert_eq!(transaction.row_fields(a, true), TransactionFields { id: Some(7), ..Default::default() });
        transaction.note_deadline(5);
        assert_eq!(transaction.row_fields(a, true).deadline, Some(5));
        transaction.note_doubt(c, b"s");
        assert_eq!((transaction.n_reads(), transaction.n_writes()), (0, 2));
        assert!(transaction.has_written(c) && !transaction.has_written(b));
    }

    #[test]
    fn all_commands_have_one_namespace() {
        let transaction = Arc::new(Transaction::with_id(7));
        drop(transaction.begin([&b"test"[..]].into_iter()).unwrap());
        let refused = transaction.begin([&b"test"[..], b"bar"].into_iter()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "transaction 7 is of namespace \"test\", and a command names \"bar\"; use a transaction for each namespace"
        );
        assert_eq!(refused.code(), -2);
        let fresh = Arc::new(Transaction::with_id(8));
        assert!(fresh.begin([&b"test"[..], b"bar"].into_iter()).is_err());
        assert!(fresh.namespace().is_none(), "a refused command leaves no trace");
    }

    #[test]
    fn a_transaction_ends_when_no_command_runs() {
        let transaction = Arc::new(Transaction::with_id(7));
        let running = transaction.begin([&b"test"[..]].into_iter()).unwrap();
        assert!(transaction.begin_ending().unwrap_err().to_string().contains("still has 1 command running"));
        drop(running);
        let ending = transaction.begin_ending().unwrap();
        assert!(transaction.begin_ending().unwrap_err().to_string().contains("being committed or aborted"));
        let refused = transaction.begin([&b"test"[..]].into_iter()).unwrap_err();
        assert!(refused.to_string().contains("being committed or aborted"));
        drop(ending);
        let ending = transaction.begin_ending().unwrap();
        ending.set_state(TransactionState::Committed);
        drop(ending);
        let refused = transaction.begin([&b"test"[..]].into_iter()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "transaction 7 was committed and takes no more commands; begin a new one"
        );
    }

    #[test]
    fn a_commit_that_is_cancelled_while_it_decides_is_in_doubt() {
        let transaction = Arc::new(Transaction::with_id(7));
        let ending = transaction.begin_ending().unwrap();
        drop(ending.marking());
        assert_eq!(transaction.state(), TransactionState::CommitFailed);
        assert!(transaction.in_doubt());
    }

    #[test]
    fn a_write_that_is_cancelled_is_in_doubt() {
        let transaction = Transaction::with_id(7);
        let doubt = WriteDoubt::new(&transaction, &[1; 20], b"s");
        doubt.settle(false);
        assert_eq!(transaction.n_writes(), 0);
        drop(WriteDoubt::new(&transaction, &[1; 20], b"s"));
        assert_eq!(transaction.n_writes(), 1);
    }
}
