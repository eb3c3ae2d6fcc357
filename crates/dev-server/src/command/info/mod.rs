//! Info commands: requests and answers in text, by which clients learn about a node and the cluster and
//! manage the server.
//!
//! Commands that only report are answered here; those that do something have a module each.

mod config;
mod functions;
mod index_context;
mod indexes;
mod parameters;
mod queries;
mod truncate;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wire_protocol::ResultCode;
use wire_protocol::message::{FrameType, write_frame};

use crate::command::info::parameters::parameter;
use crate::command::info::truncate::Target;
use crate::security::{Access, permission};
use crate::state::cluster::{Addresses, Cluster, NodeIndex};
use crate::state::counters::Counters;
use crate::state::jobs::Jobs;
use crate::state::node::Node;
use crate::state::store::Store;
use crate::state::store::namespace::Namespace;

/// The release of the real server whose protocol this one speaks. Clients decide by it what they send.
const BUILD: &str = "8.1.2.0";

const EDITION: &str = "Aerospike Community Edition";

/// The features of the real server that this one has.
const FEATURES: &str = "batch-any;batch-index;blob-bits;cdt-index;cdt-list;cdt-map;cluster-stable;float;geo;sindex-exists;\
                        peers;pipelining;pquery;pscans;query-show;replicas;truncate-namespace;udf";

/// Size of the largest answer to one request.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Everything that info answers are made from.
pub(crate) struct InfoSource<'a> {
    store: &'a Arc<Store>,
    cluster: &'a Cluster,
    node: NodeIndex,
    /// The address at which the client reached this node.
    local_address: SocketAddr,
    uptime: Duration,
    counters: Counters,
    jobs: &'a Jobs,
    /// The user that asks; `None` without security.
    user: Option<&'a Access>,
}

/// Appends the answers to the commands in `body`. Like the server, ignores a last line without a newline.
/// Returns `None` if the answer would be too large.
pub(crate) fn answer(source: &InfoSource<'_>, body: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut answers = Vec::new();
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let Some(command) = line.strip_suffix(b"\n") else {
            break;
        };
        if command.is_empty() {
            continue;
        }
        answers.extend_from_slice(command);
        answers.push(b'\t');
        let known = std::str::from_utf8(command).ok().and_then(|command| source.answer(command));
        answers.extend_from_slice(known.as_deref().unwrap_or("ERROR:4:unrecognized command").as_bytes());
        answers.push(b'\n');
        if answers.len() > MAX_ANSWER {
            return None;
        }
    }
    write_frame(out, FrameType::Info, |out| out.extend_from_slice(&answers)).ok()
}

impl<'a> InfoSource<'a> {
    pub(crate) fn new(node: &'a Node, local_address: SocketAddr, user: Option<&'a Access>) -> Self {
        Self {
            store: &node.store,
            cluster: &node.cluster,
            node: node.index,
            local_address,
            uptime: node.uptime(),
            counters: node.counters.snapshot(),
            jobs: &node.jobs,
            user,
        }
    }

