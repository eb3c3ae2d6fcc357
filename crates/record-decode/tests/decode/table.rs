//! Each kind of field with each type of bin, including edge cases.

use crate::common::{Answer, FILL, decode, frame, is_present, two_to};
use dtype_schema::{Element, Field, Schema};
use record_decode::{Casting, Plan};
use wire_protocol::particle::Particle;

use Particle::{Blob, Bool, Float, GeoJson, Hll, Int, List, Map, Nil, Str};

/// The content of a field after a bin was decoded into it.
#[derive(Debug, PartialEq)]
enum Held {
    /// The bytes, and the number of changed values.
    Value(Vec<u8>, u64),
    /// Zeros, since there is no value.
    Missing,
    /// Zeros, since the conversion failed for this reason.
    Failed(String),
}

/// Reads one bin into a field `3` bytes into a row, with padding on both sides.
fn read(kind: char, itemsize: usize, order: char, shape: &[usize], bin: Particle<'_>, how: Casting) -> Held {
    let element = Element::from_numpy("x", kind, itemsize, order).unwrap();
    let field = Field::new("x", 3, element, shape).unwrap();
    let size = field.size();
    let schema = Schema::new(vec![field], size + 5).unwrap();
    let mut value = Vec::new();
    bin.write(&mut value);
    let body = frame(&[Answer::found(0, &[("x", bin.particle_type(), &value)])]);
    let outcome = decode(Plan::new(schema, how, None), 1, 0, &[body]);

    let row = outcome.row(0);
    assert!(row[..3].iter().chain(&row[3 + size..]).all(|&byte| byte == FILL), "padding was written");
    let bytes = row[3..3 + size].to_vec();
    let zeros = bytes.iter().all(|&byte| byte == 0);
    let summary = outcome.summary;
    let changed = summary.inexact.first().map_or(0, |&(_, count)| count);
    match (is_present(&summary, 1, 0, 0), summary.failures.as_slice()) {
        (true, []) => Held::Value(bytes, changed),
        (false, []) => {
            assert!(zeros && changed == 0);
            Held::Missing
        }
        (false, [failure]) => {
            assert!(zeros && changed == 0 && summary.failure_count == 1);
            assert_eq!((failure.row, failure.field, failure.bin_type), (0, 0, bin.type_name()));
            Held::Failed(failure.reason.to_string())
        }
        other => panic!("{other:?}"),
    }
}

/// A scalar in native order, under `casting="unsafe"`.
fn scalar(kind: char, itemsize: usize, bin: Particle<'_>) -> Held {
    read(kind, itemsize, '=', &[], bin, Casting::Unsafe)
}

/// A scalar in a given byte order.
fn ordered(kind: char, itemsize: usize, order: char, bin: Particle<'_>) -> Held {
    read(kind, itemsize, order, &[], bin, Casting::Unsafe)
}

fn same(kind: char, itemsize: usize, bin: Particle<'_>) -> Held {
    read(kind, itemsize, '=', &[], bin, Casting::SameValue)
}

fn value(bytes: &[u8]) -> Held {
    Held::Value(bytes.to_vec(), 0)
}

fn changed(bytes: &[u8]) -> Held {
    Held::Value(bytes.to_vec(), 1)
}

fn failed(held: &Held) -> bool {
    matches!(held, Held::Failed(_))
}

