//! How commands are carried out: names and defaults are the official client's.

use std::time::Duration;

use wire_protocol::batch::RowAttributes;
use wire_protocol::command::{Exists, Generation};
use wire_protocol::message::{info1, info3};
use wire_protocol::query::QueryDuration;

/// Which replica of a partition is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Replica {
    /// The master, always.
    Master,
    /// Any, in turns.
    Any,
    /// The master first, then one replica after the other.
    #[default]
    Sequence,
    /// One on the nearest of the cluster's configured racks, then others.
    PreferRack,
}

/// When a read that has no answer yet is asked for at another node as well; the first answer counts.
///
/// It happens once for a request, at most for every tenth one, and never where the master alone may
/// answer: [`Replica::Master`], and strongly consistent namespaces without relaxed reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hedge {
    /// After a multiple of the time that the node usually takes.
    #[default]
    Adaptive,
    /// After this time.
    After(Duration),
    /// Never.
    Off,
}

/// How many replicas a read in an available namespace consults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReadModeAp {
    /// One.
    #[default]
    One,
    /// All of them while partitions move.
    All,
}

/// What a read in a strongly consistent namespace may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReadModeSc {
    /// Nothing older than this client saw before.
    #[default]
    Session,
    /// Nothing older than any client saw before.
    Linearize,
    /// Possibly a replica's older state.
    AllowReplica,
    /// Possibly the state of an unavailable partition.
    AllowUnavailable,
}

impl ReadModeAp {
    pub(crate) fn info1(self) -> u8 {
        match self {
            Self::One => 0,
            Self::All => info1::READ_MODE_AP_ALL,
        }
    }
}

impl ReadModeSc {
    pub(crate) fn info3(self) -> u8 {
        match self {
            Self::Session => 0,
            Self::Linearize => info3::SC_READ_TYPE,
            Self::AllowReplica => info3::SC_READ_RELAX,
            Self::AllowUnavailable => info3::SC_READ_TYPE | info3::SC_READ_RELAX,
        }
    }
}

/// How a batch read is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPolicy {
    /// Time for the whole call. `None` is one second and one more for every 100,000 keys; zero is no
    /// limit.
    pub total_timeout: Option<Duration>,
    /// Time that a connection may make no progress for, capped by the total; zero is no limit.
    pub socket_timeout: Duration,
    /// Times that an unanswered row is asked again.
    pub max_retries: u32,
    /// Time before a row is asked again; the first time at once where another node is asked.
    pub sleep_between_retries: Duration,
    /// Whether the server may read records in memory on the thread that received the request.
    pub allow_inline: bool,
    /// The same for records on SSD.
    pub allow_inline_ssd: bool,
    /// Whether the server goes on after a row that fails.
    pub respond_all_keys: bool,
    /// Which replica is asked.
    pub replica: Replica,
    /// For available namespaces.
    pub read_mode_ap: ReadModeAp,
    /// For strongly consistent namespaces.
    pub read_mode_sc: ReadModeSc,
    /// Time to live to set on read in percent of the record's own; 0 is the server's setting, -1 never.
    pub read_touch_ttl_percent: i32,
    /// A filter expression as the server takes it; empty for none.
    pub filter: Vec<u8>,
    /// Requests of more than 128 bytes are sent compressed, and answers may be. The server's Enterprise
    /// Edition takes such requests; others refuse them with code 25.
    pub compress: bool,
    /// When another node is asked as well.
    pub hedge: Hedge,
}

impl Default for BatchPolicy {
    fn default() -> Self {
        Self {
            total_timeout: None,
            socket_timeout: Duration::from_secs(30),
            max_retries: 2,
            sleep_between_retries: Duration::ZERO,
            allow_inline: true,
            allow_inline_ssd: false,
            respond_all_keys: true,
            replica: Replica::default(),
            read_mode_ap: ReadModeAp::default(),
            read_mode_sc: ReadModeSc::default(),
            read_touch_ttl_percent: 0,
            filter: Vec::new(),
            compress: false,
            hedge: Hedge::default(),
        }
    }
}

impl BatchPolicy {
    /// What a row that only reads has beside its operations: what the policy says of reads, and these bits for the
    /// first info byte.
    #[must_use]
    pub fn read_row(&self, info1: u8) -> RowAttributes<'static> {
        let touch = self.read_touch_ttl_percent as u32;
        RowAttributes::read(info1 | self.read_mode_ap.info1(), self.read_mode_sc.info3(), touch, &[])
    }

    /// The time that a call with `rows` keys may take.
    pub(crate) fn total_timeout_for(&self, rows: usize) -> Option<Duration> {
        match self.total_timeout {
            None => Some(Duration::from_secs(1) + Duration::from_micros(10).saturating_mul(rows as u32)),
            Some(Duration::ZERO) => None,
            limit => limit,
        }
    }
}

