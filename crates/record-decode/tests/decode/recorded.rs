//! Recorded answers of a real server into rows.

use std::fs;
use std::path::Path;

use dtype_schema::{Element, Field, Schema};
use record_decode::{Casting, Path as FieldPath, Plan, Step};
use wire_protocol::batch::{BatchAnswer, BatchAnswers};
use wire_protocol::message::FrameHeader;
use wire_protocol::particle::particle_type::{LIST, MAP};

use crate::common::{Outcome, decode, is_present};
use crate::model::Type;
use crate::nested_model::{Node, Row, Shape};
use crate::nested_random::check;

/// The bodies of a scenario's response frames.
fn responses(scenario: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire-captures/official");
    let text = fs::read_to_string(folder.join(scenario).with_extension("jsonl")).unwrap();
    let frames = text.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let responses = frames.filter(|frame| frame["dir"] == "response");
    let bytes = responses.map(|frame| {
        let hex = frame["hex"].as_str().unwrap().as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        hex.chunks(2).skip(FrameHeader::LEN).map(byte).collect()
    });
    bytes.collect()
}

/// Reads a scenario into fields `(name, kind, width, shape)`, one after the other.
fn read(scenario: &str, rows: usize, fields: &[(&str, char, usize, &[usize])]) -> Outcome {
    let mut offset = 0;
    let fields = fields.iter().map(|&(name, kind, width, shape)| {
        let field =
            Field::new(name, offset, Element::from_numpy(name, kind, width, '<').unwrap(), shape).unwrap();
        offset = field.end();
        field
    });
    let fields = fields.collect();
    let plan = Plan::new(Schema::new(fields, offset).unwrap(), Casting::SameValue, None);
    decode(plan, rows, 0, &responses(scenario))
}

#[test]
fn every_type_that_a_field_takes() {
    let fields: [(_, _, _, &[usize]); 8] = [
        ("i", 'i', 2, &[]),
        ("f", 'f', 4, &[]),
        ("s", 'S', 3, &[]),
        ("b", 'V', 1, &[]),
        ("t", 'b', 1, &[]),
        ("l", 'u', 1, &[1]),
        ("m", 'f', 8, &[]),
        ("g", 'S', 64, &[]),
    ];
    let outcome = read("145-batch-read-all-types", 2, &fields);
    assert_eq!((outcome.codes.as_slice(), outcome.meta[0]), (&[0, 0][..], (1, u32::MAX)));
    let row = outcome.row(0);
    assert_eq!(row[..20], *b"\x01\0\0\0\xc0\x3fs\0\0b\x01\x01\0\0\0\0\0\0\0\0");
    let text = br#"{"type": "Point", "coordinates": [1.0, 2.0]}"#;
    assert_eq!((&row[20..20 + text.len()], row[20 + text.len()]), (&text[..], 0));
    let failures = &outcome.summary.failures;
    assert_eq!(failures.len(), 1);
    assert_eq!((failures[0].row, failures[0].field, failures[0].bin_type), (0, 6, "map"));
    // The other record has the first three bins.
    assert_eq!(outcome.summary.presence, [0b1111_1101, 0b1110_0000]);
    assert_eq!(outcome.row(1)[..9], *b"\0\0\0\0\0\0v0\0");
}

#[test]
fn lists_of_doubles() {
    let outcome = read("147-batch-read-lists-of-doubles", 8, &[("d", 'f', 8, &[16])]);
    for row in 0..8 {
        assert!(is_present(&outcome.summary, 1, row, 0));
        let values = outcome.row(row).chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()));
        let written = (0..16).map(|at| row as f64 + f64::from(at) / 8.0);
        assert_eq!(values.collect::<Vec<_>>(), written.collect::<Vec<_>>());
    }
}

#[test]
fn vectors_beside_lists() {
    let fields: [(_, _, _, &[usize]); 2] = [("d", 'f', 2, &[16]), ("v", 'u', 4, &[16, 8])];
    let outcome = read("148-batch-read-vectors-and-lists", 4, &fields);
    for row in 0..4 {
        let written: Vec<u8> = (0..512).map(|at| (7 * row + at) as u8).collect();
        assert_eq!(outcome.row(row)[32..], written);
        assert_eq!(outcome.row(row)[..2], [0, 0x3c00u16, 0x4000, 0x4200][row].to_le_bytes());
    }
}

#[test]
fn missing_records() {
    let outcome = read("126-batch-read-missing-keys", 5, &[("f", 'f', 2, &[]), ("none", 'i', 8, &[])]);
    assert_eq!(outcome.codes, [0, 2, 0, 2, 0]);
    assert_eq!(outcome.meta[1], (0, 0));
    assert_eq!(outcome.summary.presence, [0x80, 0, 0x80, 0, 0x80]);
    let halves: Vec<_> = (0..5).map(|row| outcome.row(row)[..2].to_vec()).collect();
    assert_eq!(halves, [[0, 0], [0, 0], [0, 0x38], [0, 0], [0, 0x3c]]);

    let expiring = read("149-batch-read-ttl", 4, &[("i", 'i', 8, &[])]);
    assert_eq!(expiring.codes, [0, 2, 0, 2]);
    assert!((1..u32::MAX).contains(&expiring.meta[0].1));
    assert_eq!(expiring.meta[2], (1, u32::MAX));
}

/// Every place inside a value that a path can lead to.
fn places(node: &Node, above: &[Step], places: &mut Vec<Vec<Step>>) {
    places.push(above.to_vec());
    let mut below = |step, node| self::places(node, &[above, &[step]].concat(), places);
    match node {
        Node::List { items, .. } => {
            for (at, item) in items.iter().enumerate() {
                below(Step::Int(at as i64), item);
                below(Step::Int(at as i64 - items.len() as i64), item);
            }
        }
        Node::Map { pairs, .. } => {
            for (key, value) in pairs {
                match key {
                    Node::Str(text) => below(Step::Str(std::str::from_utf8(text).unwrap().into()), value),
                    Node::Blob(bytes) => below(Step::Blob(bytes.as_slice().into()), value),
                    Node::Int(number, _) => below(Step::Int(*number), value),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_place_in_recorded_maps_and_lists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire-captures/official");
    let mut values = std::collections::BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|ending| ending == "jsonl") {
            for frame in responses(file.file_stem().unwrap().to_str().unwrap()) {
                for answer in BatchAnswers::new(&frame) {
                    let Ok(BatchAnswer::Record(record)) = answer else { break };
                    let found = record.ops().filter(|op| matches!(op.particle_type, MAP | LIST));
                    values.extend(found.map(|op| (op.particle_type, op.value.to_vec())));
                }
            }
        }
    }
    let mut count = 0;
    for (kind, value) in values {
        let Some(node) = Node::parse(&value) else { continue };
        let mut steps = vec![];
        places(&node, &[], &mut steps);
        for (kind_of, width, shape) in [('f', 8, vec![]), ('S', 5, vec![]), ('i', 8, vec![2])] {
            let of = Type { kind: kind_of, width, order: '<', shape };
            let field = |(at, steps): (usize, &Vec<Step>)| {
                let path = FieldPath { bin: "b".into(), steps: steps.clone().into() };
                (format!("f{at}"), Shape::Leaf(of.clone()), Some(path))
            };
            for some in steps.chunks(100) {
                let row = Row { fields: some.iter().enumerate().map(field).collect() };
                check(&row, &vec![vec![("b".into(), kind, value.clone())]; 2], false);
                count += some.len();
            }
        }
    }
    assert!(count > 300, "{count}");
}
