//! Decoding: 10,000 records of five numeric bins, as a server answers a batch, into rows.
//!
//! `parse` reads the frames and drops the records, `write` decodes parsed records into rows, `both` does everything.
//! Throughput is in records (divide by 10,000 for the cost of one) and bytes of the answer.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire_protocol::batch::Record;

mod sample;

use sample::{
    Array, FEATURES, NARROW, NATURAL, ROWS, decode, frames, nested_frames, nested_plan, plan, records,
};

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for (name, plan, frames) in [
        ("i8_f8", plan(&NATURAL), frames(&NATURAL, ROWS)),
        ("i8_f8_some_missing", plan(&NATURAL), frames(&NATURAL, 3)),
        ("converted", plan(&NARROW), frames(&NARROW, ROWS)),
        ("twelve", plan(&FEATURES), frames(&FEATURES, ROWS)),
        ("twelve_nested", nested_plan(), nested_frames()),
    ] {
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
