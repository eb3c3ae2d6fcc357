//! Columns of every type take any bytes: what they refuse is counted, and Arrow's full validation accepts the rest.

use std::sync::Arc;

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_columns::{BatchTable, ColumnPlan, RowAnswer, parse_type};
use arrow_schema::{Field, Schema};
use proptest::prelude::*;
use record_decode::{Casting, Path, Step};
use wire_protocol::message::write_op;

const TYPES: [&str; 22] = [
    "bool",
    "int8",
    "uint64",
    "float16",
    "float32",
    "float64",
    "utf8",
    "utf8_view",
    "dictionary<int8, utf8>",
    "binary",
    "binary_view",
    "fixed_size_binary[3]",
    "timestamp[ms]",
    "date32",
    "list<float32>",
    "large_list<list<utf8>>",
    "fixed_size_list<int16>[2]",
    "list<fixed_size_list<fixed_size_list<int64>[100]>[100]>",
    "struct<a: int64, b: struct<c: utf8, d: list<bool>>>",
    "list<struct<a: map<utf8, binary>>>",
    "map<utf8, list<int64>>",
    "map<int64, struct<a: float64>>",
];

/// Bytes that are often msgpack: of lists, maps and what is in them.
fn msgpack() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        (0x90u8..=0x95).prop_map(|byte| vec![byte]),
        (0x80u8..=0x83).prop_map(|byte| vec![byte]),
        Just(vec![0xc0]),
        Just(vec![0xc7, 0, 1]),
        any::<i64>().prop_map(|value| [&[0xd3][..], &value.to_be_bytes()].concat()),
        any::<f64>().prop_map(|value| [&[0xcb][..], &value.to_be_bytes()].concat()),
        Just(vec![0xa2, 3, b'a']),
        Just(vec![0xa2, 3, b'b']),
        Just(vec![0xa3, 3, 0xff, b'x']),
        Just(vec![0xa3, 4, 1, 2]),
    ];
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

/// A particle type and bytes.
type Bin = (u8, Vec<u8>);

fn value() -> impl Strategy<Value = Bin> {
    let kind = prop::sample::select(vec![20u8, 20, 19, 19, 1, 2, 3, 4, 17, 18, 23, 0, 7, 255]);
    (kind, prop_oneof![msgpack(), prop::collection::vec(any::<u8>(), 0..20), Just(vec![0; 8])])
}

fn check(batches: &[RecordBatch], rows: usize) {
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), rows);
    for batch in batches {
        for column in batch.columns() {
            column.to_data().validate_full().expect("Arrow accepts the column");
        }
    }
}

