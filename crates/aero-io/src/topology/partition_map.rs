//! Which node owns which partition: an immutable snapshot of the cluster, and the choice of a node from it.

use std::collections::HashMap;
use std::sync::Arc;

use wire_protocol::digest::PARTITIONS;
use wire_protocol::info::NamespaceReplicas;

use crate::node::Node;
use crate::node::hedge;
use crate::policy::{ReadModeSc, Replica};

/// Most nodes of a view. Aerospike allows 256.
pub(crate) const MAX_NODES: usize = 1_024;

/// Most replicas of a namespace in a view. Aerospike allows no more.
const MAX_REPLICAS: usize = 256;

pub(crate) const NO_NODE: u16 = u16::MAX;

/// The owner of each partition: an index into [`View::nodes`].
pub(crate) type Owners = Box<[u16; PARTITIONS]>;

/// A snapshot of the cluster.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) nodes: Vec<Arc<Node>>,
    namespaces: Vec<NamespaceMap>,
}

/// The partitions of a namespace.
pub(crate) struct NamespaceMap {
    name: Box<[u8]>,
    /// Whether the namespace is strongly consistent. Only such namespaces have regimes.
    strong: bool,
    /// The owners for each replica, masters first.
    replicas: Vec<Owners>,
    /// For each node of [`View::nodes`], the index of its rack among the configured racks.
    distance: Vec<u16>,
}

/// The distance of a node on none of the configured racks.
const FAR: u16 = u16::MAX;

/// The partitions that one node claims.
pub(crate) struct Claims<'a> {
    pub(crate) node: &'a Arc<Node>,
    pub(crate) replicas: &'a [NamespaceReplicas],
    /// The node's rack in each namespace.
    pub(crate) racks: &'a [(String, u32)],
}

impl View {
    /// The snapshot after `before`, from the nodes' claims, oldest first. `near` are the racks to read from,
    /// nearest first.
    ///
    /// The claim with the highest regime wins, and among those the newest. A partition that no node claims
    /// keeps its previous owner if that is still a member: while partitions migrate, the previous owner
    /// forwards requests.
    pub(crate) fn new(claims: &[Claims<'_>], before: &View, near: &[u32]) -> Self {
        let nodes: Vec<Arc<Node>> =
            claims.iter().take(MAX_NODES).map(|claim| Arc::clone(claim.node)).collect();
        let mut namespaces: Vec<NamespaceMap> = Vec::new();
        let mut regimes: Vec<Vec<[u32; PARTITIONS]>> = Vec::new();
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        for (place, claim) in claims.iter().take(MAX_NODES).enumerate() {
            for claimed in claim.replicas {
                let at = *by_name.entry(&claimed.namespace).or_insert_with(|| {
                    namespaces.push(NamespaceMap::named(claimed.namespace.as_bytes()));
                    regimes.push(Vec::new());
                    namespaces.len() - 1
                });
                let map = &mut namespaces[at];
                map.strong |= claimed.regime > 0;
                for (replica, bitmap) in claimed.replicas.iter().take(MAX_REPLICAS).enumerate() {
                    if replica == map.replicas.len() {
                        map.replicas.push(Box::new([NO_NODE; PARTITIONS]));
                        regimes[at].push([0; PARTITIONS]);
                    }
                    let owners = &mut map.replicas[replica];
                    let regimes = &mut regimes[at][replica];
                    for partition in bitmap.iter() {
                        if claimed.regime >= regimes[partition] {
                            regimes[partition] = claimed.regime;
                            owners[partition] = place as u16;
                        }
                    }
                }
            }
        }
        let mut view = Self { nodes, namespaces };
        view.set_distances(claims, near);
        view.inherit(before);
        view
    }

    fn set_distances(&mut self, claims: &[Claims<'_>], near: &[u32]) {
        for map in &mut self.namespaces {
            let distance = |claim: &Claims<'_>| {
                let rack = claim.racks.iter().find(|(namespace, _)| namespace.as_bytes() == &*map.name);
                let place = rack.and_then(|(_, rack)| near.iter().position(|near| near == rack));
                place.and_then(|place| u16::try_from(place).ok()).unwrap_or(FAR)
            };
            map.distance = claims.iter().take(MAX_NODES).map(distance).collect();
        }
    }

    fn inherit(&mut self, before: &View) {
        let place_of: HashMap<u64, u16> =
            self.nodes.iter().enumerate().map(|(place, node)| (node.id, place as u16)).collect();
        let new_places: Vec<u16> =
            before.nodes.iter().map(|node| place_of.get(&node.id).copied().unwrap_or(NO_NODE)).collect();
        for map in &mut self.namespaces {
            let Some(old) = before.namespace(&map.name) else { continue };
            let (masters, others) = match map.replicas.split_first_mut() {
                Some(parts) => parts,
                None => continue,
            };
            if let Some(old) = old.replicas.first() {
                inherit_owners(masters, old, &new_places, None);
            }
            for (owners, old) in others.iter_mut().zip(old.replicas.iter().skip(1)) {
                inherit_owners(owners, old, &new_places, Some(masters));
            }
        }
    }

    pub(crate) fn namespace(&self, name: &[u8]) -> Option<&NamespaceMap> {
        self.namespaces.iter().find(|map| *map.name == *name)
    }

    /// Whether no node claims any partition.
    pub(crate) fn has_no_partitions(&self) -> bool {
        let owners =
            |map: &NamespaceMap| map.replicas.iter().flat_map(|owners| **owners).any(|o| o != NO_NODE);
        !self.namespaces.iter().any(owners)
    }

    pub(crate) fn node(&self, name: &str) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|node| &*node.name == name)
    }
}

