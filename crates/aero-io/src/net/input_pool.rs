//! Memory for answers, which requests in flight share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are kept, at most half of them in one piece.
const MAX_KEPT: usize = 8 * 1024 * 1024;

/// Memory that no answer uses. The last pieces used, which are still in the processor's cache, are used first.
#[derive(Clone, Default)]
pub(crate) struct InputPool(Arc<Mutex<Vec<Vec<u8>>>>);

impl InputPool {
    /// Initialized bytes; none if there is no piece.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.lock().pop().unwrap_or_default()
    }

    pub(crate) fn keep(&self, piece: Vec<u8>) {
        let mut kept = self.lock();
        let size: usize = kept.iter().map(Vec::capacity).sum();
        if piece.capacity() > 0 && piece.capacity() <= MAX_KEPT / 2 && size + piece.capacity() <= MAX_KEPT {
            kept.push(piece);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_many_pieces_are_freed() {
        let pool = InputPool::default();
        pool.keep(Vec::new());
        pool.keep(vec![0; MAX_KEPT / 2 + 1]);
        assert_eq!((pool.len(), pool.take().len()), (0, 0));
        (0..5).for_each(|_| pool.keep(vec![0; MAX_KEPT / 4]));
        assert_eq!(pool.len(), 4);
        assert_eq!((pool.take().len(), pool.len()), (MAX_KEPT / 4, 3));
    }
}
