//! The bins of a record, while a write changes them and while a read looks them up by name.

use std::cell::OnceCell;
use std::collections::HashMap;

use record_ops::value::has_index;
use record_ops::{BinView, RecordView};
use wire_protocol::message::{Op, Ops, op, write_op};
use wire_protocol::particle::particle_type;

use crate::state::store::record::{Record, bins, write_bin};

/// Up to this many bins are searched one by one; more are looked up in a table of names.
const LINEAR_SEARCH: usize = 16;

/// A builder is compacted when replaced bins take this many bytes more than the current ones.
const MAX_WASTE: usize = 64 * 1024;

/// Builds the bins of a record that is written.
///
/// Bins are appended to `bytes`, and `ranges` has them in the order of the record. A bin that is replaced
/// keeps its position in `ranges`; its old bytes stay in `bytes` until [`BinsBuilder::compact`] drops them.
/// So setting a bin costs the same for any number of bins.
#[derive(Debug, Default)]
pub(crate) struct BinsBuilder {
    bytes: Vec<u8>,
    /// Start and end of each bin; empty for a removed one.
    ranges: Vec<(usize, usize)>,
    /// Positions in `ranges` by name. Empty until there are more than [`LINEAR_SEARCH`] bins.
    positions: HashMap<Box<[u8]>, usize>,
    count: usize,
    size: usize,
    has_index: bool,
}

impl BinsBuilder {
    pub(crate) fn of(record: &Record) -> Self {
        let mut builder = Self { bytes: record.bins.to_vec(), ..Self::default() };
        let mut start = 0;
        for (whole, _) in bins(&record.bins) {
            builder.ranges.push((start, start + whole.len()));
            start += whole.len();
        }
        builder.count = builder.ranges.len();
        builder.size = start;
        builder.has_index = record.has_index;
        builder
    }

    /// Whether a list or map may have the flag of a persisted index.
    pub(crate) fn has_index(&self) -> bool {
        self.has_index
    }

    /// The size of the current bins in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&mut self, name: &[u8]) -> Option<(&[u8], Op<'_>)> {
        let position = self.position(name)?;
        self.at(position)
    }

    /// Appends all bins as clients see them.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for &(start, end) in &self.ranges {
            let whole = self.bytes.get(start..end).unwrap_or_default();
            if self.has_index && !whole.is_empty() {
                write_bin(out, whole);
            } else {
                out.extend_from_slice(whole);
            }
        }
    }

    /// Appends all bins as they are stored.
    fn copy(&self, out: &mut Vec<u8>) {
        out.reserve(self.size);
        for &(start, end) in &self.ranges {
            out.extend_from_slice(self.bytes.get(start..end).unwrap_or_default());
        }
    }

    /// Sets a bin. One that exists keeps its position.
    pub(crate) fn put(&mut self, name: &[u8], kind: u8, value: &[u8]) {
        let position = self.position(name);
        let start = self.bytes.len();
        write_op(&mut self.bytes, op::READ, kind, name, value);
        self.has_index |= matches!(kind, particle_type::LIST | particle_type::MAP) && has_index(value);
        let range = (start, self.bytes.len());
        self.size += range.1 - range.0;
        match position {
            Some(position) => {
                let (start, end) = std::mem::replace(&mut self.ranges[position], range);
                self.size -= end - start;
            }
            None => {
                self.count += 1;
                if !self.positions.is_empty() {
                    self.positions.insert(name.into(), self.ranges.len());
                }
                self.ranges.push(range);
            }
        }
        if self.bytes.len() > 2 * self.size + MAX_WASTE {
            self.compact();
        }
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        if let Some(position) = self.position(name) {
            let (start, end) = std::mem::take(&mut self.ranges[position]);
            self.positions.remove(name);
            self.size -= end - start;
            self.count -= 1;
            if self.count == 0 {
                self.clear();
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn into_bytes(self) -> Box<[u8]> {
        let mut end_before = 0;
        let is_in_order =
            self.ranges.iter().all(|&(start, end)| start == std::mem::replace(&mut end_before, end));
        if is_in_order && end_before == self.bytes.len() {
            return self.bytes.into_boxed_slice();
        }
        let mut bytes = Vec::with_capacity(self.size);
        self.copy(&mut bytes);
        bytes.into_boxed_slice()
    }

    /// Prepares [`BinsBuilder::find`].
    pub(crate) fn index(&mut self) {
        _ = self.position(&[]);
    }

    /// A bin, for many lookups between changes: call [`BinsBuilder::index`] before.
    pub(crate) fn find(&self, name: &[u8]) -> Option<(&[u8], Op<'_>)> {
        let position = match self.positions.is_empty() {
            true => {
                (0..self.ranges.len()).find(|&at| self.at(at).is_some_and(|(_, bin)| bin.name == name))?
            }
            false => *self.positions.get(name)?,
        };
        self.at(position)
    }

    fn at(&self, position: usize) -> Option<(&[u8], Op<'_>)> {
        let &(start, end) = self.ranges.get(position)?;
        bins(self.bytes.get(start..end)?).next()
    }

    fn position(&mut self, name: &[u8]) -> Option<usize> {
        if self.ranges.len() <= LINEAR_SEARCH {
            return (0..self.ranges.len())
                .find(|&position| self.at(position).is_some_and(|(_, bin)| bin.name == name));
        }
        if self.positions.is_empty() {
            let positions = 0..self.ranges.len();
            let named =
                positions.filter_map(|position| Some((Box::from(self.at(position)?.1.name), position)));
            self.positions = named.collect();
        }
        self.positions.get(name).copied()
    }

    /// Drops the bytes of replaced bins. Keeps the empty ranges of removed ones, so that positions stay
    /// valid.
    fn compact(&mut self) {
        let mut bytes = Vec::with_capacity(self.size);
        for range in &mut self.ranges {
            let start = bytes.len();
            bytes.extend_from_slice(self.bytes.get(range.0..range.1).unwrap_or_default());
            *range = (start, bytes.len());
        }
        self.bytes = bytes;
    }
}

/// Finds the bins of a record by name. Makes a table of names if a read asks for many of many bins.
pub(crate) struct BinLookup<'r> {
    record: &'r Record,
    named: HashMap<&'r [u8], &'r [u8]>,
}

impl<'r> BinLookup<'r> {
    /// A lookup for a read with these operations.
    #[inline]
    pub(crate) fn new(record: &'r Record, ops: &Ops<'_>) -> Self {
        let named = if usize::from(record.n_bins) > LINEAR_SEARCH && ops.clone().nth(LINEAR_SEARCH).is_some()
        {
            bins(&record.bins).map(|(whole, bin)| (bin.name, whole)).collect()
        } else {
            HashMap::new()
        };
        Self { record, named }
    }

    /// The encoded bin with this name.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<&'r [u8]> {
        if self.named.is_empty() {
            return bins(&self.record.bins).find(|(_, bin)| bin.name == name).map(|(whole, _)| whole);
        }
        self.named.get(name).copied()
    }
}

