//! Writes and reads a record, and reads a batch of records one by one, at the embedded node.
//!
//! `cargo run -p aero-io --example read_and_write`

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aero_io::{
    BatchKeys, BatchRead, Bins, Cluster, ClusterConfig, Key, OwnedKey, ReadPolicy, RowLease, RowOutcome,
    RowSink, Seed, Space, TcpTransport, WriteOp, WritePolicy,
};
use wire_protocol::batch::Record;
use wire_protocol::message::op;
use wire_protocol::particle::Particle;

/// Prints each record of a batch as it arrives, and counts the found ones.
#[derive(Default)]
struct Printer(AtomicUsize);

/// Permission to print the records of one answer.
struct Lease<'a>(&'a Printer);

impl RowSink for Printer {
    type Lease<'a> = Lease<'a>;

    fn lease(&self) -> Option<Lease<'_>> {
        Some(Lease(self))
    }
}

impl RowLease for Lease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        println!("row {row}: result {:?}, {} bins", record.result_code, record.ops().count());
        self.0.0.fetch_add(usize::from(record.result_code.is_ok()), Ordering::Relaxed);
        RowOutcome::Written
    }

    fn fail(&mut self, row: usize, code: i32, _in_doubt: bool) -> RowOutcome {
        println!("row {row}: no answer, {code}");
        RowOutcome::Written
    }
}

fn key(number: i64) -> Key {
    Key::new(Space::new("test", "sensors"), OwnedKey::Int(number), false)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = dev_server::DevServer::start(dev_server::Config::default()).await?;
    let address = server.addresses()[0];
    let seeds = vec![Seed::new(address.ip().to_string(), address.port())];
    let config = ClusterConfig { seeds, ..ClusterConfig::default() };
    let cluster = Cluster::connect(config, Arc::new(TcpTransport)).await?;

    for number in 0..3 {
        let value = Particle::Float(20.0 + number as f64);
        let write = WriteOp { code: op::WRITE, name: b"temperature", value };
        cluster.write(&key(number), &[write], &WritePolicy::default()).await?;
    }
    let answer = cluster.read(&key(1), &Bins::All, &ReadPolicy::default()).await?;
    println!("record 1: generation {}, {} bins", answer.generation, answer.n_ops);

    // Record 3 does not exist.
    let digests: Vec<_> = (0..4).map(|number| key(number).digest).collect();
    let keys = Arc::new(BatchKeys::single(Space::new("test", "sensors"), digests));
    let sink = Arc::new(Printer::default());
    cluster.batch_read(keys, Arc::new(BatchRead::default()), Arc::clone(&sink)).await?;
    println!("{} of 4 were found", sink.0.load(Ordering::Relaxed));

    cluster.close();
    server.stop().await;
    Ok(())
}