    /// The answer to a command; `None` for an unknown command.
    fn answer(&self, command: &str) -> Option<String> {
        if let Some(name) = command.strip_prefix("namespace/") {
            return Some(match self.store.namespace(name.as_bytes()) {
                Some(namespace) => self.namespace(namespace),
                None => "type=unknown".into(),
            });
        }
        if let Some(name) = command.strip_prefix("sets/") {
            return Some(self.sets_of(name));
        }
        if let Some(of) = command.strip_prefix("sindex/") {
            return Some(self.old_index_command(of));
        }
        let (name, parameters) = command.split_once(':').unwrap_or((command, ""));
        Some(match name {
            "node" => self.cluster.view(self.node).name,
            "build" => BUILD.into(),
            "edition" => EDITION.into(),
            "version" => format!("{EDITION} build {BUILD}"),
            "features" => FEATURES.into(),
            "status" => "ok".into(),
            "cluster-name" => self.cluster.name.clone(),
            "cluster-stable" => self.cluster.key.clone(),
            "namespaces" => {
                self.store.namespaces.iter().map(|namespace| &*namespace.name).collect::<Vec<_>>().join(";")
            }
            "sets" => self.store.namespaces.iter().map(|namespace| self.sets(namespace)).collect(),
            "partition-generation" => self.cluster.view(self.node).partition_generation.to_string(),
            "peers-generation" => self.cluster.view(self.node).peers_generation.to_string(),
            "rebalance-generation" => self.cluster.view(self.node).rebalance_generation.to_string(),
            "peers-clear-std" | "peers-clear-alt" | "peers-tls-std" | "peers-tls-alt" => {
                self.cluster.peers(self.node, self.local_address, self.addresses(name)?)
            }
            "service-clear-std" | "service-clear-alt" | "service-tls-std" | "service-tls-alt" => {
                self.cluster.service(self.node, self.local_address, self.addresses(name)?)
            }
            "replicas" => {
                let held = self.cluster.replicas(self.node);
                self.of_each_namespace(&held)
            }
            "rack-ids" => match self.cluster.rack(self.node) {
                Some(rack) => self.of_each_namespace(&rack.to_string()),
                None => "ERROR:25:enterprise only".into(),
            },
            "sindex" | "sindex-create" | "sindex-delete" | "sindex-exists" | "sindex-list"
            | "sindex-stat" => self.index_command(name, parameters),
            "query-show" | "query-abort" | "query-abort-all" => self.query_command(name, parameters),
            "udf-put" | "udf-list" | "udf-get" | "udf-remove" | "udf-clear-cache" => {
                let is_management = !matches!(name, "udf-list" | "udf-get");
                if is_management && !self.allows(permission::UDF_ADMIN, b"", b"") {
                    return Some(role_violation());
                }
                functions::answer(&self.store.functions, name, parameters)
            }
            "statistics" => self.statistics(),
            "get-config" => self.config(parameters)?,
            "logs" => "0:stderr".into(),
            "truncate" | "truncate-undo" | "truncate-namespace" | "truncate-namespace-undo" => {
                self.truncate(name, parameters)
            }
            "user-agent-set" => match parameters.strip_prefix("value=") {
                Some(value) if !value.is_empty() => "ok".into(),
                _ => "ERROR:4:missing 'value'".into(),
            },
            _ => return None,
        })
    }

    /// Whether the client may do this.
    fn allows(&self, wanted: u16, namespace: &[u8], set: &[u8]) -> bool {
        self.user.is_none_or(|user| user.allows(wanted, namespace, set))
    }

    fn truncate(&self, name: &str, parameters: &str) -> String {
        let namespace = parameter(parameters, "namespace").or_else(|| parameter(parameters, "ns"));
        let namespace = namespace.unwrap_or_default().as_bytes();
        let set = parameter(parameters, "set").unwrap_or_default().as_bytes();
        if !self.allows(permission::TRUNCATE, namespace, set) {
            return role_violation();
        }
        let target = if name.starts_with("truncate-namespace") { Target::Namespace } else { Target::Set };
        if name.ends_with("-undo") {
            truncate::undo(self.store, parameters, target)
        } else {
            truncate::truncate(self.store, parameters, target)
        }
    }

    /// The kind of addresses that a command asks for. `None` if it asks for TLS addresses and the node has
    /// others, or the reverse.
    fn addresses(&self, command: &str) -> Option<Addresses> {
        let is_for_tls = command.contains("-tls-");
        let kind = if command.ends_with("-alt") { Addresses::Alternate } else { Addresses::Standard };
        (is_for_tls == self.cluster.is_tls()).then_some(kind)
    }

    /// `name:what` for each namespace.
    fn of_each_namespace(&self, what: &str) -> String {
        let parts: Vec<_> =
            self.store.namespaces.iter().map(|namespace| format!("{}:{what}", namespace.name)).collect();
        parts.join(";")
    }

