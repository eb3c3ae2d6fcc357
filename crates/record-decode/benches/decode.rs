//! Decoding: 10,000 records of five numeric bins, as a server answers a batch, into rows.
//!
//! `parse` reads the frames and drops the records, `write` decodes parsed records into rows, `both` does everything.
//! Throughput is in records (divide by 10,000 for the cost of one) and bytes of the answer.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire_protocol::batch::Record;

mod sample;

use sample::{Array, NARROW, NATURAL, ROWS, decode, frames, plan, records};

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for (name, bins, lack) in
        [("i8_f8", &NATURAL, ROWS), ("i8_f8_some_missing", &NATURAL, 3), ("converted", &NARROW, ROWS)]
    {
        let plan = plan(bins);
        let frames = frames(bins, lack);
        let bytes = frames.iter().map(|frame| frame.len() as u64).sum();
        group.throughput(Throughput::ElementsAndBytes { elements: ROWS as u64, bytes });
        let parsed: Vec<Vec<Record<'_>>> = frames.iter().map(|frame| records(frame).collect()).collect();
        let mut array = Array::new(&plan);
        group.bench_function(format!("parse/{name}"), |b| {
            b.iter(|| frames.iter().map(|frame| records(black_box(frame)).count()).sum::<usize>());
        });
        group.bench_function(format!("write/{name}"), |b| {
            b.iter(|| decode(&plan, &mut array, parsed.iter().map(|frame| frame.iter().copied())));
        });
        group.bench_function(format!("both/{name}"), |b| {
            b.iter(|| decode(&plan, &mut array, frames.iter().map(|frame| records(black_box(frame)))));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
