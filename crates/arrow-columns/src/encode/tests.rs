use std::sync::Arc;

use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder, StringViewBuilder};
use arrow_array::types::{Float32Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    FixedSizeListArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, ListArray,
    ListViewArray, NullArray, RecordBatch, RunArray, StringArray, StructArray, TimestampMillisecondArray,
    UInt64Array,
};
use arrow_buffer::ScalarBuffer;
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema};
use wire_protocol::digest::UserKey;
use wire_protocol::message::Ops;
use wire_protocol::msgpack::{Reader, Token};
use wire_protocol::particle::Particle;

use super::*;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn plan(batch: &RecordBatch, options: WriteOptions) -> Arc<WritePlan> {
    Arc::new(WritePlan::new(batch.schema().fields(), "id", None, options).unwrap())
}

/// A record batch as the C data interface passes it.
fn data(batch: &RecordBatch) -> ArrayData {
    StructArray::from(batch.clone()).into_data()
}

/// All rows of a record batch.
fn all_rows(plan: &Arc<WritePlan>, batch: &RecordBatch, first: usize) -> Result<RowsToWrite, Unwritable> {
    plan.rows(&data(batch), 0, batch.num_rows(), first)
}

fn ids(count: i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(0..count))
}

/// A value in a list or map, as text.
fn value_text(reader: &mut Reader<'_>) -> String {
    match reader.token().unwrap() {
        Token::List { len } => {
            let items: Vec<_> = (0..len).map(|_| value_text(reader)).collect();
            format!("[{}]", items.join(" "))
        }
        Token::Map { len } => {
            let items: Vec<_> =
                (0..len).map(|_| format!("{}:{}", value_text(reader), value_text(reader))).collect();
            format!("{{{}}}", items.join(" "))
        }
        Token::Int(value) => value.to_string(),
        Token::Float(value) => format!("{value:?}"),
        Token::Bool(value) => value.to_string(),
        Token::Str(text) => format!("'{}'", String::from_utf8_lossy(text)),
        Token::Blob(bytes) => format!("{bytes:?}"),
        Token::Nil => "nil".into(),
        other => panic!("{other:?}"),
    }
}

/// A row's operations, as text: the bins that are written, with their values.
fn written(rows: &RowsToWrite, row: usize) -> String {
    let mut out = Vec::new();
    let count = rows.write_row(row, &mut out).unwrap();
    assert!(out.len() <= rows.max_size(row), "{} bytes, announced as {}", out.len(), rows.max_size(row));
    let mut bins = Vec::new();
    for op in Ops::over(&out) {
        let name = String::from_utf8_lossy(op.name).into_owned();
        let value = match op.particle().unwrap() {
            Particle::Int(value) => value.to_string(),
            Particle::Float(value) => format!("{value:?}"),
            Particle::Bool(value) => value.to_string(),
            Particle::Str(text) => format!("'{}'", String::from_utf8_lossy(text)),
            Particle::Blob(bytes) => format!("{bytes:?}"),
            Particle::Nil => "nil".into(),
            Particle::List(bytes) | Particle::Map(bytes) => {
                let mut reader = Reader::new(bytes);
                let text = value_text(&mut reader);
                assert!(reader.is_at_end());
                text
            }
            other => panic!("{other:?}"),
        };
        bins.push(format!("{name}={value}"));
    }
    assert_eq!(count, bins.len());
    bins.join(", ")
}

/// What a column's values are written as.
fn all_written(array: ArrayRef) -> Vec<String> {
    let batch = batch(vec![("id", ids(array.len() as i64)), ("v", array)]);
    let plan = plan(&batch, WriteOptions::default());
    let whole = all_rows(&plan, &batch, 0).unwrap();
    let all: Vec<String> = (0..batch.num_rows())
        .map(|row| written(&whole, row).split_once(", v=").map_or("-".into(), |(_, value)| value.into()))
        .collect();
    // Each row alone is written in the same way: slices have offsets of their own.
    for (row, expected) in all.iter().enumerate() {
        // The offset of a struct counts in its columns, as the C data interface has it.
        let outer = data(&batch).into_builder().offset(row).len(1).build().unwrap();
        for rows in [
            all_rows(&plan, &batch.slice(row, 1), row),
            plan.rows(&data(&batch), row, 1, row),
            plan.rows(&outer, 0, 1, row),
        ] {
            let rows = rows.unwrap();
            let one = written(&rows, 0);
            assert_eq!(one.split_once(", v=").map_or("-", |(_, value)| value), expected, "row {row} alone");
            assert_eq!(rows.key(0), UserKey::Int(row as i64));
        }
    }
    all
}