/// How a single record is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPolicy {
    /// Time for the whole call; zero is no limit.
    pub total_timeout: Duration,
    /// Time that a connection may make no progress for, capped by the total; zero is no limit.
    pub socket_timeout: Duration,
    /// Times that the record is asked for again.
    pub max_retries: u32,
    /// Time before it is asked for again; the first time at once where another node is asked.
    pub sleep_between_retries: Duration,
    /// Which replica is asked.
    pub replica: Replica,
    /// For available namespaces.
    pub read_mode_ap: ReadModeAp,
    /// For strongly consistent namespaces.
    pub read_mode_sc: ReadModeSc,
    /// Time to live to set on read in percent of the record's own; 0 is the server's setting, -1 never.
    pub read_touch_ttl_percent: i32,
    /// A filter expression as the server takes it; empty for none.
    pub filter: Vec<u8>,
    /// Requests of more than 128 bytes are sent compressed, and answers may be. The server's Enterprise
    /// Edition takes such requests; others refuse them with code 25.
    pub compress: bool,
    /// When another node is asked as well.
    pub hedge: Hedge,
}

impl Default for ReadPolicy {
    fn default() -> Self {
        Self {
            total_timeout: Duration::from_secs(1),
            socket_timeout: Duration::from_secs(30),
            max_retries: 2,
            sleep_between_retries: Duration::ZERO,
            replica: Replica::default(),
            read_mode_ap: ReadModeAp::default(),
            read_mode_sc: ReadModeSc::default(),
            read_touch_ttl_percent: 0,
            filter: Vec::new(),
            compress: false,
            hedge: Hedge::default(),
        }
    }
}

/// How a single record is written or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritePolicy {
    /// Time for the whole call; zero is no limit.
    pub total_timeout: Duration,
    /// Time that a connection may make no progress for, capped by the total; zero is no limit.
    pub socket_timeout: Duration,
    /// Times that the command is sent again. A write that is sent twice may be applied twice.
    pub max_retries: u32,
    /// Time before it is sent again.
    pub sleep_between_retries: Duration,
    /// Which replica it is sent to; one that is not the master passes it on.
    pub replica: Replica,
    /// Whether it applies, by the record's existence.
    pub exists: Exists,
    /// Whether it applies, by the record's generation.
    pub generation: Generation,
    /// Seconds to live; 0 is the namespace's default, 2^32-1 never, 2^32-2 leaves it.
    pub ttl: u32,
    /// Commit to the master alone.
    pub commit_master: bool,
    /// A deletion leaves a tombstone.
    pub durable_delete: bool,
    /// A filter expression as the server takes it; empty for none.
    pub filter: Vec<u8>,
    /// Requests of more than 128 bytes are sent compressed, and answers may be. The server's Enterprise
    /// Edition takes such requests; others refuse them with code 25.
    pub compress: bool,
}

impl Default for WritePolicy {
    fn default() -> Self {
        Self {
            total_timeout: Duration::from_secs(1),
            socket_timeout: Duration::from_secs(30),
            max_retries: 0,
            sleep_between_retries: Duration::ZERO,
            replica: Replica::default(),
            exists: Exists::default(),
            generation: Generation::default(),
            ttl: 0,
            commit_master: false,
            durable_delete: false,
            filter: Vec::new(),
            compress: false,
        }
    }
}

/// How operations on a record are carried out: as a write, and what their reads may see.
///
/// Where every operation reads, the write's own settings (existence, generation, time to live ...) are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatePolicy {
    /// Times, tries and what writes have.
    pub write: WritePolicy,
    /// For available namespaces.
    pub read_mode_ap: ReadModeAp,
    /// For strongly consistent namespaces.
    pub read_mode_sc: ReadModeSc,
    /// Where every operation reads: as [`ReadPolicy::read_touch_ttl_percent`].
    pub read_touch_ttl_percent: i32,
    /// Where every operation reads: when another node is asked as well.
    pub hedge: Hedge,
}

/// How a query is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPolicy {
    /// Time for the whole query, that of whoever uses its records included; zero is no limit.
    pub total_timeout: Duration,
    /// Time that a node may send nothing for; zero is no limit. A node gives a query up when nobody takes its
    /// records for as long; it is asked to go on when they are.
    pub socket_timeout: Duration,
    /// Times that a partition is asked for again.
    pub max_retries: u32,
    /// Time before that; the first time at once where another node is asked.
    pub sleep_between_retries: Duration,
    /// Which replica is asked.
    pub replica: Replica,
    /// How long it is expected to take.
    pub duration: QueryDuration,
    /// Nodes that are asked side by side; 0 for all.
    pub max_concurrent_nodes: usize,
    /// A filter expression as the server takes it; empty for none.
    pub filter: Vec<u8>,
    /// Requests of more than 128 bytes are sent compressed, and answers may be. The server's Enterprise
    /// Edition takes such requests; others refuse them with code 25.
    pub compress: bool,
}

impl Default for QueryPolicy {
    fn default() -> Self {
        Self {
            total_timeout: Duration::ZERO,
            socket_timeout: Duration::from_secs(30),
            max_retries: 5,
            sleep_between_retries: Duration::ZERO,
            replica: Replica::default(),
            duration: QueryDuration::default(),
            max_concurrent_nodes: 0,
            filter: Vec::new(),
            compress: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_the_batch_unless_set() {
        let policy = BatchPolicy::default();
        assert_eq!(policy.total_timeout_for(0), Some(Duration::from_secs(1)));
        assert_eq!(policy.total_timeout_for(1_000_000), Some(Duration::from_secs(11)));
        let set = |limit| BatchPolicy { total_timeout: Some(limit), ..BatchPolicy::default() };
        assert_eq!(set(Duration::ZERO).total_timeout_for(10), None);
        assert_eq!(set(Duration::from_millis(5)).total_timeout_for(10), Some(Duration::from_millis(5)));
    }
}
