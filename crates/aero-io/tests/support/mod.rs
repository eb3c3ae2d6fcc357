//! A network of scripted nodes in memory, and a sink that keeps what it receives.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(unreachable_pub, reason = "shared by test binaries")]

pub mod callers;
pub mod exchanges;
pub mod mutate;
pub mod net;
pub mod queries;
pub mod rows;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use aero_io::{
    BatchKeys, BatchPolicy, BatchRead, Cluster, ClusterConfig, Digest, Error, Hedge, Limits, Reads, Seed,
    Space,
};

use net::{Act, Net, Node};
use rows::Rows;
use wire::{Request, answer};

/// A digest in `partition`, different for each `n`.
pub fn digest(partition: usize, n: u32) -> Digest {
    let mut digest = [0; 20];
    digest[..2].copy_from_slice(&(partition as u16).to_le_bytes());
    digest[2..6].copy_from_slice(&n.to_le_bytes());
    digest
}

/// `n` keys of `test/set`, one per partition.
pub fn keys(n: usize) -> Arc<BatchKeys> {
    let digests: Vec<_> = (0..n).map(|i| digest(i % 4096, i as u32)).collect();
    Arc::new(BatchKeys::single(Space::new("test", "set"), digests))
}

/// Keys of these namespaces, alternating.
pub fn mixed_keys(n: usize, namespaces: &[&str]) -> Arc<BatchKeys> {
    let spaces = namespaces.iter().map(|name| Space::new(name, "set")).collect();
    let space_of = (0..n).map(|i| (i % namespaces.len()) as u32).collect();
    let digests: Vec<_> = (0..n).map(|i| digest(i % 4096, i as u32)).collect();
    Arc::new(BatchKeys::mixed(spaces, space_of, digests).unwrap())
}

pub fn request(policy: BatchPolicy) -> Arc<BatchRead> {
    Arc::new(BatchRead { policy, ..BatchRead::default() })
}

/// Reads all keys and returns the outcome and the rows.
pub async fn read(
    cluster: &Cluster,
    keys: &Arc<BatchKeys>,
    policy: BatchPolicy,
) -> (Result<(), Error>, Arc<Rows>) {
    let rows = Rows::new(keys.len());
    let outcome = cluster.batch_read(Arc::clone(keys), request(policy), Arc::clone(&rows)).await;
    (outcome, rows)
}

pub fn config(seeds: &[&str]) -> ClusterConfig {
    let seeds = seeds.iter().map(|seed| {
        let (host, port) = seed.rsplit_once(':').unwrap();
        Seed::new(host, port.parse().unwrap())
    });
    ClusterConfig { seeds: seeds.collect(), ..ClusterConfig::default() }
}

pub async fn connect(net: &Arc<Net>, seed: &str) -> Cluster {
    Cluster::connect(config(&[seed]), Arc::clone(net) as _).await.unwrap()
}

/// Waits for `n` checks of each node by its watch.
pub async fn checks(n: u32) {
    tokio::time::sleep(Duration::from_millis(1_050) * n).await;
}

/// Answers the first request with `first`, and later ones with records of generation `later`.
pub fn once(
    first: impl Fn(&Request) -> Vec<Act> + Send + 'static,
    later: u32,
) -> impl FnMut(&Request) -> Vec<Act> {
    let mut calls = 0;
    move |request| {
        calls += 1;
        if calls == 1 { first(request) } else { vec![Act::Send(answer(request, |_| 0, later))] }
    }
}

pub fn retries(max_retries: u32) -> BatchPolicy {
    BatchPolicy { limits: Limits { max_retries, ..Limits::default() }, ..BatchPolicy::default() }
}

pub async fn one_node() -> (Cluster, Arc<Node>) {
    let (net, nodes) = Net::cluster(1);
    (connect(&net, "10.0.0.1:3000").await, Arc::clone(&nodes[0]))
}

/// Reads 100 keys from a node that fails once. Returns the call's outcome, the rows and the node.
pub async fn fails_once(
    first: impl Fn(&Request) -> Vec<Act> + Send + 'static,
    policy: BatchPolicy,
) -> (Result<(), Error>, Arc<Rows>, Arc<Node>) {
    let (cluster, node) = one_node().await;
    node.on_request(once(first, 7));
    let (outcome, rows) = read(&cluster, &keys(100), policy).await;
    (outcome, rows, node)
}

pub const MS: Duration = Duration::from_millis(1);

/// A cluster of three nodes. Each answers with its number as the generation.
pub async fn three_nodes_with(config: ClusterConfig) -> (Cluster, Vec<Arc<Node>>) {
    let (net, nodes) = Net::cluster(3);
    for (i, node) in nodes.iter().enumerate() {
        node.on_request(move |request| vec![Act::Send(answer(request, |_| 0, i as u32 + 1))]);
    }
    (Cluster::connect(config, net as _).await.unwrap(), nodes)
}

/// The same, with the first node's address as seed.
pub async fn three_nodes() -> (Cluster, Vec<Arc<Node>>) {
    three_nodes_with(config(&["10.0.0.1:3000"])).await
}

/// `n` keys whose master is the first of three nodes and whose replica is the second.
pub fn keys_of_first_node(n: usize) -> Arc<BatchKeys> {
    let digests: Vec<_> = (0..n).map(|i| digest(i * 3 % 4095, i as u32)).collect();
    Arc::new(BatchKeys::single(Space::new("test", "set"), digests))
}

/// A policy that hedges after `ms` milliseconds.
pub fn hedge_after(ms: u32) -> BatchPolicy {
    BatchPolicy {
        reads: Reads { hedge: Hedge::After(MS * ms), ..Reads::default() },
        ..BatchPolicy::default()
    }
}
