//! The requests of one batch read that are under way, and who answers for which row.
//!
//! Every row that is not settled has one owner: a request under way, or a queue. Where a request is hedged, its
//! rows are handed over to the hedges; it stays under way and may still be the first to answer, but what
//! becomes of the rows when nobody answers is for the owner to settle. An owner that fails may hand rows back
//! to another request that has asked for them and may still answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::batch::call::BatchCall;
use crate::batch::chunk::Chunk;
use crate::batch::progress::Progress;
use crate::node::events::Event;
use crate::node::hedge;
use crate::policy::Replica;

/// Shortest time that a request is given before another is sent for its rows.
const MIN_OVERDUE: Duration = Duration::from_millis(1);

/// Time between two looks at a request that has no connection yet.
const CHECK_WAITING: Duration = Duration::from_millis(20);

/// A request under way.
pub(crate) struct InFlight {
    pub(crate) chunk: Arc<Chunk>,
    /// Tries that its rows had before, those at other nodes included.
    pub(crate) tries: u32,
    owned: Owned,
    /// How long it may take before something is done.
    pub(crate) overdue_after: Duration,
    /// When it is looked at next.
    pub(crate) check_at: Option<Instant>,
    /// Whether it took longer than `overdue_after`.
    pub(crate) is_overdue: bool,
    /// Whether another node may answer for it.
    pub(crate) may_move: bool,
    /// Whether its rows may be asked for elsewhere while it is under way.
    pub(crate) may_repeat: bool,
    /// Whether that may be done without being a retry.
    pub(crate) may_hedge: bool,
    /// Whether it is one of those that its node has too many of at some point.
    pub(crate) is_counted: bool,
}

/// The rows of a request that it answers for.
enum Owned {
    All,
    Some(HashSet<u32>),
}

impl InFlight {
    /// A request that begins now.
    pub(crate) fn begin<S>(call: &BatchCall<S>, chunk: Chunk) -> Self {
        let now = Instant::now();
        let policy = call.policy();
        if chunk.attempt.is_again {
            call.inner.count_retries(1);
            call.inner
                .connector
                .events
                .push_detail(|| Event::RowsRetried { node: chunk.node.as_named(), rows: chunk.rows().len() });
        }
        let (health, rows) = (&chunk.node.health, chunk.rows().len());
        let may_write = call.request.may_write();
        let hedge =
            hedge::delay(policy.reads.hedge, policy.limits.replica, health, rows).filter(|_| !may_write);
        let delay = hedge.unwrap_or_else(|| hedge::adaptive(health, rows));
        // A hedge that comes when half of the time left is over comes too late.
        let left = call.deadline.map(|deadline| deadline.saturating_duration_since(now) / 2);
        let overdue_after = left.map_or(delay, |left| delay.min(left)).max(MIN_OVERDUE);
        let may_move = policy.limits.replica != Replica::Master && !may_write;
        Self::new(Arc::new(chunk), overdue_after, may_move, hedge.is_some(), now)
    }

    /// A request of which `now` is the beginning.
    fn new(
        chunk: Arc<Chunk>,
        overdue_after: Duration,
        may_move: bool,
        may_repeat: bool,
        now: Instant,
    ) -> Self {
        Self {
            tries: chunk.attempt.number,
            chunk,
            owned: Owned::All,
            overdue_after,
            check_at: now.checked_add(overdue_after),
            is_overdue: false,
            may_move,
            may_repeat,
            may_hedge: true,
            is_counted: true,
        }
    }

    /// Looks at it again, after twice the time as before; soon while it waits for a connection.
    pub(crate) fn check_later(&mut self, now: Instant) {
        let wait = match self.chunk.started() {
            Some(_) => {
                self.overdue_after = self.overdue_after.saturating_mul(2);
                self.overdue_after
            }
            None => self.overdue_after.max(CHECK_WAITING),
        };
        self.check_at = now.checked_add(wait);
    }

    /// The rows that it owns and that are not settled.
    pub(crate) fn open(&self, progress: &Progress) -> Vec<u32> {
        let is_owned = |row: &u32| match &self.owned {
            Owned::All => true,
            Owned::Some(rows) => rows.contains(row),
        };
        let rows = self.chunk.rows().iter().copied();
        rows.filter(|row| !progress.is_settled(*row) && is_owned(row)).collect()
    }

    /// Keeps only those of `open`, its open rows, that are not among `given`.
    pub(crate) fn hand_over(&mut self, open: &[u32], given: &HashSet<u32>) {
        self.owned = Owned::Some(open.iter().copied().filter(|row| !given.contains(row)).collect());
        self.chunk.contest();
    }

    /// Whether it can be waited for: in time, or late at a node that answers others.
    fn may_still_answer(&self) -> bool {
        !self.is_overdue || self.chunk.node.is_usable()
    }
}

/// Hands those of `rows` that another request has asked for over to it, and returns the rest. Where they can be
/// asked for once more, only such requests get them that can be waited for.
pub(crate) fn hand_back(
    requests: &mut [InFlight],
    rows: Vec<u32>,
    can_retry: bool,
    now: Instant,
) -> Vec<u32> {
    if rows.is_empty() {
        return rows;
    }
    let sharers = requests.iter().enumerate().filter(|(_, other)| other.chunk.is_contested());
    let sharers = sharers.filter(|(_, other)| !can_retry || other.may_still_answer());
    let mut sharer_of: HashMap<u32, usize> = HashMap::new();
    for (place, other) in sharers {
        sharer_of.extend(other.chunk.rows().iter().map(|&row| (row, place)));
    }
    if sharer_of.is_empty() {
        return rows;
    }
    let (taken, rest): (Vec<u32>, Vec<u32>) = rows.into_iter().partition(|row| sharer_of.contains_key(row));
    for (place, sharer) in requests.iter_mut().enumerate() {
        let Owned::Some(owned) = &mut sharer.owned else { continue };
        let before = owned.len();
        owned.extend(taken.iter().filter(|row| sharer_of.get(row) == Some(&place)));
        // Once, however many rows it gets: each call doubles `overdue_after`.
        if owned.len() > before {
            sharer.may_hedge = false;
            sharer.check_later(now);
        }
    }
    rest
}
