//! Operations on HyperLogLog sketches: [`sketch`] has a function per operation.
//!
//! `flags` are bits of [`hll_flags`], 0 for none.

pub mod hll_command;
pub mod hll_flags;
pub mod sketch;
