//! The server as a library: the handle that starts, kills and changes nodes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use wire_protocol::digest::PARTITIONS;

use crate::config::Config;
use crate::error::DevServerError;
use crate::security::{User, Users};
use crate::serve::listener::{Listener, RunningNode};
use crate::serve::mode::Mode;
use crate::serve::tls;
use crate::state::cluster::{Cluster, NodeIndex};
use crate::state::counters::Counters;
use crate::state::faults::FaultRule;
use crate::state::node::Node;
use crate::state::store::Store;

/// A running server: one node, or a cluster of several that share one store. It runs on the tokio runtime on
/// which it was started, and stops when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), dev_server::DevServerError> {
/// use dev_server::{Config, DevServer};
///
/// let server = DevServer::start(Config { nodes: 3, ..Config::default() }).await?;
/// let [first, second, third] = server.addresses()[..] else { unreachable!() };
/// server.kill(1).await?; // the second node dies, the others take over its partitions
/// server.restart(1).await?; // and comes back on the same port
/// # _ = (first, second, third);
/// # Ok(()) }
/// ```
pub struct DevServer {
    nodes: Vec<Arc<NodeSlot>>,
    cluster: Arc<Cluster>,
    store: Arc<Store>,
    users: Arc<Users>,
    tls: Option<TlsAcceptor>,
    failure_detection: Duration,
    sweeper: JoinHandle<()>,
}

/// A node of the cluster, alive or dead.
struct NodeSlot {
    node: Arc<Node>,
    address: SocketAddr,
    /// Locked for the whole of a change, so that changes of a node do not overlap.
    status: Mutex<NodeStatus>,
}

/// The state of a node's process, and whether the other nodes hear from it:
///
/// | `process` | `is_silent` | the node |
/// | --- | --- | --- |
/// | running | no | serves |
/// | running | yes | hangs, and is expelled after [`Config::failure_detection`] |
/// | dead | yes | is dead, and is expelled after that time |
///
/// With a failure detection of zero, a dead node is expelled at once, and `is_silent` stays false.
struct NodeStatus {
    process: Process,
    is_silent: bool,
    /// How often the node has become silent. A timer that is to expel it does so only if this is still the
    /// number with which it was started, so that it does not end a later silence early.
    silences: u64,
}

enum Process {
    Running(RunningNode),
    Dead(Listener),
}

impl Process {
    /// A dead process that does not keep its port.
    fn dead() -> Self {
        Self::Dead(Listener::Closed(None))
    }
}

impl NodeStatus {
    fn running(&self, node: NodeIndex) -> Result<&RunningNode, DevServerError> {
        match &self.process {
            Process::Running(running) => Ok(running),
            Process::Dead(_) => Err(DevServerError::State { node, state: "dead" }),
        }
    }
}

impl DevServer {
    /// Starts all nodes.
    ///
    /// # Errors
    /// The configuration is invalid, or an address cannot be listened on.
    pub async fn start(config: Config) -> Result<Self, DevServerError> {
        config.check()?;
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let mut listeners = Vec::with_capacity(config.nodes);
        for node in 0..config.nodes {
            let port = if config.port == 0 { 0 } else { config.port + node as u16 };
            listeners.push(listen(&config.host, port).await?);
        }
        let store = Arc::new(Store::new(&config));
        let addresses: Vec<_> = listeners.iter().map(|(_, address)| *address).collect();
        let cluster = Arc::new(Cluster::new(&config, &addresses));
        let users = Arc::new(Users::new(config.security, &config.users, config.session_ttl));
        let nodes = listeners
            .into_iter()
            .enumerate()
            .map(|(index, (listener, address))| {
                let (store, cluster, users) = (Arc::clone(&store), Arc::clone(&cluster), Arc::clone(&users));
                let node = Arc::new(Node::new(store, cluster, users, index));
                let running = RunningNode::start(Arc::clone(&node), listener, address, tls.clone());
                let status = NodeStatus { process: Process::Running(running), is_silent: false, silences: 0 };
                Arc::new(NodeSlot { node, address, status: Mutex::new(status) })
            })
            .collect();
        let sweeper = tokio::spawn(sweep(Arc::clone(&store)));
        Ok(Self { nodes, cluster, store, users, tls, failure_detection: config.failure_detection, sweeper })
    }

