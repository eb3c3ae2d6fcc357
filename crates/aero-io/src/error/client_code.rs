//! The client's own error codes. The numbers are the official client's.

pub const CLIENT: i32 = -1;
/// An invalid parameter.
pub const PARAM: i32 = -2;
/// No connection became free in time.
pub const NO_MORE_CONNECTIONS: i32 = -7;
/// No node to send the command to.
pub const INVALID_NODE: i32 = -8;
/// A connection failed.
pub const CONNECTION: i32 = -10;
/// The node failed too often.
pub const MAX_ERROR_RATE: i32 = -14;
/// The server's answer does not contain the row.
pub const NO_RESPONSE: i32 = -15;
/// Parts of a batch failed.
pub const BATCH_FAILED: i32 = -16;
/// A transaction failed.
pub const TRANSACTION_FAILED: i32 = -17;
/// A transaction that was committed was to be aborted.
pub const TRANSACTION_COMMITTED: i32 = -18;
/// A transaction that was aborted was to be committed.
pub const TRANSACTION_ABORTED: i32 = -19;
