//! Which nodes hold each partition, and which of them have its records in memory.

use wire_protocol::digest::PARTITIONS;
use wire_protocol::info::PartitionBitmap;

/// The index of a node in the cluster, counted from 0.
pub type NodeIndex = usize;

/// Distance between the partitions that are moved one after the other. It has no common divisor with
/// [`PARTITIONS`], so every partition is moved once before the first is moved again.
const MOVE_STRIDE: usize = 1129;

/// What the table needs to know about a node.
///
/// | `is_running` | `is_member` | the node |
/// | --- | --- | --- |
/// | yes | yes | serves |
/// | yes | no | hangs, and the others have noticed: it keeps its memory |
/// | no | yes | is dead, and the others have not noticed yet |
/// | no | no | is dead |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeState {
    /// Its process runs; it may hang.
    pub(crate) is_running: bool,
    /// The other nodes count it as a member of the cluster.
    pub(crate) is_member: bool,
}

/// The differences between two states of the table.
pub(crate) struct Changes {
    /// For each node, the number of partitions in which its replica index changed.
    pub(crate) per_node: Vec<u32>,
    /// Whether any partition has a new master.
    pub(crate) masters_changed: bool,
}

/// The nodes that hold each partition. Every partition ranks all nodes in an order of its own and is held by
/// the first members of the cluster in that order. So when a node leaves, only its own partitions move, and
/// when it comes back it gets exactly those back.
pub(crate) struct PartitionTable {
    factor: usize,
    /// The rack of each node; empty without racks.
    racks: Vec<u32>,
    /// For each partition, all nodes in its order, whether they are members or not.
    ranking: Vec<Vec<NodeIndex>>,
    /// For each partition, the nodes that hold it, the master first.
    holders: Vec<Vec<NodeIndex>>,
    /// For each partition, a bit mask of the nodes that have its records in memory. Differs from `holders`
    /// while a node hangs or its death is unnoticed.
    copies: Vec<u64>,
    /// The partition that `move_masters` moves next.
    next_move: usize,
}

impl PartitionTable {
    pub(crate) fn new(nodes: usize, factor: usize, racks: &[u32]) -> Self {
        let ranking = (0..PARTITIONS)
            .map(|partition| {
                let mut order: Vec<_> = (0..nodes).collect();
                order.sort_by_key(|&node| mix(partition as u64, node as u64));
                order
            })
            .collect();
        let mut table = Self {
            factor,
            racks: racks.to_vec(),
            ranking,
            holders: vec![Vec::new(); PARTITIONS],
            copies: vec![0; PARTITIONS],
            next_move: 0,
        };
        table.reassign(&vec![NodeState { is_running: true, is_member: true }; nodes]);
        table
    }

    /// The index of a node among the holders of a partition; 0 is the master.
    pub(crate) fn replica_index(&self, partition: usize, node: NodeIndex) -> Option<usize> {
        self.holders[partition].iter().position(|&holder| holder == node)
    }

    /// Assigns the partitions to the current members, which have the records at once.
    pub(crate) fn reassign(&mut self, nodes: &[NodeState]) -> Changes {
        let mut changes = Changes { per_node: vec![0; nodes.len()], masters_changed: false };
        // A node that hangs keeps its memory, although it is not a member.
        let hung = mask((0..nodes.len()).filter(|&node| nodes[node].is_running && !nodes[node].is_member));
        for partition in 0..PARTITIONS {
            let new = self.choose(partition, |node| nodes[node].is_member);
            let old = &self.holders[partition];
            let index_in = |holders: &[NodeIndex], node| holders.iter().position(|&holder| holder == node);
            for (node, count) in changes.per_node.iter_mut().enumerate() {
                *count += u32::from(index_in(old, node) != index_in(&new, node));
            }
            changes.masters_changed |= old.first() != new.first();
            self.copies[partition] = mask(new.iter().copied()) | self.copies[partition] & hung;
            self.holders[partition] = new;
        }
        changes
    }

    /// Clears the memory of a node. Returns the partitions whose records no other node has.
    pub(crate) fn drop_memory(&mut self, node: NodeIndex) -> PartitionBitmap {
        let gone = mask([node]);
        let mut lost = Vec::new();
        for (partition, copies) in self.copies.iter_mut().enumerate() {
            if *copies == gone {
                lost.push(partition);
            }
            *copies &= !gone;
        }
        PartitionBitmap::of(lost)
    }

    /// Gives `count` partitions another living member as their master. At least two members must be alive.
    pub(crate) fn move_masters(&mut self, count: usize, nodes: &[NodeState]) -> Changes {
        for _ in 0..count {
            let partition = self.next_move;
            self.next_move = (partition + MOVE_STRIDE) % PARTITIONS;
            let before = self.holders[partition].first().copied();
            let ranking = &mut self.ranking[partition];
            let is_next =
                |node: NodeIndex| Some(node) != before && nodes[node].is_member && nodes[node].is_running;
            // Rotate the next master to the front.
            if let Some(next) = ranking.iter().position(|&node| is_next(node)) {
                ranking.rotate_left(next);
            }
        }
        self.reassign(nodes)
    }

