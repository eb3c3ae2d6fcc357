//! Random schemas and records through writer, reader and decoder, compared with the model.

use std::collections::BTreeMap;

use dtype_schema::{Element, Field, Schema};
use proptest::prelude::*;
use record_decode::{Casting, KEPT_FAILURES, Plan, RowOutcome};

use crate::common::{Answer, FILL, NOW, Outcome, decode, frame, has_cell, is_present};
use crate::model::{Type, Value, types, value_for};

/// A schema: each field's type and offset, in the dtype's order, and the row's size.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    fields: Vec<(String, Type, usize)>,
    itemsize: usize,
}

impl Layout {
    pub(crate) fn schema(&self) -> Schema {
        let field = |(name, of, offset): &(String, Type, usize)| {
            let element = Element::from_numpy(name, of.kind, of.width, of.order).unwrap();
            Field::new(name, *offset, element, &of.shape).unwrap()
        };
        Schema::new(self.fields.iter().map(field).collect(), self.itemsize).unwrap()
    }

    /// Which bytes of a row belong to fields.
    pub(crate) fn covered(&self) -> Vec<bool> {
        let mut covered = vec![false; self.itemsize];
        for (_, of, offset) in &self.fields {
            covered[*offset..offset + of.size()].fill(true);
        }
        covered
    }

    pub(crate) fn fields(&self) -> &[(String, Type, usize)] {
        &self.fields
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.fields.iter().map(|(name, ..)| name.clone()).collect()
    }
}

/// Names of every length that are equal at their ends.
fn name(at: usize) -> String {
    match at % 4 {
        0 => format!("{at}"),
        1 => format!("bin{at:04}"),
        2 => format!("a_long_na{at:05}"),
        _ => format!("{at:03}_long_name_x"),
    }
}

pub(crate) fn layouts() -> impl Strategy<Value = Layout> {
    let few = proptest::collection::vec((types(), 0..3usize), 1..9);
    // More than fit a machine word.
    let many = proptest::collection::vec((types(), 0..2usize), 60..70);
    (prop_oneof![12 => few, 1 => many], 0..4usize, any::<u64>()).prop_map(|(parts, end, shuffle)| {
        let mut offset = 0;
        let mut fields: Vec<_> = (0..)
            .zip(parts)
            .map(|(at, (of, gap))| {
                let start = offset + gap;
                offset = start + of.size();
                (name(at), of, start)
            })
            .collect();
        // The dtype's order is not that of the offsets.
        let len = fields.len();
        for at in 0..len {
            fields.swap(at, (shuffle as usize).wrapping_mul(at + 7) % len);
        }
        Layout { fields, itemsize: offset + end }
    })
}

/// A record: which row it is for, and its bins in order.
#[derive(Clone, Debug)]
struct Given {
    row: usize,
    code: u8,
    generation: u32,
    void_time: u32,
    bins: Vec<(String, Value)>,
}

fn records(layout: &Layout) -> impl Strategy<Value = Vec<Given>> + use<> {
    let bins: Vec<_> = layout
        .fields
        .iter()
        .map(|(name, of, _)| proptest::option::weighted(0.9, (Just(name.clone()), value_for(of))))
        .collect();
    let others = proptest::collection::vec(("[a-z]{0,16}", value_for(&layout.fields[0].1)), 0..2);
    let code = prop_oneof![8 => Just(0u8), 1 => Just(2), 1 => any::<u8>()];
    let void_time = prop_oneof![Just(0), Just(NOW), Just(NOW + 1), any::<u32>()];
    let record = (0..6usize, code, any::<u32>(), void_time, bins, others, any::<[usize; 3]>()).prop_map(
        |(row, code, generation, void_time, bins, others, [turn, repeat, at])| {
            let mut bins: Vec<_> = bins.into_iter().flatten().collect();
            if !bins.is_empty() {
                // Mostly the dtype's order, as servers answer; sometimes not, or one bin twice.
                let len = bins.len();
                bins.rotate_left(if turn % 4 == 0 { turn % len } else { 0 });
                if repeat % 8 == 0 {
                    bins.push(bins[at % len].clone());
                }
            }
            for other in others {
                bins.insert(at % (bins.len() + 1), other);
            }
            Given { row, code, generation, void_time, bins }
        },
    );
    proptest::collection::vec(record, 1..7)
}

/// What each row should be: bytes of fields by name, and whether they are present.
struct Expected {
    done: BTreeMap<usize, Given>,
    outcomes: Vec<RowOutcome>,
}

const ROWS: usize = 5;

fn expect(given: &[Given]) -> Expected {
    let mut done = BTreeMap::new();
    let outcomes = given
        .iter()
        .map(|record| match record.row {
            ROWS.. => RowOutcome::OutOfRange,
            row if done.contains_key(&row) => RowOutcome::Repeated,
            row => {
                done.insert(row, record.clone());
                RowOutcome::Written
            }
        })
        .collect();
    Expected { done, outcomes }
}