    /// The addresses of the nodes, including dead ones.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Kills a node: its listener and connections are closed and its memory is lost. Records that no other
    /// node holds are lost, except with strong consistency, where they are there again after a restart. The
    /// other nodes take over its partitions after [`Config::failure_detection`].
    ///
    /// # Errors
    /// The node does not exist or is dead.
    pub async fn kill(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut status = slot.status.lock().await;
        status.running(node)?;
        if let Process::Running(running) = std::mem::replace(&mut status.process, Process::dead()) {
            running.stop().await;
        }
        slot.node.stop();
        // Bound only now: until the node has stopped, it has the port.
        status.process = Process::Dead(Listener::closed(slot.address));
        let lost = self.cluster.kill(node);
        if !self.cluster.is_strong {
            self.store.namespaces.iter().for_each(|namespace| namespace.remove_partitions(&lost));
        }
        if self.failure_detection.is_zero() {
            self.cluster.expel(node);
        }
        self.become_silent(slot, &mut status);
        Ok(())
    }

    /// Starts a dead node again, on its old port and with an empty memory: it copies its partitions from the
    /// other nodes.
    ///
    /// # Errors
    /// The node does not exist or is alive, or another process has taken its port.
    pub async fn restart(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut status = slot.status.lock().await;
        let listener = match &mut status.process {
            Process::Running(_) => return Err(DevServerError::State { node, state: "alive" }),
            Process::Dead(listener) => std::mem::replace(listener, Listener::Closed(None)),
        };
        let listener = listener.reopen(slot.address).map_err(|source| slot.cannot_listen(source))?;
        self.cluster.restart(node);
        slot.node.restart();
        status.is_silent = false;
        let (node, tls) = (Arc::clone(&slot.node), self.tls.clone());
        status.process = Process::Running(RunningNode::start(node, listener, slot.address, tls));
        Ok(())
    }

    /// Makes a node hang: it accepts connections and answers nothing. The other nodes take over its
    /// partitions after [`Config::failure_detection`], unless that is zero.
    ///
    /// # Errors
    /// The node does not exist or is dead.
    pub async fn pause(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut status = slot.status.lock().await;
        status.running(node)?.set_mode(Mode::Paused);
        self.become_silent(slot, &mut status);
        Ok(())
    }

    /// Makes the system refuse new connections to a node, as if nothing listened on its port. Open
    /// connections are still served.
    ///
    /// # Errors
    /// The node does not exist or is dead.
    pub async fn refuse(&self, node: NodeIndex) -> Result<(), DevServerError> {
        self.slot(node)?.status.lock().await.running(node)?.refuse().await;
        Ok(())
    }

    /// Ends [`pause`](Self::pause) and [`refuse`](Self::refuse). Requests that came meanwhile are answered,
    /// and an expelled node joins the cluster again.
    ///
    /// # Errors
    /// The node does not exist or is dead, or it cannot listen again.
    pub async fn resume(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut status = slot.status.lock().await;
        let running = status.running(node)?;
        self.cluster.readmit(node);
        running.set_mode(Mode::Running);
        let admitted = running.admit().await;
        status.is_silent = false;
        admitted.map_err(|source| slot.cannot_listen(source))
    }

    /// Gives `count` partitions another living node as their master. Replicas and generations change as when
    /// nodes join or leave.
    ///
    /// # Errors
    /// `count` is 0 or larger than the number of partitions, or fewer than two nodes are alive.
    pub fn move_partitions(&self, count: usize) -> Result<(), DevServerError> {
        if !(1..=PARTITIONS).contains(&count) {
            return Err(DevServerError::config(format!(
                "1 to {PARTITIONS} partitions can move, not {count}"
            )));
        }
        self.cluster.move_partitions(count).map_err(DevServerError::config)
    }

