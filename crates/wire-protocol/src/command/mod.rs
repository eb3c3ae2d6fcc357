//! Requests for one record: read, write, operate, delete, apply a function. Their answers are plain [messages](crate::message).
//!
//! Batches and queries use the parts that they share with these: [`Projection`], [`WriteOptions`], the user's key.

mod apply;
mod key;
mod operate;
mod projection;
mod read;
mod transaction;
mod write;

pub use self::apply::{FunctionCall, write_apply};
pub use self::key::RecordKey;
pub(crate) use self::key::write_user_key;
pub use self::operate::{OperateReads, write_operate};
pub(crate) use self::projection::ProjectionParts;
pub use self::projection::{EncodedProjection, Projection};
pub use self::read::{ReadOptions, write_read};
pub use self::transaction::{RecordVersion, TransactionAnswer, TransactionFields};
pub use self::write::{Exists, Generation, WriteOp, WriteOptions, write_delete, write_write};

#[cfg(test)]
mod tests;
