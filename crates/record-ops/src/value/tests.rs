use std::borrow::Cow;
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

fn normal(value: &[u8], any_keys: bool) -> Option<Vec<u8>> {
    normalize(value, Rules { any_keys, ..Rules::default() }).map(Cow::into_owned)
}

#[test]
fn maps_are_sorted_by_key() {
    let sent = b"\x85\xa2\x03n\x81\xa2\x03x\xc0\xa2\x03a\x01\xa2\x04k\xcb\x3f\xf8\0\0\0\0\0\0\x03\x92\x04\x05\xa2\x03b\xa4\x03two";
    let kept = b"\x85\x03\x92\x04\x05\xa2\x03a\x01\xa2\x03b\xa4\x03two\xa2\x03n\x81\xa2\x03x\xc0\xa2\x04k\xcb\x3f\xf8\0\0\0\0\0\0";
    assert_eq!(normal(sent, false).unwrap(), kept);
    assert_eq!(normal(kept, false).unwrap(), kept);
    // Within a list.
    assert_eq!(normal(b"\x91\x82\x02\xc0\x01\xc0", false).unwrap(), b"\x91\x82\x01\xc0\x02\xc0");
}

#[test]
fn values_marked_as_ordered_must_be_ordered() {
    let ordered = b"\x83\xc7\0\x01\xc0\x01\xc0\x02\xc0";
    assert_eq!(normal(ordered, false).unwrap(), ordered);
    assert_eq!(normal(b"\x83\xc7\0\x01\xc0\x02\xc0\x01\xc0", false), None);
    assert_eq!(normal(b"\x81\xc7\0\x01\xc0", false).unwrap(), b"\x81\xc7\0\x01\xc0");
    let list = b"\x94\xc7\0\x01\x01\x02\x02";
    assert_eq!(normal(list, false).unwrap(), list);
    assert_eq!(normal(b"\x93\xc7\0\x01\x02\x01", false), None);
    // Unknown orders are dropped.
    assert_eq!(normal(b"\x93\xc7\0\x02\x02\x01", false).unwrap(), b"\x92\x02\x01");
    assert_eq!(normal(b"\x82\xc7\0\x00\xc0\x02\xc0", false).unwrap(), b"\x81\x02\xc0");
}

#[test]
fn keys_are_distinct_integers_strings_and_blobs() {
    let map = |key: &[u8]| [b"\x82\x05\xc0", key, b"\xc0"].concat();
    for key in [&b"\x06"[..], b"\xff", b"\xa2\x03a", b"\xa2\x04a"] {
        assert!(normal(&map(key), false).is_some(), "{key:?}");
    }
    for key in
        [&b"\x05"[..], b"\xcc\x05", b"\xc0", b"\xc3", b"\x90", b"\x80", b"\xcb\0\0\0\0\0\0\0\0", b"\xa2\x17a"]
    {
        assert_eq!(normal(&map(key), false), None, "{key:?}");
        let nested = [b"\x91", &map(key)[..]].concat();
        assert_eq!(normal(&nested, false), None, "{key:?}");
    }
}

#[test]
fn numbers_get_their_shortest_encoding() {
    assert_eq!(normal(b"\xdc\0\x02\xd3\0\0\0\0\0\0\0\x05\xcd\0\xff", false).unwrap(), b"\x92\x05\xcc\xff");
}

// What a real server stored.
#[test]
fn extensions_that_are_no_orders_are_kept_in_their_shortest_encoding() {
    for (given, stored) in [
        (&b"\x92\x0f\xc8\x00\x00\xff"[..], &b"\x92\x0f\xc7\x00\xff"[..]),
        (b"\x92\x0f\xc7\x01\x75\x01", b"\x92\x0f\xd4\x75\x01"),
        (b"\x92\x0f\xc7\x03\x75\x01\x02\x03", b"\x92\x0f\xc7\x03\x75\x01\x02\x03"),
        (b"\x92\x0f\xc8\x00\x04\x75\x01\x02\x03\x04", b"\x92\x0f\xd6\x75\x01\x02\x03\x04"),
        // At the front it is an order, without known flags.
        (b"\x94\xc8\x00\x00\x00\x0f\x30\x31", b"\x93\x0f\x30\x31"),
        (b"\x92\xd4\x60\x01\x31", b"\x92\xd4\x60\x01\x31"),
    ] {
        assert_eq!(normal(given, false).as_deref(), Some(stored), "{given:x?}");
    }
}

#[test]
fn wildcards_and_infinity_are_refused() {
    assert_eq!(normal(b"\x92\x01\xd4\xff\x00", false), None);
    assert_eq!(normal(b"\x92\x01\xd4\xff\x01", false), None);
}

#[test]
fn keys_of_all_types_have_an_order() {
    let keys: [&[u8]; 12] = [
        b"\xc0",
        b"\xc2",
        b"\xc3",
        b"\xff",
        b"\x05",
        b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa2\x03a",
        b"\xa3\x03aa",
        b"\x92\x01\x01",
        b"\x91\x05",
        b"\xa2\x04a",
        b"\xcb\x3f\xf8\0\0\0\0\0\0",
    ];
    for (i, a) in keys.iter().enumerate() {
        for (j, b) in keys.iter().enumerate() {
            assert_eq!(compare(a, b), i.cmp(&j), "{a:?} {b:?}");
        }
    }
}

#[test]
fn invalid_and_deeply_nested_values_are_refused() {
    for bytes in [&b"\x91"[..], b"", b"\x90\x90", b"\x81\x05", b"\xc1"] {
        assert_eq!(normal(bytes, false), None, "{bytes:?}");
    }
    assert_eq!(normal(&[&[0x91; 500][..], &[0x90]].concat(), false), None);
}

#[test]
fn a_persisted_index_is_a_flag_of_a_whole_bin() {
    let bin = |value| normalize(value, Rules { is_bin: true, ..Rules::default() }).map(Cow::into_owned);
    for (sent, kept, shown) in [
        (&b"\x92\xc7\0\x11\x05"[..], &b"\x92\xc7\0\x11\x05"[..], Some(&b"\x92\xc7\0\x01\x05"[..])),
        (b"\x92\xc7\0\x10\x05", b"\x92\xc7\0\x10\x05", Some(b"\x91\x05")),
        // With data it is no order.
        (b"\x92\xc7\x01\x10\x07\x05", b"\x92\xd4\x10\x07\x05", None),
        (b"\x82\xc7\0\x13\xc0\x01\x02", b"\x82\xc7\0\x13\xc0\x01\x02", Some(b"\x82\xc7\0\x03\xc0\x01\x02")),
        (b"\x82\xc7\0\x10\xc0\x01\x02", b"\x82\xc7\0\x10\xc0\x01\x02", Some(b"\x81\x01\x02")),
        (b"\x91\x91\xc7\0\x11", b"\x91\x91\xc7\0\x01", None),
        (b"\x91\x05", b"\x91\x05", None),
        (b"\x90", b"\x90", None),
    ] {
        assert_eq!(bin(sent).as_deref(), Some(kept), "{sent:x?}");
        assert_eq!(without_index(kept).as_deref(), shown, "{kept:x?}");
        assert_eq!(has_index(kept), shown.is_some(), "{kept:x?}");
    }
}
