//! The records of all namespaces.
//!
//! All nodes of a server share one store: a cluster whose replicas are always in step.

pub(crate) mod record;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::info::PartitionBitmap;

use crate::config::Config;
use crate::state::clock::Clock;
use crate::state::store::record::Record;

/// Shards of a namespace. Commands on records of different shards do not wait for each other.
const SHARDS: usize = 256;

/// Most sets of a namespace, the real server's limit.
const MAX_SETS: usize = 4095;

/// A digest as a key of a hash table: it is a hash already, so eight of its bytes will do.
#[derive(Clone, Copy, PartialEq, Eq)]
struct IndexKey(Digest);

impl Hash for IndexKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The bytes before these choose partition and shard: within one they hardly differ.
        let mut eight = [0; 8];
        eight.copy_from_slice(&self.0[4..12]);
        state.write_u64(u64::from_le_bytes(eight));
    }
}

/// Scrambles with a secret number: digests can be chosen by a client, and must not be able to collide at
/// its will.
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

/// Some of a namespace's records.
pub(crate) struct Shard(HashMap<IndexKey, Record, IndexHasher>);

impl Shard {
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
}

/// Names of sets and their numbers; number 0 is no set.
#[derive(Default)]
struct Sets {
    names: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, u16>,
    /// Up to when the sets and, by number 0, the namespace were truncated, in milliseconds.
    truncated: HashMap<u16, u64>,
}

/// What a set holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetUsage {
    /// The set's name; empty for records without one.
    pub(crate) name: Vec<u8>,
    /// Records, expired ones that were not swept yet among them.
    pub(crate) objects: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Up to when it was truncated, in milliseconds; 0 = never. For records without a set: the namespace.
    pub(crate) truncated: u64,
}

/// A namespace.
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) default_ttl: u32,
    pub(crate) max_record_size: usize,
    pub(crate) any_map_keys: bool,
    shards: Box<[RwLock<Shard>]>,
    sets: RwLock<Sets>,
}

impl Namespace {
    fn new(name: &str, config: &Config) -> Self {
        let secret = RandomState::new().hash_one(name);
        Self {
            name: name.into(),
            default_ttl: config.default_ttl,
            max_record_size: config.max_record_size,
            any_map_keys: config.any_map_keys,
            shards: (0..SHARDS)
                .map(|_| RwLock::new(Shard(HashMap::with_hasher(IndexHasher(secret)))))
                .collect(),
            sets: RwLock::default(),
        }
    }

    /// The shard of a record, to read from.
    #[inline]
    pub(crate) fn read(&self, digest: &Digest) -> RwLockReadGuard<'_, Shard> {
        // Nothing panics while it holds a shard, and a record is changed in one step.
        self.shards[partition_id(digest) % SHARDS].read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard of a record, to change it.
    pub(crate) fn write(&self, digest: &Digest) -> RwLockWriteGuard<'_, Shard> {
        self.shards[partition_id(digest) % SHARDS].write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a set, a new one if it is new; `None` when there are too many.
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

    /// The name of a set that was written to.
    pub(crate) fn set_name(&self, number: u16) -> Box<[u8]> {
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        usize::from(number).checked_sub(1).and_then(|at| sets.names.get(at)).cloned().unwrap_or_default()
    }

    /// The digests of a partition's records that are wanted, in no order.
    pub(crate) fn digests(&self, partition: usize, is_wanted: impl Fn(&Record) -> bool) -> Vec<Digest> {
        let shard = self.shards[partition % SHARDS].read().unwrap_or_else(PoisonError::into_inner);
        let of_partition = shard.0.iter().filter(|(IndexKey(digest), _)| partition_id(digest) == partition);
        of_partition.filter(|(_, record)| is_wanted(record)).map(|(IndexKey(digest), _)| *digest).collect()
    }

    /// What each set holds, records without a set first.
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
            for record in shard.read().unwrap_or_else(PoisonError::into_inner).0.values() {
                // A set made after the names were copied is missing from this count, as it was a moment ago.
                if let Some(set) = usage.get_mut(usize::from(record.set)) {
                    set.objects += 1;
                    set.bytes += record.size() as u64;
                }
            }
        }
        usage
    }

    /// Forgets the records of a set, or all of them, that were written before a time in milliseconds, and
    /// notes until when that was.
    pub(crate) fn truncate(&self, set: Option<&[u8]>, before: u64, until: u64) {
        let Some(number) = self.truncated_number(set) else {
            return;
        };
        {
            let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
            let truncated = sets.truncated.entry(number).or_default();
            *truncated = until.max(*truncated);
        }
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.0.retain(|_, record| record.last_update >= before || number != 0 && record.set != number);
            if shard.0.len() < shard.0.capacity() / 4 {
                shard.0.shrink_to_fit();
            }
        }
    }

    /// Notes until when a set, or all of the namespace, was truncated.
    pub(crate) fn set_truncated(&self, set: Option<&[u8]>, until: u64) {
        if let Some(number) = self.truncated_number(set) {
            self.sets.write().unwrap_or_else(PoisonError::into_inner).truncated.insert(number, until);
        }
    }

    /// The number under which a truncation is noted; `None` for a set that is not there.
    fn truncated_number(&self, set: Option<&[u8]>) -> Option<u16> {
        set.map_or(Some(0), |name| self.known_set(name))
    }

    /// The number of a set that has been written to; 0 is no set.
    #[inline]
    pub(crate) fn known_set(&self, name: &[u8]) -> Option<u16> {
        if name.is_empty() {
            return Some(0);
        }
        self.sets.read().unwrap_or_else(PoisonError::into_inner).numbers.get(name).copied()
    }

    /// Forgets all records of these partitions.
    pub(crate) fn lose(&self, partitions: &PartitionBitmap) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.0.retain(|IndexKey(digest), _| !partitions.contains(partition_id(digest)));
        }
    }

    /// Frees what has expired; returns how many records that were.
    pub(crate) fn sweep(&self, now: u32) -> usize {
        let mut freed = 0;
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let before = shard.0.len();
            shard.0.retain(|_, record| !record.is_expired(now));
            freed += before - shard.0.len();
            if shard.0.len() < shard.0.capacity() / 4 {
                shard.0.shrink_to_fit();
            }
        }
        freed
    }
}

/// All namespaces, and the clock that they live by.
pub(crate) struct Store {
    pub(crate) namespaces: Vec<Namespace>,
    pub(crate) clock: Clock,
    pub(crate) batch_max_requests: u32,
    pub(crate) sweep_period: u32,
    pub(crate) compression: bool,
}

impl Store {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            namespaces: config.namespaces.iter().map(|name| Namespace::new(name, config)).collect(),
            clock: Clock::default(),
            batch_max_requests: config.batch_max_requests,
            sweep_period: config.sweep_period,
            compression: config.compression,
        }
    }

    #[inline]
    pub(crate) fn namespace(&self, name: &[u8]) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.name.as_bytes() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(set: u16, void_time: u32) -> Record {
        Record { generation: 1, void_time, last_update: 0, set, n_bins: 0, bins: Box::default(), key: None }
    }

    #[test]
    fn records_live_in_shards_until_swept() {
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
    fn records_of_lost_partitions_are_gone() {
        let store = Store::new(&Config::default());
        let test = &store.namespaces[0];
        for partition in 0..1000u16 {
            let mut digest = [0; 20];
            digest[..2].copy_from_slice(&partition.to_le_bytes());
            test.write(&digest).insert(&digest, record(0, 0));
        }
        test.lose(&PartitionBitmap::of(990..2000));
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
