//! Lists and maps: walked, skipped and checked. What was read is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::msgpack::{self, Reader, Token};

fuzz_target!(|data: &[u8]| {
    let mut whole = Reader::new(data);
    let skipped = whole.skip_value();
    if skipped.is_err() {
        assert_eq!(whole.remaining(), data.len(), "a refused value was passed over");
    }
    if msgpack::check(data).is_err() {
        return;
    }
    assert_eq!((skipped, whole.is_at_end()), (Ok(()), true));

    let mut written = Vec::new();
    let mut reader = Reader::new(data);
    while !reader.is_at_end() {
        write(&mut written, reader.token().expect("a token of a checked value"));
    }
    assert_eq!(msgpack::check(&written), Ok(()));
    let (mut first, mut second) = (Reader::new(data), Reader::new(&written));
    while !first.is_at_end() {
        let (first, second) = (first.token(), second.token());
        match (&first, &second) {
            // NaN is not equal to itself.
            (Ok(Token::Float(first)), Ok(Token::Float(second))) if first.is_nan() && second.is_nan() => {}
            _ => assert_eq!(first, second),
        }
    }
    assert!(second.is_at_end());
});

fn write(out: &mut Vec<u8>, token: Token<'_>) {
    match token {
        Token::Nil => msgpack::write_nil(out),
        Token::Bool(value) => msgpack::write_bool(out, value),
        Token::Int(value) => msgpack::write_int(out, value),
        Token::Uint(value) => msgpack::write_uint(out, value),
        Token::Float(value) => msgpack::write_float(out, value),
        Token::Str(bytes) => msgpack::write_str(out, bytes),
        Token::Blob(bytes) => msgpack::write_blob(out, bytes),
        Token::GeoJson(bytes) => msgpack::write_geojson(out, bytes),
        Token::List { len } => msgpack::write_list_header(out, len),
        Token::Map { len } => msgpack::write_map_header(out, len),
        Token::Ext { kind, data } => msgpack::write_ext(out, kind, data),
        other => panic!("{other:?} cannot be written"),
    }
}
