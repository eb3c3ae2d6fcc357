//! Aerospike cluster view, connections and batches on tokio.
//!
//! | module | what |
//! | --- | --- |
//! | `transport` | how a byte stream to an address is opened: [`Transport`], [`TcpTransport`] |
//! | `tls` | the same encrypted: [`TlsTransport`] |
//! | `config`, `policy` | what a user may set |
//! | `auth`, `session` | users and passwords, logins and the tokens that stand for them |
//! | `error` | [`Error`] |
//! | `timer`, `channel`, `connection`, `pool`, `node` | one deadline, one stream, its runtime, the streams of a node |
//! | `contact`, `seeds`, `tend` | how nodes are found, named and watched |
//! | `partition_map` | which node holds which partition: immutable snapshots |
//! | `health`, `hedge`, `backoff` | what commands learn of a node, when another is asked, when again |
//! | `keys`, `request`, `sink` | batches: the rows asked for, what for, where answers go |
//! | `batch`, `rounds`, `chunk`, `under_way`, `later`, `progress`, `alarm`, `scratch`, `spare` | the work of a batch |
//! | `single`, `operate`, `answer` | single-record commands |
//! | `events` | what happened to the cluster, for a log |
//! | `query` | queries: the records of partitions, as a stream |
//! | `turn` | driving a future with breaks |
//! | `cluster`, `stats` | [`Cluster`], the handle that holds it all together, and its state |
//!
//! The crate knows no dtype and no Python: a batch read hands each record, borrowed from the read
//! buffer, to a [`RowSink`]. Time is tokio's, so tests drive the clock; streams come from a
//! [`Transport`], so tests need no network.

#![forbid(unsafe_code)]

mod alarm;
mod answer;
mod auth;
mod backoff;
mod batch;
mod channel;
mod chunk;
mod cluster;
mod config;
mod connection;
mod contact;
mod error;
mod events;
mod health;
mod hedge;
mod keys;
mod later;
mod node;
mod operate;
mod partition_map;
mod policy;
mod pool;
mod progress;
mod query;
mod request;
mod rounds;
mod scratch;
mod seeds;
mod session;
mod single;
mod sink;
mod spare;
mod stats;
mod tend;
mod timer;
mod tls;
mod transport;
mod turn;
mod under_way;

pub use answer::Answer;
pub use auth::{AuthMode, Credentials, Who};
pub use cluster::{Cluster, InfoAnswers};
pub use config::{ClusterConfig, Seed};
pub use error::{ContactFault, Error, SeedFailure, Tried, client_code};
pub use events::{Event, Level, NodeName, Suspicion};
pub use keys::{BatchKeys, BatchRead, Bins, DigestSource, Key, OwnedKey, Space};
pub use policy::{
    BatchPolicy, Hedge, OperatePolicy, QueryPolicy, ReadModeAp, ReadModeSc, ReadPolicy, Replica, WritePolicy,
};
pub use query::{
    PartitionProgress, Query, QueryPartitions, QueryProgress, QueryStopper, RecordBlock, RecordStream,
};
pub use request::{BatchOperate, RowHead, RowOps};
pub use sink::{RowLease, RowOutcome, RowSink};
pub use stats::{ClusterStats, NodeStats};
pub use tls::{Identity, Pem, Revocation, TlsConfig, TlsTransport, TlsVersion};
pub use transport::{BoxFuture, BoxStream, Stream, Target, TcpTransport, Transport};
pub use turn::for_a_turn;
pub use wire_protocol::ResultCode;
pub use wire_protocol::batch::{BatchWriter, EncodedOps, OperateRow, RowAttributes};
pub use wire_protocol::command::{Exists, Generation, WriteOp};
pub use wire_protocol::digest::Digest;
pub use wire_protocol::query::{QueryDuration, QueryRecord};
