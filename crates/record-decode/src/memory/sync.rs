//! Synchronization primitives: the standard library's, or loom's models of them.

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

/// Locks a mutex, poisoned or not: the data behind this crate's mutexes is valid at every moment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stands for the memory of a row in loom models, since loom cannot see accesses through raw pointers. A model fails
/// if two accesses overlap or are not ordered. Outside of models it is empty.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    #[cfg(loom)]
    cell: loom::cell::UnsafeCell<()>,
}

/// A write access, until it is dropped.
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

    /// Fails a model in which a write did not end before.
    #[cfg(loom)]
    pub(crate) fn read(&self) {
        drop(self.cell.get());
    }
}
