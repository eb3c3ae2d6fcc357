//! Aerospike cluster view, connections and batches on tokio.
//!
//! The rooms, top to bottom. A room imports only rooms below it (`scripts/rooms.py` lists which).
//!
//! | room | what |
//! | --- | --- |
//! | `cluster`, `stats` | [`Cluster`], the handle, with a method per command; its state for monitoring. |
//! | `query` | Queries: the records of partitions, as a stream. Background queries. |
//! | `commit` | How transactions end: what they have read is verified, what they have written kept or dropped. |
//! | `batch` | Many rows, sent as requests to several nodes side by side. |
//! | `command` | Commands on one record, info commands; how any request is sent and when it is retried. |
//! | `topology` | Which nodes there are, how they are found and watched, and which partitions each holds. |
//! | `node` | One node: its health, when a request to it is hedged, its new connections, and events for a log. |
//! | `config` | The settings of a cluster handle: [`ClusterConfig`]. |
//! | `auth` | User names, passwords, and the logins at each node. |
//! | `net` | Streams and TLS, connections and their pool, timers, buffers. |
//! | `policy` | The policies of all commands. |
//! | `transaction` | What a [`Transaction`] has read and written, and how far it is. |
//! | `key`, `error` | Types that all commands share: [`Key`] and [`Bins`], [`Error`]. |
//! | `poll_for` | Driving a future for a limited time. |
//!
//! The crate does not depend on Python or on dtypes: a batch hands each record, borrowed from the read buffer,
//! to a [`RowSink`]. Time is tokio's, so tests control the clock; streams come from a [`Transport`], so tests
//! need no network.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "names that say all there is to say have no comment")]

mod auth;
mod batch;
mod cluster;
mod command;
mod commit;
mod config;
mod error;
mod key;
mod metrics;
mod net;
mod node;
mod policy;
mod poll_for;
mod query;
mod stats;
mod topology;
mod transaction;

pub use auth::credentials::{AuthMode, Credentials};
pub use batch::keys::{BatchKeys, DigestSource};
pub use batch::request::{BatchOperate, BatchRead, RowHead, RowOps};
pub use batch::sink::{RowLease, RowOutcome, RowSink};
pub use cluster::Cluster;
pub use command::admin::{AdminAnswer, AdminRequest};
pub use command::answer::Answer;
pub use command::apply::Function;
pub use command::info::InfoAnswers;
pub use commit::{AbortStatus, CommitStatus, EndPolicies};
pub use config::{ClusterConfig, Seed};
pub use error::{DiscoveryFault, Error, LoginUser, NodeProgress, SeedFailure, Tried, client_code};
pub use key::{Bins, Key, OwnedKey, Space};
pub use metrics::trace::CallTrace;
pub use metrics::{CANCELLED, CommandMetrics, Counts};
pub use net::tls::{Identity, Pem, Revocation, TlsConfig, TlsTransport, TlsVersion};
pub use net::transport::{BoxFuture, BoxStream, Stream, Target, TcpTransport, Transport};
pub use node::events::{Event, Level, NodeName, Suspicion};
pub use policy::{
    BatchPolicy, Hedge, Limits, OperatePolicy, QueryPolicy, ReadModeAp, ReadModeSc, ReadPolicy, Reads,
    Replica, WritePolicy,
};
pub use poll_for::poll_for;
pub use query::{
    BackgroundJob, PartitionProgress, Query, QueryOps, QueryPartitions, QueryProgress, QueryStopper,
    RecordBlock, RecordPosition, RecordSink, RecordStream, RecordWriter,
};
pub use stats::{ClusterStats, NodeStats};
pub use transaction::{Transaction, TransactionState};
pub use wire_protocol::ResultCode;
pub use wire_protocol::batch::{BatchWriter, EncodedOps, OperateRow, RowAttributes};
pub use wire_protocol::command::{Exists, Generation, TransactionFields, WriteOp};
pub use wire_protocol::digest::{Digest, PARTITIONS, partition_id};
pub use wire_protocol::query::{
    IndexedValues, Predicate, PredicateIndex, QueryDuration, QueryRecord, ValueRange,
};
pub use wire_protocol::security::{AdminCommand, Privilege, RoleInfo, UserInfo};
