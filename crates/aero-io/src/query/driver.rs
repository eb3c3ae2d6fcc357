//! Decides which node is asked for which partitions, when, and for how many records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use wire_protocol::ResultCode;

use super::Query;
use super::RecordPosition;
use super::delivery::Delivery;
use super::index_hint::index_hint;
use super::node_request::{self, FinishedRequest, NodeRequest, QueryCall, RequestEnd};
use super::seen::SeenRecords;
use super::unread::UnreadPartitions;
use crate::command::retry::{moves_on, retry_delay};
use crate::error::{Error, Fault, Tried};
use crate::node::Node;
use crate::policy::{ReadModeSc, Replica};
use crate::topology::partition_map::Router;
use crate::topology::state::Inner;

/// How long to wait before the partitions of a node that left are requested elsewhere: the new view is about to
/// be published.
const VIEW_PAUSE: Duration = Duration::from_millis(1);

/// Carries out a query, and delivers the records. Also returns `Ok` if the receiver accepts no more records.
pub(super) async fn run<D>(inner: Arc<Inner>, query: Arc<Query>, delivery: D) -> Result<(), Error>
where
    D: Delivery + Clone + Sync,
{
    let start = Instant::now();
    let deadline = query.policy.limits.deadline(start, Duration::ZERO);
    let seen = query.predicate.as_ref().is_some_and(|predicate| predicate.may_repeat_records());
    let seen = seen.then(SeenRecords::default);
    let unread = UnreadPartitions::new(&query.partitions);
    let call = QueryCall { inner: Arc::clone(&inner), query, delivery, seen, unread, start, deadline };
    let timer = inner.metrics.time("query", || &call.query.space.namespace, 0);
    let outcome = inner.until_closed(false, Driver::new(&call).run()).await;
    timer.finish(outcome.map_err(|error| call.unread.explain(error)))
}

/// A partition that no request in flight asks for.
struct PendingPartition {
    partition: u16,
    after: Option<RecordPosition>,
    attempt: u32,
    /// The node at which the previous attempt failed.
    avoid: Option<u64>,
    not_before: Option<Instant>,
    /// See [`NodeRequest::reads_on`].
    reads_on: bool,
}

/// Partitions to request from one node.
type Group = (Arc<Node>, Vec<PendingPartition>);

struct Driver<'c, D> {
    call: &'c QueryCall<D>,
    pending: Vec<PendingPartition>,
    /// Records that may still be requested; `None` for all.
    budget: Option<u64>,
    /// Why partitions were retried last.
    cause: Option<Error>,
}

impl<'c, D: Delivery + Clone + Sync> Driver<'c, D> {
    fn new(call: &'c QueryCall<D>) -> Self {
        let query = &*call.query;
        let unfinished = query.partitions.iter().filter(|(_, progress)| !progress.is_done);
        let pending = |(partition, progress): (usize, super::PartitionProgress)| PendingPartition {
            partition: partition as u16,
            after: progress.after,
            attempt: 0,
            avoid: None,
            not_before: None,
            reads_on: false,
        };
        Self {
            call,
            pending: unfinished.map(pending).collect(),
            budget: (query.max_records != 0).then_some(query.max_records),
            cause: None,
        }
    }

    async fn run(mut self) -> Result<(), Error> {
        self.call.query.check()?;
        let limit = match self.call.query.policy.max_concurrent_nodes {
            0 => usize::MAX,
            limit => limit,
        };
        let mut running = FuturesUnordered::new();
        loop {
            for request in self.next_requests(limit.saturating_sub(running.len()))? {
                running.push(node_request::run(self.call, request));
            }
            // No request is in flight: all partitions are done, or `max_records` was reached.
            let Some(outcome) = running.next().await else { return Ok(()) };
            self.handle_finished(outcome)?;
        }
    }

