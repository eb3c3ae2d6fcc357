//! Opening connections, and asking a node who it is and what it knows.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use wire_protocol::WireError;
use wire_protocol::info::{self, NamespaceReplicas, Peers};
use wire_protocol::message::FrameType;

use crate::auth::Who;
use crate::channel;
use crate::config::ClusterConfig;
use crate::connection::{Connection, Input};
use crate::error::{ContactFault, Fault};
use crate::events::Events;
use crate::health::Health;
use crate::pool::Pool;
use crate::session::Logins;
use crate::timer::Timer;
use crate::transport::{Target, Transport};

/// The largest info answer: far above what the largest clusters say of themselves.
const MAX_INFO: usize = 16 * 1024 * 1024;

/// Opens connections of one cluster's handle.
pub(crate) struct Connector {
    transport: Arc<dyn Transport>,
    pub(crate) config: ClusterConfig,
    /// None where nobody logs in.
    pub(crate) logins: Option<Logins>,
    pub(crate) events: Events,
    /// The runtime that lasts: commands may run in another, which is driven only while they do.
    home: Option<Handle>,
}

impl Connector {
    pub(crate) fn new(config: ClusterConfig, transport: Arc<dyn Transport>) -> Self {
        let logins = config.credentials.clone().map(|credentials| {
            let config = ClusterConfig { credentials: None, ..config.clone() };
            Logins::new(credentials, Self::opener(config, Arc::clone(&transport)))
        });
        Self { logins, ..Self::opener(config, transport) }
    }

    /// One that logs nobody in.
    fn opener(config: ClusterConfig, transport: Arc<dyn Transport>) -> Self {
        Self { transport, config, logins: None, events: Events::default(), home: Handle::try_current().ok() }
    }

