//! The synchronisation of rows.

pub(crate) mod sync;