    /// Adds a fault rule to a node, or to all nodes. Rules survive the death of a node.
    ///
    /// # Errors
    /// The node does not exist, or no command can match the rule.
    pub fn inject(&self, node: Option<NodeIndex>, rule: FaultRule) -> Result<(), DevServerError> {
        rule.check()?;
        self.slots(node)?.iter().for_each(|slot| slot.node.faults.add(rule));
        Ok(())
    }

    /// Removes the fault rules of a node, or of all nodes.
    ///
    /// # Errors
    /// The node does not exist.
    pub fn clear_faults(&self, node: Option<NodeIndex>) -> Result<(), DevServerError> {
        self.slots(node)?.iter().for_each(|slot| slot.node.faults.clear());
        Ok(())
    }

    /// The counters of a node, alive or dead.
    ///
    /// # Errors
    /// The node does not exist.
    pub fn counters(&self, node: NodeIndex) -> Result<Counters, DevServerError> {
        Ok(self.slot(node)?.node.counters.snapshot())
    }

    /// Adds a user or replaces the one of the same name, whose next login needs the new password. Existing
    /// sessions and connections stay valid.
    ///
    /// # Errors
    /// The server was started without security.
    pub fn set_user(&self, user: User) -> Result<(), DevServerError> {
        if self.users.set(user) {
            Ok(())
        } else {
            Err(DevServerError::config(
                "security is off: start the server with users or with security turned on",
            ))
        }
    }

    /// Moves the server's clock ahead, so that records and sessions expire.
    pub fn advance_clock(&self, by: Duration) {
        self.store.clock.advance(u32::try_from(by.as_secs()).unwrap_or(u32::MAX));
    }

    /// Stops the server's clock at a number of seconds after 2010-01-01 UTC; 0 lets it run again.
    pub fn stop_clock(&self, at: u32) {
        self.store.clock.stop_at(at);
    }

    /// Stops all nodes. They have stopped when this returns.
    pub async fn stop(self) {
        self.sweeper.abort();
        for node in &self.nodes {
            let process = &mut node.status.lock().await.process;
            if let Process::Running(running) = std::mem::replace(process, Process::dead()) {
                running.stop().await;
            }
            node.node.stop();
        }
    }

    /// Marks a node as silent. The others expel it after the failure detection, unless it is heard before.
    fn become_silent(&self, slot: &Arc<NodeSlot>, status: &mut NodeStatus) {
        if status.is_silent || self.failure_detection.is_zero() {
            return;
        }
        status.is_silent = true;
        status.silences += 1;
        let (silence, time, cluster) = (status.silences, self.failure_detection, Arc::clone(&self.cluster));
        // A weak reference: the timer must not keep a stopped server alive.
        let slot = Arc::downgrade(slot);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let Some(slot) = slot.upgrade() else { return };
            let status = slot.status.lock().await;
            if status.is_silent && status.silences == silence {
                cluster.expel(slot.node.index);
            }
        });
    }

    fn slot(&self, node: NodeIndex) -> Result<&Arc<NodeSlot>, DevServerError> {
        self.nodes.get(node).ok_or(DevServerError::NoSuchNode { node, nodes: self.nodes.len() })
    }

    /// The given node, or all nodes.
    fn slots(&self, node: Option<NodeIndex>) -> Result<&[Arc<NodeSlot>], DevServerError> {
        match node {
            Some(node) => self.slot(node).map(std::slice::from_ref),
            None => Ok(&self.nodes),
        }
    }
}

impl NodeSlot {
    fn cannot_listen(&self, source: std::io::Error) -> DevServerError {
        DevServerError::Listen { address: self.address.to_string(), source }
    }
}

impl std::fmt::Debug for DevServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevServer").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

async fn listen(host: &str, port: u16) -> Result<(TcpListener, SocketAddr), DevServerError> {
    let listen = async {
        let listener = TcpListener::bind((host, port)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen.await.map_err(|source| DevServerError::Listen { address: format!("{host}:{port}"), source })
}

/// Frees expired records at intervals.
async fn sweep(store: Arc<Store>) {
    if store.sweep_period == 0 {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(store.sweep_period.into()));
    loop {
        ticks.tick().await;
        let now = store.clock.now();
        for namespace in &store.namespaces {
            namespace.sweep(now);
            tokio::task::yield_now().await;
        }
    }
}
