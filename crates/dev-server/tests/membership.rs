//! Nodes that die, hang, come back and take over partitions, as clients see it in info answers and records.

mod support;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use dev_server::{Config, DevServer, DevServerError};
use support::{Client, batch_of, batch_with, digest, keys};
use wire_protocol::batch::BatchReadHeader;
use wire_protocol::command::ReadOptions;
use wire_protocol::digest::{PARTITIONS, partition_id};
use wire_protocol::info::{NamespaceReplicas, parse_peers, parse_replicas};
use wire_protocol::message::info3;

const DETECTION: Duration = Duration::from_millis(400);

async fn start(config: Config) -> (DevServer, Vec<SocketAddr>) {
    let server = DevServer::start(config).await.unwrap();
    let addresses = server.addresses();
    (server, addresses)
}

fn three() -> Config {
    Config { nodes: 3, ..Config::default() }
}

async fn info(address: SocketAddr, command: &str) -> String {
    Client::connect(address).await.info(command).await
}

async fn number(address: SocketAddr, command: &str) -> u32 {
    info(address, command).await.parse().unwrap()
}

async fn replicas(address: SocketAddr) -> NamespaceReplicas {
    parse_replicas(&info(address, "replicas").await).unwrap().remove(0)
}

/// The names of the other nodes, as a node reports them.
async fn peers(address: SocketAddr) -> Vec<String> {
    let peers = parse_peers(&info(address, "peers-clear-std").await).unwrap();
    peers.peers.into_iter().map(|peer| peer.node).collect()
}

async fn fill(address: SocketAddr, count: usize) -> Vec<String> {
    let mut client = Client::connect(address).await;
    for key in keys(count) {
        assert_eq!(client.put(&key, 1).await.code(), 0);
    }
    keys(count)
}

/// The keys whose records are found.
async fn found(address: SocketAddr, keys: &[String]) -> HashSet<String> {
    let (rows, end) = Client::connect(address).await.batch(&batch_of(keys)).await;
    assert_eq!((rows.len(), end), (keys.len(), 0));
    assert!(rows.iter().all(|(_, code)| [0, 2].contains(code)));
    rows.iter().filter(|(_, code)| *code == 0).map(|(index, _)| keys[*index as usize].clone()).collect()
}

fn partition(key: &str) -> usize {
    partition_id(&digest(key))
}

/// Waits until a condition holds, and returns the time that it took.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < support::PATIENCE, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

#[tokio::test]
async fn no_records_are_lost_when_nodes_die_one_after_the_other() {
    let (server, addresses) = start(three()).await;
    let keys = fill(addresses[0], 300).await;
    for node in [1, 2] {
        server.kill(node).await.unwrap();
        assert_eq!(found(addresses[0], &keys).await.len(), 300);
    }
    // The restarted nodes copy their records from the remaining one.
    for node in [1, 2] {
        server.restart(node).await.unwrap();
    }
    server.kill(0).await.unwrap();
    assert_eq!(found(addresses[1], &keys).await.len(), 300);
    // With the last node, all records are lost.
    server.kill(1).await.unwrap();
    server.kill(2).await.unwrap();
    server.restart(2).await.unwrap();
    assert_eq!(found(addresses[2], &keys).await.len(), 0);
}

#[tokio::test]
async fn records_held_only_by_two_nodes_that_die_together_are_lost() {
    let (server, addresses) = start(Config { failure_detection: DETECTION, ..three() }).await;
    let keys = fill(addresses[0], 600).await;
    let held = replicas(addresses[0]).await.replicas;
    let remains: HashSet<_> =
        keys.iter().filter(|key| held.iter().any(|map| map.contains(partition(key)))).cloned().collect();
    assert!((300..500).contains(&remains.len()));
    server.kill(1).await.unwrap();
    assert_eq!(found(addresses[0], &keys).await.len(), 600);
    server.kill(2).await.unwrap();
    assert_eq!(found(addresses[0], &keys).await, remains);
    server.restart(1).await.unwrap();
    server.restart(2).await.unwrap();
    for address in addresses {
        assert_eq!(found(address, &keys).await, remains);
    }
}

#[tokio::test]
async fn without_replicas_the_records_of_a_dead_node_are_lost() {
    let (server, addresses) = start(Config { replication_factor: Some(1), ..three() }).await;
    let keys = fill(addresses[0], 300).await;
    let lost = replicas(addresses[1]).await.replicas;
    server.kill(1).await.unwrap();
    let found = found(addresses[0], &keys).await;
    assert!(keys.iter().all(|key| found.contains(key) != lost[0].contains(partition(key))));
}

