//! Commands on one record: routing, hedging and retries.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use futures_util::future::{Either, select};
use tokio::time::{Instant, sleep};
use wire_protocol::ResultCode;
use wire_protocol::WireError;
use wire_protocol::command::{
    ReadOptions, RecordKey, TransactionAnswer, WriteOp, WriteOptions, write_delete, write_read, write_write,
};
use wire_protocol::digest::partition_id;
use wire_protocol::message::Message;

use crate::command::answer::Answer;
use crate::command::exchange::{self, Exchange, Failure, Received, Unanswered};
use crate::command::monitor;
use crate::command::retry::{moves_on, retry_delay};
use crate::error::{Error, Fault, Tried};
use crate::key::{Bins, Key, check_bin_name};
use crate::net::buffers::Buffers;
use crate::net::timer::Timer;
use crate::node::Node;
use crate::node::events::Event;
use crate::node::health::count;
use crate::node::hedge;
use crate::policy::{Hedge, Limits, ReadModeSc, ReadPolicy, Replica, SINGLE_TIMEOUT, WritePolicy};
use crate::topology::partition_map::Router;
use crate::topology::state::Inner;
use crate::transaction::{Transaction, WriteDoubt};

/// What all commands on one record share.
pub(crate) struct Command<'a> {
    name: &'static str,
    key: &'a Key,
    pub(crate) is_write: bool,
    /// Whether the command may be sent again when it may have been applied, because applying it twice has the
    /// same effect.
    pub(crate) is_repeatable: bool,
    start: Instant,
    deadline: Option<Instant>,
    limits: &'a Limits,
    pub(crate) read_mode_sc: ReadModeSc,
    pub(crate) hedge: Hedge,
    pub(crate) tracking: Tracking<'a>,
}

