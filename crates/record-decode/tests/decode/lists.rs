//! Lists into sub-arrays, decoded in place.

use crate::common::{Answer, decode, frame, is_present, two_to};
use dtype_schema::{Element, Field, Schema};
use proptest::prelude::*;
use record_decode::{Casting, Plan, Summary};
use wire_protocol::msgpack;
use wire_protocol::particle::particle_type::LIST;

fn read(kind: char, itemsize: usize, shape: &[usize], list: &[u8], how: Casting) -> (Vec<u8>, Summary) {
    let element = Element::from_numpy("x", kind, itemsize, '<').unwrap();
    let field = Field::new("x", 0, element, shape).unwrap();
    let schema = Schema::new(vec![field.clone()], field.size()).unwrap();
    let body = frame(&[Answer::found(0, &[("x", LIST, list)])]);
    let outcome = decode(Plan::new(schema, how, None), 1, 0, &[body]);
    (outcome.row(0).to_vec(), outcome.summary)
}

/// The values of an `i2` sub-array, `None` if the list is refused.
fn shorts(shape: &[usize], list: &[u8]) -> Option<Vec<i16>> {
    let (row, summary) = read('i', 2, shape, list, Casting::SameValue);
    let present = is_present(&summary, 1, 0, 0);
    assert_eq!(summary.failure_count, u64::from(!present));
    assert!(present || row.iter().all(|&byte| byte == 0), "a failed cell is zero");
    present.then(|| row.chunks(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

#[test]
fn lists_of_one_dimension() {
    assert_eq!(shorts(&[3], b"\x93\x01\xd0\xff\xcd\x01\x00"), Some(vec![1, -1, 256]));
    // The same value in every encoding that a client may choose.
    for two in [&b"\x02"[..], b"\xcc\x02", b"\xcd\0\x02", b"\xce\0\0\0\x02", b"\xcf\0\0\0\0\0\0\0\x02"] {
        assert_eq!(shorts(&[1], &[b"\x91", two].concat()), Some(vec![2]));
    }
    for two in
        [&b"\xd0\x02"[..], b"\xd1\0\x02", b"\xd2\0\0\0\x02", b"\xd3\0\0\0\0\0\0\0\x02", b"\xca\x40\0\0\0"]
    {
        assert_eq!(shorts(&[1], &[b"\xdc\0\x01", two].concat()), Some(vec![2]));
    }
    assert_eq!(shorts(&[2], b"\xdd\0\0\0\x02\xc3\xc2"), Some(vec![1, 0]));
    for wrong in [
        &b""[..],
        b"\x90",
        b"\x91\x01",
        b"\x93\x01\x02\x03",
        b"\x92\x01",
        b"\x92\x01\xcd\x02",
        b"\x92\x01\xc0",
        b"\x92\x01\xa2\x03x",
        b"\x92\x01\x91\x02",
        b"\x92\x01\x80",
        b"\x92\x01\xc1",
        b"\x92\x01\x02\x03",
        b"\x92\x01\xcf\xff\0\0\0\0\0\0\0",
        b"\xdd\xff\xff\xff\xff\x01",
        b"\x01",
        b"\x81\x01\x02",
        b"\xc0",
    ] {
        assert_eq!(shorts(&[2], wrong), None, "{wrong:x?}");
    }
}

#[test]
fn lists_nest_as_the_shape_does() {
    assert_eq!(shorts(&[2, 2], b"\x92\x92\x01\x02\x92\x03\x04"), Some(vec![1, 2, 3, 4]));
    assert_eq!(shorts(&[1, 2, 1], b"\x91\x92\x91\x01\x91\x02"), Some(vec![1, 2]));
    assert_eq!(
        shorts(&[2, 2, 2], b"\x92\x92\x92\x01\x02\x92\x03\x04\x92\x92\x05\x06\x92\x07\x08"),
        Some((1..=8).collect())
    );
    assert_eq!(shorts(&[3, 1], b"\x93\x91\x01\x91\x02\x91\x03"), Some(vec![1, 2, 3]));
    for wrong in [
        &b"\x94\x01\x02\x03\x04"[..],
        b"\x92\x92\x01\x02\x91\x03",
        b"\x92\x92\x01\x02\x93\x03\x04\x05",
        b"\x91\x92\x01\x02",
        b"\x92\x92\x01\x02\x03",
        b"\x92\x92\x01\x91\x02\x92\x03\x04",
        b"\x92\x01\x92\x02\x03",
        b"\x92\x92\x01\x02\x92\x03\x04\x90",
    ] {
        assert_eq!(shorts(&[2, 2], wrong), None, "{wrong:x?}");
    }
}

#[test]
fn the_mark_of_an_ordered_list_is_no_element() {
    // As a server stores [1, 2, 3] with order 1.
    assert_eq!(shorts(&[3], b"\x94\xc7\x00\x01\x01\x02\x03"), Some(vec![1, 2, 3]));
    assert_eq!(shorts(&[4], b"\x94\xc7\x00\x01\x01\x02\x03"), None);
    assert_eq!(shorts(&[2, 1], b"\x92\x92\xc7\x00\x01\x05\x91\x06"), Some(vec![5, 6]));
    // Elsewhere it is an error, as is the order alone.
    assert_eq!(shorts(&[2], b"\x93\x01\xc7\x00\x01\x02"), None);
    assert_eq!(shorts(&[1], b"\x91\xc7\x00\x01"), None);
}

#[test]
fn elements_convert_as_scalars_do() {
    let mut list = Vec::new();
    msgpack::write_list_header(&mut list, 4);
    msgpack::write_float(&mut list, 1.5);
    msgpack::write_int(&mut list, 300);
    msgpack::write_uint(&mut list, u64::MAX);
    msgpack::write_bool(&mut list, true);
    let (row, summary) = read('u', 1, &[4], &list, Casting::Unsafe);
    assert_eq!(row, [1, 44, 255, 1]);
    // Every element that changed counts.
    assert_eq!(summary.inexact, [("x".into(), 3)]);
    assert_eq!(read('u', 1, &[4], &list, Casting::SameValue).1.failure_count, 1);

    let (row, summary) = read('f', 8, &[4], &list, Casting::Unsafe);
    let floats: Vec<f64> = row.chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(floats, [1.5, 300.0, 18_446_744_073_709_551_615.0, 1.0]);
    assert_eq!(summary.inexact, [("x".into(), 1)]);

    let (row, summary) = read('u', 8, &[4], &list, Casting::Unsafe);
    assert_eq!(row[16..24], [0xff; 8]);
    assert_eq!(summary.inexact, [("x".into(), 1)]);
    let (row, _) = read('i', 8, &[4], &list, Casting::Unsafe);
    assert_eq!(row[16..24], (-1i64).to_le_bytes());
    let (row, _) = read('f', 2, &[4], &list, Casting::Unsafe);
    assert_eq!(row[4..6], 0x7c00u16.to_le_bytes());
    let (row, summary) = read('f', 4, &[4], &list, Casting::Unsafe);
    assert_eq!(row[8..12], (two_to(64) as f32).to_le_bytes());
    assert_eq!(summary.inexact, [("x".into(), 1)]);

    // One failure fails the whole field, and changes before it do not count.
    assert_eq!(read('b', 1, &[4], &list, Casting::Unsafe).1.failure_count, 1);
    let (row, summary) = read('i', 1, &[2], b"\x92\xcd\x01\x2c\xcb\x7f\xf0\0\0\0\0\0\0", Casting::Unsafe);
    assert_eq!((row.as_slice(), summary.inexact.len(), summary.failure_count), (&[0, 0][..], 0, 1));
    let (row, _) =
        read('b', 1, &[4], b"\x94\xc2\xc3\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff", Casting::Unsafe);
    assert_eq!(row, [0, 1, 0, 1]);
}

/// A double: often one that a smaller float holds, now and then one that it does not.
fn doubles() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => any::<f32>().prop_map(f64::from),
        2 => any::<f64>(),
        1 => prop_oneof![Just(1e300), Just(f64::NAN), Just(f64::NEG_INFINITY), Just(-0.0), Just(5e-324)],
    ]
}

proptest! {
    /// Long lists of floats are converted in blocks, mixed lists one by one: the results are the same.
    #[test]
    fn long_lists_of_floats(
        values in prop::collection::vec(doubles(), 1..300),
        whole in prop::collection::vec(0usize..300, 0..4),
        is_double in any::<bool>(),
        order in prop_oneof![Just('<'), Just('>')],
        strict in any::<bool>(),
    ) {
        let mut list = Vec::new();
        msgpack::write_list_header(&mut list, values.len());
        let mut values = values;
        for (place, value) in values.iter_mut().enumerate() {
            if whole.contains(&place) {
                *value = place as f64;
                msgpack::write_int(&mut list, place as i64);
            } else {
                msgpack::write_float(&mut list, *value);
            }
        }
        let size = if is_double { 8 } else { 4 };
        let element = Element::from_numpy("x", 'f', size, order).unwrap();
        let field = Field::new("x", 0, element, &[values.len()]).unwrap();
        let schema = Schema::new(vec![field.clone()], field.size()).unwrap();
        let how = if strict { Casting::SameValue } else { Casting::Unsafe };
        let outcome = decode(Plan::new(schema, how, None), 1, 0, &[frame(&[Answer::found(0, &[("x", LIST, &list)])])]);

        let holds = |value: f64| is_double || value.is_nan() || f64::from(value as f32) == value;
        let lost = values.iter().filter(|value| !is_double && value.is_finite() && (**value as f32).is_infinite());
        let present = !strict || values.iter().all(|&value| holds(value));
        prop_assert_eq!(is_present(&outcome.summary, 1, 0, 0), present);
        let changed: u64 = outcome.summary.inexact.iter().map(|(_, count)| count).sum();
        prop_assert_eq!(changed, if strict { 0 } else { lost.count() as u64 });
        for (bytes, &value) in outcome.row(0).chunks_exact(size).zip(&values) {
            let mut bytes = bytes.to_vec();
            if order == '>' {
                bytes.reverse();
            }
            let found = match <[u8; 8]>::try_from(&bytes[..]) {
                Ok(double) => f64::from_le_bytes(double),
                Err(_) => f32::from_le_bytes(bytes.try_into().unwrap()).into(),
            };
            let expected = match (present, is_double) {
                (false, _) => 0.0,
                (true, true) => value,
                (true, false) => f64::from(value as f32),
            };
            prop_assert!(found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()));
        }
    }
}
