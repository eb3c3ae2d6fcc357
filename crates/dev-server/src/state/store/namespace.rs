//! A namespace: its records, in shards, and its sets.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::info::PartitionBitmap;

use crate::config::Config;
use crate::state::store::index::definition::Definition;
use crate::state::store::index::registry::{Build, Creation, Index, Indexes};
use crate::state::store::index::tree::Trees;
use crate::state::store::record::Record;
use crate::state::store::shard::Shard;

/// Number of shards of a namespace. Commands on records of different shards do not wait for each other.
pub(crate) const SHARDS: usize = 256;

/// Largest number of sets in a namespace: the real server's limit.
const MAX_SETS: usize = 4095;

/// The sets of a namespace. A set's number is its position in `names` plus one; number 0 means no set. Sets
/// are never removed, so numbers stay valid.
#[derive(Default)]
struct Sets {
    names: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, u16>,
    /// The times up to which sets and, under number 0, the namespace were truncated, in milliseconds.
    truncated: HashMap<u16, u64>,
}

/// The size of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetUsage {
    /// Empty for records without a set.
    pub(crate) name: Vec<u8>,
    /// Number of records, including expired ones that have not been swept.
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    /// The time up to which it was truncated, in milliseconds; 0 means never. For records without a set, that
    /// of the namespace.
    pub(crate) truncated: u64,
}

/// A namespace.
///
/// Lock order: a shard, then `sets`. Code that locks `sets` first releases it before it locks a shard. `indexes` has a
/// lock of its own, which is never held while another one is taken.
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) default_ttl: u32,
    pub(crate) max_record_size: usize,
    pub(crate) any_map_keys: bool,
    shards: Box<[RwLock<Shard>]>,
    sets: RwLock<Sets>,
    pub(crate) indexes: Indexes,
}

impl Namespace {
    pub(super) fn new(name: &str, config: &Config) -> Self {
        let secret = RandomState::new().hash_one(name);
        Self {
            name: name.into(),
            default_ttl: config.default_ttl,
            max_record_size: config.max_record_size,
            any_map_keys: config.any_map_keys,
            shards: (0..SHARDS).map(|_| RwLock::new(Shard::new(secret))).collect(),
            sets: RwLock::default(),
            indexes: Indexes::default(),
        }
    }

    /// Locks the shard of a record for reading.
    #[inline]
    pub(crate) fn read(&self, digest: &Digest) -> RwLockReadGuard<'_, Shard> {
        // A poisoned lock is safe to use: records are replaced in one step, so no record is half changed.
        self.shards[partition_id(digest) % SHARDS].read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the shard of a record for writing.
    pub(crate) fn write(&self, digest: &Digest) -> RwLockWriteGuard<'_, Shard> {
        self.shards[partition_id(digest) % SHARDS].write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a set, which is created if it does not exist. `None` if there are too many sets.
    pub(crate) fn set_number(&self, name: &[u8]) -> Option<u16> {
        if name.is_empty() {
            return Some(0);
        }
        let known = |sets: &Sets| sets.numbers.get(name).copied();
        if let Some(number) = known(&self.sets.read().unwrap_or_else(PoisonError::into_inner)) {
            return Some(number);
        }
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known(&sets) {
            return Some(number);
        }
        if sets.names.len() >= MAX_SETS {
            return None;
        }
        sets.names.push(name.into());
        let number = sets.names.len() as u16;
        sets.numbers.insert(name.into(), number);
        Some(number)
    }

    /// The name of a set; empty for number 0.
    pub(crate) fn set_name(&self, number: u16) -> Box<[u8]> {
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        usize::from(number).checked_sub(1).and_then(|at| sets.names.get(at)).cloned().unwrap_or_default()
    }

    /// The digests of the records of a partition that `is_wanted` accepts, in no particular order.
    pub(crate) fn digests(&self, partition: usize, is_wanted: impl Fn(&Record) -> bool) -> Vec<Digest> {
        let shard = self.shards[partition % SHARDS].read().unwrap_or_else(PoisonError::into_inner);
        shard.digests(partition, is_wanted)
    }

    /// The size of each set, records without a set first.
    pub(crate) fn usage(&self) -> Vec<SetUsage> {
        let mut usage = vec![SetUsage::default()];
        {
            let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
            let names = sets.names.iter();
            usage.extend(names.map(|name| SetUsage { name: name.to_vec(), ..SetUsage::default() }));
            for (&number, &until) in &sets.truncated {
                usage[usize::from(number)].truncated = until;
            }
        }
        for shard in &self.shards {
            for record in shard.read().unwrap_or_else(PoisonError::into_inner).records() {
                // Records of a set that was created after the names were copied are not counted.
                if let Some(set) = usage.get_mut(usize::from(record.set)) {
                    set.objects += 1;
                    set.bytes += record.size() as u64;
                }
            }
        }
        usage
    }

