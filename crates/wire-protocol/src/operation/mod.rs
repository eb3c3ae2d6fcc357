//! What operations on lists, maps, bits, sketches and strings have in common: their layout, and contexts.
//!
//! The value of such an operation is a msgpack list: a command of its family, then the arguments. With a context,
//! that list is the last of three elements: [`WITH_CONTEXT`], the context, the list. The rooms of the families have
//! the commands; expressions call the same commands on what they compute.

pub mod context_type;

/// The first element of an operation that has a context.
pub const WITH_CONTEXT: u8 = 0xff;

/// The command of an operation that selects or modifies elements by a path.
pub const BY_PATH: u8 = 0xfe;