fn inherit_owners(owners: &mut Owners, old: &Owners, new_places: &[u16], masters: Option<&Owners>) {
    for (partition, owner) in owners.iter_mut().enumerate().filter(|(_, owner)| **owner == NO_NODE) {
        let new_owner = new_places.get(usize::from(old[partition])).copied().unwrap_or(NO_NODE);
        // A replica that became the master is no second copy.
        if masters.is_none_or(|masters| masters[partition] != new_owner) {
            *owner = new_owner;
        }
    }
}

impl NamespaceMap {
    fn named(name: &[u8]) -> Self {
        Self { name: name.into(), strong: false, replicas: Vec::new(), distance: Vec::new() }
    }
}

/// Chooses a node for each partition, for one attempt of one command.
pub(crate) struct Router<'v> {
    pub(crate) view: &'v View,
    /// For each node, whether to use it in preference to others.
    usable: Vec<bool>,
    all_usable: bool,
    /// The index of a node that is used only if all others are worse.
    avoid: Option<u16>,
    replica: Replica,
    read_mode_sc: ReadModeSc,
    /// The choice is for a hedge: it must be a usable node other than `avoid`, and a node that may answer as
    /// well.
    is_hedge: bool,
    /// The replica to start with.
    first: usize,
}

impl<'v> Router<'v> {
    /// For a read. `step` counts the replicas that earlier attempts have moved past, `avoid` is the node at
    /// which the previous attempt failed, and `round_robin` spreads reads with [`Replica::Any`].
    pub(crate) fn for_read(
        view: &'v View,
        replica: Replica,
        read_mode_sc: ReadModeSc,
        step: u32,
        round_robin: usize,
        avoid: Option<u64>,
    ) -> Self {
        let usable: Vec<bool> = view.nodes.iter().map(|node| node.is_usable()).collect();
        let avoid = view.nodes.iter().position(|node| Some(node.id) == avoid).map(|place| place as u16);
        let first = match replica {
            Replica::Master => 0,
            Replica::Any => round_robin.wrapping_add(step as usize),
            Replica::Sequence | Replica::PreferRack => step as usize,
        };
        Self {
            view,
            all_usable: avoid.is_none() && usable.iter().all(|usable| *usable),
            usable,
            avoid,
            replica,
            read_mode_sc,
            is_hedge: false,
            first,
        }
    }

    /// For a read that `asked` has not answered yet.
    pub(crate) fn for_hedge(
        view: &'v View,
        replica: Replica,
        read_mode_sc: ReadModeSc,
        step: u32,
        asked: u64,
    ) -> Self {
        let router = Self::for_read(view, replica, read_mode_sc, step.wrapping_add(1), 0, Some(asked));
        Self { is_hedge: true, ..router }
    }

    /// For a write: the master. A replica is used only if the master failed; it forwards the write to the
    /// master.
    pub(crate) fn for_write(view: &'v View, replica: Replica, step: u32) -> Self {
        let (first, replica) = match replica {
            Replica::Master => (0, Replica::Master),
            _ => (step as usize, Replica::Sequence),
        };
        Self {
            view,
            usable: Vec::new(),
            all_usable: true,
            avoid: None,
            replica,
            read_mode_sc: ReadModeSc::AllowReplica,
            is_hedge: false,
            first,
        }
    }

