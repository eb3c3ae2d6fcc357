//! Buffers that are kept from one batch to the next.
//!
//! What a large batch frees, the C library gives back to the system at once, and the next one pays for every page
//! anew: up to three microseconds each in a virtual machine.

use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

use wire_protocol::digest::Digest;

/// How long buffers are kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// Pages of digests of batches that have ended: those of a million keys.
pub(crate) static DIGESTS: BufferCache<Digest> = BufferCache::new(1_024);

/// Lets go of memory that no batch has used for a while.
pub(crate) fn rest() {
    DIGESTS.rest();
}

/// Lets go of memory that is kept for batches: there may be none any more, and nobody to call [`rest`].
pub(crate) fn empty() {
    DIGESTS.empty();
}

/// Buffers of one kind.
///
/// Nobody waits for them. Who finds them locked makes a new one, and lets go of an old one: in a child of a process
/// that forked meanwhile they would be locked for ever.
pub(crate) struct BufferCache<T> {
    /// How many are kept.
    most: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    buffers: Vec<Vec<T>>,
    used: Option<Instant>,
}

impl<T> BufferCache<T> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, state: Mutex::new(State { buffers: Vec::new(), used: None }) }
    }

    /// An empty buffer, with the room that it had before.
    pub(crate) fn take(&self) -> Vec<T> {
        self.with(|state| state.buffers.pop()).flatten().unwrap_or_default()
    }

    /// Keeps buffers for later, as far as there is room.
    pub(crate) fn keep(&self, buffers: impl Iterator<Item = Vec<T>>) {
        self.with(|state| {
            state.used = Some(Instant::now());
            for mut buffer in buffers.take(self.most - state.buffers.len()) {
                buffer.clear();
                state.buffers.push(buffer);
            }
        });
    }

    /// Lets go of what nobody has used for a while.
    pub(crate) fn rest(&self) {
        let old = self.with(|state| {
            let is_idle = state.used.is_some_and(|used| used.elapsed() > IDLE);
            if is_idle { std::mem::take(&mut *state).buffers } else { Vec::new() }
        });
        drop(old);
    }

    /// Lets go of all.
    pub(crate) fn empty(&self) {
        drop(self.with(std::mem::take));
    }

    fn with<R>(&self, use_it: impl FnOnce(&mut State<T>) -> R) -> Option<R> {
        match self.state.try_lock() {
            Ok(mut state) => Some(use_it(&mut state)),
            // A list of buffers is whole at every moment.
            Err(TryLockError::Poisoned(state)) => Some(use_it(&mut state.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { buffers: Vec::new(), used: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_with_their_room() {
        let spare = BufferCache::new(2);
        assert_eq!(spare.take().capacity(), 0);
        spare.keep([vec![1; 10], vec![2; 20], vec![3; 30]].into_iter());
        let (second, first, none) = (spare.take(), spare.take(), spare.take());
        assert!(first.is_empty() && second.is_empty());
        assert_eq!((first.capacity(), second.capacity(), none.capacity()), (10, 20, 0));
    }

    #[test]
    fn what_nobody_uses_goes() {
        let spare = BufferCache::new(2);
        spare.keep([vec![1; 10]].into_iter());
        spare.rest();
        assert_eq!(spare.with(|state| state.buffers.len()), Some(1));
        spare.with(|state| state.used = Instant::now().checked_sub(IDLE * 2));
        spare.rest();
        assert_eq!(spare.take().capacity(), 0);
        spare.keep([vec![1; 10]].into_iter());
        spare.empty();
        assert_eq!(spare.take().capacity(), 0);
    }

    #[test]
    fn nobody_waits() {
        let spare = BufferCache::new(2);
        spare.with(|_| {
            spare.keep([vec![1; 10]].into_iter());
            spare.rest();
            assert_eq!(spare.take().capacity(), 0);
        });
    }
}
