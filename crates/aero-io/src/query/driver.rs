//! Which node is asked for which partitions, when, and for how many records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::digest::Digest;

use super::exchange::{self, FinishedRequest, NodeRequest, QueryCall, RequestEnd};
use super::{Query, StreamItem};
use crate::command::retry::{moves_on, retry_delay};
use crate::error::{Error, Fault, Tried};
use crate::node::Node;
use crate::policy::{ReadModeSc, Replica};
use crate::topology::partition_map::Router;
use crate::topology::state::Inner;

/// Time before a node's partitions are asked for elsewhere when it has left the cluster: the view that says so
/// is on its way.
const VIEW_PAUSE: Duration = Duration::from_millis(1);

/// Carries out a query; what comes of it goes into `items`, its end too.
pub(crate) async fn run(inner: Arc<Inner>, query: Arc<Query>, items: mpsc::Sender<StreamItem>) {
    let start = Instant::now();
    let limit = query.policy.total_timeout;
    let deadline = if limit.is_zero() { None } else { start.checked_add(limit) };
    let call = QueryCall { inner: Arc::clone(&inner), query, items: items.clone(), start, deadline };
    let outcome = inner.until_closed(false, Driver::new(&call).run()).await;
    // Whoever has gone meanwhile needs no end.
    _ = items.send(StreamItem::Ended(outcome)).await;
}

/// A partition that nobody is asked for at the moment.
struct Open {
    partition: u16,
    after: Option<Digest>,
    attempt: u32,
    /// The node that the try before failed at.
    avoid: Option<u64>,
    not_before: Option<Instant>,
}

/// Partitions that one node is to be asked for.
type Group = (Arc<Node>, Vec<Open>);

struct Driver<'c> {
    call: &'c QueryCall,
    open: Vec<Open>,
    /// Records that may still be asked for; None for all.
    budget: Option<u64>,
    /// Why partitions are asked for again.
    cause: Option<Error>,
}

impl<'c> Driver<'c> {
    fn new(call: &'c QueryCall) -> Self {
        let query = &*call.query;
        let unfinished = query.partitions.iter().filter(|(_, progress)| !progress.is_done);
        let open = |(partition, progress): (usize, super::PartitionProgress)| Open {
            partition: partition as u16,
            after: progress.after,
            attempt: 0,
            avoid: None,
            not_before: None,
        };
        Self {
            call,
            open: unfinished.map(open).collect(),
            budget: (query.max_records != 0).then_some(query.max_records),
            cause: None,
        }
    }

    async fn run(mut self) -> Result<(), Error> {
        self.call.query.bins.check()?;
        let most = match self.call.query.policy.max_concurrent_nodes {
            0 => usize::MAX,
            most => most,
        };
        let mut running = FuturesUnordered::new();
        loop {
            for request in self.next_requests(most.saturating_sub(running.len()))? {
                running.push(exchange::run(self.call, request));
            }
            // Nothing is under way: all is done, or as many records came as were asked for.
            let Some(outcome) = running.next().await else { return Ok(()) };
            self.settle(outcome)?;
        }
    }

    /// The requests that can be sent now, at most so many; their partitions are open no more.
    fn next_requests(&mut self, most: usize) -> Result<Vec<NodeRequest>, Error> {
        if self.open.is_empty() || most == 0 || self.budget == Some(0) {
            return Ok(Vec::new());
        }
        let mut groups = self.groups()?;
        let most = self.budget.map_or(most, |budget| most.min(usize::try_from(budget).unwrap_or(most)));
        for (_, left) in groups.split_off(most.min(groups.len())) {
            self.open.extend(left);
        }
        let count = groups.len() as u64;
        // What of it does not come is given back.
        let budget = self.budget;
        self.budget = budget.map(|_| 0);
        let requests = groups.into_iter().zip(0..).map(|((node, open), at)| NodeRequest {
            node,
            attempt: open.first().map_or(0, |open| open.attempt),
            not_before: open.iter().filter_map(|open| open.not_before).max(),
            // Together they ask for no more than is left.
            share: budget.map(|budget| budget / count + u64::from(at < budget % count)),
            partitions: open.into_iter().map(|open| (open.partition, open.after)).collect(),
        });
        Ok(requests.collect())
    }

