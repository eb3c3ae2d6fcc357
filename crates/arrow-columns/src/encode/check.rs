//! Values that no bin can hold, found before anything is sent.
//!
//! A column is checked as a whole first. Only if something is wrong in it, perhaps behind a null, its rows are looked
//! at one by one.

use std::collections::HashSet;
use std::ops::Range;

use super::column::{BAD_OFFSET, Bytes, Column, Lists, Values, WhyNot, entries};
use super::pack::utf8;

/// Maps with at most this many entries are searched for repeated keys without a table of them.
const FEW: usize = 8;

impl Column {
    /// Checks the values of some rows.
    ///
    /// # Errors
    /// The first row with a value that no bin can hold, and what is wrong.
    pub(super) fn check(&self, rows: Range<usize>) -> Result<(), (usize, WhyNot)> {
        if self.is_clean(rows.clone()) {
            return Ok(());
        }
        for row in rows {
            self.check_row(row).map_err(|why| (row, why))?;
        }
        Ok(())
    }

    /// Whether certainly all these values can be written. Some that are null may be counted, too.
    fn is_clean(&self, rows: Range<usize>) -> bool {
        if rows.is_empty() {
            return true;
        }
        match &self.values {
            Values::U64(values) => values.get(rows).is_some_and(|values| {
                // Without a branch per value.
                values.iter().fold(0, |all, value| all | value) <= i64::MAX as u64
            }),
            Values::Text(bytes) => bytes.is_clean(rows, true),
            Values::Blob(bytes) => bytes.is_clean(rows, false),
            Values::List(lists, items) => match lists.all(rows, items.len()) {
                Some(range) => items.is_clean(range),
                None => false,
            },
            Values::Struct(fields) => fields.iter().all(|(_, field)| field.is_clean(rows.clone())),
            // Repeated keys have to be looked for in each map.
            Values::Map(..) => false,
            Values::Dictionary(indices, values) => {
                let in_range = |row| indices.index(row).is_some_and(|place| place < values.len());
                rows.clone().all(|row| in_range(row) || self.is_null(row)) && values.is_clean(0..values.len())
            }
            Values::Runs(runs, values) => {
                values.is_clean(runs.place(rows.start)..runs.place(rows.end - 1).saturating_add(1))
            }
            Values::Null => true,
            _ => rows.end <= self.len(),
        }
    }

    /// Checks one value with all that is in it. Recurses once per level of the type.
    fn check_row(&self, row: usize) -> Result<(), WhyNot> {
        if self.is_null(row) {
            return Ok(());
        }
        let (column, row) = self.resolve(row)?;
        match &column.values {
            Values::U64(values) => match values.get(row) {
                Some(&value) if value > i64::MAX as u64 => Err(WhyNot::TooLarge { value }),
                value => value.map(|_| ()).ok_or(BAD_OFFSET),
            },
            Values::Text(bytes) => utf8(bytes.get(row)?).map(|_| ()),
            Values::Blob(bytes) => bytes.get(row).map(|_| ()),
            Values::List(lists, items) => {
                let range = lists.range(row, items.len())?;
                if items.is_clean(range.clone()) {
                    return Ok(());
                }
                range.into_iter().try_for_each(|item| items.check_row(item))
            }
            Values::Struct(fields) => fields.iter().try_for_each(|(_, field)| field.check_row(row)),
            Values::Map(offsets, keys, values) => {
                let range = entries(offsets, row, keys.len().min(values.len()))?;
                if range.clone().any(|entry| keys.is_null(entry)) {
                    return Err(WhyNot::NullMapKey);
                }
                range.clone().try_for_each(|entry| keys.check_row(entry))?;
                keys.check_repeated(range.clone())?;
                if values.is_clean(range.clone()) {
                    return Ok(());
                }
                range.into_iter().try_for_each(|entry| values.check_row(entry))
            }
            Values::Null => Ok(()),
            _ if row < column.len() => Ok(()),
            _ => Err(BAD_OFFSET),
        }
    }

