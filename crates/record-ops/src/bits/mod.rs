//! Bit operations on blobs.
//!
//! [`modify`] and [`read`] take an operation as a client sends it. `arguments` reads and checks it, `change` and
//! `query` apply it. Offsets count from the highest bit of the first byte, or, negative, from the end.

mod arguments;
mod change;
mod query;

use wire_protocol::ResultCode;
use wire_protocol::particle::particle_type;

use self::arguments::{Operation, Outcome, flags};
use crate::bin::{Applied, Bin, BinView, Change};
use crate::error::OpError;

const NOT_A_BLOB: OpError = OpError::bin_type("the bin is not a blob");

/// The largest number of bytes that an operation may name: the size of the largest message.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

const KEEP: Applied = Applied { change: Change::Keep, result: None };

/// Applies an operation that changes a blob. It has no result.
///
/// # Errors
/// Code 4: invalid arguments, an offset before the start. 5 and 17: the flags refuse a bin that exists or does not.
/// 12: the bin is no blob. 26: the operation does not fit the blob, or a sum overflows.
pub fn modify(bin: Option<BinView<'_>>, operation: &[u8]) -> Result<Applied, OpError> {
    let operation = Operation::parse_modify(operation)?;
    let has = |flag| operation.flags & flag != 0;
    let refusal = match bin {
        Some(_) if has(flags::CREATE_ONLY) => {
            Some(OpError::new(ResultCode::BIN_EXISTS, "the bin exists, and the flags say create only"))
        }
        Some(bin) if bin.particle_type != particle_type::BLOB => return Err(NOT_A_BLOB),
        None if !operation.can_create() || has(flags::UPDATE_ONLY) => {
            Some(OpError::new(ResultCode::BIN_NOT_FOUND, "the bin does not exist"))
        }
        _ => None,
    };
    match refusal {
        Some(_) if has(flags::NO_FAIL) => return Ok(KEEP),
        Some(error) => return Err(error),
        None => {}
    }
    match change::apply(&operation, bin.map(|bin| bin.bytes))? {
        Outcome::Done(bytes) => {
            let change = Change::Set(Bin::new(particle_type::BLOB, bytes));
            Ok(Applied { change, result: None })
        }
        Outcome::Nothing => Ok(KEEP),
        Outcome::Failed(_) if has(flags::NO_FAIL) => Ok(KEEP),
        Outcome::Failed(error) => Err(error),
    }
}

/// Applies an operation that reads a blob.
///
/// # Errors
/// Code 4: invalid arguments, an offset before the start. 12: the bin is no blob. 26: the blob is too short.
pub fn read(bin: BinView<'_>, operation: &[u8]) -> Result<Bin, OpError> {
    let operation = Operation::parse_read(operation)?;
    if bin.particle_type != particle_type::BLOB {
        return Err(NOT_A_BLOB);
    }
    query::apply(&operation, bin.bytes)
}

#[cfg(test)]
mod tests;
