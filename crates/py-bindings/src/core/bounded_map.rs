//! A map for what a client learns by the way: when it is full, it forgets everything.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// A map of at most `MOST` entries.
pub(super) struct BoundedMap<K, V, const MOST: usize>(HashMap<K, V>);

impl<K, V, const MOST: usize> Default for BoundedMap<K, V, MOST> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V, const MOST: usize> BoundedMap<K, V, MOST> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// The entry of a key. If it is new and the map is full, all others are removed first.
    pub(super) fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.clear();
        }
        self.0.entry(key)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