    /// Refuses a map in which a key is twice. The keys are not null and can be written.
    fn check_repeated(&self, range: Range<usize>) -> Result<(), WhyNot> {
        if range.len() < 2 {
            return Ok(());
        }
        if range.len() > FEW {
            let mut seen = HashSet::with_capacity(range.len());
            return match range.into_iter().map(|entry| self.map_key(entry)).find(|key| !seen.insert(*key)) {
                Some(key) => Err(key.repeated()),
                None => Ok(()),
            };
        }
        for entry in range.start + 1..range.end {
            let key = self.map_key(entry);
            if (range.start..entry).any(|before| self.map_key(before) == key) {
                return Err(key.repeated());
            }
        }
        Ok(())
    }

    fn map_key(&self, entry: usize) -> MapKey<'_> {
        let Ok((column, place)) = self.resolve(entry) else { return MapKey::Int(0) };
        match &column.values {
            Values::Text(bytes) => MapKey::Text(bytes.get(place).unwrap_or_default()),
            Values::Blob(bytes) => MapKey::Blob(bytes.get(place).unwrap_or_default()),
            _ => MapKey::Int(column.integer(place).ok().flatten().unwrap_or(0)),
        }
    }
}

/// A key of a map.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum MapKey<'a> {
    Int(i64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl MapKey<'_> {
    fn repeated(self) -> WhyNot {
        const SHOWN: usize = 60;
        let key = match self {
            Self::Int(value) => value.to_string(),
            Self::Text(bytes) => {
                let text: String = String::from_utf8_lossy(bytes).chars().take(SHOWN).collect();
                format!("{text:?}")
            }
            Self::Blob(bytes) => {
                format!("{:?}", bytes.get(..SHOWN).unwrap_or(bytes).escape_ascii().to_string())
            }
        };
        WhyNot::RepeatedKey { key: key.into() }
    }
}

impl Bytes {
    /// Whether certainly all these values are there, and are UTF-8 if they are text.
    fn is_clean(&self, rows: Range<usize>, is_text: bool) -> bool {
        let all = match self {
            Self::Small(offsets, values) => in_order(offsets, &rows).and_then(|range| values.get(range)),
            Self::Large(offsets, values) => in_order(offsets, &rows).and_then(|range| values.get(range)),
            // One by one: each is checked where it is.
            Self::Views(..) => {
                let is_good = |bytes: &[u8]| !is_text || utf8(bytes).is_ok();
                return rows.into_iter().all(|row| self.get(row).is_ok_and(is_good));
            }
            Self::Fixed(size, values) => {
                return rows.end.checked_mul(*size).is_some_and(|end| end <= values.len());
            }
        };
        let Some(all) = all else { return false };
        // In ASCII, each value is UTF-8 wherever it ends.
        !is_text
            || all.is_ascii()
            || rows.into_iter().all(|row| self.get(row).is_ok_and(|bytes| utf8(bytes).is_ok()))
    }
}

/// The bytes or elements of all these rows, if their offsets are in order.
fn in_order<O: arrow_array::OffsetSizeTrait>(offsets: &[O], rows: &Range<usize>) -> Option<Range<usize>> {
    let offsets = offsets.get(rows.start..rows.end.checked_add(1)?)?;
    if !offsets.is_sorted() {
        return None;
    }
    Some(offsets.first()?.to_usize()?..offsets.last()?.to_usize()?)
}

impl Lists {
    /// The elements of all these lists, of which there are `items`, and perhaps others.
    fn all(&self, rows: Range<usize>, items: usize) -> Option<Range<usize>> {
        let range = match self {
            Self::Small(offsets) => in_order(offsets, &rows)?,
            Self::Large(offsets) => in_order(offsets, &rows)?,
            Self::Fixed(size) => rows.start.checked_mul(*size)?..rows.end.checked_mul(*size)?,
            Self::SmallViews(..) | Self::LargeViews(..) => {
                let mut all = items..0;
                for row in rows {
                    let range = self.range(row, items).ok()?;
                    all = all.start.min(range.start)..all.end.max(range.end);
                }
                all.start.min(all.end)..all.end
            }
        };
        (range.end <= items).then_some(range)
    }
}
