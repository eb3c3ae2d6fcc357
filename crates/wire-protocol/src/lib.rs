//! Aerospike messages as bytes: sans-IO, no runtime, no cluster.
//!
//! Requests are appended to a `Vec<u8>`; answers are read in place, from the bytes of a frame. The modules are by
//! subject, and each has its requests and its answers side by side. Where the embedded node has to read a request,
//! a `parsed_request` module is next to the one that writes it.
//!
//! | module | what |
//! | --- | --- |
//! | [`batch`] | batches: rows that read, write, delete or operate |
//! | [`command`] | requests for one record: read, write, operate, delete |
//! | [`query`] | queries over the primary index |
//! | [`expression`] | expressions: filters, and operations that compute |
//! | [`collection`] | operations on lists and maps |
//! | [`bitwise`], [`hll`], [`string`] | operations on bits, on HyperLogLog sketches, on text |
//! | [`operation`] | what these operations have in common: their layout, and contexts |
//! | [`value`] | values as data |
//! | [`info`] | info commands (text) and their answers: peers, replicas, racks |
//! | [`security`] | logins and session tokens |
//! | [`compressed`] | frames that hold a deflated frame |
//! | [`message`] | frame header, message header, fields, operations |
//! | [`digest`] | record digests of keys, and their partitions |
//! | [`msgpack`] | lists and maps inside particles |
//! | [`particle`] | the value of a bin |
//! | [`ResultCode`] | the server's result codes: names, and what follows from each |
//!
//! Bytes from the network are not trusted: a reader returns a [`WireError`] for what it does not understand. It never
//! panics, never recurses without a bound and never allocates by an announced size.

#![deny(unsafe_code)]

pub mod batch;
pub mod bitwise;
pub mod collection;
pub mod command;
pub mod compressed;
pub mod digest;
mod error;
pub mod expression;
pub mod hll;
pub mod info;
pub mod message;
pub mod msgpack;
pub mod operation;
pub mod particle;
pub mod query;
mod result_code;
pub mod security;
pub mod string;
pub mod value;

pub use error::WireError;
pub use result_code::ResultCode;
