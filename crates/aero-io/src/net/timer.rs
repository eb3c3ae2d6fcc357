//! Limits the time of an exchange.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::Fault;

/// A deadline, and a limit on the time between two steps of progress. Costs nothing while steps need no
/// waiting, and one timer registration otherwise.
pub(crate) struct Timer {
    deadline: Option<Instant>,
    /// The limit between two steps; `None` if the deadline comes first.
    step: Option<Duration>,
    last_step: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// A timer that starts now. A `step` of zero is no limit.
    pub(crate) fn new(deadline: Option<Instant>, step: Duration) -> Self {
        let now = Instant::now();
        let capped = deadline.is_some_and(|deadline| deadline.saturating_duration_since(now) <= step);
        let step = (!step.is_zero() && !capped).then_some(step);
        Self { deadline, step, last_step: now, sleep: None }
    }

    /// A timer that ends after `limit`.
    pub(crate) fn within(limit: Duration) -> Self {
        Self::new(Instant::now().checked_add(limit), Duration::ZERO)
    }

    /// A timer with the same limits, for a task that works in the meantime.
    pub(crate) fn restarted(&self) -> Self {
        Self { last_step: Instant::now(), sleep: None, ..*self }
    }

    /// Records a step of progress, or time that does not count.
    pub(crate) fn step(&mut self) {
        if self.step.is_some() {
            self.last_step = Instant::now();
        }
    }

    /// Milliseconds left, for the server; 0 without a deadline.
    pub(crate) fn remaining_ms(&self) -> u32 {
        let Some(deadline) = self.deadline else { return 0 };
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, because 0 means no limit.
        u32::try_from(left.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
    }

    /// Fails after the deadline.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => Err(Fault::Deadline),
            _ => Ok(()),
        }
    }

    /// Polls `step` until it is ready or time is up. A step that is ready at the last moment counts.
    pub(crate) async fn steps<T>(
        &mut self,
        mut step: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<T, Fault> {
        // A peer that sends without end must not keep the call beyond its deadline.
        self.check()?;
        std::future::poll_fn(|cx| match step(cx) {
            Poll::Ready(value) => {
                self.step();
                Poll::Ready(Ok(value))
            }
            Poll::Pending => self.poll_elapsed(cx).map(Err),
        })
        .await
    }

    /// Waits for `future` or the end of the time.
    pub(crate) async fn run<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Fault> {
        let mut future = pin!(future);
        self.steps(|cx| future.as_mut().poll(cx)).await
    }

    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        loop {
            let step_end = self.step.and_then(|step| self.last_step.checked_add(step));
            let due = match (self.deadline, step_end) {
                (Some(deadline), Some(step_end)) => deadline.min(step_end),
                (Some(due), None) | (None, Some(due)) => due,
                (None, None) => return Poll::Pending,
            };
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
            // Steps move the end without resetting the timer; that is done when it fires.
            ready!(sleep.as_mut().poll(cx));
            let now = Instant::now();
            if self.deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(Fault::Deadline);
            }
            if step_end.is_some_and(|end| end <= now) {
                return Poll::Ready(Fault::Socket);
            }
            sleep.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn the_deadline_holds_over_all_steps() {
        let start = Instant::now();
        let mut timer = Timer::within(Duration::from_secs(1));
        for _ in 0..3 {
            timer.run(sleep(Duration::from_millis(300))).await.unwrap();
        }
        assert!(matches!(timer.run(sleep(Duration::from_millis(300))).await, Err(Fault::Deadline)));
        assert_eq!(start.elapsed().as_millis(), 1_000);
        assert_eq!(timer.remaining_ms(), 1);
        assert!(matches!(timer.run(std::future::ready(())).await, Err(Fault::Deadline)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_step_limit_restarts_with_each_step() {
        let start = Instant::now();
        let mut timer = Timer::new(None, Duration::from_millis(400));
        for _ in 0..5 {
            timer.run(sleep(Duration::from_millis(300))).await.unwrap();
        }
        assert!(matches!(timer.run(sleep(Duration::from_secs(9))).await, Err(Fault::Socket)));
        assert_eq!(start.elapsed().as_millis(), 1_900);
        assert_eq!(timer.remaining_ms(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_limit_beyond_the_deadline_is_ignored() {
        let deadline = Instant::now() + Duration::from_secs(1);
        let mut timer = Timer::new(Some(deadline), Duration::from_secs(30));
        assert_eq!(timer.remaining_ms(), 1_000);
        assert!(matches!(timer.run(sleep(Duration::from_secs(9))).await, Err(Fault::Deadline)));
        let mut unlimited = Timer::new(None, Duration::ZERO);
        assert!(unlimited.run(sleep(Duration::from_secs(1_000))).await.is_ok());
    }
}
