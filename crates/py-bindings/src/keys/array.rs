//! Keys from the memory of a NumPy array. Runs without the GIL.

use super::{KeyArena, KeyKind};

/// How the values of an array are stored.
#[derive(Clone, Copy)]
pub(super) enum Values {
    /// Signed integers of eight bytes, little endian.
    Signed,
    /// The same, unsigned.
    Unsigned,
    /// Code points of four bytes, little endian, padded with NULs.
    Text,
    /// Bytes padded with NULs, as a str or bytes key.
    Bytes(KeyKind),
    /// Bytes without padding.
    Whole,
}

impl KeyArena {
    /// Appends one key.
    #[inline]
    pub(super) fn push(&mut self, kind: KeyKind, bytes: &[u8]) {
        self.kinds.push(self.len(), 1, kind);
        self.bytes.push(bytes);
    }

    /// Appends an integer: most fit into four bytes.
    #[inline]
    pub(super) fn push_int(&mut self, value: i64) {
        match i32::try_from(value) {
            Ok(value) => self.push(KeyKind::Int, &value.to_be_bytes()),
            Err(_) => self.push(KeyKind::Int, &value.to_be_bytes()),
        }
    }

    /// Assigns all rows so far to the first space. Called when a second space appears: until then `space_of` is
    /// empty.
    pub(super) fn assign_first_space(&mut self) {
        self.space_of.resize(self.len(), 0);
    }

    /// Assigns the rows that have no space yet to this one.
    #[inline]
    pub(super) fn assign_space(&mut self, space: u32) {
        if self.spaces.len() > 1 {
            self.space_of.resize(self.len(), space);
        }
    }

    /// Appends the `len` keys of `width` bytes each in `memory`. An error is the value's position and what is wrong.
    pub(super) fn read_array(
        &mut self,
        memory: &[u8],
        len: usize,
        width: usize,
        values: Values,
    ) -> Result<(), (usize, String)> {
        let kind = match values {
            Values::Signed | Values::Unsigned => KeyKind::Int,
            Values::Text => KeyKind::Str,
            Values::Bytes(kind) => kind,
            Values::Whole => KeyKind::Blob,
        };
        if width == 0 {
            // Types S0 and V0: every key is empty.
            (0..len).for_each(|_| self.push(kind, &[]));
            return Ok(());
        }
        let is_integer = matches!(values, Values::Signed | Values::Unsigned);
        if !is_integer {
            self.kinds.push(self.len(), len, kind);
            self.bytes.reserve(memory.len() / if matches!(values, Values::Text) { 4 } else { 1 });
        }
        // If all of it is ASCII, no value has to be checked for UTF-8.
        let is_ascii = memory.is_ascii();
        for (row, value) in memory.chunks_exact(width).enumerate() {
            match values {
                Values::Signed | Values::Unsigned => {
                    let number = u64::from_le_bytes(value.try_into().unwrap_or_default());
                    if matches!(values, Values::Unsigned) && number > i64::MAX as u64 {
                        return Err((
                            row,
                            format!("{number} does not fit into a signed 64-bit integer (at most 2**63 - 1)"),
                        ));
                    }
                    self.push_int(number as i64);
                }
                Values::Text => push_text(self.bytes.open(), value)
                    .map_err(|code| (row, format!("code point {code:#x} cannot be encoded as UTF-8")))?,
                Values::Bytes(kind) => {
                    let last = value.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                    let value = &value[..last];
                    if kind == KeyKind::Str && !is_ascii && std::str::from_utf8(value).is_err() {
                        let what =
                            "it is not UTF-8; pass Keys(..., key_type=\"bytes\") if these are bytes keys";
                        return Err((row, what.into()));
                    }
                    self.bytes.open().extend_from_slice(value);
                }
                Values::Whole => self.bytes.open().extend_from_slice(value),
            }
            if !is_integer {
                self.bytes.end_value();
            }
        }
        Ok(())
    }
}

/// Appends code points as UTF-8. An error is the code point that cannot be encoded.
fn push_text(out: &mut Vec<u8>, value: &[u8]) -> Result<(), u32> {
    let (points, _) = value.as_chunks::<4>();
    let last = points.iter().rposition(|point| *point != [0; 4]).map_or(0, |last| last + 1);
    let points = points.get(..last).unwrap_or_default();
    if points.iter().all(|&point| u32::from_le_bytes(point) < 0x80) {
        out.extend(points.iter().map(|point| point[0]));
        return Ok(());
    }
    for &point in points {
        let code = u32::from_le_bytes(point);
        let c = char::from_u32(code).ok_or(code)?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(())
}
