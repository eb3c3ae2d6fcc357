//! Policies: how commands are carried out. Names and defaults are the official client's.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire_protocol::batch::RowAttributes;
use wire_protocol::command::{Exists, Generation};
use wire_protocol::message::{info1, info3};
use wire_protocol::query::QueryDuration;

use crate::transaction::Transaction;

/// Which replica of a partition a command is sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Replica {
    /// Always the master.
    Master,
    /// Any replica, round robin.
    Any,
    /// The master first, then one replica after the other.
    #[default]
    Sequence,
    /// A replica on the nearest of the configured racks first, then others.
    PreferRack,
}

/// When a read that has no answer yet is sent to another node as well. The first answer counts.
///
/// A request is hedged at most once, and at most one request in ten is. A read is never hedged where only the
/// master may answer: with [`Replica::Master`], and in strongly consistent namespaces without relaxed reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hedge {
    /// After a multiple of the time that the node usually takes.
    #[default]
    Adaptive,
    /// After a fixed time.
    After(Duration),
    /// Never.
    Off,
}

/// How many replicas a read in an available (AP) namespace consults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReadModeAp {
    /// One replica.
    #[default]
    One,
    /// All replicas while partitions migrate.
    All,
}

/// What a read in a strongly consistent (SC) namespace may return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReadModeSc {
    /// Nothing older than what this client has seen.
    #[default]
    Session,
    /// Nothing older than what any client has seen.
    Linearize,
    /// Possibly a replica's older state.
    AllowReplica,
    /// Possibly the state of an unavailable partition.
    AllowUnavailable,
}

/// Limits on a command's time and retries, and how its requests are sent. Part of every policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for the whole command; zero is no limit. `None` is the command's default: one second for a single
    /// record, one second plus 10 µs per key for a batch, no limit for a query.
    pub total_timeout: Option<Duration>,
    /// Time that a connection may make no progress, capped by the total timeout; zero is no limit.
    ///
    /// A server gives a query up when its records are not read for as long. The client then continues the query
    /// once they are.
    pub socket_timeout: Duration,
    /// How often a failed request is sent again. A write that is sent again may be applied twice.
    pub max_retries: u32,
    /// Time before a retry. The first retry does not wait if it goes to another node.
    pub sleep_between_retries: Duration,
    /// Which replica requests are sent to. A replica that is not the master forwards writes to it.
    pub replica: Replica,
    /// A filter expression in the server's encoding; empty for none.
    pub filter: Vec<u8>,
    /// Compress requests of more than 128 bytes and accept compressed answers. This needs a server of the
    /// Enterprise Edition; others refuse such requests with code 25.
    pub compress: bool,
    /// The transaction that the command is part of. Queries refuse one.
    pub transaction: Option<Arc<Transaction>>,
}

/// What a read may return, and when it is hedged. Part of every policy that has reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// For available namespaces.
    pub mode_ap: ReadModeAp,
    /// For strongly consistent namespaces.
    pub mode_sc: ReadModeSc,
    /// Extend a record's time to live when less than this percentage of it is left. 0 uses the server's setting,
    /// -1 never extends it.
    pub touch_ttl_percent: i32,
    /// When a read is sent to another node as well.
    pub hedge: Hedge,
}

/// How a batch is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPolicy {
    pub limits: Limits,
    pub reads: Reads,
    /// Whether the server may read records in memory on the thread that received the request.
    pub allow_inline: bool,
    /// The same for records on SSD.
    pub allow_inline_ssd: bool,
    /// Whether the server continues after a row that fails.
    pub respond_all_keys: bool,
}

/// How a single record is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadPolicy {
    pub limits: Limits,
    pub reads: Reads,
}

/// How a single record is written or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritePolicy {
    pub limits: Limits,
    /// Whether the write applies, by the record's existence.
    pub exists: Exists,
    /// Whether the write applies, by the record's generation.
    pub generation: Generation,
    /// Seconds to live; 0 is the namespace's default, 2^32-1 never expires, 2^32-2 leaves it unchanged.
    pub ttl: u32,
    /// Commit on the master alone.
    pub commit_master: bool,
    /// Leave a tombstone when the record is deleted.
    pub durable_delete: bool,
    /// Fail if the command's transaction has written the record before.
    pub on_locking_only: bool,
}

