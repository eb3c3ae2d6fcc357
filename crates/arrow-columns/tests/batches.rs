//! The rows of batches in columns: text and bytes that wait in blocks, numbers that are placed, and other values.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_columns::{BatchTable, ColumnPlan, FilledBatch, RowAnswer, TableBuilder, TableError, parse_type};
use arrow_schema::{Field, Schema};
use record_decode::Casting;
use wire_protocol::message::write_op;

const FOUND: RowAnswer = RowAnswer { code: 0, generation: 1, ttl: 1 };
const MISSING: RowAnswer = RowAnswer { code: 2, generation: 0, ttl: 0 };

fn plan(columns: &[(&str, &str)]) -> Arc<ColumnPlan> {
    let column = |(name, kind): &(&str, &str)| Field::new(*name, parse_type(name, kind).unwrap(), true);
    let schema = Schema::new(columns.iter().map(column).collect::<Vec<_>>());
    Arc::new(ColumnPlan::new(&schema, Casting::SameValue, None, vec![]).unwrap())
}

fn ops(bins: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut ops = Vec::new();
    for (name, kind, value) in bins {
        write_op(&mut ops, 1, *kind, name.as_bytes(), value);
    }
    ops
}

/// The batch whose row `row` is `record(row)`, answered in the order of `order`.
fn filled(
    plan: Arc<ColumnPlan>,
    rows: usize,
    order: impl Iterator<Item = usize>,
    record: impl Fn(usize) -> Option<Vec<u8>>,
) -> FilledBatch {
    let table = BatchTable::new(Some(plan), Casting::SameValue, rows).unwrap();
    let mut lease = table.lease().unwrap();
    for row in order {
        let taken = match record(row) {
            Some(ops) => lease.write(row, FOUND, &ops),
            None => lease.write(row, MISSING, &[]),
        };
        assert!(taken);
    }
    drop(lease);
    let filled = table.finish(-15).unwrap();
    for batch in &filled.batches {
        batch.columns().iter().for_each(|column| column.to_data().validate_full().unwrap());
    }
    filled
}

fn texts(batches: &[RecordBatch], column: usize) -> Vec<Option<String>> {
    let texts = |batch: &RecordBatch| {
        batch.column(column).as_string::<i32>().iter().map(|text| text.map(String::from)).collect::<Vec<_>>()
    };
    batches.iter().flat_map(texts).collect()
}

#[test]
fn each_text_is_checked_alone() {
    // Together, rows 1 and 2 are the two bytes of one character, and so are rows 4 and 5.
    let values: [&[u8]; 7] = [b"ok", b"\xc3", b"\xa9", b"", b"x\xc3", b"\xa9y", "é".as_bytes()];
    for order in [[0, 1, 2, 3, 4, 5, 6], [6, 2, 4, 0, 1, 5, 3]] {
        let filled =
            filled(plan(&[("t", "utf8")]), 7, order.into_iter(), |row| Some(ops(&[("t", 3, values[row])])));
        let expected = [Some("ok"), None, None, Some(""), None, None, Some("é")];
        assert_eq!(texts(&filled.batches, 0), expected.map(|text| text.map(String::from)));
        assert_eq!(filled.report.failure_count, 4);
        let rows: Vec<usize> = filled.report.failures.iter().map(|failure| failure.row).collect();
        assert_eq!(rows, [1, 2, 4, 5]);
        assert!(filled.report.failures[2].misfit.to_string().contains("not UTF-8 at position 1"));
        assert!(filled.report.missing.is_empty());
    }
}

#[test]
fn values_of_other_types_fail_in_the_order_of_rows() {
    let columns = plan(&[("t", "utf8"), ("b", "binary"), ("n", "int64"), ("l", "list<int64>")]);
    let geo = [&[0, 0, 0][..], b"{}"].concat();
    let records: [Vec<u8>; 6] = [
        ops(&[("t", 4, b"blob"), ("b", 1, &[0; 8]), ("n", 3, b"text"), ("l", 3, b"text")]),
        ops(&[("t", 0, b""), ("b", 0, b""), ("n", 0, b""), ("l", 0, b"")]),
        ops(&[("t", 23, &geo), ("b", 18, b"hll"), ("n", 17, &[1]), ("l", 20, &[0x91, 7])]),
        ops(&[("t", 1, &[0; 8]), ("n", 1, &[0; 7])]),
        ops(&[("other", 1, &[0; 8])]),
        ops(&[("t", 3, b"first"), ("t", 3, b"second"), ("n", 1, &[1; 8]), ("n", 1, &[2; 8])]),
    ];
    let filled = filled(columns, 6, [5, 4, 3, 2, 1, 0].into_iter(), |row| Some(records[row].clone()));
    let failed: Vec<(usize, &str)> =
        filled.report.failures.iter().map(|failure| (failure.row, &*failure.column)).collect();
    let mut sorted = failed.clone();
    sorted.sort_by_key(|&(row, _)| row);
    assert_eq!(failed, sorted);
    sorted.sort_unstable();
    assert_eq!(sorted, [(0, "b"), (0, "l"), (0, "n"), (0, "t"), (3, "n"), (3, "t")]);
    assert_eq!(filled.report.unmatched, [Box::from(*b"other")]);
    let batch = &filled.batches[0];
    let expected = [None, None, Some("{}"), None, None, Some("first")];
    assert_eq!(texts(&filled.batches, 0), expected.map(|text| text.map(String::from)));
    assert_eq!(batch.column(1).as_binary::<i32>().iter().flatten().collect::<Vec<_>>(), [b"hll"]);
    let number = i64::from_be_bytes([1; 8]);
    let numbers: Vec<Option<i64>> = batch.column(2).as_primitive::<Int64Type>().iter().collect();
    assert_eq!(numbers, [None, None, Some(1), None, None, Some(number)]);
    assert_eq!(batch.column(3).null_count(), 5);
}

