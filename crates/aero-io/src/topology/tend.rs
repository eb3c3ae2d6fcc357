//! Watches the cluster. Each node has a task of its own, so that a node that hangs delays no other check.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use wire_protocol::info::{self, NamespaceReplicas, Peer};

use crate::error::Fault;
use crate::net::buffer_cache;
use crate::net::info::InfoLink;
use crate::net::timer::Timer;
use crate::node::Node;
use crate::node::events::{Event, Suspicion};
use crate::topology::discovery::{FoundNode, build, node_name};
use crate::topology::members::{Member, Members};
use crate::topology::partition_map::MAX_NODES;
use crate::topology::seeds;
use crate::topology::state::Inner;

/// How long after a command saw a node fail the node is checked. Several failures in that time cause one check.
const EARLY_CHECK_DELAY: Duration = Duration::from_millis(100);

/// Minimum time between two checks, whatever the configuration says.
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(10);

impl Inner {
    /// Adds nodes that answered to the cluster and watches them. Members that answer are kept as they are.
    pub(crate) fn admit(self: &Arc<Self>, found_nodes: impl IntoIterator<Item = FoundNode>) {
        let mut members = self.members();
        if self.is_closed() {
            return;
        }
        for found in found_nodes {
            let name = found.info.node.as_str();
            let known = members.by_name.get(name);
            if known.is_some_and(|member| member.healthy)
                || (known.is_none() && members.by_name.len() >= MAX_NODES)
            {
                continue;
            }
            let node = Arc::new(Node::new(
                name,
                found.address,
                found.tls_name.as_deref(),
                Arc::clone(&self.connector),
            ));
            node.set_build(found.info.build);
            members.updates += 1;
            let updated = members.updates;
            let seen = Some(Generations {
                partition_generation: found.info.partition_generation,
                peers_generation: found.info.peers_generation,
                rebalance_generation: found.info.rebalance_generation,
            });
            let watch =
                Watch { inner: Arc::clone(self), node: Arc::clone(&node), link: found.link.into(), seen };
            let member = Member {
                healthy: true,
                peers: found.info.peers.peers,
                replicas: found.info.replicas,
                racks: found.info.racks,
                updated,
                watch: tokio::spawn(watch.run()).abort_handle(),
                node,
            };
            self.connector.events.push(Event::Joined(member.node.as_named()));
            let before = members.by_name.insert(Arc::clone(&member.node.name), member);
            members.leaving.extend(before);
        }
        self.apply_changes(&mut members, true);
    }

    /// Records that a node answered, and what changed.
    fn note_check(self: &Arc<Self>, node: &Node, changes: Changes) {
        let mut members = self.members();
        members.updates += 1;
        let updated = members.updates;
        let Some(member) = members.member_of(node) else { return };
        member.healthy = true;
        member.node.trust();
        if let Some(peers) = changes.peers {
            member.peers = peers;
        }
        let moved = changes.replicas.is_some() || changes.racks.is_some();
        if let Some(replicas) = changes.replicas {
            member.replicas = replicas;
            member.updated = updated;
        }
        if let Some(racks) = changes.racks {
            member.racks = racks;
        }
        self.apply_changes(&mut members, moved);
    }

    /// Records that a node did not answer.
    fn note_failed_check(self: &Arc<Self>, node: &Node, why: Fault) {
        let mut members = self.members();
        let Some(member) = members.member_of(node) else { return };
        member.healthy = false;
        member.node.avoid(Suspicion::Watch(why.into_discovery(self.connector.config.connect_timeout)));
        self.apply_changes(&mut members, false);
    }

    /// Removes a node whose address belongs to another node now.
    fn remove_node(self: &Arc<Self>, node: &Node) {
        let mut members = self.members();
        if members.member_of(node).is_some() {
            members.remove(&node.name, &self.connector.events);
            self.apply_changes(&mut members, true);
        }
    }

    /// Removes nodes that have left, publishes a new view if needed, and looks for missing nodes.
    fn apply_changes(self: &Arc<Self>, members: &mut Members, changed: bool) {
        if self.is_closed() {
            return;
        }
        if members.remove_gone(&self.connector.events) || changed {
            let view = members.view(&self.view(), &self.connector.config.racks);
            self.publish(view);
            members.leaving.clear();
        }
        for peer in members.missing_peers() {
            members.joining.insert(peer.node.clone());
            let search = tokio::spawn(Arc::clone(self).join(peer));
            members.keep_search(search.abort_handle());
        }
        if !members.any_healthy() && !members.finding_seeds {
            members.finding_seeds = true;
            self.connector.events.push(Event::Lost);
            let search = tokio::spawn(Arc::clone(self).find_seeds());
            members.keep_search(search.abort_handle());
        }
    }

    async fn join(self: Arc<Self>, peer: Peer) {
        let found = seeds::find_peer(&self.connector, &peer).await;
        self.members().joining.remove(&peer.node);
        if let Some(found) = found {
            self.admit([found]);
        }
    }

