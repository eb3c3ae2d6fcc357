//! The entries of an index, in order.

use std::collections::BTreeSet;
use std::ops::Bound;

use wire_protocol::digest::{Digest, partition_id};

use crate::state::store::index::predicate::KeyRange;
use crate::state::store::index::values::Key;

/// A record, under one of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) digest: Digest,
}

/// The entries of the records of a shard, partition by partition.
#[derive(Debug)]
pub(crate) struct Trees {
    trees: Box<[BTreeSet<Entry>]>,
    shards: usize,
}

impl Trees {
    /// Of a shard of a namespace with this number of shards, each of which has as many partitions.
    pub(crate) fn new(shards: usize, mut entries: Vec<Entry>) -> Self {
        let partitions = wire_protocol::digest::PARTITIONS.div_ceil(shards);
        let mut trees = Self { trees: (0..partitions).map(|_| BTreeSet::new()).collect(), shards };
        // Sorted by partition, then as in the trees: building a tree of sorted entries is fast.
        entries.sort_unstable_by_key(|entry| (partition_id(&entry.digest), *entry));
        for part in entries.chunk_by(|a, b| partition_id(&a.digest) == partition_id(&b.digest)) {
            if let Some(first) = part.first()
                && let Some(tree) = trees.tree_mut(&first.digest)
            {
                *tree = part.iter().copied().collect();
            }
        }
        trees
    }

    fn tree_mut(&mut self, digest: &Digest) -> Option<&mut BTreeSet<Entry>> {
        self.trees.get_mut(partition_id(digest) / self.shards)
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        if let Some(tree) = self.tree_mut(&entry.digest) {
            tree.insert(entry);
        }
    }

    pub(crate) fn remove(&mut self, entry: &Entry) {
        if let Some(tree) = self.tree_mut(&entry.digest) {
            tree.remove(entry);
        }
    }

    /// The first entries of a partition in a range, after `after`, at most `limit`.
    pub(crate) fn range(
        &self,
        partition: usize,
        range: KeyRange,
        after: Option<Entry>,
        limit: usize,
    ) -> Vec<Entry> {
        let Some(tree) = self.trees.get(partition / self.shards) else { return Vec::new() };
        let first = Entry { key: range.first, digest: [0; 20] };
        let last = Entry { key: range.last, digest: [0xff; 20] };
        let start = match after {
            Some(after) if after >= first => Bound::Excluded(after),
            _ => Bound::Included(first),
        };
        let is_empty = match start {
            Bound::Excluded(start) => start >= last,
            Bound::Included(start) => start > last,
            Bound::Unbounded => false,
        };
        if is_empty {
            return Vec::new();
        }
        tree.range((start, Bound::Included(last))).take(limit).copied().collect()
    }

    /// The number of entries of each partition.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = usize> {
        self.trees.iter().map(BTreeSet::len)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.trees.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: i64, digest: u8) -> Entry {
        let mut bytes = [digest; 20];
        bytes[..2].copy_from_slice(&[3, 0]);
        Entry { key: Key::of_number(key), digest: bytes }
    }

    fn range(first: i64, last: i64) -> KeyRange {
        KeyRange { first: Key::of_number(first), last: Key::of_number(last) }
    }

    #[test]
    fn ranges_are_read_piece_by_piece() {
        let mut trees = Trees::new(256, vec![entry(5, 1), entry(-1, 1), entry(5, 2), entry(5, 2)]);
        trees.insert(entry(9, 1));
        trees.insert(entry(9, 1));
        assert_eq!(trees.sizes().sum::<usize>(), 4);
        assert_eq!(trees.entries().count(), 4);
        assert_eq!(trees.range(3, range(-1, 5), None, 9), [entry(-1, 1), entry(5, 1), entry(5, 2)]);
        assert_eq!(trees.range(3, range(-1, 9), Some(entry(-1, 1)), 2), [entry(5, 1), entry(5, 2)]);
        assert_eq!(trees.range(3, range(5, 9), Some(entry(-7, 1)), 1), [entry(5, 1)]);
        assert_eq!(trees.range(3, range(5, 9), Some(entry(9, 0xff)), 1), []);
        assert_eq!(trees.range(3, range(5, 9), Some(entry(10, 1)), 1), []);
        assert_eq!(trees.range(3 + 256, range(-1, 9), None, 9), []);
        trees.remove(&entry(5, 1));
        assert_eq!(trees.range(3, range(5, 5), None, 9), [entry(5, 2)]);
    }
}
