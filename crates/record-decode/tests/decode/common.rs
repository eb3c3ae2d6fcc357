//! Writes the answers of a server, and decodes them into an array with guards around it.

use std::sync::Arc;

use record_decode::{Plan, RowBuffer, RowMemory, RowOutcome, Summary};
use wire_protocol::batch::{BatchAnswer, BatchAnswers};
use wire_protocol::message::{MessageHeader, info1, op, write_op};

/// The initial value of all bytes of an array.
pub(crate) const FILL: u8 = 0xa5;
/// Bytes before and after each part of an array.
const GUARD: usize = 64;
/// The time, in the server's count.
pub(crate) const NOW: u32 = 500_000_000;

/// A record in a batch response.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) index: u32,
    pub(crate) result_code: u8,
    pub(crate) generation: u32,
    pub(crate) void_time: u32,
    /// Name, particle type, value.
    pub(crate) bins: Vec<(Vec<u8>, u8, Vec<u8>)>,
}

impl Answer {
    pub(crate) fn found(index: u32, bins: &[(&str, u8, &[u8])]) -> Self {
        let owned = |&(name, kind, value): &(&str, u8, &[u8])| (name.into(), kind, value.to_vec());
        Self { index, result_code: 0, generation: 1, void_time: 0, bins: bins.iter().map(owned).collect() }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        MessageHeader {
            info1: info1::READ,
            result_code: self.result_code.into(),
            generation: self.generation,
            ttl: self.void_time,
            extra: self.index,
            n_ops: self.bins.len() as u16,
            ..MessageHeader::default()
        }
        .write(out);
        for (name, kind, value) in &self.bins {
            write_op(out, op::READ, *kind, name, value);
        }
    }
}

/// The body of a frame with these answers.
pub(crate) fn frame(answers: &[Answer]) -> Vec<u8> {
    let mut out = Vec::new();
    answers.iter().for_each(|answer| answer.write(&mut out));
    out
}

/// Bytes between guards.
struct Guarded {
    bytes: Vec<u8>,
}

impl Guarded {
    fn new(len: usize) -> Self {
        Self { bytes: vec![FILL; len + 2 * GUARD] }
    }

    fn start(&mut self) -> *mut u8 {
        self.bytes[GUARD..].as_mut_ptr()
    }

    fn check(self) -> Vec<u8> {
        let len = self.bytes.len() - 2 * GUARD;
        assert!(self.bytes[..GUARD].iter().all(|&byte| byte == FILL), "written before the memory");
        assert!(self.bytes[GUARD + len..].iter().all(|&byte| byte == FILL), "written behind the memory");
        self.bytes[GUARD..GUARD + len].to_vec()
    }
}

/// The result of decoding.
pub(crate) struct Outcome {
    /// All rows, `stride` bytes each.
    pub(crate) data: Vec<u8>,
    pub(crate) stride: usize,
    pub(crate) meta: Vec<(u32, u32)>,
    pub(crate) codes: Vec<i32>,
    pub(crate) done: Vec<bool>,
    pub(crate) outcomes: Vec<RowOutcome>,
    pub(crate) summary: Summary,
}

impl Outcome {
    pub(crate) fn row(&self, row: usize) -> &[u8] {
        &self.data[row * self.stride..][..self.stride]
    }
}

/// Decodes frames, each under a separate lease, into `len` rows `gap` bytes apart. A frame is read up to the first
/// malformed message.
pub(crate) fn decode(plan: Plan, len: usize, gap: usize, frames: &[Vec<u8>]) -> Outcome {
    let stride = plan.schema().itemsize() + gap;
    // One byte more, so that rows are rarely aligned.
    let mut data = Guarded::new(len * stride + 1);
    let mut meta = Guarded::new(len * 8 + 1);
    let mut codes = Guarded::new(len * 4 + 1);
    let memory = RowMemory {
        data: data.start().wrapping_add(1),
        stride,
        meta: meta.start().wrapping_add(1),
        result_codes: codes.start().wrapping_add(1),
        len,
    };
    // SAFETY: the three parts have the required length, outlive the buffer and are not accessed until it is dropped.
    let rows = unsafe { RowBuffer::new(Arc::new(plan), memory, NOW) };
    let mut outcomes = Vec::new();
    for frame in frames {
        let mut lease = rows.lease().unwrap();
        for answer in BatchAnswers::new(frame) {
            if let Ok(BatchAnswer::Record(record)) = answer {
                outcomes.push(lease.write(record.index as usize, &record));
            }
        }
    }
    let summary = rows.finish();
    assert!(rows.lease().is_none());
    let done: Vec<bool> = (0..len).map(|row| rows.is_done(row)).collect();
    assert_eq!(summary.done, done.iter().filter(|&&done| done).count());
    drop(rows);
    let word = |bytes: &[u8]| u32::from_ne_bytes(bytes.try_into().unwrap());
    Outcome {
        data: data.check()[1..].to_vec(),
        stride,
        meta: meta.check()[1..].chunks(8).map(|pair| (word(&pair[..4]), word(&pair[4..]))).collect(),
        codes: codes.check()[1..].chunks(4).map(|code| word(code) as i32).collect(),
        done,
        outcomes,
        summary,
    }
}

/// Whether the field of a row is marked as present.
pub(crate) fn is_present(summary: &Summary, fields: usize, row: usize, field: usize) -> bool {
    has_cell(&summary.presence, fields, row, field)
}

/// Whether a set of cells of the summary has the field of a row. A set without any cell has no bytes.
pub(crate) fn has_cell(cells: &[u8], fields: usize, row: usize, field: usize) -> bool {
    let at = row * fields.div_ceil(8) + field / 8;
    !cells.is_empty() && cells[at] >> (7 - field % 8) & 1 == 1
}

/// A power of two that is a normal double, exactly, which [`f64::powi`] does not guarantee.
pub(crate) fn two_to(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}
