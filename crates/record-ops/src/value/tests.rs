use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        (-3i64..3).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        (i64::MAX as u64 + 1..).prop_map(Value::Uint),
        (-2i8..2).prop_map(|value| Value::Float(f64::from(value) / 2.0)),
        any::<f64>().prop_map(Value::Float),
        prop::collection::vec(0u8..3, 0..4).prop_map(Value::Str),
        prop::collection::vec(any::<u8>(), 0..70).prop_map(Value::Blob),
        prop::collection::vec(5u8..9, 0..3).prop_map(Value::Typed),
        prop::collection::vec(b'a'..b'c', 0..3).prop_map(Value::GeoJson),
        Just(Value::Infinity),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 6, |inner| {
        let list_order = prop_oneof![Just(ListOrder::Unordered), Just(ListOrder::Ordered)];
        let map_order = prop_oneof![Just(MapOrder::Unordered), Just(MapOrder::Key), Just(MapOrder::KeyValue)];
        prop_oneof![
            (list_order, prop::collection::vec(inner.clone(), 0..6))
                .prop_map(|(o, items)| Value::List(o, items)),
            (map_order, prop::collection::vec((inner.clone(), inner), 0..4))
                .prop_map(|(o, pairs)| Value::Map(o, pairs)),
        ]
    })
}

proptest! {
    #[test]
    fn values_are_read_back(value in value()) {
        prop_assert_eq!(format!("{:?}", Value::parse(&value.to_bytes()).unwrap()), format!("{value:?}"));
    }

    #[test]
    fn both_forms_have_one_order(a in value(), b in value()) {
        prop_assert_eq!(compare(&a.to_bytes(), &b.to_bytes()), compare_values(&a, &b));
        prop_assert_eq!(compare_values(&b, &a), compare_values(&a, &b).reverse());
        prop_assert_eq!(compare(&a.to_bytes(), &a.to_bytes()), Ordering::Equal);
    }

    #[test]
    fn any_bytes_compare(a in prop::collection::vec(any::<u8>(), 0..40), b in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = compare(&a, &b);
        let _ = Value::parse(&a);
    }
}

#[test]
fn types_are_ordered() {
    let ascending: [&[u8]; 13] = [
        b"\xc0",
        b"\xc2",
        b"\xc3",
        b"\xff",
        b"\x00",
        b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa2\x03a",
        b"\x90",
        b"\x80",
        b"\xa2\x04a",
        b"\xcb\0\0\0\0\0\0\0\0",
        b"\xa2\x17a",
        b"\xd4\xff\x01",
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(compare(a, b), i.cmp(&j), "{i} {j}");
        }
        assert_eq!(compare(a, b"\xd4\xff\x00"), Ordering::Equal);
    }
}

#[test]
fn lists_compare_by_elements_and_maps_by_length() {
    for (a, b, order) in [
        (&b"\x92\x01\x05"[..], &b"\x91\x02"[..], Ordering::Less),
        (b"\x91\x01", b"\x92\x01\x05", Ordering::Less),
        // The lengths of an inner list decide before what follows it.
        (b"\x92\x91\x01\x09", b"\x92\x92\x01\x02\x01", Ordering::Less),
        (b"\x92\x91\x01\x09", b"\x92\x91\x01\xd4\xff\x00", Ordering::Equal),
        (b"\x81\x09\x01", b"\x82\x01\x01\x02\x01", Ordering::Less),
        // Markers of order do not count.
        (b"\x93\xc7\0\x01\x01\x02", b"\x92\x01\x02", Ordering::Equal),
        (b"\x82\xc7\0\x01\xc0\x01\x02", b"\x81\x01\x02", Ordering::Equal),
        // A wildcard ends the comparison.
        (b"\x92\x01\xd4\xff\x00", b"\x93\x01\x07\x08", Ordering::Equal),
        (b"\x92\x01\xd4\xff\x00", b"\x92\x02\x07", Ordering::Less),
    ] {
        assert_eq!(compare(a, b), order, "{a:x?} {b:x?}");
        assert_eq!(compare_values(&Value::parse(a).unwrap(), &Value::parse(b).unwrap()), order);
    }
}
