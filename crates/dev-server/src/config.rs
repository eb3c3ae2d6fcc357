//! The configuration of a server.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::DevServerError;
use crate::security::User;

/// The configuration of a server. [`Config::default`] is one node on a free port of 127.0.0.1, with the
/// namespaces `test` and `bar`.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address or host name to listen on.
    pub host: String,
    /// Port of the first node; the other nodes use the ports after it. 0 uses free ports.
    pub port: u16,
    /// Number of nodes, 1 to 64.
    pub nodes: usize,
    pub namespaces: Vec<String>,
    /// Number of nodes that hold each partition; `None` is 2, or 1 for a single node.
    pub replication_factor: Option<usize>,
    pub cluster_name: String,
    /// Names of the nodes. Nodes beyond the end of the list are called `D1`, `D2` and so on, by their
    /// position.
    pub node_names: Vec<String>,
    /// Seconds to live of records written without a time to live; 0 means that they never expire.
    pub default_ttl: u32,
    /// Size of the largest record in bytes; 1 MiB by default.
    pub max_record_size: usize,
    /// Largest number of rows in a batch; 0 means no limit.
    pub batch_max_requests: u32,
    /// Accept compressed requests and compress the answers of clients that ask for it, as the Enterprise
    /// Edition does. Without it, compressed requests are answered with code 25.
    pub compression: bool,
    /// Accept maps with keys of any type, as servers before 7.1 did. Records that those wrote still exist.
    pub any_map_keys: bool,
    /// Seconds between sweeps that free expired records; 0 never sweeps. Expired records are not found,
    /// whether they have been swept or not.
    pub sweep_period: u32,
    /// Time until the other nodes notice that a node is dead or hangs; about 1.5 s in a real cluster. With
    /// zero, a killed node leaves the cluster at once, and a node that hangs never does.
    pub failure_detection: Duration,
    /// Rack of each node; the replicas of a partition are on different racks. Empty means no racks.
    pub racks: Vec<u32>,
    /// Make the namespaces strongly consistent: a partition whose nodes are all dead is unavailable until one
    /// of them comes back, and no record is lost.
    pub strong_consistency: bool,
    /// Host that nodes advertise to clients; `None` is the address that they listen on.
    pub access_host: Option<String>,
    /// Host that nodes advertise to clients that use alternate addresses; `None` is the same as
    /// `access_host`.
    pub alternate_host: Option<String>,
    /// Users that may log in. If there are any, all clients have to.
    pub users: Vec<User>,
    /// Require logins even if there are no users.
    pub security: bool,
    /// Seconds that a login stays valid.
    pub session_ttl: u32,
    /// Accept TLS connections only.
    pub tls: Option<TlsFiles>,
}

/// The certificate of the nodes, which all share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file of the certificate and of the intermediate ones up to an authority.
    pub cert: PathBuf,
    /// PEM file of the private key.
    pub key: PathBuf,
    /// PEM file of the authorities that must have signed the certificates of clients; `None` requires no
    /// client certificates.
    pub ca: Option<PathBuf>,
    /// Name in the certificate, which the nodes advertise to clients.
    pub name: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 0,
            nodes: 1,
            namespaces: vec!["test".into(), "bar".into()],
            replication_factor: None,
            cluster_name: "dev-server".into(),
            node_names: Vec::new(),
            default_ttl: 0,
            max_record_size: 1024 * 1024,
            batch_max_requests: 0,
            compression: false,
            any_map_keys: false,
            sweep_period: 10,
            failure_detection: Duration::ZERO,
            racks: Vec::new(),
            strong_consistency: false,
            access_host: None,
            alternate_host: None,
            tls: None,
            users: Vec::new(),
            security: false,
            session_ttl: 86_400,
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), DevServerError> {
        let fail = |what: String| Err(DevServerError::config(what));
        if !(1..=64).contains(&self.nodes) {
            return fail(format!("nodes must be 1 to 64, not {}", self.nodes));
        }
        if self.port != 0 && usize::from(self.port) + self.nodes - 1 > usize::from(u16::MAX) {
            return fail(format!(
                "port {} is too high: {} nodes need consecutive ports, up to {}",
                self.port,
                self.nodes,
                u16::MAX
            ));
        }
        if self.namespaces.is_empty() {
            return fail("at least one namespace is needed".into());
        }
        for (i, name) in self.namespaces.iter().enumerate() {
            if name.is_empty() || name.len() > 31 || !is_plain(name) {
                return fail(format!(
                    "{name:?} is not a namespace name: use 1 to 31 letters, digits, '-', '_' or '.'"
                ));
            }
            if self.namespaces[..i].contains(name) {
                return fail(format!("the namespace {name:?} is given twice"));
            }
        }
        if let Some(name) = self.node_names.iter().chain([&self.cluster_name]).find(|name| !is_plain(name)) {
            return fail(format!(
                "{name:?} is not a node or cluster name: use letters, digits, '-', '_' or '.'"
            ));
        }
        if !self.racks.is_empty() && self.racks.len() != self.nodes {
            let (racks, nodes) = (self.racks.len(), self.nodes);
            return fail(format!("racks must have one entry per node: {racks} racks, {nodes} nodes"));
        }
        if let Some(host) = self.access_host.iter().chain(&self.alternate_host).find(|host| !is_host(host)) {
            return fail(format!("{host:?} is neither an IP address nor a host name"));
        }
        for (i, user) in self.users.iter().enumerate() {
            if self.users[..i].iter().any(|other| other.name() == user.name()) {
                return fail(format!("the user {:?} is given twice", user.name()));
            }
        }
        if self.session_ttl == 0 {
            return fail("the session TTL must be at least 1 second".into());
        }
        if let Some(name) = self.tls.iter().map(|tls| &tls.name).find(|name| !is_host(name)) {
            return fail(format!("{name:?} is not a valid TLS name: use a host name or an IP address"));
        }
        match self.replication_factor {
            Some(factor) if factor == 0 || factor > self.nodes => fail(format!(
                "the replication factor must be 1 to the number of nodes ({}), not {factor}",
                self.nodes
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn replication_factor(&self) -> usize {
        self.replication_factor.unwrap_or(2).min(self.nodes)
    }

    pub(crate) fn node_name(&self, node: usize) -> String {
        self.node_names.get(node).cloned().unwrap_or_else(|| format!("D{:X}", node + 1))
    }
}

/// Info answers contain names unescaped, so names must not contain the separators of those answers.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok() || (!host.is_empty() && is_plain(host))
}
