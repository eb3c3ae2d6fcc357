//! User-defined functions on one record, in Lua, as an Aerospike server runs them.
//!
//! Nothing here knows a network, a store or a clock: a [`Subject`] with the bins of a record and the arguments of a call
//! go in, a [`Reply`] comes out, with what the function returns and what becomes of the record. Modules and arguments may
//! come from a hostile client: a script has no files, no processes and no bytecode, and its time, instructions and memory
//! are bounded by [`Limits`].
//!
//! Rooms, top to bottom:
//!
//! - [`runtime`]: a Lua state with a module, which applies its functions;
//! - `lua`: what a script sees: the sandbox, `record`, `aerospike`, `list`, `map`, `bytes`;
//! - [`record`]: the record while a function works on it;
//! - `value`: values that scripts share, and their bytes;
//! - [`modules`]: the registered modules;
//! - [`limits`]: what a script may use.

#![forbid(unsafe_code)]

pub mod limits;
mod lua;
pub mod modules;
pub mod record;
pub mod runtime;
mod value;

pub use crate::limits::Limits;
pub use crate::modules::{CompileError, Modules};
pub use crate::record::{Changes, StoredRecord, Subject};
pub use crate::runtime::{Failure, Reply, Runtime};
