//! A small in-memory server that speaks the Aerospike wire protocol: for trying things out and for tests.
//!
//! | module | what |
//! | --- | --- |
//! | `store`, `record` | namespaces, records and their bins as they go out, expiry |
//! | `commands`, `operations`, `collection`, `geojson` | commands on one record, operations on its bins, values |
//! | `batch`, `query` | batches, queries over the primary index |
//! | `info`, `truncate` | what a node tells of itself and the cluster, and what it forgets on demand |
//! | `cluster`, `partition_table` | members of the cluster, and who holds which partition |
//! | `ownership`, `counters` | what a connection looks up and counts for each row |
//! | `security` | users and what they may do, logins, sessions |
//! | `faults` | rules for what goes wrong |
//! | `node`, `connection`, `packing` | listeners and connections, with what goes wrong on them |
//! | `tls` | listening for TLS |
//! | `server`, `cli`, `orders` | the server as a library and as a program |
//!
//! All nodes share one store: replicas are always in step, and a node that is asked for a partition that
//! it does not hold answers as if it had passed the request on. What a node has in memory is gone with it
//! all the same: when the last node dies that holds a partition, so do its records.
//!
//! It is honest: what it does not implement is answered with the server's own error code for that.
//! Filter expressions, collection, bit, HyperLogLog and expression operations, user-defined functions, and
//! queries over secondary indexes or in the background are answered with 16 (unsupported feature); durable
//! deletes, transactions and, unless [`Config::compression`] is set, compressed requests with 25 (Enterprise
//! Edition only), as the Community Edition does; info commands that it does not have with
//! `ERROR:4:unrecognized command`.
//!
//! With users, which the Community Edition does not have, each connection has to log in or to show a
//! session's token first: everything else, info commands too, is answered with 80 until then. A user's roles
//! are looked at as a connection is introduced, and a record that they do not allow is answered with 81. Users
//! and roles cannot be managed by clients: such commands are answered with 54.

#![forbid(unsafe_code)]

mod cli;
mod command;
mod config;
mod error;
mod protocol;
mod security;
mod serve;
mod server;
mod state;

pub use cli::main_with;
pub use config::{Config, TlsFiles};
pub use error::DevServerError;
pub use security::User;
pub use server::DevServer;
pub use state::cluster::NodeIndex;
pub use state::counters::Counters;
pub use state::faults::{CommandKind, Fault, FaultRule};
