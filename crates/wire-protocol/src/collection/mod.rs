//! Operations on lists and maps: their commands, orders, flags and return types.

pub mod list_command;
pub mod list_flags;
pub mod map_command;
pub mod map_flags;
pub mod path_flags;
pub mod return_type;
