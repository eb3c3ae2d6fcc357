//! Tests of bit operations.

use proptest::prelude::*;
use wire_protocol::msgpack::{write_blob, write_bool, write_int, write_list_header};

use super::*;

/// An argument of an operation.
#[derive(Clone, Debug)]
enum Arg {
    Int(i64),
    Bool(bool),
    Bytes(Vec<u8>),
}

fn operation(code: i64, args: &[Arg]) -> Vec<u8> {
    let mut out = Vec::new();
    write_list_header(&mut out, args.len() + 1);
    write_int(&mut out, code);
    for arg in args {
        match arg {
            Arg::Int(value) => write_int(&mut out, *value),
            Arg::Bool(value) => write_bool(&mut out, *value),
            Arg::Bytes(bytes) => write_blob(&mut out, bytes),
        }
    }
    out
}

fn ints(values: &[i64]) -> Vec<Arg> {
    values.iter().map(|&value| Arg::Int(value)).collect()
}

const fn blob(bytes: &[u8]) -> BinView<'_> {
    BinView { particle_type: particle_type::BLOB, bytes }
}

/// The bytes after an operation; `None` if it changes nothing.
fn changed(old: Option<&[u8]>, code: i64, args: &[Arg]) -> Result<Option<Vec<u8>>, ResultCode> {
    match modify(old.map(blob), &operation(code, args)) {
        Ok(Applied { change: Change::Set(bin), result: None }) => Ok(Some(bin.bytes)),
        Ok(Applied { change: Change::Keep, result: None }) => Ok(None),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.code),
    }
}

fn integer(old: &[u8], code: i64, args: &[Arg]) -> Result<i64, ResultCode> {
    let bin = read(blob(old), &operation(code, args)).map_err(|error| error.code)?;
    Ok(i64::from_be_bytes(bin.bytes.try_into().unwrap()))
}

#[test]
fn resize_insert_and_remove() {
    let some = |bytes: &[u8]| Ok(Some(bytes.to_vec()));
    let old = Some(&b"\x01\x02\x03"[..]);
    assert_eq!(changed(old, 0, &ints(&[5])), some(b"\x01\x02\x03\0\0"));
    assert_eq!(changed(old, 0, &ints(&[5, 0, 1])), some(b"\0\0\x01\x02\x03"));
    assert_eq!(changed(old, 0, &ints(&[1])), some(b"\x01"));
    assert_eq!(changed(old, 0, &ints(&[1, 0, 1])), some(b"\x03"));
    assert_eq!(changed(old, 0, &ints(&[3])), Ok(None));
    assert_eq!(changed(old, 0, &ints(&[1, 0, 2])), Err(ResultCode::PARAMETER));
    assert_eq!(changed(old, 0, &ints(&[5, 4, 4])), Ok(None));
    assert_eq!(changed(old, 0, &ints(&[5, 0, 6])), Err(ResultCode::PARAMETER));
    assert_eq!(changed(None, 0, &ints(&[2])), some(b"\0\0"));
    assert_eq!(changed(None, 0, &ints(&[0])), Ok(None));
    let insert = |at: i64| [Arg::Int(at), Arg::Bytes(b"xy".to_vec())];
    assert_eq!(changed(old, 1, &insert(1)), some(b"\x01xy\x02\x03"));
    assert_eq!(changed(old, 1, &insert(-1)), some(b"\x01\x02xy\x03"));
    assert_eq!(changed(old, 1, &insert(5)), some(b"\x01\x02\x03\0\0xy"));
    assert_eq!(changed(None, 1, &insert(1)), some(b"\0xy"));
    assert_eq!(changed(None, 1, &insert(-1)), Err(ResultCode::PARAMETER));
    assert_eq!(changed(old, 2, &ints(&[1, 1])), some(b"\x01\x03"));
    assert_eq!(changed(old, 2, &ints(&[1, 9])), Err(ResultCode::PARAMETER));
    assert_eq!(changed(old, 2, &ints(&[1, 9, 8])), some(b"\x01"));
    assert_eq!(changed(old, 2, &ints(&[-4, 1])), Err(ResultCode::PARAMETER));
    assert_eq!(changed(old, 0, &ints(&[128 * 1024 * 1024])), Err(ResultCode::PARAMETER));
    assert_eq!(changed(old, 0, &ints(&[64 * 1024 * 1024])), Err(ResultCode::RECORD_TOO_BIG));
}

