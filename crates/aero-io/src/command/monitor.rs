//! The monitor record of a transaction: the server finds in it which records a transaction writes, so that it can
//! keep or drop them if the client is gone.
//!
//! It is a record of the transaction's namespace with the identifier as its key. Before a command writes a record, the
//! record's digest is appended to the list in the monitor record; a batch appends those of all its rows at once. The
//! first append creates the record, with the transaction's timeout as its time to live, and the server answers when it
//! will end the transaction.

use tokio::time::{Instant, timeout_at};
use wire_protocol::collection::{ListPolicy, list, list_flags};
use wire_protocol::command::{
    OperateReads, RecordKey, WriteOp, WriteOptions, write_delete, write_operate, write_write,
};
use wire_protocol::digest::Digest;
use wire_protocol::message::op;
use wire_protocol::particle::Particle;
use wire_protocol::value::{ListOrder, Value};

use crate::command::single::{Command, Tracking};
use crate::error::Error;
use crate::key::{Key, OwnedKey, Space};
use crate::policy::{Limits, SINGLE_TIMEOUT};
use crate::topology::state::Inner;
use crate::transaction::Transaction;

/// The set of all monitor records.
const SET: &str = "<ERO~MRT";

/// The bin with the transaction's identifier.
const ID: &str = "id";

/// The bin with the digests of the records that the transaction writes.
const DIGESTS: &str = "keyds";

/// The bin that says that the transaction is committed.
const FORWARD: &str = "fwd";

/// Appends the key that a command is about to write, unless it is known to be there.
pub(crate) async fn add_key(
    inner: &Inner,
    transaction: &Transaction,
    limits: &Limits,
    start: Instant,
    digest: &Digest,
) -> Result<(), Error> {
    if transaction.has_written(digest) {
        return Ok(());
    }
    let digest = Value::Blob(digest.to_vec());
    Box::pin(append(inner, transaction, limits, start, |policy| list::append(digest, policy))).await
}

/// Appends the keys that a batch is about to write.
pub(crate) async fn add_keys(
    inner: &Inner,
    transaction: &Transaction,
    limits: &Limits,
    start: Instant,
    digests: impl Iterator<Item = Digest>,
) -> Result<(), Error> {
    let items = digests.map(|digest| Value::Blob(digest.to_vec())).collect();
    let digests = Value::List { order: ListOrder::Unordered, items };
    Box::pin(append(inner, transaction, limits, start, |policy| list::append_items(digests, policy))).await
}

/// Applies an append to the monitor record, and creates it first if it is not known to exist.
async fn append(
    inner: &Inner,
    transaction: &Transaction,
    limits: &Limits,
    start: Instant,
    call: impl FnOnce(Option<ListPolicy>) -> wire_protocol::operation::Call,
) -> Result<(), Error> {
    // Only one command creates the record: the server refuses a second creation.
    let creating = match limits.deadline(start, SINGLE_TIMEOUT) {
        _ if transaction.has_monitor() => None,
        // After the deadline, the write below fails without being sent.
        Some(deadline) => timeout_at(deadline, transaction.creating.lock()).await.ok(),
        None => Some(transaction.creating.lock().await),
    };
    let is_new = !transaction.has_monitor();
    let flags = list_flags::ADD_UNIQUE | list_flags::NO_FAIL | list_flags::PARTIAL;
    let append = call(Some(ListPolicy { order: ListOrder::Ordered, flags })).on(DIGESTS)?;
    let id = WriteOp {
        code: op::WRITE,
        name: ID.as_bytes(),
        value: Particle::Int(transaction.id().cast_signed()),
    };
    let ops = [id, append.as_op()];
    let ops = if is_new { &ops[..] } else { &ops[1..] };
    let key = key_of(transaction);
    let limits = part_of(limits);
    let mut command = Command::begun_at(start, "write of the transaction's monitor record", &key, &limits);
    command.tracking = Tracking::Monitor(transaction);
    let reads = OperateReads { writes: true, ..OperateReads::default() };
    let outcome = command
        .run_alone(inner, &|out, timeout_ms| {
            // Successive writes do not change the time to live.
            let options = WriteOptions { timeout_ms, ttl: transaction.timeout(), ..WriteOptions::default() };
            write_operate(out, &record_key(&key), ops.iter().copied(), &options, &reads)
        })
        .await;
    drop(creating);
    outcome.map(drop).map_err(before_write)
}

/// Marks the transaction as committed: from then on, the server keeps what it has written.
pub(crate) async fn mark_forward(
    inner: &Inner,
    transaction: &Transaction,
    limits: &Limits,
) -> Result<(), Error> {
    let (key, limits) = (key_of(transaction), part_of(limits));
    let forward = WriteOp { code: op::WRITE, name: FORWARD.as_bytes(), value: Particle::Bool(true) };
    Command::new("commit", &key, &limits)
        .run_alone(inner, &|out, timeout_ms| {
            let options = WriteOptions { timeout_ms, ..WriteOptions::default() };
            write_write(out, &record_key(&key), [forward].into_iter(), &options)
        })
        .await
        .map(drop)
}

/// Deletes the monitor record.
pub(crate) async fn close(inner: &Inner, transaction: &Transaction, limits: &Limits) -> Result<(), Error> {
    let (key, limits) = (key_of(transaction), part_of(limits));
    Command::new("deletion of the transaction's monitor record", &key, &limits)
        .run_alone(inner, &|out, timeout_ms| {
            let options = WriteOptions { timeout_ms, durable_delete: true, ..WriteOptions::default() };
            write_delete(out, &record_key(&key), &options)
        })
        .await
        .map(drop)
}

fn key_of(transaction: &Transaction) -> Key {
    let space = Space::new(transaction.namespace().unwrap_or_default(), SET);
    Key::new(space, OwnedKey::Int(transaction.id().cast_signed()), false)
}

fn record_key(key: &Key) -> RecordKey<'_> {
    RecordKey {
        namespace: &key.space.namespace,
        set: &key.space.set,
        digest: &key.digest,
        send_key: None,
        transaction: None,
    }
}

/// What a command on the monitor record takes from the policy of another command: its times and retries.
fn part_of(limits: &Limits) -> Limits {
    Limits {
        total_timeout: limits.total_timeout,
        socket_timeout: limits.socket_timeout,
        max_retries: limits.max_retries,
        sleep_between_retries: limits.sleep_between_retries,
        compress: limits.compress,
        ..Limits::default()
    }
}

/// The error of the step before a write: the write itself was not sent.
fn before_write(mut error: Error) -> Error {
    match &mut error {
        Error::Server { tried, .. }
        | Error::Timeout { tried }
        | Error::Connection { tried, .. }
        | Error::Protocol { tried, .. } => tried.in_doubt = false,
        _ => {}
    }
    error
}