fn check(layout: &Layout, given: &[Given], same_value: bool, wanted: Option<&[String]>, outcome: &Outcome) {
    let expected = expect(given);
    assert_eq!(outcome.outcomes, expected.outcomes);
    let covered = layout.covered();
    let fields = layout.fields.len();
    let mut inexact = vec![0; fields];
    let mut failures = vec![];
    let mut seen = vec![false; fields];
    let mut codes = BTreeMap::new();
    for row in 0..ROWS {
        let bytes = outcome.row(row);
        for (at, &byte) in bytes.iter().enumerate() {
            assert!(covered.get(at) == Some(&true) || byte == FILL, "byte {at} of row {row} is no field's");
        }
        let Some(record) = expected.done.get(&row) else {
            assert!(!outcome.done[row] && bytes.iter().all(|&byte| byte == FILL));
            assert!((0..fields).all(|field| !is_present(&outcome.summary, fields, row, field)));
            continue;
        };
        assert!(outcome.done[row]);
        let found = record.code == 0;
        if !found {
            *codes.entry(i32::from(record.code)).or_insert(0) += 1;
        }
        let ttl = match record.void_time {
            0 => u32::MAX,
            end => end.saturating_sub(NOW).max(1),
        };
        assert_eq!(outcome.codes[row], i32::from(record.code));
        assert_eq!(outcome.meta[row], if found { (record.generation, ttl) } else { (0, 0) });
        for (field, (name, of, offset)) in layout.fields.iter().enumerate() {
            let asked = found && wanted.is_none_or(|wanted| wanted.contains(name));
            let value = record.bins.iter().find(|(bin, _)| asked && bin == name).map(|(_, value)| value);
            let stored = value.and_then(|value| of.store(value, same_value));
            let is_there = stored.is_some();
            let has_failed = value.is_some_and(|value| !matches!(value, Value::Nil)) && !is_there;
            let has_changed = stored.as_ref().is_some_and(|&(_, changed)| changed > 0);
            seen[field] |= is_there || has_failed;
            assert_eq!(has_cell(&outcome.summary.failed_cells, fields, row, field), has_failed);
            assert_eq!(has_cell(&outcome.summary.changed_cells, fields, row, field), has_changed);
            match (value, &stored) {
                (_, Some((_, changed))) => inexact[field] += changed,
                (Some(Value::Nil) | None, None) => {}
                (Some(_), None) => failures.push((row, field)),
            }
            let bytes = &bytes[*offset..offset + of.size()];
            let should_be = stored.map_or_else(|| vec![0; of.size()], |(bytes, _)| bytes);
            assert!(alike(of, bytes, &should_be), "{of:?} of {value:?}: {bytes:x?}, not {should_be:x?}");
            assert_eq!(is_present(&outcome.summary, fields, row, field), is_there, "{of:?} of {value:?}");
        }
    }
    let summary = &outcome.summary;
    let names = layout.names();
    assert_eq!(summary.codes, codes.into_iter().collect::<Vec<_>>());
    let any_found = expected.done.values().any(|record| record.code == 0);
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted.iter().any(|wanted| wanted == name));
    let missing = names.iter().zip(&seen).filter(|&(name, seen)| any_found && !seen && is_wanted(name));
    assert_eq!(
        summary.missing_fields.iter().map(|name| &**name).collect::<Vec<_>>(),
        missing.map(|(name, _)| &**name).collect::<Vec<_>>()
    );
    for bin in &summary.unmatched_bins {
        let bin = std::str::from_utf8(bin).unwrap();
        assert!(!names.iter().any(|name| name == bin) || !is_wanted(bin), "{bin}");
    }
    let counted = summary.inexact.iter().map(|(name, count)| (name.to_string(), *count));
    let should_be = names.into_iter().zip(inexact).filter(|&(_, count)| count > 0);
    assert_eq!(counted.collect::<Vec<_>>(), should_be.collect::<Vec<_>>());
    assert_eq!(summary.failure_count, failures.len() as u64);
    failures.truncate(KEPT_FAILURES);
    assert_eq!(
        summary.failures.iter().map(|failed| (failed.row, failed.field)).collect::<Vec<_>>(),
        failures
    );
}

/// Whether two fields hold the same value. The payload of a rounded NaN depends on the machine.
pub(crate) fn alike(of: &Type, left: &[u8], right: &[u8]) -> bool {
    let mut elements = left.chunks(of.width).zip(right.chunks(of.width));
    elements.all(|(left, right)| left == right || is_nan(of, left) && is_nan(of, right))
}

fn is_nan(of: &Type, element: &[u8]) -> bool {
    let mut element = element.to_vec();
    if of.order == '>' {
        element.reverse();
    }
    match (of.kind, of.width) {
        ('f', 2) => u16::from_le_bytes(element.try_into().unwrap()) & 0x7fff > 0x7c00,
        ('f', 4) => f32::from_le_bytes(element.try_into().unwrap()).is_nan(),
        ('f', 8) => f64::from_le_bytes(element.try_into().unwrap()).is_nan(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_round_trip(
        (layout, given) in layouts().prop_flat_map(|layout| {
            let records = records(&layout);
            (Just(layout), records)
        }),
        same_value: bool,
        gap in 0..3usize,
        cut in any::<usize>(),
        narrow in proptest::option::weighted(0.2, any::<u64>()),
    ) {
        let answers: Vec<Answer> = given.iter().map(|record| Answer {
            index: record.row as u32,
            result_code: record.code,
            generation: record.generation,
            void_time: record.void_time,
            bins: record.bins.iter().map(|(name, value)| {
                let (kind, bytes) = value.encode();
                (name.clone().into_bytes(), kind, bytes)
            }).collect(),
        }).collect();
        let (first, second) = answers.split_at(cut % (answers.len() + 1));
        let names = layout.names();
        let wanted: Option<Vec<String>> = narrow.map(|bits| {
            names.into_iter().enumerate().filter(|(at, _)| bits >> (at % 64) & 1 == 1).map(|(_, name)| name).collect()
        });
        let casting = if same_value { Casting::SameValue } else { Casting::Unsafe };
        let list: Option<Vec<&str>> = wanted.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let plan = Plan::new(layout.schema(), casting, list.as_deref());
        let outcome = decode(plan, ROWS, gap, &[frame(first), frame(second)]);
        check(&layout, &given, same_value, wanted.as_deref(), &outcome);
    }
}
