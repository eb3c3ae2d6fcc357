//! The cluster: its members, its partition map, and what the nodes tell clients about both.
//!
//! The life of a node, and the method that each change calls:
//!
//! ```text
//! running --kill--> dead, still a member --expel--> dead --restart--> running
//! running --------> hung, still a member --expel--> hung --readmit--> running
//! ```

pub(crate) mod ownership;
pub(crate) mod partition_table;

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use wire_protocol::digest::PARTITIONS;
use wire_protocol::info::PartitionBitmap;

use crate::config::Config;
use crate::state::cluster::ownership::Ownership;
pub use crate::state::cluster::partition_table::NodeIndex;
use crate::state::cluster::partition_table::{Changes, NodeState, PartitionTable};

/// The default port in lists of peers. Every peer in the list has its own port, so it is never used.
const DEFAULT_PORT: u16 = 3000;

/// How much the peers-generation of the other nodes goes up when a node joins. The real server counts the new
/// member and then its addresses.
const JOINED: u32 = 2;

struct Member {
    name: String,
    address: SocketAddr,
    state: NodeState,
    /// Goes up by one for each partition in which the node's replica index changes.
    partition_generation: u32,
    peers_generation: u32,
    rebalance_generation: u32,
}

struct Membership {
    members: Vec<Member>,
    table: PartitionTable,
    /// Counts the changes of masters with strong consistency; 0 without.
    regime: u32,
}

/// The members of the cluster and its partition map.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) replication_factor: usize,
    pub(crate) is_strong: bool,
    racks: Vec<u32>,
    access_host: Option<String>,
    alternate_host: Option<String>,
    /// The name in the nodes' certificate, if they accept TLS connections.
    tls_name: Option<String>,
    ownership: Vec<Arc<Ownership>>,
    membership: RwLock<Membership>,
}

/// What a node reports about itself and the cluster, taken at one moment.
pub(crate) struct NodeView {
    pub(crate) name: String,
    pub(crate) cluster_size: usize,
    pub(crate) principal: String,
    pub(crate) partition_generation: u32,
    pub(crate) peers_generation: u32,
    pub(crate) rebalance_generation: u32,
}

/// Which kind of addresses a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    Standard,
    Alternate,
}

impl Cluster {
    /// A cluster of nodes that listen on these addresses.
    pub(crate) fn new(config: &Config, addresses: &[SocketAddr]) -> Self {
        let others = addresses.len() as u32 - 1;
        let members: Vec<_> = addresses
            .iter()
            .enumerate()
            .map(|(node, &address)| Member {
                name: config.node_name(node),
                address,
                state: NodeState { is_running: true, is_member: true },
                partition_generation: 0,
                peers_generation: JOINED * others,
                rebalance_generation: 1,
            })
            .collect();
        let replication_factor = config.replication_factor();
        let is_strong = config.strong_consistency;
        let table = PartitionTable::new(members.len(), replication_factor, &config.racks);
        let cluster = Self {
            name: config.cluster_name.clone(),
            key: format!("{:012X}", RandomState::new().hash_one(&config.cluster_name) >> 16),
            replication_factor,
            is_strong,
            racks: config.racks.clone(),
            access_host: config.access_host.clone(),
            alternate_host: config.alternate_host.clone(),
            tls_name: config.tls.as_ref().map(|tls| tls.name.clone()),
            ownership: members.iter().map(|_| Arc::new(Ownership::new(is_strong))).collect(),
            membership: RwLock::new(Membership { members, table, regime: u32::from(is_strong) }),
        };
        cluster.publish(&cluster.write());
        cluster
    }

    pub(crate) fn ownership(&self, node: NodeIndex) -> Arc<Ownership> {
        Arc::clone(&self.ownership[node])
    }

    pub(crate) fn rack(&self, node: NodeIndex) -> Option<u32> {
        self.racks.get(node).copied()
    }

    /// Marks a node as dead and its memory as lost. Returns the partitions whose records no other node has.
    /// The other nodes have not noticed yet.
    pub(crate) fn kill(&self, node: NodeIndex) -> PartitionBitmap {
        let mut membership = self.write();
        membership.members[node].state.is_running = false;
        let lost = membership.table.drop_memory(node);
        self.publish(&membership);
        lost
    }

