//! Settings of a cluster handle.

use std::time::Duration;

use crate::auth::credentials::Credentials;

/// A host through which the cluster is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seed {
    /// A name or an IP address.
    pub host: String,
    pub port: u16,
    /// The name in the host's certificate, for TLS. Defaults to the cluster's name.
    pub tls_name: Option<String>,
}

impl Seed {
    /// A seed without a TLS name.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, tls_name: None }
    }
}

impl std::fmt::Display for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Hosts to start from. Every address of each is tried.
    pub seeds: Vec<Seed>,
    /// Nodes of a cluster with another name are refused.
    pub cluster_name: Option<String>,
    /// `None` if the cluster requires no login.
    pub credentials: Option<Credentials>,
    /// Time for a node's answer to a login.
    pub login_timeout: Duration,
    /// Time between two checks of a node.
    pub tend_interval: Duration,
    /// Time for opening a connection, and for one exchange of a check.
    pub connect_timeout: Duration,
    /// Most open connections for commands per node, at least one. The connection that the node is watched over
    /// is not counted.
    pub max_conns_per_node: usize,
    /// A connection that was idle for longer is closed instead of used; zero is no limit.
    pub max_socket_idle: Duration,
    /// Use the nodes' alternate addresses.
    pub use_services_alternate: bool,
    /// Racks to read from with [`Replica::PreferRack`](crate::Replica::PreferRack), nearest first. If empty,
    /// nodes are not asked for their racks.
    pub racks: Vec<u32>,
    /// A node that fails more often than this within the error window is not used until the next one; zero is
    /// no limit. Failures are connections that had to be closed, timeouts and overload.
    pub max_error_rate: u32,
    /// The length of the error window in tend intervals.
    pub error_rate_window: u32,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            cluster_name: None,
            credentials: None,
            login_timeout: Duration::from_secs(5),
            tend_interval: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            max_conns_per_node: 100,
            max_socket_idle: Duration::from_secs(55),
            use_services_alternate: false,
            racks: Vec::new(),
            max_error_rate: 100,
            error_rate_window: 1,
        }
    }
}
