//! What operations on lists, maps, bits, sketches and text have in common: their layout, and contexts.
//!
//! The value of such an operation is a msgpack list: a command of its [`Family`], then the arguments. With a context,
//! that list is the last of three elements: [`WITH_CONTEXT`], the context, the list. Callers that have the arguments
//! as msgpack write it with [`write_command`].
//!
//! The functions of the families' rooms, such as [`list::append`](crate::collection::list::append), return a [`Call`]:
//! a command with arguments. [`Call::on`] applies it to a bin, which gives an [`Operation`]; [`Call::of`] applies it to
//! an expression, which gives an expression.

mod argument;
mod call;
mod context;
pub mod context_type;
pub mod exp_type;
mod layout;

pub use self::argument::Argument;
pub(crate) use self::argument::{write_encoded_literal, write_literal};
pub use self::call::{Call, Operation};
pub(crate) use self::call::{Create, Returns};
pub use self::context::Context;
pub(crate) use self::context::{create_list, create_map};
pub use self::exp_type::ExpType;
pub(crate) use self::layout::write_command_start;
pub use self::layout::{BY_PATH, Family, WITH_CONTEXT, write_command};