fn why(array: ArrayRef) -> String {
    let batch = batch(vec![("id", ids(array.len() as i64)), ("v", array)]);
    all_rows(&plan(&batch, WriteOptions::default()), &batch, 100).unwrap_err().to_string()
}

#[test]
fn scalars() {
    assert_eq!(all_written(Arc::new(Int16Array::from(vec![Some(-3), None, Some(7)]))), ["-3", "-", "7"]);
    assert_eq!(
        all_written(Arc::new(UInt64Array::from(vec![Some(i64::MAX as u64), None]))),
        ["9223372036854775807", "-"]
    );
    assert_eq!(all_written(Arc::new(Float32Array::from(vec![0.5, f32::INFINITY]))), ["0.5", "inf"]);
    assert_eq!(all_written(Arc::new(Float64Array::from(vec![Some(f64::NAN), None]))), ["NaN", "-"]);
    assert_eq!(
        all_written(Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ["true", "false", "-"]
    );
    assert_eq!(all_written(Arc::new(TimestampMillisecondArray::from(vec![Some(-1), None]))), ["-1", "-"]);
    assert_eq!(all_written(Arc::new(NullArray::new(2))), ["-", "-"]);
    let half = arrow_array::Float16Array::from_iter_values(
        [0.5f32, -2.0].map(|value| value.to_string().parse().unwrap()),
    );
    assert_eq!(all_written(Arc::new(half)), ["0.5", "-2.0"]);
}

#[test]
fn text_and_bytes() {
    let long = "x".repeat(300);
    let text = vec![Some("a"), None, Some(""), Some("größer"), Some(long.as_str())];
    let expected: Vec<String> =
        text.iter().map(|text| text.map_or("-".into(), |text| format!("'{text}'"))).collect();
    assert_eq!(all_written(Arc::new(StringArray::from(text.clone()))), expected);
    assert_eq!(all_written(Arc::new(arrow_array::LargeStringArray::from(text.clone()))), expected);
    let mut views = StringViewBuilder::new();
    text.iter().for_each(|text| views.append_option(*text));
    assert_eq!(all_written(Arc::new(views.finish())), expected);
    let dictionary: DictionaryArray<Int8Type> = text.into_iter().collect();
    assert_eq!(all_written(Arc::new(dictionary)), expected);
    assert_eq!(all_written(Arc::new(BinaryArray::from(vec![&b"\xff\0"[..], b""]))), ["[255, 0]", "[]"]);
    let fixed = FixedSizeBinaryArray::try_from_iter([b"ab", b"cd", b"ef"].into_iter()).unwrap();
    assert_eq!(all_written(Arc::new(fixed)), ["[97, 98]", "[99, 100]", "[101, 102]"]);
}

#[test]
fn lists() {
    let lists = vec![Some(vec![Some(1.5), None]), None, Some(vec![]), Some(vec![Some(2.0)])];
    let expected = ["[1.5 nil]", "-", "[]", "[2.0]"];
    assert_eq!(
        all_written(Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists.clone()))),
        expected
    );
    let large = arrow_array::LargeListArray::from_iter_primitive::<Float32Type, _, _>(lists.clone());
    assert_eq!(all_written(Arc::new(large)), expected);
    assert_eq!(
        all_written(Arc::new(ListViewArray::from_iter_primitive::<Float32Type, _, _>(lists))),
        expected
    );
    let fixed = vec![Some(vec![Some(1), Some(-200)]), None, Some(vec![Some(70_000), Some(3)])];
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(fixed, 2);
    assert_eq!(all_written(Arc::new(fixed)), ["[1 -200]", "-", "[70000 3]"]);
    // Views may overlap and run in any order.
    let views = ListViewArray::new(
        Arc::new(Field::new_list_field(DataType::Int64, true)),
        ScalarBuffer::from(vec![1, 0, 2]),
        ScalarBuffer::from(vec![2, 3, 0]),
        ids(3),
        None,
    );
    assert_eq!(all_written(Arc::new(views)), ["[1 2]", "[0 1 2]", "[]"]);
}

