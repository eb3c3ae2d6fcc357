//! One thread and several, on real memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use dtype_schema::{Element, Field, Schema};
use wire_protocol::batch::{BatchAnswer, BatchAnswers, Record};
use wire_protocol::message::{MessageHeader, op, write_op};

use super::*;
use crate::Casting;

/// Memory for rows of `i8` fields, filled with a pattern.
struct Array {
    data: Vec<u8>,
    meta: Vec<u8>,
    codes: Vec<u8>,
    fields: usize,
}

impl Array {
    fn new(fields: usize, len: usize) -> Self {
        Self {
            data: vec![0xee; 8 * fields * len],
            meta: vec![0xee; 8 * len],
            codes: vec![0xee; 4 * len],
            fields,
        }
    }

    fn buffer(&mut self, now: u32) -> RowBuffer {
        let field = |at: usize| {
            let name = format!("f{at}");
            Field::new(&name, at * 8, Element::from_numpy(&name, 'i', 8, '=').unwrap(), &[]).unwrap()
        };
        let schema = Schema::new((0..self.fields).map(field).collect(), 8 * self.fields).unwrap();
        let memory = RowMemory {
            data: self.data.as_mut_ptr(),
            stride: 8 * self.fields,
            meta: self.meta.as_mut_ptr(),
            result_codes: self.codes.as_mut_ptr(),
            len: self.codes.len() / 4,
        };
        let plan = Arc::new(Plan::new(schema, Casting::Unsafe, None));
        // SAFETY: the vectors are long enough, and every test drops the buffer before it accesses or drops them.
        unsafe { RowBuffer::new(plan, memory, now) }
    }

    fn row(&self, row: usize) -> Vec<i64> {
        let bytes = &self.data[row * 8 * self.fields..][..8 * self.fields];
        bytes.chunks(8).map(|value| i64::from_ne_bytes(value.try_into().unwrap())).collect()
    }

    fn meta(&self, row: usize) -> [u32; 2] {
        [0, 4].map(|at| u32::from_ne_bytes(self.meta[row * 8 + at..][..4].try_into().unwrap()))
    }

    fn code(&self, row: usize) -> i32 {
        i32::from_ne_bytes(self.codes[row * 4..][..4].try_into().unwrap())
    }
}

/// A message with the same value in all of its bins.
fn message(code: u8, generation: u32, ttl: u32, fields: usize, value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    let n_ops = fields as u16;
    MessageHeader { result_code: code.into(), generation, ttl, n_ops, ..MessageHeader::default() }
        .write(&mut out);
    for at in 0..fields {
        write_op(&mut out, op::READ, 1, format!("f{at}").as_bytes(), &value.to_be_bytes());
    }
    out
}

