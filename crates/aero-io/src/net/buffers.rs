//! The buffers of an exchange, which are kept for the next one.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wire_protocol::WireError;
use wire_protocol::compressed::{THRESHOLD, write_compressed};

use crate::net::frame_reader::FrameReader;
use crate::net::input_pool::InputPool;

/// Initial capacity for input. Servers answer batches in frames of up to 128 KiB.
const INITIAL_INPUT: usize = 136 * 1024;

/// Bytes that are kept for later exchanges, at most a quarter of them in one set of buffers.
const MAX_KEPT: usize = 16 * 1024 * 1024;

pub(crate) struct Buffers {
    pub(crate) request: Vec<u8>,
    pub(crate) input: FrameReader,
    /// The compressed request, then swapped with `request`.
    compressed: Vec<u8>,
}

impl Buffers {
    fn size(&self) -> usize {
        self.request.capacity() + self.input.capacity() + self.compressed.capacity()
    }

    /// Prepares for sending the encoded request: clears the input and, with `compress`, compresses a request
    /// above the threshold and accepts compressed answers.
    pub(crate) fn prepare(&mut self, compress: bool) -> Result<(), WireError> {
        self.input.clear();
        if compress {
            self.input.allow_compressed();
            if self.request.len() > THRESHOLD {
                self.compressed.clear();
                write_compressed(&mut self.compressed, &self.request)?;
                std::mem::swap(&mut self.request, &mut self.compressed);
            }
        }
        Ok(())
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self { request: Vec::new(), input: FrameReader::new(INITIAL_INPUT), compressed: Vec::new() }
    }
}

/// Unused buffers. The last ones used, which are still in the processor's cache, are used first.
#[derive(Default)]
pub(crate) struct BufferPool {
    kept: Mutex<Kept>,
    /// The input of requests of batches.
    inputs: InputPool,
}

#[derive(Default)]
struct Kept {
    list: Vec<Buffers>,
    /// Those of batches, without input.
    of_batches: Vec<Buffers>,
    /// In bytes, of all buffers in the lists.
    size: usize,
}

impl BufferPool {
    /// Buffers to use. They return to the pool when the lease is dropped.
    pub(crate) fn take(&self) -> BufferLease<'_> {
        let mut kept = self.lock();
        let buffers = kept.list.pop().unwrap_or_default();
        kept.size = kept.size.saturating_sub(buffers.size());
        BufferLease { pool: self, buffers, is_of_batch: false }
    }

    /// Buffers for one of many requests in flight, which take memory for input when their answer begins.
    pub(crate) fn take_for_batch(&self) -> BufferLease<'_> {
        let mut kept = self.lock();
        let buffers = kept.of_batches.pop().unwrap_or_else(|| Buffers {
            input: FrameReader::of_pool(INITIAL_INPUT, self.inputs.clone()),
            request: Vec::new(),
            compressed: Vec::new(),
        });
        kept.size = kept.size.saturating_sub(buffers.size());
        BufferLease { pool: self, buffers, is_of_batch: true }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct BufferLease<'p> {
    pool: &'p BufferPool,
    buffers: Buffers,
    is_of_batch: bool,
}

impl Drop for BufferLease<'_> {
    fn drop(&mut self) {
        let mut buffers = std::mem::take(&mut self.buffers);
        buffers.input.give_back();
        let size = buffers.size();
        let mut kept = self.pool.lock();
        if size <= MAX_KEPT / 4 && kept.size + size <= MAX_KEPT {
            kept.size += size;
            let list = if self.is_of_batch { &mut kept.of_batches } else { &mut kept.list };
            list.push(buffers);
        }
    }
}

impl Deref for BufferLease<'_> {
    type Target = Buffers;

    fn deref(&self) -> &Buffers {
        &self.buffers
    }
}

impl DerefMut for BufferLease<'_> {
    fn deref_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back() {
        let pool = BufferPool::default();
        let mut first = pool.take();
        first.request.reserve(1_000);
        drop(first);
        assert!(pool.take().request.capacity() >= 1_000);
        let counts = || {
            let kept = pool.lock();
            (kept.list.len(), kept.size)
        };
        let mut large = pool.take();
        large.request.reserve(MAX_KEPT / 4 + 1);
        drop(large);
        assert_eq!(counts(), (0, 0));
        let many: Vec<_> = (0..8)
            .map(|_| {
                let mut buffers = pool.take();
                buffers.request.reserve_exact(MAX_KEPT / 4);
                buffers
            })
            .collect();
        drop(many);
        assert_eq!(counts(), (4, MAX_KEPT));
    }
}
