//! What a cluster is connected with.

use std::time::Duration;

use crate::auth::credentials::Credentials;

/// A host that a cluster is looked for at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seed {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name in the host's certificate, for transports that check one; none is the cluster's name.
    pub tls_name: Option<String>,
}

impl Seed {
    /// A seed without a certificate's name.
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

/// Settings of a cluster's handle.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Hosts to start from. Every address of each is tried.
    pub seeds: Vec<Seed>,
    /// The cluster's name; nodes of another are refused.
    pub cluster_name: Option<String>,
    /// LoginUser logs in; none where the cluster lets everybody in.
    pub credentials: Option<Credentials>,
    /// Time for a node's answer to a login.
    pub login_timeout: Duration,
    /// Time between two looks at a node.
    pub tend_interval: Duration,
    /// Time for opening a connection, and for one exchange of a look at a node.
    pub connect_timeout: Duration,
    /// Connections for commands that a node may have open at a time, at least one. The connection that
    /// the node is watched by comes on top.
    pub max_conns_per_node: usize,
    /// A connection that was idle for longer is closed instead of used; zero keeps it.
    pub max_socket_idle: Duration,
    /// Whether nodes are reached at their alternate addresses.
    pub use_services_alternate: bool,
    /// Racks to read from with [`Replica::PreferRack`](crate::Replica::PreferRack), the nearest first;
    /// none where nodes are not asked for theirs.
    pub racks: Vec<u32>,
    /// Failures of a node within the window after which it is not asked any more until the next one; zero
    /// is no limit. Counted are connections that had to be closed, timeouts and overload.
    pub max_error_rate: u32,
    /// The window, in tend intervals.
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
