//! A small in-memory server that speaks the Aerospike wire protocol: for trying things out and for tests.
//!
//! | module | what |
//! | --- | --- |
//! | `store`, `record` | namespaces, records and their bins as they go out, expiry |
//! | `commands`, `operations`, `collection` | commands on one record, operations on its bins |
//! | `batch` | batches |
//! | `info` | what a node tells of itself and the cluster |
//! | `cluster` | members and partition map of several nodes over one store |
//! | `node`, `connection` | listeners, connections, faults |
//! | `server`, `cli` | the server as a library and as a program |
//!
//! It is honest: what it does not implement is answered with the server's own error code for that.
//! Filter expressions, collection, bit, HyperLogLog and expression operations, user-defined functions and
//! queries are answered with 16 (unsupported feature); durable deletes, transactions and compressed
//! requests with 25 (Enterprise Edition only), as the Community Edition does; info commands that it does
//! not have with `ERROR:4:unrecognized command`.

#![forbid(unsafe_code)]

mod answer;
mod batch;
mod cli;
mod clock;
mod cluster;
mod collection;
mod commands;
mod config;
mod connection;
mod error;
#[cfg(test)]
mod hostile;
mod info;
mod node;
mod operations;
mod record;
mod server;
mod store;

pub use cli::main_with;
pub use config::Config;
pub use error::DevServerError;
pub use server::DevServer;
