//! Bytes from a broken or hostile peer: nothing outside fields is ever written, nothing panics.

use std::collections::HashSet;

use proptest::prelude::*;
use record_decode::{Casting, Plan};

use crate::common::{Answer, FILL, Outcome, decode, frame};
use crate::random::{Layout, layouts};

const ROWS: usize = 4;

/// Checks what always holds: bytes outside fields and rows that are not done are unchanged, and the summary is
/// consistent.
fn check(layout: &Layout, outcome: &Outcome) {
    let covered = layout.covered();
    for row in 0..ROWS {
        for (at, &byte) in outcome.row(row).iter().enumerate() {
            let is_field = outcome.done[row] && covered.get(at) == Some(&true);
            assert!(is_field || byte == FILL, "byte {at} of row {row}");
        }
    }
    let summary = &outcome.summary;
    let present: u32 = summary.presence.iter().map(|byte| byte.count_ones()).sum();
    let cells = summary.done * layout.names().len();
    assert!(u64::from(present) + summary.failure_count <= cells as u64);
    let places: HashSet<_> = summary.failures.iter().map(|failed| (failed.row, failed.field)).collect();
    assert_eq!(places.len(), summary.failures.len(), "a cell fails once");
}

/// Bins by the names of the layout, and any bytes for values.
fn answers(layout: &Layout) -> impl Strategy<Value = Vec<Answer>> + use<> {
    let names = layout.names();
    // Lists in particular: a start that may be one, then anything.
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let list = (0x90u8..0x98, bytes()).prop_map(|(tag, rest)| [&[tag], rest.as_slice()].concat());
    let small = (0x90u8..0x98, proptest::collection::vec(0u8..0x98, 0..20))
        .prop_map(|(tag, rest)| [&[tag], rest.as_slice()].concat());
    let value = prop_oneof![
        (0u8..26, bytes()),
        (Just(20u8), prop_oneof![list, small]),
        (1u8..4, any::<[u8; 8]>().prop_map(Vec::from)),
    ];
    let bin = (any::<prop::sample::Index>(), value)
        .prop_map(move |(name, (kind, bytes))| (name.get(&names).clone().into_bytes(), kind, bytes));
    let answer =
        (0..6u32, prop_oneof![9 => Just(0u8), 1 => any::<u8>()], proptest::collection::vec(bin, 0..8));
    proptest::collection::vec(
        answer.prop_map(|(index, result_code, bins)| Answer {
            index,
            result_code,
            generation: 1,
            void_time: 2,
            bins,
        }),
        1..5,
    )
}

fn with_answers() -> impl Strategy<Value = (Layout, Vec<Answer>)> {
    layouts().prop_flat_map(|layout| {
        let answers = answers(&layout);
        (Just(layout), answers)
    })
}

fn casting(same_value: bool) -> Casting {
    if same_value { Casting::SameValue } else { Casting::Unsafe }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_as_values((layout, answers) in with_answers(), same_value: bool, gap in 0..3usize) {
        let plan = Plan::new(layout.schema(), casting(same_value), None);
        check(&layout, &decode(plan, ROWS, gap, &[frame(&answers)]));
    }

    #[test]
    fn mutated_frames(
        (layout, answers) in with_answers(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
        same_value: bool,
    ) {
        let mut body = frame(&answers);
        for (at, byte, how) in edits {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body[at] ^= 1 << (byte % 8),
                2 => body.insert(at, byte),
                _ => drop(body.remove(at)),
            }
            if body.is_empty() {
                break;
            }
        }
        let cut = body.len() / 2;
        let plan = Plan::new(layout.schema(), casting(same_value), None);
        check(&layout, &decode(plan, ROWS, 1, &[body.clone(), body[..cut].to_vec()]));
    }

    #[test]
    fn any_bytes_as_a_frame(layout in layouts(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let plan = Plan::new(layout.schema(), Casting::Unsafe, None);
        check(&layout, &decode(plan, ROWS, 0, &[body]));
    }
}

#[test]
fn a_record_of_very_many_bins() {
    // More bins than are remembered, most of them unknown, with names as long as the protocol allows.
    let element = dtype_schema::Element::from_numpy("x", 'i', 4, '=').unwrap();
    let field = |name, offset| dtype_schema::Field::new(name, offset, element, &[]).unwrap();
    let schema = dtype_schema::Schema::new(vec![field("x", 0), field("y", 4)], 8).unwrap();
    let one = 1i64.to_be_bytes().to_vec();
    let many = if cfg!(miri) { 1030 } else { 5000 };
    let mut bins: Vec<_> = (0..many).map(|at| (format!("b{at}").into_bytes(), 1, one.clone())).collect();
    bins.push((vec![b'x'; 255], 1, one.clone()));
    bins.push((b"y".to_vec(), 1, one.clone()));
    bins.extend((0..many).map(|_| (b"y".to_vec(), 1, 2i64.to_be_bytes().to_vec())));
    bins.push((b"x".to_vec(), 1, one));
    let answer = |index| Answer { bins: bins.clone(), ..Answer::found(index, &[]) };
    let outcome = decode(Plan::new(schema, Casting::Unsafe, None), 2, 0, &[frame(&[answer(0), answer(1)])]);
    for row in 0..2 {
        assert_eq!(outcome.row(row), [1i32.to_ne_bytes(), 1i32.to_ne_bytes()].concat());
    }
}

#[test]
fn a_bin_that_comes_twice() {
    let element = dtype_schema::Element::from_numpy("x", 'i', 2, '>').unwrap();
    let field = |name, offset| dtype_schema::Field::new(name, offset, element, &[]).unwrap();
    let schema = dtype_schema::Schema::new(vec![field("x", 2), field("y", 0)], 4).unwrap();
    let int = |value: i64| value.to_be_bytes();
    let bins = |second: &[u8]| {
        let (one, two) = (int(1), int(2));
        Answer::found(0, &[("x", 1, &one), ("y", 1, &two), ("x", 1, second), ("x", 3, b"text")]).bins
    };
    // Known to be a number from the second record on; would change or fail if it counted.
    let answers: Vec<Answer> = (0..3)
        .map(|row| Answer { bins: bins(&int(70_000 + i64::from(row))), ..Answer::found(row, &[]) })
        .collect();
    let outcome = decode(Plan::new(schema, Casting::SameValue, None), 3, 0, &[frame(&answers)]);
    assert!((0..3).all(|row| outcome.row(row) == [0, 2, 0, 1]));
    assert_eq!((outcome.summary.failure_count, outcome.summary.presence.as_slice()), (0, &[0xc0; 3][..]));
}
