//! A shard: a hash table of records by digest.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::info::PartitionBitmap;

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
pub(crate) struct Shard(HashMap<IndexKey, Record, IndexHasher>);

impl Shard {
    /// An empty shard that hashes with this secret.
    pub(crate) fn new(secret: u64) -> Self {
        Self(HashMap::with_hasher(IndexHasher(secret)))
    }

    #[inline]
    pub(crate) fn get(&self, digest: &Digest) -> Option<&Record> {
        self.0.get(&IndexKey(*digest))
    }

    pub(crate) fn get_mut(&mut self, digest: &Digest) -> Option<&mut Record> {
        self.0.get_mut(&IndexKey(*digest))
    }

    pub(crate) fn insert(&mut self, digest: &Digest, record: Record) {
        self.0.insert(IndexKey(*digest), record);
    }

    pub(crate) fn remove(&mut self, digest: &Digest) -> Option<Record> {
        self.0.remove(&IndexKey(*digest))
    }

    /// The digests of the records of a partition that `is_wanted` accepts, in no particular order.
    pub(crate) fn digests(&self, partition: usize, is_wanted: impl Fn(&Record) -> bool) -> Vec<Digest> {
        let of_partition = self.0.iter().filter(|(IndexKey(digest), _)| partition_id(digest) == partition);
        of_partition.filter(|(_, record)| is_wanted(record)).map(|(IndexKey(digest), _)| *digest).collect()
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.0.values()
    }

    pub(crate) fn remove_partitions(&mut self, partitions: &PartitionBitmap) {
        self.0.retain(|IndexKey(digest), _| !partitions.contains(partition_id(digest)));
    }

    /// Removes the records that `keeps` rejects, and frees memory if most are gone. Returns their number.
    pub(crate) fn retain(&mut self, keeps: impl Fn(&Record) -> bool) -> usize {
        let before = self.0.len();
        self.0.retain(|_, record| keeps(record));
        if self.0.len() < self.0.capacity() / 4 {
            self.0.shrink_to_fit();
        }
        before - self.0.len()
    }
}
