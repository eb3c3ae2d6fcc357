//! Discovery: asks a node who it is and what it knows about the cluster.

use std::net::SocketAddr;

use wire_protocol::WireError;
use wire_protocol::info::{self, Build, NamespaceReplicas, Peers};

use crate::error::{DiscoveryFault, Fault};
use crate::net::info::InfoLink;
use crate::node::connector::Connector;

impl Connector {
    /// The info command for the addresses of the other nodes.
    pub(crate) fn peers_command(&self) -> &'static str {
        match (self.opener.is_tls(), self.config.use_services_alternate) {
            (false, false) => "peers-clear-std",
            (false, true) => "peers-clear-alt",
            (true, false) => "peers-tls-std",
            (true, true) => "peers-tls-alt",
        }
    }

    /// The info command for a node's own addresses.
    fn service_command(&self) -> &'static str {
        match (self.opener.is_tls(), self.config.use_services_alternate) {
            (false, false) => "service-clear-std",
            (false, true) => "service-clear-alt",
            (true, false) => "service-tls-std",
            (true, true) => "service-tls-alt",
        }
    }

    /// Connects to an address and asks for everything that the cluster's view is made of. Takes no longer than
    /// the connect timeout, plus the time for a login.
    pub(crate) async fn discover(
        &self,
        address: SocketAddr,
        tls_name: Option<&str>,
    ) -> Result<FoundNode, DiscoveryFault> {
        let limit = self.config.connect_timeout;
        let exchange = async {
            let (connection, mut timer) = self.open_for_watch(address, tls_name).await?;
            let mut link = InfoLink::new(connection);
            let mut commands = Vec::from([
                "node",
                "build",
                "partition-generation",
                "peers-generation",
                self.peers_command(),
                self.service_command(),
                "replicas",
            ]);
            if self.config.cluster_name.is_some() {
                commands.push("cluster-name");
            }
            commands.extend(self.rack_commands());
            let body = link.ask(&commands, &mut timer).await?;
            let info = self.parse_node_info(&body)?;
            let cluster_name = match &self.config.cluster_name {
                Some(_) => Some(info::answer(&body, "cluster-name")?.to_owned()),
                None => None,
            };
            Ok((link, info, cluster_name))
        };
        let (link, info, cluster_name) =
            exchange.await.map_err(|fault: Fault| fault.into_discovery(limit))?;
        if let (Some(expected), Some(found)) = (&self.config.cluster_name, cluster_name)
            && *expected != found
        {
            return Err(DiscoveryFault::ClusterName { expected: expected.clone(), found });
        }
        Ok(FoundNode { address, tls_name: tls_name.map(Into::into), link, info })
    }

    fn parse_node_info(&self, body: &[u8]) -> Result<NodeInfo, WireError> {
        // A node without this kind of access point answers with an error; it has no such addresses.
        let service = info::answer(body, self.service_command())?;
        let service = match info::error_of(service) {
            Some(_) => Vec::new(),
            None => info::parse_service(service).unwrap_or_default(),
        };
        Ok(NodeInfo {
            node: node_name(body)?.to_owned(),
            build: build(body),
            service,
            partition_generation: info::answer(body, "partition-generation")?.to_owned(),
            peers_generation: info::answer(body, "peers-generation")?.to_owned(),
            peers: info::parse_peers(info::answer(body, self.peers_command())?)?,
            replicas: info::parse_replicas(info::answer(body, "replicas")?)?,
            rebalance_generation: self.rebalance_generation(body)?,
            racks: self.racks(body)?.unwrap_or_default(),
        })
    }

    /// The info commands for racks, if racks are configured.
    pub(crate) fn rack_commands(&self) -> &'static [&'static str] {
        if self.config.racks.is_empty() { &[] } else { &["rebalance-generation", "rack-ids"] }
    }

    /// The generation that changes when racks may have changed; `None` if no racks are configured.
    pub(crate) fn rebalance_generation(&self, body: &[u8]) -> Result<Option<String>, WireError> {
        if self.config.racks.is_empty() {
            return Ok(None);
        }
        info::answer(body, "rebalance-generation").map(|generation| Some(generation.to_owned()))
    }

    /// The node's racks; `None` if no racks are configured.
    pub(crate) fn racks(&self, body: &[u8]) -> Result<Option<Vec<(String, u32)>>, WireError> {
        if self.config.racks.is_empty() {
            return Ok(None);
        }
        let racks = info::answer(body, "rack-ids")?;
        // A server without racks, such as the Community Edition, answers with an error.
        if info::error_of(racks).is_some() {
            return Ok(Some(Vec::new()));
        }
        info::parse_rack_ids(racks).map(Some)
    }
}

/// The longest accepted node name. Names have 16 characters.
const MAX_NAME: usize = 255;

/// The node's name in an answer to `node`. It is checked because messages show it as it is, possibly on a
/// terminal.
pub(crate) fn node_name(body: &[u8]) -> Result<&str, WireError> {
    let malformed = |why| Err(WireError::Malformed { what: "info response", why });
    match info::answer(body, "node")? {
        "" => malformed("the node has no name"),
        name if name.len() > MAX_NAME || name.contains(char::is_control) => {
            malformed("the node's name is invalid")
        }
        name => Ok(name),
    }
}

/// The server's build in an answer to `build`; `None` if it is not known.
pub(crate) fn build(body: &[u8]) -> Option<Build> {
    Build::parse(info::answer(body, "build").ok()?)
}

/// A node that answered.
pub(crate) struct FoundNode {
    pub(crate) address: SocketAddr,
    pub(crate) tls_name: Option<Box<str>>,
    /// A connection for watching the node.
    pub(crate) link: InfoLink,
    pub(crate) info: NodeInfo,
}

impl FoundNode {
    /// Fails if the node has another name.
    pub(crate) fn named(self, expected: &str) -> Result<Self, DiscoveryFault> {
        if self.info.node == expected {
            return Ok(self);
        }
        Err(DiscoveryFault::NodeName { expected: expected.into(), found: self.info.node })
    }
}

/// What a node says about itself and its cluster.
#[derive(Clone, Debug)]
pub(crate) struct NodeInfo {
    pub(crate) node: String,
    pub(crate) build: Option<Build>,
    /// Addresses under which the node wants to be reached.
    pub(crate) service: Vec<(String, u16)>,
    /// Only compared for equality, so text is sufficient.
    pub(crate) partition_generation: String,
    pub(crate) peers_generation: String,
    pub(crate) peers: Peers,
    pub(crate) replicas: Vec<NamespaceReplicas>,
    /// `None` if no racks are configured.
    pub(crate) rebalance_generation: Option<String>,
    /// The node's rack in each namespace.
    pub(crate) racks: Vec<(String, u32)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_displayed_are_refused() {
        assert_eq!(node_name(b"node\tBB9020011AC4202\n"), Ok("BB9020011AC4202"));
        let long = format!("node\t{}\n", "A".repeat(256));
        for body in ["node\t\n", "node\t\x1b[31mA\n", "node\tA\rB\n", &long] {
            assert!(node_name(body.as_bytes()).is_err(), "{body:?}");
        }
    }
}
