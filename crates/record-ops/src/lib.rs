//! Operations on the bins of a record, as an Aerospike server applies them.
//!
//! Nothing here knows a network, a store or a clock: the bytes of a bin and of an operation go in, the new bytes of
//! the bin and the result of the operation come out, or an [`OpError`] with the server's result code. All bytes may
//! come from a hostile client: depth, memory and time are bounded by the size of the input and by
//! [`value::MAX_VALUE`].
//!
//! Rooms, top to bottom:
//!
//! - [`expression`]: filters and computed values;
//! - [`bits`], [`hll`]: operations on blobs and on HyperLogLogs;
//! - [`geo`]: GeoJSON, and which points a region contains;
//! - `args`: the arguments of operations; `bit_string`: bits of byte strings;
//! - [`bin`]: what an operation sees of a record, and what it gives back;
//! - [`collection`]: operations on lists and maps;
//! - [`value`]: values inside lists and maps: reading, writing, the server's order;
//! - [`error`]: result codes.

#![forbid(unsafe_code)]

mod args;
pub mod bin;
mod bit_string;
pub mod bits;
pub mod collection;
pub mod error;
pub mod expression;
pub mod geo;
pub mod hll;
pub mod value;

pub use crate::bin::{Applied, Bin, BinView, Change, RecordView};
pub use crate::error::OpError;
pub use crate::value::Value;