/// The value of a row: sometimes none, of lengths from none to some hundred bytes.
fn text(row: usize, place: usize) -> Option<String> {
    let length = row * 7 % 41 + if row.is_multiple_of(997) { 300 } else { 0 };
    (!(row + place).is_multiple_of(11)).then(|| "aé".chars().cycle().skip(row % 2).take(length).collect())
}

#[test]
fn rows_in_any_order_make_the_same_columns_as_in_order() {
    let columns =
        [("a", "utf8"), ("x", "float64"), ("b", "large_utf8"), ("v", "utf8_view"), ("l", "list<float64>")];
    let rows = 70_000;
    let record = |row: usize| {
        let mut ops = Vec::new();
        // Bins come in an order that differs from row to row.
        let names = if row.is_multiple_of(3) { ["v", "a", "b"] } else { ["a", "b", "v"] };
        for (place, name) in names.iter().enumerate() {
            if let Some(text) = text(row, place) {
                write_op(&mut ops, 1, 3, name.as_bytes(), text.as_bytes());
            }
        }
        write_op(&mut ops, 1, 2, b"x", &(row as f64).to_be_bytes());
        let double = [&[0xcb][..], &(row as f64).to_be_bytes()].concat();
        let list = [&[0x90 | (row % 8) as u8][..], &double.repeat(row % 8)].concat();
        write_op(&mut ops, 1, 20, b"l", &list);
        (!row.is_multiple_of(13)).then_some(ops)
    };
    // What a query makes of them, whose records are appended one after the other.
    let mut builder = TableBuilder::new(plan(&columns), 65_536, false);
    (0..rows).for_each(|row| match record(row) {
        Some(ops) => builder.push(&ops),
        None => builder.push_null(),
    });
    let (expected, _) = builder.take().unwrap();
    assert_eq!(expected.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [65_536, rows - 65_536]);
    let orders: [fn(usize) -> usize; 3] = [|row| row, |row| 69_999 - row, |row| row * 7919 % 70_000];
    for order in orders {
        let filled = filled(plan(&columns), rows, (0..rows).map(order), record);
        assert!(filled.batches == expected);
        assert_eq!(filled.report.failure_count, 0);
    }
    let numbers = expected[0].column(1).as_primitive::<Float64Type>();
    assert_eq!((numbers.value(1), numbers.is_null(13)), (1.0, true));
}

#[test]
fn a_batch_without_text_needs_no_blocks_and_one_without_answers_is_null() {
    let numbers = plan(&[("a", "int64"), ("b", "float32")]);
    let filled_numbers = filled(Arc::clone(&numbers), 66_000, [65_999].into_iter(), |_| {
        Some(ops(&[("a", 1, &7i64.to_be_bytes())]))
    });
    assert_eq!(filled_numbers.batches.len(), 2);
    assert_eq!(filled_numbers.batches[1].column(0).as_primitive::<Int64Type>().values()[463], 7);
    assert_eq!(filled_numbers.report.missing, [Box::from("b")]);
    for columns in [numbers, plan(&[("t", "utf8"), ("l", "list<utf8>")])] {
        let none = filled(columns, 66_000, [].into_iter(), |_| None);
        assert_eq!(none.batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [65_536, 464]);
        assert!(none.batches.iter().all(|batch| batch.column(0).null_count() == batch.num_rows()));
        assert!(none.report.missing.is_empty() && none.codes.iter().all(|code| code == -15));
    }
}

