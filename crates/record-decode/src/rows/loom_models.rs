//! Every interleaving of a few threads: see `make loom`.
//!
//! Loom cannot see writes through raw pointers, so each row has a probe. It fails a model in which two claims of a row
//! overlap, or in which [`RowBuffer::finish`] reads a row and a write to it did not happen before.

use dtype_schema::{Element, Field, Schema};
use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::Casting;
use crate::report::Event;

/// The memory of a buffer, which outlives it.
struct Array {
    data: [u8; 2],
    meta: [u8; 16],
    codes: [u8; 8],
}

fn array() -> Box<Array> {
    Box::new(Array { data: [0; 2], meta: [0; 16], codes: [0; 8] })
}

fn buffer(array: &mut Array, len: usize) -> Arc<RowBuffer> {
    let element = Element::from_numpy("a", 'u', 1, '=').unwrap();
    let schema = Schema::new(vec![Field::new("a", 0, element, &[]).unwrap()], 1).unwrap();
    let plan = std::sync::Arc::new(Plan::new(schema, Casting::Unsafe, None));
    let memory = RowMemory {
        data: array.data.as_mut_ptr(),
        stride: 1,
        meta: array.meta.as_mut_ptr(),
        result_codes: array.codes.as_mut_ptr(),
        len,
    };
    // SAFETY: every model drops the buffer before it accesses or drops the array.
    Arc::new(unsafe { RowBuffer::new(plan, memory, 0) })
}

/// Writes `value` into a row as a record would.
fn write(lease: &Lease<'_>, row: usize, value: u8) -> RowOutcome {
    match lease.pass.claim(row) {
        Ok(mut claim) => {
            claim.view().put(0, [value]);
            claim.finish(value.into(), 1, 0, |_| 0x80);
            RowOutcome::Written
        }
        Err(outcome) => outcome,
    }
}

#[test]
fn loom_one_of_two_writers_gets_the_row() {
    loom::model(|| {
        let mut array = array();
        let rows = buffer(&mut array, 1);
        let writers = [1, 2].map(|value| {
            let rows = Arc::clone(&rows);
            thread::spawn(move || {
                let lease = rows.lease()?;
                Some(write(&lease, 0, value))
            })
        });
        let outcomes = writers.map(|writer| writer.join().unwrap());
        let written = outcomes.iter().filter(|&&outcome| outcome == Some(RowOutcome::Written)).count();
        assert_eq!(written, 1, "{outcomes:?}");
        assert!(rows.is_done(0));
        let summary = rows.finish();
        drop(rows);
        assert_eq!((summary.done, summary.presence.as_slice()), (1, &[0x80][..]));
        // All from one writer.
        assert_eq!(u32::from(array.data[0]).to_ne_bytes(), array.meta[..4]);
    });
}

#[test]
fn loom_nothing_is_written_once_sealed() {
    loom::model(|| {
        let mut array = array();
        let rows = buffer(&mut array, 2);
        let writer = thread::spawn({
            let rows = Arc::clone(&rows);
            move || {
                let Some(lease) = rows.lease() else { return };
                for row in 0..2 {
                    if write(&lease, row, 7) == RowOutcome::Sealed {
                        return;
                    }
                }
            }
        });
        // Reads every row's probe after sealing: fails if a write has not ended or is not ordered.
        let summary = rows.finish();
        let done = [rows.is_done(0), rows.is_done(1)];
        assert_eq!(summary.done, done.iter().filter(|&&done| done).count());
        assert!(rows.lease().is_none());
        writer.join().unwrap();
        assert_eq!([rows.is_done(0), rows.is_done(1)], done);
        drop(rows);
        assert_eq!(array.data.map(|byte| byte == 7), done);
    });
}

#[test]
fn loom_two_seal_while_one_writes() {
    // Three threads at one lock have too many interleavings, so the number of preemptions is limited.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let mut array = array();
        let rows = buffer(&mut array, 1);
        let writer = thread::spawn({
            let rows = Arc::clone(&rows);
            move || rows.lease().map(|lease| write(&lease, 0, 3))
        });
        let sealer = thread::spawn({
            let rows = Arc::clone(&rows);
            move || {
                rows.seal();
                rows.rows.read_probes();
            }
        });
        rows.seal();
        rows.rows.read_probes();
        sealer.join().unwrap();
        writer.join().unwrap();
        drop(rows);
    });
}

#[test]
fn loom_a_row_given_up_is_free_for_the_next() {
    loom::model(|| {
        let mut array = array();
        let rows = buffer(&mut array, 1);
        let unlucky = thread::spawn({
            let rows = Arc::clone(&rows);
            move || {
                // What unwinding does to a claim.
                let lease = rows.lease()?;
                let mut claim = lease.pass.claim(0).ok()?;
                claim.view().put(0, [0xff]);
                Some(())
            }
        });
        let written = rows.lease().map(|lease| write(&lease, 0, 5)) == Some(RowOutcome::Written);
        unlucky.join().unwrap();
        let summary = rows.finish();
        assert_eq!(summary.done, usize::from(written));
        drop(rows);
        assert_eq!(array.data[0], if written { 5 } else { 0 });
    });
}

#[test]
fn loom_what_a_lease_counted_is_there_once_sealed() {
    loom::model(|| {
        let mut array = array();
        let rows = buffer(&mut array, 1);
        let writer = thread::spawn({
            let rows = Arc::clone(&rows);
            move || {
                let Some(mut lease) = rows.lease() else { return };
                if write(&lease, 0, 1) == RowOutcome::Written {
                    lease.report.record(0, Event::Changed { field: 0, count: 1 });
                }
            }
        });
        let summary = rows.finish();
        assert_eq!(summary.inexact.len(), summary.done);
        assert_eq!(summary.changed_cells.len(), summary.done);
        writer.join().unwrap();
        drop(rows);
    });
}
