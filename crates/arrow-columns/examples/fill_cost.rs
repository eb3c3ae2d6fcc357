//! What a row of a batch costs: into Arrow columns, and into the rows of a structured array.
//!
//! ```sh
//! cargo run --release -p arrow-columns --example fill_cost
//! valgrind --tool=callgrind target/release/examples/fill_cost texts columns 2
//! ```
//!
//! With arguments it fills `columns` or an `array` so many times with rows of `numbers` or `texts`, to be counted: the
//! difference of two runs is what so many fillings cost. A third kind, `mixed`, is `texts` whose rows come from several
//! nodes.

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::sync::Arc;
use std::time::Instant;

use arrow_columns::{BatchTable, ColumnPlan, RowAnswer, parse_type};
use arrow_schema::{Field as Column, Schema as Columns};
use dtype_schema::{Element, Field, Schema};
use record_decode::{Casting, Plan, RowBuffer, RowMemory};
use wire_protocol::batch::{BatchAnswer, BatchAnswers, Record};
use wire_protocol::message::{MessageHeader, op, write_op};

const ROWS: usize = 100_000;
const RUNS: usize = 9;

/// A column: the type of its bin, of its Arrow column, and of its field.
type Kind = (u8, &'static str, (char, usize));

fn main() {
    let numeric: [Kind; 5] = [
        (1, "int64", ('i', 8)),
        (2, "float64", ('f', 8)),
        (1, "int32", ('i', 4)),
        (2, "float32", ('f', 4)),
        (1, "int64", ('i', 8)),
    ];
    let texts: [Kind; 5] = [(3, "utf8", ('S', 40)); 5];
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [what, into, passes] = &*arguments {
        let kinds = if what == "numbers" { &numeric } else { &texts };
        let nodes = if what == "mixed" { 3 } else { 1 };
        let messages: Vec<Vec<u8>> = (0..ROWS).map(|row| message(row, kinds)).collect();
        let records: Vec<Record<'_>> = messages.iter().map(|message| record(message)).collect();
        for _ in 0..passes.parse().expect("a number of passes") {
            std::hint::black_box(match into.as_str() {
                "columns" => into_columns(kinds, &records, nodes),
                _ => into_array(kinds, &records),
            });
        }
        return;
    }
    compare("5 numbers", &numeric);
    compare("5 texts of 5 to 40 bytes", &texts);
}

fn compare(what: &str, kinds: &[Kind]) {
    let messages: Vec<Vec<u8>> = (0..ROWS).map(|row| message(row, kinds)).collect();
    let records: Vec<Record<'_>> = messages.iter().map(|message| record(message)).collect();
    let columns = best(|| into_columns(kinds, &records, 1));
    let mixed = best(|| into_columns(kinds, &records, 3));
    let rows = best(|| into_array(kinds, &records));
    println!(
        "{what}: {columns:.0} ns into columns, {mixed:.0} ns from three nodes, {rows:.0} ns into an array, of a row"
    );
}

/// Frames of 200 rows, which come from so many nodes in turns.
fn into_columns(kinds: &[Kind], records: &[Record<'_>], nodes: usize) -> usize {
    let table = BatchTable::new(Some(Arc::new(plan(kinds))), Casting::SameValue, ROWS).expect("memory");
    for page in 0..ROWS.div_ceil(200 * nodes) {
        for node in 0..nodes {
            let mut lease = table.lease().expect("the table is open");
            let rows = page * 200 * nodes..ROWS.min((page + 1) * 200 * nodes);
            for row in rows.filter(|row| row % nodes == node) {
                let record = &records[row];
                let answer = RowAnswer { code: 0, generation: record.generation, ttl: 1 };
                lease.write(row, answer, record.ops_bytes());
            }
        }
    }
    table.finish(-1).expect("it has columns").batches.len()
}

/// Nanoseconds of a row.
fn best(mut run: impl FnMut() -> usize) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed().as_nanos() as f64 / ROWS as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

fn message(row: usize, kinds: &[Kind]) -> Vec<u8> {
    let mut out = Vec::new();
    let n_ops = kinds.len() as u16;
    MessageHeader { generation: 1, n_ops, ..MessageHeader::default() }.write(&mut out);
    for (at, (kind, ..)) in kinds.iter().enumerate() {
        let name = format!("bin{at}");
        let text = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";
        let number = (row % 1000) as i64;
        match kind {
            1 => write_op(&mut out, op::READ, 1, name.as_bytes(), &number.to_be_bytes()),
            2 => write_op(&mut out, op::READ, 2, name.as_bytes(), &(number as f64).to_be_bytes()),
            _ => {
                let length = 5 + (row * 7 + at * 13) % 36;
                write_op(
                    &mut out,
                    op::READ,
                    *kind,
                    name.as_bytes(),
                    text.get(..length).unwrap_or(text).as_bytes(),
                );
            }
        }
    }
    out
}

fn record(message: &[u8]) -> Record<'_> {
    match BatchAnswers::new(message).next() {
        Some(Ok(BatchAnswer::Record(record))) => record,
        other => panic!("no record: {other:?}"),
    }
}

fn plan(kinds: &[Kind]) -> ColumnPlan {
    let column = |(at, kind): (usize, &Kind)| {
        Column::new(format!("bin{at}"), parse_type("bin", kind.1).expect("a type"), true)
    };
    let schema = Columns::new(kinds.iter().enumerate().map(column).collect::<Vec<_>>());
    ColumnPlan::new(&schema, Casting::SameValue, None, Vec::new()).expect("a schema")
}

fn into_array(kinds: &[Kind], records: &[Record<'_>]) -> usize {
    let mut offset = 0;
    let mut fields = Vec::new();
    for (at, (_, _, (kind, size))) in kinds.iter().enumerate() {
        let name = format!("bin{at}");
        let element = Element::from_numpy(&name, *kind, *size, '=').expect("an element");
        fields.push(Field::new(&name, offset, element, &[]).expect("a field"));
        offset += size;
    }
    let plan = Arc::new(Plan::new(Schema::new(fields, offset).expect("a schema"), Casting::Unsafe, None));
    let (mut data, mut meta, mut codes) =
        (vec![0u8; offset * ROWS], vec![0u8; 8 * ROWS], vec![0u8; 4 * ROWS]);
    let memory = RowMemory {
        data: data.as_mut_ptr(),
        stride: offset,
        meta: meta.as_mut_ptr(),
        result_codes: codes.as_mut_ptr(),
        len: ROWS,
    };
    // SAFETY: the vectors are long enough, and are neither touched nor dropped before the buffer.
    let rows = unsafe { RowBuffer::new(plan, memory, 0) };
    for (frame, chunk) in records.chunks(200).enumerate() {
        let mut lease = rows.lease().expect("the buffer is open");
        for (at, record) in chunk.iter().enumerate() {
            lease.write(frame * 200 + at, record);
        }
    }
    let done = rows.finish().done;
    drop(rows);
    done + usize::from(data[0])
}