#[test]
fn structs_and_maps() {
    let fields =
        Fields::from(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
    let a: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, None, Some(4)]));
    let b: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("y"), None, Some("z")]));
    let structs = StructArray::new(fields, vec![a, b], Some(vec![true, true, true, false].into()));
    // A null field is left out, and a null struct is a bin that is left out.
    assert_eq!(all_written(Arc::new(structs)), ["{'a':1 'b':'x'}", "{'b':'y'}", "{}", "-"]);

    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    maps.keys().append_value("k");
    maps.values().append_value(1);
    maps.keys().append_value("l");
    maps.values().append_null();
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    maps.append(true).unwrap();
    assert_eq!(all_written(Arc::new(maps.finish())), ["{'k':1 'l':nil}", "-", "{}"]);
}

#[test]
fn dictionaries_and_runs() {
    let keys = Int16Array::from(vec![Some(1), None, Some(0), Some(2)]);
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(10), Some(20), None]));
    let dictionary = DictionaryArray::<Int16Type>::try_new(keys, values).unwrap();
    assert_eq!(all_written(Arc::new(dictionary)), ["20", "-", "10", "-"]);
    let ends = Int64Array::from(vec![2, 3, 5]);
    let values = StringArray::from(vec![Some("a"), None, Some("b")]);
    let runs = RunArray::<Int64Type>::try_new(&ends, &values).unwrap();
    assert_eq!(all_written(Arc::new(runs)), ["'a'", "'a'", "-", "'b'", "'b'"]);
}

#[test]
fn nulls_are_left_out_or_removed() {
    let columns = || {
        let v: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(1), None]));
        let w: ArrayRef = Arc::new(BooleanArray::from(vec![None, Some(true), Some(false)]));
        batch(vec![("id", ids(3)), ("v", v), ("w", w)])
    };
    let batch = columns();
    let bins = Some(&["v".to_owned(), "w".to_owned()][..]);
    let made = |options| Arc::new(WritePlan::new(batch.schema().fields(), "id", bins, options).unwrap());
    let omit = made(WriteOptions::default());
    let rows = all_rows(&omit, &batch, 0).unwrap();
    assert_eq!(
        (written(&rows, 0), written(&rows, 1), written(&rows, 2)),
        ("".into(), "v=1, w=true".into(), "w=false".into())
    );
    assert_eq!([0, 1, 2].map(|row| rows.has_no_values(row)), [true, false, false]);
    let remove = made(WriteOptions { nulls: Nulls::Remove, bools_as_integers: true });
    let rows = all_rows(&remove, &batch, 0).unwrap();
    assert_eq!((written(&rows, 0), written(&rows, 2)), ("v=nil, w=nil".into(), "v=nil, w=0".into()));
    assert!(!rows.has_no_values(0));
    assert_eq!(remove.bin_names().collect::<Vec<_>>(), ["v", "w"]);
}

#[test]
fn keys() {
    let key_of = |array: ArrayRef| -> Vec<String> {
        let batch = batch(vec![("id", array)]);
        let rows = all_rows(&plan(&batch, WriteOptions::default()), &batch, 0).unwrap();
        (0..rows.len()).map(|row| format!("{:?}", rows.key(row))).collect()
    };
    assert_eq!(key_of(Arc::new(arrow_array::UInt8Array::from(vec![200]))), ["Int(200)"]);
    assert_eq!(key_of(Arc::new(StringArray::from(vec!["a"]))), ["Str([97])"]);
    assert_eq!(key_of(Arc::new(BinaryArray::from(vec![&b"a"[..]]))), ["Blob([97])"]);
    let dictionary: DictionaryArray<Int32Type> = ["b", "a", "b"].into_iter().collect();
    assert_eq!(key_of(Arc::new(dictionary)), ["Str([98])", "Str([97])", "Str([98])"]);

    let refused = |array: ArrayRef| {
        let batch = batch(vec![("id", array)]);
        WritePlan::new(batch.schema().fields(), "id", None, WriteOptions::default()).unwrap_err()
    };
    let error = refused(Arc::new(Float64Array::from(vec![1.0])));
    assert!(error.is_type_error() && error.to_string().contains("\"id\" is float64"), "{error}");
    assert!(refused(Arc::new(TimestampMillisecondArray::from(vec![1]))).is_type_error());
    assert!(refused(Arc::new(BooleanArray::from(vec![true]))).is_type_error());

    let batch = batch(vec![("id", Arc::new(Int64Array::from(vec![Some(1), None])))]);
    let error = all_rows(&plan(&batch, WriteOptions::default()), &batch, 5).unwrap_err();
    assert_eq!((error.row, &error.why), (6, &WhyNot::NullKey));
}

