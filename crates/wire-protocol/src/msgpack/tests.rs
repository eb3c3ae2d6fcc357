use super::*;
use crate::error::WireError;

fn tokens(bytes: &[u8]) -> Vec<Token<'_>> {
    let mut reader = Reader::new(bytes);
    let mut tokens = Vec::new();
    while !reader.is_at_end() {
        tokens.push(reader.token().unwrap());
    }
    tokens
}

fn one(bytes: &[u8]) -> Token<'_> {
    let tokens = tokens(bytes);
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    tokens[0]
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn integers_are_written_short_and_read_from_every_encoding() {
    let cases: [(i64, &[u8]); 20] = [
        (0, &[0x00]),
        (127, &[0x7f]),
        (128, &[0xcc, 0x80]),
        (255, &[0xcc, 0xff]),
        (256, &[0xcd, 1, 0]),
        (65535, &[0xcd, 0xff, 0xff]),
        (65536, &[0xce, 0, 1, 0, 0]),
        (0xffff_ffff, &[0xce, 0xff, 0xff, 0xff, 0xff]),
        (1 << 32, &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0]),
        (i64::MAX, &[0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        (-1, &[0xff]),
        (-32, &[0xe0]),
        (-33, &[0xd0, 0xdf]),
        (-128, &[0xd0, 0x80]),
        (-129, &[0xd1, 0xff, 0x7f]),
        (-32768, &[0xd1, 0x80, 0]),
        (-32769, &[0xd2, 0xff, 0xff, 0x7f, 0xff]),
        (-(1 << 31), &[0xd2, 0x80, 0, 0, 0]),
        (-(1 << 31) - 1, &[0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]),
        (i64::MIN, &[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for (value, bytes) in cases {
        assert_eq!(written(|out| write_int(out, value)), bytes, "{value}");
        assert_eq!(one(bytes), Token::Int(value));
    }
    // Longer than needed, or signed instead of unsigned: legal, and the same value.
    for bytes in [&[0xd0, 5][..], &[0xd1, 0, 5], &[0xd2, 0, 0, 0, 5], &[0xcd, 0, 5], &[0xce, 0, 0, 0, 5]] {
        assert_eq!(one(bytes), Token::Int(5));
    }
    let above = written(|out| write_uint(out, 1 << 63));
    assert_eq!(above, [0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(one(&above), Token::Uint(1 << 63));
}

#[test]
fn the_fast_paths_agree_with_tokens() {
    // Every tag, with bytes behind it that make all of its lengths possible, whole and cut.
    for tag in 0..=0xff {
        for fill in [0, 1, 0x7f, 0x80, 0xff] {
            for length in 0..40 {
                let bytes = [vec![tag], vec![fill; length]].concat();
                let mut reader = Reader::new(&bytes);
                let token = reader.token();
                let mut numbers = Reader::new(&bytes);
                match (numbers.number(), &token) {
                    (Some(Number::Int(number)), Ok(Token::Int(value))) => assert_eq!(number, *value),
                    (Some(Number::Float(number)), Ok(Token::Float(value))) => {
                        assert_eq!(number.to_bits(), value.to_bits());
                    }
                    (None, Ok(Token::Float(_))) => assert_eq!(tag, 0xca),
                    (None, other) => assert!(!matches!(other, Ok(Token::Int(_))), "{bytes:x?}"),
                    (some, other) => panic!("{some:?} and {other:?} of {bytes:x?}"),
                }
                let double = Reader::new(&bytes).double();
                let expected = match &token {
                    Ok(Token::Float(value)) if tag == 0xcb => Some(value.to_bits()),
                    _ => None,
                };
                assert_eq!(double, expected);
                assert!(matches!(token, Ok(Token::Ext { .. })) <= Reader::new(&bytes).is_at_ext());
                let is_number = numbers.remaining() < bytes.len();
                assert!(!is_number || numbers.remaining() == reader.remaining());
                let mut skipped = Reader::new(&bytes);
                match (skipped.skip_within(MAX_DEPTH), token) {
                    (Ok(()), Ok(Token::List { .. } | Token::Map { .. })) => {
                        let mut whole = Reader::new(&bytes);
                        assert_eq!(whole.skip_value(), Ok(()));
                        assert_eq!(skipped.remaining(), whole.remaining());
                    }
                    (Ok(()), Ok(_)) => assert_eq!(skipped.remaining(), reader.remaining(), "{bytes:x?}"),
                    (Err(_), Ok(token)) => assert!(matches!(token, Token::List { .. } | Token::Map { .. })),
                    (skipped, Err(error)) => assert_eq!(skipped, Err(error)),
                }
            }
        }
    }
    assert_eq!(Reader::new(&[]).number(), None);
}

#[test]
fn floats_bools_and_nil() {
    let float = written(|out| write_float(out, -2.25));
    assert_eq!(float, [0xcb, 0xc0, 0x02, 0, 0, 0, 0, 0, 0]);
    assert_eq!(one(&float), Token::Float(-2.25));
    assert_eq!(one(&[0xca, 0x3f, 0xc0, 0, 0]), Token::Float(1.5));
    assert_eq!(tokens(&written(|out| write_bool(out, true))), [Token::Bool(true)]);
    assert_eq!(tokens(&written(|out| write_bool(out, false))), [Token::Bool(false)]);
    assert_eq!(tokens(&written(write_nil)), [Token::Nil]);
}

#[test]
fn strings_carry_a_type_byte_and_have_short_headers() {
    for (len, header) in [
        (0usize, vec![0xa1]),
        (30, vec![0xbf]),
        (31, vec![0xd9, 32]),
        (254, vec![0xd9, 255]),
        (255, vec![0xda, 1, 0]),
        (65534, vec![0xda, 0xff, 0xff]),
        (65535, vec![0xdb, 0, 1, 0, 0]),
    ] {
        let text = vec![b'x'; len];
        let string = written(|out| write_str(out, &text));
        assert_eq!(string[..header.len()], header, "{len}");
        assert_eq!(string[header.len()], 3);
        assert_eq!(one(&string), Token::Str(&text));
        assert_eq!(one(&written(|out| write_blob(out, &text))), Token::Blob(&text));
        assert_eq!(one(&written(|out| write_geojson(out, &text))), Token::GeoJson(&text));
    }
    assert_eq!(one(&[0xc4, 2, 3, b'a']), Token::Str(b"a"), "bin 8");
    assert_eq!(one(&[0xc5, 0, 2, 4, b'a']), Token::Blob(b"a"), "bin 16");
    assert_eq!(one(&[0xc6, 0, 0, 0, 2, 23, b'a']), Token::GeoJson(b"a"), "bin 32");
    assert_eq!(one(&[0xa3, 9, b'a', b'b']), Token::Blob(b"ab"), "a type byte that only some client knows");
    assert_eq!(one(&[0xa0]), Token::Blob(b""), "no type byte");
}

#[test]
fn list_and_map_headers() {
    for (len, list, map) in [
        (0usize, vec![0x90], vec![0x80]),
        (15, vec![0x9f], vec![0x8f]),
        (16, vec![0xdc, 0, 16], vec![0xde, 0, 16]),
        (65535, vec![0xdc, 0xff, 0xff], vec![0xde, 0xff, 0xff]),
        (65536, vec![0xdd, 0, 1, 0, 0], vec![0xdf, 0, 1, 0, 0]),
    ] {
        let mut bytes = written(|out| write_list_header(out, len));
        assert_eq!(bytes, list);
        bytes.resize(bytes.len() + len, 0xc0);
        assert_eq!(Reader::new(&bytes).token(), Ok(Token::List { len }));
        assert_eq!(check(&bytes), Ok(()));
        let mut bytes = written(|out| write_map_header(out, len));
        assert_eq!(bytes, map);
        bytes.resize(bytes.len() + 2 * len, 0xc0);
        assert_eq!(Reader::new(&bytes).token(), Ok(Token::Map { len }));
        assert_eq!(check(&bytes), Ok(()));
        bytes.pop();
        if len > 0 {
            assert!(Reader::new(&bytes).token().is_err(), "fewer bytes than elements");
        }
    }
    assert_eq!(written(|out| write_list_header(out, usize::MAX))[..5], [0xdd, 0xff, 0xff, 0xff, 0xff]);
}

#[test]
fn an_ordered_map_starts_with_its_order() {
    let bytes = written(|out| {
        write_ordered_map_header(out, 1);
        write_str(out, b"a");
        write_int(out, 1);
    });
    assert_eq!(bytes, [0x82, 0xc7, 0, 1, 0xc0, 0xa2, 3, b'a', 1]);
    assert_eq!(
        tokens(&bytes),
        [
            Token::Map { len: 2 },
            Token::Ext { kind: KEY_ORDERED, data: &[] },
            Token::Nil,
            Token::Str(b"a"),
            Token::Int(1)
        ]
    );
    // The answer to reading an ordered list: the order is its first element.
    let list = [0x94, 0xc7, 0, 1, 1, 2, 3];
    assert_eq!(tokens(&list)[..2], [Token::List { len: 4 }, Token::Ext { kind: 1, data: &[] }]);
    assert_eq!(check(&list), Ok(()));
}

#[test]
fn extensions_of_every_length() {
    for (len, header) in [
        (0usize, vec![0xc7, 0]),
        (1, vec![0xd4]),
        (2, vec![0xd5]),
        (3, vec![0xc7, 3]),
        (4, vec![0xd6]),
        (8, vec![0xd7]),
        (16, vec![0xd8]),
        (255, vec![0xc7, 255]),
        (256, vec![0xc8, 1, 0]),
        (65536, vec![0xc9, 0, 1, 0, 0]),
    ] {
        let data = vec![7; len];
        let bytes = written(|out| write_ext(out, -1, &data));
        assert_eq!(bytes[..header.len()], header, "{len}");
        assert_eq!(one(&bytes), Token::Ext { kind: -1, data: &data });
    }
}

#[test]
fn a_refused_token_leaves_the_reader_where_it_was() {
    let truncated = WireError::Truncated { what: "a msgpack value" };
    for bytes in [
        &[][..],
        &[0xa2, 3],
        &[0xc4],
        &[0xc5, 0],
        &[0xc6, 0, 0, 0],
        &[0xc7, 1, 1],
        &[0xc8, 0, 0],
        &[0xc9, 0, 0, 0, 0],
        &[0xca, 0, 0, 0],
        &[0xcb, 0, 0, 0, 0, 0, 0, 0],
        &[0xcc],
        &[0xcd, 0],
        &[0xce, 0, 0, 0],
        &[0xcf, 0, 0, 0, 0, 0, 0, 0],
        &[0xd0],
        &[0xd1, 0],
        &[0xd2, 0, 0, 0],
        &[0xd3, 0, 0, 0, 0, 0, 0, 0],
        &[0xd4],
        &[0xd8, 1],
        &[0xd9, 1],
        &[0xda, 0, 1],
        &[0xdb, 0, 0, 0, 1],
        &[0xdc, 0],
        &[0xdd, 0, 0, 0],
        &[0xde, 0],
        &[0xdf, 0, 0, 0],
    ] {
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.token(), Err(truncated.clone()), "{bytes:x?}");
        assert_eq!(reader.remaining(), bytes.len());
        assert_eq!(reader.skip_value(), Err(truncated.clone()));
        assert_eq!(reader.remaining(), bytes.len());
        assert_eq!(check(bytes), Err(truncated.clone()));
    }
    assert!(Reader::new(&[0xc1]).token().is_err(), "the unused tag");
    assert!(Reader::new(&[0xdd, 0xff, 0xff, 0xff, 0xff, 0]).token().is_err(), "a list beyond its bytes");
    assert!(Reader::new(&[0xdf, 0xff, 0xff, 0xff, 0xff, 0, 0]).token().is_err(), "a map beyond its bytes");
}

#[test]
fn whole_values_are_skipped() {
    let mut bytes = vec![0x92, 0x81, 0xa2, 3, b'a', 0x92, 1, 2, 0x80];
    assert_eq!(check(&bytes), Ok(()));
    bytes.push(5);
    assert!(check(&bytes).is_err(), "bytes follow");
    let mut reader = Reader::new(&bytes);
    reader.skip_value().unwrap();
    assert_eq!(reader.token(), Ok(Token::Int(5)));
    assert!(reader.is_at_end());
    // The inner list takes the bytes that the outer one needs.
    let mut reader = Reader::new(&[0x92, 0x91, 1]);
    assert!(reader.skip_value().is_err());
    assert!(check(&[0x92, 0x91, 1]).is_err());
}

#[test]
fn nesting_is_bounded_for_consumers_that_recurse() {
    let nested = |depth: usize| {
        let mut bytes = vec![0x91; depth];
        bytes.push(0);
        bytes
    };
    assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
    assert!(check(&nested(MAX_DEPTH + 1)).is_err());
    // An empty list counts as a level, too.
    let mut empty = vec![0x91; MAX_DEPTH - 1];
    empty.push(0x90);
    assert_eq!(check(&empty), Ok(()));
    empty.insert(0, 0x91);
    assert!(check(&empty).is_err());
    for depth in 0..=MAX_DEPTH {
        for (value, is_within) in [(nested(depth), true), (nested(depth + 1), false)] {
            // Behind it, another value, which is not read.
            let bytes = [value.as_slice(), &[5]].concat();
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.skip_within(depth).is_ok(), is_within, "{depth}");
            assert_eq!(reader.remaining(), if is_within { 1 } else { bytes.len() });
        }
    }
    // Many lists beside each other are not deep.
    let wide = [&[0xdc, 1, 0][..], &[0x90; 256]].concat();
    assert_eq!(Reader::new(&wide).skip_within(2), Ok(()));
    assert!(Reader::new(&wide).skip_within(1).is_err());
    assert!(Reader::new(&wide[..100]).skip_within(2).is_err());
    let deep = nested(1_000_000);
    assert!(Reader::new(&deep).skip_within(MAX_DEPTH).is_err());
    let mut reader = Reader::new(&deep);
    assert_eq!(reader.skip_value(), Ok(()));
    assert!(reader.is_at_end());
}
