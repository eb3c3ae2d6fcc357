//! Which partitions a node holds, as its connections look it up for each row.

use std::sync::atomic::{AtomicU64, Ordering};

use wire_protocol::digest::{Digest, PARTITIONS, partition_id};
use wire_protocol::message::{info2, info3};

use crate::command::operations::Flags;

/// A set of partitions that is read while it changes.
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

/// Who serves a command on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The node that was asked.
    Here,
    /// Another node: the one that was asked passes the command on.
    PassedOn,
    /// None: the partition is unavailable.
    Nowhere,
}

/// A node's partitions at this moment.
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

    /// Takes over what is so now: a node's place in each partition, and the partitions of nobody.
    pub(crate) fn set(&self, place: impl Fn(usize) -> Option<usize>, is_unavailable: impl Fn(usize) -> bool) {
        self.master.set(|partition| place(partition) == Some(0));
        self.held.set(|partition| place(partition).is_some());
        self.unavailable.set(is_unavailable);
    }

    #[inline]
    pub(crate) fn route(&self, digest: &Digest, flags: Flags) -> Route {
        self.route_partition(partition_id(digest), flags)
    }

    /// Whether the node itself answers a query for a partition: nobody passes those on.
    pub(crate) fn serves(&self, partition: usize, flags: Flags) -> bool {
        self.route_partition(partition, flags) == Route::Here
    }

    #[inline]
    fn route_partition(&self, partition: usize, flags: Flags) -> Route {
        if self.is_strong {
            return self.strong_route(partition, flags);
        }
        if self.held.contains(partition) { Route::Here } else { Route::PassedOn }
    }

    /// With strong consistency the master alone answers, unless the client is content with less.
    fn strong_route(&self, partition: usize, flags: Flags) -> Route {
        const UNAVAILABLE_TOO: u8 = info3::SC_READ_TYPE | info3::SC_READ_RELAX;
        let relax = if flags.info2 & info2::WRITE == 0 { flags.info3 & UNAVAILABLE_TOO } else { 0 };
        if relax != UNAVAILABLE_TOO && self.unavailable.contains(partition) {
            return Route::Nowhere;
        }
        let own = if relax & info3::SC_READ_RELAX != 0 { &self.held } else { &self.master };
        if own.contains(partition) { Route::Here } else { Route::PassedOn }
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

    /// Partitions 0 to 9 are its own, it holds those up to 19, and 30 on have nobody.
    fn ownership(is_strong: bool) -> Ownership {
        let ownership = Ownership::new(is_strong);
        ownership.set(|p| (p < 20).then_some(p / 10), |p| p >= 30);
        ownership
    }

    #[test]
    fn a_holder_answers() {
        let ownership = ownership(false);
        let routes = [0, 9, 10, 19, 20, 63, 64, 4095].map(|p| ownership.route(&digest(p), flags(0, 0)));
        use Route::{Here, PassedOn};
        assert_eq!(routes, [Here, Here, Here, Here, PassedOn, PassedOn, PassedOn, PassedOn]);
    }

    #[test]
    fn with_strong_consistency_the_master_answers() {
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