    /// All open partitions by the node to ask, and by how often they were asked for.
    fn groups(&mut self) -> Result<Vec<Group>, Error> {
        let inner = &self.call.inner;
        let policy = &self.call.query.policy;
        let view = inner.view();
        let namespace = &self.call.query.space.namespace;
        let name = || String::from_utf8_lossy(namespace).into_owned();
        let map = view
            .namespace(namespace)
            .ok_or_else(|| inner.unless_closed(Error::NamespaceNotFound { namespace: name() }))?;
        let round_robin = if policy.replica == Replica::Any { inner.next_round_robin() } else { 0 };
        let mut routers: BTreeMap<(u32, Option<u64>), Router<'_>> = BTreeMap::new();
        let mut groups: BTreeMap<(u32, u16), Vec<Open>> = BTreeMap::new();
        for open in std::mem::take(&mut self.open) {
            let router = routers.entry((open.attempt, open.avoid)).or_insert_with(|| {
                let session = ReadModeSc::default();
                Router::for_read(&view, policy.replica, session, open.attempt, round_robin, open.avoid)
            });
            let place = router.pick(map, open.partition.into());
            let Some(place) = place.filter(|&place| usize::from(place) < view.nodes.len()) else {
                let partition = open.partition.into();
                let error = Error::InvalidNode { namespace: name(), partition };
                // Why there was a second try at all says more than that no node is left for it.
                return Err(self.cause.take().unwrap_or_else(|| inner.unless_closed(error)));
            };
            groups.entry((open.attempt, place)).or_default().push(open);
        }
        let node = |place: u16| view.nodes.get(usize::from(place)).cloned();
        Ok(groups.into_iter().filter_map(|((_, place), open)| Some((node(place)?, open))).collect())
    }

    /// Draws conclusions from how a request ended.
    fn settle(&mut self, outcome: FinishedRequest) -> Result<(), Error> {
        let FinishedRequest { request, sent_at, received, refused, end, was_stalled } = outcome;
        if let (Some(budget), Some(share)) = (&mut self.budget, request.share) {
            *budget += share - received.min(share);
        }
        let node = Arc::clone(&request.node);
        let attempt = request.attempt;
        let tried = Tried {
            command: "query",
            node: Arc::clone(&node.name),
            address: node.address,
            attempts: attempt.saturating_add(1),
            elapsed: self.call.start.elapsed(),
            in_doubt: false,
        };
        let server_error = |code| Error::Server { code, tried: Box::new(tried.clone()) };
        let mut partitions = request.partitions;
        match end {
            Ok(ResultCode::OK) => {
                let mut again: BTreeMap<ResultCode, BTreeMap<u16, Option<Digest>>> = BTreeMap::new();
                for (partition, code) in refused {
                    if let Some(after) = partitions.remove(&partition) {
                        again.entry(code).or_default().insert(partition, after);
                    }
                }
                // There are some where as many came as were asked for: there may be more.
                self.reopen(partitions, attempt, None, None);
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
                self.reopen(partitions, attempt, None, Instant::now().checked_add(VIEW_PAUSE));
                Ok(())
            }
            // The node gave up because nobody took its records: that is no failure of its.
            Err(RequestEnd::Fault(Fault::Io(_))) if was_stalled => {
                self.reopen(partitions, attempt, None, None);
                Ok(())
            }
            Err(RequestEnd::Fault(fault)) => {
                node.observe(&fault, 1, Some(sent_at));
                let may_pass = !matches!(fault, Fault::Deadline);
                self.retry(partitions, &node, attempt, fault.into_error(&node, tried), may_pass)
            }
            Err(RequestEnd::Late) => Err(Error::Timeout { tried: Box::new(tried) }),
            Err(RequestEnd::Refused(error)) => Err(error),
            Err(RequestEnd::Dropped) => Ok(()),
        }
    }

    /// Has partitions asked for again, where another try may succeed and there is time for it.
    fn retry(
        &mut self,
        partitions: BTreeMap<u16, Option<Digest>>,
        node: &Node,
        attempt: u32,
        error: Error,
        may_pass: bool,
    ) -> Result<(), Error> {
        let policy = &self.call.query.policy;
        let moves = moves_on(policy.replica, true, &error);
        let delay = retry_delay(policy.sleep_between_retries, moves, attempt, &error);
        let not_before = Instant::now().checked_add(delay);
        let is_too_late = self
            .call
            .deadline
            .is_some_and(|deadline| not_before.is_none_or(|not_before| not_before >= deadline));
        if !may_pass || attempt >= policy.max_retries || is_too_late {
            return Err(error);
        }
        self.call.inner.count_retries(1);
        self.cause = Some(error);
        let not_before = not_before.filter(|_| !delay.is_zero());
        self.reopen(partitions, attempt + 1, moves.then_some(node.id), not_before);
        Ok(())
    }

    fn reopen(
        &mut self,
        partitions: BTreeMap<u16, Option<Digest>>,
        attempt: u32,
        avoid: Option<u64>,
        not_before: Option<Instant>,
    ) {
        let open = |(partition, after)| Open { partition, after, attempt, avoid, not_before };
        self.open.extend(partitions.into_iter().map(open));
    }
}
