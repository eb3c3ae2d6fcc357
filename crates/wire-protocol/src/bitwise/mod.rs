//! Operations on the bits of blobs: their commands and flags.

pub mod bit_command;
pub mod bit_flags;
