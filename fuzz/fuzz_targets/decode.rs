//! The body of a frame of a batch response, decoded into the rows of an array.
//!
//! The fields are named as the frame's own bins, so that they get filled; its last bytes, read again, say
//! what they are. The seeds of `batch_answers` serve this target, too. Here a sanitizer does find more
//! (`RUSTC_BOOTSTRAP=1 cargo fuzz run -s address decode`): rows are written through raw pointers.
#![no_main]

use std::sync::Arc;

use dtype_schema::{Element, Field, MAX_BIN_NAME, Schema};
use libfuzzer_sys::fuzz_target;
use record_decode::{Casting, Plan, RowBuffer, RowMemory, RowOutcome};
use wire_protocol::batch::{BatchAnswer, BatchAnswers, Record};

const ROWS: usize = 3;
const GUARD: usize = 16;
const FILL: u8 = 0xa5;

fuzz_target!(|data: &[u8]| {
    let (schema, casting) = schema(data);
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
    let mut lease = rows.lease().expect("nobody sealed the buffer");
    let mut done = [false; ROWS];
    for record in records(data) {
        let row = record.index as usize;
        let expected = match done.get_mut(row) {
            None => RowOutcome::OutOfRange,
            Some(true) => RowOutcome::Repeated,
            Some(done) => {
                *done = true;
                RowOutcome::Written
            }
        };
        assert_eq!(lease.write(row, &record), expected);
    }
    drop(lease);
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

fn records(data: &[u8]) -> impl Iterator<Item = Record<'_>> {
    BatchAnswers::new(data).filter_map(|answer| match answer {
        Ok(BatchAnswer::Record(record)) => Some(record),
        _ => None,
    })
}

fn schema(data: &[u8]) -> (Schema, Casting) {
    let mut choices = data.iter().rev().copied().chain(std::iter::repeat(0));
    let mut choose = || usize::from(choices.next().unwrap_or(0));
    let casting = if choose() % 2 == 0 { Casting::Unsafe } else { Casting::SameValue };
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
    (Schema::new(fields, offset + 1).expect("fields one after the other"), casting)
}

/// Which bytes of a row belong to fields.
fn covered(schema: &Schema) -> Vec<bool> {
    let mut covered = vec![false; schema.itemsize()];
    for field in schema.fields() {
        covered[field.offset()..field.end()].fill(true);
    }
    covered
}
