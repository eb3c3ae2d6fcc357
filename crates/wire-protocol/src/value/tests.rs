use std::cmp::Ordering;

use super::*;
use crate::msgpack::MAX_DEPTH;
use crate::particle::Particle;

fn written(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.write_value(&mut out);
    out
}

/// One value of every kind, in the server's order.
fn in_order() -> Vec<Value> {
    vec![
        Value::Nil,
        Value::Bool(false),
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Int(-1),
        Value::Int(3),
        Value::Uint(u64::MAX),
        Value::from(""),
        Value::from("a"),
        Value::from("aa"),
        Value::from("b"),
        Value::list::<Value>([]),
        Value::list([1, 2]),
        Value::list([1, 2, 0]),
        Value::list([2]),
        Value::map::<Value, Value>([]),
        Value::map([("b", 1)]),
        Value::map([("b", 2)]),
        Value::map([("a", 1), ("b", 1)]),
        Value::from(b"x"),
        Value::Other { particle_type: 7, bytes: vec![1] },
        Value::Hll(vec![0]),
        Value::Float(f64::NEG_INFINITY),
        Value::Float(1.5),
        Value::Float(f64::NAN),
        Value::geojson("{}"),
        Value::Wildcard,
        Value::Infinity,
    ]
}

#[test]
fn values_compare_as_on_a_server() {
    let values = in_order();
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate() {
            assert_eq!(a.compare(b), i.cmp(&j), "{a:?} with {b:?}");
        }
    }
    assert_eq!(Value::Float(0.0).compare(&Value::Float(-0.0)), Ordering::Equal);
}

#[test]
fn values_are_read_as_they_are_written() {
    let ordered = Value::List { order: ListOrder::Ordered, items: vec![Value::Int(1)] };
    let by_value = Value::Map { order: MapOrder::KeyValueOrdered, pairs: vec![(Value::Int(1), Value::Nil)] };
    let more = [ordered, by_value, Value::ordered_map([("b", 1), ("a", 2)]), Value::list(["long"; 40])];
    for value in in_order().into_iter().chain(more) {
        let read = Value::from_msgpack(&written(&value)).unwrap();
        // NaN is not equal to itself.
        assert_eq!(read.compare(&value), Ordering::Equal, "{value:?}");
        assert_eq!(format!("{read:?}"), format!("{value:?}"));
        assert!(Value::from_msgpack(&[&written(&value)[..], &[0]].concat()).is_err());
    }
}

#[test]
fn orders_have_an_encoding() {
    for order in [ListOrder::Unordered, ListOrder::Ordered] {
        assert_eq!(ListOrder::from_bits(order.bits().into()), Some(order));
    }
    for order in [MapOrder::Unordered, MapOrder::KeyOrdered, MapOrder::KeyValueOrdered] {
        assert_eq!(MapOrder::from_bits(order.bits().into()), Some(order));
    }
    assert_eq!((ListOrder::from_bits(2), MapOrder::from_bits(2)), (None, None));
}

#[test]
fn special_values_are_exts() {
    assert_eq!(written(&Value::Infinity), [0xd4, 0xff, 1]);
    assert_eq!(written(&Value::Wildcard), [0xd4, 0xff, 0]);
    assert_eq!(written(&Value::ordered_map([("a", 1)])), [0x82, 0xc7, 0, 1, 0xc0, 0xa2, 3, b'a', 1]);
    // A list may start with a wildcard, which does not mark its order.
    let list = Value::list([Value::Wildcard, Value::Int(1)]);
    assert_eq!(Value::from_msgpack(&written(&list)), Ok(list));
}

#[test]
fn maps_are_sorted_at_any_depth() {
    let inner = |first, second| Value::map([(first, 1), (second, 1)]);
    let value = Value::list([Value::map([(Value::from("k"), inner("b", "a")), (Value::Int(9), Value::Nil)])]);
    let sorted =
        Value::list([Value::map([(Value::Int(9), Value::Nil), (Value::from("k"), inner("a", "b"))])]);
    let mut out = Vec::new();
    sort_maps(&mut out, &written(&value)).unwrap();
    assert_eq!(out, written(&sorted));
    assert!(sort_maps(&mut out, &[0x81, 1]).is_err());
}

#[test]
fn hostile_bytes_are_refused() {
    let deep = vec![0x91; MAX_DEPTH + 1];
    assert!(Value::from_msgpack(&deep).is_err());
    for bytes in
        [&b"\xdd\xff\xff\xff\xff"[..], b"\xdf\x7f\xff\xff\xff\x01", b"\xd4\xff\x02", b"\xd4\x05\x00", b"\xc1"]
    {
        assert!(Value::from_msgpack(bytes).is_err(), "{bytes:?}");
    }
    // Strings without a type byte.
    assert_eq!(Value::from_msgpack(&[0xa0]), Ok(Value::Blob(Vec::new())));
    assert_eq!(Value::from_msgpack(&[0xd9, 0]), Ok(Value::Blob(Vec::new())));
}

#[test]
fn bins_become_values() {
    let list = written(&Value::list([1, 2]));
    let cases = [
        (Particle::Nil, Value::Nil),
        (Particle::Int(1), Value::from(1)),
        (Particle::Float(1.5), Value::from(1.5)),
        (Particle::Bool(true), Value::from(true)),
        (Particle::Str(b"x"), Value::from(String::from("x"))),
        (Particle::Blob(b"x"), Value::blob(*b"x")),
        (Particle::GeoJson(b"{}"), Value::geojson("{}")),
        (Particle::Hll(b"x"), Value::Hll(b"x".to_vec())),
        (Particle::List(&list), Value::from(vec![1, 2])),
        (
            Particle::Other { particle_type: 9, bytes: b"x" },
            Value::Other { particle_type: 9, bytes: b"x".to_vec() },
        ),
    ];
    for (particle, value) in cases {
        assert_eq!(Value::from_particle(particle), Ok(value));
    }
    assert!(Value::from_particle(Particle::Map(b"\x81")).is_err());
    assert_eq!(Value::from(None::<i64>), Value::Nil);
    assert_eq!(Value::from(7u32), Value::from(Some(7i64)));
}