    /// Starts what goes on after the call that starts it, in the runtime that lasts.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.home {
            Some(home) => home.spawn(future),
            None => tokio::spawn(future),
        }
    }

    /// [`Connector::enter`] in the runtime that lasts, wherever this is called: a connection lives longer than a
    /// command, and so does a login that several wait for.
    pub(crate) async fn enter_from_anywhere(
        self: &Arc<Self>,
        address: SocketAddr,
        tls_name: Option<&str>,
        timer: &mut Timer,
    ) -> Result<Connection, Fault> {
        match &self.home {
            Some(home) if Some(home.id()) != channel::here() => {}
            _ => return self.enter(address, tls_name, timer).await,
        }
        let (connector, tls_name, mut its_timer) =
            (Arc::clone(self), tls_name.map(str::to_owned), timer.alike());
        let mut entering = AbortOnDrop(
            self.spawn(async move { connector.enter(address, tls_name.as_deref(), &mut its_timer).await }),
        );
        let entered = (&mut entering.0).await;
        timer.step();
        match entered {
            Ok(entered) => Ok(entered?.brought_here()?),
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => {
                Err(Fault::io(io::ErrorKind::NotConnected, "connecting was given up: the runtime has ended"))
            }
        }
    }

    /// A node's pool.
    pub(crate) fn pool(&self) -> Pool {
        Pool::new(self.config.max_conns_per_node, self.config.max_socket_idle)
    }

    /// What a node starts with.
    pub(crate) fn health(&self) -> Health {
        let window = self.config.tend_interval.saturating_mul(self.config.error_rate_window.max(1));
        Health::new(self.config.max_error_rate, window)
    }

    /// A new connection, within the connect timeout and `timer`'s time.
    pub(crate) async fn open(
        &self,
        address: SocketAddr,
        tls_name: Option<&str>,
        timer: &mut Timer,
    ) -> Result<Connection, Fault> {
        let tls_name = tls_name.or(self.config.cluster_name.as_deref());
        let opening = self.transport.connect(Target { address, tls_name });
        match timer.run(tokio::time::timeout(self.config.connect_timeout, opening)).await? {
            Ok(stream) => Ok(Connection::new(stream?)),
            Err(_) => Err(Fault::io(io::ErrorKind::TimedOut, "not connected within the connect timeout")),
        }
    }

    /// All addresses of a name, within the connect timeout.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ContactFault> {
        let limit = self.config.connect_timeout;
        match tokio::time::timeout(limit, self.transport.resolve(host, port)).await {
            Ok(Ok(addresses)) if addresses.is_empty() => {
                let none = io::Error::new(io::ErrorKind::NotFound, "it has no address");
                Err(ContactFault::Resolve(Arc::new(none)))
            }
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(ContactFault::Resolve(Arc::new(error))),
            Err(_) => Err(ContactFault::Timeout(limit)),
        }
    }

    /// The info command for the other nodes' addresses.
    pub(crate) fn peers_command(&self) -> &'static str {
        match (self.transport.is_tls(), self.config.use_services_alternate) {
            (false, false) => "peers-clear-std",
            (false, true) => "peers-clear-alt",
            (true, false) => "peers-tls-std",
            (true, true) => "peers-tls-alt",
        }
    }

    /// The info command for a node's own addresses.
    fn service_command(&self) -> &'static str {
        match (self.transport.is_tls(), self.config.use_services_alternate) {
            (false, false) => "service-clear-std",
            (false, true) => "service-clear-alt",
            (true, false) => "service-tls-std",
            (true, true) => "service-tls-alt",
        }
    }

    /// Connects to an address and asks everything that the cluster's view is made of. The whole takes no
    /// longer than the connect timeout, but for a login.
    pub(crate) async fn contact(
        &self,
        address: SocketAddr,
        tls_name: Option<&str>,
    ) -> Result<Contact, ContactFault> {
        let limit = self.config.connect_timeout;
        let exchange = async {
            let (connection, mut timer) = self.enter_to_watch(address, tls_name).await?;
            let mut link = Link::new(connection);
            let mut commands = Vec::from([
                "node",
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
            let facts = self.read_facts(&body)?;
            let cluster_name = match &self.config.cluster_name {
                Some(_) => Some(info::answer(&body, "cluster-name")?.to_owned()),
                None => None,
            };
            Ok((link, facts, cluster_name))
        };
        let (link, facts, cluster_name) = exchange.await.map_err(|fault: Fault| fault.into_contact(limit))?;
        if let (Some(expected), Some(found)) = (&self.config.cluster_name, cluster_name)
            && *expected != found
        {
            return Err(ContactFault::ClusterName { expected: expected.clone(), found });
        }
        Ok(Contact { address, tls_name: tls_name.map(Into::into), link, facts })
    }

    fn read_facts(&self, body: &[u8]) -> Result<Facts, WireError> {
        // A node without that kind of access point answers with an error; it then has no addresses.
        let service = info::answer(body, self.service_command())?;
        let service = match info::error_of(service) {
            Some(_) => Vec::new(),
            None => info::parse_service(service).unwrap_or_default(),
        };
        Ok(Facts {
            node: node_name(body)?.to_owned(),
            service,
            partition_generation: info::answer(body, "partition-generation")?.to_owned(),
            peers_generation: info::answer(body, "peers-generation")?.to_owned(),
            peers: info::parse_peers(info::answer(body, self.peers_command())?)?,
            replicas: info::parse_replicas(info::answer(body, "replicas")?)?,
            rebalance_generation: self.rebalance_generation(body)?,
            racks: self.racks(body)?.unwrap_or_default(),
        })
    }

    /// What is asked about racks, where they matter.
    pub(crate) fn rack_commands(&self) -> &'static [&'static str] {
        if self.config.racks.is_empty() { &[] } else { &["rebalance-generation", "rack-ids"] }
    }

    /// The generation that changes when racks may have; none where they do not matter.
    pub(crate) fn rebalance_generation(&self, body: &[u8]) -> Result<Option<String>, WireError> {
        if self.config.racks.is_empty() {
            return Ok(None);
        }
        info::answer(body, "rebalance-generation").map(|generation| Some(generation.to_owned()))
    }

    /// The node's racks; none where they do not matter.
    pub(crate) fn racks(&self, body: &[u8]) -> Result<Option<Vec<(String, u32)>>, WireError> {
        if self.config.racks.is_empty() {
            return Ok(None);
        }
        let racks = info::answer(body, "rack-ids")?;
        // A server without racks, as the Community Edition is, says that it has none.
        if info::error_of(racks).is_some() {
            return Ok(Some(Vec::new()));
        }
        info::parse_rack_ids(racks).map(Some)
    }
}