    fn sets_of(&self, name: &str) -> String {
        let (namespace, set) = match name.split_once('/') {
            Some((namespace, set)) => (namespace, Some(set)),
            None => (name, None),
        };
        let Some(namespace) = self.store.namespace(namespace.as_bytes()) else {
            return "ns_type=unknown".into();
        };
        let all = self.sets(namespace);
        match set {
            None => all,
            Some(set) => all
                .split_inclusive(';')
                .find(|part| part.starts_with(&format!("ns={}:set={set}:", namespace.name)))
                .unwrap_or_default()
                .into(),
        }
    }

    fn namespace(&self, namespace: &Namespace) -> String {
        let usage = namespace.usage();
        let objects: u64 = usage.iter().map(|set| set.objects).sum();
        let bytes: u64 = usage.iter().map(|set| set.bytes).sum();
        let view = self.cluster.view(self.node);
        let (masters, others) = self.cluster.partition_counts(self.node);
        let factor = self.cluster.replication_factor.min(view.cluster_size);
        format!(
            "ns_cluster_size={};effective_replication_factor={factor};objects={};tombstones=0;\
             master_objects={};master_tombstones=0;prole_objects={};prole_tombstones=0;\
             non_replica_objects=0;dead_partitions=0;unavailable_partitions={};stop_writes=false;\
             hwm_breached=false;current_time={};data_used_bytes={bytes};pending_quiesce=false;\
             migrate_tx_partitions_remaining=0;migrate_rx_partitions_remaining=0;truncate_lut={};{}",
            view.cluster_size,
            share(objects, masters + others),
            share(objects, masters),
            share(objects, others),
            self.cluster.unavailable_partitions(),
            self.store.clock.now(),
            usage[0].truncated,
            self.namespace_config(namespace),
        )
    }

    /// This node's share of a number for the whole cluster.
    fn share_of(&self, of_all: u64) -> u64 {
        let (masters, others) = self.cluster.partition_counts(self.node);
        share(of_all, masters + others)
    }

    /// The answer about each set of a namespace.
    fn sets(&self, namespace: &Namespace) -> String {
        let mut answer = String::new();
        for set in namespace.usage().iter().filter(|set| !set.name.is_empty()) {
            // Writing to a string does not fail.
            _ = write!(
                answer,
                "ns={}:set={}:objects={}:tombstones=0:data_used_bytes={}:truncate_lut={}:sindexes={}:\
                 index_populating=false:truncating=false:default-read-touch-ttl-pct=0:default-ttl=0:\
                 disable-eviction=false:enable-index=false:stop-writes-count=0:stop-writes-size=0;",
                namespace.name,
                String::from_utf8_lossy(&set.name).replace(char::is_control, "?"),
                self.share_of(set.objects),
                self.share_of(set.bytes),
                set.truncated,
                self.index_count(namespace, &set.name),
            );
        }
        answer
    }

    fn statistics(&self) -> String {
        let view = self.cluster.view(self.node);
        let objects: u64 = self
            .store
            .namespaces
            .iter()
            .flat_map(Namespace::usage)
            .map(|set| self.share_of(set.objects))
            .sum();
        format!(
            "cluster_size={};cluster_key={};cluster_generation={};cluster_principal={};cluster_integrity=true;\
             cluster_is_member=true;uptime={};objects={objects};tombstones=0;client_connections={};\
             migrate_allowed=true;migrate_partitions_remaining=0",
            view.cluster_size,
            self.cluster.key,
            view.rebalance_generation,
            view.principal,
            self.uptime.as_secs(),
            self.counters.connections_open,
        )
    }
}

/// The answer to a user without the permission for a command.
fn role_violation() -> String {
    format!("ERROR:{}:role violation", ResultCode::ROLE_VIOLATION.get())
}

/// Estimates a node's part of a number by its share of the partitions, since all nodes share one store.
fn share(of_all: u64, partitions: usize) -> u64 {
    of_all * partitions as u64 / wire_protocol::digest::PARTITIONS as u64
}