/// How operations on a record are carried out.
///
/// If all operations read, only the limits of `write` are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatePolicy {
    pub write: WritePolicy,
    /// `touch_ttl_percent` and `hedge` are used only if all operations read.
    pub reads: Reads,
    /// Whether the server answers each operation, also those without a result.
    pub responds_to_all: bool,
}

/// How a query is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPolicy {
    /// The total timeout includes the time that the caller takes to use the records.
    pub limits: Limits,
    /// How long the query is expected to take.
    pub duration: QueryDuration,
    /// Nodes that are queried at the same time; 0 for all.
    pub max_concurrent_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_timeout: None,
            socket_timeout: Duration::from_secs(30),
            max_retries: 2,
            sleep_between_retries: Duration::ZERO,
            replica: Replica::default(),
            filter: Vec::new(),
            compress: false,
            transaction: None,
        }
    }
}

impl Default for BatchPolicy {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            reads: Reads::default(),
            allow_inline: true,
            allow_inline_ssd: false,
            respond_all_keys: true,
        }
    }
}

impl Default for WritePolicy {
    fn default() -> Self {
        Self {
            limits: Limits { max_retries: 0, ..Limits::default() },
            exists: Exists::default(),
            generation: Generation::default(),
            ttl: 0,
            commit_master: false,
            durable_delete: false,
            on_locking_only: false,
        }
    }
}

impl Default for QueryPolicy {
    fn default() -> Self {
        Self {
            limits: Limits { max_retries: 5, ..Limits::default() },
            duration: QueryDuration::default(),
            max_concurrent_nodes: 0,
        }
    }
}

impl Limits {
    /// When a command that began at `start` has to end; `default` is its total timeout where none is set.
    pub(crate) fn deadline(&self, start: Instant, default: Duration) -> Option<Instant> {
        let limit = self.total_timeout.unwrap_or(default);
        if limit.is_zero() { None } else { start.checked_add(limit) }
    }

    /// The bit of the first info byte that asks for compressed answers.
    pub(crate) fn info1(&self) -> u8 {
        if self.compress { info1::COMPRESS_RESPONSE } else { 0 }
    }
}

impl Reads {
    pub(crate) fn info1(&self) -> u8 {
        match self.mode_ap {
            ReadModeAp::One => 0,
            ReadModeAp::All => info1::READ_MODE_AP_ALL,
        }
    }

    pub(crate) fn info3(&self) -> u8 {
        match self.mode_sc {
            ReadModeSc::Session => 0,
            ReadModeSc::Linearize => info3::SC_READ_TYPE,
            ReadModeSc::AllowReplica => info3::SC_READ_RELAX,
            ReadModeSc::AllowUnavailable => info3::SC_READ_TYPE | info3::SC_READ_RELAX,
        }
    }

    /// The header of a batch row that only reads; `info1` are further bits for the first info byte.
    #[must_use]
    pub fn row_attributes(&self, info1: u8) -> RowAttributes<'static> {
        RowAttributes::read(info1 | self.info1(), self.info3(), self.touch_ttl_percent as u32, &[])
    }
}

impl BatchPolicy {
    /// The time for a batch of so many rows; zero is no limit.
    #[must_use]
    pub fn total_timeout(&self, rows: usize) -> Duration {
        self.limits.total_timeout.unwrap_or_else(|| batch_timeout(rows))
    }
}

/// The default total timeout of a command on a single record.
pub(crate) const SINGLE_TIMEOUT: Duration = Duration::from_secs(1);

/// The default total timeout of a batch of so many rows.
pub(crate) fn batch_timeout(rows: usize) -> Duration {
    Duration::from_secs(1) + Duration::from_micros(10).saturating_mul(rows as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_grows_with_the_batch_unless_set() {
        let start = Instant::now();
        let time = |limits: &Limits, rows| {
            limits.deadline(start, batch_timeout(rows)).map(|deadline| deadline - start)
        };
        let limits = Limits::default();
        assert_eq!(time(&limits, 0), Some(Duration::from_secs(1)));
        assert_eq!(time(&limits, 1_000_000), Some(Duration::from_secs(11)));
        let set = |limit| Limits { total_timeout: Some(limit), ..Limits::default() };
        assert_eq!(time(&set(Duration::ZERO), 10), None);
        assert_eq!(time(&set(Duration::from_millis(5)), 10), Some(Duration::from_millis(5)));
    }
}
