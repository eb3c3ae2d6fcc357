//! The records-per-second limit of a query.

use std::time::Duration;

use tokio::time::Instant;

/// Nanoseconds per second.
const NANOS: u128 = 1_000_000_000;

/// Records are sent in bursts of a second's records divided by this.
const BURSTS_PER_SECOND: u64 = 50;

/// Limits a query to a number of records per second.
pub(super) struct RateLimit {
    rate: u64,
    start: Instant,
    pub(super) sent: u64,
}

impl RateLimit {
    /// `None` for rate 0, which means no limit.
    pub(super) fn new(rate: u32) -> Option<Self> {
        (rate != 0).then(|| Self { rate: rate.into(), start: Instant::now(), sent: 0 })
    }

    /// The number of records in a burst.
    fn burst(&self) -> u64 {
        (self.rate / BURSTS_PER_SECOND).max(1)
    }

    /// The number of records that may be sent now.
    pub(super) fn allowance(&self) -> u64 {
        let allowed = self.start.elapsed().as_nanos() * u128::from(self.rate) / NANOS;
        let allowed = u64::try_from(allowed).unwrap_or(u64::MAX);
        allowed.saturating_add(self.burst()).saturating_sub(self.sent)
    }

    /// The time until a burst may be sent.
    pub(super) fn delay(&self) -> Duration {
        // `allowance` is a burst ahead of the rate, so a whole burst is allowed as soon as the rate catches
        // up with what was sent. Rounded up, so that it has caught up by then.
        let due = (u128::from(self.sent) * NANOS).div_ceil(u128::from(self.rate));
        let due = Duration::from_nanos(u64::try_from(due).unwrap_or(u64::MAX));
        due.saturating_sub(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_kept() {
        for rate in [1, 7, 49, 50, 1_000, 123_456] {
            let mut limit = RateLimit::new(rate).unwrap();
            while limit.start.elapsed() < Duration::from_secs(3) {
                let allowance = limit.allowance();
                assert!(
                    allowance > 0 && allowance <= limit.burst() + limit.rate / 500 + 1,
                    "{allowance} of {rate}"
                );
                limit.sent += allowance;
                tokio::time::sleep(limit.delay()).await;
            }
            let expected = limit.start.elapsed().as_secs_f64() * f64::from(rate);
            let most = expected + 2.0 * limit.burst() as f64 + 1.0;
            assert!((expected * 0.9..most).contains(&(limit.sent as f64)), "{} of {expected}", limit.sent);
        }
        assert!(RateLimit::new(0).is_none());
    }
}
