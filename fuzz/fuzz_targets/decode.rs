//! The body of a frame of a batch response, decoded into the rows of an array.
//!
//! The fields have the names of the frame's own bins, so that they are filled; its last bytes, read again,
//! choose their types. The target shares the seeds of `batch_answers`. Here a sanitizer does find more
//! (`RUSTC_BOOTSTRAP=1 cargo fuzz run -s address decode`): rows are written through raw pointers.
#![no_main]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dtype_schema::{Element, Field, MAX_BIN_NAME, Schema};
use libfuzzer_sys::fuzz_target;
use record_decode::{Casting, Plan, RowBuffer, RowMemory, RowOutcome};
use wire_protocol::batch::{BatchAnswer, BatchAnswers, Record};

const ROWS: usize = 3;
const GUARD: usize = 16;
const FILL: u8 = 0xa5;

fuzz_target!(|data: &[u8]| {
    let (schema, casting, writers) = schema(data);
    let covered = covered(&schema);
    let stride = schema.itemsize() + 1;
    let mut data_bytes = vec![FILL; GUARD + ROWS * stride + GUARD];
    let mut meta = [FILL; GUARD + 8 * ROWS + GUARD];
    let mut codes = [FILL; GUARD + 4 * ROWS + GUARD];
    let memory = RowMemory {
        data: data_bytes[GUARD..].as_mut_ptr(),
        stride,
        meta: meta[GUARD..].as_mut_ptr(),
        result_codes: codes[GUARD..].as_mut_ptr(),
        len: ROWS,
    };
    let fields = schema.fields().len();
    // SAFETY: the memory is as long as it says, outlives the buffer and is not looked at before that is gone.
    let rows = unsafe { RowBuffer::new(Arc::new(Plan::new(schema, casting, None)), memory, 1) };
    let done = match writers {
        Writers::Leases { count, seal } => leases(&rows, data, count, seal),
        Writers::Threads => threads(&rows, data),
    };
    let summary = rows.finish();
    drop(rows);

    let present: u32 = summary.presence.iter().map(|byte| byte.count_ones()).sum();
    let cells = (summary.done * fields) as u64;
    assert!(u64::from(present) + summary.failure_count <= cells, "a cell holds a value, failed, or neither");
    for (row, bytes) in data_bytes[GUARD..][..ROWS * stride].chunks(stride).enumerate() {
        for (at, &byte) in bytes.iter().enumerate() {
            let may_change = done[row] && covered.get(at) == Some(&true);
            assert!(may_change || byte == FILL, "byte {at} of row {row}");
        }
    }
    for guarded in [data_bytes.as_slice(), &meta, &codes] {
        let (before, after) = (&guarded[..GUARD], &guarded[guarded.len() - GUARD..]);
        assert!(before.iter().chain(after).all(|&byte| byte == FILL));
    }
});

/// Who writes the records.
#[derive(Clone, Copy)]
enum Writers {
    /// Leases of one thread that take turns. The buffer is sealed before the record of that number: while
    /// the leases are open, by another thread, or after they were dropped.
    Leases { count: usize, seal: Option<(usize, Seal)> },
    /// Two threads, each of which offers every record.
    Threads,
}

#[derive(Clone, Copy)]
enum Seal {
    WhileOpen,
    BetweenFrames,
}

/// Offers every record to a lease and checks the outcome; returns which rows are done.
fn leases(rows: &RowBuffer, data: &[u8], count: usize, seal: Option<(usize, Seal)>) -> [bool; ROWS] {
    let mut done = [false; ROWS];
    std::thread::scope(|scope| {
        let mut open: Vec<_> = (0..count).map(|_| rows.lease().expect("the buffer is not sealed")).collect();
        let mut sealing = None;
        let mut is_sealed = false;
        for (number, record) in records(data).enumerate() {
            if let Some((_, how)) = seal.filter(|(at, _)| *at == number) {
                is_sealed = true;
                match how {
                    Seal::BetweenFrames => {
                        open.clear();
                        rows.seal();
                    }
                    Seal::WhileOpen => {
                        sealing = Some(scope.spawn(|| rows.seal()));
                        while rows.lease().is_some() {
                            std::thread::yield_now();
                        }
                    }
                }
                assert!(rows.lease().is_none());
            }
            if open.is_empty() {
                break;
            }
            let row = record.index as usize;
            let expected = match done.get_mut(row) {
                None => RowOutcome::OutOfRange,
                Some(_) if is_sealed => RowOutcome::Sealed,
                Some(true) => RowOutcome::Repeated,
                Some(done) => {
                    *done = true;
                    RowOutcome::Written
                }
            };
            let at = number % open.len();
            assert_eq!(open[at].write(row, &record), expected);
            assert_eq!(rows.is_done(row), done.get(row) == Some(&true));
        }
        drop(open);
        // Joined here: the scope waits for the closure, not for the end of the thread, and a leak sanitizer
        // reports a thread that has not ended.
        if let Some(sealing) = sealing {
            sealing.join().expect("it seals");
        }
    });
    done
}

