//! Answers to a batch, and an array to decode them into: for benches and for counting instructions.

use std::sync::Arc;

use dtype_schema::{Element, Field, Schema};
use record_decode::{Casting, Plan, RowBuffer, RowMemory};
use wire_protocol::batch::{BatchAnswer, BatchAnswers, Record};
use wire_protocol::message::{MessageHeader, info1, op, write_op};
use wire_protocol::msgpack::{write_float, write_int, write_map_header, write_str};
use wire_protocol::particle::{Particle, particle_type};

pub(crate) const ROWS: usize = 10_000;
/// Records in a frame, about what a server sends.
const FRAME: usize = 1_000;

/// Name, element and the value of a row.
pub(crate) type Bin = (&'static str, char, usize, fn(usize) -> Particle<'static>);

pub(crate) const NATURAL: [Bin; 5] = [
    ("temperature", 'f', 8, |i| Particle::Float(20.0 + i as f64 / 8.0)),
    ("humidity", 'i', 8, |i| Particle::Int(i as i64 % 100)),
    ("pressure", 'f', 8, |i| Particle::Float(1013.25 - i as f64 / 64.0)),
    ("status", 'i', 8, |i| Particle::Int(i as i64 % 7)),
    ("updated", 'i', 8, |i| Particle::Int(1_700_000_000_000 + i as i64)),
];

pub(crate) const NARROW: [Bin; 5] = [
    ("temperature", 'f', 4, |i| Particle::Float(20.0 + i as f64 / 10.0)),
    ("humidity", 'i', 4, |i| Particle::Int(i as i64 % 100)),
    ("pressure", 'f', 2, |i| Particle::Float(1013.25 - i as f64 / 60.0)),
    ("status", 'u', 1, |i| Particle::Int(i as i64 % 7)),
    ("flag", 'b', 1, |i| Particle::Bool(i % 2 == 0)),
];

/// The features of an entity.
#[allow(dead_code)] // the example uses it, the bench does not
pub(crate) const FEATURES: [Bin; 12] = [
    ("trips_today", 'i', 8, |i| Particle::Int(i as i64 % 40)),
    ("trips_week", 'i', 8, |i| Particle::Int(i as i64 % 300)),
    ("rating", 'f', 8, |i| Particle::Float(4.0 + (i % 100) as f64 / 128.0)),
    ("acceptance", 'f', 8, |i| Particle::Float((i % 100) as f64 / 100.0)),
    ("cancel_rate", 'f', 8, |i| Particle::Float((i % 50) as f64 / 100.0)),
    ("lat", 'f', 8, |i| Particle::Float(52.0 + i as f64 / 1024.0)),
    ("lon", 'f', 8, |i| Particle::Float(13.0 + i as f64 / 1024.0)),
    ("speed", 'f', 8, |i| Particle::Float((i % 120) as f64)),
    ("earnings", 'i', 8, |i| Particle::Int(i as i64 * 97)),
    ("idle_secs", 'i', 8, |i| Particle::Int(i as i64 % 3_600)),
    ("last_seen", 'i', 8, |i| Particle::Int(1_700_000_000_000 + i as i64)),
    ("status", 'i', 8, |i| Particle::Int(i as i64 % 7)),
];

/// The same features as keys of a map, which is the value of a key of a bin: in a struct of structs.
#[allow(dead_code)] // the example uses it, the bench does not
pub(crate) fn nested_plan() -> Arc<Plan> {
    let field = |(at, &(name, kind, itemsize, _)): (usize, &Bin)| {
        Field::new(name, 8 * at, Element::from_numpy(name, kind, itemsize, '=').unwrap(), &[]).unwrap()
    };
    let driver = Field::nested("driver", 0, FEATURES.iter().enumerate().map(field).collect(), 96).unwrap();
    let features = Field::nested("features", 0, vec![driver], 96).unwrap();
    Arc::new(Plan::new(Schema::new(vec![features], 96).unwrap(), Casting::Unsafe, None))
}

