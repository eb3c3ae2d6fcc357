//! Groups rows by node and cuts them into requests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use wire_protocol::digest::partition_id;

use crate::batch::attempt::Attempt;
use crate::batch::call::BatchCall;
use crate::batch::chunk::Chunk;
use crate::batch::keys::{BatchKeys, PAGE};
use crate::batch::progress::Progress;
use crate::batch::request::Request;
use crate::error::Error;
use crate::node::Node;
use crate::topology::partition_map::{NO_NODE, Router};

/// Most rows of a request.
const MAX_REQUEST_ROWS: usize = 2 * PAGE;

/// A batch is cut into at least this many requests per node, to be served in parallel.
const MIN_REQUESTS: usize = 4;

/// Approximate limit on a request's size in bytes: rows of many namespaces and sets with many bins are long.
const MAX_REQUEST_SIZE: usize = 1024 * 1024;

/// Rows to be sent to one node.
pub(crate) struct NodeQueue {
    pub(crate) node: Arc<Node>,
    rows: Arc<Vec<u32>>,
    next: usize,
    /// Rows per request.
    chunk_rows: usize,
    attempt: Attempt,
}

/// Rows grouped by destination.
#[derive(Default)]
pub(crate) struct Grouped {
    pub(crate) queues: Vec<NodeQueue>,
    /// Rows of namespaces that the cluster does not have.
    pub(crate) unknown_namespace: Vec<u32>,
    /// Rows of partitions that no node owns.
    pub(crate) without_node: Vec<u32>,
}

/// Groups `rows` by the nodes of the current view. Each group keeps the order of `rows`.
pub(crate) fn group(call: &BatchCall, rows: &[u32], attempt: Attempt) -> Grouped {
    let view = call.inner.view();
    let policy = call.policy();
    let round_robin = call.inner.next_round_robin();
    let router = if call.request.may_write() {
        Router::for_write(&view, policy.limits.replica, attempt.step)
    } else {
        Router::for_read(
            &view,
            policy.limits.replica,
            policy.reads.mode_sc,
            attempt.step,
            round_robin,
            attempt.avoid,
        )
    };
    group_by(call, rows, attempt, &router)
}

/// Groups the rows that a node other than `asked` can answer.
pub(crate) fn group_elsewhere(
    call: &BatchCall,
    rows: &[u32],
    attempt: Attempt,
    asked: &Node,
) -> Vec<NodeQueue> {
    let view = call.inner.view();
    let policy = call.policy();
    let router =
        Router::for_hedge(&view, policy.limits.replica, policy.reads.mode_sc, attempt.step, asked.id);
    let mut queues = group_by(call, rows, attempt, &router).queues;
    // One request per node: a hedge must not multiply requests.
    for queue in &mut queues {
        queue.chunk_rows = queue.node.max_rows().clamp(1, queue.rows.len());
    }
    queues
}

fn group_by(call: &BatchCall, rows: &[u32], attempt: Attempt, router: &Router<'_>) -> Grouped {
    let view = router.view;
    let keys = &*call.keys;
    let routes: Vec<_> = keys
        .spaces()
        .iter()
        .map(|space| view.namespace(&space.namespace).map(|map| (map, router.direct(map))))
        .collect();
    let digests = keys.digests_of(rows);
    let mut grouped = Grouped::default();
    // Partitions are spread evenly, so each node gets about the same number of rows.
    let share = rows.len() / view.nodes.len().max(1);
    let mut rows_of_node: Vec<Vec<u32>> =
        view.nodes.iter().map(|_| Vec::with_capacity(share + share / 8)).collect();
    for &row in rows {
        let Some((map, direct)) = routes[keys.space_index(row)] else {
            grouped.unknown_namespace.push(row);
            continue;
        };
        let partition = partition_id(digests.of(row));
        let owner = direct.map_or(NO_NODE, |owners| owners[partition]);
        let place = if owner == NO_NODE { router.pick(map, partition) } else { Some(owner) };
        match place.and_then(|place| rows_of_node.get_mut(usize::from(place))) {
            Some(rows) => rows.push(row),
            None => grouped.without_node.push(row),
        }
    }
    let max_rows = attempt.max_rows.min(call.request.max_rows());
    for (node, rows) in view.nodes.iter().zip(rows_of_node).filter(|(_, rows)| !rows.is_empty()) {
        grouped.queues.push(NodeQueue {
            node: Arc::clone(node),
            chunk_rows: chunk_rows(rows.len(), max_rows.min(node.max_rows())),
            rows: Arc::new(rows),
            next: 0,
            attempt,
        });
    }
    grouped
}