#[test]
fn columns_that_no_bin_fills_are_null() {
    let fields = ["n", "t", "l"].map(|name| {
        let kind = ["int64", "utf8", "list<utf8>"][usize::from(name == "t") + 2 * usize::from(name == "l")];
        Field::new(name, parse_type(name, kind).unwrap(), true)
    });
    let schema = Schema::new(fields.to_vec());
    for bins in [&["n"][..], &["t"], &["l"], &["n", "l"], &[]] {
        let plan = ColumnPlan::new(&schema, Casting::SameValue, Some(bins), vec![]).unwrap();
        let filled = filled(Arc::new(plan), 2000, (0..2000).rev(), |_| {
            let all = [("n", 1, &[0; 8][..]), ("t", 3, b"text"), ("l", 20, &[0x90])];
            Some(ops(&all.into_iter().filter(|(name, ..)| bins.contains(name)).collect::<Vec<_>>()))
        });
        for (column, name) in ["n", "t", "l"].iter().enumerate() {
            let nulls = if bins.contains(name) { 0 } else { 2000 };
            assert_eq!(filled.batches[0].column(column).null_count(), nulls, "{name} of {bins:?}");
        }
        assert!(filled.report.missing.is_empty());
    }
}

#[test]
fn columns_take_little_more_memory_than_their_values() {
    let filled = filled(plan(&[("t", "utf8"), ("l", "list<float64>")]), 70_000, 0..70_000, |row| {
        let text = "x".repeat(row % 60);
        let double = [&[0xcb][..], &1f64.to_be_bytes()].concat();
        let list = [&[0x95][..], &double.repeat(5)].concat();
        Some(ops(&[("t", 3, text.as_bytes()), ("l", 20, &list)]))
    });
    for column in filled.batches.iter().flat_map(RecordBatch::columns) {
        let data = column.to_data();
        let (taken, needed) = (column.get_buffer_memory_size(), data.get_slice_memory_size().unwrap());
        assert!(taken <= needed + needed / 50 + 1024, "{taken} bytes for {needed}");
    }
}

#[test]
fn columns_that_no_memory_holds_are_an_error() {
    for kind in ["int64", "bool", "timestamp[ns]"] {
        // 128 TiB for the bits alone that say which rows have a value.
        let table = BatchTable::new(Some(plan(&[("n", kind)])), Casting::SameValue, 1 << 50);
        assert!(matches!(table, Err(TableError::NoMemory)), "{kind}");
    }
}

#[test]
fn rows_have_the_answer_that_came_first() {
    let table = BatchTable::new(Some(plan(&[("n", "int64")])), Casting::SameValue, 3_000).unwrap();
    let mut lease = table.lease().unwrap();
    let bin = ops(&[("n", 1, &7i64.to_be_bytes())]);
    for row in (0..3_000).filter(|row| row % 3 != 0) {
        let answer = RowAnswer { code: 0, generation: row as u32 % 5, ttl: 60 };
        assert!(lease.write(row, answer, &bin));
        assert!(!lease.write(row, MISSING, &[]));
    }
    assert!(lease.write(3, MISSING, &[]) && !lease.write(3, FOUND, &bin) && !lease.write(3_000, FOUND, &bin));
    drop(lease);
    let filled = table.finish(-15).unwrap();
    for row in 0..3_000 {
        let found = (filled.codes.get(row), filled.meta.generations.get(row), filled.meta.ttls.get(row));
        let expected = match row {
            3 => (2, 0, 0),
            row if row % 3 == 0 => (-15, 0, 0),
            row => (0, row as u32 % 5, 60),
        };
        assert_eq!(found, (Some(expected.0), Some(expected.1), Some(expected.2)), "row {row}");
    }
    assert_eq!(filled.batches[0].column(0).null_count(), 1_000);
}

#[test]
fn short_text_of_any_kind_is_copied_whole() {
    // A GeoJSON value begins with flags and a number of cells, of eight bytes each.
    let geo = |text: &str| {
        let mut value = vec![0, 0, 1];
        value.extend_from_slice(&[9; 8]);
        value.extend_from_slice(text.as_bytes());
        value
    };
    let record = |row: usize| {
        let text = "0123456789abcdefghijklmnopqrstuvwxyz0123456789".get(..row % 47).unwrap();
        let (geo, blob) = (geo(text), text.as_bytes());
        Some(ops(&[("g", 23, &geo), ("t", 3, text.as_bytes()), ("b", 4, blob), ("z", 3, b"!")]))
    };
    let columns = [("g", "utf8"), ("t", "utf8"), ("b", "binary"), ("z", "utf8")];
    let filled = filled(plan(&columns), 2_000, (0..2_000).rev(), record);
    let (geo, text) = (texts(&filled.batches, 0), texts(&filled.batches, 1));
    let expected = |row: usize| "0123456789abcdefghijklmnopqrstuvwxyz0123456789".get(..row % 47);
    for row in 0..2_000 {
        assert_eq!((geo[row].as_deref(), text[row].as_deref()), (expected(row), expected(row)), "{row}");
    }
    let blobs = filled.batches[0].column(2).as_binary::<i32>().clone();
    assert!((0..2_000).all(|row| Some(blobs.value(row)) == expected(row).map(str::as_bytes)));
    assert_eq!(texts(&filled.batches, 3), vec![Some("!".to_string()); 2_000]);
}