#[test]
fn flags_decide_about_bins() {
    let old = Some(&b"\x01"[..]);
    assert_eq!(changed(old, 0, &ints(&[2, 1])), Err(ResultCode::BIN_EXISTS));
    assert_eq!(changed(old, 0, &ints(&[2, 5])), Ok(None));
    assert_eq!(changed(None, 0, &ints(&[2, 2])), Err(ResultCode::BIN_NOT_FOUND));
    assert_eq!(changed(None, 0, &ints(&[2, 6])), Ok(None));
    assert_eq!(changed(None, 7, &ints(&[0, 1])), Err(ResultCode::BIN_NOT_FOUND));
    assert_eq!(changed(old, 0, &ints(&[2, 3])), Err(ResultCode::PARAMETER));
    assert_eq!(changed(old, 7, &ints(&[0, 1, 1])), Err(ResultCode::PARAMETER));
    let text = BinView { particle_type: particle_type::STRING, bytes: b"x" };
    let operation = operation(7, &ints(&[0, 1]));
    assert_eq!(modify(Some(text), &operation).unwrap_err().code, ResultCode::BIN_TYPE);
    assert_eq!(
        read(text, &super::tests::operation(51, &ints(&[0, 1]))).unwrap_err().code,
        ResultCode::BIN_TYPE
    );
}

#[test]
fn sums_overflow_as_the_flags_say() {
    let sum = |old: &[u8], code: i64, size: i64, value: i64, flags: i64| {
        changed(Some(old), code, &ints(&[0, size, value, 0, flags]))
    };
    let done = |byte: u8| Ok(Some(vec![byte]));
    let overflow = Err(ResultCode::OP_NOT_APPLICABLE);
    assert_eq!(sum(&[250], 10, 8, 5, 0), done(255));
    assert_eq!(sum(&[250], 10, 8, 6, 0), overflow);
    assert_eq!(sum(&[250], 10, 8, 6, 2), done(255));
    assert_eq!(sum(&[250], 10, 8, 6, 4), done(0));
    assert_eq!(sum(&[5], 11, 8, 6, 0), overflow);
    assert_eq!(sum(&[5], 11, 8, 6, 2), done(0));
    assert_eq!(sum(&[5], 11, 8, 6, 4), done(255));
    assert_eq!(sum(&[127], 10, 8, 1, 1), overflow);
    assert_eq!(sum(&[127], 10, 8, 1, 3), done(127));
    assert_eq!(sum(&[128], 11, 8, 1, 3), done(128));
    assert_eq!(sum(&[128], 10, 8, 128, 1), done(0));
    assert_eq!(sum(&[0xf0], 10, 4, 1, 4), done(0));
    assert_eq!(changed(Some(&[250]), 10, &ints(&[0, 8, 6, 4, 0])), Ok(None));
    assert_eq!(sum(&[1], 10, 65, 1, 0), Err(ResultCode::PARAMETER));
    assert_eq!(sum(&[1], 10, 8, 1, 6), Err(ResultCode::PARAMETER));
    assert_eq!(sum(&[1], 10, 9, 1, 0), overflow);
}

