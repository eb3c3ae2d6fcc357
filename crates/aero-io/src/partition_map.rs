//! Which node holds which partition: an immutable snapshot of the cluster, and the choice of a node.

use std::collections::HashMap;
use std::sync::Arc;

use wire_protocol::digest::PARTITIONS;
use wire_protocol::info::NamespaceReplicas;

use crate::node::Node;
use crate::policy::{ReadModeSc, Replica};

/// Nodes that a view may have; a cluster has at most 256.
pub(crate) const MAX_NODES: usize = 1_024;

/// Replicas of a namespace that a view knows of; a server keeps at most as many.
const MAX_REPLICAS: usize = 256;

/// No node.
const NOBODY: u16 = u16::MAX;

/// The owner of each partition: a node's place in [`View::nodes`].
type Owners = Box<[u16; PARTITIONS]>;

/// The cluster at one time.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) nodes: Vec<Arc<Node>>,
    namespaces: Vec<NamespaceMap>,
}

/// The partitions of a namespace.
pub(crate) struct NamespaceMap {
    name: Box<[u8]>,
    /// Whether the namespace is strongly consistent: only such ones have regimes.
    strong: bool,
    /// For each replica, the masters first.
    replicas: Vec<Owners>,
}

/// What one node claims.
pub(crate) struct Claims<'a> {
    pub(crate) node: &'a Arc<Node>,
    pub(crate) replicas: &'a [NamespaceReplicas],
}

impl View {
    /// The snapshot that follows `before` when nodes make these claims, the newest last.
    ///
    /// A claim of a higher regime wins, then the newer one. A partition that nobody claims stays with
    /// its owner of before, if that is still there: while partitions move, the old owner passes requests
    /// on.
    pub(crate) fn new(claims: &[Claims<'_>], before: &View) -> Self {
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
                        map.replicas.push(Box::new([NOBODY; PARTITIONS]));
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
        view.inherit(before);
        view
    }

    fn inherit(&mut self, before: &View) {
        let place_of: HashMap<u64, u16> =
            self.nodes.iter().enumerate().map(|(place, node)| (node.id, place as u16)).collect();
        let heirs: Vec<u16> =
            before.nodes.iter().map(|node| place_of.get(&node.id).copied().unwrap_or(NOBODY)).collect();
        for map in &mut self.namespaces {
            let Some(old) = before.namespace(&map.name) else { continue };
            let (masters, others) = match map.replicas.split_first_mut() {
                Some(parts) => parts,
                None => continue,
            };
            if let Some(old) = old.replicas.first() {
                inherit_owners(masters, old, &heirs, None);
            }
            for (owners, old) in others.iter_mut().zip(old.replicas.iter().skip(1)) {
                inherit_owners(owners, old, &heirs, Some(masters));
            }
        }
    }

    /// The partitions of a namespace, if the cluster has it.
    pub(crate) fn namespace(&self, name: &[u8]) -> Option<&NamespaceMap> {
        self.namespaces.iter().find(|map| *map.name == *name)
    }

    /// The node of that name.
    pub(crate) fn node(&self, name: &str) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|node| &*node.name == name)
    }
}

fn inherit_owners(owners: &mut Owners, old: &Owners, heirs: &[u16], masters: Option<&Owners>) {
    for (partition, owner) in owners.iter_mut().enumerate().filter(|(_, owner)| **owner == NOBODY) {
        let heir = heirs.get(usize::from(old[partition])).copied().unwrap_or(NOBODY);
        // A replica that became the master is no second copy.
        if masters.is_none_or(|masters| masters[partition] != heir) {
            *owner = heir;
        }
    }
}

impl NamespaceMap {
    fn named(name: &[u8]) -> Self {
        Self { name: name.into(), strong: false, replicas: Vec::new() }
    }
}