    async fn find_seeds(self: Arc<Self>) {
        let found = seeds::find_any_seed(&self.connector).await;
        self.members().finding_seeds = false;
        if let Some(found) = found {
            self.admit([found]);
        }
    }
}

/// What a node said at its last check.
struct Generations {
    partition_generation: String,
    peers_generation: String,
    /// `None` if no racks are configured.
    rebalance_generation: Option<String>,
}

/// What changed since the last check.
#[derive(Default)]
struct Changes {
    peers: Option<Vec<Peer>>,
    replicas: Option<Vec<NamespaceReplicas>>,
    racks: Option<Vec<(String, u32)>>,
}

/// The task that watches one node.
struct Watch {
    inner: Arc<Inner>,
    node: Arc<Node>,
    link: Option<InfoLink>,
    /// `None` to ask for everything.
    seen: Option<Generations>,
}

enum CheckResult {
    Answered(Changes),
    /// Another node has the address.
    Renamed,
}

impl Watch {
    async fn run(mut self) {
        let interval = self.inner.connector.config.tend_interval.max(MIN_CHECK_INTERVAL);
        loop {
            tokio::select! {
                () = sleep(interval) => {}
                () = self.node.check_now.notified() => sleep(EARLY_CHECK_DELAY.min(interval)).await,
            }
            match self.check().await {
                Ok(CheckResult::Answered(changes)) => self.inner.note_check(&self.node, changes),
                Ok(CheckResult::Renamed) => return self.replace().await,
                Err(fault) => {
                    self.link = None;
                    // The next server at this address may be another build.
                    self.node.set_build(None);
                    self.inner.note_failed_check(&self.node, fault);
                }
            }
            self.node.pool.trim();
            self.node.renew_session();
            buffer_cache::drop_idle();
        }
    }

    async fn check(&mut self) -> Result<CheckResult, Fault> {
        let connector = &self.inner.connector;
        let mut timer = Timer::within(connector.config.connect_timeout);
        let link = match &mut self.link {
            Some(link) => link,
            gone => {
                // A node that was down may have restarted its generations.
                self.seen = None;
                let tls_name = self.node.tls_name.as_deref();
                let (connection, rest) = connector.open_for_watch(self.node.address, tls_name).await?;
                timer = rest;
                gone.insert(InfoLink::new(connection))
            }
        };
        let mut commands = vec!["node", "peers-generation", "partition-generation"];
        commands.extend(connector.rack_commands().first());
        let is_new_link = self.seen.is_none();
        if is_new_link {
            commands.push("build");
        }
        let body = link.ask(&commands, &mut timer).await?;
        if node_name(&body)? != &*self.node.name {
            return Ok(CheckResult::Renamed);
        }
        if is_new_link {
            self.node.set_build(build(&body));
        }
        let now = Generations {
            peers_generation: info::answer(&body, "peers-generation")?.to_owned(),
            partition_generation: info::answer(&body, "partition-generation")?.to_owned(),
            rebalance_generation: connector.rebalance_generation(&body)?,
        };
        let seen = self.seen.as_ref();
        let same_peers = seen.is_some_and(|seen| seen.peers_generation == now.peers_generation);
        let same_partitions = seen.is_some_and(|seen| seen.partition_generation == now.partition_generation);
        let same_racks = seen.is_some_and(|seen| seen.rebalance_generation == now.rebalance_generation);
        let mut changes = Changes::default();
        if same_peers && same_partitions && same_racks {
            return Ok(CheckResult::Answered(changes));
        }
        let mut commands = vec!["peers-generation", "partition-generation"];
        if !same_peers {
            commands.push(connector.peers_command());
        }
        if !same_partitions {
            commands.push("replicas");
        }
        if !same_racks {
            commands.extend(connector.rack_commands());
        }
        let body = link.ask(&commands, &mut timer).await?;
        // The generations in the answer with the lists. A change between the two answers is found by the next
        // check.
        let mut seen = now;
        if !same_peers {
            changes.peers = Some(info::parse_peers(info::answer(&body, connector.peers_command())?)?.peers);
            seen.peers_generation = info::answer(&body, "peers-generation")?.to_owned();
        }
        if !same_partitions {
            changes.replicas = Some(info::parse_replicas(info::answer(&body, "replicas")?)?);
            seen.partition_generation = info::answer(&body, "partition-generation")?.to_owned();
        }
        if !same_racks {
            changes.racks = connector.racks(&body)?;
            seen.rebalance_generation = connector.rebalance_generation(&body)?;
        }
        self.seen = Some(seen);
        Ok(CheckResult::Answered(changes))
    }

    /// Ends the watch in favour of the node that has the address now.
    async fn replace(self) {
        self.node.avoid(Suspicion::Renamed);
        let found = self.inner.connector.discover(self.node.address, self.node.tls_name.as_deref()).await;
        // Admit first: removing the node ends this task.
        self.inner.admit(found.ok());
        self.inner.remove_node(&self.node);
    }
}
