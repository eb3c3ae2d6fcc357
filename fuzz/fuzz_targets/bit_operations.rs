//! Operations on bits: any bytes, and bitwise operations against a model of single bits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record_ops::{BinView, Change, bits};
use wire_protocol::msgpack::{write_blob, write_int, write_list_header};
use wire_protocol::particle::particle_type;

fn blob(bytes: &[u8]) -> BinView<'_> {
    BinView { particle_type: particle_type::BLOB, bytes }
}

fn single(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |at| byte >> (7 - at) & 1 == 1)).collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((&[len, code, offset, size, shift], rest)) = data.split_first_chunk() else {
        return;
    };
    let (old, operation) = rest.split_at(usize::from(len).min(rest.len()));
    _ = bits::modify(Some(blob(old)), operation);
    _ = bits::modify(None, operation);
    _ = bits::read(blob(old), operation);

    let (code, start) = (3 + code % 7, usize::from(offset));
    let (size, shift) = (usize::from(size) + 1, usize::from(shift));
    if start + size > old.len() * 8 || code < 7 && size > operation.len() * 8 {
        return;
    }
    let mut request = Vec::new();
    write_list_header(&mut request, if code == 7 { 3 } else { 4 });
    [i64::from(code), start as i64, size as i64].iter().for_each(|&value| write_int(&mut request, value));
    match code {
        3..=6 => write_blob(&mut request, operation),
        7 => {}
        _ => write_int(&mut request, shift as i64),
    }
    let applied = bits::modify(Some(blob(old)), &request).expect("an operation within the blob");
    let Change::Set(new) = applied.change else { panic!("{applied:?}") };
    let (before, given) = (single(old), single(operation));
    let mut wanted = before.clone();
    for at in 0..size {
        let own = before[start + at];
        wanted[start + at] = match code {
            3 => given[at],
            4 => own | given[at],
            5 => own ^ given[at],
            6 => own & given[at],
            7 => !own,
            8 => at + shift < size && before[start + at + shift],
            _ => at >= shift && before[start + at - shift],
        };
    }
    assert_eq!(single(&new.bytes), wanted);
});
