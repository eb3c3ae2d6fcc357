//! Operations on a list or map: first the bin, then one operation after the other, each with two bytes of length in
//! front. What an operation stores is in normal form, and its result can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record_ops::collection::{modify, read};
use record_ops::value::{MAX_VALUE, Rules, normalize};
use record_ops::{Bin, BinView, Change};
use wire_protocol::msgpack::{self, Reader, Token};
use wire_protocol::particle::particle_type;

// A context can create a map with a key of any type.
const RULES: Rules = Rules { any_keys: true, is_bin: true, depth: usize::MAX };

fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[high, low], rest) = data.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])).min(rest.len()))
}

fn bin_of(bytes: &[u8]) -> Option<Bin> {
    let bytes = normalize(bytes, RULES)?.into_owned();
    match Reader::new(&bytes).token() {
        Ok(Token::List { .. }) => Some(Bin::new(particle_type::LIST, bytes)),
        Ok(Token::Map { .. }) => Some(Bin::new(particle_type::MAP, bytes)),
        _ => None,
    }
}

fn check_result(result: Option<&Bin>) {
    if let Some(result) = result {
        assert!(result.bytes.len() <= MAX_VALUE + 16);
        if matches!(result.particle_type, particle_type::LIST | particle_type::MAP) {
            assert!(msgpack::check(&result.bytes).is_ok(), "{result:x?}");
        }
    }
}

fn has_extension(bytes: &[u8], is_allowed: impl Fn(i8, bool) -> bool) -> bool {
    let mut reader = Reader::new(bytes);
    let mut is_first = false;
    while let Ok(token) = reader.token() {
        if let Token::Ext { kind, data } = token
            && !(data.is_empty() && is_allowed(kind, is_first))
        {
            return true;
        }
        is_first = matches!(token, Token::List { len } | Token::Map { len } if len > 0);
    }
    false
}

fuzz_target!(|data: &[u8]| {
    let Some((bytes, mut rest)) = split(data) else { return };
    let mut bin = bin_of(bytes);
    // Extensions that are no orders are stored as they are, as the server does. One that comes to the front of a list
    // is read as its order from then on, so what is stored need not be in normal form any more.
    let mut has_loose = has_extension(bytes, |kind, is_first| is_first && (1..=0x1f).contains(&kind));
    while let Some((operation, after)) = split(rest) {
        rest = after;
        // The arguments of the form before contexts come after two bytes.
        has_loose |= has_extension(operation, |_, _| false)
            || operation
                .strip_prefix(&[0])
                .is_some_and(|op| has_extension(op.get(1..).unwrap_or(&[]), |_, _| false));
        if let Some(bin) = &bin
            && let Ok(result) = read(bin.view(), operation)
        {
            check_result(result.as_ref());
        }
        let view: Option<BinView<'_>> = bin.as_ref().map(Bin::view);
        let Ok(applied) = modify(view, operation) else { continue };
        check_result(applied.result.as_ref());
        if let Change::Set(changed) = applied.change {
            assert!(changed.bytes.len() <= MAX_VALUE + 1024);
            if !has_loose {
                let normal = normalize(&changed.bytes, RULES).expect("a valid value is stored");
                // The server keeps the flag of a persisted index in a list or map that is created with its bin.
                let is_inner = record_ops::value::has_index(&changed.bytes);
                assert!(is_inner || bin.is_none() || *normal == *changed.bytes, "{changed:x?}");
            }
            bin = bin_of(&changed.bytes);
        }
    }
});
