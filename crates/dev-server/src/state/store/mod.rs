//! The records of all namespaces.
//!
//! All nodes of a server share one store, so the replicas of a partition are always identical. Records are in
//! shards (`shard`), each behind a lock of its own; the bins of a record are kept as the bytes of an answer
//! (`record`), and a write assembles them with a builder (`bins`). `index` has the secondary indexes.

pub(crate) mod bins;
pub(crate) mod index;
pub(crate) mod namespace;
pub(crate) mod record;
mod shard;

use crate::config::Config;
use crate::state::clock::Clock;
use crate::state::functions::Functions;
use crate::state::jobs::BackgroundQueries;
use crate::state::store::namespace::Namespace;

/// All namespaces, with the clock by which records expire and the limits that apply to all.
pub(crate) struct Store {
    pub(crate) namespaces: Vec<Namespace>,
    pub(crate) clock: Clock,
    /// The background queries that run on any node.
    pub(crate) background: BackgroundQueries,
    pub(crate) functions: Functions,
    pub(crate) batch_max_requests: u32,
    pub(crate) sweep_period: u32,
    pub(crate) compression: bool,
}

impl Store {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            namespaces: config.namespaces.iter().map(|name| Namespace::new(name, config)).collect(),
            clock: Clock::default(),
            background: BackgroundQueries::default(),
            functions: Functions::default(),
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
