//! The server as its owner holds it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::cluster::{Cluster, NodeIndex};
use crate::connection::Mode;
use crate::node::{Node, RunningNode};
use crate::store::Store;
use crate::{Config, DevServerError};

/// A server that runs: one node, or a cluster of several over one store. It lives on the tokio runtime
/// that it was started on; dropping it stops it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), dev_server::DevServerError> {
/// use dev_server::{Config, DevServer};
///
/// let server = DevServer::start(Config { nodes: 3, ..Config::default() }).await?;
/// let [first, second, third] = server.addresses()[..] else { unreachable!() };
/// server.kill(1).await?; // the second node is gone, its partitions are with the others
/// server.restart(1).await?; // and back on the same port
/// # _ = (first, second, third);
/// # Ok(()) }
/// ```
pub struct DevServer {
    nodes: Vec<NodeSlot>,
    cluster: Arc<Cluster>,
    store: Arc<Store>,
    sweeper: JoinHandle<()>,
}

/// A node's place in the cluster, whether it runs or not.
struct NodeSlot {
    address: SocketAddr,
    running: Mutex<Option<RunningNode>>,
}

impl DevServer {
    /// Starts all nodes.
    ///
    /// # Errors
    /// A configuration that contradicts itself, an address that cannot be listened on.
    pub async fn start(config: Config) -> Result<Self, DevServerError> {
        config.check()?;
        let mut listeners = Vec::with_capacity(config.nodes);
        for node in 0..config.nodes {
            let port = if config.port == 0 { 0 } else { config.port + node as u16 };
            listeners.push(listen(&config.host, port).await?);
        }
        let store = Arc::new(Store::new(&config));
        let members = listeners
            .iter()
            .enumerate()
            .map(|(node, (_, address))| (config.node_name(node), *address))
            .collect();
        let cluster = Arc::new(Cluster::new(&config.cluster_name, config.replication_factor(), members));
        let nodes = listeners
            .into_iter()
            .enumerate()
            .map(|(index, (listener, address))| {
                let node = Node::new(Arc::clone(&store), Arc::clone(&cluster), index);
                let running = RunningNode::start(Arc::new(node), listener);
                NodeSlot { address, running: Mutex::new(Some(running)) }
            })
            .collect();
        let sweeper = tokio::spawn(sweep(Arc::clone(&store)));
        Ok(Self { nodes, cluster, store, sweeper })
    }

    /// Where the nodes listen, dead ones too.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Kills a node: it listens no more, its connections are closed, the others take its partitions.
    ///
    /// # Errors
    /// There is no such node, or it is dead.
    pub async fn kill(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let running = self.slot(node)?.running.lock().await.take();
        let running = running.ok_or(DevServerError::State { node, state: "dead" })?;
        running.stop().await;
        self.cluster.set_alive(node, false);
        Ok(())
    }

    /// Starts a dead node again, on its old port.
    ///
    /// # Errors
    /// There is no such node, it is not dead, or its port was taken meanwhile.
    pub async fn restart(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut running = slot.running.lock().await;
        if running.is_some() {
            return Err(DevServerError::State { node, state: "alive" });
        }
        let (listener, _) = listen(&slot.address.ip().to_string(), slot.address.port()).await?;
        let shared = Node::new(Arc::clone(&self.store), Arc::clone(&self.cluster), node);
        self.cluster.set_alive(node, true);
        *running = Some(RunningNode::start(Arc::new(shared), listener));
        Ok(())
    }

    /// Makes a node hang: it accepts connections and answers nothing.
    ///
    /// # Errors
    /// There is no such node, or it is dead.
    pub async fn pause(&self, node: NodeIndex) -> Result<(), DevServerError> {
        self.set_mode(node, Mode::Paused).await
    }

    /// Ends a pause: what was asked meanwhile is answered.
    ///
    /// # Errors
    /// There is no such node, or it is dead.
    pub async fn resume(&self, node: NodeIndex) -> Result<(), DevServerError> {
        self.set_mode(node, Mode::Running).await
    }

    /// Moves the server's clock ahead, so that records expire without waiting.
    pub fn advance_clock(&self, by: Duration) {
        self.store.clock.advance(u32::try_from(by.as_secs()).unwrap_or(u32::MAX));
    }

    /// Stops the server's clock at so many seconds after 2010-01-01 UTC; 0 lets it run again.
    pub fn stop_clock(&self, at: u32) {
        self.store.clock.stop_at(at);
    }

    /// Stops all nodes and waits until they have.
    pub async fn stop(self) {
        self.sweeper.abort();
        for node in &self.nodes {
            if let Some(running) = node.running.lock().await.take() {
                running.stop().await;
            }
        }
    }

    async fn set_mode(&self, node: NodeIndex, mode: Mode) -> Result<(), DevServerError> {
        match &*self.slot(node)?.running.lock().await {
            Some(running) => {
                running.set_mode(mode);
                Ok(())
            }
            None => Err(DevServerError::State { node, state: "dead" }),
        }
    }

    fn slot(&self, node: NodeIndex) -> Result<&NodeSlot, DevServerError> {
        self.nodes.get(node).ok_or(DevServerError::NoSuchNode { node, nodes: self.nodes.len() })
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

/// Frees what has expired, again and again.
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