/// What the answers to a command mean for a transaction.
#[derive(Clone, Copy)]
pub(crate) enum Tracking<'a> {
    /// The command is not part of one.
    None,
    /// It reads or writes a record.
    Record(&'a Arc<Transaction>),
    /// It adds to the monitor record.
    Monitor(&'a Transaction),
}

pub(crate) async fn read(
    inner: &Inner,
    key: &Key,
    bins: &Bins,
    policy: &ReadPolicy,
) -> Result<Answer, Error> {
    bins.check()?;
    let names = bins.borrowed();
    let command = Command {
        is_write: false,
        read_mode_sc: policy.reads.mode_sc,
        hedge: policy.reads.hedge,
        ..Command::new("read", key, &policy.limits)
    };
    command
        .run(inner, &|out, timeout_ms| {
            let options = ReadOptions {
                timeout_ms,
                info1: policy.reads.info1() | policy.limits.info1(),
                info3: policy.reads.info3(),
                read_touch_ttl_percent: policy.reads.touch_ttl_percent as u32,
                filter: &policy.limits.filter,
            };
            write_read(out, &command.record_key(), bins.projection(&names), &options)
        })
        .await
}

pub(crate) async fn write(
    inner: &Inner,
    key: &Key,
    ops: &[WriteOp<'_>],
    policy: &WritePolicy,
) -> Result<Answer, Error> {
    check_ops(ops)?;
    let command = Command::new("write", key, &policy.limits);
    let encode = |out: &mut Vec<u8>, timeout_ms| {
        write_write(out, &command.record_key(), ops.iter().copied(), &write_options(policy, timeout_ms))
    };
    command.run(inner, &encode).await
}

/// Fails if the protocol cannot express the operations.
pub(crate) fn check_ops(ops: &[WriteOp<'_>]) -> Result<(), Error> {
    ops.iter().try_for_each(|op| check_bin_name(op.name))?;
    if ops.len() > usize::from(u16::MAX) {
        let what = format!("{} operations; a request takes at most 65535", ops.len());
        return Err(Error::Param { what });
    }
    Ok(())
}

pub(crate) async fn delete(inner: &Inner, key: &Key, policy: &WritePolicy) -> Result<Answer, Error> {
    let command = Command::new("delete", key, &policy.limits);
    let encode = |out: &mut Vec<u8>, timeout_ms| {
        write_delete(out, &command.record_key(), &write_options(policy, timeout_ms))
    };
    command.run(inner, &encode).await
}

pub(crate) fn write_options(policy: &WritePolicy, timeout_ms: u32) -> WriteOptions<'_> {
    WriteOptions {
        timeout_ms,
        ttl: policy.ttl,
        exists: policy.exists,
        generation: policy.generation,
        commit_master: policy.commit_master,
        durable_delete: policy.durable_delete,
        on_locking_only: policy.on_locking_only,
        filter: &policy.limits.filter,
    }
}

/// One attempt.
#[derive(Clone, Copy)]
struct Try {
    attempt: u32,
    /// Replicas that earlier attempts have moved past.
    step: u32,
    start: Instant,
}

/// How an attempt ended.
type Outcome = Result<Answer, Unanswered<Failure>>;

/// Appends a request to a buffer. The number is the milliseconds left for the server, 0 for no limit.
///
/// A trait object, so that the futures of all commands are one type and compiled once.
pub(crate) type Encode<'e> = dyn Fn(&mut Vec<u8>, u32) -> Result<(), WireError> + Sync + 'e;

impl<'a> Command<'a> {
    /// A write that may be repeated.
    pub(crate) fn new(name: &'static str, key: &'a Key, limits: &'a Limits) -> Self {
        Self::begun_at(Instant::now(), name, key, limits)
    }

    /// A write that may be repeated, as a part of a command that began at `start`.
    pub(crate) fn begun_at(start: Instant, name: &'static str, key: &'a Key, limits: &'a Limits) -> Self {
        Self {
            name,
            key,
            is_write: true,
            is_repeatable: true,
            start,
            deadline: limits.deadline(start, SINGLE_TIMEOUT),
            limits,
            read_mode_sc: ReadModeSc::default(),
            hedge: Hedge::Off,
            tracking: match &limits.transaction {
                Some(transaction) => Tracking::Record(transaction),
                None => Tracking::None,
            },
        }
    }

    /// The key as a request holds it.
    pub(crate) fn record_key(&self) -> RecordKey<'a> {
        let key = self.key;
        RecordKey {
            namespace: &key.space.namespace,
            set: &key.space.set,
            digest: &key.digest,
            send_key: key.send.as_ref().map(|key| key.borrow()),
            transaction: match self.tracking {
                Tracking::Record(transaction) => Some(transaction.fields(&key.digest, self.is_write)),
                _ => None,
            },
        }
    }

    /// Sends the request that `encode` writes, and retries it until there is a final answer, or no retry or
    /// time is left. If it is part of a transaction, the transaction learns what it has read or written.
    pub(crate) async fn run(&self, inner: &Inner, encode: &Encode<'_>) -> Result<Answer, Error> {
        let Tracking::Record(transaction) = self.tracking else {
            return self.run_alone(inner, encode).await;
        };
        let key = self.key;
        let _running = transaction.begin([&*key.space.namespace].into_iter())?;
        if self.is_write {
            monitor::add_key(inner, transaction, self.limits, self.start, &key.digest).await?;
        }
        let doubt = self.is_write.then(|| WriteDoubt::new(transaction, &key.digest, &key.space.set));
        // Boxed, so that commands without a transaction do not reserve space for both.
        let outcome = Box::pin(self.run_alone(inner, encode)).await;
        if let Some(doubt) = doubt {
            doubt.settle(outcome.as_ref().is_err_and(Error::in_doubt));
        }
        outcome
    }

    /// [`Command::run`] without what a transaction adds.
    pub(crate) async fn run_alone(&self, inner: &Inner, encode: &Encode<'_>) -> Result<Answer, Error> {
        let mut buffers = inner.buffers.take();
        let mut last: Option<Error> = None;
        let mut avoid = None;
        // Whether an earlier attempt of a write may have been applied.
        let mut in_doubt = false;
        let (mut attempt, mut step) = (0u32, 0u32);
        loop {
            let current = Try { attempt, step, start: Instant::now() };
            let node = match self.route(inner, step, avoid) {
                Ok(node) => node,
                // The reason for the retry says more than that no node is left.
                Err(error) => return Err(last.unwrap_or(error)),
            };
            let (node, outcome) = self.hedged(inner, node, current, &mut buffers, encode).await;
            let tried = |in_doubt| Tried {
                command: self.name,
                bins: String::new(),
                is_filtered: !self.limits.filter.is_empty(),
                node: Arc::clone(&node.name),
                address: node.address,
                attempts: attempt.saturating_add(1),
                elapsed: self.start.elapsed(),
                in_doubt,
            };
            let error = match outcome {
                Ok(answer) if answer.result_code == ResultCode::OK => return Ok(answer),
                Ok(answer) => {
                    let code = answer.result_code;
                    in_doubt |= self.is_write && code == ResultCode::TIMEOUT;
                    let tried = Box::new(tried(in_doubt));
                    let error = match answer.ops().next().filter(|_| code == ResultCode::UDF_BAD_RESPONSE) {
                        // The text of the function's error.
                        Some(text) => {
                            let what = String::from_utf8_lossy(text.value).into_owned();
                            Error::Function { code, what, tried }
                        }
                        None => Error::Server { code, tried },
                    };
                    if !code.is_transient() {
                        return Err(error);
                    }
                    error
                }
                Err(Unanswered { why: Failure::Refused(error), .. }) => return Err(error),
                // Nothing was sent, and the current view has another node.
                Err(Unanswered { why: Failure::Fault(Fault::Gone), .. }) => continue,
                Err(Unanswered { why: Failure::Fault(fault), any_sent }) => {
                    node.observe(&fault, 1, Some(current.start));
                    in_doubt |= self.is_write && any_sent;
                    let is_final = matches!(fault, Fault::Deadline);
                    let error = fault.into_error(&node, tried(in_doubt));
                    if is_final {
                        return Err(error);
                    }
                    error
                }
            };
            let moves = moves_on(self.limits.replica, self.is_free_read(), &error);
            let delay = retry_delay(self.limits.sleep_between_retries, moves, attempt, &error);
            let is_too_late = self.deadline.is_some_and(|deadline| {
                Instant::now().checked_add(delay).is_none_or(|start| start >= deadline)
            });
            let is_risky = in_doubt && !self.is_repeatable;
            if attempt >= self.limits.max_retries || is_too_late || is_risky {
                return Err(error);
            }
            if !delay.is_zero() {
                sleep(delay).await;
            }
            inner.count_retries(1);
            inner.connector.events.push_detail(|| Event::Retry {
                command: self.name,
                node: node.as_named(),
                code: error.code(),
            });
            last = Some(error);
            avoid = moves.then_some(node.id);
            attempt += 1;
            step += u32::from(moves);
        }
    }

    /// One attempt. If a read is not answered for too long, it is sent to another node as well, and the first
    /// answer counts. Returns the node that the outcome comes from.
    async fn hedged(
        &self,
        inner: &Inner,
        node: Arc<Node>,
        current: Try,
        buffers: &mut Buffers,
        encode: &Encode<'_>,
    ) -> (Arc<Node>, Outcome) {
        inner.hedges.earn();
        let mut first = pin!(self.attempt(&node, buffers, encode));
        let outcome = match hedge::delay(self.hedge, self.limits.replica, &node.health, 1) {
            None => Some(first.as_mut().await),
            Some(delay) => tokio::time::timeout(delay, first.as_mut()).await.ok(),
        };
        if let Some(outcome) = outcome {
            return (Arc::clone(&node), outcome);
        }
        // Boxed because it is rare and large: otherwise every read's future would reserve space for it.
        Box::pin(self.hedge_late(inner, &node, current, encode, first)).await
    }

    /// Continues [`Command::hedged`] when the `first` request is late.
    async fn hedge_late<F>(
        &self,
        inner: &Inner,
        node: &Arc<Node>,
        current: Try,
        encode: &Encode<'_>,
        first: Pin<&mut F>,
    ) -> (Arc<Node>, Outcome)
    where
        F: Future<Output = Outcome>,
    {
        node.check_silence(1, current.start);
        node.health.note_overdue(1, current.start.elapsed());
        let other = self.route_elsewhere(inner, current.step, node).filter(|_| inner.hedges.spend(1));
        let Some(other) = other else {
            let outcome = first.await;
            return (Arc::clone(node), outcome);
        };
        count(&node.health.counters.hedges);
        inner.count_hedges(1);
        let mut buffers = inner.buffers.take();
        let second = pin!(self.attempt(&other, &mut buffers, encode));
        let asked = Instant::now();
        let mut both = select(first, second);
        let both = match tokio::time::timeout(hedge::adaptive(&other.health, 1), &mut both).await {
            Ok(ended) => ended,
            // Both nodes are silent: with retries left, a third node may answer.
            Err(_)
                if current.attempt < self.limits.max_retries
                    && other.check_silence(1, asked)
                    && !node.is_usable() =>
            {
                return (Arc::clone(&other), Err(Unanswered { why: Fault::Socket.into(), any_sent: false }));
            }
            Err(_) => both.await,
        };
        // If one request fails, wait for the other; its outcome counts even if it fails. But if the first node
        // is not usable and retries are left, do not wait for it.
        match both {
            Either::Left((Err(Unanswered { why: Failure::Fault(fault), .. }), second)) => {
                node.observe(&fault, 1, Some(current.start));
                (Arc::clone(&other), second.await)
            }
            Either::Right((Err(Unanswered { why: Failure::Fault(fault), any_sent }), first)) => {
                if !node.is_usable() && current.attempt < self.limits.max_retries {
                    return (Arc::clone(&other), Err(Unanswered { why: fault.into(), any_sent }));
                }
                other.observe(&fault, 1, Some(asked));
                (Arc::clone(node), first.await)
            }
            Either::Left((outcome, _)) => (Arc::clone(node), outcome),
            Either::Right((outcome, _)) => (Arc::clone(&other), outcome),
        }
    }

    /// Whether any replica may answer.
    fn is_free_read(&self) -> bool {
        !self.is_write && self.read_mode_sc != ReadModeSc::Linearize
    }

    /// A node other than `asked`.
    fn route_elsewhere(&self, inner: &Inner, step: u32, asked: &Node) -> Option<Arc<Node>> {
        let view = inner.view();
        let map = view.namespace(&self.key.space.namespace)?;
        let router = Router::for_hedge(&view, self.limits.replica, self.read_mode_sc, step, asked.id);
        router.node(map, partition_id(&self.key.digest)).cloned()
    }

    fn route(&self, inner: &Inner, step: u32, avoid: Option<u64>) -> Result<Arc<Node>, Error> {
        let view = inner.view();
        let namespace = &self.key.space.namespace;
        let name = || String::from_utf8_lossy(namespace).into_owned();
        let map = view
            .namespace(namespace)
            .ok_or_else(|| inner.unless_closed(Error::NamespaceNotFound { namespace: name() }))?;
        let router = if self.is_write {
            Router::for_write(&view, self.limits.replica, step)
        } else {
            let round_robin = if self.limits.replica == Replica::Any { inner.next_round_robin() } else { 0 };
            Router::for_read(&view, self.limits.replica, self.read_mode_sc, step, round_robin, avoid)
        };
        let partition = partition_id(&self.key.digest);
        router
            .node(map, partition)
            .cloned()
            .ok_or_else(|| Error::InvalidNode { namespace: name(), partition })
    }

    /// Tells the transaction what an answer says.
    #[cold]
    fn note_answer(&self, tracking: Tracking<'_>, body: &[u8], code: ResultCode) -> Result<(), Fault> {
        let said = TransactionAnswer::parse(Message::parse_only(body)?.fields())?;
        match tracking {
            Tracking::None => {}
            Tracking::Record(transaction) => {
                let (digest, set) = (&self.key.digest, &self.key.space.set);
                transaction.note_answer(digest, set, self.is_write, code, said.version);
            }
            Tracking::Monitor(transaction) => {
                if let Some(deadline) = said.deadline {
                    transaction.note_deadline(deadline);
                }
            }
        }
        Ok(())
    }

    async fn attempt(&self, node: &Node, buffers: &mut Buffers, encode: &Encode<'_>) -> Outcome {
        let mut timer = Timer::new(self.deadline, self.limits.socket_timeout);
        let mut exchange = RecordExchange { command: self, encode };
        let (_, answer) = exchange::run(&mut exchange, node, buffers, &mut timer).await?;
        Ok(answer)
    }
}

/// The exchange of a command on one record: one message, one answer.
struct RecordExchange<'a> {
    command: &'a Command<'a>,
    encode: &'a Encode<'a>,
}

