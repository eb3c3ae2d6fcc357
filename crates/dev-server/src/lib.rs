//! A small in-memory server that speaks the Aerospike wire protocol, for tests and for trying things out.
//!
//! # Rooms
//!
//! Each imports only from those below it; `scripts/rooms.py` has the arrows.
//!
//! | room | what |
//! | --- | --- |
//! | `cli` | the program: options, control commands on standard input, signals |
//! | `server` | [`DevServer`], the handle that starts, kills and changes nodes |
//! | `serve` | listeners and connections: frames, TLS, compression, faults of a connection |
//! | `command` | what clients can ask for: single records, batches, queries, info, logins, operations on bins |
//! | `state` | what the server remembers: records and indexes, members of the cluster, queries that run, fault rules, counters, the clock |
//! | `config` | [`Config`] |
//! | `security` | users, their roles, sessions |
//! | `protocol` | flags of requests, kinds of commands, headers of answers |
//! | `error` | [`DevServerError`] |
//!
//! A new command is a module of `command`; what it keeps between requests goes to `state`, or to `security`
//! if it is about users.
//!
//! # What it does, and what it does not
//!
//! All nodes share one store. Replicas are therefore always in step, and a node that receives a command for a
//! partition that it does not hold answers as if it had passed the command on. Still, a node that dies loses
//! its memory: when the last node that holds a partition dies, the records of the partition are lost.
//!
//! Secondary indexes are real ones: ordered, kept up to date by every change of a record, and built in the background if
//! there are many records. Background queries change each record once, also if another node takes over its partition.
//!
//! What is not implemented is answered with the code that a real server has for that. User-defined functions are
//! answered with 16 (unsupported feature), set indexes with 4. Durable deletes, transactions and, unless [`Config::compression`] is set, compressed requests are answered with 25 (Enterprise Edition
//! only), as by the Community Edition. Unknown info commands are answered with `ERROR:4:unrecognized
//! command`.
//!
//! With users, which the Community Edition does not have, each connection has to log in or to present the
//! token of a session. Until then everything else, including info commands, is answered with 80. Commands
//! that the roles of the user do not allow are answered with 81; a connection has the roles that its user had
//! when it logged in. Clients cannot manage users and roles: such commands are answered with 54.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "names that say all there is to say have no comment")]

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
pub use protocol::command_kind::CommandKind;
pub use security::User;
pub use server::DevServer;
pub use state::cluster::NodeIndex;
pub use state::counters::Counters;
pub use state::faults::{Fault, FaultRule};