    /// Removes the records of a set, or of the namespace, that were last written before `before`, and sets
    /// the time up to which it is truncated to `until`, unless a later time is set. Both times are in
    /// milliseconds.
    pub(crate) fn truncate(&self, set: Option<&[u8]>, before: u64, until: u64) {
        let Some(number) = self.truncation_key(set) else {
            return;
        };
        {
            let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
            let truncated = sets.truncated.entry(number).or_default();
            *truncated = until.max(*truncated);
        }
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, record| record.last_update >= before || number != 0 && record.set != number);
        }
    }

    /// Sets the time up to which a set or the namespace is truncated. Removes no records.
    pub(crate) fn set_truncated(&self, set: Option<&[u8]>, until: u64) {
        if let Some(number) = self.truncation_key(set) {
            self.sets.write().unwrap_or_else(PoisonError::into_inner).truncated.insert(number, until);
        }
    }

    /// The key of a set or of the namespace in `Sets::truncated`; `None` for a set that does not exist.
    fn truncation_key(&self, set: Option<&[u8]>) -> Option<u16> {
        set.map_or(Some(0), |name| self.known_set(name))
    }

    /// The number of a set that exists; 0 for an empty name.
    #[inline]
    pub(crate) fn known_set(&self, name: &[u8]) -> Option<u16> {
        if name.is_empty() {
            return Some(0);
        }
        self.sets.read().unwrap_or_else(PoisonError::into_inner).numbers.get(name).copied()
    }

    /// Removes all records of these partitions.
    pub(crate) fn remove_partitions(&self, partitions: &PartitionBitmap) {
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).remove_partitions(partitions);
        }
    }

    /// The shard of a partition, locked for reading.
    pub(crate) fn shard(&self, partition: usize) -> RwLockReadGuard<'_, Shard> {
        self.shards[partition % SHARDS].read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates an index, which has to be [built](Namespace::build_index) then.
    pub(crate) fn create_index(&self, name: &str, text: Option<&str>, definition: Definition) -> Creation {
        self.indexes.create(name, text, definition)
    }

    /// Builds the next shard of an index, and makes the index ready after the last one. Returns the build while it has
    /// more to do.
    pub(crate) fn build_index(&self, mut build: Build, shard: usize) -> Option<Build> {
        let index = Arc::clone(&build.index);
        {
            let shard = self.shards.get(shard)?;
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            // Checked with the lock: `drop_index` marks the index before it comes to the shard.
            if index.is_dropped() {
                return None;
            }
            let records = shard.build_index(&index, SHARDS);
            let entries = shard.trees(&index).into_iter().flat_map(Trees::entries);
            build.add_shard(records, entries.map(|entry| entry.key.to_wire(index.definition.kind)));
        }
        if shard + 1 < SHARDS {
            return Some(build);
        }
        build.finish();
        None
    }

    /// Drops an index, if it exists.
    pub(crate) fn drop_index(&self, name: &str) {
        if let Some(index) = self.indexes.drop(name) {
            for shard in &self.shards {
                shard.write().unwrap_or_else(PoisonError::into_inner).drop_index(&index);
            }
        }
    }

    /// The number of entries of an index in each partition, in no particular order.
    pub(crate) fn index_sizes(&self, index: &Arc<Index>) -> Vec<usize> {
        let sizes = |shard: &RwLock<Shard>| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.trees(index).map(|trees| trees.sizes().collect::<Vec<_>>()).unwrap_or_default()
        };
        self.shards.iter().flat_map(sizes).collect()
    }

    /// The number of records, including expired ones that have not been swept.
    pub(crate) fn record_count(&self) -> usize {
        let count = |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).len();
        self.shards.iter().map(count).sum()
    }

    /// Frees expired records and returns their number.
    pub(crate) fn sweep(&self, now: u32) -> usize {
        let mut freed = 0;
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            freed += shard.retain(|_, record| !record.is_expired(now));
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::store::Store;

    fn record(set: u16, void_time: u32) -> Record {
        Record {
            generation: 1,
            void_time,
            last_update: 0,
            set,
            n_bins: 0,
            has_index: false,
            bins: Box::default(),
            key: None,
        }
    }

    #[test]
    fn expired_records_are_swept() {
        let store = Store::new(&Config::default());
        let test = store.namespace(b"test").unwrap();
        assert!(store.namespace(b"nowhere").is_none());
        let set = test.set_number(b"set").unwrap();
        assert_eq!((set, test.set_number(b"set"), test.set_number(b"")), (1, Some(1), Some(0)));
        for i in 0..1000u16 {
            let mut digest = [0; 20];
            digest[..2].copy_from_slice(&i.to_le_bytes());
            test.write(&digest).insert(&digest, record(set, if i < 600 { 10 } else { 0 }));
        }
        assert_eq!(test.usage()[1].objects, 1000);
        assert_eq!(test.sweep(10), 0);
        assert_eq!(test.sweep(11), 600);
        assert_eq!((test.usage()[0].objects, test.usage()[1].objects), (0, 400));
        assert_eq!(store.namespace(b"bar").unwrap().usage().len(), 1);
    }

    #[test]
    fn records_of_removed_partitions_are_gone() {
        let store = Store::new(&Config::default());
        let test = &store.namespaces[0];
        for partition in 0..1000u16 {
            let mut digest = [0; 20];
            digest[..2].copy_from_slice(&partition.to_le_bytes());
            test.write(&digest).insert(&digest, record(0, 0));
        }
        test.remove_partitions(&PartitionBitmap::of(990..2000));
        assert_eq!(test.usage()[0].objects, 990);
    }

    #[test]
    fn the_number_of_sets_is_bounded() {
        let store = Store::new(&Config::default());
        let test = &store.namespaces[0];
        for i in 0..MAX_SETS {
            assert!(test.set_number(format!("set{i}").as_bytes()).is_some());
        }
        assert_eq!(test.set_number(b"one more"), None);
        assert_eq!(test.set_number(b"set7"), Some(8));
    }
}
