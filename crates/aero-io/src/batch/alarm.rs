//! A timer that is reused for many waits.

use std::future::Future;
use std::pin::{Pin, pin};

use futures_util::FutureExt as _;
use tokio::time::{Instant, Sleep, sleep_until};

/// Waits for a future or a deadline. The underlying timer is reset only if the deadline is earlier than before
/// or the timer has fired.
#[derive(Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Waits for `future`, or until `at`: then returns `None`. May return `None` early.
    pub(crate) async fn or<T>(&mut self, at: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
        let Some(at) = at else { return Some(future.await) };
        let mut future = pin!(future);
        // A future that is ready needs no timer.
        if let Some(value) = future.as_mut().now_or_never() {
            return Some(value);
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.is_elapsed() || at < sleep.deadline() {
            sleep.as_mut().reset(at);
        }
        tokio::select! {
            biased;
            value = future => Some(value),
            () = sleep.as_mut() => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn the_alarm_can_be_set_again() {
        let mut alarm = Alarm::default();
        let start = Instant::now();
        let after = |ms| Some(start + Duration::from_millis(ms));
        assert_eq!(alarm.or(None, sleep(Duration::from_millis(1))).await, Some(()));
        assert_eq!(alarm.or(after(10), std::future::ready(7)).await, Some(7));
        assert_eq!(alarm.or(after(10), std::future::pending::<()>()).await, None);
        assert_eq!(start.elapsed().as_millis(), 10);
        assert_eq!(alarm.or(after(40), sleep(Duration::from_millis(5))).await, Some(()));
        assert_eq!(alarm.or(after(20), std::future::pending::<()>()).await, None);
        assert_eq!(start.elapsed().as_millis(), 20);
    }
}
