//! Which partitions a node serves. Its connections look this up for each row, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use wire_protocol::digest::{Digest, PARTITIONS, partition_id};
use wire_protocol::message::{info2, info3};

use crate::protocol::flags::Flags;

/// A set of partitions that can be read while it changes. A reader may see some partitions from before a
/// change and others from after it.
struct PartitionSet([AtomicU64; PARTITIONS / 64]);

impl PartitionSet {
    fn new() -> Self {
        Self([const { AtomicU64::new(0) }; PARTITIONS / 64])
    }

    #[inline]
    fn contains(&self, partition: usize) -> bool {
        self.0
            .get(partition / 64)
            .is_some_and(|word| word.load(Ordering::Relaxed) >> (partition % 64) & 1 != 0)
    }

    fn set(&self, contains: impl Fn(usize) -> bool) {
        for (index, word) in self.0.iter().enumerate() {
            let bits = (0..64).fold(0, |bits, bit| bits | u64::from(contains(index * 64 + bit)) << bit);
            word.store(bits, Ordering::Relaxed);
        }
    }
}

/// Which node serves a command on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The node that received it.
    Here,
    /// Another node, to which the node that received the command passes it on.
    PassedOn,
    /// No node: the partition is unavailable.
    Nowhere,
}

/// The partitions of a node.
pub(crate) struct Ownership {
    is_strong: bool,
    master: PartitionSet,
    held: PartitionSet,
    unavailable: PartitionSet,
}

impl Ownership {
    pub(crate) fn new(is_strong: bool) -> Self {
        let [master, held, unavailable] = [(); 3].map(|()| PartitionSet::new());
        Self { is_strong, master, held, unavailable }
    }

    /// Replaces everything. `replica_index` is 0 for the master of a partition and `None` for a node without
    /// a replica.
    pub(crate) fn set(
        &self,
        replica_index: impl Fn(usize) -> Option<usize>,
        is_unavailable: impl Fn(usize) -> bool,
    ) {
        self.master.set(|partition| replica_index(partition) == Some(0));
        self.held.set(|partition| replica_index(partition).is_some());
        self.unavailable.set(is_unavailable);
    }

    #[inline]
    pub(crate) fn route(&self, digest: &Digest, flags: Flags) -> Route {
        self.route_partition(partition_id(digest), flags)
    }

    /// Whether the node itself serves a query for a partition. Queries are not passed on.
    pub(crate) fn serves(&self, partition: usize, flags: Flags) -> bool {
        self.route_partition(partition, flags) == Route::Here
    }

    /// Whether the node is the master of a partition, and alone writes to it.
    pub(crate) fn is_master(&self, partition: usize) -> bool {
        self.master.contains(partition) && !(self.is_strong && self.unavailable.contains(partition))
    }

    #[inline]
    fn route_partition(&self, partition: usize, flags: Flags) -> Route {
        if self.is_strong {
            return self.strong_route(partition, flags);
        }
        if self.held.contains(partition) { Route::Here } else { Route::PassedOn }
    }

    /// With strong consistency only the master answers, unless a read is relaxed. A relaxed read may be
    /// served by any replica or, with both flags set, even if the partition is unavailable.
    fn strong_route(&self, partition: usize, flags: Flags) -> Route {
        const UNAVAILABLE_TOO: u8 = info3::SC_READ_TYPE | info3::SC_READ_RELAX;
        let relax = if flags.info2 & info2::WRITE == 0 { flags.info3 & UNAVAILABLE_TOO } else { 0 };
        if relax != UNAVAILABLE_TOO && self.unavailable.contains(partition) {
            return Route::Nowhere;
        }
        let served = if relax & info3::SC_READ_RELAX != 0 { &self.held } else { &self.master };
        if served.contains(partition) { Route::Here } else { Route::PassedOn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(partition: u16) -> Digest {
        let mut digest = [7; 20];
        digest[..2].copy_from_slice(&(partition | 0xf000).to_le_bytes());
        digest
    }

    fn flags(info2: u8, info3: u8) -> Flags {
        Flags { info1: 0, info2, info3 }
    }

    /// The node is master of partitions 0 to 9 and holds a replica of 10 to 19. Those from 30 are
    /// unavailable.
    fn ownership(is_strong: bool) -> Ownership {
        let ownership = Ownership::new(is_strong);
        ownership.set(|p| (p < 20).then_some(p / 10), |p| p >= 30);
        ownership
    }

    #[test]
    fn any_replica_answers() {
        let ownership = ownership(false);
        let routes = [0, 9, 10, 19, 20, 63, 64, 4095].map(|p| ownership.route(&digest(p), flags(0, 0)));
        use Route::{Here, PassedOn};
        assert_eq!(routes, [Here, Here, Here, Here, PassedOn, PassedOn, PassedOn, PassedOn]);
    }

    #[test]
    fn with_strong_consistency_only_the_master_answers() {
        use Route::{Here, Nowhere, PassedOn};
        let ownership = ownership(true);
        let routes = |flags| [5, 15, 25, 35].map(|p| ownership.route(&digest(p), flags));
        let linearize = flags(0, info3::SC_READ_TYPE);
        let replica = flags(0, info3::SC_READ_RELAX);
        let unavailable = flags(0, info3::SC_READ_TYPE | info3::SC_READ_RELAX);
        let write = flags(info2::WRITE, info3::SC_READ_TYPE | info3::SC_READ_RELAX);
        assert_eq!(routes(flags(0, 0)), [Here, PassedOn, PassedOn, Nowhere]);
        assert_eq!(routes(linearize), [Here, PassedOn, PassedOn, Nowhere]);
        assert_eq!(routes(replica), [Here, Here, PassedOn, Nowhere]);
        assert_eq!(routes(unavailable), [Here, Here, PassedOn, PassedOn]);
        assert_eq!(routes(write), [Here, PassedOn, PassedOn, Nowhere]);
    }
}
