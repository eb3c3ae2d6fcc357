//! Values of text and bytes whose turn has not come: those of a block of rows, by column.

use crate::error::Misfit;
use crate::value::Value;
use wire_protocol::particle::particle_type;

use super::bytes::{binary, text_bytes};

/// What the values of a column of text or bytes have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    Text,
    Bytes,
}

impl CellKind {
    /// The bytes of a bin's value; `None` for nil. Text is not checked to be UTF-8.
    ///
    /// # Errors
    /// A value of a type that the column does not take.
    #[inline]
    pub(crate) fn bytes_of(self, kind: u8, bytes: &[u8]) -> Result<Option<&[u8]>, Misfit> {
        match (self, kind) {
            (_, particle_type::STRING) | (Self::Bytes, particle_type::BLOB) => Ok(Some(bytes)),
            _ => self.other_bytes(kind, bytes),
        }
    }

    #[cold]
    fn other_bytes(self, kind: u8, bytes: &[u8]) -> Result<Option<&[u8]>, Misfit> {
        match (self, Value::of_particle(kind, bytes)?) {
            (_, Value::Nil) => Ok(None),
            (Self::Text, value) => text_bytes(&value).map(Some),
            (Self::Bytes, value) => binary(&value).map(Some),
        }
    }
}

/// Where a value is in its [`Cells`]: the place of its first byte, and its length in the lower bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell(u64);

impl Cell {
    /// No value.
    const ABSENT: Self = Self(u64::MAX);

    /// The bits of the length. Frames, and so values, are shorter than they allow.
    const LENGTH_BITS: u32 = 28;

    /// `None` if the numbers are too large: a block with 64 GiB of one column.
    #[inline]
    fn new(start: usize, len: usize) -> Option<Self> {
        let (start, len) = (start as u64, len as u64);
        (start >> (64 - Self::LENGTH_BITS) == 0 && len >> Self::LENGTH_BITS == 0)
            .then_some(Self(start << Self::LENGTH_BITS | len))
            .filter(|cell| cell.0 != u64::MAX)
    }

    /// Where the value begins and its length, if there is one.
    #[inline]
    pub(super) fn span(self) -> Option<(usize, usize)> {
        let len = self.0 & ((1 << Self::LENGTH_BITS) - 1);
        (self.0 != u64::MAX).then_some(((self.0 >> Self::LENGTH_BITS) as usize, len as usize))
    }
}

/// The values of a column in a block of rows, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    bytes: Vec<u8>,
    /// By row.
    cells: Vec<Cell>,
}

impl Cells {
    /// Empties the block, for so many rows.
    pub(crate) fn reset(&mut self, rows: usize) {
        self.bytes.clear();
        self.cells.clear();
        self.cells.resize(rows, Cell::ABSENT);
    }

    /// Puts a value at a row that has none. False without memory for it.
    #[inline]
    pub(crate) fn put(&mut self, row: usize, value: &[u8]) -> bool {
        let start = self.bytes.len();
        let Some(place) = Cell::new(start, value.len()) else { return false };
        if self.bytes.capacity() - start < value.len() && self.bytes.try_reserve(value.len()).is_err() {
            return false;
        }
        self.bytes.extend_from_slice(value);
        if let Some(cell) = self.cells.get_mut(row) {
            *cell = place;
        }
        true
    }

    /// The bytes of all values.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of the value of a row.
    pub(crate) fn size_of(&self, row: usize) -> usize {
        self.cells.get(row).and_then(|cell| cell.span()).map_or(0, |(_, len)| len)
    }

    pub(super) fn cells(&self, rows: std::ops::Range<usize>) -> &[Cell] {
        self.cells.get(rows).unwrap_or_default()
    }

    pub(super) fn bytes(&self, start: usize, len: usize) -> &[u8] {
        self.bytes.get(start..start + len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_used_again() {
        let mut cells = Cells::default();
        cells.reset(3);
        assert!(cells.put(2, b"last") && cells.put(0, b"") && cells.put(9, b"no such row"));
        assert_eq!((cells.size_of(0), cells.size_of(1), cells.size_of(2), cells.size_of(9)), (0, 0, 4, 0));
        assert_eq!(cells.cells(0..3)[0].span(), Some((4, 0)));
        assert!(cells.cells(1..2)[0].span().is_none());
        cells.reset(1);
        assert_eq!((cells.size(), cells.cells(0..1).len(), cells.cells(0..2).len()), (0, 1, 0));
    }

    #[test]
    fn places_have_room_for_what_frames_hold() {
        let span = |start, len| Cell::new(start, len).map(Cell::span);
        assert_eq!(span(0, 0), Some(Some((0, 0))));
        assert_eq!(span(63 << 30, 128 << 20), Some(Some((63 << 30, 128 << 20))));
        assert!(span(64 << 30, 1).is_none() && span(0, 256 << 20).is_none());
        assert!(span((64 << 30) - 1, (256 << 20) - 1).is_none(), "means none");
    }

    #[test]
    fn types_are_checked_when_values_come() {
        assert_eq!(CellKind::Text.bytes_of(particle_type::STRING, b"\xff"), Ok(Some(&b"\xff"[..])));
        assert_eq!(CellKind::Bytes.bytes_of(particle_type::HLL, b"x"), Ok(Some(&b"x"[..])));
        assert_eq!(CellKind::Text.bytes_of(particle_type::NIL, b""), Ok(None));
        assert!(CellKind::Text.bytes_of(particle_type::BLOB, b"x").is_err());
        assert!(CellKind::Bytes.bytes_of(particle_type::INTEGER, &[0; 8]).is_err());
    }
}