/// Writes the test of one integer type.
macro_rules! integer_field {
    ($name:ident, $int:ty, $kind:literal) => {
        #[test]
        fn $name() {
            const SIZE: usize = size_of::<$int>();
            let read = |bin| scalar($kind, SIZE, bin);
            let wholes = [0, 1, <$int>::MIN, <$int>::MAX, <$int>::MAX / 3];
            for (whole, int) in wholes.map(|whole| (whole, i64::try_from(whole).unwrap_or(-1))) {
                if int == -1 {
                    continue;
                }
                assert_eq!(read(Int(int)), value(&whole.to_ne_bytes()));
                assert_eq!(same($kind, SIZE, Int(int)), value(&whole.to_ne_bytes()));
                let mut swapped = whole.to_be_bytes().to_vec();
                assert_eq!(ordered($kind, SIZE, '>', Int(int)), value(&swapped));
                swapped.reverse();
                assert_eq!(ordered($kind, SIZE, '<', Int(int)), value(&swapped));
            }
            // Integers outside keep their low bits, and count.
            for int in [i64::MIN, i64::MIN + 7, -1, i64::from(u32::MAX) + 5, i64::MAX] {
                let wrapped = int as $int;
                let fits = <$int>::try_from(int).is_ok();
                let held = Held::Value(wrapped.to_ne_bytes().to_vec(), u64::from(!fits));
                assert_eq!(read(Int(int)), held, "{int}");
                assert_eq!(failed(&same($kind, SIZE, Int(int))), !fits, "{int}");
            }
            for truth in [false, true] {
                assert_eq!(read(Bool(truth)), value(&<$int>::from(truth).to_ne_bytes()));
            }
            // Floats are truncated toward zero; a fraction counts.
            assert_eq!(read(Float(0.0)), value(&[0; SIZE]));
            assert_eq!(read(Float(-0.0)), value(&[0; SIZE]));
            assert_eq!(same($kind, SIZE, Float(-0.0)), value(&[0; SIZE]));
            assert_eq!(read(Float(7.0)), value(&(7 as $int).to_ne_bytes()));
            assert_eq!(read(Float(7.9)), changed(&(7 as $int).to_ne_bytes()));
            assert!(failed(&same($kind, SIZE, Float(7.9))));
            assert_eq!(read(Float(-0.9)), changed(&[0; SIZE]));
            assert_eq!(read(Float(5e-324)), changed(&[0; SIZE]));
            // The first floats outside the range fail, the last ones inside do not.
            let low = <$int>::MIN as f64;
            let high = <$int>::MAX as f64 + if SIZE < 8 { 1.0 } else { 0.0 };
            assert_eq!(read(Float(low)), value(&<$int>::MIN.to_ne_bytes()));
            assert!(failed(&read(Float(high))));
            let inside = high.next_down();
            let held = Held::Value((inside as $int).to_ne_bytes().to_vec(), u64::from(inside.fract() != 0.0));
            assert_eq!(read(Float(inside)), held);
            let below = if SIZE < 8 || low == 0.0 { low - 1.0 } else { low.next_down() };
            assert!(failed(&read(Float(below))));
            if SIZE < 8 {
                assert_eq!(read(Float(below.next_up())), changed(&<$int>::MIN.to_ne_bytes()));
            }
            for infinite in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(failed(&read(Float(infinite))), "{infinite}");
            }
            assert!(failed(&read(Float(1e300))) && failed(&read(Float(-1e300))));
            refuses(
                $kind,
                SIZE,
                &[Str(b"1"), Blob(b"1"), List(b"\x90"), Map(b"\x80"), GeoJson(b"{}"), Hll(b"")],
            );
        }
    };
}