/// The choice of a node for each partition, for one attempt of one command.
pub(crate) struct Router<'v> {
    pub(crate) view: &'v View,
    /// Whether a node is to be asked while another can be.
    usable: Vec<bool>,
    all_usable: bool,
    replica: Replica,
    master_if_strong: bool,
    /// The replica to begin with.
    first: usize,
}

impl<'v> Router<'v> {
    /// For a read. `attempt` counts from 0; `avoid` is the node that the attempt before it failed at;
    /// `turn` spreads [`Replica::Any`].
    pub(crate) fn for_read(
        view: &'v View,
        replica: Replica,
        read_mode_sc: ReadModeSc,
        attempt: u32,
        turn: usize,
        avoid: Option<u64>,
    ) -> Self {
        let usable: Vec<bool> =
            view.nodes.iter().map(|node| !node.is_suspect() && Some(node.id) != avoid).collect();
        let first = match replica {
            Replica::Master => 0,
            Replica::Any => turn.wrapping_add(attempt as usize),
            Replica::Sequence => attempt as usize,
        };
        Self {
            view,
            all_usable: usable.iter().all(|usable| *usable),
            usable,
            replica,
            master_if_strong: read_mode_sc == ReadModeSc::Session,
            first,
        }
    }

    /// For a write: the master, and the replicas after it only where an attempt failed, since they pass
    /// it on to the master.
    pub(crate) fn for_write(view: &'v View, replica: Replica, attempt: u32) -> Self {
        let first = if replica == Replica::Master { 0 } else { attempt as usize };
        Self { view, usable: Vec::new(), all_usable: true, replica, master_if_strong: false, first }
    }

    /// The place in the view's nodes of the one to ask for a partition.
    #[inline]
    pub(crate) fn pick(&self, map: &NamespaceMap, partition: usize) -> Option<u16> {
        let n = map.replicas.len();
        if self.replica == Replica::Master || (map.strong && self.master_if_strong) {
            return map.replicas.first().map(|owners| owners[partition]).filter(|owner| *owner != NOBODY);
        }
        let mut fallback = None;
        for step in 0..n {
            let owner = map.replicas[self.first.wrapping_add(step) % n][partition];
            if owner == NOBODY {
                continue;
            }
            if self.all_usable || self.usable.get(usize::from(owner)).copied().unwrap_or(false) {
                return Some(owner);
            }
            fallback = fallback.or(Some(owner));
        }
        fallback
    }

    /// The node to ask for a partition.
    pub(crate) fn node(&self, map: &NamespaceMap, partition: usize) -> Option<&'v Arc<Node>> {
        self.pick(map, partition).and_then(|place| self.view.nodes.get(usize::from(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClusterConfig;
    use crate::contact::Connector;
    use crate::transport::TcpTransport;
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
            claims.iter().map(|&(node, replicas)| Claims { node, replicas }).collect();
        View::new(&claims, before)
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
        a.set_suspect(true);
        assert_eq!(picks(&view, Replica::Sequence, 0, 1).as_deref(), Some("B"));
        assert_eq!(picks(&view, Replica::Master, 0, 1).as_deref(), Some("A"));
        b.set_suspect(true);
        assert_eq!(picks(&view, Replica::Sequence, 0, 1).as_deref(), Some("A"));
        assert!(view.namespace(b"bar").is_none());
    }

    #[test]
    fn regimes_win_and_orphans_are_inherited() {
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
    fn a_strong_namespace_is_read_at_its_masters() {
        let (a, b) = (node("A"), node("B"));
        let view = view(&[(&a, &claim(3, [&[1], &[2]])), (&b, &claim(3, [&[2], &[1]]))], &View::default());
        assert_eq!(picks(&view, Replica::Sequence, 1, 1).as_deref(), Some("A"));
        let relaxed = Router::for_read(&view, Replica::Sequence, ReadModeSc::AllowReplica, 1, 0, None);
        let map = view.namespace(b"test").unwrap();
        assert_eq!(&*relaxed.node(map, 1).unwrap().name, "B");
    }
}
