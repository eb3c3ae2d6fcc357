//! Buffers of an exchange, kept from one to the next.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wire_protocol::WireError;
use wire_protocol::compressed::{THRESHOLD, write_compressed};

use crate::net::frame_reader::FrameReader;

/// Room that a read starts with. Servers answer batches in frames of up to 128 KiB.
const INITIAL_INPUT: usize = 136 * 1024;

/// Bytes of buffers that are kept for later exchanges, at most a quarter of them in one.
const MAX_SPARE: usize = 16 * 1024 * 1024;

/// Buffers of one exchange.
pub(crate) struct Scratch {
    pub(crate) request: Vec<u8>,
    pub(crate) input: FrameReader,
    /// The request, compressed, and then the one before.
    packed: Vec<u8>,
}

impl Scratch {
    fn size(&self) -> usize {
        self.request.capacity() + self.input.capacity() + self.packed.capacity()
    }

    /// Gets ready for an exchange: the request is there, no answer is. With `compress`, answers may come
    /// compressed, and requests that are worth it go out so.
    pub(crate) fn ready(&mut self, compress: bool) -> Result<(), WireError> {
        self.input.clear();
        if compress {
            self.input.allow_compressed();
            if self.request.len() > THRESHOLD {
                self.packed.clear();
                write_compressed(&mut self.packed, &self.request)?;
                std::mem::swap(&mut self.request, &mut self.packed);
            }
        }
        Ok(())
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { request: Vec::new(), input: FrameReader::new(INITIAL_INPUT), packed: Vec::new() }
    }
}

/// Buffers between two uses: the ones used last, still in the processor's cache, are used next.
#[derive(Default)]
pub(crate) struct ScratchPool {
    spare: Mutex<Spare>,
}

#[derive(Default)]
struct Spare {
    list: Vec<Scratch>,
    /// Bytes of all in the list.
    size: usize,
}

impl ScratchPool {
    /// Buffers to use; they go back when the lease is dropped.
    pub(crate) fn take(&self) -> ScratchLease<'_> {
        let mut spare = self.lock();
        let scratch = spare.list.pop().unwrap_or_default();
        spare.size = spare.size.saturating_sub(scratch.size());
        ScratchLease { pool: self, scratch }
    }

    fn lock(&self) -> MutexGuard<'_, Spare> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Buffers in use.
pub(crate) struct ScratchLease<'p> {
    pool: &'p ScratchPool,
    scratch: Scratch,
}

impl Drop for ScratchLease<'_> {
    fn drop(&mut self) {
        let scratch = std::mem::take(&mut self.scratch);
        let size = scratch.size();
        let mut spare = self.pool.lock();
        if size <= MAX_SPARE / 4 && spare.size + size <= MAX_SPARE {
            spare.size += size;
            spare.list.push(scratch);
        }
    }
}

impl Deref for ScratchLease<'_> {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.scratch
    }
}

impl DerefMut for ScratchLease<'_> {
    fn deref_mut(&mut self) -> &mut Scratch {
        &mut self.scratch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back() {
        let pool = ScratchPool::default();
        let mut first = pool.take();
        first.request.reserve(1_000);
        drop(first);
        assert!(pool.take().request.capacity() >= 1_000);
        let kept = || {
            let spare = pool.lock();
            (spare.list.len(), spare.size)
        };
        let mut large = pool.take();
        large.request.reserve(MAX_SPARE / 4 + 1);
        drop(large);
        assert_eq!(kept(), (0, 0));
        let many: Vec<_> = (0..8)
            .map(|_| {
                let mut scratch = pool.take();
                scratch.request.reserve_exact(MAX_SPARE / 4);
                scratch
            })
            .collect();
        drop(many);
        assert_eq!(kept(), (4, MAX_SPARE));
    }
}
