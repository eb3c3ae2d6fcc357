//! The server as its owner holds it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use wire_protocol::digest::PARTITIONS;

use crate::security::Users;
use crate::serve::connection::Mode;
use crate::serve::listener::{Door, Node, RunningNode};
use crate::serve::tls;
use crate::state::cluster::{Cluster, NodeIndex};
use crate::state::store::Store;
use crate::{Config, Counters, DevServerError, FaultRule, User};

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
    nodes: Vec<Arc<NodeSlot>>,
    cluster: Arc<Cluster>,
    store: Arc<Store>,
    users: Arc<Users>,
    failure_detection: Duration,
    sweeper: JoinHandle<()>,
}

/// A node's place in the cluster, whether it runs or not.
struct NodeSlot {
    node: Arc<Node>,
    address: SocketAddr,
    life: Mutex<Life>,
}

/// What a node does now.
struct Life {
    state: State,
    /// Whether the other nodes hear nothing of it.
    is_silent: bool,
    /// How often it fell silent: tells this silence from earlier ones.
    silences: u64,
}

enum State {
    Running(RunningNode),
    Dead(Door),
}

impl Life {
    fn running(&self, node: NodeIndex) -> Result<&RunningNode, DevServerError> {
        match &self.state {
            State::Running(running) => Ok(running),
            State::Dead(_) => Err(DevServerError::State { node, state: "dead" }),
        }
    }
}

