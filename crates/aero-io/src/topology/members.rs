//! The nodes of the cluster, what each of them last said, and the tasks that watch them.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::task::AbortHandle;
use wire_protocol::info::{NamespaceReplicas, Peer};

use crate::node::Node;
use crate::node::events::{Event, Events};
use crate::topology::partition_map::{Claims, MAX_NODES, View};

/// Most peers that are contacted at the same time.
const MAX_JOINING: usize = 64;

/// The nodes of the cluster and the tasks that watch them.
#[derive(Default)]
pub(crate) struct Members {
    pub(super) by_name: HashMap<Arc<str>, Member>,
    /// Peers that a task is connecting to.
    pub(super) joining: HashSet<String>,
    pub(super) finding_seeds: bool,
    /// Tasks that look for nodes.
    pub(super) searches: Vec<AbortHandle>,
    /// Removed members that the published view may still contain.
    pub(super) leaving: Vec<Member>,
    /// Counts changes, to order the claims of the nodes by age.
    pub(super) updates: u64,
}

pub(super) struct Member {
    pub(super) node: Arc<Node>,
    /// Whether the last check of the node succeeded.
    pub(super) healthy: bool,
    pub(super) peers: Vec<Peer>,
    pub(super) replicas: Vec<NamespaceReplicas>,
    pub(super) racks: Vec<(String, u32)>,
    pub(super) updated: u64,
    pub(super) watch: AbortHandle,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.watch.abort();
        self.node.pool.close();
    }
}

impl Members {
    /// Ends all tasks and removes all nodes.
    pub(crate) fn clear(&mut self) {
        self.by_name.clear();
        self.leaving.clear();
        self.searches.drain(..).for_each(|search| search.abort());
    }

    /// Whether the last check of any node succeeded.
    pub(crate) fn any_healthy(&self) -> bool {
        self.by_name.values().any(|member| member.healthy)
    }

    pub(super) fn view(&self, before: &View, near: &[u32]) -> View {
        let mut members: Vec<&Member> = self.by_name.values().collect();
        members.sort_by_key(|member| member.updated);
        let claims: Vec<Claims<'_>> = members
            .into_iter()
            .map(|member| Claims { node: &member.node, replicas: &member.replicas, racks: &member.racks })
            .collect();
        View::new(&claims, before, near)
    }

    pub(super) fn keep_search(&mut self, search: AbortHandle) {
        self.searches.retain(|search| !search.is_finished());
        self.searches.push(search);
    }

    /// The member for `node`, unless it was removed or replaced by a node of the same name.
    pub(super) fn member_of(&mut self, node: &Node) -> Option<&mut Member> {
        self.by_name.get_mut(&node.name).filter(|member| member.node.id == node.id)
    }

    /// Removes a node. Its connections are closed after the next view is published: a command that still uses
    /// the old view would find no other node.
    pub(super) fn remove(&mut self, name: &str, events: &Events) {
        let Some(member) = self.by_name.remove(name) else { return };
        events.push(Event::Left(member.node.as_named()));
        self.leaving.push(member);
    }

    /// Removes nodes that do not answer and are not peers of any node that answers. Returns whether there were
    /// any.
    pub(super) fn remove_gone(&mut self, events: &Events) -> bool {
        if !self.any_healthy() {
            return false;
        }
        let known: HashSet<&str> = self
            .by_name
            .values()
            .filter(|member| member.healthy)
            .flat_map(|member| member.peers.iter().map(|peer| peer.node.as_str()))
            .collect();
        let gone: Vec<Arc<str>> = self
            .by_name
            .iter()
            .filter(|(name, member)| !member.healthy && !known.contains(&***name))
            .map(|(name, _)| Arc::clone(name))
            .collect();
        gone.iter().for_each(|name| self.remove(name, events));
        !gone.is_empty()
    }

    /// Peers to contact: unknown ones, and members that do not answer and have a new address according to a
    /// node that does.
    pub(super) fn missing_peers(&self) -> Vec<Peer> {
        let mut seen = HashSet::new();
        self.by_name
            .values()
            .filter(|member| member.healthy)
            .flat_map(|member| &member.peers)
            .filter(|peer| !self.joining.contains(&peer.node) && seen.insert(&peer.node))
            .filter(|peer| match self.by_name.get(peer.node.as_str()) {
                None => self.by_name.len() < MAX_NODES,
                Some(member) => !member.healthy && !is_at(peer, member.node.address),
            })
            .take(MAX_JOINING.saturating_sub(self.joining.len()))
            .cloned()
            .collect()
    }
}

fn is_at(peer: &Peer, address: SocketAddr) -> bool {
    peer.addresses
        .iter()
        .any(|(host, port)| host.parse().is_ok_and(|ip: IpAddr| SocketAddr::new(ip, *port) == address))
}
