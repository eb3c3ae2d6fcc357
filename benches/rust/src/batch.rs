//! A batch read by aero-io and by the `aerospike` crate: records of five bins from the embedded node.
//!
//! `cargo run --release --features batch --bin batch [-- keys ...]` starts the node in another process;
//! `AEROSPIKE_HOSTS=host:port` measures against a server instead. What each client hands over is looked at once: aero-io
//! borrows the values from the read buffer, the other one has made a map of values for each record.

#[cfg(not(feature = "batch"))]
fn main() {
    eprintln!("build this program with `--features batch`");
    std::process::exit(2);
}

#[cfg(feature = "batch")]
fn main() {
    measured::main();
}

#[cfg(feature = "batch")]
#[path = "../../../crates/aero-io/examples/batch_support/mod.rs"]
mod batch_support;

#[cfg(feature = "batch")]
#[path = "../../../crates/aero-io/examples/batch_support/cpu_time.rs"]
mod cpu_time;

#[cfg(feature = "batch")]
#[path = "../../../crates/aero-io/examples/batch_support/fill.rs"]
mod fill;

#[cfg(feature = "batch")]
mod measured {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use aero_io::{
        BatchKeys, BatchRead, Bins, Cluster, ClusterConfig, Digest, Key, OwnedKey, Seed, Space, TcpTransport,
    };

    use super::batch_support::{BINS, Counts, Server, serve};
    use super::cpu_time::cpu_time;
    use super::fill::fill;

    const SET: &str = "left_out";
    const ROUNDS: usize = 15;

    fn timed(run: impl FnOnce()) -> (Duration, Duration) {
        let (cpu, wall) = (cpu_time(), Instant::now());
        run();
        (wall.elapsed(), cpu_time() - cpu)
    }

    fn key(i: usize) -> Key {
        Key::new(Space::new("test", SET), OwnedKey::Int(i as i64), false)
    }

    /// Milliseconds of wall and processor time: the median of each.
    fn medians(samples: &[(Duration, Duration)]) -> [f64; 2] {
        let median = |mut times: Vec<Duration>| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1e3
        };
        [median(samples.iter().map(|s| s.0).collect()), median(samples.iter().map(|s| s.1).collect())]
    }

    pub(super) fn main() {
        let mut sizes: Vec<usize> = Vec::new();
        for argument in std::env::args().skip(1) {
            if argument == "serve" {
                return tokio::runtime::Runtime::new().expect("a runtime").block_on(serve());
            }
            sizes.push(argument.parse().expect("a number of keys, such as 10000"));
        }
        if sizes.is_empty() {
            sizes = vec![100, 1_000, 10_000];
        }
        let server = std::env::var("AEROSPIKE_HOSTS").err().map(|_| Server::start());
        let address = match &server {
            Some(server) => server.address.clone(),
            None => std::env::var("AEROSPIKE_HOSTS").expect("host:port"),
        };
        let (host, port) = address.rsplit_once(':').expect("host:port");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let config = ClusterConfig {
            seeds: vec![Seed::new(host, port.parse().expect("a port"))],
            ..ClusterConfig::default()
        };
        let cluster = runtime.block_on(Cluster::connect(config, Arc::new(TcpTransport))).expect("a cluster");
        let other = runtime
            .block_on(aerospike::Client::new(&aerospike::ClientPolicy::default(), &address))
            .expect("a client");
        runtime.block_on(fill(&cluster, sizes.iter().copied().max().unwrap_or(0), key));

        println!("medians of {ROUNDS} alternating rounds, 5 bins a record");
        println!("{:>9} {:>17} {:>10} {:>10} {:>12}", "keys", "client", "wall", "CPU", "CPU/record");
        for n in sizes {
            let digests: Vec<Digest> = (0..n).map(|i| key(i).digest).collect();
            let keys = Arc::new(BatchKeys::single(Space::new("test", SET), digests));
            let request = Arc::new(BatchRead { bins: Bins::names(BINS), ..BatchRead::default() });
            let counts = Arc::new(Counts::default());
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for round in 0..ROUNDS + 2 {
                let sample = timed(|| {
                    let call =
                        cluster.batch_read(Arc::clone(&keys), Arc::clone(&request), Arc::clone(&counts));
                    runtime.block_on(call).expect("a batch");
                });
                // Keys and rows are made before; only the call is measured.
                let (batch_policy, policy) =
                    (aerospike::BatchPolicy::default(), aerospike::BatchReadPolicy::default());
                let bins =
                    aerospike::Bins::Some(BINS.map(|bin| String::from_utf8_lossy(bin).into_owned()).to_vec());
                let mut rows: Vec<aerospike::BatchOperation> = (0..n)
                    .map(|i| {
                        let key = aerospike::as_key!("test", SET, i as i64);
                        aerospike::BatchOperation::read(&policy, key, bins.clone())
                    })
                    .collect();
                let other_sample = timed(|| {
                    let call = other.batch(&batch_policy, &mut rows);
                    runtime.block_on(call).expect("a batch");
                });
                let found =
                    rows.iter().filter_map(|row| row.record()).filter(|record| record.bins.len() == 5);
                assert_eq!(found.count(), n, "every row was found");
                // The first two rounds open connections.
                if round >= 2 {
                    ours.push(sample);
                    theirs.push(other_sample);
                }
            }
            assert_eq!(counts.rows.load(Ordering::Relaxed), ((ROUNDS + 2) * n) as u64, "every row was found");
            for (name, samples) in [("aero-io", &ours), ("aerospike crate", &theirs)] {
                let [wall, cpu] = medians(samples);
                println!("{n:>9} {name:>17} {wall:>7.3} ms {cpu:>7.3} ms {:>9.0} ns", cpu * 1e6 / n as f64);
            }
        }
    }
}