/// Two threads offer every record: each row is written by one of them, once.
fn threads(rows: &RowBuffer, data: &[u8]) -> [bool; ROWS] {
    let written = [const { AtomicUsize::new(0) }; ROWS];
    let write = || {
        let mut lease = rows.lease().expect("the buffer is not sealed");
        for record in records(data) {
            let row = record.index as usize;
            match (lease.write(row, &record), written.get(row)) {
                (RowOutcome::Written, Some(times)) => assert_eq!(times.fetch_add(1, Ordering::Relaxed), 0),
                (RowOutcome::Repeated, Some(_)) | (RowOutcome::OutOfRange, None) => {}
                (outcome, _) => panic!("{outcome:?} of row {row}"),
            }
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(write);
        write();
        other.join().expect("it writes");
    });
    written.map(|times| times.into_inner() == 1)
}

fn records(data: &[u8]) -> impl Iterator<Item = Record<'_>> {
    BatchAnswers::new(data).filter_map(|answer| match answer {
        Ok(BatchAnswer::Record(record)) => Some(record),
        _ => None,
    })
}

fn schema(data: &[u8]) -> (Schema, Casting, Writers) {
    let mut choices = data.iter().rev().copied().chain(std::iter::repeat(0));
    let mut choose = || usize::from(choices.next().unwrap_or(0));
    let casting = if choose() % 2 == 0 { Casting::Unsafe } else { Casting::SameValue };
    let writers = match choose() % 16 {
        0 => Writers::Threads,
        1 => Writers::Leases { count: 1 + choose() % 3, seal: Some((choose() % 4, Seal::WhileOpen)) },
        2..6 => Writers::Leases { count: 1 + choose() % 3, seal: Some((choose() % 4, Seal::BetweenFrames)) },
        _ => Writers::Leases { count: 1 + choose() % 3, seal: None },
    };
    let mut names: Vec<&str> = Vec::new();
    for op in records(data).flat_map(|record| record.ops()) {
        match std::str::from_utf8(op.name) {
            Ok(name) if name.len() <= MAX_BIN_NAME && names.len() < 70 && !names.contains(&name) => {
                names.push(name);
            }
            _ => {}
        }
    }
    if names.is_empty() {
        names.push("a");
    }
    let mut offset = 0;
    let fields = names.into_iter().map(|name| {
        let (kind, width) = [
            ('i', 1),
            ('i', 2),
            ('i', 4),
            ('i', 8),
            ('u', 1),
            ('u', 2),
            ('u', 4),
            ('u', 8),
            ('f', 2),
            ('f', 4),
            ('f', 8),
            ('b', 1),
            ('M', 8),
            ('m', 8),
            ('S', 3),
            ('V', 5),
        ][choose() % 16];
        let (order, shape): (_, &[usize]) = match choose() % 6 {
            0 => ('>', &[]),
            1 if kind.is_ascii_lowercase() && kind != 'm' => ('<', &[3]),
            2 if kind.is_ascii_lowercase() && kind != 'm' => ('>', &[2, 1, 2]),
            _ => ('<', &[]),
        };
        let element = Element::from_numpy(name, kind, width, order).expect("a kind that is taken");
        offset += choose() % 3;
        let field = Field::new(name, offset, element, shape).expect("a field that is taken");
        offset = field.end();
        field
    });
    let fields = fields.collect();
    (Schema::new(fields, offset + 1).expect("fields one after the other"), casting, writers)
}

/// Which bytes of a row belong to fields.
fn covered(schema: &Schema) -> Vec<bool> {
    let mut covered = vec![false; schema.itemsize()];
    for field in schema.fields() {
        covered[field.offset()..field.end()].fill(true);
    }
    covered
}
