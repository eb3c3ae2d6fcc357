//! Buffers that are kept from one batch to the next.
//!
//! The C library returns the memory of a large batch to the system at once, and the next batch pays for every
//! page again: up to three microseconds per page in a virtual machine.

use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

use wire_protocol::digest::Digest;

/// How long unused buffers are kept.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// Pages of digests, enough for a million keys.
pub(crate) static DIGESTS: BufferCache<Digest> = BufferCache::new(1_024);

/// Frees memory that no batch has used for a while.
pub(crate) fn drop_idle() {
    DIGESTS.drop_idle();
}

/// Frees all memory that is kept for batches. For when a cluster closes, after which [`drop_idle`] may never be
/// called.
pub(crate) fn clear() {
    DIGESTS.clear();
}

/// Buffers of one kind.
///
/// Never blocks: a forked child may inherit a held lock. If the lock is held, `take` returns a new buffer and
/// `keep` frees the old ones.
pub(crate) struct BufferCache<T> {
    /// Buffers that are kept at most.
    most: usize,
    state: Mutex<CachedBuffers<T>>,
}

struct CachedBuffers<T> {
    buffers: Vec<Vec<T>>,
    used: Option<Instant>,
}

impl<T> BufferCache<T> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, state: Mutex::new(CachedBuffers { buffers: Vec::new(), used: None }) }
    }

    /// An empty buffer that may have capacity.
    pub(crate) fn take(&self) -> Vec<T> {
        self.with(|state| state.buffers.pop()).flatten().unwrap_or_default()
    }

    /// Keeps buffers for later use, up to `most`.
    pub(crate) fn keep(&self, buffers: impl Iterator<Item = Vec<T>>) {
        self.with(|state| {
            state.used = Some(Instant::now());
            for mut buffer in buffers.take(self.most - state.buffers.len()) {
                buffer.clear();
                state.buffers.push(buffer);
            }
        });
    }

    pub(crate) fn drop_idle(&self) {
        let old = self.with(|state| {
            let is_idle = state.used.is_some_and(|used| used.elapsed() > MAX_IDLE);
            if is_idle { std::mem::take(&mut *state).buffers } else { Vec::new() }
        });
        drop(old);
    }

    pub(crate) fn clear(&self) {
        drop(self.with(std::mem::take));
    }

    fn with<R>(&self, use_it: impl FnOnce(&mut CachedBuffers<T>) -> R) -> Option<R> {
        match self.state.try_lock() {
            Ok(mut state) => Some(use_it(&mut state)),
            // A panic cannot leave the list half changed.
            Err(TryLockError::Poisoned(state)) => Some(use_it(&mut state.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<T> Default for CachedBuffers<T> {
    fn default() -> Self {
        Self { buffers: Vec::new(), used: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_with_their_room() {
        let cache = BufferCache::new(2);
        assert_eq!(cache.take().capacity(), 0);
        cache.keep([vec![1; 10], vec![2; 20], vec![3; 30]].into_iter());
        let (second, first, none) = (cache.take(), cache.take(), cache.take());
        assert!(first.is_empty() && second.is_empty());
        assert_eq!((first.capacity(), second.capacity(), none.capacity()), (10, 20, 0));
    }

    #[test]
    fn unused_buffers_are_freed() {
        let cache = BufferCache::new(2);
        cache.keep([vec![1; 10]].into_iter());
        cache.drop_idle();
        assert_eq!(cache.with(|state| state.buffers.len()), Some(1));
        cache.with(|state| state.used = Instant::now().checked_sub(MAX_IDLE * 2));
        cache.drop_idle();
        assert_eq!(cache.take().capacity(), 0);
        cache.keep([vec![1; 10]].into_iter());
        cache.clear();
        assert_eq!(cache.take().capacity(), 0);
    }

    #[test]
    fn a_locked_cache_never_blocks() {
        let cache = BufferCache::new(2);
        cache.with(|_| {
            cache.keep([vec![1; 10]].into_iter());
            cache.drop_idle();
            assert_eq!(cache.take().capacity(), 0);
        });
    }
}
