//! From the configured seeds to the first view of the cluster.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use wire_protocol::info::Peer;

use crate::config::Seed;
use crate::error::{DiscoveryFault, Error, SeedFailure};
use crate::node::connector::Connector;
use crate::topology::discovery::FoundNode;
use crate::topology::partition_map::MAX_NODES;

/// Most addresses of a host or node that are tried, against hostile lists.
const MAX_ADDRESSES: usize = 16;

/// Connects to the cluster: tries every address of every seed concurrently, and then the peers of the first
/// node that answers.
///
/// Each step (names, seeds, the seed's own address, peers twice) takes at most the connect timeout.
pub(crate) async fn find_cluster(connector: &Connector) -> Result<Vec<FoundNode>, Error> {
    let first = find_seed(connector).await?;
    let mut found = vec![own_address(connector, first).await];
    let mut tried: HashSet<String> = found.iter().map(|node| node.info.node.clone()).collect();
    // Twice, for peers that only peers know. The watches find any that are still missing.
    for _ in 0..2 {
        let more = find_peers(connector, &found, &mut tried).await;
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    Ok(found)
}

async fn find_seed(connector: &Connector) -> Result<FoundNode, Error> {
    let start = Instant::now();
    let seeds = &connector.config.seeds;
    if seeds.is_empty() {
        return Err(Error::Param { what: "no hosts are configured".into() });
    }
    let mut attempts: FuturesUnordered<_> =
        seeds.iter().enumerate().map(|(place, seed)| try_seed(connector, place, seed)).collect();
    let mut failures: Vec<(usize, SeedFailure)> = Vec::new();
    while let Some(outcome) = attempts.next().await {
        match outcome {
            Ok(node) => return Ok(node),
            Err(more) => failures.extend(more),
        }
    }
    failures.sort_by_key(|(place, _)| *place);
    let tried: Vec<SeedFailure> = failures.into_iter().map(|(_, failure)| failure).collect();
    // A refused login is the reason that matters, whatever else failed.
    for failure in &tried {
        if let SeedFailure { address: Some(address), fault: DiscoveryFault::Login { code, user }, .. } =
            failure
        {
            return Err(Error::Login { code: *code, user: user.clone(), address: *address, tried: None });
        }
    }
    // A different cluster name is reported as such if it is the only failure.
    if let [
        SeedFailure {
            address: Some(address), fault: DiscoveryFault::ClusterName { expected, found }, ..
        },
    ] = &tried[..]
    {
        return Err(Error::ClusterName {
            expected: expected.clone(),
            found: found.clone(),
            address: *address,
        });
    }
    Err(Error::Connect { tried, elapsed: start.elapsed() })
}

async fn try_seed(
    connector: &Connector,
    place: usize,
    seed: &Seed,
) -> Result<FoundNode, Vec<(usize, SeedFailure)>> {
    try_host(connector, &seed.host, seed.port, seed.tls_name.as_deref(), None).await.map_err(|faults| {
        let failure = |(address, fault)| (place, SeedFailure { seed: seed.to_string(), address, fault });
        faults.into_iter().map(failure).collect()
    })
}

/// Tries all addresses of a host concurrently.
async fn try_host(
    connector: &Connector,
    host: &str,
    port: u16,
    tls_name: Option<&str>,
    expected: Option<&str>,
) -> Result<FoundNode, Vec<(Option<SocketAddr>, DiscoveryFault)>> {
    let addresses = connector.opener.resolve(host, port).await.map_err(|fault| vec![(None, fault)])?;
    let mut seen = HashSet::new();
    let mut attempts: FuturesUnordered<_> = addresses
        .into_iter()
        .filter(|address| seen.insert(*address))
        .take(MAX_ADDRESSES)
        .map(|address| async move {
            let node = connector.discover(address, tls_name).await;
            let node = node.and_then(|node| match expected {
                Some(name) => node.named(name),
                None => Ok(node),
            });
            node.map_err(|fault| (Some(address), fault))
        })
        .collect();
    let mut faults = Vec::new();
    while let Some(outcome) = attempts.next().await {
        match outcome {
            Ok(node) => return Ok(node),
            Err(fault) => faults.push(fault),
        }
    }
    Err(faults)
}

/// Tries all addresses of the node `name` concurrently.
async fn try_node(
    connector: &Connector,
    name: &str,
    addresses: &[(String, u16)],
    tls_name: Option<&str>,
) -> Option<FoundNode> {
    let attempts: FuturesUnordered<_> = addresses
        .iter()
        .take(MAX_ADDRESSES)
        .map(|(host, port)| try_host(connector, host, *port, tls_name, Some(name)))
        .collect();
    let mut found = attempts.filter_map(|outcome| std::future::ready(outcome.ok()));
    found.next().await
}

/// The node at an address that it announces itself, if it answers there: a seed may be a load balancer that
/// leads each connection to another node.
async fn own_address(connector: &Connector, node: FoundNode) -> FoundNode {
    let own = &node.info.service;
    let announced = |(host, port): &(String, u16)| {
        host.parse().is_ok_and(|ip: IpAddr| SocketAddr::new(ip, *port) == node.address)
    };
    // A loopback address may be forwarded from outside, where the announced address often leads nowhere.
    if node.address.ip().is_loopback() || own.is_empty() || own.iter().any(announced) {
        return node;
    }
    let direct = try_node(connector, &node.info.node, own, node.tls_name.as_deref()).await;
    direct.unwrap_or(node)
}

/// Connects to the peers of `found` that are not in `tried` yet.
async fn find_peers(
    connector: &Connector,
    found: &[FoundNode],
    tried: &mut HashSet<String>,
) -> Vec<FoundNode> {
    let attempts: FuturesUnordered<_> = found
        .iter()
        .flat_map(|node| &node.info.peers.peers)
        .filter(|peer| tried.insert(peer.node.clone()))
        .take(MAX_NODES.saturating_sub(found.len()))
        .map(|peer| find_peer(connector, peer))
        .collect();
    attempts.filter_map(std::future::ready).collect().await
}

/// Connects to a peer at any of its addresses.
pub(crate) async fn find_peer(connector: &Connector, peer: &Peer) -> Option<FoundNode> {
    let tls_name = Some(peer.tls_name.as_str()).filter(|name| !name.is_empty());
    try_node(connector, &peer.node, &peer.addresses, tls_name).await
}

/// Connects to any seed, for a cluster in which no node answers.
pub(crate) async fn find_any_seed(connector: &Connector) -> Option<FoundNode> {
    Some(own_address(connector, find_seed(connector).await.ok()?).await)
}
