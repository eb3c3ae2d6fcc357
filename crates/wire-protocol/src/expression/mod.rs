//! Expressions: programs that a server evaluates on a record, in filters and in operations.
//!
//! [`exp`] has the functions that build them, and every [`Call`](crate::operation::Call) of the rooms of operations
//! becomes an expression by [`Call::of`](crate::operation::Call::of). [`compiled`] writes the flat form of the official
//! Python client.
//!
//! ```
//! use wire_protocol::collection::{ReturnType, list};
//! use wire_protocol::expression::exp;
//!
//! // Adults with the tag "red".
//! let tagged = list::get_by_value("red", ReturnType::EXISTS).of(exp::list_bin("tags"));
//! let filter = exp::and([exp::ge(exp::int_bin("age"), 18), tagged]);
//! assert_eq!(filter.to_base64()?, "kxCTBJNRAqNhZ2USlX8BAJMWDaQDcmVkk1EEpHRhZ3M=");
//! # Ok::<(), wire_protocol::WireError>(())
//! ```
//!
//! An expression is msgpack: a literal, or a list of a code of [`exp_code`] and its arguments, which are expressions.
//! Literal lists are quoted ([`exp_code::QUOTE`]); literal maps are sorted by key. Names of bins and variables, and
//! patterns, are strings without a byte for their type. `program` has [`Expression`], and how its bytes are put together.

mod call;
pub mod compiled;
pub mod exp;
pub mod exp_code;
pub mod exp_flags;
pub mod exp_module;
mod operations;
mod program;

pub use self::operations::{read, write, write_operation};
pub use self::program::Expression;
pub use crate::operation::{ExpType, exp_type};

#[cfg(test)]
mod tests;
