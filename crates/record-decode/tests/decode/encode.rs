//! Encoding: what is written comes back as the same bytes, and what cannot be is refused.

use dtype_schema::{Element, Field, Schema};
use proptest::prelude::*;
use record_decode::{BytesAs, Casting, EncodeOptions, EncodePlan, Plan, RowOutcome, WhyNot};
use wire_protocol::message::{Ops, op};
use wire_protocol::msgpack::{Reader, Token};
use wire_protocol::particle::particle_type;

use crate::common::{Answer, decode, frame, is_present};
use crate::random::{Layout, alike, layouts};

/// The bins that a row's operations write.
fn bins(ops: &[u8]) -> Vec<(Vec<u8>, u8, Vec<u8>)> {
    Ops::over(ops)
        .map(|written| {
            assert_eq!(written.code, op::WRITE);
            let particle = written.particle().unwrap();
            let mut value = Vec::new();
            particle.write(&mut value);
            (written.name.to_vec(), particle.particle_type(), value)
        })
        .collect()
}

fn one(kind: char, width: usize, order: char, shape: &[usize]) -> Schema {
    let field = Field::new("a", 1, Element::from_numpy("a", kind, width, order).unwrap(), shape).unwrap();
    let end = field.end();
    Schema::new(vec![field], end + 2).unwrap()
}

fn write(schema: &Schema, options: EncodeOptions, value: &[u8]) -> Result<(u8, Vec<u8>), WhyNot> {
    let mut row = vec![0xee; schema.itemsize()];
    row[1..1 + value.len()].copy_from_slice(value);
    let mut out = Vec::new();
    let plan = EncodePlan::new(schema.clone(), options, |_| true).unwrap();
    let count = plan.write_row(7, &row, |_| true, &mut out).map_err(|error| {
        assert_eq!((error.row, &*error.field), (7, "a"));
        error.why
    })?;
    assert_eq!(count, 1);
    let (name, kind, value) = bins(&out).pop().unwrap();
    assert_eq!(name, b"a");
    Ok((kind, value))
}

#[test]
fn each_kind_has_its_particle() {
    let options = EncodeOptions::default();
    let int = |value: i64| Ok((1, value.to_be_bytes().to_vec()));
    let float = |value: f64| Ok((2, value.to_be_bytes().to_vec()));
    assert_eq!(write(&one('i', 1, '=', &[]), options, &[0x80]), int(-128));
    assert_eq!(write(&one('i', 2, '>', &[]), options, &[0xff, 0xfe]), int(-2));
    assert_eq!(write(&one('i', 4, '<', &[]), options, &[1, 0, 0, 0x80]), int(i64::from(i32::MIN) + 1));
    assert_eq!(write(&one('u', 2, '<', &[]), options, &[0xff, 0xff]), int(65_535));
    assert_eq!(write(&one('M', 8, '<', &[]), options, &i64::MIN.to_le_bytes()), int(i64::MIN));
    assert_eq!(write(&one('m', 8, '>', &[]), options, &(-5i64).to_be_bytes()), int(-5));
    assert_eq!(write(&one('f', 2, '>', &[]), options, &[0x3e, 0]), float(1.5));
    assert_eq!(write(&one('f', 4, '<', &[]), options, &0.1f32.to_le_bytes()), float(f64::from(0.1f32)));
    assert_eq!(write(&one('f', 8, '>', &[]), options, &(-0.0f64).to_be_bytes()), float(-0.0));
    assert_eq!(write(&one('b', 1, '|', &[]), options, &[2]), Ok((17, vec![1])));
    assert_eq!(write(&one('V', 2, '|', &[]), options, &[7, 0]), Ok((4, vec![7, 0])));
    assert_eq!(write(&one('S', 4, '|', &[]), options, b"a\0b\0"), Ok((3, b"a\0b".to_vec())));
    assert_eq!(write(&one('S', 2, '|', &[]), options, b"\0\0"), Ok((3, vec![])));
    assert_eq!(write(&one('u', 2, '>', &[2]), options, &[1, 2, 3, 4]), Ok((4, vec![1, 2, 3, 4])));
    let lists = EncodeOptions { arrays_as_lists: true, bytes_as: BytesAs::Blob, ..EncodeOptions::default() };
    assert_eq!(write(&one('S', 4, '|', &[]), lists, b"a\xff\0\0"), Ok((4, b"a\xff\0\0".to_vec())));
    let nested = write(&one('i', 1, '=', &[2, 2]), lists, &[1, 0xff, 3, 4]);
    assert_eq!(nested, Ok((20, vec![0x92, 0x92, 1, 0xff, 0x92, 3, 4])));
    let integers = EncodeOptions { bools_as_integers: true, ..lists };
    assert_eq!(write(&one('b', 1, '|', &[]), integers, &[2]), int(1));
    assert_eq!(write(&one('b', 1, '|', &[2]), lists, &[1, 0]), Ok((20, vec![0x92, 0xc3, 0xc2])));
    assert_eq!(write(&one('b', 1, '|', &[2]), integers, &[1, 0]), Ok((20, vec![0x92, 1, 0])));
}

