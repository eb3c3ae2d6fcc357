//! Bin values into the bytes of a dtype's fields, and back. Knows no network.
//!
//! A [`Plan`] is a schema compiled for one call. A [`RowBuffer`] stands for the memory of an array of such rows. Tasks
//! take a [`Lease`] on it for each frame and write its records straight into their rows, in any order and from several
//! threads at once. [`RowBuffer::finish`] ends that with a [`Summary`]: which values are present, which changed to fit,
//! which failed.
//!
//! An [`EncodePlan`] goes the other way: it writes the fields of a row as the operations of a request.
//!
//! Integers, floats and bools convert to numeric fields; strings, blobs and the like fill `S` and `V`; blobs and lists
//! fill sub-arrays; maps fill structs, and a [`Path`] says where inside a bin the value of a field is. In detail:
//!
//! - an integer that a float field cannot hold exactly counts as changed; a float that is rounded does not, unless it
//!   becomes infinite;
//! - NaN stays NaN in every float field and counts as the same value, as does -0.0, which becomes 0 in an integer
//!   field;
//! - bytes are cut at the end of the field, even inside a character;
//! - a blob is copied into a sub-array unchanged, also into one of bools;
//! - each element of a list that changes is counted; one that fails, nil included, fails the whole field;
//! - of a bin that comes twice in one record, the first one counts;
//! - a key that a map has twice fails the fields that come from it, as does a value that is not a map for a struct, or
//!   on a path; a malformed list or map fails all fields that come from its bin.

#![deny(unsafe_code)]

mod convert;
mod encode;
mod error;
#[allow(unsafe_code)]
mod memory;
mod nested;
mod plan;
mod report;
mod rows;

pub use convert::{Casting, ColumnNumber, HalfBits, Number, time_count};
pub use encode::{BytesAs, EncodeOptions, EncodePlan, Unwritable, WhyNot};
pub use error::Reason;
pub use memory::{RowMemory, RowOutcome};
pub use plan::{Container, Path, PathError, Plan, Projection, Step, find_containers};
pub use report::{Failure, KEPT_FAILURES, Summary, missing_in_both};
pub use rows::{BlockLease, BlockRows, Lease, RecordLabels, RowBlock, RowBuffer, StoredKeys, seconds_left};