#[test]
fn values_that_no_bin_can_hold() {
    let large = 1u64 << 63;
    assert!(
        why(Arc::new(UInt64Array::from(vec![1, large])))
            .starts_with("row 101, column 'v': 9223372036854775808 is")
    );
    // Behind a null is anything.
    let hidden = UInt64Array::new(vec![1, large].into(), Some(vec![true, false].into()));
    assert_eq!(all_written(Arc::new(hidden)), ["1", "-"]);
    let lists = ListArray::from_iter_primitive::<arrow_array::types::UInt64Type, _, _>([
        Some(vec![Some(1)]),
        Some(vec![None, Some(large)]),
    ]);
    assert!(why(Arc::new(lists)).starts_with("row 101, column 'v': 9223372036854775808 is"));
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for key in ["a", "b", "a"] {
        maps.keys().append_value(key);
        maps.values().append_value(1);
    }
    maps.append(true).unwrap();
    assert!(why(Arc::new(maps.finish())).contains("its map has the key \"a\" twice"));
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for key in 0..20 {
        maps.keys().append_value(format!("key {}", key % 19));
        maps.values().append_value(1);
    }
    maps.append(true).unwrap();
    assert!(why(Arc::new(maps.finish())).contains("its map has the key \"key 0\" twice"));
}

#[test]
fn refused_schemas() {
    let refused = |name: &str, data_type: DataType| {
        let schema =
            Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new(name, data_type, true)]);
        WritePlan::new(schema.fields(), "id", None, WriteOptions::default()).unwrap_err()
    };
    let decimal = DataType::Decimal128(10, 2);
    let error = refused("price", decimal.clone());
    assert!(error.is_type_error());
    assert_eq!(
        error.to_string(),
        "column \"price\" is decimal(10, 2), which no bin can hold; cast it to float64, to text, or to an integer \
         of its smallest unit"
    );
    let inner = DataType::Struct(vec![Field::new("x", decimal, true)].into());
    let error = refused("v", DataType::List(Arc::new(Field::new_list_field(inner, true))));
    assert!(error.to_string().starts_with("column \"v\", its elements, field \"x\" is decimal"), "{error}");
    for unit in [IntervalUnit::DayTime, IntervalUnit::MonthDayNano, IntervalUnit::YearMonth] {
        assert!(refused("v", DataType::Interval(unit)).is_type_error());
    }
    let float_keys = Field::new(
        "entries",
        DataType::Struct(
            vec![Field::new("keys", DataType::Float64, false), Field::new("values", DataType::Int8, true)]
                .into(),
        ),
        false,
    );
    assert!(matches!(
        refused("v", DataType::Map(Arc::new(float_keys), false)),
        RefusedSchema::MapKeys { .. }
    ));
    assert!(matches!(
        refused("a name of 16 byt", DataType::Int8),
        RefusedSchema::NameTooLong { length: 16, .. }
    ));
    assert!(matches!(refused("__index_level_0__", DataType::Int8), RefusedSchema::PandasIndex { .. }));
    assert!(matches!(refused("", DataType::Int8), RefusedSchema::EmptyName));
    assert!(matches!(refused("id", DataType::Int8), RefusedSchema::DuplicateName { .. }));
    let deep = (0..200)
        .fold(DataType::Int8, |inner, _| DataType::List(Arc::new(Field::new_list_field(inner, true))));
    assert!(matches!(refused("v", deep), RefusedSchema::TooDeep { .. }));
    let twice = DataType::Struct(vec![Field::new("x", DataType::Int8, true); 2].into());
    assert!(matches!(refused("v", twice), RefusedSchema::DuplicateField { .. }));

    let schema = Schema::new(vec![Field::new("id", DataType::Int64, true)]);
    let named = |key: &str, bins: &[&str]| {
        let bins: Vec<String> = bins.iter().map(|bin| (*bin).to_owned()).collect();
        WritePlan::new(schema.fields(), key, Some(&bins), WriteOptions::default()).unwrap_err().to_string()
    };
    assert_eq!(named("key", &["id"]), "data has no column \"key\" for the primary keys; it has \"id\"");
    assert_eq!(named("id", &["x"]), "bins has \"x\", but data has no such column; it has \"id\"");
    assert!(named("id", &[]).contains("no column to write"));
}