#[test]
fn what_no_bin_can_hold_is_refused() {
    let options = EncodeOptions::default();
    let u8 = one('u', 8, '>', &[]);
    assert_eq!(write(&u8, options, &(i64::MAX as u64).to_be_bytes()), Ok((1, i64::MAX.to_be_bytes().into())));
    for value in [1 << 63, u64::MAX] {
        assert_eq!(write(&u8, options, &value.to_be_bytes()), Err(WhyNot::TooLarge { value }));
    }
    assert_eq!(write(&one('S', 3, '|', &[]), options, b"a\xffb"), Err(WhyNot::NotUtf8 { valid: 1 }));
    // The same in lists, where other clients would read it as a negative number. A blob is bytes.
    let lists = EncodeOptions { arrays_as_lists: true, ..options };
    for (order, bytes) in [('>', u64::to_be_bytes as fn(u64) -> [u8; 8]), ('<', u64::to_le_bytes)] {
        let pair = one('u', 8, order, &[1, 2]);
        let value = |second: u64| [bytes(5), bytes(second)].concat();
        let largest = [&[0x91, 0x92, 5, 0xcf][..], &i64::MAX.to_be_bytes()].concat();
        assert_eq!(write(&pair, lists, &value(i64::MAX as u64)), Ok((20, largest)));
        for too_large in [1 << 63, u64::MAX] {
            let why = WhyNot::ElementTooLarge { index: 1, value: too_large };
            for lists in [lists, EncodeOptions { bools_as_integers: true, ..lists }] {
                assert_eq!(write(&pair, lists, &value(too_large)), Err(why));
                let plan = EncodePlan::new(pair.clone(), lists, |_| true).unwrap();
                assert!(plan.needs_check());
                let row = [&[0][..], &value(too_large), &[0; 2]].concat();
                assert_eq!(plan.check_row(4, &row, |_| true).map_err(|error| error.why), Err(why));
                assert_eq!(plan.check_row(4, &row, |_| false), Ok(()));
            }
            assert_eq!(write(&pair, options, &value(too_large)), Ok((4, value(too_large))));
        }
    }
}

#[test]
fn only_bins_and_what_is_present_are_written() {
    let element = Element::from_numpy("f", 'i', 1, '=').unwrap();
    let fields = ["a", "b", "c"].iter().enumerate();
    let fields = fields.map(|(at, name)| Field::new(name, at, element, &[]).unwrap()).collect();
    let plan = EncodePlan::new(Schema::new(fields, 3).unwrap(), EncodeOptions::default(), |name| name != "b")
        .unwrap();
    assert_eq!(plan.bin_names().collect::<Vec<_>>(), ["a", "c"]);
    let mut out = Vec::new();
    assert_eq!(plan.write_row(0, &[1, 2, 3], |field| field != 0, &mut out), Ok(1));
    assert_eq!(bins(&out)[0].0, b"c");
    assert_eq!(plan.write_row(0, &[1, 2, 3], |_| false, &mut Vec::new()), Ok(0));
}

/// A layout, a row of any bytes and which of its fields are there.
fn rows() -> impl Strategy<Value = (Layout, Vec<u8>, Vec<bool>)> {
    layouts().prop_flat_map(|layout| {
        let (size, fields) = (layout.schema().itemsize(), layout.names().len());
        let bytes = prop_oneof![any::<u8>(), Just(0), 0x20..0x7fu8];
        let row = proptest::collection::vec(bytes, size);
        (Just(layout), row, proptest::collection::vec(proptest::bool::weighted(0.9), fields))
    })
}

proptest! {
    #[test]
    fn what_is_written_comes_back((layout, mut row, present) in rows(), as_text: bool, arrays_as_lists: bool) {
        let schema = layout.schema();
        for field in schema.leaves() {
            // NumPy's own bools are 0 or 1.
            if field.element().name() == "bool" {
                row[field.offset()..field.end()].iter_mut().for_each(|byte| *byte &= 1);
            }
        }
        let bytes_as = if as_text { BytesAs::Text } else { BytesAs::Blob };
        let plan = EncodePlan::new(schema.clone(), EncodeOptions { bytes_as, arrays_as_lists, ..EncodeOptions::default() }, |_| true).unwrap();
        let mut out = Vec::new();
        let written = match plan.write_row(3, &row, |field| present[field], &mut out) {
            Ok(written) => written,
            Err(refused) => {
                let field = &schema.leaves()[schema.position(&refused.field).unwrap()];
                let refusable = match refused.why {
                    WhyNot::TooLarge { value } => value > i64::MAX as u64 && field.shape().is_empty(),
                    WhyNot::ElementTooLarge { index, value } => {
                        let start = field.offset() + 8 * index;
                        let bytes = row[start..start + 8].try_into().unwrap();
                        arrays_as_lists
                            && value > i64::MAX as u64
                            && [u64::from_le_bytes(bytes), u64::from_be_bytes(bytes)].contains(&value)
                    }
                    WhyNot::NotUtf8 { .. } => {
                        as_text && std::str::from_utf8(&row[field.offset()..field.end()]).is_err()
                    }
                    _ => false,
                };
                prop_assert!(refusable, "{refused}");
                return Ok(());
            }
        };
        prop_assert_eq!(written, present.iter().filter(|&&is| is).count());
        for (_, kind, value) in bins(&out) {
            let mut reader = Reader::new(if kind == particle_type::LIST { &value } else { &[] });
            while !reader.is_at_end() {
                let token = reader.token().unwrap();
                prop_assert!(!matches!(token, Token::Uint(_)), "{token:?}, negative to other clients");
            }
        }
        let answer = Answer { bins: bins(&out), ..Answer::found(0, &[]) };
        let back = decode(Plan::new(schema.clone(), Casting::SameValue, None), 1, 0, &[frame(&[answer])]);
        prop_assert_eq!(&back.outcomes, &[RowOutcome::Written]);
        prop_assert_eq!(back.summary.failure_count, 0);
        for (at, ((_, of, offset), &is)) in layout.fields().iter().zip(&present).enumerate() {
            prop_assert_eq!(is_present(&back.summary, present.len(), 0, at), is);
            if is {
                let range = *offset..offset + of.size();
                let (was, now) = (&row[range.clone()], &back.row(0)[range]);
                prop_assert!(alike(of, was, now), "{:?}: {:x?}, not {:x?}", of, now, was);
            }
        }
    }
}