/// Ends a task that nobody waits for any more.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Initial buffer for info answers.
const INFO_BUFFER: usize = 8 * 1024;

/// A connection for info commands, with its buffers.
pub(crate) struct Link {
    connection: Connection,
    input: Input,
    request: Vec<u8>,
}

impl Link {
    /// A link over a connection.
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, input: Input::new(INFO_BUFFER), request: Vec::new() }
    }

    /// Sends commands and returns the body of the answer. After an error the link is of no more use.
    pub(crate) async fn ask(&mut self, commands: &[&str], timer: &mut Timer) -> Result<Vec<u8>, Fault> {
        exchange_info(&mut self.connection, &mut self.input, &mut self.request, commands, timer).await
    }
}

/// Sends info commands over a connection and returns the body of the answer.
pub(crate) async fn exchange_info(
    connection: &mut Connection,
    input: &mut Input,
    request: &mut Vec<u8>,
    commands: &[&str],
    timer: &mut Timer,
) -> Result<Vec<u8>, Fault> {
    request.clear();
    info::write_request(request, commands)?;
    input.clear();
    connection.send(request, timer).await.map_err(|(fault, _)| fault)?;
    let body = input.frame(connection, timer, FrameType::Info, MAX_INFO).await?;
    if !input.is_empty() {
        return Err(WireError::Malformed { what: "info response", why: "bytes follow it" }.into());
    }
    let body = input.body(body);
    if let Some(code) = info::refusal(body).filter(|code| code.ends_session()) {
        let who = connection.session.as_ref().map_or_else(Who::nobody, |session| session.who.clone());
        return Err(Fault::Login { code, who });
    }
    Ok(body.to_vec())
}

/// The longest name of a node: far above the sixteen characters that names have.
const MAX_NAME: usize = 255;

/// The node's name in an answer to `node`. It is shown in messages as it is, which may end up on a terminal.
pub(crate) fn node_name(body: &[u8]) -> Result<&str, WireError> {
    let malformed = |why| Err(WireError::Malformed { what: "info response", why });
    match info::answer(body, "node")? {
        "" => malformed("the node has no name"),
        name if name.len() > MAX_NAME || name.contains(char::is_control) => {
            malformed("the node's name cannot be one")
        }
        name => Ok(name),
    }
}

/// A node that answered.
pub(crate) struct Contact {
    pub(crate) address: SocketAddr,
    pub(crate) tls_name: Option<Box<str>>,
    /// The connection, for watching the node.
    pub(crate) link: Link,
    pub(crate) facts: Facts,
}

impl Contact {
    /// Refuses a node of another name.
    pub(crate) fn named(self, expected: &str) -> Result<Self, ContactFault> {
        if self.facts.node == expected {
            return Ok(self);
        }
        Err(ContactFault::NodeName { expected: expected.into(), found: self.facts.node })
    }
}

/// What a node says of itself and its cluster.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) node: String,
    /// Addresses that it wants to be reached at.
    pub(crate) service: Vec<(String, u16)>,
    /// Compared, never counted with: text is enough.
    pub(crate) partition_generation: String,
    pub(crate) peers_generation: String,
    pub(crate) peers: Peers,
    pub(crate) replicas: Vec<NamespaceReplicas>,
    /// None where racks do not matter.
    pub(crate) rebalance_generation: Option<String>,
    /// The node's rack in each namespace.
    pub(crate) racks: Vec<(String, u32)>,
}

/// Time for one exchange of info commands on a user's behalf.
pub(crate) const INFO_TIMEOUT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_messages_could_not_show_are_refused() {
        assert_eq!(node_name(b"node\tBB9020011AC4202\n"), Ok("BB9020011AC4202"));
        let long = format!("node\t{}\n", "A".repeat(256));
        for body in ["node\t\n", "node\t\x1b[31mA\n", "node\tA\rB\n", &long] {
            assert!(node_name(body.as_bytes()).is_err(), "{body:?}");
        }
    }
}