/// The field takes none of these, under either casting, and nil leaves it missing.
fn refuses(kind: char, itemsize: usize, bins: &[Particle<'_>]) {
    for &bin in bins {
        let held = scalar(kind, itemsize, bin);
        assert!(
            matches!(&held, Held::Failed(why) if why.starts_with("the field takes ")),
            "{bin:?}: {held:?}"
        );
        assert_eq!(same(kind, itemsize, bin), held);
    }
    let unknown = Particle::Other { particle_type: 99, bytes: b"pickle" };
    assert!(failed(&scalar(kind, itemsize, unknown)));
    assert_eq!(scalar(kind, itemsize, Nil), Held::Missing);
    assert_eq!(same(kind, itemsize, Nil), Held::Missing);
}

integer_field!(i1, i8, 'i');
integer_field!(i2, i16, 'i');
integer_field!(i4, i32, 'i');
integer_field!(i8, i64, 'i');
integer_field!(u1, u8, 'u');
integer_field!(u2, u16, 'u');
integer_field!(u4, u32, 'u');
integer_field!(u8, u64, 'u');

const BYTES: [Particle<'_>; 6] =
    [Str(b"1.5"), Blob(b"1"), List(b"\x90"), Map(b"\x80"), GeoJson(b"{}"), Hll(b"")];

#[test]
fn f8() {
    let of = |float: f64| value(&float.to_ne_bytes());
    let specials =
        [0.0, -0.0, 1.5, -2.25, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, -f64::INFINITY];
    for float in specials.into_iter().chain([f64::NAN, f64::from_bits(0xfff8_0000_0000_1234)]) {
        assert_eq!(scalar('f', 8, Float(float)), of(float));
        assert_eq!(same('f', 8, Float(float)), of(float));
        assert_eq!(ordered('f', 8, '>', Float(float)), value(&float.to_be_bytes()));
        assert_eq!(ordered('f', 8, '<', Float(float)), value(&float.to_le_bytes()));
    }
    const EDGE: i64 = 1 << 53;
    for int in [0, 1, -1, EDGE - 1, EDGE, -EDGE, EDGE + 2, i64::MIN, 3 << 60] {
        assert_eq!(scalar('f', 8, Int(int)), of(int as f64));
        assert_eq!(same('f', 8, Int(int)), of(int as f64));
    }
    // To nearest, ties to even; lost digits count.
    for (int, float) in
        [(EDGE + 1, EDGE), (EDGE + 3, EDGE + 4), (-EDGE - 1, -EDGE), (i64::MAX - 512, i64::MAX - 1023)]
    {
        assert_eq!(scalar('f', 8, Int(int)), changed(&(float as f64).to_ne_bytes()), "{int}");
        assert!(failed(&same('f', 8, Int(int))));
    }
    assert_eq!(scalar('f', 8, Int(i64::MAX)), changed(&two_to(63).to_ne_bytes()));
    assert_eq!(scalar('f', 8, Bool(true)), of(1.0));
    assert_eq!(scalar('f', 8, Bool(false)), of(0.0));
    refuses('f', 8, &BYTES);
}

#[test]
fn f4() {
    let of = |float: f32| value(&float.to_ne_bytes());
    for float in [0.0, -0.0, 1.5, f32::MAX, f32::MIN_POSITIVE, 1e-45, f32::INFINITY, -f32::INFINITY] {
        assert_eq!(scalar('f', 4, Float(float.into())), of(float));
        assert_eq!(same('f', 4, Float(float.into())), of(float));
        assert_eq!(ordered('f', 4, '>', Float(float.into())), value(&float.to_be_bytes()));
    }
    let Held::Value(bytes, 0) = scalar('f', 4, Float(f64::NAN)) else { panic!("NaN is the same value") };
    assert!(f32::from_ne_bytes(bytes.try_into().unwrap()).is_nan());
    assert!(!failed(&same('f', 4, Float(f64::NAN))));
    // Rounding does not count, but it is a change.
    for float in [0.1, 5e-324, f64::from(f32::MAX).next_up(), 1e-46, 16_777_217.0] {
        assert_eq!(scalar('f', 4, Float(float)), of(float as f32), "{float}");
        assert!(failed(&same('f', 4, Float(float))));
    }
    // Halfway between the largest float and the next power of two is infinite.
    let edge = f64::from(f32::MAX) + two_to(103);
    assert_eq!(scalar('f', 4, Float(edge.next_down())), of(f32::MAX));
    assert_eq!(scalar('f', 4, Float(edge)), changed(&f32::INFINITY.to_ne_bytes()));
    assert_eq!(scalar('f', 4, Float(-1e300)), changed(&f32::NEG_INFINITY.to_ne_bytes()));
    assert!(failed(&same('f', 4, Float(edge))));
    for int in [0, -1, 1 << 24, (1 << 24) - 1, (1 << 24) + 2, i64::MIN] {
        assert_eq!(scalar('f', 4, Int(int)), of(int as f32));
        assert_eq!(same('f', 4, Int(int)), of(int as f32));
    }
    // In one step: through a double this would be a tie and round down.
    let int = (1 << 60) + (1 << 36) + 1;
    assert_eq!(scalar('f', 4, Int(int)), changed(&((two_to(60) + two_to(37)) as f32).to_ne_bytes()));
    assert!(failed(&same('f', 4, Int(int))));
    assert_eq!(scalar('f', 4, Int((1 << 24) + 1)), changed(&16_777_216f32.to_ne_bytes()));
    refuses('f', 4, &BYTES);
}

#[test]
fn f2() {
    let of = |bits: u16| value(&bits.to_ne_bytes());
    for (float, bits) in [
        (0.0, 0),
        (-0.0, 0x8000),
        (1.0, 0x3c00),
        (-2.0, 0xc000),
        (65504.0, 0x7bff),
        (two_to(-14), 0x0400),
        (two_to(-24), 0x0001),
        (f64::INFINITY, 0x7c00),
        (f64::NEG_INFINITY, 0xfc00),
        (f64::NAN, 0x7e00),
    ] {
        assert_eq!(scalar('f', 2, Float(float)), of(bits), "{float}");
        assert_eq!(same('f', 2, Float(float)), of(bits));
        assert_eq!(ordered('f', 2, '>', Float(float)), value(&bits.to_be_bytes()));
        assert_eq!(ordered('f', 2, '<', Float(float)), value(&bits.to_le_bytes()));
    }
    for (float, bits) in [(0.1, 0x2e66), (65519.9, 0x7bff), (two_to(-25), 0), (two_to(-25).next_up(), 1)] {
        assert_eq!(scalar('f', 2, Float(float)), of(bits), "{float}");
        assert!(failed(&same('f', 2, Float(float))));
    }
    for float in [65520.0, 1e300] {
        assert_eq!(scalar('f', 2, Float(float)), changed(&0x7c00u16.to_ne_bytes()));
        assert_eq!(scalar('f', 2, Float(-float)), changed(&0xfc00u16.to_ne_bytes()));
        assert!(failed(&same('f', 2, Float(float))));
    }
    for (int, bits) in [(0, 0), (1, 0x3c00), (-2048, 0xe800), (65504, 0x7bff), (2050, 0x6801)] {
        assert_eq!(scalar('f', 2, Int(int)), of(bits));
        assert_eq!(same('f', 2, Int(int)), of(bits));
    }
    for (int, bits) in [
        (2049, 0x6800),
        (2051, 0x6802),
        (65519, 0x7bff),
        (65520, 0x7c00),
        (i64::MAX, 0x7c00),
        (i64::MIN, 0xfc00),
    ] {
        assert_eq!(scalar('f', 2, Int(int)), changed(&u16::to_ne_bytes(bits)), "{int}");
        assert!(failed(&same('f', 2, Int(int))));
    }
    assert_eq!(scalar('f', 2, Bool(true)), of(0x3c00));
    refuses('f', 2, &BYTES);
}

#[test]
fn bools() {
    for (bin, byte) in [(Bool(true), 1), (Bool(false), 0), (Int(0), 0), (Int(1), 1), (Int(-256), 1)] {
        assert_eq!(scalar('b', 1, bin), value(&[byte]));
        assert_eq!(same('b', 1, bin), value(&[byte]));
    }
    refuses('b', 1, &BYTES);
    refuses('b', 1, &[Float(1.0), Float(0.0), Float(f64::NAN)]);
}

#[test]
fn times() {
    for kind in ['M', 'm'] {
        for count in [0, 1, -1, i64::MIN, i64::MAX] {
            assert_eq!(scalar(kind, 8, Int(count)), value(&count.to_ne_bytes()));
            assert_eq!(same(kind, 8, Int(count)), value(&count.to_ne_bytes()));
            assert_eq!(ordered(kind, 8, '>', Int(count)), value(&count.to_be_bytes()));
            assert_eq!(ordered(kind, 8, '<', Int(count)), value(&count.to_le_bytes()));
        }
        refuses(kind, 8, &BYTES);
        refuses(kind, 8, &[Float(1.0), Bool(true)]);
    }
}

#[test]
fn fixed_bytes() {
    for (kind, takes, refused) in [
        ('S', [Str as fn(&'static [u8]) -> Particle<'static>, Blob, GeoJson], Hll(b"abc")),
        ('V', [Str, Blob, Hll], GeoJson(b"abc")),
    ] {
        for bin in takes {
            assert_eq!(scalar(kind, 4, bin(b"")), value(b"\0\0\0\0"));
            assert_eq!(scalar(kind, 4, bin(b"abc")), value(b"abc\0"));
            assert_eq!(scalar(kind, 4, bin(b"abcd")), value(b"abcd"));
            assert_eq!(scalar(kind, 4, bin(b"abcde")), changed(b"abcd"));
            assert_eq!(scalar(kind, 1, bin(b"abcde")), changed(b"a"));
            assert_eq!(scalar(kind, 4, bin(b"\0a\0")), value(b"\0a\0\0"));
            // Cut where the field ends, inside a character.
            assert_eq!(scalar(kind, 3, bin("aü€".as_bytes())), changed(b"a\xc3\xbc"));
            assert_eq!(scalar(kind, 2, bin("aü".as_bytes())), changed(b"a\xc3"));
            assert_eq!(same(kind, 4, bin(b"abc")), value(b"abc\0"));
            assert_eq!(same(kind, 4, bin(b"abcd")), value(b"abcd"));
            assert!(failed(&same(kind, 4, bin(b"abcde"))));
        }
        refuses(kind, 4, &[Int(1), Float(1.0), Bool(true), List(b"\x90"), Map(b"\x80"), refused]);
    }
}

#[test]
fn sub_arrays_from_blobs() {
    let blob: Vec<u8> = (0..12).collect();
    for order in ['<', '>'] {
        for how in [Casting::Unsafe, Casting::SameValue] {
            let read = |bytes: &[u8], shape: &[usize]| read('f', 2, order, shape, Blob(bytes), how);
            // Copied unchanged, whatever the byte order; only the length matters, not the shape.
            assert_eq!(read(&blob, &[6]), value(&blob));
            assert_eq!(read(&blob, &[3, 2]), value(&blob));
            assert!(
                failed(&read(&blob[..11], &[6])) && failed(&read(&blob, &[5])) && failed(&read(b"", &[1]))
            );
        }
    }
    assert_eq!(read('b', 1, '=', &[3], Blob(b"\x00\x01\x02"), Casting::Unsafe), value(b"\x00\x01\x02"));
    for bin in [Str(b"ab"), Int(1), Float(1.0), Bool(true), Map(b"\x80"), GeoJson(b"{}"), Hll(b"ab")] {
        assert!(failed(&read('u', 1, '=', &[2], bin, Casting::Unsafe)), "{bin:?}");
    }
    assert_eq!(read('u', 1, '=', &[2], Nil, Casting::Unsafe), Held::Missing);
}

/// Objects that old clients serialized, and types next to theirs.
#[test]
fn language_blobs_are_blobs() {
    for particle_type in 5..15 {
        let bin = |bytes| Particle::Other { particle_type, bytes };
        let is_blob = (7..=12).contains(&particle_type);
        for kind in ['S', 'V'] {
            let held = scalar(kind, 4, bin(b"abc"));
            assert_eq!(held == value(b"abc\0"), is_blob, "{held:?}");
            assert_eq!(scalar(kind, 2, bin(b"abc")) == changed(b"ab"), is_blob);
            assert!(failed(&same(kind, 2, bin(b"abc"))));
        }
        for shape in [&[6][..], &[2, 3]] {
            let held = read('u', 1, '=', shape, bin(b"abcdef"), Casting::SameValue);
            assert_eq!(held == value(b"abcdef"), is_blob, "{held:?}");
            assert!(failed(&read('u', 1, '=', shape, bin(b"abcde"), Casting::Unsafe)));
        }
        for (kind, size) in [('i', 4), ('f', 4), ('b', 1), ('M', 8)] {
            assert!(failed(&scalar(kind, size, bin(b"abcd"))));
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let why = |held: Held| match held {
        Held::Failed(why) => why,
        other => panic!("{other:?}"),
    };
    let array = |bin, shape: &[usize]| why(read('i', 2, '=', shape, bin, Casting::SameValue));
    assert_eq!(why(scalar('i', 1, Float(128.0))), "128 is outside the field's range");
    assert_eq!(why(scalar('i', 1, Float(f64::NAN))), "NaN is not an integer");
    assert_eq!(why(same('i', 1, Int(300))), "300 would change to fit");
    assert_eq!(why(same('f', 4, Float(0.1))), "0.1 would change to fit");
    assert_eq!(why(same('S', 2, Str(b"abc"))), "3 bytes would be cut to 2");
    assert_eq!(why(scalar('i', 4, Str(b"1"))), "the field takes integers, floats and bools");
    assert_eq!(why(scalar('S', 4, Int(1))), "the field takes strings, blobs and GeoJSON");
    assert_eq!(why(scalar('V', 4, Int(1))), "the field takes blobs, strings and HLL");
    assert_eq!(why(scalar('M', 8, Float(1.0))), "the field takes integers");
    assert_eq!(why(scalar('b', 1, Float(1.0))), "the field takes bools and integers");
    assert_eq!(array(Blob(b"abc"), &[2]), "the blob has 3 bytes, the sub-array 4");
    assert_eq!(array(Int(1), &[2]), "the field takes blobs and lists");
    assert_eq!(
        array(List(b"\x91\x01"), &[2]),
        "a list of 1 elements for dimension 0 of the sub-array, which has 2"
    );
    assert_eq!(
        array(List(b"\x92\x01\x02"), &[2, 1]),
        "integer where dimension 1 of the sub-array needs a list"
    );
    assert_eq!(
        array(List(b"\x92\x01\xa2\x03x"), &[2]),
        "element 1 (string): the field takes integers, floats and bools"
    );
    assert_eq!(
        array(List(b"\x92\x01\xce\xff\xff\xff\xff"), &[2]),
        "element 1 (integer): 4294967295 would change to fit"
    );
    assert_eq!(
        array(List(b"\x92\x01"), &[2]),
        "malformed msgpack list: it has more elements than bytes remain"
    );
    assert_eq!(array(List(b"\x91\x01\x01"), &[1]), "malformed list: bytes follow it");
}

#[test]
fn malformed_values_cost_their_cell() {
    // Integers, floats and bools of a wrong length, a GeoJSON without its cells.
    for (kind, bytes) in [(1, &b"1234567"[..]), (2, b"123456789"), (17, b""), (23, b"\0\0\x01{}")] {
        let element = Element::from_numpy("x", if kind == 23 { 'S' } else { 'i' }, 8, '=').unwrap();
        let schema = Schema::new(vec![Field::new("x", 0, element, &[]).unwrap()], 8).unwrap();
        let body = frame(&[Answer::found(0, &[("x", kind, bytes)])]);
        let outcome = decode(Plan::new(schema, Casting::Unsafe, None), 1, 0, &[body]);
        let failure = &outcome.summary.failures[0];
        assert!(matches!(failure.reason, record_decode::Reason::Malformed(_)));
        assert!(["integer", "float", "bool", "GeoJSON"].contains(&failure.bin_type));
        assert_eq!(outcome.row(0), [0; 8]);
    }
}