#[test]
fn reads_return_bits_numbers_and_positions() {
    let get = read(blob(&[0b1010_1100, 0xff]), &operation(50, &ints(&[4, 6]))).unwrap();
    assert_eq!(get, Bin::new(particle_type::BLOB, vec![0b1100_1100]));
    assert_eq!(integer(&[0xff, 0x0f], 51, &ints(&[4, 12])), Ok(8));
    let scan = |code, offset, size, value| {
        integer(&[0b0010_0000], code, &[Arg::Int(offset), Arg::Int(size), Arg::Bool(value)])
    };
    assert_eq!(scan(52, 0, 8, true), Ok(2));
    assert_eq!(scan(52, 3, 5, true), Ok(-1));
    assert_eq!(scan(53, 0, 8, false), Ok(7));
    // The scan from the right does not stop at the offset.
    assert_eq!(scan(53, 4, 4, true), Ok(-2));
    assert_eq!(integer(&[0xff], 54, &ints(&[0, 4])), Ok(15));
    assert_eq!(integer(&[0xff], 54, &ints(&[0, 4, 1])), Ok(-1));
    assert_eq!(integer(&[0xff], 54, &ints(&[4, 8])), Err(ResultCode::OP_NOT_APPLICABLE));
    assert_eq!(integer(&[0xff], 51, &ints(&[-9, 1])), Err(ResultCode::PARAMETER));
}

/// Bits as a slow, obvious model has them.
fn bits(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |at| byte >> (7 - at) & 1 == 1)).collect()
}

proptest! {
    #[test]
    fn bitwise_operations_are_those_of_single_bits(
        old in prop::collection::vec(any::<u8>(), 1..40),
        buffer in prop::collection::vec(any::<u8>(), 1..40),
        code in 3i64..=9,
        offset in -330i64..330,
        size in 1usize..320,
        shift in 0usize..340,
        partial: bool,
    ) {
        let len = old.len() * 8;
        let size = size % (buffer.len() * 8) + 1;
        let flags = i64::from(partial) * 8;
        let mut args = vec![Arg::Int(offset), Arg::Int(size as i64)];
        match code {
            3..=6 => args.push(Arg::Bytes(buffer.clone())),
            8 | 9 => args.push(Arg::Int(shift as i64)),
            _ => {}
        }
        args.push(Arg::Int(flags));
        let result = changed(Some(&old), code, &args);
        let start = if offset < 0 { len as i64 + offset } else { offset };
        let Ok(start) = usize::try_from(start) else {
            prop_assert_eq!(result, Err(ResultCode::PARAMETER));
            return Ok(());
        };
        if start >= len || start + size > len && !partial {
            prop_assert_eq!(result, Err(ResultCode::OP_NOT_APPLICABLE));
            return Ok(());
        }
        let size = size.min(len - start);
        let (before, given) = (bits(&old), bits(&buffer));
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
        prop_assert_eq!(bits(&result.unwrap().unwrap()), wanted);
    }

    #[test]
    fn reads_are_those_of_single_bits(
        old in prop::collection::vec(any::<u8>(), 1..40),
        start in 0usize..320,
        size in 1usize..320,
        wanted: bool,
    ) {
        let all = bits(&old);
        let start = start % all.len();
        let size = size % (all.len() - start) + 1;
        let range = &all[start..start + size];
        let args = ints(&[start as i64, size as i64]);
        let count = range.iter().filter(|&&bit| bit).count();
        prop_assert_eq!(integer(&old, 51, &args), Ok(count as i64));
        let got = read(blob(&old), &operation(50, &args)).unwrap();
        prop_assert_eq!(&bits(&got.bytes)[..size], range);
        let scan = [Arg::Int(start as i64), Arg::Int(size as i64), Arg::Bool(wanted)];
        let left = range.iter().position(|&bit| bit == wanted).map_or(-1, |at| at as i64);
        prop_assert_eq!(integer(&old, 52, &scan), Ok(left));
        let head = start % 8;
        let right = all[start - head..start + size].iter().rposition(|&bit| bit == wanted);
        prop_assert_eq!(integer(&old, 53, &scan), Ok(right.map_or(-1, |at| at as i64 - head as i64)));
    }

    #[test]
    fn any_bytes_are_applied_or_refused(
        operation in prop::collection::vec(any::<u8>(), 0..40),
        old in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        _ = modify(Some(blob(&old)), &operation);
        _ = modify(None, &operation);
        _ = read(blob(&old), &operation);
    }
}