#[tokio::test]
async fn a_dead_node_stays_in_the_map_until_it_is_noticed() {
    let (server, addresses) = start(Config { failure_detection: DETECTION, ..three() }).await;
    let before = replicas(addresses[0]).await;
    server.kill(1).await.unwrap();
    let killed = Instant::now();
    assert_eq!(peers(addresses[0]).await, ["D2", "D3"]);
    assert_eq!(replicas(addresses[0]).await, before);
    eventually("the node is expelled", async || peers(addresses[0]).await == ["D3"]).await;
    assert!(killed.elapsed() >= DETECTION);
    assert_ne!(replicas(addresses[0]).await, before);
    assert_eq!(number(addresses[0], "rebalance-generation").await, 2);
    server.restart(1).await.unwrap();
    assert_eq!(replicas(addresses[0]).await, before);
    // A restart before the death is noticed makes it known, since the node has lost its memory.
    server.kill(1).await.unwrap();
    server.restart(1).await.unwrap();
    assert_eq!(number(addresses[0], "rebalance-generation").await, 5);
    assert_eq!(number(addresses[1], "rebalance-generation").await, 1);
    tokio::time::sleep(DETECTION * 2).await;
    assert_eq!(peers(addresses[0]).await, ["D2", "D3"]);
}

#[tokio::test]
async fn a_hung_node_is_expelled_and_comes_back() {
    let (server, addresses) = start(Config { failure_detection: DETECTION, ..three() }).await;
    let keys = fill(addresses[0], 300).await;
    let before = replicas(addresses[0]).await;
    server.pause(1).await.unwrap();
    // Pausing it again does not start the detection anew.
    tokio::time::sleep(DETECTION / 2).await;
    server.pause(1).await.unwrap();
    let left = eventually("the node is expelled", async || peers(addresses[0]).await == ["D3"]).await;
    assert!(left < DETECTION, "{left:?}");
    assert_eq!(found(addresses[0], &keys).await.len(), 300);
    server.resume(1).await.unwrap();
    assert_eq!(peers(addresses[0]).await, ["D2", "D3"]);
    assert_eq!(replicas(addresses[0]).await, before);
    // It is the same process, so its generations continue.
    assert_eq!(number(addresses[1], "rebalance-generation").await, 3);
    assert!(number(addresses[1], "partition-generation").await > 0);
    // A pause shorter than the detection has no effect.
    server.pause(1).await.unwrap();
    server.resume(1).await.unwrap();
    tokio::time::sleep(DETECTION * 2).await;
    assert_eq!(number(addresses[0], "rebalance-generation").await, 3);
}

#[tokio::test]
async fn without_detection_a_hung_node_stays() {
    let (server, addresses) = start(three()).await;
    server.pause(1).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(peers(addresses[0]).await, ["D2", "D3"]);
    server.kill(1).await.unwrap();
    assert_eq!(peers(addresses[0]).await, ["D3"]);
    assert!(matches!(server.resume(1).await, Err(DevServerError::State { node: 1, .. })));
}

#[tokio::test]
async fn partitions_move() {
    let (server, addresses) = start(three()).await;
    let keys = fill(addresses[0], 300).await;
    let mut masters = Vec::new();
    for _ in 0..2 {
        let mut now = vec![usize::MAX; PARTITIONS];
        for (node, &address) in addresses.iter().enumerate() {
            let held = replicas(address).await.replicas;
            held[0].iter().for_each(|partition| now[partition] = node);
        }
        masters.push(now);
        server.move_partitions(500).unwrap();
    }
    let moved = (0..PARTITIONS).filter(|&p| masters[0][p] != masters[1][p]).count();
    assert_eq!(moved, 500);
    for address in &addresses {
        assert!(number(*address, "partition-generation").await > 0);
        assert_eq!(number(*address, "rebalance-generation").await, 3);
        assert_eq!(number(*address, "peers-generation").await, 4);
        assert_eq!(found(*address, &keys).await.len(), 300);
    }
    // They stay where they are when a node leaves and comes back.
    let before = replicas(addresses[0]).await;
    server.kill(1).await.unwrap();
    server.move_partitions(10).unwrap();
    server.restart(1).await.unwrap();
    let after = replicas(addresses[0]).await;
    let differ =
        (0..PARTITIONS).filter(|&p| before.replicas[0].contains(p) != after.replicas[0].contains(p)).count();
    assert!(differ <= 10, "{differ}");
    for node in [1, 2] {
        server.kill(node).await.unwrap();
    }
    assert!(matches!(server.move_partitions(1), Err(DevServerError::Config { .. })));
    assert!(matches!(server.move_partitions(0), Err(DevServerError::Config { .. })));
    assert_eq!(found(addresses[0], &keys).await.len(), 300);
}

