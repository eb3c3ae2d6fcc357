//! A block of rows that come in any order, until all have come and it is the block's turn.

use std::ops::Range;

use super::packed::{PackedRows, RowSpan};
use crate::columns::Cells;

/// The values of a block of rows that wait.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Text and bytes, by column.
    pub(crate) cells: Vec<Cells>,
    /// The values of other bins.
    pub(crate) packed: PackedRows,
    /// Where the packed values of each row are, once it has come with a record. Empty if no bin is packed.
    spans: Vec<Option<RowSpan>>,
    /// The number of rows.
    rows: usize,
    /// Rows that have come.
    done: usize,
}

impl Block {
    /// Empties the block, for so many rows with so many columns of text and bytes; `has_packed` if other bins wait,
    /// too.
    pub(crate) fn reset(&mut self, rows: usize, cells: usize, has_packed: bool) {
        self.cells.resize_with(cells, Cells::default);
        self.cells.iter_mut().for_each(|cells| cells.reset(rows));
        self.packed.clear();
        self.spans.clear();
        self.spans.resize(if has_packed { rows } else { 0 }, None);
        (self.rows, self.done) = (rows, 0);
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Takes note that a row has come. Its packed values begin at `start`, if it has a record.
    #[inline]
    pub(crate) fn finish_row(&mut self, row: usize, start: Option<usize>) {
        self.done += 1;
        if let (Some(start), Some(span)) = (start, self.spans.get_mut(row)) {
            *span = Some(self.packed.row_from(start));
        }
    }

    /// Whether all rows have come.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.done == self.rows
    }

    /// Where the packed values of a row are, if it has come with a record.
    pub(crate) fn span(&self, row: usize) -> Option<RowSpan> {
        self.spans.get(row).copied().flatten()
    }

    /// The bytes of all values.
    pub(crate) fn size(&self) -> usize {
        self.packed.len() + self.cells.iter().map(Cells::size).sum::<usize>()
    }

    /// How many of `rows`, from the first on, have at most `most` bytes.
    pub(crate) fn fitting(&self, rows: Range<usize>, most: usize) -> usize {
        if self.size() <= most {
            return rows.len();
        }
        let mut size = 0;
        let is_fitting = |row: &usize| {
            size += self.size_of(*row);
            size <= most
        };
        rows.take_while(is_fitting).count()
    }

    /// The bytes of the values of a row.
    pub(crate) fn size_of(&self, row: usize) -> usize {
        let cells = self.cells.iter().map(|cells| cells.size_of(row)).sum::<usize>();
        cells + self.span(row).map_or(0, |span| span.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_up_to_a_size() {
        let mut block = Block::default();
        block.reset(4, 2, true);
        for row in [2, 0, 3] {
            let start = block.packed.len();
            assert!(block.cells[0].put(row, b"12345"));
            assert!(block.packed.push(0, 3, b"123"));
            block.finish_row(row, Some(start));
        }
        assert!(!block.is_complete());
        block.finish_row(1, None);
        assert!(block.is_complete());
        assert_eq!((block.size(), block.span(1).is_none(), block.span(2).unwrap().len), (45, true, 10));
        assert_eq!((block.fitting(0..4, 45), block.fitting(0..4, 44), block.fitting(0..4, 29)), (4, 3, 2));
        assert_eq!((block.fitting(2..4, 15), block.fitting(2..4, 14)), (1, 0));
    }
}
