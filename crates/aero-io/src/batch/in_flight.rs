//! The requests of one batch that are in flight, and which of them owns which rows.
//!
//! Every unsettled row has one owner: a request in flight, or a queue. When a request is hedged, its rows are
//! handed over to the hedges. The original request stays in flight and may still answer first, but if no
//! request answers, the owner decides what happens to the row. An owner that fails may hand rows back to
//! another request in flight that contains them.

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

/// Minimum time before a request is overdue.
const MIN_OVERDUE: Duration = Duration::from_millis(1);

/// Time between checks of a request that waits for a connection.
const CHECK_WAITING: Duration = Duration::from_millis(20);

pub(crate) struct InFlight {
    pub(crate) chunk: Arc<Chunk>,
    /// Attempts at its rows before this request, including those at other nodes.
    pub(crate) tries: u32,
    owned: Owned,
    /// How long the request may take before it is overdue.
    pub(crate) overdue_after: Duration,
    /// When to check next whether the request is overdue.
    pub(crate) check_at: Option<Instant>,
    pub(crate) is_overdue: bool,
    /// Whether its rows may move to another node before they are sent.
    pub(crate) may_move: bool,
    /// Whether its rows may be sent to another node while it is in flight.
    pub(crate) may_repeat: bool,
    /// Whether sending them again may count as a hedge instead of a retry.
    pub(crate) may_hedge: bool,
    /// Whether the request counts towards `MAX_IN_FLIGHT`.
    pub(crate) is_counted: bool,
}

/// The rows that a request owns.
enum Owned {
    All,
    Some(HashSet<u32>),
}

impl InFlight {
    pub(crate) fn begin(call: &BatchCall, chunk: Chunk) -> Self {
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
        // A hedge after more than half of the remaining time would come too late.
        let left = call.deadline.map(|deadline| deadline.saturating_duration_since(now) / 2);
        let overdue_after = left.map_or(delay, |left| delay.min(left)).max(MIN_OVERDUE);
        let may_move = policy.limits.replica != Replica::Master && !may_write;
        Self::new(Arc::new(chunk), overdue_after, may_move, hedge.is_some(), now)
    }

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

    /// Schedules the next check: after twice the last time, or soon while the request waits for a connection.
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

    /// The unsettled rows that the request owns.
    pub(crate) fn open(&self, progress: &Progress) -> Vec<u32> {
        let is_owned = |row: &u32| match &self.owned {
            Owned::All => true,
            Owned::Some(rows) => rows.contains(row),
        };
        let rows = self.chunk.rows().iter().copied();
        rows.filter(|row| !progress.is_settled(*row) && is_owned(row)).collect()
    }

    /// Gives up ownership of `given`. `open` are the rows that the request owns now.
    pub(crate) fn hand_over(&mut self, open: &[u32], given: &HashSet<u32>) {
        self.owned = Owned::Some(open.iter().copied().filter(|row| !given.contains(row)).collect());
        self.chunk.contest();
    }

    /// Whether waiting for the request makes sense: it is on time, or its node answers other requests.
    fn may_still_answer(&self) -> bool {
        !self.is_overdue || self.chunk.node.is_usable()
    }
}

/// Hands each of `rows` to another request in flight that contains it, and returns the remaining rows. If the
/// rows can be retried, only requests that may still answer take them.
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
        // Once per request: every call doubles `overdue_after`.
        if owned.len() > before {
            sharer.may_hedge = false;
            sharer.check_later(now);
        }
    }
    rest
}