/// How many rows to queue at a time, for a batch of `rows` at `nodes` nodes. The first rows are sent while the
/// digests of later ones are still computed.
pub(crate) fn segment(rows: usize, nodes: usize) -> usize {
    (rows / MIN_REQUESTS).next_multiple_of(PAGE).clamp(PAGE, MAX_REQUEST_ROWS) * nodes.max(1)
}

/// Computes the digests of `rows` that are not known yet.
pub(crate) fn compute_digests(keys: &BatchKeys, rows: &[u32]) -> Result<(), Error> {
    let mut last = usize::MAX;
    for &row in rows {
        let page = row as usize / PAGE;
        if page != last {
            keys.compute(row as usize..row as usize + 1)?;
            last = page;
        }
    }
    Ok(())
}

/// Rows per request, about the same in each.
fn chunk_rows(rows: usize, limit: usize) -> usize {
    let wanted = rows.min(MAX_REQUEST_ROWS).min(limit).max(1);
    rows.div_ceil(rows.div_ceil(wanted).max(1)).max(1)
}

/// The order in which rows are sent.
pub(crate) enum RowOrder {
    /// The order of the keys; the number of rows.
    Given(u32),
    Listed(Vec<u32>),
}

impl RowOrder {
    pub(crate) fn of(keys: &BatchKeys) -> Self {
        if keys.is_single() { Self::Given(keys.len() as u32) } else { Self::Listed(rows_by_space(keys)) }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Given(rows) => *rows as usize,
            Self::Listed(rows) => rows.len(),
        }
    }

    pub(crate) fn rows(&self, places: Range<usize>) -> Vec<u32> {
        match self {
            Self::Given(_) => (places.start as u32..places.end as u32).collect(),
            Self::Listed(rows) => rows.get(places).unwrap_or_default().to_vec(),
        }
    }

    /// Removes and returns the rows for which `is_out` holds.
    pub(crate) fn take_out(&mut self, is_out: impl Fn(u32) -> bool) -> Vec<u32> {
        let (out, rest) = self.rows(0..self.len()).into_iter().partition(|&row| is_out(row));
        *self = Self::Listed(rest);
        out
    }
}

/// All rows, those of one namespace and set after each other: in a request, a row repeats the names of the row
/// before it at no cost.
fn rows_by_space(keys: &BatchKeys) -> Vec<u32> {
    let n = keys.len() as u32;
    // Sorted, so that the sets of one namespace are neighbours.
    let mut ranks: BTreeMap<_, usize> = keys.spaces().iter().map(|space| (space, 0)).collect();
    ranks.values_mut().enumerate().for_each(|(place, rank)| *rank = place);
    let rank_of: Vec<usize> =
        keys.spaces().iter().map(|space| ranks.get(space).copied().unwrap_or(0)).collect();
    let mut starts = vec![0usize; ranks.len() + 1];
    (0..n).for_each(|row| starts[rank_of[keys.space_index(row)] + 1] += 1);
    for rank in 1..starts.len() {
        starts[rank] += starts[rank - 1];
    }
    let mut ordered = vec![0; keys.len()];
    for row in 0..n {
        let next = &mut starts[rank_of[keys.space_index(row)]];
        ordered[*next] = row;
        *next += 1;
    }
    ordered
}

/// `rows` grouped by namespace; `None` if they have only one.
pub(crate) fn split_by_namespace(keys: &BatchKeys, rows: &[u32]) -> Option<Vec<Vec<u32>>> {
    let mut parts: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
    for &row in rows {
        parts.entry(&keys.spaces()[keys.space_index(row)].namespace).or_default().push(row);
    }
    (parts.len() > 1).then(|| parts.into_values().collect())
}

impl NodeQueue {
    /// Cuts off the next request.
    pub(crate) fn cut(&mut self, keys: &BatchKeys, request: &Request) -> Option<Chunk> {
        let rest = self.rows.get(self.next..).filter(|rest| !rest.is_empty())?;
        let most = rest.get(..self.chunk_rows).unwrap_or(rest);
        let most = if request.may_write() { of_one_namespace(keys, most) } else { most };
        let is_fixed = keys.is_single() && request.has_fixed_size();
        let taken = if is_fixed { most.len() } else { rows_that_fit(keys, request, most) };
        let range = Range { start: self.next, end: self.next + taken };
        self.next = range.end;
        Some(Chunk::new(Arc::clone(&self.node), Arc::clone(&self.rows), range, self.attempt))
    }

    pub(crate) fn is_again(&self) -> bool {
        self.attempt.is_again
    }

