//! The synchronisation that the row buffer is built on: the standard library's, or loom's models of it.

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU8, AtomicUsize},
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicU8, AtomicUsize},
};
#[cfg(loom)]
pub(crate) use std::sync::PoisonError;

/// Stands for a row's memory, which loom cannot see through raw pointers: a model fails when two accesses
/// overlap or are not ordered. Nothing at all outside models.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    #[cfg(loom)]
    cell: loom::cell::UnsafeCell<()>,
}

/// A write that is under way.
pub(crate) struct Writing {
    #[cfg(loom)]
    _pointer: loom::cell::MutPtr<()>,
}

impl Probe {
    #[inline]
    pub(crate) fn write(&self) -> Writing {
        Writing {
            #[cfg(loom)]
            _pointer: self.cell.get_mut(),
        }
    }

    /// Fails a model if any write is not known to have ended.
    #[cfg(loom)]
    pub(crate) fn read(&self) {
        drop(self.cell.get());
    }
}
