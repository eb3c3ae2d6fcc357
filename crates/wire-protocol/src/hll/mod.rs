//! Operations on HyperLogLog sketches: their commands and flags.

pub mod hll_command;
pub mod hll_flags;