impl DevServer {
    /// Starts all nodes.
    ///
    /// # Errors
    /// A configuration that contradicts itself, an address that cannot be listened on.
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
                let node = Arc::new(Node::new(store, cluster, users, index, tls.clone()));
                let running = RunningNode::start(Arc::clone(&node), listener, address);
                let life = Life { state: State::Running(running), is_silent: false, silences: 0 };
                Arc::new(NodeSlot { node, address, life: Mutex::new(life) })
            })
            .collect();
        let sweeper = tokio::spawn(sweep(Arc::clone(&store)));
        Ok(Self { nodes, cluster, store, users, failure_detection: config.failure_detection, sweeper })
    }

    /// Where the nodes listen, dead ones too.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Kills a node: it listens no more, its connections are closed, what it had in memory is gone. Records
    /// that no other node holds are lost (with strong consistency they are kept for its return). The
    /// others take its partitions once they notice, after [`Config::failure_detection`].
    ///
    /// # Errors
    /// There is no such node, or it is dead.
    pub async fn kill(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut life = slot.life.lock().await;
        life.running(node)?;
        let door = State::Dead(Door::Shut(None));
        if let State::Running(running) = std::mem::replace(&mut life.state, door) {
            running.stop().await;
        }
        life.state = State::Dead(Door::shut(slot.address));
        let lost = self.cluster.kill(node);
        if !self.cluster.is_strong {
            self.store.namespaces.iter().for_each(|namespace| namespace.lose(&lost));
        }
        if self.failure_detection.is_zero() {
            self.cluster.expel(node);
        }
        self.fall_silent(slot, &mut life);
        Ok(())
    }

    /// Starts a dead node again, on its old port and with nothing in memory: it gets the records of its
    /// partitions from the others.
    ///
    /// # Errors
    /// There is no such node, it is not dead, or its port was taken meanwhile.
    pub async fn restart(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut life = slot.life.lock().await;
        let door = match &mut life.state {
            State::Running(_) => return Err(DevServerError::State { node, state: "alive" }),
            State::Dead(door) => std::mem::replace(door, Door::Shut(None)),
        };
        let listener = door.open(slot.address).map_err(|source| slot.cannot_listen(source))?;
        self.cluster.restart(node);
        slot.node.restarted();
        life.is_silent = false;
        life.state = State::Running(RunningNode::start(Arc::clone(&slot.node), listener, slot.address));
        Ok(())
    }

    /// Makes a node hang: it accepts connections and answers nothing. After
    /// [`Config::failure_detection`], if that is not zero, the others take its partitions.
    ///
    /// # Errors
    /// There is no such node, or it is dead.
    pub async fn pause(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut life = slot.life.lock().await;
        life.running(node)?.set_mode(Mode::Paused);
        self.fall_silent(slot, &mut life);
        Ok(())
    }

    /// Makes a node refuse new connections, as a system does where nobody listens; those that are there
    /// are served.
    ///
    /// # Errors
    /// There is no such node, or it is dead.
    pub async fn refuse(&self, node: NodeIndex) -> Result<(), DevServerError> {
        self.slot(node)?.life.lock().await.running(node)?.refuse().await;
        Ok(())
    }

    /// Ends a pause, and that connections are refused: what was asked meanwhile is answered, and the node
    /// is in the cluster again if it was expelled.
    ///
    /// # Errors
    /// There is no such node, it is dead, or it cannot listen again.
    pub async fn resume(&self, node: NodeIndex) -> Result<(), DevServerError> {
        let slot = self.slot(node)?;
        let mut life = slot.life.lock().await;
        let running = life.running(node)?;
        self.cluster.readmit(node);
        running.set_mode(Mode::Running);
        let admitted = running.admit().await;
        life.is_silent = false;
        admitted.map_err(|source| slot.cannot_listen(source))
    }

    /// Lets so many partitions have another living node as their master, and what goes with it: replicas
    /// and generations change as when nodes come and go.
    ///
    /// # Errors
    /// None or more than there are, or fewer than two nodes that live.
    pub fn move_partitions(&self, count: usize) -> Result<(), DevServerError> {
        if !(1..=PARTITIONS).contains(&count) {
            return Err(DevServerError::config(format!(
                "1 to {PARTITIONS} partitions can move, not {count}"
            )));
        }
        self.cluster.move_partitions(count).map_err(DevServerError::config)
    }

    /// Adds a rule for what goes wrong, at a node or at all of them. Rules outlive the death of a node.
    ///
    /// # Errors
    /// There is no such node, or the rule can never hit.
    pub fn inject(&self, node: Option<NodeIndex>, rule: FaultRule) -> Result<(), DevServerError> {
        rule.check()?;
        self.slots(node)?.iter().for_each(|slot| slot.node.faults.add(rule));
        Ok(())
    }

    /// Forgets the rules of a node, or of all of them.
    ///
    /// # Errors
    /// There is no such node.
    pub fn clear_faults(&self, node: Option<NodeIndex>) -> Result<(), DevServerError> {
        self.slots(node)?.iter().for_each(|slot| slot.node.faults.clear());
        Ok(())
    }

    /// What a node was asked until now, dead or alive.
    ///
    /// # Errors
    /// There is no such node.
    pub fn counters(&self, node: NodeIndex) -> Result<Counters, DevServerError> {
        Ok(self.slot(node)?.node.counting.now())
    }

    /// Adds a user, or changes the one of that name: its next login is by the new password. Sessions and
    /// connections that there are stay as they are.
    ///
    /// # Errors
    /// The server started without security.
    pub fn set_user(&self, user: User) -> Result<(), DevServerError> {
        if self.users.set(user) {
            Ok(())
        } else {
            Err(DevServerError::config("there is no security: nobody logs in"))
        }
    }

    /// Moves the server's clock ahead, so that records and sessions expire without waiting.
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
            let gone = State::Dead(Door::Shut(None));
            if let State::Running(running) = std::mem::replace(&mut node.life.lock().await.state, gone) {
                running.stop().await;
            }
        }
    }

    /// The others hear nothing of a node any more; if that goes on, they expel it.
    fn fall_silent(&self, slot: &Arc<NodeSlot>, life: &mut Life) {
        if life.is_silent || self.failure_detection.is_zero() {
            return;
        }
        life.is_silent = true;
        life.silences += 1;
        let (silence, time, cluster) = (life.silences, self.failure_detection, Arc::clone(&self.cluster));
        // The server may be gone by then.
        let slot = Arc::downgrade(slot);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let Some(slot) = slot.upgrade() else { return };
            let life = slot.life.lock().await;
            if life.is_silent && life.silences == silence {
                cluster.expel(slot.node.index);
            }
        });
    }

    fn slot(&self, node: NodeIndex) -> Result<&Arc<NodeSlot>, DevServerError> {
        self.nodes.get(node).ok_or(DevServerError::NoSuchNode { node, nodes: self.nodes.len() })
    }

    /// One node, or all.
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
