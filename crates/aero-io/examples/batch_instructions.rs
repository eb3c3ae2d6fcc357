//! Batches of 100 records on one thread, to be counted by valgrind: `benches/instructions.py` runs it.
//!
//! `batch_instructions off|on N` reads N batches with metrics off or on, from the embedded node in another process.

#![allow(clippy::print_stdout, reason = "the server that it starts prints its address")]

mod batch_support;
#[path = "batch_support/text_keys.rs"]
mod text_keys;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aero_io::{BatchKeys, BatchRead, Bins, Cluster, ClusterConfig, Digest, Seed, TcpTransport, WritePolicy};

use self::batch_support::{BINS, Counts, Server, serve, values};
use self::text_keys::{key, space};

const KEYS: usize = 100;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (metrics, batches) = match &arguments[..] {
        [serving] if serving == "serve" => return runtime.block_on(serve()),
        [metrics, batches] => (metrics == "on", batches.parse::<u64>().expect("a number of batches")),
        _ => panic!("batch_instructions off|on N"),
    };
    let server = Server::start();
    let (host, port) = server.address.rsplit_once(':').expect("host:port");
    let config = ClusterConfig {
        seeds: vec![Seed::new(host, port.parse().expect("a port"))],
        ..ClusterConfig::default()
    };
    runtime.block_on(async {
        let cluster = Cluster::connect(config, Arc::new(TcpTransport)).await.expect("a cluster");
        // One by one, so that there is one connection.
        for i in 0..KEYS {
            cluster.write(&key(i), &values(i), &WritePolicy::default()).await.expect("a write");
        }
        cluster.enable_metrics(metrics);
        let digests: Vec<Digest> = (0..KEYS).map(|i| key(i).digest).collect();
        let keys = Arc::new(BatchKeys::single(space(), digests));
        let request = Arc::new(BatchRead { bins: Bins::names(BINS), ..BatchRead::default() });
        let counts = Arc::new(Counts::default());
        for _ in 0..batches {
            let call = cluster.batch_read(Arc::clone(&keys), Arc::clone(&request), Arc::clone(&counts));
            call.await.expect("a batch");
        }
        assert_eq!(counts.rows.load(Ordering::Relaxed), batches * KEYS as u64, "every row was found");
        assert_eq!(cluster.metrics().is_empty(), !metrics);
    });
}