#[test]
fn a_reader_gives_checked_parts() {
    let good = batch(vec![("id", ids(5))]);
    let bad = batch(vec![("id", Arc::new(Int64Array::from(vec![Some(1), Some(2), None])))]);
    let schema = bad.schema();
    let reader = |batches: Vec<Result<ArrayData, String>>| {
        let batches = Box::new(batches.into_iter());
        RowReader::new(batches, schema.fields(), "id", None, WriteOptions::default()).unwrap()
    };
    let mut rows = reader(vec![Ok(data(&good)), Ok(data(&bad))]);
    let parts = rows.next_rows(2).unwrap().unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.first(), part.len())).collect::<Vec<_>>(),
        [(0, 2), (2, 2), (4, 1)]
    );
    assert!(parts.iter().all(|part| !part.is_empty()));
    let error = rows.next_rows(2).unwrap().unwrap_err().to_string();
    assert!(error.starts_with("data: row 7, column 'id': the primary key is null"), "{error}");
    assert!(error.ends_with("the 5 rows of the blocks before were sent, see the error's batch"), "{error}");
    assert!(rows.next_rows(2).is_none());
    let mut rows = reader(vec![Ok(data(&good)), Err("the disk is full".into())]);
    rows.next_rows(10).unwrap().unwrap();
    let error = rows.next_rows(10).unwrap().unwrap_err().to_string();
    assert_eq!(error, "data: reading the rows from 5 on failed: the disk is full");
}

/// Structs in structs and in lists of a fixed length, with offsets at each level.
#[test]
fn offsets_of_nested_structs() {
    let part = |data: ArrayData, offset: usize, len: usize| {
        data.into_builder().offset(offset).len(len).build().unwrap()
    };
    let numbers = ids(12).into_data();
    let inner_fields = Fields::from(vec![Field::new("x", DataType::Int64, true)]);
    let inner = ArrayData::builder(DataType::Struct(inner_fields.clone())).len(12).add_child_data(numbers);
    let inner = part(inner.build().unwrap(), 1, 11);
    let outer_fields = Fields::from(vec![Field::new("inner", DataType::Struct(inner_fields.clone()), true)]);
    let outer = ArrayData::builder(DataType::Struct(outer_fields)).len(11).add_child_data(inner.clone());
    let outer = part(outer.build().unwrap(), 2, 4);
    let column = super::column::Column::of(&outer, 1, 3).unwrap();
    let packed = |column: &super::column::Column, row: usize| {
        let mut out = Vec::new();
        column.pack(row, false, &mut out).unwrap();
        value_text(&mut Reader::new(&out))
    };
    assert_eq!(
        [0, 1, 2].map(|row| packed(&column, row)),
        [4, 5, 6].map(|x| format!("{{'inner':{{'x':{x}}}}}"))
    );
    assert!(super::column::Column::of(&outer, 1, 4).is_none(), "it has no such rows");

    let item = Arc::new(Field::new_list_field(DataType::Struct(inner_fields), true));
    let lists = ArrayData::builder(DataType::FixedSizeList(item, 2)).len(5).add_child_data(inner);
    let column = super::column::Column::of(&part(lists.build().unwrap(), 1, 4), 1, 2).unwrap();
    assert_eq!(packed(&column, 1), "[{'x':7} {'x':8}]");
}
