//! Operations on the bits of blobs: [`bits`] has a function per operation.
//!
//! Offsets count from 0; negative ones count from the end. `flags` are bits of [`bit_flags`], 0 for none.

pub mod bit_command;
pub mod bit_flags;
pub mod bits;
