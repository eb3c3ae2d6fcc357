//! Aerospike messages as bytes: sans-IO, no runtime, no cluster.
//!
//! | module | what |
//! | --- | --- |
//! | [`message`] | frame header, message header, fields, operations: read in place, written into a buffer |
//! | [`particle`] | a bin value as it stands in a message |
//! | [`batch`] | batch requests, written and read; batch answers |
//! | [`command`] | single-record requests |
//! | [`compressed`] | frames in deflated frames |
//! | [`info`] | info requests and answers: peers, replicas, generations |
//! | [`security`] | security messages: logins, session tokens |
//! | [`msgpack`] | lists and maps inside particles |
//! | [`digest`] | record digests of keys, partitions |
//! | [`query`] | primary-index queries: request writer and reader, answer reader |
//! | [`ResultCode`] | the server's result codes: names, and what follows from each |
//!
//! Everything that is read is hostile until checked: each reader refuses what it does not understand
//! with a [`WireError`] and never panics, recurses without bound or allocates by an announced size.

#![deny(unsafe_code)]

pub mod batch;
pub mod command;
pub mod compressed;
pub mod digest;
mod error;
pub mod info;
pub mod message;
pub mod msgpack;
pub mod particle;
pub mod query;
mod result_code;
pub mod security;

pub use error::WireError;
pub use result_code::ResultCode;
