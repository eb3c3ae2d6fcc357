//! Bit operations that read a blob.

use wire_protocol::particle::particle_type;

use crate::bin::Bin;
use crate::bit_string::{WORD, low_bits, read_bits, write_bits};
use crate::bits::arguments::{Code, Operation, integer_flags};
use crate::error::OpError;

pub(super) fn apply(operation: &Operation<'_>, blob: &[u8]) -> Result<Bin, OpError> {
    let start = operation.start(blob.len())?;
    let size = operation.size;
    if start + size > blob.len() * 8 {
        return Err(OpError::not_applicable("a bit operation reaches past the end of the blob"));
    }
    Ok(match operation.code {
        Code::Get => Bin::new(particle_type::BLOB, get(blob, start, size)),
        Code::Count => {
            let words = words(size).map(|(at, len)| read_bits(blob, start + at, len).count_ones());
            Bin::int(words.map(i64::from).sum())
        }
        Code::LeftScan => Bin::int(left_scan(blob, start, size, operation.value == 1)),
        Code::RightScan => Bin::int(right_scan(blob, start, size, operation.value == 1)),
        _ => {
            let value = read_bits(blob, start, size).cast_signed();
            let is_signed = operation.subflags & integer_flags::SIGNED != 0;
            Bin::int(if is_signed { value << (WORD - size) >> (WORD - size) } else { value })
        }
    })
}

/// Position and length of each word of `size` bits.
fn words(size: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> {
    (0..size.div_ceil(WORD)).map(move |word| (word * WORD, WORD.min(size - word * WORD)))
}

fn get(blob: &[u8], start: usize, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size.div_ceil(8)];
    for (at, len) in words(size) {
        write_bits(&mut bytes, at, len, read_bits(blob, start + at, len));
    }
    bytes
}

/// The bits of a word that have the wanted value.
fn matches(blob: &[u8], at: usize, len: usize, wanted: bool) -> u64 {
    let word = read_bits(blob, at, len);
    if wanted { word } else { !word & low_bits(len) }
}

fn left_scan(blob: &[u8], start: usize, size: usize, wanted: bool) -> i64 {
    let mut found = words(size).filter_map(|(at, len)| match matches(blob, start + at, len, wanted) {
        0 => None,
        word => Some(at + len - 1 - word.ilog2() as usize),
    });
    found.next().map_or(-1, |position| position as i64)
}

/// Like the server, goes on to the start of the first byte, so the answer may be a negative position.
fn right_scan(blob: &[u8], start: usize, size: usize, wanted: bool) -> i64 {
    let head = start % 8;
    let first = start - head;
    let found = words(size + head).rev().find_map(|(at, len)| match matches(blob, first + at, len, wanted) {
        0 => None,
        word => Some(at + len - 1 - word.trailing_zeros() as usize),
    });
    found.map_or(-1, |position| position as i64 - head as i64)
}
