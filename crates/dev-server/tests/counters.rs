//! Counters, and nodes that refuse connections.

mod support;

use dev_server::{Config, Counters, DevServer};
use support::{Client, batch_of, batch_with, digest, keys};
use tokio::net::TcpStream;
use wire_protocol::batch::BatchReadHeader;
use wire_protocol::command::Projection;
use wire_protocol::command::{ReadOptions, WriteOptions};
use wire_protocol::digest::partition_id;
use wire_protocol::info::parse_replicas;
use wire_protocol::message::info3;

#[tokio::test]
async fn requests_are_counted() {
    let server = DevServer::start(Config { nodes: 3, ..Config::default() }).await.unwrap();
    let address = server.addresses()[1];
    let mut client = Client::connect(address).await;
    let held = parse_replicas(&client.info("replicas").await).unwrap().remove(0).replicas;
    let keys = keys(200);
    let holds = |key: &String| held.iter().any(|map| map.contains(partition_id(&digest(key))));
    let away = keys.iter().filter(|key| !holds(key)).count() as u64;
    assert!(away > 20);
    client.batch(&batch_of(&keys)).await;
    client.batch(&batch_of(&keys[..50])).await;
    let away_of_50 = keys[..50].iter().filter(|key| !holds(key)).count() as u64;
    let (here, there) = (keys.iter().find(|key| holds(key)).unwrap(), keys.iter().find(|key| !holds(key)));
    client.get(here).await;
    client.put(there.unwrap(), 1).await;
    client.delete(here, &WriteOptions::default()).await;
    let expected = Counters {
        connections: 1,
        connections_open: 1,
        batch_requests: 2,
        batch_rows: 250,
        passed_on: away + away_of_50 + 1,
        reads: 1,
        writes: 2,
        info_requests: 1,
        faults: 0,
        ..Counters::default()
    };
    assert_eq!(server.counters(1).unwrap(), expected);
    assert_eq!(server.counters(0).unwrap(), Counters::default());
    // Without the other nodes it holds all partitions.
    server.kill(0).await.unwrap();
    server.kill(2).await.unwrap();
    client.batch(&batch_of(&keys)).await;
    assert_eq!(server.counters(1).unwrap().passed_on, expected.passed_on);
    // A restart does not reset them.
    server.kill(1).await.unwrap();
    server.restart(1).await.unwrap();
    let now = server.counters(1).unwrap();
    assert_eq!((now.connections, now.connections_open, now.batch_rows), (1, 0, 450));
    assert!(server.counters(3).is_err());
}

#[tokio::test]
async fn with_strong_consistency_only_the_master_serves() {
    let config = Config { nodes: 2, strong_consistency: true, ..Config::default() };
    let server = DevServer::start(config).await.unwrap();
    let mut client = Client::connect(server.addresses()[0]).await;
    let masters = parse_replicas(&client.info("replicas").await).unwrap().remove(0).replicas.remove(0);
    let keys = keys(100);
    let others: Vec<_> = keys.iter().filter(|key| !masters.contains(partition_id(&digest(key)))).collect();
    let passed_on = || server.counters(0).unwrap().passed_on;
    client.batch(&batch_of(&keys)).await;
    assert_eq!(passed_on(), others.len() as u64);
    // A linearizable read, too.
    let options = ReadOptions { info3: info3::SC_READ_TYPE, ..ReadOptions::default() };
    client.read(others[0], Projection::All, &options).await;
    assert_eq!(passed_on(), others.len() as u64 + 1);
    // A relaxed read, which any replica may answer, is not passed on.
    let relaxed = BatchReadHeader { info3: info3::SC_READ_RELAX, ..BatchReadHeader::default() };
    client.batch(&batch_with(&keys, &relaxed)).await;
    assert_eq!(passed_on(), others.len() as u64 + 1);
}

#[tokio::test]
async fn a_refusing_node_serves_its_open_connections() {
    let server = DevServer::start(Config { nodes: 2, ..Config::default() }).await.unwrap();
    let address = server.addresses()[1];
    let mut client = Client::connect(address).await;
    server.refuse(1).await.unwrap();
    // Refusing again changes nothing.
    server.refuse(1).await.unwrap();
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(client.put("a", 1).await.code(), 0);
    server.resume(1).await.unwrap();
    assert_eq!(Client::connect(address).await.get("a").await.text(), "i=1");
    // It can hang and refuse at the same time; `resume` ends both.
    server.refuse(1).await.unwrap();
    server.pause(1).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    server.resume(1).await.unwrap();
    assert_eq!(Client::connect(address).await.get("a").await.text(), "i=1");
    assert_eq!(client.get("a").await.text(), "i=1");
    // A refusing node can be killed, and accepts connections after a restart.
    server.refuse(1).await.unwrap();
    server.kill(1).await.unwrap();
    assert!(client.is_closed().await);
    assert!(server.refuse(1).await.is_err());
    server.restart(1).await.unwrap();
    assert_eq!(Client::connect(address).await.get("a").await.text(), "i=1");
}

#[tokio::test]
async fn connections_that_wait_to_be_accepted_are_served() {
    let server = DevServer::start(Config::default()).await.unwrap();
    for _ in 0..20 {
        let mut client = Client::connect(server.addresses()[0]).await;
        server.refuse(0).await.unwrap();
        assert_eq!(client.put("a", 1).await.code(), 0);
        server.resume(0).await.unwrap();
    }
}