fn record(message: &[u8]) -> Record<'_> {
    match BatchAnswers::new(message).next() {
        Some(Ok(BatchAnswer::Record(record))) => record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn groups_share_the_rows_of_a_matrix_and_have_a_value_for_empty_cells() {
    let (rows, columns) = (3, 4);
    let mut matrix = vec![0xee_u8; 8 * rows * columns];
    let (mut meta, mut codes) = (vec![0u8; 16 * rows], vec![0u8; 8 * rows]);
    let field = |at: usize| {
        let name = format!("f{at}");
        Field::new(&name, at * 8, Element::from_numpy(&name, 'i', 8, '=').unwrap(), &[]).unwrap()
    };
    let data = matrix.as_mut_ptr();
    let buffers = [(0, 1), (1, 3)].map(|(first, fields)| {
        let schema = Schema::new((0..fields).map(field).collect(), 8 * fields).unwrap();
        let plan = Plan::new(schema, Casting::Unsafe, None).with_empty(&(-7i64).to_ne_bytes());
        let memory = RowMemory {
            data: data.wrapping_add(8 * first),
            stride: 8 * columns,
            meta: meta.as_mut_ptr().wrapping_add(8 * rows * first),
            result_codes: codes.as_mut_ptr().wrapping_add(4 * rows * first),
            len: rows,
        };
        // SAFETY: the vectors are long enough and outlive the buffers; the groups have different columns.
        unsafe { RowBuffer::new(Arc::new(plan), memory, 0) }
    });
    for (group, buffer) in buffers.iter().enumerate() {
        let mut lease = buffer.lease().unwrap();
        // Of the second group, the last field is missing.
        lease.write(0, &record(&message(0, 1, 0, 1 + group, 5)));
        lease.fail(1, 2);
        drop(lease);
        assert_eq!(buffer.fail_rest(-15), 1);
        assert_eq!(buffer.finish().codes, [(-15, 1), (2, 1)]);
    }
    drop(buffers);
    let cells: Vec<i64> = matrix.chunks(8).map(|cell| i64::from_ne_bytes(cell.try_into().unwrap())).collect();
    assert_eq!(cells, [5, 5, 5, -7, -7, -7, -7, -7, -7, -7, -7, -7]);
}

#[test]
fn a_row_takes_one_record() {
    let mut array = Array::new(2, 4);
    let rows = array.buffer(1000);
    assert_eq!((rows.len(), rows.is_empty(), rows.is_done(0)), (4, false, false));
    let (found, missing) = (message(0, 7, 1010, 2, 42), message(2, 9, 9, 0, 0));
    let mut lease = rows.lease().unwrap();
    assert_eq!(lease.write(0, &record(&found)), RowOutcome::Written);
    assert_eq!(lease.write(0, &record(&missing)), RowOutcome::Repeated);
    assert_eq!(lease.fail(0, -15), RowOutcome::Repeated);
    assert_eq!(lease.write(1, &record(&missing)), RowOutcome::Written);
    assert_eq!(lease.write(1, &record(&found)), RowOutcome::Repeated);
    assert_eq!(lease.fail(2, -15), RowOutcome::Written);
    assert_eq!(lease.write(4, &record(&found)), RowOutcome::OutOfRange);
    assert_eq!(lease.fail(usize::MAX, 9), RowOutcome::OutOfRange);
    drop(lease);
    assert!(rows.is_done(2) && !rows.is_done(3) && !rows.is_done(4));
    let summary = rows.finish();
    assert_eq!((summary.done, summary.presence.as_slice()), (3, &[0xc0, 0, 0, 0][..]));
    assert_eq!(summary, rows.finish());
    drop(rows);
    assert_eq!([0, 1, 2].map(|row| array.row(row)), [[42, 42], [0, 0], [0, 0]]);
    assert_eq!([0, 1, 2].map(|row| array.meta(row)), [[7, 10], [0, 0], [0, 0]]);
    assert_eq!([0, 1, 2].map(|row| array.code(row)), [0, 2, -15]);
    // The last row got no answer and is unchanged.
    assert!(array.data[48..].iter().chain(&array.meta[24..]).all(|&byte| byte == 0xee));
}

#[test]
fn what_is_left_fails_together() {
    for fields in [1, 130] {
        let mut array = Array::new(fields, 3);
        let rows = array.buffer(0);
        let found = message(0, 1, 0, fields, 5);
        assert_eq!(rows.lease().unwrap().write(1, &record(&found)), RowOutcome::Written);
        assert_eq!(rows.fail_rest(-10), 2);
        assert_eq!(rows.fail_rest(-10), 0);
        assert_eq!(rows.finish().done, 3);
        assert_eq!(rows.fail_rest(-10), 0);
        drop(rows);
        assert_eq!([0, 1, 2].map(|row| array.code(row)), [-10, 0, -10]);
        assert_eq!(array.row(0), vec![0; fields]);
        assert_eq!(array.row(1), vec![5; fields]);
    }
}

#[test]
fn times_to_live() {
    for (void_time, now, left) in [
        (0, 1000, u32::MAX),
        (1001, 1000, 1),
        (1000, 1000, 1),
        (5, 1000, 1),
        (5000, 1000, 4000),
        (u32::MAX, 0, u32::MAX - 1),
    ] {
        assert_eq!(lease::seconds_left(void_time, now), left);
    }
}

#[test]
fn nothing_gets_in_once_sealed() {
    let mut array = Array::new(1, 1);
    let rows = array.buffer(0);
    rows.seal();
    rows.seal();
    assert!(rows.lease().is_none());
    assert_eq!(rows.finish().done, 0);
    drop(rows);
    assert_eq!(array.data, [0xee; 8]);
}

#[test]
fn an_open_lease_cannot_write_once_sealing_began() {
    let mut array = Array::new(1, 2);
    let rows = array.buffer(0);
    let found = message(0, 1, 0, 1, 5);
    let summary = thread::scope(|scope| {
        let mut lease = rows.lease().unwrap();
        assert_eq!(lease.write(0, &record(&found)), RowOutcome::Written);
        let sealer = scope.spawn(|| rows.finish());
        while !rows.rows.is_sealed() {
            thread::yield_now();
        }
        assert_eq!(lease.write(1, &record(&found)), RowOutcome::Sealed);
        assert_eq!(lease.fail(1, 9), RowOutcome::Sealed);
        thread::sleep(Duration::from_millis(20));
        assert!(!sealer.is_finished(), "it waits for the lease");
        drop(lease);
        sealer.join().unwrap()
    });
    assert_eq!(summary.done, 1);
}

#[test]
fn a_row_given_up_is_zero_and_free() {
    let mut array = Array::new(2, 1);
    let rows = array.buffer(0);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let lease = rows.lease().unwrap();
        let mut claim = lease.pass.claim(0).unwrap();
        claim.view().put(8, [7; 8]);
        claim.describe(1, 2, 3, |_| 0xff);
        assert_eq!(rows.lease().unwrap().fail(0, 1), RowOutcome::Repeated, "it is taken");
        // Beyond the row: refused before anything is written.
        claim.view().put(9, [7; 8]);
    }));
    assert!(unwound.is_err() && !rows.is_done(0));
    assert_eq!((rows.rows.is_sealed(), rows.rows.passes()), (false, 0), "the lease is dropped, too");
    assert_eq!(rows.finish().presence, [0]);
    drop(rows);
    assert_eq!((array.row(0), array.meta(0), array.code(0)), (vec![0, 0], [0, 0], 0));

    let rows = array.buffer(0);
    let found = message(0, 1, 0, 2, 5);
    drop(rows.lease().unwrap().pass.claim(0).unwrap());
    assert_eq!(rows.lease().unwrap().write(0, &record(&found)), RowOutcome::Written);
    drop(rows);
    assert_eq!(array.row(0), [5, 5]);
}