    /// Removes rows that were settled since they were queued.
    pub(crate) fn drop_settled(&mut self, progress: &Progress) {
        let rest = self.rows.get(self.next..).unwrap_or_default();
        if rest.iter().any(|&row| progress.is_settled(row)) {
            let open = rest.iter().copied().filter(|&row| !progress.is_settled(row)).collect();
            (self.rows, self.next) = (Arc::new(open), 0);
        }
    }

    /// The rows that are still to be sent, if the node has failed since they were queued and they have not
    /// moved yet.
    pub(crate) fn unsent_to_failed_node(&self) -> Option<(&[u32], Attempt)> {
        if self.attempt.is_rerouted || self.node.is_usable() {
            return None;
        }
        let attempt = Attempt { is_rerouted: true, ..self.attempt };
        self.rows.get(self.next..).map(|rest| (rest, attempt))
    }
}

/// The leading rows of one namespace. A server that lacks the namespace of a later row has already executed the
/// earlier ones and does not say so.
fn of_one_namespace<'a>(keys: &BatchKeys, rows: &'a [u32]) -> &'a [u32] {
    if keys.is_single() {
        return rows;
    }
    let namespace_of = |row: &u32| &keys.spaces()[keys.space_index(*row)].namespace;
    rows.chunk_by(|a, b| namespace_of(a) == namespace_of(b)).next().unwrap_or(rows)
}

/// How many of `rows` fit into a request; at least one.
fn rows_that_fit(keys: &BatchKeys, request: &Request, rows: &[u32]) -> usize {
    let mut size = 0;
    let mut before = None;
    for (taken, &row) in rows.iter().enumerate() {
        let index = keys.space_index(row);
        size += request.row_size(keys, row, before != Some(index));
        before = Some(index);
        if size > MAX_REQUEST_SIZE && taken > 0 {
            return taken;
        }
    }
    rows.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::request::BatchRead;
    use crate::key::{Bins, Space};

    #[test]
    fn requests_have_similar_sizes() {
        assert_eq!(chunk_rows(1, usize::MAX), 1);
        assert_eq!(chunk_rows(1_000, usize::MAX), 1_000);
        assert_eq!(chunk_rows(2_000, usize::MAX), 2_000);
        assert_eq!(chunk_rows(10_000, usize::MAX), 2_000);
        assert_eq!(chunk_rows(1_000, 300), 250);
        assert_eq!(chunk_rows(5, 0), 1);
        for (rows, nodes, expected) in [
            (0, 0, PAGE),
            (100, 1, PAGE),
            (5_000, 1, 2 * PAGE),
            (1_000_000, 1, 2 * PAGE),
            (10_000, 3, 6 * PAGE),
        ] {
            assert_eq!(segment(rows, nodes), expected, "{rows} rows at {nodes} nodes");
        }
    }

    #[test]
    fn rows_of_a_set_are_adjacent() {
        let spaces = ["b/x", "a/y", "b/x", "a/x"].map(|name| {
            let (namespace, set) = name.split_once('/').unwrap();
            Space::new(namespace, set)
        });
        let space_of = vec![0, 1, 2, 3, 0, 1];
        let keys = BatchKeys::mixed(spaces.into(), space_of, vec![[0; 20]; 6]).unwrap();
        assert_eq!(rows_by_space(&keys), [3, 1, 5, 0, 2, 4]);
        assert_eq!(split_by_namespace(&keys, &[0, 1, 2]), Some(vec![vec![1], vec![0, 2]]));
        assert_eq!(split_by_namespace(&keys, &[0, 2]), None);
        assert_eq!(of_one_namespace(&keys, &[3, 1, 5, 0, 2, 4]), [3, 1, 5]);
        assert_eq!(of_one_namespace(&keys, &[0, 2, 4]), [0, 2, 4]);
        assert!(of_one_namespace(&keys, &[]).is_empty());
    }

    #[test]
    fn long_rows_make_short_requests() {
        let spaces: Vec<Space> = (0..1_000).map(|i| Space::new("test", format!("set{i}"))).collect();
        let keys = BatchKeys::mixed(spaces, (0..1_000).collect(), vec![[0; 20]; 1_000]).unwrap();
        let bins = Bins::names((0..500).map(|i| format!("bin{i}")));
        let rows: Vec<u32> = (0..1_000).collect();
        let read = |bins| Request::Read(Arc::new(BatchRead { bins, ..BatchRead::default() }));
        let taken = rows_that_fit(&keys, &read(bins), &rows);
        assert!((100..300).contains(&taken), "{taken}");
        assert_eq!(rows_that_fit(&keys, &read(Bins::All), &rows), 1_000);
    }
}
