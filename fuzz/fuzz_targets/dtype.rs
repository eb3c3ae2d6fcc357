//! Descriptions of dtypes: those that are accepted keep the promises that the row buffer's safety relies on.
//!
//! A few bytes describe each field: kind, width, order, offset, shape, name; or a struct of the fields before it.
//! Some numbers are so large that sums overflow.
#![no_main]

use std::sync::Arc;

use dtype_schema::{Element, Field, Leaf, Schema, SchemaError};
use libfuzzer_sys::fuzz_target;
use record_decode::{Casting, Plan};

const KINDS: &[u8; 16] = b"iufbMmSVUOcTxiSV";

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let itemsize = number(&mut rest);
    let mut fields = Vec::new();
    while !rest.is_empty() && fields.len() < 100 {
        match field(&mut rest, &mut fields) {
            Ok(field) => fields.push(field),
            Err(refused) => check_refusal(&refused),
        }
    }
    let described = fields.clone();
    let schema = match Schema::new(fields, itemsize) {
        Ok(schema) => schema,
        Err(refused) => return check_refusal(&refused),
    };
    assert_eq!((schema.fields(), schema.itemsize()), (described.as_slice(), itemsize));
    for (at, field) in schema.fields().iter().enumerate() {
        assert!(field.size() > 0);
        assert!(field.offset().checked_add(field.size()).is_some_and(|end| end <= itemsize));
        assert_eq!(schema.position(field.name()), Some(at), "two of one name");
        for other in &schema.fields()[..at] {
            assert!(other.end() <= field.offset() || field.end() <= other.offset(), "two share a byte");
        }
    }
    for (at, leaf) in schema.leaves().iter().enumerate() {
        assert!(leaf.size() > 0 && leaf.offset().checked_add(leaf.size()).is_some_and(|end| end <= itemsize));
        for other in &schema.leaves()[..at] {
            assert!(other.end() <= leaf.offset() || leaf.end() <= other.offset(), "two share a byte");
            assert!(other.name() != leaf.name(), "two of one name");
        }
    }
    assert_eq!(schema.is_dense(), schema.leaves().iter().map(Leaf::size).sum::<usize>() == itemsize);
    // A plan is made of the fields, whatever the row's size.
    let plan = Plan::new(schema, Casting::SameValue, None);
    assert_eq!(Arc::new(plan).schema().fields().len(), described.len());
});

fn field(rest: &mut &[u8], before: &mut Vec<Field>) -> Result<Field, SchemaError> {
    if rest.first() == Some(&0x7f) {
        let (_, count, offset, itemsize) =
            (byte(rest), usize::from(byte(rest) % 8), number(rest), number(rest));
        let fields = before.split_off(before.len().saturating_sub(count));
        return Field::nested(&format!("s{offset}"), offset, fields, itemsize);
    }
    let (kind, order) = (byte(rest), byte(rest));
    let (width, offset) = (number(rest), number(rest));
    let shape: Vec<usize> = (0..order >> 6).map(|_| number(rest)).collect();
    let length = usize::from(byte(rest) % 20).min(rest.len());
    let (name, after) = rest.split_at(length);
    *rest = after;
    let name = String::from_utf8_lossy(name);
    let kind = if kind < 0x80 { KINDS[usize::from(kind % 16)] } else { kind };
    let order = ['<', '>', '=', '|'][usize::from(order % 4)];
    let element = Element::from_numpy(&name, char::from(kind), width, order)?;
    assert!(element.itemsize() == width && !element.name().is_empty());
    Field::new(&name, offset, element, &shape)
}

fn check_refusal(refused: &SchemaError) {
    assert!(!refused.to_string().is_empty());
}

fn byte(rest: &mut &[u8]) -> u8 {
    let Some((&byte, after)) = rest.split_first() else { return 0 };
    *rest = after;
    byte
}

/// Mostly small; at times around a power of two, up to the largest there is.
fn number(rest: &mut &[u8]) -> usize {
    match byte(rest) {
        first @ 0..0xc0 => usize::from(first),
        0xc0..0xe0 => usize::from(byte(rest)) << 8 | usize::from(byte(rest)),
        _ => {
            let power = 1usize << (byte(rest) % 64);
            power.wrapping_mul(2).wrapping_sub(usize::from(byte(rest) % 8))
        }
    }
}
