//! Digests of many keys: one by one, and several at a time.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire_protocol::digest::{Digest, UserKey, Vectors, digests_by};

fn bench(criterion: &mut Criterion) {
    let keys: Vec<String> = (0..10_000).map(|i| format!("user_{i}")).collect();
    let set = b"sensors".as_slice();
    let mut group = criterion.benchmark_group("digest");
    let bytes = keys.iter().map(|key| (set.len() + 1 + key.len()) as u64).sum();
    group.throughput(Throughput::ElementsAndBytes { elements: keys.len() as u64, bytes });
    group.bench_function("one by one", |b| {
        b.iter(|| -> Vec<Digest> {
            keys.iter().map(|key| UserKey::Str(black_box(key).as_bytes()).digest(set)).collect()
        });
    });
    for vectors in Vectors::available() {
        group.bench_function(format!("side by side, {}", vectors.name()), |b| {
            let mut digests = Vec::new();
            b.iter(|| {
                let keys = keys.iter().map(|key| (set, UserKey::Str(black_box(key).as_bytes())));
                digests_by(Some(vectors), keys, &mut digests);
                black_box(&digests);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