    /// The requests that can be sent now, at most `limit`. Removes their partitions from `pending`.
    fn next_requests(&mut self, limit: usize) -> Result<Vec<NodeRequest>, Error> {
        if self.pending.is_empty() || limit == 0 || self.budget == Some(0) {
            return Ok(Vec::new());
        }
        let mut groups = self.groups()?;
        let limit = self.budget.map_or(limit, |budget| limit.min(usize::try_from(budget).unwrap_or(limit)));
        for (_, left) in groups.split_off(limit.min(groups.len())) {
            self.pending.extend(left);
        }
        let count = groups.len() as u64;
        // What a request does not use is returned to the budget when it ends.
        let budget = self.budget;
        self.budget = budget.map(|_| 0);
        let requests = groups.into_iter().zip(0..).map(|((node, pending), at)| NodeRequest {
            node,
            attempt: pending.first().map_or(0, |pending| pending.attempt),
            not_before: pending.iter().filter_map(|pending| pending.not_before).max(),
            reads_on: pending.iter().any(|pending| pending.reads_on),
            // The shares add up to the budget.
            share: budget.map(|budget| budget / count + u64::from(at < budget % count)),
            partitions: pending.into_iter().map(|pending| (pending.partition, pending.after)).collect(),
        });
        Ok(requests.collect())
    }

    /// The pending partitions, grouped by the node to ask and the number of earlier attempts.
    fn groups(&mut self) -> Result<Vec<Group>, Error> {
        let inner = &self.call.inner;
        let policy = &self.call.query.policy;
        let view = inner.view();
        let namespace = &self.call.query.space.namespace;
        let name = || String::from_utf8_lossy(namespace).into_owned();
        let map = view
            .namespace(namespace)
            .ok_or_else(|| inner.unless_closed(Error::NamespaceNotFound { namespace: name() }))?;
        let round_robin = if policy.limits.replica == Replica::Any { inner.next_round_robin() } else { 0 };
        let mut routers: BTreeMap<(u32, Option<u64>), Router<'_>> = BTreeMap::new();
        let mut groups: BTreeMap<(u32, u16), Vec<PendingPartition>> = BTreeMap::new();
        for pending in std::mem::take(&mut self.pending) {
            let router = routers.entry((pending.attempt, pending.avoid)).or_insert_with(|| {
                let session = ReadModeSc::default();
                Router::for_read(
                    &view,
                    policy.limits.replica,
                    session,
                    pending.attempt,
                    round_robin,
                    pending.avoid,
                )
            });
            let place = router.pick(map, pending.partition.into());
            let Some(place) = place.filter(|&place| usize::from(place) < view.nodes.len()) else {
                let partition = pending.partition.into();
                let error = Error::InvalidNode { namespace: name(), partition };
                // The reason for the retry says more than that no node is left.
                return Err(self.cause.take().unwrap_or_else(|| inner.unless_closed(error)));
            };
            groups.entry((pending.attempt, place)).or_default().push(pending);
        }
        let node = |place: u16| view.nodes.get(usize::from(place)).cloned();
        Ok(groups.into_iter().filter_map(|((_, place), pending)| Some((node(place)?, pending))).collect())
    }

