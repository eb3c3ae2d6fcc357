//! The value of a bin, walked for structs and paths of any kind.
//!
//! The first bytes choose the schema and the paths, the rest is a map or a list. The same bytes are decoded again with
//! what the first record has taught, and a field alone must become what it becomes among the others.
#![no_main]

use std::sync::Arc;

use dtype_schema::{Element, Field, Schema};
use libfuzzer_sys::fuzz_target;
use record_decode::{Casting, Path, Plan, RowBuffer, RowMemory, RowOutcome, Step, Summary};
use wire_protocol::batch::{BatchAnswer, BatchAnswers};
use wire_protocol::message::{MessageHeader, info1, op, write_op};
use wire_protocol::particle::particle_type::{LIST, MAP};

const ROWS: usize = 3;
const KEYS: [&str; 4] = ["a", "b", "key_of_15_bytes", "a key of more than sixteen bytes"];

type Paths<'a> = Vec<(&'a str, Path)>;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let casting = if byte(&mut rest) % 2 == 0 { Casting::Unsafe } else { Casting::SameValue };
    let names: Vec<String> = (0..1 + byte(&mut rest) % 5).map(|at| format!("field {at}")).collect();
    let fields: Vec<Field> = names.iter().map(|name| field(&mut rest, name, 0)).collect();
    let paths: Paths<'_> = names.iter().map(|name| (name.as_str(), path(&mut rest))).collect();
    let kind = if byte(&mut rest) % 2 == 0 { MAP } else { LIST };

    let together = decode(fields.clone(), paths.clone(), casting, kind, rest);
    for row in 1..ROWS {
        assert_eq!(together.row(row), together.row(0), "what was learned changes nothing");
    }
    let mut failures = 0;
    let mut leaf = 0;
    for (number, (single, path)) in fields.into_iter().zip(paths).enumerate() {
        let alone = decode(vec![single], vec![path], casting, kind, rest);
        for at in 0..alone.leaves {
            assert_eq!(alone.cell(at), together.cell(leaf), "leaf {at} of field {number}");
            leaf += 1;
        }
        failures += alone.summary.failure_count;
    }
    assert_eq!(failures, together.summary.failure_count);
});

/// Rows, all of the same record.
struct Decoded {
    schema: Schema,
    leaves: usize,
    bytes: Vec<u8>,
    summary: Summary,
}

impl Decoded {
    fn bit(&self, cells: &[u8], row: usize, leaf: usize) -> bool {
        let at = row * self.leaves.div_ceil(8) + leaf / 8;
        cells.get(at).is_some_and(|byte| byte & 0x80 >> (leaf % 8) != 0)
    }

    /// The bytes of a leaf, and whether it is present, changed and failed.
    fn cell_of(&self, row: usize, leaf: usize) -> (&[u8], [bool; 3]) {
        let place = &self.schema.leaves()[leaf];
        let start = row * self.schema.itemsize();
        let Summary { presence, changed_cells, failed_cells, .. } = &self.summary;
        let bits = [presence, changed_cells, failed_cells].map(|cells| self.bit(cells, row, leaf));
        let bytes = &self.bytes[start + place.offset()..start + place.end()];
        assert!(bits[0] || bytes.iter().all(|&byte| byte == 0), "a cell without a value is zero");
        assert!(!(bits[0] && bits[2]) && (bits[0] || !bits[1]), "a cell holds a value, failed, or neither");
        (bytes, bits)
    }

    fn cell(&self, leaf: usize) -> (&[u8], [bool; 3]) {
        self.cell_of(0, leaf)
    }

    fn row(&self, row: usize) -> Vec<(&[u8], [bool; 3])> {
        (0..self.leaves).map(|leaf| self.cell_of(row, leaf)).collect()
    }
}

