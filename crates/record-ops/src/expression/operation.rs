//! Operations that read or write the value of an expression.

use wire_protocol::ResultCode;
use wire_protocol::particle::particle_type;

use crate::args::Args;
use crate::bin::{Applied, Bin, Change};
use crate::error::OpError;
use crate::expression::{Context, Expression};

/// Flags of the operations.
mod flags {
    pub(super) const CREATE_ONLY: u64 = 1;
    pub(super) const UPDATE_ONLY: u64 = 2;
    pub(super) const ALLOW_DELETE: u64 = 4;
    pub(super) const POLICY_NO_FAIL: u64 = 8;
    pub(super) const EVAL_NO_FAIL: u64 = 16;
    pub(super) const READ: u64 = EVAL_NO_FAIL;
    pub(super) const MODIFY: u64 = CREATE_ONLY | UPDATE_ONLY | ALLOW_DELETE | POLICY_NO_FAIL | EVAL_NO_FAIL;
}

const UNKNOWN: OpError = OpError::not_applicable("the value of the expression is unknown or no bin's value");

/// The expression and the flags of an operation.
fn parse(operation: &[u8], allowed: u64) -> Result<(Expression<'_>, u64), OpError> {
    let mut args = Args::over(operation);
    let len = args.list()?;
    if !matches!(len, 1 | 2) {
        return Err(OpError::parameter("an expression operation has the wrong number of arguments"));
    }
    let bytes = args.value()?;
    // Like the server, ignores flags that are no integer.
    let flags = args.unsigned().unwrap_or(0);
    if flags & !allowed != 0 {
        return Err(OpError::parameter("invalid flags of an expression operation"));
    }
    Ok((Expression::parse(bytes)?, flags))
}

/// Checks an operation that writes the value of an expression, without a record.
///
/// # Errors
/// Code 4: the operation is invalid.
pub fn check_modify(operation: &[u8]) -> Result<(), OpError> {
    parse(operation, flags::MODIFY).map(|_| ())
}

/// Evaluates an expression: its value, nil if it has none, or `None` if it is unknown and the flags say not to fail.
///
/// # Errors
/// Code 4: the operation is invalid. 26: the value is unknown.
pub fn read(context: &Context<'_>, operation: &[u8]) -> Result<Option<Bin>, OpError> {
    let (expression, flags) = parse(operation, flags::READ)?;
    evaluate(&expression, flags, context)
}

fn evaluate(expression: &Expression<'_>, flags: u64, context: &Context<'_>) -> Result<Option<Bin>, OpError> {
    match expression.evaluate(context)? {
        None if flags & flags::EVAL_NO_FAIL == 0 => Err(UNKNOWN),
        value => Ok(value),
    }
}

/// Evaluates an expression and writes its value to the bin `name`; nil removes the bin.
///
/// # Errors
/// Code 4: the operation is invalid. 5 and 17: the flags refuse a bin that exists or does not. 26: the value is
/// unknown, or the flags do not allow the bin to be removed.
pub fn modify(context: &Context<'_>, name: &[u8], operation: &[u8]) -> Result<Applied, OpError> {
    const KEEP: Applied = Applied { change: Change::Keep, result: None };
    let (expression, flags) = parse(operation, flags::MODIFY)?;
    let has = |flag| flags & flag != 0;
    let exists = context.bins.bin(name).is_some();
    let refusal = match exists {
        true if has(flags::CREATE_ONLY) => {
            Some(OpError::new(ResultCode::BIN_EXISTS, "the bin exists, and the flags say create only"))
        }
        false if has(flags::UPDATE_ONLY) => Some(OpError::new(
            ResultCode::BIN_NOT_FOUND,
            "the bin does not exist, and the flags say update only",
        )),
        _ => None,
    };
    match refusal {
        Some(_) if has(flags::POLICY_NO_FAIL) => return Ok(KEEP),
        Some(error) => return Err(error),
        None => {}
    }
    let change = match evaluate(&expression, flags, context)? {
        None => Change::Keep,
        Some(bin) if bin.particle_type != particle_type::NIL => Change::Set(bin),
        Some(_) if !exists => Change::Keep,
        Some(_) if has(flags::ALLOW_DELETE) => Change::Remove,
        // Like the server, keeps the bin silently if there is any flag.
        Some(_) if flags != 0 => Change::Keep,
        Some(_) => return Err(OpError::not_applicable("the flags do not allow the bin to be removed")),
    };
    Ok(Applied { change, result: None })
}
