//! Expressions: parsed, and evaluated over a record. The value is the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record_ops::expression::{self, Context, Expression, Metadata};
use record_ops::{BinView, RecordView};

struct Bins;

impl RecordView for Bins {
    fn bin(&self, name: &[u8]) -> Option<BinView<'_>> {
        let (particle_type, bytes): (u8, &[u8]) = match name {
            b"i" => (1, &[0, 0, 0, 0, 0, 0, 0, 7]),
            b"f" => (2, &[0x40, 4, 0, 0, 0, 0, 0, 0]),
            b"s" => (3, b"abc"),
            b"b" => (4, &[1, 2, 3, 4, 5, 6, 7, 8]),
            b"t" => (17, &[1]),
            b"m" => (19, b"\x82\x01\xa2\x03x\xa2\x03y\x92\x01\x02"),
            b"l" => (20, b"\x95\x03\x01\xa2\x03x\x91\x05\xc0"),
            b"g" => (23, b"\0\0\0{\"type\": \"Point\", \"coordinates\": [1, 2]}"),
            _ => return None,
        };
        Some(BinView { particle_type, bytes })
    }
}

fuzz_target!(|data: &[u8]| {
    let metadata =
        Metadata { set: b"set", key: Some(b"\x03key"), now: 1000, size: 64, ..Metadata::default() };
    let context = Context { bins: &Bins, metadata };
    for name in [&b"l"[..], b"none"] {
        _ = expression::modify(&context, name, data);
        _ = expression::change(Bins.bin(name), data);
    }
    let Ok(expression) = Expression::parse(data) else {
        assert!(Expression::parse_filter(data).is_err());
        return;
    };
    let value = expression.evaluate(&context);
    assert_eq!(value, expression.evaluate(&context));
    if let Ok(filter) = Expression::parse_filter(data) {
        let is_true = matches!(&value, Ok(Some(bin)) if bin.bytes == [1]);
        assert_eq!(filter.matches(&context).unwrap_or_default(), is_true);
    }
});