    /// Handles a finished request.
    fn handle_finished(&mut self, outcome: FinishedRequest) -> Result<(), Error> {
        let FinishedRequest { request, sent_at, received, refused, end, was_stalled } = outcome;
        if let (Some(budget), Some(share)) = (&mut self.budget, request.share) {
            *budget += share - received.min(share);
        }
        let node = Arc::clone(&request.node);
        let attempt = request.attempt;
        let tried = Tried {
            command: "query",
            bins: String::new(),
            is_filtered: !self.call.query.policy.limits.filter.is_empty(),
            node: Arc::clone(&node.name),
            address: node.address,
            attempts: attempt.saturating_add(1),
            elapsed: self.call.start.elapsed(),
            in_doubt: false,
        };
        let query = &self.call.query;
        let server_error = |code| {
            let tried = Box::new(tried.clone());
            match query.predicate.as_ref().and_then(|predicate| index_hint(code, predicate, &query.space)) {
                Some(what) => Error::Index { code, what, tried },
                None => Error::Server { code, tried },
            }
        };
        let mut partitions = request.partitions;
        match end {
            Ok(ResultCode::OK) => {
                let mut again: BTreeMap<ResultCode, BTreeMap<u16, Option<RecordPosition>>> = BTreeMap::new();
                for (partition, code) in refused {
                    if let Some(after) = partitions.remove(&partition) {
                        again.entry(code).or_default().insert(partition, after);
                    }
                }
                // Only if the request reached its share, or the server may have counted records that it left
                // out: there may be more.
                let fell_short = request.share.is_some_and(|share| received < share);
                let known = self.pending.len();
                self.queue(partitions, attempt, None, None);
                if fell_short {
                    self.pending.iter_mut().skip(known).for_each(|pending| pending.reads_on = true);
                }
                for (code, partitions) in again {
                    node.observe_code(code);
                    self.retry(partitions, &node, attempt, server_error(code), code.is_transient())?;
                }
                Ok(())
            }
            Ok(code) => {
                let may_pass = code.is_transient_for_query();
                self.retry(partitions, &node, attempt, server_error(code), may_pass)
            }
            Err(RequestEnd::Fault(Fault::Gone)) => {
                self.queue(partitions, attempt, None, Instant::now().checked_add(VIEW_PAUSE));
                Ok(())
            }
            // The node gave up because its records were not read. That is not its failure.
            Err(RequestEnd::Fault(Fault::Io(_))) if was_stalled => {
                self.queue(partitions, attempt, None, None);
                Ok(())
            }
            Err(RequestEnd::Fault(fault)) => {
                node.observe(&fault, 1, Some(sent_at));
                let may_pass = !matches!(fault, Fault::Deadline);
                self.retry(partitions, &node, attempt, fault.into_error(&node, tried), may_pass)
            }
            Err(RequestEnd::Late) => Err(Error::Timeout { tried: Box::new(tried) }),
            Err(RequestEnd::Refused(error)) => Err(error),
            Err(RequestEnd::Enough) => {
                self.queue(partitions, attempt, None, None);
                Ok(())
            }
            Err(RequestEnd::Dropped) => Ok(()),
        }
    }

    /// Queues partitions for the next attempt, if the error may pass and there are retries and time left.
    fn retry(
        &mut self,
        partitions: BTreeMap<u16, Option<RecordPosition>>,
        node: &Node,
        attempt: u32,
        error: Error,
        may_pass: bool,
    ) -> Result<(), Error> {
        let policy = &self.call.query.policy;
        let moves = moves_on(policy.limits.replica, true, &error);
        let delay = retry_delay(policy.limits.sleep_between_retries, moves, attempt, &error);
        let not_before = Instant::now().checked_add(delay);
        let is_too_late = self
            .call
            .deadline
            .is_some_and(|deadline| not_before.is_none_or(|not_before| not_before >= deadline));
        if !may_pass || attempt >= policy.limits.max_retries || is_too_late {
            return Err(error);
        }
        self.call.inner.count_retries(1);
        self.cause = Some(error);
        let not_before = not_before.filter(|_| !delay.is_zero());
        self.queue(partitions, attempt + 1, moves.then_some(node.id), not_before);
        Ok(())
    }

    fn queue(
        &mut self,
        partitions: BTreeMap<u16, Option<RecordPosition>>,
        attempt: u32,
        avoid: Option<u64>,
        not_before: Option<Instant>,
    ) {
        let pending = |(partition, after)| PendingPartition {
            partition,
            after,
            attempt,
            avoid,
            not_before,
            reads_on: false,
        };
        self.pending.extend(partitions.into_iter().map(pending));
    }
}
