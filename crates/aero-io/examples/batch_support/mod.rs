//! What programs that measure batches share: records, a sink that only counts, and the embedded node in a process of its
//! own. The other files of this folder are for some of them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use aero_io::{RowLease, RowOutcome, RowSink, WriteOp};
use wire_protocol::batch::Record;
use wire_protocol::message::op;
use wire_protocol::particle::Particle;

pub(crate) const BINS: [&[u8]; 5] = [b"temperature", b"humidity", b"pressure", b"status", b"count"];

/// What writes record `i`.
pub(crate) fn values(i: usize) -> [WriteOp<'static>; 5] {
    let values = [
        Particle::Float(20.0 + i as f64 * 0.5),
        Particle::Int(40 + i as i64),
        Particle::Float(1_000.25),
        Particle::Int(1),
        Particle::Int(i as i64),
    ];
    std::array::from_fn(|bin| WriteOp { code: op::WRITE, name: BINS[bin], value: values[bin] })
}

/// Counts rows and the bytes of their bins.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) rows: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

pub(crate) struct Lease<'a> {
    counts: &'a Counts,
    rows: u64,
    bytes: u64,
}

impl RowSink for Counts {
    type Lease<'a> = Lease<'a>;

    fn lease(&self) -> Option<Lease<'_>> {
        Some(Lease { counts: self, rows: 0, bytes: 0 })
    }
}

impl RowLease for Lease<'_> {
    fn record(&mut self, _row: usize, record: &Record<'_>) -> RowOutcome {
        self.rows += u64::from(record.result_code.is_ok());
        self.bytes += record.ops().map(|op| op.value.len() as u64).sum::<u64>();
        RowOutcome::Written
    }

    fn fail(&mut self, _row: usize, _code: i32, _in_doubt: bool) -> RowOutcome {
        RowOutcome::Written
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.counts.rows.fetch_add(self.rows, Ordering::Relaxed);
        self.counts.bytes.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// The embedded node in another process, which runs this program as a server.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().expect("the program's own path");
        let mut process = Command::new(program)
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process for the embedded node");
        let mut address = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut address).expect("its address");
        Self { process, address: address.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

pub(crate) async fn serve() {
    let server = dev_server::DevServer::start(dev_server::Config::default()).await.expect("a free port");
    println!("{}", server.addresses()[0]);
    std::future::pending::<()>().await;
}
