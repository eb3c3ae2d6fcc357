//! Wire values to the bytes of a dtype's fields, and back; knows no network.
//!
//! A [`Plan`] is a schema compiled for one call. A [`RowBuffer`] stands for the memory of an array of such
//! rows; tasks take a [`Lease`] on it for each frame that they read and write the frame's records straight
//! into their rows, in any order and from several threads at once. [`RowBuffer::finish`] ends that and sums
//! up: which values are present, which changed to fit, which did not fit at all.
//!
//! An [`EncodePlan`] is the way back: it writes the fields of a row as the operations of a request.
//!
//! What each field takes is in the contract's table: integers, floats and bools convert to numeric fields,
//! strings, blobs and the like fill `S` and `V`, blobs and lists fill sub-arrays. Beyond the table:
//!
//! - an integer that a float field cannot hold exactly counts as changed; a float that rounds does not,
//!   unless it becomes infinite;
//! - NaN stays NaN in every float field and counts as the same value; so does -0.0, which is 0 in an
//!   integer field;
//! - bytes are cut where the field ends, inside a character if need be;
//! - a blob goes into a sub-array as it is, into one of bools too;
//! - each changed element of a list is counted by itself, and one that does not fit makes the whole cell
//!   a failure; nil in a list does not fit;
//! - a bin that comes twice in one record counts where it came first.

#![deny(unsafe_code)]

mod cell;
mod cell_bits;
mod decode;
mod encode;
mod error;
mod half;
mod list;
mod marks;
mod name;
mod number;
mod order;
mod plan;
#[allow(unsafe_code)]
mod rows;
mod sync;
mod tally;

pub use encode::{BytesAs, EncodeOptions, EncodePlan, Unwritable, WhyNot};
pub use error::Reason;
pub use plan::{Casting, Plan};
pub use rows::{Lease, RowBuffer, RowMemory, RowOutcome};
pub use tally::{Failure, KEPT_FAILURES, Summary};
