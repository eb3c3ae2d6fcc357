//! The clock of records and sessions.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// 2010-01-01 UTC, from which void times count, in seconds since 1970.
pub(crate) const EPOCH: i64 = 1_262_304_000;

/// A point in time, in seconds for void times and in milliseconds for update times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) seconds: u32,
    pub(crate) millis: u64,
    /// Seconds that the server's clock is ahead of the clients' clocks.
    ahead: u32,
}

impl Moment {
    /// A void time by the clients' clocks. Clients subtract their own time from it, so void times must not
    /// contain what the server's clock was moved ahead.
    pub(crate) fn for_clients(self, void_time: u32) -> u32 {
        // 0 would mean that the record never expires.
        if void_time == 0 { 0 } else { void_time.saturating_sub(self.ahead).max(1) }
    }
}

/// Counts the time since 2010-01-01 UTC. Can be moved and stopped, so that tests need not wait for
/// expirations.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Seconds that the clock is ahead of the system's.
    ahead: AtomicI64,
    /// 0 while the clock runs.
    stopped_at: AtomicU32,
}

impl Clock {
    /// Seconds since 2010-01-01 UTC.
    pub(crate) fn now(&self) -> u32 {
        (self.millis() / 1000) as u32
    }

    pub(crate) fn moment(&self) -> Moment {
        let millis = self.millis();
        let ahead = match self.stopped_at.load(Ordering::Relaxed) {
            0 => self.ahead.load(Ordering::Relaxed).clamp(0, i64::from(u32::MAX)) as u32,
            _ => 0,
        };
        Moment { seconds: (millis / 1000) as u32, millis, ahead }
    }

    /// Milliseconds since 2010-01-01 UTC.
    pub(crate) fn millis(&self) -> u64 {
        match self.stopped_at.load(Ordering::Relaxed) {
            0 => {
                let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
                let now = unix as i64 - EPOCH * 1000 + self.ahead.load(Ordering::Relaxed) * 1000;
                now.clamp(1000, i64::from(u32::MAX) * 1000) as u64
            }
            now => u64::from(now) * 1000,
        }
    }

    pub(crate) fn advance(&self, seconds: u32) {
        match self.stopped_at.load(Ordering::Relaxed) {
            0 => _ = self.ahead.fetch_add(i64::from(seconds), Ordering::Relaxed),
            now => self.stopped_at.store(now.saturating_add(seconds), Ordering::Relaxed),
        }
    }

    pub(crate) fn stop_at(&self, now: u32) {
        self.stopped_at.store(now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_moves_and_stops() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(1000);
        assert!((before + 1000..before + 1010).contains(&clock.now()));
        let moment = clock.moment();
        assert_eq!(moment.for_clients(moment.seconds + 60), moment.seconds - 1000 + 60);
        assert_eq!((moment.for_clients(0), moment.for_clients(999)), (0, 1));
        clock.stop_at(77);
        assert_eq!((clock.now(), clock.millis()), (77, 77_000));
        clock.advance(3);
        assert_eq!((clock.now(), clock.moment().for_clients(90)), (80, 90));
    }
}
