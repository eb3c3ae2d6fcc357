//! Tests of HyperLogLog operations. The recorded traffic of a real server, which the tests of `dev-server` replay, has
//! the bytes and estimates to compare with.

use proptest::prelude::*;
use wire_protocol::msgpack::{write_blob, write_int, write_list_header, write_str};

use super::*;

fn head(len: usize, code: i64) -> Vec<u8> {
    let mut out = Vec::new();
    write_list_header(&mut out, len);
    write_int(&mut out, code);
    out
}

fn ints(code: i64, args: &[i64]) -> Vec<u8> {
    let mut out = head(args.len() + 1, code);
    args.iter().for_each(|&arg| write_int(&mut out, arg));
    out
}

/// An operation on elements, `first` up to `end`.
fn elements(code: i64, range: std::ops::Range<u32>, args: &[i64]) -> Vec<u8> {
    let mut out = head(args.len() + 2, code);
    write_list_header(&mut out, range.len());
    range.for_each(|element| write_str(&mut out, format!("element {element}").as_bytes()));
    args.iter().for_each(|&arg| write_int(&mut out, arg));
    out
}

fn sketches(code: i64, sketches: &[&Bin], args: &[i64]) -> Vec<u8> {
    let mut out = head(args.len() + 2, code);
    write_list_header(&mut out, sketches.len());
    sketches.iter().for_each(|sketch| write_blob(&mut out, &sketch.bytes));
    args.iter().for_each(|&arg| write_int(&mut out, arg));
    out
}

fn set(old: Option<&Bin>, operation: &[u8]) -> Result<(Bin, Option<i64>), ResultCode> {
    let applied = modify(old.map(Bin::view), operation).map_err(|error| error.code)?;
    let result = applied.result.map(|bin| i64::from_be_bytes(bin.bytes.try_into().unwrap()));
    match applied.change {
        Change::Set(bin) => Ok((bin, result)),
        other => panic!("{other:?}"),
    }
}

fn filled(range: std::ops::Range<u32>, index: i64, hash: i64) -> Bin {
    set(None, &elements(1, range, &[index, hash])).unwrap().0
}

fn number(bin: &Bin, operation: &[u8]) -> i64 {
    i64::from_be_bytes(read(bin.view(), operation).unwrap().bytes.try_into().unwrap())
}

#[test]
fn sketches_estimate() {
    let a = filled(0..1000, 12, 20);
    let b = filled(500..1500, 12, 20);
    assert_eq!(a.bytes.len(), 11 + 4096 * 26 / 8);
    assert!((950..1050).contains(&number(&a, &ints(50, &[]))));
    assert!((1400..1600).contains(&number(&a, &sketches(52, &[&b], &[]))));
    assert!((430..570).contains(&number(&a, &sketches(53, &[&b], &[]))));
    let similarity = read(a.view(), &sketches(54, &[&b], &[])).unwrap();
    let similarity = f64::from_be_bytes(similarity.bytes.try_into().unwrap());
    assert!((0.28..0.38).contains(&similarity), "{similarity}");
    assert_eq!(read(a.view(), &ints(55, &[])).unwrap().bytes, b"\x92\x0c\x14");
    assert_eq!(number(&a, &elements(56, 0..1000, &[])), 1);
    assert_eq!(number(&a, &elements(56, 900..1100, &[])), 0);
    let union = read(a.view(), &sketches(51, &[&b], &[])).unwrap();
    assert_eq!(union, set(Some(&a), &sketches(2, &[&b], &[])).unwrap().0);
}

#[test]
fn empty_sketches_have_nothing_in_common() {
    let nan = |bin: &Bin, others: &[&Bin]| read(bin.view(), &sketches(54, others, &[])).unwrap().bytes;
    let (plain, hashed) = (set(None, &ints(0, &[4])).unwrap().0, set(None, &ints(0, &[4, 4])).unwrap().0);
    assert_eq!(nan(&plain, &[&plain]), 0xfff8_0000_0000_0000u64.to_be_bytes());
    assert_eq!(nan(&hashed, &[&hashed]), 0x7ff8_0000_0000_0000u64.to_be_bytes());
    assert_eq!(number(&plain, &ints(50, &[])), 0);
    assert_eq!(number(&hashed, &sketches(53, &[&hashed], &[])), 0);
}

#[test]
fn counts_are_kept_until_an_element_is_added() {
    let (counted, count) = set(Some(&filled(0..100, 8, 0)), &ints(3, &[])).unwrap();
    let cached = u64::from_le_bytes(counted.bytes[3..11].try_into().unwrap());
    assert_eq!(count, Some(cached as i64));
    let (same, added) = set(Some(&counted), &elements(1, 0..100, &[])).unwrap();
    assert_eq!((same, added), (counted.clone(), Some(0)));
    let (more, added) = set(Some(&counted), &elements(1, 1000..5000, &[])).unwrap();
    assert!(added.unwrap() > 0 && more.bytes[3..11] == [0; 8]);
}