/// Fills rows from the last to the first: none comes in its turn.
fn fill(table: &BatchTable, rows: &[Vec<Bin>], name: impl Fn(usize) -> String) {
    let mut lease = table.lease().expect("the table is open");
    let missing = RowAnswer { code: 2, generation: 0, ttl: 0 };
    for (row, values) in rows.iter().enumerate().rev() {
        let mut ops = Vec::new();
        for (at, (kind, bytes)) in values.iter().enumerate() {
            write_op(&mut ops, 1, *kind, name(at).as_bytes(), bytes);
        }
        assert!(lease.write(row, RowAnswer { code: 0, generation: 1, ttl: 1 }, &ops));
        assert!(!lease.write(row, missing, &[]));
    }
    assert!(!lease.write(lease.len(), missing, &[]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_in_columns_of_every_type(
        rows in prop::collection::vec(prop::collection::vec(value(), 1..=2), 1..6),
        casting in prop_oneof![Just(Casting::Unsafe), Just(Casting::SameValue)],
    ) {
        for kind in TYPES {
            // One column from the bin; then another from inside it, too.
            let kind = parse_type("a", kind).expect("a type");
            let fields = vec![Field::new("a", kind.clone(), true), Field::new("inner", kind, true)];
            let path = Path { bin: "a".into(), steps: vec![Step::Int(0)].into() };
            let only = Schema::new(vec![fields[0].clone()]);
            for (schema, paths) in [(only, vec![]), (Schema::new(fields), vec![("inner", path)])] {
                let plan = Arc::new(ColumnPlan::new(&schema, casting, None, paths).expect("a plan"));
                let table = BatchTable::new(Some(plan), casting, rows.len() + 1).unwrap();
                fill(&table, &rows, |_| "a".into());
                let filled = table.finish(-15).expect("it has columns");
                check(&filled.batches, rows.len() + 1);
                prop_assert_eq!(filled.codes.get(filled.codes.len() - 1), Some(-15));
                prop_assert!(filled.report.failures.len() as u64 <= filled.report.failure_count);
            }
        }
    }

    #[test]
    fn any_bytes_are_inferred_from(rows in prop::collection::vec(prop::collection::vec(value(), 0..4), 1..6)) {
        let table = BatchTable::new(None, Casting::SameValue, rows.len()).unwrap();
        fill(&table, &rows, |at| format!("b{at}"));
        // Bins may mix types.
        if let Ok(filled) = table.finish(-15) {
            check(&filled.batches, rows.len());
        }
    }
}

#[test]
fn nils_take_no_more_memory_than_their_limit() {
    // 60,000 nils in 60 kB, for elements of 80 kB each.
    let kind = parse_type("a", "list<fixed_size_list<int64>[10000]>").unwrap();
    let schema = Schema::new(vec![Field::new("a", kind, true)]);
    let plan = ColumnPlan::new(&schema, Casting::SameValue, None, vec![]).unwrap();
    let table = BatchTable::new(Some(Arc::new(plan)), Casting::SameValue, 1).unwrap();
    let mut list = vec![0xdc];
    list.extend_from_slice(&60_000u16.to_be_bytes());
    list.resize(list.len() + 60_000, 0xc0);
    fill(&table, &[vec![(20, list)]], |_| "a".into());
    let filled = table.finish(-15).unwrap();
    assert_eq!(filled.report.failure_count, 1);
    assert!(filled.report.failures[0].misfit.to_string().contains("nil elements"));
    assert_eq!(filled.batches[0].column(0).null_count(), 1);
}

#[test]
fn maps_that_nest_deeply_are_observed_once_a_level() {
    let mut value = Vec::new();
    for _ in 0..100 {
        value.extend_from_slice(&[0x81, 0xa2, 3, b'a']);
    }
    value.push(1);
    let table = BatchTable::new(None, Casting::SameValue, 1).unwrap();
    fill(&table, &[vec![(19, value)]], |_| "m".into());
    let error = table.finish(-15).unwrap_err().to_string();
    assert!(error.contains("nests more than"), "{error}");
}

#[test]
fn rows_that_come_in_any_order_are_in_order() {
    let column = |name: &str, kind| Field::new(name, parse_type(name, kind).unwrap(), true);
    let schema = Schema::new(vec![column("n", "int64"), column("t", "utf8")]);
    let plan = Arc::new(ColumnPlan::new(&schema, Casting::SameValue, None, vec![]).unwrap());
    let rows = 140_000;
    let table = BatchTable::new(Some(plan), Casting::SameValue, rows).unwrap();
    let mut lease = table.lease().unwrap();
    for at in 0..rows {
        let row = at * 7919 % rows;
        let mut ops = Vec::new();
        write_op(&mut ops, 1, 1, b"n", &(row as i64).to_be_bytes());
        write_op(&mut ops, 1, 3, b"t", row.to_string().as_bytes());
        assert!(lease.write(row, RowAnswer { code: 0, generation: 1, ttl: 1 }, &ops));
    }
    drop(lease);
    let filled = table.finish(-15).unwrap();
    let sizes: Vec<usize> = filled.batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [65_536, 65_536, 140_000 - 2 * 65_536]);
    let mut row = 0;
    for batch in &filled.batches {
        let numbers = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
        let texts = batch.column(1).as_any().downcast_ref::<StringArray>().unwrap();
        for (number, text) in numbers.iter().zip(texts) {
            assert_eq!((number, text), (Some(row), Some(&*row.to_string())));
            row += 1;
        }
    }
}
