//! Operations on all elements to which a path leads; since server 8.1.1.
//!
//! A path is a [`Context`] whose steps may lead to many elements: [`Context::all_children`],
//! [`Context::map_keys_in`].

use super::path_flags;
use crate::error::WireError;
use crate::message::op;
use crate::msgpack;
use crate::operation::{BY_PATH, Context, Operation, write_command};

/// Returns the elements to which a path leads, as `flags` of [`path_flags`] say.
///
/// # Errors
/// A path without steps; a bin name that is too long to be encoded.
pub fn select(bin: &str, path: &Context, flags: i64) -> Result<Operation, WireError> {
    let args = arguments("path::select", path, flags)?;
    let mut value = Vec::new();
    write_command(&mut value, None, BY_PATH, 2, &args);
    Operation::new(op::CDT_READ, bin, value)
}

/// Replaces each element to which a path leads by the value of an encoded expression, which refers to the element by
/// loop variables. `flags` are 0 or [`path_flags::NO_FAIL`].
///
/// # Errors
/// As [`select`].
pub fn modify(bin: &str, path: &Context, expression: &[u8], flags: i64) -> Result<Operation, WireError> {
    let mut args = arguments("path::modify", path, flags | path_flags::APPLY)?;
    args.extend_from_slice(expression);
    let mut value = Vec::new();
    write_command(&mut value, None, BY_PATH, 3, &args);
    Operation::new(op::CDT_MODIFY, bin, value)
}

fn arguments(function: &'static str, path: &Context, flags: i64) -> Result<Vec<u8>, WireError> {
    if path.is_empty() {
        return Err(WireError::Argument { function, argument: "path", why: "has no steps" });
    }
    let mut args = path.to_bytes();
    msgpack::write_int(&mut args, flags);
    Ok(args)
}
