//! Memory of text and bytes that results have released, for those of later ones.
//!
//! The allocator returns large pieces to the system, which makes each page of a new piece again: up to three
//! microseconds a page in a virtual machine, nearly half of what it takes to fill columns of text.

use std::sync::{Mutex, TryLockError};

use arrow_buffer::Buffer;
use bytes::Bytes;

/// Bytes that are kept.
const MOST: usize = 16 << 20;

/// The allocator itself keeps pieces that are smaller.
const SMALLEST: usize = 128 << 10;

static KEPT: KeptMemory = KeptMemory(Mutex::new(Vec::new()));

/// An empty piece of memory for `size` bytes that a result has released, if there is one.
pub(super) fn take(size: usize) -> Option<Vec<u8>> {
    KEPT.take(size)
}

/// The bytes as a buffer, whose memory is kept when it is released.
pub(super) fn buffer(mut bytes: Vec<u8>) -> Buffer {
    if bytes.capacity() - bytes.len() > bytes.len() / 8 {
        bytes.shrink_to_fit();
    }
    if bytes.capacity() < SMALLEST {
        return Buffer::from_vec(bytes);
    }
    Buffer::from(Bytes::from_owner(Released(bytes)))
}

/// Frees the memory that is kept.
pub(crate) fn free() {
    drop(KEPT.with(std::mem::take));
}

/// Bytes whose memory is kept when the last one who uses them has released them.
struct Released(Vec<u8>);

impl AsRef<[u8]> for Released {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Released {
    fn drop(&mut self) {
        KEPT.keep(std::mem::take(&mut self.0));
    }
}

/// Pieces of memory, the oldest first.
///
/// Never blocks: a forked child may inherit a held lock.
struct KeptMemory(Mutex<Vec<Vec<u8>>>);

impl KeptMemory {
    /// At most a quarter larger than `size`.
    fn take(&self, size: usize) -> Option<Vec<u8>> {
        let fits = size..=size.saturating_add(size / 4);
        self.with(|pieces| {
            let fitting = pieces.iter().enumerate().filter(|(_, piece)| fits.contains(&piece.capacity()));
            let (place, _) = fitting.min_by_key(|(_, piece)| piece.capacity())?;
            Some(pieces.remove(place))
        })?
    }

    /// Keeps a piece, and frees the oldest ones for it.
    fn keep(&self, mut piece: Vec<u8>) {
        if !(SMALLEST..=MOST).contains(&piece.capacity()) {
            return;
        }
        piece.clear();
        let freed = self.with(|pieces| {
            pieces.push(piece);
            let mut size: usize = pieces.iter().map(Vec::capacity).sum();
            let mut freed = Vec::new();
            while size > MOST {
                let oldest = pieces.remove(0);
                size -= oldest.capacity();
                freed.push(oldest);
            }
            freed
        });
        // Outside of the lock: large pieces go back to the system.
        drop(freed);
    }

    fn with<R>(&self, use_it: impl FnOnce(&mut Vec<Vec<u8>>) -> R) -> Option<R> {
        match self.0.try_lock() {
            Ok(mut pieces) => Some(use_it(&mut pieces)),
            Err(TryLockError::Poisoned(pieces)) => Some(use_it(&mut pieces.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(memory: &KeptMemory) -> Vec<usize> {
        memory.with(|pieces| pieces.iter().map(Vec::capacity).collect()).unwrap()
    }

    #[test]
    fn pieces_that_fit_come_back_empty() {
        let memory = KeptMemory(Mutex::default());
        memory.keep(vec![1; SMALLEST - 1]);
        memory.keep(vec![2; SMALLEST * 5]);
        memory.keep(vec![3; SMALLEST * 4]);
        assert_eq!(kept(&memory), [SMALLEST * 5, SMALLEST * 4]);
        assert!(memory.take(SMALLEST * 6).is_none() && memory.take(SMALLEST * 3).is_none());
        let piece = memory.take(SMALLEST * 4).unwrap();
        assert_eq!((piece.len(), piece.capacity()), (0, SMALLEST * 4));
        assert_eq!(memory.take(SMALLEST * 4).unwrap().capacity(), SMALLEST * 5);
        assert_eq!(kept(&memory), []);
    }

    #[test]
    fn the_oldest_are_freed() {
        let memory = KeptMemory(Mutex::default());
        (1..=8).for_each(|size| memory.keep(vec![0; size << 20]));
        assert_eq!(kept(&memory), [7 << 20, 8 << 20]);
        memory.keep(vec![0; MOST + 1]);
        memory.keep(vec![0; MOST]);
        assert_eq!(kept(&memory), [MOST]);
    }

    #[test]
    fn a_held_lock_stops_nobody() {
        let memory = KeptMemory(Mutex::default());
        memory.keep(vec![0; SMALLEST]);
        memory.with(|_| {
            memory.keep(vec![0; SMALLEST]);
            assert!(memory.take(SMALLEST).is_none());
        });
        assert_eq!(kept(&memory), [SMALLEST]);
    }

    #[test]
    fn a_buffer_has_its_bytes() {
        let mut long = vec![7; SMALLEST];
        long.reserve_exact(100);
        for bytes in [Vec::new(), vec![1, 2, 3], long, vec![9; 3 * SMALLEST]] {
            let made = buffer(bytes.clone());
            let slice = made.slice(made.len() / 2);
            assert_eq!(made.as_slice(), bytes);
            drop(made);
            assert_eq!(slice.as_slice(), &bytes[bytes.len() / 2..]);
        }
    }
}
