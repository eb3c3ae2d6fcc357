//! Operations on lists and maps: [`list`] and [`map`] have a function per operation, [`path`] those that work on many
//! elements at once.
//!
//! The functions return a [`Call`](crate::operation::Call), which is applied to a bin or to an expression:
//!
//! ```
//! use wire_protocol::collection::{ReturnType, list, map};
//! use wire_protocol::operation::Context;
//! use wire_protocol::value::MapOrder;
//!
//! let append = list::append("red", None).on("tags")?;
//! let best = map::get_by_rank(-1, ReturnType::KEY).at(Context::new().map_key("scores")).on("game")?;
//! # Ok::<(), wire_protocol::WireError>(())
//! ```
//!
//! Indexes count from 0 in the order of the list, or of the map's keys; ranks in the order of values. Negative ones
//! count from the end. The modules of commands, flags and return types have the numbers that are sent.

pub mod list;
pub mod list_command;
pub mod list_flags;
pub mod map;
pub mod map_command;
pub mod map_flags;
pub mod path;
pub mod path_flags;
mod policy;
pub mod return_type;

pub use self::policy::{ListPolicy, MapPolicy, ReturnType};

#[cfg(test)]
mod tests;
