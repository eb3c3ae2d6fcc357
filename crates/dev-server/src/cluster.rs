//! Who is in the cluster and which partitions lie where, as nodes tell it.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::{PoisonError, RwLock};

use wire_protocol::digest::PARTITIONS;
use wire_protocol::info::PartitionBitmap;

/// The port that the server names as the default in lists of peers, which all name their own.
const DEFAULT_PORT: u16 = 3000;

/// The number of a node, counted from 0.
pub(crate) type NodeIndex = usize;

struct Member {
    name: String,
    address: SocketAddr,
    alive: bool,
    /// Goes up by as many as there were changes in the node's own partitions.
    partition_generation: u32,
    peers_generation: u32,
    rebalance_generation: u32,
}

struct Membership {
    members: Vec<Member>,
    /// For each partition the living nodes in the order in which they are to hold it.
    succession: Vec<Vec<NodeIndex>>,
}

/// The cluster's members and partition map.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) replication_factor: usize,
    membership: RwLock<Membership>,
}

/// What a node says of itself and the cluster at one moment.
pub(crate) struct NodeView {
    pub(crate) name: String,
    pub(crate) cluster_size: usize,
    pub(crate) principal: String,
    pub(crate) partition_generation: u32,
    pub(crate) peers_generation: u32,
    pub(crate) rebalance_generation: u32,
}

impl Cluster {
    pub(crate) fn new(name: &str, replication_factor: usize, nodes: Vec<(String, SocketAddr)>) -> Self {
        let others = nodes.len() as u32 - 1;
        let members: Vec<_> = nodes
            .into_iter()
            .map(|(name, address)| Member {
                name,
                address,
                alive: true,
                partition_generation: 0,
                peers_generation: others,
                rebalance_generation: 1,
            })
            .collect();
        let succession = succession(&members);
        Self {
            name: name.into(),
            key: format!("{:012X}", RandomState::new().hash_one(name) >> 16),
            replication_factor,
            membership: RwLock::new(Membership { members, succession }),
        }
    }

    /// Takes a node out of the cluster, or back into it. The partitions move at once.
    pub(crate) fn set_alive(&self, node: NodeIndex, alive: bool) {
        let mut membership = self.membership.write().unwrap_or_else(PoisonError::into_inner);
        let membership = &mut *membership;
        match membership.members.get_mut(node) {
            Some(member) if member.alive != alive => member.alive = alive,
            _ => return,
        }
        let new = succession(&membership.members);
        let holds =
            |order: &[NodeIndex], node| order.iter().take(self.replication_factor).position(|&n| n == node);
        for (index, member) in membership.members.iter_mut().enumerate() {
            let changes = membership
                .succession
                .iter()
                .zip(&new)
                .filter(|(before, after)| holds(before, index) != holds(after, index))
                .count();
            member.partition_generation = member.partition_generation.wrapping_add(changes as u32);
            member.peers_generation += 1;
            member.rebalance_generation += 1;
        }
        membership.succession = new;
    }

    pub(crate) fn view(&self, node: NodeIndex) -> NodeView {
        let membership = self.membership.read().unwrap_or_else(PoisonError::into_inner);
        let member = &membership.members[node];
        let alive = || membership.members.iter().filter(|member| member.alive);
        NodeView {
            name: member.name.clone(),
            cluster_size: alive().count(),
            principal: alive().map(|member| member.name.clone()).max().unwrap_or_default(),
            partition_generation: member.partition_generation,
            peers_generation: member.peers_generation,
            rebalance_generation: member.rebalance_generation,
        }
    }

    /// The answer to `peers-clear-std`. `reached_at` stands for the addresses of nodes that listen on all.
    pub(crate) fn peers(&self, node: NodeIndex, reached_at: SocketAddr) -> String {
        let membership = self.membership.read().unwrap_or_else(PoisonError::into_inner);
        let peers: Vec<_> = membership
            .members
            .iter()
            .enumerate()
            .filter(|&(index, member)| index != node && member.alive)
            .map(|(_, member)| format!("[{},,[{}]]", member.name, advertised(member.address, reached_at)))
            .collect();
        format!("{},{DEFAULT_PORT},[{}]", membership.members[node].peers_generation, peers.join(","))
    }

    /// The answer to `service-clear-std`.
    pub(crate) fn service(&self, node: NodeIndex, reached_at: SocketAddr) -> String {
        let membership = self.membership.read().unwrap_or_else(PoisonError::into_inner);
        advertised(membership.members[node].address, reached_at).to_string()
    }

