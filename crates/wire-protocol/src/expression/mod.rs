//! Expressions: programs that a server evaluates on a record, in filters and in operations.
//!
//! An expression is msgpack: a literal, or a list of a code of [`exp_code`] and its arguments, which are expressions.
//! Literal lists are quoted ([`exp_code::QUOTE`]); literal maps are sorted by key. Names of bins and variables, and
//! patterns, are strings without a byte for their type.

pub mod exp_code;
pub mod exp_flags;
pub mod exp_module;

pub use crate::operation::exp_type;
