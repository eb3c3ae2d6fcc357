//! What a server is made of.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::{DevServerError, User};

/// What a server is made of. [`Config::default`] is one node on a free port of 127.0.0.1 with the
/// namespaces `test` and `bar`.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address or name to listen on.
    pub host: String,
    /// The first node's port, the next nodes take the ports after it; 0 takes free ones.
    pub port: u16,
    /// Number of nodes, at least 1 and at most 64.
    pub nodes: usize,
    /// Names of the namespaces.
    pub namespaces: Vec<String>,
    /// On how many nodes each partition lies; `None` is 2, or 1 for a single node.
    pub replication_factor: Option<usize>,
    /// What the nodes answer as the cluster's name.
    pub cluster_name: String,
    /// The nodes' names; where there are too few, nodes are called `D1`, `D2`, ...
    pub node_names: Vec<String>,
    /// Seconds that a record lives whose write names no time to live; 0 is for ever.
    pub default_ttl: u32,
    /// Largest record in bytes, 1 MiB unless told otherwise.
    pub max_record_size: usize,
    /// Most rows of a batch; 0 is no limit.
    pub batch_max_requests: u32,
    /// Whether compressed requests are taken and answers compressed for those who ask, as the Enterprise
    /// Edition does; without, they are refused with 25.
    pub compression: bool,
    /// Take maps with keys of any type, as servers before 7.1 did: their records may still be about.
    pub any_map_keys: bool,
    /// Seconds between sweeps that free what expired; 0 never sweeps. Expired records are not found with
    /// or without a sweep.
    pub sweep_period: u32,
    /// How long the others take to notice that a node is dead or hung, about 1.5 s in a real cluster. Zero:
    /// a killed node is out of the cluster at once, and one that hangs never is.
    pub failure_detection: Duration,
    /// The rack of each node; the replicas of a partition lie on different ones. Empty: there are none.
    pub racks: Vec<u32>,
    /// Whether the namespaces are strongly consistent: a partition all of whose nodes are dead is
    /// unavailable until one of them comes back, and no record is lost.
    pub strong_consistency: bool,
    /// The host that nodes tell clients to reach them at; `None` is the one that they listen at.
    pub access_host: Option<String>,
    /// The host that nodes tell clients that ask for alternate addresses; `None` is the usual one.
    pub alternate_host: Option<String>,
    /// Who may log in. With users, everybody has to.
    pub users: Vec<User>,
    /// Whether everybody has to log in even where there are no users (yet).
    pub security: bool,
    /// Seconds that a login is good for.
    pub session_ttl: u32,
    /// With it nodes listen for TLS only.
    pub tls: Option<TlsFiles>,
}

/// What nodes prove who they are with. All have the same certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file of the certificate, and of those that lead from it to an authority.
    pub cert: PathBuf,
    /// PEM file of its key.
    pub key: PathBuf,
    /// PEM file of the authorities that clients' certificates must be signed by; without it clients need
    /// none.
    pub ca: Option<PathBuf>,
    /// The name in the certificate, which nodes tell clients to expect.
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
            return fail(format!("a cluster has 1 to 64 nodes, not {}", self.nodes));
        }
        if self.port != 0 && usize::from(self.port) + self.nodes - 1 > usize::from(u16::MAX) {
            return fail(format!("there are no {} ports from {} on", self.nodes, self.port));
        }
        if self.namespaces.is_empty() {
            return fail("at least one namespace is needed".into());
        }
        for (i, name) in self.namespaces.iter().enumerate() {
            if name.is_empty() || name.len() > 31 || !is_plain(name) {
                return fail(format!(
                    "{name:?} is no namespace name: 1 to 31 letters, digits, '-', '_' or '.'"
                ));
            }
            if self.namespaces[..i].contains(name) {
                return fail(format!("the namespace {name:?} is named twice"));
            }
        }
        if let Some(name) = self.node_names.iter().chain([&self.cluster_name]).find(|name| !is_plain(name)) {
            return fail(format!("{name:?} is no name of a node or cluster"));
        }
        if !self.racks.is_empty() && self.racks.len() != self.nodes {
            let (racks, nodes) = (self.racks.len(), self.nodes);
            return fail(format!("there is a rack for each node or none: {racks} racks, {nodes} nodes"));
        }
        if let Some(host) = self.access_host.iter().chain(&self.alternate_host).find(|host| !is_host(host)) {
            return fail(format!("{host:?} is no address and no host name"));
        }
        for (i, user) in self.users.iter().enumerate() {
            if self.users[..i].iter().any(|other| other.name() == user.name()) {
                return fail(format!("the user {:?} is named twice", user.name()));
            }
        }
        if self.session_ttl == 0 {
            return fail("a session lasts at least a second".into());
        }
        if let Some(name) = self.tls.iter().map(|tls| &tls.name).find(|name| !is_host(name)) {
            return fail(format!("{name:?} is no name of a certificate"));
        }
        match self.replication_factor {
            Some(factor) if factor == 0 || factor > self.nodes => {
                fail(format!("the replication factor is 1 to the number of nodes, not {factor}"))
            }
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

/// Names go into info answers as they are, whose separators they must not hold.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok() || (!host.is_empty() && is_plain(host))
}
