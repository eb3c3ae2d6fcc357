//! Messages of a batch read of 10,000 keys and five bins: writing the request, reading the answer.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire_protocol::batch::{BatchAnswer, BatchAnswers, BatchReadHeader, BatchRow, write_batch_read};
use wire_protocol::command::Projection;
use wire_protocol::digest::{Digest, UserKey, digests};
use wire_protocol::message::{MessageHeader, info1, op, write_op};
use wire_protocol::particle::Particle;

const ROWS: usize = 10_000;
const BINS: [&[u8]; 5] = [b"temperature", b"humidity", b"pressure", b"status", b"updated"];

/// The body of a frame with an answer for each row.
fn answer() -> Vec<u8> {
    let mut out = Vec::new();
    for row in 0..ROWS {
        MessageHeader {
            info1: info1::READ,
            generation: 3,
            ttl: 500_000_000,
            extra: row as u32,
            n_ops: BINS.len() as u16,
            ..MessageHeader::default()
        }
        .write(&mut out);
        for name in BINS {
            let particle = Particle::Int(row as i64);
            let mut value = Vec::new();
            particle.write(&mut value);
            write_op(&mut out, op::READ, particle.particle_type(), name, &value);
        }
    }
    out
}

fn bench(criterion: &mut Criterion) {
    let keys: Vec<String> = (0..ROWS).map(|i| format!("sensor_{i}")).collect();
    let digests: Vec<Digest> =
        digests(keys.iter().map(|key| (&b"sensors"[..], UserKey::Str(key.as_bytes()))));
    let header = BatchReadHeader { projection: Projection::Bins(&BINS), ..BatchReadHeader::default() };
    let mut out = Vec::new();
    let mut request = || {
        out.clear();
        let rows = digests.iter().enumerate().map(|(index, digest)| BatchRow {
            index: index as u32,
            digest,
            namespace: b"test",
            set: b"sensors",
        });
        write_batch_read(&mut out, &header, black_box(rows)).unwrap();
        out.len()
    };
    let mut group = criterion.benchmark_group("messages");
    let bytes = request() as u64;
    group.throughput(Throughput::ElementsAndBytes { elements: ROWS as u64, bytes });
    group.bench_function("request", |b| b.iter(&mut request));
    let answer = answer();
    let bytes = answer.len() as u64;
    group.throughput(Throughput::ElementsAndBytes { elements: ROWS as u64, bytes });
    group.bench_function("answer", |b| {
        b.iter(|| {
            let mut sum = 0;
            for found in BatchAnswers::new(black_box(&answer)) {
                let Ok(BatchAnswer::Record(record)) = found else { panic!("no record") };
                sum += record.ops().map(|op| op.value.len()).sum::<usize>();
            }
            sum
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