    /// The other nodes notice that a node is dead or hangs, and take over its partitions.
    pub(crate) fn expel(&self, node: NodeIndex) {
        let mut membership = self.write();
        if membership.members[node].state.is_member {
            membership.members[node].state.is_member = false;
            let changes = membership.reassign();
            self.commit(&mut membership, &changes, 1);
        }
    }

    /// A node that hung joins again. Its generations continue.
    pub(crate) fn readmit(&self, node: NodeIndex) {
        let mut membership = self.write();
        if !membership.members[node].state.is_member {
            membership.members[node].state.is_member = true;
            let changes = membership.reassign();
            self.commit(&mut membership, &changes, JOINED);
        }
    }

    /// A dead node joins again with an empty memory. It copies its partitions from the others, and its
    /// generations start anew.
    pub(crate) fn restart(&self, node: NodeIndex) {
        // The others may not have noticed that it was gone.
        self.expel(node);
        let mut membership = self.write();
        membership.members[node].state = NodeState { is_running: true, is_member: true };
        let changes = membership.reassign();
        self.commit(&mut membership, &changes, JOINED);
        let others = membership.members.iter().filter(|member| member.state.is_member).count() as u32 - 1;
        let member = &mut membership.members[node];
        member.partition_generation = changes.per_node[node];
        member.peers_generation = JOINED * others;
        member.rebalance_generation = 1;
    }

