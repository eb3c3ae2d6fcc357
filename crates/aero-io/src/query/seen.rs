//! The records that a query has delivered, where nodes may return a record repeatedly.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use wire_protocol::digest::{Digest, partition_id};

/// The records that a query has delivered, by partition. An index on the elements of a list or map has several entries
/// for a record, and a node returns the record for each of them, unless they are close to each other.
#[derive(Debug, Default)]
pub(crate) struct SeenRecords(Mutex<HashMap<u16, HashSet<Digest>>>);

impl SeenRecords {
    /// Calls `deliver` for a record that was not delivered yet. True if it was delivered now, false if it was before;
    /// `None` if it cannot be delivered now.
    pub(super) fn deliver(&self, digest: &Digest, deliver: impl FnOnce() -> bool) -> Option<bool> {
        let mut partitions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let records = partitions.entry(partition_id(digest) as u16).or_default();
        if records.contains(digest) {
            return Some(false);
        }
        if !deliver() {
            return None;
        }
        records.insert(*digest);
        Some(true)
    }

    /// Drops the records of partitions that are complete.
    pub(super) fn forget(&self, partitions: &[u16]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in partitions {
            seen.remove(partition);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_delivered_once() {
        let seen = SeenRecords::default();
        let (one, other) = ([1; 20], [2; 20]);
        assert_eq!(seen.deliver(&one, || false), None);
        assert_eq!(seen.deliver(&one, || true), Some(true));
        assert_eq!(seen.deliver(&one, || panic!("it was delivered")), Some(false));
        assert_eq!(seen.deliver(&other, || true), Some(true));
        seen.forget(&[partition_id(&one) as u16]);
        assert_eq!(seen.deliver(&one, || true), Some(true));
        assert_eq!(seen.deliver(&other, || true), Some(false));
    }
}