#[test]
fn views_end_with_their_row() {
    let mut array = Array::new(1, 2);
    let rows = array.buffer(0);
    let lease = rows.lease().unwrap();
    for (offset, len) in [(0, 9), (1, 8), (8, 1), (usize::MAX, 1), (usize::MAX, 2), (9, 0)] {
        let mut claim = lease.pass.claim(0).unwrap();
        let bytes = vec![1; len];
        let put = catch_unwind(AssertUnwindSafe(|| claim.view().put_slice(offset, &bytes)));
        let zero = catch_unwind(AssertUnwindSafe(|| claim.view().zero(offset, len)));
        assert!(put.is_err() && zero.is_err(), "{len} at {offset}");
    }
    let mut claim = lease.pass.claim(1).unwrap();
    claim.view().put_slice(8, &[]);
    claim.view().put_slice(7, &[3]);
    claim.view().zero(0, 7);
    claim.finish(0, 0, 0, |_| 0);
    drop(lease);
    drop(rows);
    assert_eq!(array.data[8..], [0, 0, 0, 0, 0, 0, 0, 3]);
}

#[test]
fn memory_that_cannot_be_is_refused() {
    let mut array = Array::new(2, 1);
    let plan = Arc::clone(array.buffer(0).plan());
    let memory = RowMemory {
        data: array.data.as_mut_ptr(),
        stride: 15,
        meta: array.meta.as_mut_ptr(),
        result_codes: array.codes.as_mut_ptr(),
        len: 1,
    };
    for memory in [memory, RowMemory { stride: 16, len: usize::MAX / 16, ..memory }] {
        let plan = Arc::clone(&plan);
        // SAFETY: the call panics before it stores the pointers.
        assert!(catch_unwind(AssertUnwindSafe(|| unsafe { RowBuffer::new(plan, memory, 0) })).is_err());
    }
    let none = Array::new(1, 0).buffer(0);
    assert!(none.is_empty());
    assert_eq!(none.finish().done, 0);
}

