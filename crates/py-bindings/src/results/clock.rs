//! The server's clock: seconds since 2010-01-01 UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// 2010-01-01 UTC in Unix time.
const CITRUSLEAF_EPOCH: u64 = 1_262_304_000;

/// The time to live of a record that never expires.
pub(crate) const NEVER: u32 = u32::MAX;

pub(crate) fn now() -> u32 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    u32::try_from(unix.saturating_sub(CITRUSLEAF_EPOCH)).unwrap_or(u32::MAX)
}

/// The remaining time to live of a record with this void time: at least 1 second, since the record exists.
pub(crate) fn seconds_left(void_time: u32, now: u32) -> u32 {
    if void_time == 0 { NEVER } else { void_time.saturating_sub(now).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_there_has_time_left() {
        assert_eq!(seconds_left(0, 1000), NEVER);
        assert_eq!(seconds_left(1500, 1000), 500);
        assert_eq!(seconds_left(1000, 1000), 1);
        assert_eq!(seconds_left(900, 1000), 1);
    }
}
