//! What is known of rows besides their bins: result codes, generations, times to live, digests.
//!
//! Most rows of a result have the same code, generation and time to live, so that a page of rows has one value until
//! another one comes: twelve bytes a row would be much beside the values of a few numbers. Pages are never copied to
//! grow.

/// Rows of a page.
const PAGE: usize = 1024;

/// A value for each row, in the order of rows or in any other.
#[derive(Clone, Debug)]
pub struct RowValues<T> {
    pages: Vec<Page<T>>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Page<T> {
    /// The same for all rows that have a value.
    Same(T),
    Each(Box<[T]>),
}

impl<T> Default for RowValues<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Copy + PartialEq> RowValues<T> {
    /// So many rows with this value.
    #[must_use]
    pub fn new(value: T, len: usize) -> Self {
        Self { pages: (0..len.div_ceil(PAGE)).map(|_| Page::Same(value)).collect(), len }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Changes the value of a row that exists.
    #[inline]
    pub(crate) fn set(&mut self, row: usize, value: T) {
        match self.pages.get_mut(row / PAGE) {
            Some(Page::Same(same)) if *same == value => {}
            Some(Page::Each(values)) => {
                if let Some(place) = values.get_mut(row % PAGE) {
                    *place = value;
                }
            }
            Some(page @ Page::Same(_)) => page.separate(row, value),
            None => {}
        }
    }

    /// Changes the value of the first row of its page that gets one: the others have the same until they get theirs.
    pub(crate) fn set_first(&mut self, row: usize, value: T) {
        if let Some(page) = self.pages.get_mut(row / PAGE) {
            *page = Page::Same(value);
        }
    }

    /// Adds a row.
    pub fn push(&mut self, value: T) {
        let row = self.len;
        self.len += 1;
        if row.is_multiple_of(PAGE) {
            self.pages.push(Page::Same(value));
        } else {
            self.set(row, value);
        }
    }

    /// The value of a row; `None` if there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<T> {
        match self.pages.get(row / PAGE).filter(|_| row < self.len)? {
            Page::Same(value) => Some(*value),
            Page::Each(values) => values.get(row % PAGE).copied(),
        }
    }

    /// The values of all rows.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        (0..self.len).filter_map(|row| self.get(row))
    }

    /// The bytes that the values take.
    #[cfg(test)]
    fn size(&self) -> usize {
        let sizes = self.pages.iter().map(|page| match page {
            Page::Same(_) => 0,
            Page::Each(values) => size_of_val(&**values),
        });
        sizes.sum()
    }
}

impl<T: Copy> Page<T> {
    /// Gives a row another value than the rest.
    #[cold]
    fn separate(&mut self, row: usize, value: T) {
        let Self::Same(same) = *self else { return };
        let mut values = vec![same; PAGE];
        if let Some(place) = values.get_mut(row % PAGE) {
            *place = value;
        }
        *self = Self::Each(values.into());
    }
}

/// Generations and times to live in seconds.
#[derive(Clone, Debug, Default)]
pub struct RecordMeta {
    /// The generation of each record; 0 without a record.
    pub generations: RowValues<u32>,
    /// The seconds to live; 0 without a record.
    pub ttls: RowValues<u32>,
}

impl RecordMeta {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.generations.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn push(&mut self, generation: u32, ttl: u32) {
        self.generations.push(generation);
        self.ttls.push(ttl);
    }
}

/// What the answers of a batch say about its rows, which come in any order.
#[derive(Debug)]
pub(super) struct Answers {
    codes: RowValues<i32>,
    meta: RecordMeta,
    /// A bit for each row: whether it has an answer.
    answered: Vec<u64>,
    /// How many rows of each page have one.
    counts: Vec<u16>,
}

impl Answers {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            codes: RowValues::new(0, rows),
            meta: RecordMeta { generations: RowValues::new(0, rows), ttls: RowValues::new(0, rows) },
            answered: vec![0; rows.div_ceil(64)],
            counts: vec![0; rows.div_ceil(PAGE)],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    /// Takes the answer for a row. False if the row has one already, or there is no such row.
    #[inline]
    pub(super) fn take(&mut self, row: usize, (code, generation, ttl): (i32, u32, u32)) -> bool {
        let (bit, len) = (1 << (row % 64), self.len());
        let (Some(word), Some(count)) = (self.answered.get_mut(row / 64), self.counts.get_mut(row / PAGE))
        else {
            return false;
        };
        if *word & bit != 0 || row >= len {
            return false;
        }
        *word |= bit;
        *count += 1;
        if *count == 1 {
            self.codes.set_first(row, code);
            self.meta.generations.set_first(row, generation);
            self.meta.ttls.set_first(row, ttl);
        } else {
            self.codes.set(row, code);
            self.meta.generations.set(row, generation);
            self.meta.ttls.set(row, ttl);
        }
        true
    }

    /// All answers; rows without one get `code`.
    pub(super) fn finish(&mut self, code: i32) -> (RowValues<i32>, RecordMeta) {
        for row in 0..self.len() {
            self.take(row, (code, 0, 0));
        }
        (std::mem::take(&mut self.codes), std::mem::take(&mut self.meta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_take_no_memory() {
        let mut values = RowValues::default();
        (0..3 * PAGE).for_each(|_| values.push(7u32));
        assert_eq!((values.size(), values.len()), (0, 3 * PAGE));
        values.set(PAGE + 1, 8);
        values.push(9);
        values.push(9);
        assert_eq!(values.size(), 4 * PAGE);
        let found: Vec<u32> = values.iter().collect();
        let expected = |row| if row == PAGE + 1 { 8 } else { 7 + 2 * u32::from(row >= 3 * PAGE) };
        assert!((0..3 * PAGE + 2).all(|row| found[row] == expected(row)));
        assert_eq!((values.get(3 * PAGE + 2), found.len()), (None, 3 * PAGE + 2));
    }

    #[test]
    fn answers_come_in_any_order_and_once() {
        let rows = 2 * PAGE + 3;
        let mut answers = Answers::new(rows);
        for row in (0..rows).rev().filter(|row| row % 5 != 0) {
            assert!(answers.take(row, (0, 1, 50)) && !answers.take(row, (2, 0, 0)));
        }
        assert!(answers.take(5, (2, 0, 0)) && !answers.take(rows, (0, 1, 1)));
        let (codes, meta) = answers.finish(-15);
        let found = |row| (codes.get(row), meta.generations.get(row), meta.ttls.get(row));
        for row in 0..rows {
            let expected = match row {
                5 => (2, 0, 0),
                row if row % 5 == 0 => (-15, 0, 0),
                _ => (0, 1, 50),
            };
            assert_eq!(found(row), (Some(expected.0), Some(expected.1), Some(expected.2)), "{row}");
        }
        assert_eq!((codes.len(), meta.len()), (rows, rows));
    }

    #[test]
    fn one_value_for_all_rows_stays_one() {
        let mut answers = Answers::new(5 * PAGE);
        (0..5 * PAGE).for_each(|row| assert!(answers.take(row, (0, 3, 9))));
        let (codes, meta) = answers.finish(-15);
        assert_eq!((codes.size(), meta.generations.size(), meta.ttls.size()), (0, 0, 0));
        assert!(meta.ttls.iter().all(|ttl| ttl == 9));
    }
}