fn decode(fields: Vec<Field>, paths: Paths<'_>, casting: Casting, kind: u8, value: &[u8]) -> Decoded {
    let mut end = 0;
    let placed = fields.into_iter().map(|field| {
        let placed = at_offset(&field, end);
        end = placed.end();
        placed
    });
    let placed = placed.collect();
    let schema = Schema::new(placed, end).expect("fields one after the other");
    let plan = Plan::with_paths(schema.clone(), casting, None, paths).expect("paths of these fields");
    let mut frame = Vec::new();
    for row in 0..ROWS {
        let (info1, extra) = (info1::READ, row as u32);
        MessageHeader { info1, extra, n_ops: 1, ..MessageHeader::default() }.write(&mut frame);
        write_op(&mut frame, op::READ, kind, b"bin", value);
    }
    let mut bytes = vec![0xa5; ROWS * end];
    let (mut meta, mut codes) = ([0; 8 * ROWS], [0; 4 * ROWS]);
    let memory = RowMemory {
        data: bytes.as_mut_ptr(),
        stride: end,
        meta: meta.as_mut_ptr(),
        result_codes: codes.as_mut_ptr(),
        len: ROWS,
    };
    // SAFETY: the memory is as long as it says, outlives the buffer and is not looked at before that is gone.
    let rows = unsafe { RowBuffer::new(Arc::new(plan), memory, 1) };
    let mut lease = rows.lease().expect("the buffer is not sealed");
    for answer in BatchAnswers::new(&frame) {
        let Ok(BatchAnswer::Record(record)) = answer else { panic!("a message that was just written") };
        assert_eq!(lease.write(record.index as usize, &record), RowOutcome::Written);
    }
    drop(lease);
    let summary = rows.finish();
    drop(rows);
    Decoded { leaves: schema.leaves().len(), schema, bytes, summary }
}

/// The same field elsewhere.
fn at_offset(field: &Field, offset: usize) -> Field {
    match field.fields() {
        Some(fields) => Field::nested(field.name(), offset, fields.to_vec(), field.size()),
        None => {
            let alone = Schema::new(vec![field.clone()], field.end()).expect("a field that was taken");
            let leaf = &alone.leaves()[0];
            Field::new(field.name(), offset, leaf.element(), leaf.shape())
        }
    }
    .expect("a field that was taken")
}

fn field(rest: &mut &[u8], name: &str, depth: usize) -> Field {
    let choice = byte(rest);
    if choice >= 0xc0 && depth < 4 {
        let mut end = 0;
        let inner = KEYS.iter().take(1 + usize::from(choice % 4)).map(|key| {
            let inner = at_offset(&field(rest, key, depth + 1), end);
            end = inner.end();
            inner
        });
        let inner = inner.collect();
        return Field::nested(name, 0, inner, end).expect("fields one after the other");
    }
    let (kind, width) = [('i', 8), ('f', 8), ('u', 1), ('f', 2), ('b', 1), ('M', 8), ('S', 3), ('V', 5)]
        [usize::from(choice % 8)];
    let shape: &[usize] = match choice / 8 % 4 {
        0 if kind.is_ascii_lowercase() => &[2],
        1 if kind.is_ascii_lowercase() => &[2, 1],
        _ => &[],
    };
    let element = Element::from_numpy(name, kind, width, '<').expect("a kind that is taken");
    Field::new(name, 0, element, shape).expect("a field that is taken")
}

fn path(rest: &mut &[u8]) -> Path {
    let steps = (0..byte(rest) % 4).map(|_| {
        let choice = byte(rest);
        let key = KEYS[usize::from(choice % 4)];
        match choice / 4 % 4 {
            0 | 1 => Step::Str(key.into()),
            2 => Step::Blob(key.as_bytes().into()),
            _ => Step::Int(i64::from(choice / 16) - 8),
        }
    });
    let steps = steps.collect();
    Path { bin: "bin".into(), steps }
}

fn byte(rest: &mut &[u8]) -> u8 {
    let Some((&byte, after)) = rest.split_first() else { return 0 };
    *rest = after;
    byte
}
