//! Writes msgpack. Callers append elements after the header of their list or map.

use crate::particle::particle_type;

use super::KEY_ORDERED;

/// A length as it is encoded in a header. A value whose length does not fit is larger than a frame, so
/// [`crate::message::write_frame`] refuses it.
fn header_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Appends nil.
pub fn write_nil(out: &mut Vec<u8>) {
    out.push(0xc0);
}

/// Appends a bool.
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.push(0xc2 + u8::from(value));
}

/// Appends an integer in the shortest encoding; non-negative ones are written unsigned.
pub fn write_int(out: &mut Vec<u8>, value: i64) {
    if let Ok(value) = u64::try_from(value) {
        write_uint(out, value);
    } else if value >= -32 {
        out.push(value as u8);
    } else if let Ok(value) = i8::try_from(value) {
        out.extend_from_slice(&[0xd0, value as u8]);
    } else if let Ok(value) = i16::try_from(value) {
        push_tagged(out, 0xd1, value.to_be_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        push_tagged(out, 0xd2, value.to_be_bytes());
    } else {
        push_tagged(out, 0xd3, value.to_be_bytes());
    }
}

/// Appends an unsigned integer in the shortest encoding.
pub fn write_uint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else if let Ok(value) = u8::try_from(value) {
        out.extend_from_slice(&[0xcc, value]);
    } else if let Ok(value) = u16::try_from(value) {
        push_tagged(out, 0xcd, value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        push_tagged(out, 0xce, value.to_be_bytes());
    } else {
        push_tagged(out, 0xcf, value.to_be_bytes());
    }
}

/// Appends a float, always in 64 bits.
pub fn write_float(out: &mut Vec<u8>, value: f64) {
    push_tagged(out, 0xcb, value.to_be_bytes());
}

/// Appends text.
pub fn write_str(out: &mut Vec<u8>, text: &[u8]) {
    write_bytes(out, particle_type::STRING, text);
}

/// Appends bytes.
pub fn write_blob(out: &mut Vec<u8>, bytes: &[u8]) {
    write_bytes(out, particle_type::BLOB, bytes);
}

/// Appends GeoJSON text.
pub fn write_geojson(out: &mut Vec<u8>, text: &[u8]) {
    write_bytes(out, particle_type::GEOJSON, text);
}

/// Appends the header of a list of `len` elements.
pub fn write_list_header(out: &mut Vec<u8>, len: usize) {
    match header_len(len) {
        len @ 0..=15 => out.push(0x90 | len as u8),
        len @ 16..=0xffff => push_tagged(out, 0xdc, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xdd, len.to_be_bytes()),
    }
}

/// Appends the header of an unordered map of `len` pairs.
pub fn write_map_header(out: &mut Vec<u8>, len: usize) {
    match header_len(len) {
        len @ 0..=15 => out.push(0x80 | len as u8),
        len @ 16..=0xffff => push_tagged(out, 0xde, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xdf, len.to_be_bytes()),
    }
}

/// Appends the header of a map of `len` pairs ordered by key, and the pair that marks the order, which does not count
/// in `len`. The caller appends the pairs in order.
pub fn write_ordered_map_header(out: &mut Vec<u8>, len: usize) {
    write_map_header(out, len.saturating_add(1));
    write_ext(out, KEY_ORDERED, &[]);
    write_nil(out);
}

/// Appends an extension.
pub fn write_ext(out: &mut Vec<u8>, kind: i8, data: &[u8]) {
    match header_len(data.len()) {
        1 => out.push(0xd4),
        2 => out.push(0xd5),
        4 => out.push(0xd6),
        8 => out.push(0xd7),
        16 => out.push(0xd8),
        len @ 0..=0xff => out.extend_from_slice(&[0xc7, len as u8]),
        len @ 0x100..=0xffff => push_tagged(out, 0xc8, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xc9, len.to_be_bytes()),
    }
    out.push(kind as u8);
    out.extend_from_slice(data);
}

/// Appends bytes of the given particle type.
pub fn write_bytes(out: &mut Vec<u8>, particle_type: u8, bytes: &[u8]) {
    write_string_header(out, bytes.len().saturating_add(1));
    out.push(particle_type);
    out.extend_from_slice(bytes);
}

/// Appends text without a byte for its particle type: a name or pattern inside an expression.
pub fn write_name(out: &mut Vec<u8>, text: &[u8]) {
    write_string_header(out, text.len());
    out.extend_from_slice(text);
}

fn write_string_header(out: &mut Vec<u8>, len: usize) {
    match header_len(len) {
        len @ 0..=31 => out.push(0xa0 | len as u8),
        len @ 32..=0xff => out.extend_from_slice(&[0xd9, len as u8]),
        len @ 0x100..=0xffff => push_tagged(out, 0xda, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xdb, len.to_be_bytes()),
    }
}

fn push_tagged<const N: usize>(out: &mut Vec<u8>, tag: u8, bytes: [u8; N]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}