    /// Gives `count` partitions another master.
    ///
    /// # Errors
    /// Fewer than two nodes are alive.
    pub(crate) fn move_partitions(&self, count: usize) -> Result<(), &'static str> {
        let mut membership = self.write();
        let states = membership.states();
        if states.iter().filter(|state| state.is_member && state.is_running).count() < 2 {
            return Err("partitions can move only if at least two nodes are alive");
        }
        let changes = membership.table.move_masters(count, &states);
        self.commit(&mut membership, &changes, 0);
        Ok(())
    }

    /// Raises the generations after a change of the table, and publishes it.
    fn commit(&self, membership: &mut Membership, changes: &Changes, peers_step: u32) {
        for (member, changes) in membership.members.iter_mut().zip(&changes.per_node) {
            member.partition_generation = member.partition_generation.wrapping_add(*changes);
            member.peers_generation += peers_step;
            member.rebalance_generation += 1;
        }
        membership.regime += u32::from(self.is_strong && changes.masters_changed);
        self.publish(membership);
    }

    /// Makes the partition map visible to the nodes' connections. Called with `membership` locked for
    /// writing, so that two changes do not mix.
    fn publish(&self, membership: &Membership) {
        let unavailable = self.unavailable(membership);
        for (node, ownership) in self.ownership.iter().enumerate() {
            ownership.set(
                |partition| membership.table.replica_index(partition, node),
                |partition| unavailable.contains(partition),
            );
        }
    }

    fn unavailable(&self, membership: &Membership) -> PartitionBitmap {
        let states = membership.states();
        PartitionBitmap::of(
            self.is_strong.then(|| membership.table.unavailable(&states)).into_iter().flatten(),
        )
    }

    /// The number of partitions that no node serves.
    pub(crate) fn unavailable_partitions(&self) -> usize {
        self.unavailable(&self.read()).iter().count()
    }

    pub(crate) fn view(&self, node: NodeIndex) -> NodeView {
        let membership = self.read();
        let member = &membership.members[node];
        let members = || membership.members.iter().filter(|member| member.state.is_member);
        NodeView {
            name: member.name.clone(),
            cluster_size: members().count(),
            principal: members().map(|member| member.name.clone()).max().unwrap_or_default(),
            partition_generation: member.partition_generation,
            peers_generation: member.peers_generation,
            rebalance_generation: member.rebalance_generation,
        }
    }

    /// Whether nodes accept TLS connections, and no others.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls_name.is_some()
    }

    /// The answer to `peers-clear-std`, `peers-tls-std` and their `-alt` variants. Nodes that listen on all
    /// addresses are advertised with the IP address of `local_address`, at which the client reached this
    /// node.
    pub(crate) fn peers(&self, node: NodeIndex, local_address: SocketAddr, kind: Addresses) -> String {
        let membership = self.read();
        let tls_name = self.tls_name.as_deref().unwrap_or_default();
        let peers: Vec<_> = membership
            .members
            .iter()
            .enumerate()
            .filter(|&(index, member)| index != node && member.state.is_member)
            .map(|(_, member)| {
                format!(
                    "[{},{tls_name},[{}]]",
                    member.name,
                    self.advertised(member.address, local_address, kind)
                )
            })
            .collect();
        format!("{},{DEFAULT_PORT},[{}]", membership.members[node].peers_generation, peers.join(","))
    }

    /// The answer to `service-clear-std`, `service-tls-std` and their `-alt` variants.
    pub(crate) fn service(&self, node: NodeIndex, local_address: SocketAddr, kind: Addresses) -> String {
        self.advertised(self.read().members[node].address, local_address, kind)
    }

    /// The address at which clients should reach a node. Without an alternate host, that is the standard one.
    fn advertised(&self, address: SocketAddr, local_address: SocketAddr, kind: Addresses) -> String {
        let alternate = self.alternate_host.as_ref().filter(|_| kind == Addresses::Alternate);
        let host = match alternate.or(self.access_host.as_ref()) {
            Some(host) if matches!(host.parse(), Ok(IpAddr::V6(_))) => format!("[{host}]"),
            Some(host) => host.clone(),
            None if address.ip().is_unspecified() => {
                return SocketAddr::new(local_address.ip(), address.port()).to_string();
            }
            None => return address.to_string(),
        };
        format!("{host}:{}", address.port())
    }

    /// A node's part of the answer to `replicas` after the name of the namespace: regime, count, bitmaps.
    pub(crate) fn replicas(&self, node: NodeIndex) -> String {
        let membership = self.read();
        let mut answer = format!("{},{}", membership.regime, self.replication_factor);
        for replica in 0..self.replication_factor {
            let held = (0..PARTITIONS)
                .filter(|&partition| membership.table.replica_index(partition, node) == Some(replica));
            answer.push(',');
            answer.push_str(&PartitionBitmap::of(held).to_base64());
        }
        answer
    }

    /// The number of partitions that the node is master of, and of those that it holds another replica of.
    pub(crate) fn partition_counts(&self, node: NodeIndex) -> (usize, usize) {
        let membership = self.read();
        let indexes =
            || (0..PARTITIONS).filter_map(|partition| membership.table.replica_index(partition, node));
        (indexes().filter(|&index| index == 0).count(), indexes().filter(|&index| index > 0).count())
    }

    fn read(&self) -> RwLockReadGuard<'_, Membership> {
        self.membership.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Membership> {
        self.membership.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Membership {
    fn states(&self) -> Vec<NodeState> {
        self.members.iter().map(|member| member.state).collect()
    }

    fn reassign(&mut self) -> Changes {
        let states = self.states();
        self.table.reassign(&states)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire_protocol::info::{parse_peers, parse_replicas};

    const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    fn addresses(nodes: usize) -> Vec<SocketAddr> {
        (0..nodes).map(|node| SocketAddr::from(([127, 0, 0, 1], 3000 + node as u16))).collect()
    }

    fn cluster(nodes: usize, factor: usize) -> Cluster {
        let config = Config { nodes, replication_factor: Some(factor), ..Config::default() };
        Cluster::new(&config, &addresses(nodes))
    }

    fn bitmaps(cluster: &Cluster, node: usize) -> Vec<PartitionBitmap> {
        parse_replicas(&format!("test:{}", cluster.replicas(node))).unwrap().remove(0).replicas
    }

    /// For each partition, the number of its masters and the number of its second replicas.
    fn coverage(cluster: &Cluster, nodes: &[usize]) -> Vec<[usize; 2]> {
        let maps: Vec<_> = nodes.iter().map(|&node| bitmaps(cluster, node)).collect();
        (0..PARTITIONS)
            .map(|p| {
                [0, 1].map(|r| maps.iter().filter(|map| map.get(r).is_some_and(|m| m.contains(p))).count())
            })
            .collect()
    }

    fn generations(cluster: &Cluster, node: usize) -> [u32; 3] {
        let view = cluster.view(node);
        [view.partition_generation, view.peers_generation, view.rebalance_generation]
    }

    #[test]
    fn a_single_node_has_all_partitions() {
        let cluster = cluster(1, 1);
        assert_eq!(bitmaps(&cluster, 0)[0].iter().count(), PARTITIONS);
        assert_eq!(cluster.peers(0, HERE, Addresses::Standard), "0,3000,[]");
        assert_eq!(cluster.view(0).peers_generation, 0);
        assert!(cluster.move_partitions(1).is_err());
    }

    #[test]
    fn each_partition_has_a_master_and_a_replica() {
        let cluster = cluster(3, 2);
        assert!(coverage(&cluster, &[0, 1, 2]).iter().all(|held| *held == [1, 1]));
        for node in 0..3 {
            let (masters, others) = cluster.partition_counts(node);
            assert!((1100..1700).contains(&masters) && (1100..1700).contains(&others));
        }
    }

    #[test]
    fn a_node_that_leaves_moves_only_what_it_held() {
        let cluster = cluster(3, 2);
        let before = bitmaps(&cluster, 0);
        cluster.kill(1);
        assert_eq!((bitmaps(&cluster, 0), generations(&cluster, 0)), (before.clone(), [0, 4, 1]));
        cluster.expel(1);
        let (after, view) = (bitmaps(&cluster, 0), cluster.view(0));
        assert!(before[0].iter().all(|partition| after[0].contains(partition)));
        assert!(coverage(&cluster, &[0, 2]).iter().all(|held| *held == [1, 1]));
        assert_eq!(view.cluster_size, 2);
        let peers = parse_peers(&cluster.peers(0, HERE, Addresses::Standard)).unwrap();
        assert_eq!(peers.peers.iter().map(|peer| peer.node.as_str()).collect::<Vec<_>>(), ["D3"]);
        cluster.restart(1);
        assert_eq!(bitmaps(&cluster, 0), before);
    }

    #[test]
    fn generations_count_like_the_recorded_ones() {
        let cluster = cluster(3, 2);
        assert_eq!(generations(&cluster, 0), [0, 4, 1]);
        cluster.kill(1);
        cluster.expel(1);
        let [after_kill, peers, rebalances] = generations(&cluster, 0);
        assert!(after_kill > 0);
        assert_eq!((peers, rebalances), (5, 2));
        cluster.restart(1);
        let [after_restart, peers, rebalances] = generations(&cluster, 0);
        assert!(after_restart > after_kill);
        assert_eq!((peers, rebalances), (7, 3));
        // The restarted node itself starts anew.
        let [own, peers, rebalances] = generations(&cluster, 1);
        assert!((2000..3500).contains(&own));
        assert_eq!((peers, rebalances), (4, 1));
        // A node that hung continues.
        cluster.expel(1);
        cluster.readmit(1);
        let [again, peers, rebalances] = generations(&cluster, 1);
        assert!(again > own);
        assert_eq!((peers, rebalances), (7, 3));
    }

    #[test]
    fn strong_consistency_counts_regimes() {
        let config = Config { nodes: 3, strong_consistency: true, ..Config::default() };
        let cluster = Cluster::new(&config, &addresses(3));
        let regime = || cluster.replicas(0).split(',').next().unwrap().parse::<u32>().unwrap();
        assert_eq!(regime(), 1);
        cluster.move_partitions(1).unwrap();
        assert_eq!(regime(), 2);
        cluster.kill(1);
        cluster.kill(2);
        assert!(cluster.unavailable_partitions() > 1000);
        cluster.expel(1);
        assert_eq!(regime(), 3);
        cluster.restart(2);
        assert_eq!(cluster.unavailable_partitions(), 0);
    }

    #[test]
    fn nodes_are_advertised_as_configured() {
        let all = SocketAddr::from(([0, 0, 0, 0], 3000));
        let here = SocketAddr::from(([10, 0, 0, 7], 9));
        let told = |config: &Config, address: SocketAddr| {
            let cluster = Cluster::new(config, &[address]);
            [Addresses::Standard, Addresses::Alternate].map(|kind| cluster.service(0, here, kind))
        };
        let mut config = Config::default();
        assert_eq!(told(&config, all), ["10.0.0.7:3000"; 2]);
        assert_eq!(told(&config, HERE), ["127.0.0.1:1"; 2]);
        config.alternate_host = Some("::5".into());
        assert_eq!(told(&config, all), ["10.0.0.7:3000", "[::5]:3000"]);
        config.access_host = Some("node.example".into());
        assert_eq!(told(&config, all), ["node.example:3000", "[::5]:3000"]);
        config.alternate_host = None;
        assert_eq!(told(&config, all), ["node.example:3000"; 2]);
    }
}
