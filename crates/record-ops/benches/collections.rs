//! Operations on lists and maps, as the embedded server applies them: a bin of 10, 100 and 1,000 elements.
//!
//! Throughput is in operations.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use record_ops::collection::{modify, read};
use record_ops::value::{ListOrder, MapOrder};
use record_ops::{Bin, Value};
use wire_protocol::collection::{list_command as lc, map_command as mc, return_type as t};

fn encode(command: u8, arguments: &[Value]) -> Vec<u8> {
    let parts = [&[Value::Int(command.into())], arguments].concat();
    Value::List(ListOrder::Unordered, parts).to_bytes()
}

fn text(number: i64) -> Value {
    Value::Str(format!("key{number:04}").into_bytes())
}

fn map(len: i64) -> Bin {
    Value::Map(MapOrder::Key, (0..len).map(|number| (text(number), Value::Int(number))).collect()).to_bin()
}

fn list(len: i64) -> Bin {
    Value::List(ListOrder::Unordered, (0..len).rev().map(Value::Int).collect()).to_bin()
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("collections");
    group.throughput(Throughput::Elements(1));
    for len in [10, 100, 1000] {
        let (map, list) = (map(len), list(len));
        let put = encode(mc::PUT, &[text(len / 2), Value::Int(7), Value::Int(1), Value::Int(0)]);
        let increment = encode(mc::INCREMENT, &[text(len / 2), Value::Int(1), Value::Int(1)]);
        let remove = encode(mc::REMOVE_BY_KEY, &[Value::Int(t::VALUE), text(len / 2)]);
        let append = encode(lc::APPEND, &[Value::Int(7)]);
        for (name, bin, operation) in [
            ("map_put", &map, &put),
            ("map_increment", &map, &increment),
            ("map_remove_by_key", &map, &remove),
            ("list_append", &list, &append),
        ] {
            group.bench_function(format!("{name}/{len}"), |b| {
                b.iter(|| modify(Some(black_box(bin).view()), black_box(operation)).unwrap());
            });
        }
        let get = encode(mc::GET_BY_KEY, &[Value::Int(t::VALUE), text(len / 2)]);
        let rank = encode(mc::GET_BY_RANK, &[Value::Int(t::KEY_VALUE), Value::Int(-1)]);
        let lowest = encode(lc::GET_BY_RANK_RANGE, &[Value::Int(t::VALUE), Value::Int(0), Value::Int(3)]);
        for (name, bin, operation) in [
            ("map_get_by_key", &map, &get),
            ("map_get_by_rank", &map, &rank),
            ("list_lowest", &list, &lowest),
        ] {
            group.bench_function(format!("{name}/{len}"), |b| {
                b.iter(|| read(black_box(bin).view(), black_box(operation)).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