#[test]
fn folds_are_sketches_of_fewer_bits() {
    let folded = set(Some(&filled(0..300, 10, 0)), &ints(4, &[6])).unwrap().0;
    assert_eq!(folded, filled(0..300, 6, 0));
    let code = |old: &Bin, operation: &[u8]| set(Some(old), operation).unwrap_err();
    assert_eq!(code(&filled(0..3, 6, 0), &ints(4, &[10])), ResultCode::OP_NOT_APPLICABLE);
    assert_eq!(code(&filled(0..3, 6, 4), &ints(4, &[5])), ResultCode::OP_NOT_APPLICABLE);
    let (large, small) = (filled(0..30, 10, 4), filled(0..30, 6, 4));
    assert_eq!(code(&large, &sketches(2, &[&small], &[])), ResultCode::OP_NOT_APPLICABLE);
    let union = set(Some(&large), &sketches(2, &[&small], &[8])).unwrap().0;
    assert_eq!(union.bytes[1..3], [6, 4]);
}

#[test]
fn invalid_operations_have_the_server_s_codes() {
    let some = filled(0..3, 6, 0);
    let code =
        |old: Option<&Bin>, operation: &[u8]| modify(old.map(Bin::view), operation).map_err(|e| e.code);
    let parameter = Err(ResultCode::PARAMETER);
    for operation in [
        ints(0, &[3]),
        ints(0, &[17]),
        ints(0, &[16, 3]),
        ints(0, &[16, 52]),
        ints(0, &[16, 49]),
        ints(0, &[8, 0, 8]),
        ints(0, &[8, 0, 3]),
        ints(5, &[]),
        elements(1, 0..0, &[8]),
        head(2, 1),
        ints(4, &[]),
    ] {
        assert_eq!(code(None, &operation), parameter, "{operation:?}");
    }
    assert_eq!(code(None, &ints(0, &[])), Err(ResultCode::OP_NOT_APPLICABLE));
    assert_eq!(code(None, &elements(1, 0..1, &[])), Err(ResultCode::OP_NOT_APPLICABLE));
    assert_eq!(code(None, &ints(3, &[])), Err(ResultCode::BIN_NOT_FOUND));
    assert_eq!(code(None, &ints(0, &[8, 0, 2])), Err(ResultCode::BIN_NOT_FOUND));
    assert_eq!(code(Some(&some), &ints(0, &[8, 0, 1])), Err(ResultCode::BIN_EXISTS));
    let kept = code(Some(&some), &ints(0, &[8, 0, 5])).unwrap();
    assert_eq!(kept.change, Change::Keep);
    assert_eq!(code(Some(&Bin::int(1)), &ints(3, &[])), Err(ResultCode::BIN_TYPE));
    let damaged = Bin::new(particle_type::HLL, vec![1, 2, 3]);
    assert_eq!(code(Some(&damaged), &ints(3, &[])), Err(ResultCode::SERVER_ERROR));
    assert_eq!(read(some.view(), &ints(57, &[])).unwrap_err().code, ResultCode::PARAMETER);
    let three = sketches(53, &[&some, &some, &some], &[]);
    assert_eq!(read(some.view(), &three).unwrap_err().code, ResultCode::PARAMETER);
    let hashed = filled(0..3, 6, 4);
    let three = sketches(53, &[&hashed, &hashed, &hashed], &[]);
    assert_eq!(read(some.view(), &three).unwrap_err().code, ResultCode::OP_NOT_APPLICABLE);
}

proptest! {
    #[test]
    fn unions_are_sketches_of_all_elements(
        a in 0u32..200,
        b in 0u32..200,
        index in 4i64..10,
        hash in prop::sample::select(vec![0i64, 4, 13, 51]),
    ) {
        let (first, second) = (filled(0..a + 1, index, hash), filled(100..100 + b + 1, index, hash));
        let both = set(Some(&first), &elements(1, 100..100 + b + 1, &[])).unwrap().0;
        let union = set(Some(&first), &sketches(2, &[&second], &[])).unwrap().0;
        prop_assert_eq!(both, union);
    }

    #[test]
    fn any_bytes_are_applied_or_refused(
        operation in prop::collection::vec(any::<u8>(), 0..60),
        bytes in prop::collection::vec(any::<u8>(), 0..30),
        index in 4i64..6,
    ) {
        for bin in [Bin::new(particle_type::HLL, bytes), filled(0..3, index, 0)] {
            _ = modify(Some(bin.view()), &operation);
            _ = read(bin.view(), &operation);
        }
        _ = modify(None, &operation);
    }
}
