//! Which nodes hold which partition, and which of them have its records in memory.

use wire_protocol::digest::PARTITIONS;
use wire_protocol::info::PartitionBitmap;

use crate::state::cluster::NodeIndex;

/// How far apart the partitions lie that are moved one after the other: any number that reaches all of
/// them before it comes back to the first.
const MOVE_STRIDE: usize = 1129;

/// What a table has to know of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeState {
    /// Its process runs, hung or not.
    pub(crate) is_running: bool,
    /// The others count it as one of them.
    pub(crate) is_member: bool,
}

/// What a change of the table changed.
pub(crate) struct Changes {
    /// For each node in how many partitions its own part is another.
    pub(crate) of_node: Vec<u32>,
    /// Whether a partition has another master.
    pub(crate) of_masters: bool,
}

/// The holders of each partition. Each one ranks all nodes by a hash of its own and takes the first
/// members of the cluster: a node that leaves moves no partition but its own, and one that comes back
/// takes back just these.
pub(crate) struct PartitionTable {
    factor: usize,
    /// The rack of each node; empty where there are none.
    racks: Vec<u32>,
    /// For each partition all nodes, members or not, in the order in which they are to hold it.
    ranking: Vec<Vec<NodeIndex>>,
    /// For each partition those that hold it, the master first.
    holders: Vec<Vec<NodeIndex>>,
    /// For each partition a bit for each node that has its records in memory.
    copies: Vec<u64>,
    /// The partition that is moved next.
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
        table.settle(&vec![NodeState { is_running: true, is_member: true }; nodes]);
        table
    }

    /// The place of a node among the holders of a partition: 0 is the master's.
    pub(crate) fn place(&self, partition: usize, node: NodeIndex) -> Option<usize> {
        self.holders[partition].iter().position(|&holder| holder == node)
    }

    /// Gives the partitions to the members that there are now. The records get there at once.
    pub(crate) fn settle(&mut self, nodes: &[NodeState]) -> Changes {
        let mut changes = Changes { of_node: vec![0; nodes.len()], of_masters: false };
        // A node that hangs keeps what it has in memory, though the others do not count on it.
        let hung = mask((0..nodes.len()).filter(|&node| nodes[node].is_running && !nodes[node].is_member));
        for partition in 0..PARTITIONS {
            let new = self.choose(partition, |node| nodes[node].is_member);
            let old = &self.holders[partition];
            let place = |holders: &[NodeIndex], node| holders.iter().position(|&holder| holder == node);
            for (node, count) in changes.of_node.iter_mut().enumerate() {
                *count += u32::from(place(old, node) != place(&new, node));
            }
            changes.of_masters |= old.first() != new.first();
            self.copies[partition] = mask(new.iter().copied()) | self.copies[partition] & hung;
            self.holders[partition] = new;
        }
        changes
    }

    /// Takes the memory of a node away; gives the partitions of which no other node has the records.
    pub(crate) fn lose(&mut self, node: NodeIndex) -> PartitionBitmap {
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

    /// Lets so many partitions have another of the living members as their master, of which there must
    /// be two.
    pub(crate) fn move_masters(&mut self, count: usize, nodes: &[NodeState]) -> Changes {
        for _ in 0..count {
            let partition = self.next_move;
            self.next_move = (partition + MOVE_STRIDE) % PARTITIONS;
            let before = self.holders[partition].first().copied();
            let ranking = &mut self.ranking[partition];
            let is_next =
                |node: NodeIndex| Some(node) != before && nodes[node].is_member && nodes[node].is_running;
            // All before the next master go to the end of the ranking, in their order.
            if let Some(next) = ranking.iter().position(|&node| is_next(node)) {
                ranking.rotate_left(next);
            }
        }
        self.settle(nodes)
    }

    /// The partitions whose holders, were all nodes there, are none of them there.
    pub(crate) fn unavailable(&self, nodes: &[NodeState]) -> impl Iterator<Item = usize> {
        (0..PARTITIONS).filter(|&partition| {
            let roster = self.choose(partition, |_| true);
            roster.iter().all(|&node| !nodes[node].is_running || !nodes[node].is_member)
        })
    }

    /// The first nodes of the ranking, each of another rack while there are any.
    fn choose(&self, partition: usize, is_there: impl Fn(NodeIndex) -> bool) -> Vec<NodeIndex> {
        let mut left: Vec<_> =
            self.ranking[partition].iter().copied().filter(|&node| is_there(node)).collect();
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

/// A bit for each node.
fn mask(nodes: impl IntoIterator<Item = NodeIndex>) -> u64 {
    nodes.into_iter().fold(0, |mask, node| mask | 1 << node)
}

/// Scrambles partition and node, the same way in every run.
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
        assert_eq!(table.lose(0).iter().count(), 0);
        // Before the others notice: what lay on these two is gone.
        let both = |order: &Vec<NodeIndex>| order.contains(&0) && order.contains(&1);
        let expected: Vec<_> =
            holders(&table).iter().enumerate().filter(|(_, order)| both(order)).map(|(p, _)| p).collect();
        assert_eq!(table.lose(1).iter().collect::<Vec<_>>(), expected);
        table.settle(&[DEAD, DEAD, THERE]);
        assert_eq!(table.lose(2).iter().count(), PARTITIONS);
    }

    #[test]
    fn records_that_were_copied_in_time_are_not_lost() {
        let mut table = PartitionTable::new(3, 2, &[]);
        table.lose(0);
        table.settle(&[DEAD, THERE, THERE]);
        assert_eq!(table.lose(1).iter().count(), 0);
    }

    #[test]
    fn a_node_that_hangs_keeps_its_memory() {
        let mut table = PartitionTable::new(2, 2, &[]);
        table.settle(&[HUNG, THERE]);
        assert_eq!(table.lose(1).iter().count(), 0);
        assert_eq!(table.lose(0).iter().count(), PARTITIONS);
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
        assert!(changes.of_masters && changes.of_node.iter().sum::<u32>() >= 200);
        // All of them: each partition once.
        let before = holders(&table);
        table.move_masters(PARTITIONS, &[THERE; 4]);
        assert!((0..PARTITIONS).all(|p| before[p].first() != table.holders[p].first()));
    }

    #[test]
    fn holders_lie_on_different_racks() {
        let mut table = PartitionTable::new(4, 2, &[1, 1, 2, 2]);
        let rack = |node: NodeIndex| node / 2;
        assert!(holders(&table).iter().all(|order| rack(order[0]) != rack(order[1])));
        // With one rack left there is no choice.
        table.settle(&[DEAD, DEAD, THERE, THERE]);
        assert!(holders(&table).iter().all(|order| order.len() == 2));
    }

    #[test]
    fn partitions_without_any_of_their_nodes_are_unavailable() {
        let mut table = PartitionTable::new(3, 2, &[]);
        assert_eq!(table.unavailable(&[THERE; 3]).count(), 0);
        assert_eq!(table.unavailable(&[THERE, DEAD, THERE]).count(), 0);
        let roster = holders(&table);
        let now = [DEAD, HUNG, THERE];
        table.settle(&now);
        let expected: Vec<_> = (0..PARTITIONS).filter(|&p| !roster[p].contains(&2)).collect();
        assert_eq!(table.unavailable(&now).collect::<Vec<_>>(), expected);
    }
}