#[tokio::test]
async fn racks() {
    let racks = vec![7, 7, 9, 9];
    let (_server, addresses) = start(Config { nodes: 4, racks: racks.clone(), ..Config::default() }).await;
    let mut held_on = vec![Vec::new(); PARTITIONS];
    for (&address, rack) in addresses.iter().zip(racks) {
        assert_eq!(info(address, "rack-ids").await, format!("test:{rack};bar:{rack}"));
        assert!(info(address, "namespace/test").await.contains(&format!(";rack-id={rack};")));
        let held = replicas(address).await.replicas;
        held.iter().flat_map(|map| map.iter()).for_each(|partition| held_on[partition].push(rack));
    }
    assert!(held_on.iter_mut().all(|racks| {
        racks.sort_unstable();
        racks[..] == [7, 9]
    }));
    let (_server, addresses) = start(Config::default()).await;
    assert_eq!(info(addresses[0], "rack-ids").await, "ERROR:25:enterprise only");
}

#[tokio::test]
async fn strong_consistency() {
    let config = Config { strong_consistency: true, ..three() };
    let (server, addresses) = start(config).await;
    let keys = fill(addresses[0], 300).await;
    let roster = replicas(addresses[0]).await;
    assert_eq!(roster.regime, 1);
    assert!(info(addresses[0], "namespace/test").await.contains(";strong-consistency=true;"));
    server.kill(1).await.unwrap();
    assert_eq!(replicas(addresses[0]).await.regime, 2);
    assert_eq!(found(addresses[0], &keys).await.len(), 300);
    server.kill(2).await.unwrap();
    assert_eq!(replicas(addresses[0]).await.regime, 3);
    // Partitions held by just these two are unavailable.
    let is_available = |key: &str| roster.replicas.iter().any(|map| map.contains(partition(key)));
    let unavailable = (0..PARTITIONS).filter(|&p| roster.replicas.iter().all(|map| !map.contains(p))).count();
    let namespace = info(addresses[0], "namespace/test").await;
    assert!(namespace.contains(&format!(";unavailable_partitions={unavailable};")));
    let mut client = Client::connect(addresses[0]).await;
    let (rows, end) = client.batch(&batch_of(&keys)).await;
    assert_eq!(end, 0);
    for (index, code) in rows {
        let expected = if is_available(&keys[index as usize]) { 0 } else { 11 };
        assert_eq!(code, expected);
    }
    let away = keys.iter().find(|key| !is_available(key)).unwrap();
    assert_eq!(client.get(away).await.code(), 11);
    assert_eq!(client.put(away, 2).await.code(), 11);
    // Reads that allow unavailable partitions are served.
    let relaxed = info3::SC_READ_TYPE | info3::SC_READ_RELAX;
    let options = ReadOptions { info3: relaxed, ..ReadOptions::default() };
    let all = wire_protocol::command::Projection::All;
    assert_eq!(client.read(away, all, &options).await.text(), "i=1");
    let header = BatchReadHeader { info3: relaxed, ..BatchReadHeader::default() };
    let (rows, _) = client.batch(&batch_with(&keys, &header)).await;
    assert!(rows.iter().all(|(_, code)| *code == 0));
    // The records are there again when a node comes back.
    server.restart(2).await.unwrap();
    assert_eq!(client.get(away).await.text(), "i=1");
    assert_eq!(found(addresses[2], &keys).await.len(), 300);
}

#[tokio::test]
async fn nodes_advertise_the_configured_hosts() {
    let config = Config {
        access_host: Some("localhost".into()),
        alternate_host: Some("203.0.113.5".into()),
        nodes: 2,
        ..Config::default()
    };
    let (_server, addresses) = start(config).await;
    let ports = [addresses[0].port(), addresses[1].port()];
    for (command, answer) in [
        ("service-clear-std", format!("localhost:{}", ports[0])),
        ("service-clear-alt", format!("203.0.113.5:{}", ports[0])),
        ("peers-clear-std", format!("2,3000,[[D2,,[localhost:{}]]]", ports[1])),
        ("peers-clear-alt", format!("2,3000,[[D2,,[203.0.113.5:{}]]]", ports[1])),
    ] {
        assert_eq!(info(addresses[0], command).await, answer);
    }
}
