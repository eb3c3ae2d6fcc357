//! Operations with expressions.

use super::Expression;
use crate::error::WireError;
use crate::message::op;
use crate::msgpack;
use crate::operation::Operation;

/// Evaluates an expression and returns its value under the name of a bin, which need not exist. `flags` are 0 or
/// [`exp_flags::EVAL_NO_FAIL`](super::exp_flags::EVAL_NO_FAIL).
///
/// # Errors
/// What a function that built the expression refused; a bin name that is too long to be encoded.
pub fn read(bin: &str, expression: &Expression, flags: i64) -> Result<Operation, WireError> {
    operation(op::EXP_READ, bin, expression, flags)
}

/// Evaluates an expression and writes its value to a bin. `flags` are bits of [`exp_flags`](super::exp_flags), 0 for
/// none.
///
/// # Errors
/// As [`read`].
pub fn write(bin: &str, expression: &Expression, flags: i64) -> Result<Operation, WireError> {
    operation(op::EXP_MODIFY, bin, expression, flags)
}

fn operation(code: u8, bin: &str, expression: &Expression, flags: i64) -> Result<Operation, WireError> {
    let mut value = Vec::new();
    write_operation(&mut value, expression.to_bytes()?, flags);
    Operation::new(code, bin, value)
}

/// Appends the value of an operation with an expression that is encoded already.
pub fn write_operation(out: &mut Vec<u8>, expression: &[u8], flags: i64) {
    msgpack::write_list_header(out, 2);
    out.extend_from_slice(expression);
    msgpack::write_int(out, flags);
}
