//! Fields and operations appended to a message.

use crate::error::WireError;

/// Appends a field.
pub fn write_field(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    write_field_parts(out, kind, &[data]);
}

/// Appends a field whose data is the concatenation of `parts`.
pub fn write_field_parts(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let size: usize = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    out.extend_from_slice(&(size as u32).to_be_bytes());
    out.push(kind);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends an operation.
///
/// # Panics
/// If `name` is longer than 255 bytes. Callers check names first.
pub fn write_op(out: &mut Vec<u8>, code: u8, particle_type: u8, name: &[u8], value: &[u8]) {
    assert!(name.len() <= 255, "a bin name of {} bytes", name.len());
    out.extend_from_slice(&((4 + name.len() + value.len()) as u32).to_be_bytes());
    out.extend_from_slice(&[code, particle_type, 0, name.len() as u8]);
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

/// A number of operations as it is encoded in a header.
pub(crate) fn op_count(count: usize) -> Result<u16, WireError> {
    let limit = usize::from(u16::MAX);
    u16::try_from(count).map_err(|_| WireError::TooLarge { what: "a number of bins", size: count, limit })
}

/// Refuses a bin name that is too long to be encoded.
pub(crate) fn check_name(name: &[u8]) -> Result<(), WireError> {
    let limit = usize::from(u8::MAX);
    if name.len() > limit {
        return Err(WireError::TooLarge { what: "a bin name", size: name.len(), limit });
    }
    Ok(())
}