/// A stored bin, as `record_ops` sees it.
pub(crate) fn view<'b>(bin: &Op<'b>) -> BinView<'b> {
    BinView { particle_type: bin.particle_type, bytes: bin.value }
}

/// The bins of a stored record, as `record_ops` sees them.
pub(crate) struct StoredBins<'r> {
    record: &'r Record,
    named: OnceCell<HashMap<&'r [u8], BinView<'r>>>,
}

impl<'r> StoredBins<'r> {
    pub(crate) fn of(record: &'r Record) -> Self {
        Self { record, named: OnceCell::new() }
    }

    /// One bin of a record.
    pub(crate) fn find(record: &'r Record, name: &[u8]) -> Option<BinView<'r>> {
        bins(&record.bins).find(|(_, bin)| bin.name == name).map(|(_, bin)| view(&bin))
    }
}

impl RecordView for StoredBins<'_> {
    fn bin(&self, name: &[u8]) -> Option<BinView<'_>> {
        if usize::from(self.record.n_bins) <= LINEAR_SEARCH {
            return Self::find(self.record, name);
        }
        let named = || bins(&self.record.bins).map(|(_, bin)| (bin.name, view(&bin))).collect();
        self.named.get_or_init(named).get(name).copied()
    }
}

impl RecordView for BinsBuilder {
    fn bin(&self, name: &[u8]) -> Option<BinView<'_>> {
        self.find(name).map(|(_, bin)| view(&bin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(builder: &BinsBuilder) -> Vec<String> {
        let mut bytes = Vec::new();
        builder.write(&mut bytes);
        assert_eq!(bytes.len(), builder.size());
        bins(&bytes).map(|(_, bin)| String::from_utf8_lossy(bin.name).into_owned()).collect()
    }

    #[test]
    fn bins_keep_their_positions() {
        let mut builder = BinsBuilder::default();
        for (name, value) in [(b"a", "1"), (b"b", "22"), (b"c", "333")] {
            builder.put(name, 3, value.as_bytes());
        }
        builder.put(b"b", 4, b"a longer one");
        assert_eq!(names(&builder), ["a", "b", "c"]);
        let (_, bin) = builder.get(b"b").unwrap();
        assert_eq!((bin.particle_type, bin.value), (4, &b"a longer one"[..]));
        builder.remove(b"a");
        builder.remove(b"nobin");
        assert_eq!((names(&builder), builder.count()), (vec!["b".to_owned(), "c".into()], 2));
        builder.clear();
        assert_eq!((builder.count(), builder.size()), (0, 0));
        assert_eq!(builder.into_bytes(), Box::default());
    }

    #[test]
    fn many_bins_are_set_replaced_and_removed() {
        let mut builder = BinsBuilder::default();
        for round in 0..20u8 {
            for i in 0..100 {
                builder.put(format!("b{i}").as_bytes(), 4, &vec![round; 100 + usize::from(round)]);
            }
        }
        for i in 0..50 {
            builder.remove(format!("b{i}").as_bytes());
        }
        builder.put(b"b7", 4, b"again");
        assert_eq!(builder.count(), 51);
        assert!(builder.bytes.len() <= 2 * builder.size() + MAX_WASTE + 200);
        let names = names(&builder);
        assert_eq!((&*names[0], &*names[49], &*names[50]), ("b50", "b99", "b7"));
        assert_eq!(builder.get(b"b60").unwrap().1.value, [19; 119]);
        let record = Record {
            generation: 1,
            void_time: 0,
            last_update: 0,
            set: 0,
            n_bins: 51,
            has_index: false,
            bins: builder.into_bytes(),
            key: None,
        };
        let mut ops = Vec::new();
        for i in 0..60 {
            write_op(&mut ops, op::READ, 0, format!("b{i}").as_bytes(), &[]);
        }
        for ops in [&ops[..20], &ops] {
            let finder = BinLookup::new(&record, &Ops::over(ops));
            assert!(finder.find(b"b7").is_some() && finder.find(b"b8").is_none());
        }
        let mut builder = BinsBuilder::of(&record);
        builder.put(b"b99", 3, b"x");
        assert_eq!((builder.count(), builder.get(b"b99").unwrap().1.value), (51, &b"x"[..]));
    }
}