#[test]
fn sums_of_all_leases() {
    let mut array = Array::new(1, 300);
    let rows = array.buffer(0);
    let mut text = Vec::new();
    MessageHeader { n_ops: 1, ..MessageHeader::default() }.write(&mut text);
    write_op(&mut text, op::READ, 3, b"f0", b"text");
    let mut half = Vec::new();
    MessageHeader { n_ops: 1, ..MessageHeader::default() }.write(&mut half);
    write_op(&mut half, op::READ, 2, b"f0", &0.5f64.to_be_bytes());
    for start in [200, 0] {
        let mut lease = rows.lease().unwrap();
        for row in start..start + 100 {
            let message = if row % 2 == 0 { &text } else { &half };
            assert_eq!(lease.write(row, &record(message)), RowOutcome::Written);
        }
    }
    let mut lease = rows.lease().unwrap();
    for row in 100..150 {
        assert_eq!(lease.write(row, &record(&text)), RowOutcome::Written);
    }
    drop(lease);
    let summary = rows.finish();
    assert_eq!(summary.failure_count, 150);
    assert_eq!(summary.failures.len(), crate::KEPT_FAILURES);
    let kept: Vec<usize> = summary.failures.iter().map(|failure| failure.row).collect();
    assert_eq!(kept, (0..100).step_by(2).chain(100..150).collect::<Vec<_>>());
    assert_eq!(summary.inexact, [("f0".into(), 100)]);
    // All have a bit: one byte a row, whose highest bit is the field.
    let rows_of = |cells: &[u8]| (0..300).filter(|&row| cells[row] == 0x80).collect::<Vec<usize>>();
    let even_or_middle = |&row: &usize| row % 2 == 0 || (100..200).contains(&row);
    assert_eq!(
        rows_of(&summary.failed_cells),
        (0..150).chain(200..300).filter(even_or_middle).collect::<Vec<_>>()
    );
    assert_eq!(
        rows_of(&summary.changed_cells),
        (0..100).chain(200..300).filter(|row| row % 2 == 1).collect::<Vec<_>>()
    );
    assert_eq!((summary.missing_fields, summary.codes), (vec![], vec![]));
}

#[test]
fn bins_that_are_no_fields_are_named() {
    let mut array = Array::new(2, 2);
    let rows = array.buffer(0);
    let mut other = Vec::new();
    MessageHeader { n_ops: 2, ..MessageHeader::default() }.write(&mut other);
    write_op(&mut other, op::READ, 1, b"f1", &1i64.to_be_bytes());
    write_op(&mut other, op::READ, 1, b"f00", &1i64.to_be_bytes());
    let mut lease = rows.lease().unwrap();
    assert_eq!(lease.write(0, &record(&other)), RowOutcome::Written);
    assert_eq!(lease.write(1, &record(&message(2, 0, 0, 0, 0))), RowOutcome::Written);
    drop(lease);
    let summary = rows.finish();
    assert_eq!(summary.missing_fields, ["f0".into()]);
    assert_eq!(summary.unmatched_bins, [Box::from(*b"f00")]);
    assert_eq!(summary.codes, [(2, 1)]);
}

#[test]
fn threads_never_mix_two_records() {
    const ROWS: usize = if cfg!(miri) { 40 } else { 4000 };
    const FIELDS: usize = 9;
    for round in 0..3u64 {
        let mut array = Array::new(FIELDS, ROWS);
        let rows = array.buffer(0);
        let start = Barrier::new(4);
        let summary = thread::scope(|scope| {
            for writer in 1..=3 {
                let (rows, start) = (&rows, &start);
                scope.spawn(move || {
                    let message = message(0, writer, 0, FIELDS, writer.into());
                    start.wait();
                    for frame in 0..ROWS / 10 {
                        let Some(mut lease) = rows.lease() else { return };
                        for at in 0..10 {
                            // Each thread has its own order, so that they meet.
                            let row = (frame * 10 + at) * 7 * writer as usize % ROWS;
                            if lease.write(row, &record(&message)) == RowOutcome::Sealed {
                                return;
                            }
                        }
                    }
                });
            }
            start.wait();
            thread::sleep(Duration::from_micros(100 * round * round));
            let summary = rows.finish();
            // From here on the array may be accessed, although the writers may still run.
            (summary, (0..ROWS).map(|row| rows.is_done(row)).collect::<Vec<_>>())
        });
        drop(rows);
        for row in 0..ROWS {
            let (values, [generation, _]) = (array.row(row), array.meta(row));
            let bits = &summary.0.presence[row * 2..][..2];
            if summary.1[row] {
                assert_eq!(values, [i64::from(generation); FIELDS]);
                assert_eq!(bits, [0xff, 0x80]);
            } else {
                assert_eq!(values, [i64::from_ne_bytes([0xee; 8]); FIELDS]);
                assert_eq!(bits, [0, 0]);
            }
        }
        assert_eq!(summary.0.done, summary.1.iter().filter(|&&done| done).count());
    }
}

#[test]
fn buffers_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<RowBuffer>();
}
