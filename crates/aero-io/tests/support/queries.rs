//! Queries against embedded nodes: records to query, and what was received.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aero_io::{
    Bins, Cluster, ClusterConfig, Digest, Error, Key, OwnedKey, Query, QueryPartitions, QueryPolicy,
    RecordBlock, RecordPosition, RecordStream, Seed, Space, TcpTransport, WriteOp, WritePolicy,
};
use dev_server::{Config, Counters, DevServer};
use futures_util::stream::{self, StreamExt as _};
use wire_protocol::message::op;
use wire_protocol::particle::Particle;

pub const SET: &str = "q";

pub async fn start(config: Config) -> (DevServer, Cluster) {
    let server = DevServer::start(config).await.unwrap();
    let seeds = server.addresses().iter().map(|at| Seed::new(at.ip().to_string(), at.port())).collect();
    let config = ClusterConfig { seeds, tend_interval: Duration::from_millis(100), ..Default::default() };
    let cluster = Cluster::connect(config, Arc::new(TcpTransport)).await.unwrap();
    (server, cluster)
}

pub async fn nodes(nodes: usize) -> (DevServer, Cluster) {
    start(Config { nodes, ..Config::default() }).await
}

pub fn key(i: i64) -> Key {
    Key::new(Space::new("test", SET), OwnedKey::Int(i), i % 2 == 0)
}

/// Writes `count` records of `size` bytes, every second one with its key.
pub async fn fill(cluster: &Cluster, count: i64, size: usize) -> HashSet<Digest> {
    let blob = vec![7; size];
    let writes = stream::iter(0..count).map(|i| {
        let blob = &blob;
        async move {
            let ops = [
                WriteOp { code: op::WRITE, name: b"n", value: Particle::Int(i) },
                WriteOp { code: op::WRITE, name: b"b", value: Particle::Blob(blob) },
            ];
            let key = key(i);
            cluster.write(&key, &ops, &WritePolicy::default()).await.unwrap();
            key.digest
        }
    });
    writes.buffer_unordered(32).collect().await
}

pub fn query() -> Query {
    Query {
        space: Space::new("test", SET),
        bins: Bins::All,
        every_record: false,
        operations: None,
        predicate: None,
        policy: QueryPolicy::default(),
        partitions: QueryPartitions::all(),
        max_records: 0,
        records_per_second: 0,
    }
}

pub fn with(policy: QueryPolicy) -> Query {
    Query { policy, ..query() }
}

/// The records received, as often as they were received.
#[derive(Default, Debug)]
pub struct Received {
    pub digests: Vec<Digest>,
}

impl Received {
    pub fn take(&mut self, stream: &RecordStream, block: &RecordBlock) {
        assert!(!block.is_empty() && block.records().count() == block.len());
        stream.progress().took(block.records().map(|record| RecordPosition::of(&record)));
        for record in block.records() {
            self.digests.push(*record.digest);
        }
    }

    /// Receives the rest of a stream.
    pub async fn rest(&mut self, stream: &mut RecordStream) -> Result<(), Error> {
        while let Some(block) = stream.next().await? {
            self.take(stream, &block);
        }
        Ok(())
    }

    /// Fails unless each expected record was received once, and nothing else.
    pub fn is_exactly(&self, expected: &HashSet<Digest>) {
        let found: HashSet<Digest> = self.digests.iter().copied().collect();
        assert_eq!(found.len(), self.digests.len(), "records were received twice");
        assert!(found.is_subset(expected), "received records that were not written");
        assert_eq!(found.len(), expected.len(), "records are missing");
    }
}

/// All records of a query.
pub async fn all(cluster: &Cluster, query: Query) -> Result<Received, Error> {
    let mut stream = cluster.query(query);
    let mut received = Received::default();
    received.rest(&mut stream).await?;
    assert!(stream.next().await.unwrap().is_none(), "a stream returns nothing after its end");
    Ok(received)
}

/// The sum over all nodes.
pub fn total(server: &DevServer, of: impl Fn(&Counters) -> u64) -> u64 {
    (0..server.addresses().len()).map(|node| of(&server.counters(node).unwrap())).sum()
}
