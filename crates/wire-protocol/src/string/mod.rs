//! Operations on text, since server 8.2: their commands and flags.

pub mod string_command;
pub mod string_flags;