    /// The partitions whose regular holders (those with all nodes present) are all absent.
    pub(crate) fn unavailable(&self, nodes: &[NodeState]) -> impl Iterator<Item = usize> {
        (0..PARTITIONS).filter(|&partition| {
            let roster = self.choose(partition, |_| true);
            roster.iter().all(|&node| !nodes[node].is_running || !nodes[node].is_member)
        })
    }

    /// The first nodes of a partition's order that are present, on different racks as long as there are any.
    fn choose(&self, partition: usize, is_present: impl Fn(NodeIndex) -> bool) -> Vec<NodeIndex> {
        let mut left: Vec<_> =
            self.ranking[partition].iter().copied().filter(|&node| is_present(node)).collect();
        let mut chosen: Vec<NodeIndex> = Vec::with_capacity(self.factor);
        while chosen.len() < self.factor && !left.is_empty() {
            let is_new_rack =
                |node: NodeIndex| chosen.iter().all(|&other| self.racks.get(other) != self.racks.get(node));
            let next = match self.racks.is_empty() {
                true => 0,
                false => left.iter().position(|&node| is_new_rack(node)).unwrap_or(0),
            };
            chosen.push(left.remove(next));
        }
        chosen
    }
}

/// A bit mask of nodes.
fn mask(nodes: impl IntoIterator<Item = NodeIndex>) -> u64 {
    nodes.into_iter().fold(0, |mask, node| mask | 1 << node)
}

/// Hashes partition and node, with the same result in every run.
fn mix(partition: u64, node: u64) -> u64 {
    let mut value = (partition << 8 | node).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2 {
        value = (value ^ (value >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    value ^ (value >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: NodeState = NodeState { is_running: true, is_member: true };
    const HUNG: NodeState = NodeState { is_running: true, is_member: false };
    const DEAD: NodeState = NodeState { is_running: false, is_member: false };
    const UNNOTICED: NodeState = NodeState { is_running: false, is_member: true };

    fn holders(table: &PartitionTable) -> Vec<Vec<NodeIndex>> {
        table.holders.clone()
    }

    #[test]
    fn records_are_lost_with_the_last_node_that_has_them() {
        let mut table = PartitionTable::new(3, 2, &[]);
        assert_eq!(table.drop_memory(0).iter().count(), 0);
        // The second node dies before the others notice the first death: partitions held by just these two
        // are lost.
        let both = |order: &Vec<NodeIndex>| order.contains(&0) && order.contains(&1);
        let expected: Vec<_> =
            holders(&table).iter().enumerate().filter(|(_, order)| both(order)).map(|(p, _)| p).collect();
        assert_eq!(table.drop_memory(1).iter().collect::<Vec<_>>(), expected);
        table.reassign(&[DEAD, DEAD, THERE]);
        assert_eq!(table.drop_memory(2).iter().count(), PARTITIONS);
    }

    #[test]
    fn records_copied_before_the_second_death_are_kept() {
        let mut table = PartitionTable::new(3, 2, &[]);
        table.drop_memory(0);
        table.reassign(&[DEAD, THERE, THERE]);
        assert_eq!(table.drop_memory(1).iter().count(), 0);
    }

    #[test]
    fn a_node_that_hangs_keeps_its_memory() {
        let mut table = PartitionTable::new(2, 2, &[]);
        table.reassign(&[HUNG, THERE]);
        assert_eq!(table.drop_memory(1).iter().count(), 0);
        assert_eq!(table.drop_memory(0).iter().count(), PARTITIONS);
    }

    #[test]
    fn moved_partitions_have_another_master_that_lives() {
        let mut table = PartitionTable::new(4, 2, &[]);
        let before = holders(&table);
        let changes = table.move_masters(100, &[THERE, UNNOTICED, THERE, THERE]);
        let moved: Vec<_> =
            (0..PARTITIONS).filter(|&p| before[p].first() != table.holders[p].first()).collect();
        assert_eq!(moved.len(), 100);
        assert!(moved.iter().all(|&p| table.holders[p][0] != 1));
        assert!(changes.masters_changed && changes.per_node.iter().sum::<u32>() >= 200);
        // Moving as many as there are moves each partition once.
        let before = holders(&table);
        table.move_masters(PARTITIONS, &[THERE; 4]);
        assert!((0..PARTITIONS).all(|p| before[p].first() != table.holders[p].first()));
    }

    #[test]
    fn holders_lie_on_different_racks() {
        let mut table = PartitionTable::new(4, 2, &[1, 1, 2, 2]);
        let rack = |node: NodeIndex| node / 2;
        assert!(holders(&table).iter().all(|order| rack(order[0]) != rack(order[1])));
        // With one rack left, replicas share it.
        table.reassign(&[DEAD, DEAD, THERE, THERE]);
        assert!(holders(&table).iter().all(|order| order.len() == 2));
    }

    #[test]
    fn partitions_without_any_of_their_nodes_are_unavailable() {
        let mut table = PartitionTable::new(3, 2, &[]);
        assert_eq!(table.unavailable(&[THERE; 3]).count(), 0);
        assert_eq!(table.unavailable(&[THERE, DEAD, THERE]).count(), 0);
        let roster = holders(&table);
        let now = [DEAD, HUNG, THERE];
        table.reassign(&now);
        let expected: Vec<_> = (0..PARTITIONS).filter(|&p| !roster[p].contains(&2)).collect();
        assert_eq!(table.unavailable(&now).collect::<Vec<_>>(), expected);
    }
}