/// The bodies of a response's frames, with the features in a map of maps.
#[allow(dead_code)] // the example uses it, the bench does not
pub(crate) fn nested_frames() -> Vec<Vec<u8>> {
    let map = |row: usize| {
        let mut bytes = Vec::new();
        write_map_header(&mut bytes, 1);
        write_str(&mut bytes, b"driver");
        write_map_header(&mut bytes, FEATURES.len());
        for (name, .., value) in FEATURES {
            write_str(&mut bytes, name.as_bytes());
            match value(row) {
                Particle::Float(value) => write_float(&mut bytes, value),
                Particle::Int(value) => write_int(&mut bytes, value),
                _ => {}
            }
        }
        bytes
    };
    let mut frames = vec![Vec::new(); ROWS / FRAME];
    for row in 0..ROWS {
        let out = &mut frames[row / FRAME];
        header(row, 1).write(out);
        write_op(out, op::READ, particle_type::MAP, b"features", &map(row));
    }
    frames
}

/// The header of a record with so many bins.
fn header(row: usize, bins: usize) -> MessageHeader {
    MessageHeader {
        info1: info1::READ,
        generation: 3,
        ttl: 500_000_000,
        extra: row as u32,
        n_ops: bins as u16,
        ..MessageHeader::default()
    }
}

pub(crate) fn plan(bins: &[Bin]) -> Arc<Plan> {
    let mut offset = 0;
    let fields = bins.iter().map(|&(name, kind, itemsize, _)| {
        let element = Element::from_numpy(name, kind, itemsize, '=').unwrap();
        let field = Field::new(name, offset, element, &[]).unwrap();
        offset += itemsize;
        field
    });
    let fields = fields.collect();
    Arc::new(Plan::new(Schema::new(fields, offset).unwrap(), Casting::Unsafe, None))
}

/// The bodies of a response's frames. Every `lack`-th record lacks the second bin.
pub(crate) fn frames(bins: &[Bin], lack: usize) -> Vec<Vec<u8>> {
    let mut frames = vec![Vec::new(); ROWS / FRAME];
    for row in 0..ROWS {
        let out = &mut frames[row / FRAME];
        let skipped = usize::from(row % lack == 1);
        header(row, bins.len() - skipped).write(out);
        for (at, &(name, .., value)) in bins.iter().enumerate() {
            if skipped == 0 || at != 1 {
                let mut bytes = Vec::new();
                let particle = value(row);
                particle.write(&mut bytes);
                write_op(out, op::READ, particle.particle_type(), name.as_bytes(), &bytes);
            }
        }
    }
    frames
}

pub(crate) fn records(frame: &[u8]) -> impl Iterator<Item = Record<'_>> {
    BatchAnswers::new(frame).filter_map(|answer| match answer {
        Ok(BatchAnswer::Record(record)) => Some(record),
        _ => None,
    })
}

pub(crate) fn decode<'r, I: Iterator<Item = Record<'r>>>(
    plan: &Arc<Plan>,
    array: &mut Array,
    frames: impl Iterator<Item = I>,
) {
    // SAFETY: the array outlives the buffer and is not accessed otherwise.
    let rows = unsafe { RowBuffer::new(Arc::clone(plan), array.memory(), 490_000_000) };
    for frame in frames {
        let mut lease = rows.lease().unwrap();
        for record in frame {
            std::hint::black_box(lease.write(record.index as usize, &record));
        }
    }
    rows.seal();
}

/// The array that rows are written into.
pub(crate) struct Array {
    data: Vec<u8>,
    meta: Vec<u8>,
    codes: Vec<u8>,
}

impl Array {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            data: vec![0; plan.schema().itemsize() * ROWS],
            meta: vec![0; 8 * ROWS],
            codes: vec![0; 4 * ROWS],
        }
    }

    fn memory(&mut self) -> RowMemory {
        RowMemory {
            data: self.data.as_mut_ptr(),
            stride: self.data.len() / ROWS,
            meta: self.meta.as_mut_ptr(),
            result_codes: self.codes.as_mut_ptr(),
            len: ROWS,
        }
    }
}