    /// A node's part of the answer to `replicas` after the namespace's name: regime, count, bitmaps.
    pub(crate) fn replicas(&self, node: NodeIndex) -> String {
        let membership = self.membership.read().unwrap_or_else(PoisonError::into_inner);
        let mut answer = format!("0,{}", self.replication_factor);
        for replica in 0..self.replication_factor {
            let held = (0..PARTITIONS)
                .filter(|&partition| membership.succession[partition].get(replica) == Some(&node));
            answer.push(',');
            answer.push_str(&PartitionBitmap::of(held).to_base64());
        }
        answer
    }

    /// How many partitions the node is master of, and of how many it holds another replica.
    pub(crate) fn held(&self, node: NodeIndex) -> (usize, usize) {
        let membership = self.membership.read().unwrap_or_else(PoisonError::into_inner);
        let place = |order: &[NodeIndex]| {
            order.iter().take(self.replication_factor).position(|&holder| holder == node)
        };
        let masters = membership.succession.iter().filter(|order| place(order) == Some(0)).count();
        let others = membership.succession.iter().filter(|order| place(order) > Some(0)).count();
        (masters, others)
    }
}

/// Where clients are told to find a node.
fn advertised(address: SocketAddr, reached_at: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::new(reached_at.ip(), address.port()) } else { address }
}

/// Each partition ranks all nodes by a hash of its own and takes the first living ones: a node that leaves
/// moves no partition but its own, and one that comes back takes back just these.
fn succession(members: &[Member]) -> Vec<Vec<NodeIndex>> {
    (0..PARTITIONS)
        .map(|partition| {
            let mut order: Vec<_> = (0..members.len()).filter(|&node| members[node].alive).collect();
            order.sort_by_key(|&node| mix(partition as u64, node as u64));
            order
        })
        .collect()
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
    use wire_protocol::info::{parse_peers, parse_replicas};

    fn cluster(nodes: usize, factor: usize) -> Cluster {
        let nodes = (0..nodes)
            .map(|node| (format!("D{}", node + 1), SocketAddr::from(([127, 0, 0, 1], 3000 + node as u16))))
            .collect();
        Cluster::new("test", factor, nodes)
    }

    fn bitmaps(cluster: &Cluster, node: usize) -> Vec<PartitionBitmap> {
        parse_replicas(&format!("test:{}", cluster.replicas(node))).unwrap().remove(0).replicas
    }

    /// How many nodes hold each partition as master, and as second replica.
    fn coverage(cluster: &Cluster, nodes: &[usize]) -> Vec<[usize; 2]> {
        let maps: Vec<_> = nodes.iter().map(|&node| bitmaps(cluster, node)).collect();
        (0..PARTITIONS)
            .map(|p| {
                [0, 1].map(|r| maps.iter().filter(|map| map.get(r).is_some_and(|m| m.contains(p))).count())
            })
            .collect()
    }

    #[test]
    fn a_single_node_has_all() {
        let cluster = cluster(1, 1);
        assert_eq!(bitmaps(&cluster, 0)[0].iter().count(), PARTITIONS);
        assert_eq!(cluster.peers(0, SocketAddr::from(([127, 0, 0, 1], 1))), "0,3000,[]");
        assert_eq!(cluster.view(0).peers_generation, 0);
    }

    #[test]
    fn each_partition_has_a_master_and_a_replica() {
        let cluster = cluster(3, 2);
        assert!(coverage(&cluster, &[0, 1, 2]).iter().all(|held| *held == [1, 1]));
        for node in 0..3 {
            let (masters, others) = cluster.held(node);
            assert!((1100..1700).contains(&masters) && (1100..1700).contains(&others));
        }
    }

    #[test]
    fn a_node_that_leaves_moves_only_what_it_held() {
        let cluster = cluster(3, 2);
        let before = bitmaps(&cluster, 0);
        cluster.set_alive(1, false);
        let (after, view) = (bitmaps(&cluster, 0), cluster.view(0));
        assert!(before[0].iter().all(|partition| after[0].contains(partition)));
        assert!(coverage(&cluster, &[0, 2]).iter().all(|held| *held == [1, 1]));
        assert!(view.partition_generation > 0);
        assert_eq!((view.peers_generation, view.rebalance_generation, view.cluster_size), (3, 2, 2));
        let peers = parse_peers(&cluster.peers(0, SocketAddr::from(([127, 0, 0, 1], 1)))).unwrap();
        assert_eq!(peers.peers.iter().map(|peer| peer.node.as_str()).collect::<Vec<_>>(), ["D3"]);
        cluster.set_alive(1, true);
        assert_eq!(bitmaps(&cluster, 0), before);
    }

    #[test]
    fn nodes_that_listen_everywhere_are_where_they_were_reached() {
        let all = SocketAddr::from(([0, 0, 0, 0], 3000));
        let here = SocketAddr::from(([10, 0, 0, 7], 9));
        assert_eq!(advertised(all, here), SocketAddr::from(([10, 0, 0, 7], 3000)));
        assert_eq!(advertised(here, all), here);
    }
}