impl Exchange for RecordExchange<'_> {
    type Answer = Answer;
    type Failure = Failure;

    fn purpose(&self) -> (&'static str, &[u8]) {
        (if self.command.is_write { "write" } else { "read" }, &self.command.key.space.namespace)
    }

    fn may_repeat(&self) -> bool {
        !self.command.is_write
    }

    fn compress(&self) -> bool {
        self.command.limits.compress
    }

    fn timed_rows(&self) -> Option<usize> {
        Some(1)
    }

    fn encode(&mut self, out: &mut Vec<u8>, timeout_ms: u32) -> Result<(), Error> {
        Ok((self.encode)(out, timeout_ms)?)
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<Answer>, Failure> {
        let answer = Answer::parse(body).map_err(Fault::from)?;
        match self.command.tracking {
            Tracking::None => {}
            tracking => self.command.note_answer(tracking, body, answer.result_code)?,
        }
        Ok(Received::End(answer.result_code, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is moved several times before it is first polled.
    #[test]
    fn the_future_of_a_read_is_small() {
        fn size<'a, F>(_: impl FnOnce(&'a Inner, &'a Key, &'a Bins, &'a ReadPolicy) -> F) -> usize {
            size_of::<F>()
        }
        // Transactions and metrics took 40 bytes, and counting requests that are abandoned 88.
        assert!(size(super::read) < 1_700, "{}", size(super::read));
    }
}
