//! When a request without an answer is sent to another node as well.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::node::health::Health;
use crate::policy::{Hedge, ReadModeSc, Replica};

/// Minimum adaptive delay: what the scheduler of a busy machine may cost although nothing is wrong.
const MIN_DELAY: Duration = Duration::from_millis(30);

/// Maximum adaptive delay, unless requests usually take more than half of it.
const MAX_DELAY: Duration = Duration::from_millis(250);

/// The adaptive delay for a node without measurements.
const UNKNOWN_DELAY: Duration = Duration::from_millis(100);

/// The adaptive delay is this many times the usual time.
const DELAY_FACTOR: u32 = 4;

/// Tenths of a hedge that each request earns.
const EARNED: u32 = 1;
const HEDGE_COST: u32 = 10;
/// Limit on saved tenths: enough to hedge all requests in flight at a node when it hangs.
const MAX_BUDGET: u32 = 1_280;
const INITIAL_BUDGET: u32 = 160;

/// Limits hedges to one per ten requests, so that an overloaded cluster does not get twice the load.
pub(crate) struct Budget {
    tenths: AtomicU32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { tenths: AtomicU32::new(INITIAL_BUDGET) }
    }
}

impl Budget {
    /// Counts a request.
    pub(crate) fn earn(&self) {
        let tenths = self.tenths.load(Ordering::Relaxed);
        if tenths < MAX_BUDGET {
            self.tenths.fetch_add(EARNED, Ordering::Relaxed);
        }
    }

    /// Takes the cost of `requests` hedges, if the budget suffices for all of them.
    pub(crate) fn spend(&self, requests: usize) -> bool {
        let Some(cost) = u32::try_from(requests).ok().and_then(|requests| requests.checked_mul(HEDGE_COST))
        else {
            return false;
        };
        let spend = |tenths: u32| tenths.checked_sub(cost);
        self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
    }
}

/// How long a request of `rows` waits for its answer before it is hedged; `None` if it never is.
pub(crate) fn delay(hedge: Hedge, replica: Replica, health: &Health, rows: usize) -> Option<Duration> {
    if replica == Replica::Master {
        return None;
    }
    match hedge {
        Hedge::Off => None,
        Hedge::After(delay) => Some(delay),
        Hedge::Adaptive => Some(adaptive(health, rows)),
    }
}

/// How long a request of `rows` may take before something seems to be wrong.
pub(crate) fn adaptive(health: &Health, rows: usize) -> Duration {
    match health.usual_time(rows) {
        None => UNKNOWN_DELAY,
        Some(usual) => (usual * DELAY_FACTOR).min(MAX_DELAY.max(usual * 2)).max(MIN_DELAY),
    }
}

/// Whether only the master may answer reads of a strongly consistent namespace.
pub(crate) fn is_master_only(read_mode_sc: ReadModeSc) -> bool {
    matches!(read_mode_sc, ReadModeSc::Session | ReadModeSc::Linearize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_in_ten() {
        let budget = Budget::default();
        let mut hedged = 0;
        for _ in 0..1_000 {
            budget.earn();
            hedged += usize::from(budget.spend(1));
        }
        assert_eq!(hedged, 100 + INITIAL_BUDGET as usize / 10);
        assert!(!budget.spend(1));
        (0..100_000).for_each(|_| budget.earn());
        assert!(budget.spend(MAX_BUDGET as usize / 10));
        assert!(!budget.spend(1) && !budget.spend(usize::MAX));
    }

    #[test]
    fn the_delay_follows_the_usual_time() {
        let health = Health::new(0, Duration::ZERO);
        let delay = |hedge, rows| delay(hedge, Replica::Sequence, &health, rows);
        assert_eq!(delay(Hedge::Adaptive, 300), Some(UNKNOWN_DELAY));
        assert_eq!(delay(Hedge::After(Duration::from_millis(7)), 300), Some(Duration::from_millis(7)));
        assert_eq!(delay(Hedge::Off, 300), None);
        assert_eq!(super::delay(Hedge::Adaptive, Replica::Master, &health, 300), None);
        health.note_time(300, Duration::from_millis(20));
        assert_eq!(delay(Hedge::Adaptive, 1_000), Some(Duration::from_millis(80)));
        assert_eq!(delay(Hedge::Adaptive, 1), Some(UNKNOWN_DELAY));
        health.note_time(1, Duration::from_millis(1));
        assert_eq!(delay(Hedge::Adaptive, 1), Some(MIN_DELAY));
        health.note_time(2_000, Duration::from_millis(100));
        assert_eq!(delay(Hedge::Adaptive, 2_000), Some(MAX_DELAY));
        health.note_time(10_000, Duration::from_secs(2));
        assert_eq!(delay(Hedge::Adaptive, 10_000), Some(Duration::from_secs(4)));
    }
}