    /// The table of the owners that [`pick`](Self::pick) would choose, if the choice depends on nothing else.
    /// Where the table has no owner, use `pick`.
    pub(crate) fn direct(&self, map: &'v NamespaceMap) -> Option<&'v Owners> {
        if self.replica == Replica::Master || (map.strong && self.read_mode_sc == ReadModeSc::Session) {
            return None;
        }
        let is_direct = self.all_usable && !self.is_hedge && self.replica != Replica::PreferRack;
        let first = self.first.checked_rem(map.replicas.len())?;
        map.replicas.get(first).filter(|_| is_direct)
    }

    /// The index of the node to use for a partition.
    #[inline]
    pub(crate) fn pick(&self, map: &NamespaceMap, partition: usize) -> Option<u16> {
        let n = map.replicas.len();
        if map.strong && self.is_hedge && hedge::is_master_only(self.read_mode_sc) {
            return None;
        }
        if self.replica == Replica::Master || (map.strong && self.read_mode_sc == ReadModeSc::Session) {
            let owner = map.replicas.first().map(|owners| owners[partition])?;
            return (owner != NO_NODE).then_some(owner);
        }
        // Distance does not matter for linearized reads: they try the replicas in order.
        let by_rack = self.replica == Replica::PreferRack
            && !(map.strong && self.read_mode_sc == ReadModeSc::Linearize);
        // If no other node is left, the node to avoid is preferred to one that is not usable.
        let (mut avoided, mut unusable) = (None, None);
        let mut nearest: Option<(u16, u16)> = None;
        for step in 0..n {
            let owner = map.replicas[self.first.wrapping_add(step) % n][partition];
            if owner == NO_NODE {
                continue;
            }
            if !self.all_usable {
                let is_usable = self.usable.get(usize::from(owner)).copied().unwrap_or(false);
                if !is_usable {
                    unusable = unusable.or(Some(owner));
                    continue;
                }
                if self.avoid == Some(owner) {
                    avoided = Some(owner);
                    continue;
                }
            }
            if !by_rack {
                return Some(owner);
            }
            let distance = map.distance.get(usize::from(owner)).copied().unwrap_or(FAR);
            if nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, owner));
            }
        }
        match nearest {
            Some((_, owner)) => Some(owner),
            None if self.is_hedge => None,
            None => avoided.or(unusable),
        }
    }

    /// The node to use for a partition.
    pub(crate) fn node(&self, map: &NamespaceMap, partition: usize) -> Option<&'v Arc<Node>> {
        self.pick(map, partition).and_then(|place| self.view.nodes.get(usize::from(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClusterConfig;
    use crate::net::transport::TcpTransport;
    use crate::node::connector::Connector;
    use wire_protocol::info::PartitionBitmap;

    fn node(name: &str) -> Arc<Node> {
        let connector = Arc::new(Connector::new(ClusterConfig::default(), Arc::new(TcpTransport)));
        Arc::new(Node::new(name, "127.0.0.1:3000".parse().unwrap(), None, connector))
    }

    fn claim(regime: u32, replicas: [&[usize]; 2]) -> Vec<NamespaceReplicas> {
        let bitmap = |partitions: &[usize]| PartitionBitmap::of(partitions.iter().copied());
        vec![NamespaceReplicas { namespace: "test".into(), regime, replicas: replicas.map(bitmap).into() }]
    }

    fn view(claims: &[(&Arc<Node>, &Vec<NamespaceReplicas>)], before: &View) -> View {
        let claims: Vec<Claims<'_>> =
            claims.iter().map(|&(node, replicas)| Claims { node, replicas, racks: &[] }).collect();
        View::new(&claims, before, &[])
    }

    fn picks(view: &View, replica: Replica, attempt: u32, partition: usize) -> Option<String> {
        let router = Router::for_read(view, replica, ReadModeSc::Session, attempt, 0, None);
        let map = view.namespace(b"test").unwrap();
        router.node(map, partition).map(|node| node.name.to_string())
    }

    #[test]
    fn attempts_go_through_the_replicas() {
        let (a, b) = (node("A"), node("B"));
        let view = view(&[(&a, &claim(0, [&[1], &[2]])), (&b, &claim(0, [&[2], &[1]]))], &View::default());
        assert_eq!(picks(&view, Replica::Sequence, 0, 1).as_deref(), Some("A"));
        assert_eq!(picks(&view, Replica::Sequence, 1, 1).as_deref(), Some("B"));
        assert_eq!(picks(&view, Replica::Sequence, 2, 1).as_deref(), Some("A"));
        assert_eq!(picks(&view, Replica::Master, 1, 1).as_deref(), Some("A"));
        assert_eq!(picks(&view, Replica::Sequence, 0, 3), None);
        a.health.set_suspect(true);
        assert_eq!(picks(&view, Replica::Sequence, 0, 1).as_deref(), Some("B"));
        assert_eq!(picks(&view, Replica::Master, 0, 1).as_deref(), Some("A"));
        b.health.set_suspect(true);
        assert_eq!(picks(&view, Replica::Sequence, 0, 1).as_deref(), Some("A"));
        assert!(view.namespace(b"bar").is_none());
    }

    #[test]
    fn the_highest_regime_wins_and_unclaimed_partitions_keep_their_owner() {
        let (a, b) = (node("A"), node("B"));
        let first = view(&[(&b, &claim(2, [&[1], &[]])), (&a, &claim(1, [&[1, 2], &[5]]))], &View::default());
        assert_eq!(picks(&first, Replica::Sequence, 0, 1).as_deref(), Some("B"));
        let next = view(&[(&b, &claim(2, [&[5], &[]])), (&a, &claim(1, [&[], &[]]))], &first);
        assert_eq!(picks(&next, Replica::Sequence, 0, 2).as_deref(), Some("A"));
        assert_eq!(picks(&next, Replica::Sequence, 0, 5).as_deref(), Some("B"));
        let last = view(&[(&b, &claim(2, [&[5], &[]]))], &next);
        assert_eq!(picks(&last, Replica::Sequence, 0, 2), None, "its owner is gone");
    }

    #[test]
    fn a_strongly_consistent_namespace_is_read_at_its_masters() {
        let (a, b) = (node("A"), node("B"));
        let view = view(&[(&a, &claim(3, [&[1], &[2]])), (&b, &claim(3, [&[2], &[1]]))], &View::default());
        assert_eq!(picks(&view, Replica::Sequence, 1, 1).as_deref(), Some("A"));
        let relaxed = Router::for_read(&view, Replica::Sequence, ReadModeSc::AllowReplica, 1, 0, None);
        let map = view.namespace(b"test").unwrap();
        assert_eq!(&*relaxed.node(map, 1).unwrap().name, "B");
    }
    #[test]
    fn the_nearest_rack_is_preferred() {
        let nodes = ["A", "B", "C"].map(node);
        let replicas = [claim(0, [&[1, 3], &[2]]), claim(0, [&[2], &[3]]), claim(0, [&[], &[1]])];
        let racks = [1, 2, 3].map(|rack| vec![("test".to_owned(), rack)]);
        let claims: Vec<Claims<'_>> =
            (0..3).map(|i| Claims { node: &nodes[i], replicas: &replicas[i], racks: &racks[i] }).collect();
        let view = View::new(&claims, &View::default(), &[3, 2]);
        let picks = |attempt, partition| picks(&view, Replica::PreferRack, attempt, partition).unwrap();
        assert_eq!((picks(0, 1), picks(0, 2), picks(0, 3)), ("C".into(), "B".into(), "B".into()));
        assert_eq!(picks(1, 1), "C", "the nearest again, unless it failed");
        nodes[2].health.set_suspect(true);
        assert_eq!((picks(0, 1), picks(0, 2)), ("A".into(), "B".into()));
        nodes[0].health.set_suspect(true);
        assert_eq!(picks(0, 1), "A", "the master before others where none is usable");
    }

    #[test]
    fn a_hedge_goes_to_another_node_or_nowhere() {
        let (a, b) = (node("A"), node("B"));
        let claims = |regime| [claim(regime, [&[1, 3], &[2]]), claim(regime, [&[2], &[1]])];
        let hedged = |view: &View, mode, partition| {
            let router = Router::for_hedge(view, Replica::Sequence, mode, 0, a.id);
            router.node(view.namespace(b"test").unwrap(), partition).map(|node| node.name.to_string())
        };
        let [of_a, of_b] = claims(0);
        let available = view(&[(&a, &of_a), (&b, &of_b)], &View::default());
        assert_eq!(hedged(&available, ReadModeSc::Session, 1).as_deref(), Some("B"));
        assert_eq!(hedged(&available, ReadModeSc::Session, 3), None, "no other node has it");
        let [of_a, of_b] = claims(5);
        let strong = view(&[(&a, &of_a), (&b, &of_b)], &View::default());
        assert_eq!(hedged(&strong, ReadModeSc::Session, 1), None);
        assert_eq!(hedged(&strong, ReadModeSc::Linearize, 1), None);
        assert_eq!(hedged(&strong, ReadModeSc::AllowReplica, 1).as_deref(), Some("B"));
        b.health.set_suspect(true);
        assert_eq!(hedged(&available, ReadModeSc::Session, 1), None, "the other one is no better");
    }
}
