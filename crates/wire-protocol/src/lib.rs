//! Aerospike messages as bytes: sans-IO, no runtime, no cluster.
//!
//! | module | what |
//! | --- | --- |
//! | [`message`] | frame header, message header, fields, operations: read in place, written into a buffer |
//! | [`particle`] | a bin value as it stands in a message |
//! | [`batch`] | batch request writer, batch response reader |
//! | [`batch_request`] | batch request reader |
//! | [`batch_write`] | batch request writer for rows that write, delete and operate |
//! | [`command`] | single-record requests |
//! | [`compressed`] | frames in deflated frames |
//! | [`info`] | info requests and answers: peers, replicas, generations |
//! | [`login`] | security messages: logins, session tokens |
//! | [`msgpack`] | lists and maps inside particles |
//! | [`digest`] | record digests of keys, partitions |
//! | [`query`] | primary-index queries: request writer and reader, answer reader |
//! | [`ResultCode`] | the server's result codes: names, and what follows from each |
//!
//! Everything that is read is hostile until checked: each reader refuses what it does not understand
//! with a [`WireError`] and never panics, recurses without bound or allocates by an announced size.

#![deny(unsafe_code)]

pub mod batch;
pub mod batch_request;
pub mod batch_write;
pub mod command;
pub mod compressed;
pub mod digest;
mod error;
pub mod info;
pub mod login;
pub mod message;
pub mod msgpack;
pub mod particle;
pub mod query;
mod result_code;

pub use error::WireError;
pub use result_code::ResultCode;
