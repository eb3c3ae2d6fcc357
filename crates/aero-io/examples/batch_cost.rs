//! What a batch read costs the client: wall and processor time of batches of five-bin records into a sink that
//! only counts, compared with the same bytes sent and dropped over plain sockets.
//!
//! `cargo run --release -p aero-io --example batch_cost [-- keys ...]` starts the embedded node in another
//! process; `AEROSPIKE_HOSTS=host:port` measures against a server instead.

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

mod batch_support;
#[path = "batch_support/cpu_time.rs"]
mod cpu_time;
#[path = "batch_support/fill.rs"]
mod fill;
#[path = "batch_support/text_keys.rs"]
mod text_keys;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aero_io::{BatchKeys, BatchRead, Bins, Cluster, ClusterConfig, Digest, Seed, TcpTransport};
use wire_protocol::batch::{BatchReadHeader, BatchRow, write_batch_read};
use wire_protocol::command::Projection;

use self::batch_support::{BINS, Counts, Server, serve};
use self::cpu_time::cpu_time;
use self::fill::fill;
use self::text_keys::{key, space};

/// Median wall time and mean processor time of `run`, measured for about two seconds.
fn measure(mut run: impl FnMut()) -> (Duration, Duration) {
    (0..3).for_each(|_| run());
    let (cpu, start) = (cpu_time(), Instant::now());
    let mut walls = Vec::new();
    while start.elapsed() < Duration::from_secs(2) || walls.len() < 5 {
        let start = Instant::now();
        run();
        walls.push(start.elapsed());
    }
    let cpu = (cpu_time() - cpu) / walls.len() as u32;
    walls.sort();
    (walls[walls.len() / 2], cpu)
}

/// Sends prepared requests of `rows` keys each, on one connection each, and drops the answers.
struct Floor {
    requests: Vec<Vec<u8>>,
    streams: Vec<TcpStream>,
    buffer: Vec<u8>,
}

impl Floor {
    fn new(address: &str, digests: &[Digest], connections: usize) -> Self {
        let header = BatchReadHeader { projection: Projection::Bins(&BINS), ..Default::default() };
        let requests = digests.chunks(digests.len().div_ceil(connections)).map(|digests| {
            let mut out = Vec::new();
            let rows = digests.iter().enumerate().map(|(index, digest)| BatchRow {
                index: index as u32,
                digest,
                namespace: b"test",
                set: b"cost",
            });
            write_batch_read(&mut out, &header, rows).expect("a request that fits");
            out
        });
        let requests: Vec<Vec<u8>> = requests.collect();
        let streams = requests.iter().map(|_| {
            let stream = TcpStream::connect(address).expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            stream
        });
        Self { streams: streams.collect(), requests, buffer: vec![0; 256 * 1024] }
    }

    fn run(&mut self) {
        let Self { requests, streams, buffer } = self;
        for (stream, request) in streams.iter_mut().zip(requests) {
            stream.write_all(request).expect("a write");
        }
        for stream in streams {
            // The last message of an answer has a frame of its own with known bytes.
            let mut tail = [0u8; 30];
            while tail[..8] != [2, 3, 0, 0, 0, 0, 0, 22] || tail[11] != 1 {
                let n = stream.read(buffer).expect("an answer");
                assert!(n > 0, "closed");
                let keep = n.min(30);
                tail.rotate_left(keep);
                tail[30 - keep..].copy_from_slice(&buffer[n - keep..n]);
            }
        }
    }
}

fn main() {
    let mut sizes: Vec<usize> = Vec::new();
    for argument in std::env::args().skip(1) {
        if argument == "serve" {
            return tokio::runtime::Runtime::new().expect("a runtime").block_on(serve());
        }
        sizes.extend(argument.parse::<usize>());
    }
    if sizes.is_empty() {
        sizes = vec![100, 1_000, 10_000, 100_000];
    }
    let server = std::env::var("AEROSPIKE_HOSTS").err().map(|_| Server::start());
    let address = match &server {
        Some(server) => server.address.clone(),
        None => std::env::var("AEROSPIKE_HOSTS").expect("a host"),
    };
    let (host, port) = address.rsplit_once(':').expect("host:port");
    let seeds = vec![Seed::new(host, port.parse().expect("a port"))];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let config = ClusterConfig { seeds, ..ClusterConfig::default() };
    let cluster = runtime.block_on(Cluster::connect(config, Arc::new(TcpTransport))).expect("a cluster");
    let most = sizes.iter().copied().max().unwrap_or(0);
    runtime.block_on(fill(&cluster, most, key));
    println!(
        "{:>9} {:>12} {:>12} {:>12} {:>14} {:>14}",
        "keys", "wall", "cpu", "cpu/record", "floor wall/1", "floor wall/4"
    );
    for n in sizes {
        let digests: Vec<Digest> = (0..n).map(|i| key(i).digest).collect();
        let keys = Arc::new(BatchKeys::single(space(), digests.clone()));
        let request = Arc::new(BatchRead { bins: Bins::names(BINS), ..BatchRead::default() });
        let counts = Arc::new(Counts::default());
        let mut calls = 0;
        let (wall, cpu) = measure(|| {
            let call = cluster.batch_read(Arc::clone(&keys), Arc::clone(&request), Arc::clone(&counts));
            runtime.block_on(call).expect("a batch");
            calls += 1;
        });
        assert_eq!(counts.rows.load(Ordering::Relaxed), calls * n as u64, "every row was found");
        let floors = [1, 4].map(|connections| {
            let mut floor = Floor::new(&address, &digests, connections);
            measure(|| floor.run())
        });
        println!(
            "{n:>9} {:>9.3} ms {:>9.3} ms {:>9.0} ns {:>11.3} ms {:>11.3} ms   (floor cpu {:.3}, {:.3} ms)",
            wall.as_secs_f64() * 1e3,
            cpu.as_secs_f64() * 1e3,
            cpu.as_secs_f64() * 1e9 / n as f64,
            floors[0].0.as_secs_f64() * 1e3,
            floors[1].0.as_secs_f64() * 1e3,
            floors[0].1.as_secs_f64() * 1e3,
            floors[1].1.as_secs_f64() * 1e3,
        );
    }
}
