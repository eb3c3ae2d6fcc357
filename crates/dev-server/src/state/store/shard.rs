//! A shard: a hash table of records by digest, and their entries in secondary indexes.
//!
//! Every change of a record goes through the methods of [`Shard`], which keep the entries in step.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::info::PartitionBitmap;

use crate::state::store::index::definition::Definition;
use crate::state::store::index::predicate::KeyRange;
use crate::state::store::index::registry::Index;
use crate::state::store::index::tree::{Entry, Trees};
use crate::state::store::index::values::{Key, keys};
use crate::state::store::record::Record;

/// A digest as the key of a hash table. It is a hash already, so hashing eight of its bytes is enough.
#[derive(Clone, Copy, PartialEq, Eq)]
struct IndexKey(Digest);

impl Hash for IndexKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Not the first bytes: they select partition and shard, so they hardly differ within a shard.
        let mut eight = [0; 8];
        eight.copy_from_slice(&self.0[4..12]);
        state.write_u64(u64::from_le_bytes(eight));
    }
}

/// Hashes with a secret number: clients choose digests, and must not be able to make them collide.
#[derive(Clone, Copy)]
struct IndexHasher(u64);

impl BuildHasher for IndexHasher {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for IndexHasher {
    fn write_u64(&mut self, value: u64) {
        let wide = u128::from(self.0 ^ value) * u128::from(self.0 | 1);
        self.0 = (wide as u64) ^ (wide >> 64) as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Some of the records of a namespace.
pub(crate) struct Shard {
    records: HashMap<IndexKey, Record, IndexHasher>,
    indexes: Vec<IndexPart>,
}

/// A shard's part of an index.
struct IndexPart {
    index: Arc<Index>,
    trees: Trees,
}

impl IndexPart {
    /// Replaces the entries of a record by those of what becomes of it.
    fn update(&mut self, digest: &Digest, old: Option<&Record>, new: Option<&Record>) {
        let definition = &self.index.definition;
        let is_covered = |record: &&Record| definition.covers(record.set);
        let (old, new) = (old.filter(is_covered), new.filter(is_covered));
        if let (Some(old), Some(new)) = (old, new) {
            let bin = definition.stored_bin(old);
            if bin.is_some() && bin == definition.stored_bin(new) {
                return;
            }
        }
        let before = keys_of(definition, digest, old);
        let after = keys_of(definition, digest, new);
        for &key in before.iter().filter(|key| after.binary_search(key).is_err()) {
            self.trees.remove(&Entry { key, digest: *digest });
        }
        for &key in after.iter().filter(|key| before.binary_search(key).is_err()) {
            self.trees.insert(Entry { key, digest: *digest });
        }
    }
}

/// The keys of a record in an index, sorted, each once.
fn keys_of(definition: &Definition, digest: &Digest, record: Option<&Record>) -> Vec<Key> {
    let mut all = Vec::new();
    if let Some(record) = record {
        definition.visit(digest, record, &mut |value| {
            keys(value, &mut all);
            true
        });
        all.sort_unstable();
        all.dedup();
    }
    all
}

impl Shard {
    /// An empty shard that hashes with this secret.
    pub(crate) fn new(secret: u64) -> Self {
        Self { records: HashMap::with_hasher(IndexHasher(secret)), indexes: Vec::new() }
    }

    #[inline]
    pub(crate) fn get(&self, digest: &Digest) -> Option<&Record> {
        self.records.get(&IndexKey(*digest))
    }

    /// Sets the times of a record, which no index has.
    pub(crate) fn set_times(&mut self, digest: &Digest, void_time: u32, last_update: u64) {
        if let Some(record) = self.records.get_mut(&IndexKey(*digest)) {
            (record.void_time, record.last_update) = (void_time, last_update);
        }
    }

    pub(crate) fn insert(&mut self, digest: &Digest, record: Record) {
        for part in &mut self.indexes {
            part.update(digest, self.records.get(&IndexKey(*digest)), Some(&record));
        }
        self.records.insert(IndexKey(*digest), record);
    }

    pub(crate) fn remove(&mut self, digest: &Digest) -> Option<Record> {
        let record = self.records.remove(&IndexKey(*digest))?;
        for part in &mut self.indexes {
            part.update(digest, Some(&record), None);
        }
        Some(record)
    }

    /// The digests of the records of a partition that `is_wanted` accepts, in no particular order.
    pub(crate) fn digests(&self, partition: usize, is_wanted: impl Fn(&Record) -> bool) -> Vec<Digest> {
        let of_partition =
            self.records.iter().filter(|(IndexKey(digest), _)| partition_id(digest) == partition);
        of_partition.filter(|(_, record)| is_wanted(record)).map(|(IndexKey(digest), _)| *digest).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    pub(crate) fn remove_partitions(&mut self, partitions: &PartitionBitmap) {
        self.retain(|digest, _| !partitions.contains(partition_id(digest)));
    }

    /// Removes the records that `keeps` rejects, and frees memory if most are gone. Returns their number.
    pub(crate) fn retain(&mut self, keeps: impl Fn(&Digest, &Record) -> bool) -> usize {
        let before = self.records.len();
        let indexes = &mut self.indexes;
        self.records.retain(|IndexKey(digest), record| {
            let is_kept = keeps(digest, record);
            if !is_kept {
                indexes.iter_mut().for_each(|part| part.update(digest, Some(record), None));
            }
            is_kept
        });
        if self.records.len() < self.records.capacity() / 4 {
            self.records.shrink_to_fit();
        }
        before - self.records.len()
    }

    /// Builds this shard's part of an index of a namespace with `shards` shards. Returns the number of records that have
    /// entries.
    pub(crate) fn build_index(&mut self, index: &Arc<Index>, shards: usize) -> u64 {
        let definition = &index.definition;
        let mut entries = Vec::new();
        let mut found = Vec::new();
        let mut records = 0;
        for (IndexKey(digest), record) in &self.records {
            if !definition.covers(record.set) {
                continue;
            }
            definition.visit(digest, record, &mut |value| {
                keys(value, &mut found);
                true
            });
            records += u64::from(!found.is_empty());
            entries.extend(found.drain(..).map(|key| Entry { key, digest: *digest }));
        }
        self.indexes.push(IndexPart { index: Arc::clone(index), trees: Trees::new(shards, entries) });
        records
    }

    pub(crate) fn drop_index(&mut self, index: &Arc<Index>) {
        self.indexes.retain(|part| !Arc::ptr_eq(&part.index, index));
    }

    /// This shard's part of an index.
    pub(crate) fn trees(&self, index: &Arc<Index>) -> Option<&Trees> {
        self.indexes.iter().find(|part| Arc::ptr_eq(&part.index, index)).map(|part| &part.trees)
    }

    /// The first entries of a partition in a range of an index, after `after`, at most `limit`.
    pub(crate) fn search(
        &self,
        index: &Arc<Index>,
        partition: usize,
        range: KeyRange,
        after: Option<Entry>,
        limit: usize,
    ) -> Vec<Entry> {
        self.trees(index).map(|trees| trees.range(partition, range, after, limit)).unwrap_or_default()
    }
}
