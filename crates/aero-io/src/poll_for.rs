//! Drives a future for a limited time.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::task::coop::{has_budget_remaining, unconstrained};
use tokio::time::sleep;

/// Drives `future` for `time`; returns `None` if it takes longer. For callers that block on a future and have
/// to do something else in between: `runtime.block_on(poll_for(future.as_mut(), time))` in a loop.
///
/// tokio postpones a task that has used up its poll budget to the next poll, but forgets this when `block_on`
/// returns: such a task would never be polled again. Therefore a call does not end with such a poll, but before
/// the next one.
pub async fn poll_for<T>(mut future: Pin<&mut impl Future<Output = T>>, time: Duration) -> Option<T> {
    let mut end = pin!(unconstrained(sleep(time)));
    let mut is_over = false;
    poll_fn(|cx| {
        if is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        ready!(end.as_mut().poll(cx));
        if has_budget_remaining() {
            return Poll::Ready(None);
        }
        is_over = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;
    use futures_util::stream::FuturesUnordered;
    use std::time::Instant;
    use tokio::task::coop::consume_budget;

    #[test]
    fn tasks_that_use_up_the_budget_are_polled_again() {
        const TURN: Duration = Duration::from_millis(50);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        // Each uses up the budget of every poll until well after the first call.
        let end = Instant::now() + TURN * 5 / 2;
        let busy = || async move {
            while Instant::now() < end {
                consume_budget().await;
            }
        };
        let mut work = Box::pin(async {
            let mut all: FuturesUnordered<_> = (0..3).map(|_| busy()).collect();
            while all.next().await.is_some() {}
        });
        let is_done = (0..100).any(|_| runtime.block_on(poll_for(work.as_mut(), TURN)).is_some());
        assert!(is_done, "who was not woken waits for ever");
    }
}
