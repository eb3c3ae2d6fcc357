//! Operations on text, since server 8.2: [`text`] has a function per operation.
//!
//! Positions are those of characters and count from 0; negative ones count from the end. `flags` are bits of
//! [`string_flags`], 0 for none.

pub mod string_command;
pub mod string_flags;
pub mod text;
