//! A node: its listener and connections, and what can be done to them.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::security::{Sessions, Users};
use crate::serve::connection::{self, Mode};
use crate::state::cluster::ownership::Ownership;
use crate::state::cluster::{Cluster, NodeIndex};
use crate::state::counters::Counting;
use crate::state::faults::Faults;
use crate::state::store::Store;

/// How long a node that cannot accept (it has no file left, say) waits before it tries again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// What a node's connections share. It outlives the node's deaths: faults, counters and place in the
/// cluster are the test's that this server is for, not the process's that dies.
pub(crate) struct Node {
    pub(crate) store: Arc<Store>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) index: NodeIndex,
    pub(crate) ownership: Arc<Ownership>,
    pub(crate) faults: Faults,
    pub(crate) counting: Counting,
    tls: Option<TlsAcceptor>,
    pub(crate) users: Arc<Users>,
    pub(crate) sessions: Sessions,
    started: Mutex<Instant>,
}

impl Node {
    pub(crate) fn new(
        store: Arc<Store>,
        cluster: Arc<Cluster>,
        users: Arc<Users>,
        index: NodeIndex,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        Self {
            store,
            ownership: cluster.ownership(index),
            cluster,
            index,
            faults: Faults::default(),
            counting: Counting::default(),
            tls,
            users,
            sessions: Sessions::default(),
            started: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(crate) fn restarted(&self) {
        self.sessions.clear();
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// Where clients knock.
pub(crate) enum Door {
    /// They are let in.
    Open(TcpListener),
    /// The system refuses them. The port is kept from others meanwhile, where that can be done.
    Shut(Option<TcpSocket>),
}

impl Door {
    /// Listens no more.
    pub(crate) fn shut(address: SocketAddr) -> Self {
        Self::Shut(bind(address).ok())
    }

    /// Listens again at its address.
    pub(crate) fn open(self, address: SocketAddr) -> io::Result<TcpListener> {
        match self {
            Self::Open(listener) => Ok(listener),
            Self::Shut(Some(socket)) => socket.listen(BACKLOG),
            Self::Shut(None) => bind(address)?.listen(BACKLOG),
        }
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => Ok(listener.accept().await?.0),
            Self::Shut(_) => std::future::pending().await,
        }
    }
}

/// A socket that has the port and does not listen.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere the option lets others take a port that is in use.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// What a node that runs is told.
enum Order {
    Refuse(oneshot::Sender<()>),
    Admit(oneshot::Sender<io::Result<()>>),
    Stop,
}

/// A node that runs. Dropping it takes its listener and connections away.
pub(crate) struct RunningNode {
    mode: watch::Sender<Mode>,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

impl RunningNode {
    pub(crate) fn start(node: Arc<Node>, listener: TcpListener, address: SocketAddr) -> Self {
        let (mode, modes) = watch::channel(Mode::Running);
        let (orders, received) = mpsc::unbounded_channel();
        Self { mode, orders, task: tokio::spawn(run(node, listener, address, modes, received)) }
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Lets no new connections in; when this returns, that is so.
    pub(crate) async fn refuse(&self) {
        let (done, is_done) = oneshot::channel();
        if self.orders.send(Order::Refuse(done)).is_ok() {
            _ = is_done.await;
        }
    }

    /// Lets connections in again.
    pub(crate) async fn admit(&self) -> io::Result<()> {
        let (done, is_done) = oneshot::channel();
        if self.orders.send(Order::Admit(done)).is_err() {
            return Ok(());
        }
        is_done.await.unwrap_or(Ok(()))
    }

    /// Stops listening and closes all connections; when this returns, that has happened.
    pub(crate) async fn stop(mut self) {
        _ = self.orders.send(Order::Stop);
        // An error says that the task is gone already.
        _ = (&mut self.task).await;
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    node: Arc<Node>,
    listener: TcpListener,
    address: SocketAddr,
    mode: watch::Receiver<Mode>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut connections = JoinSet::new();
    let mut door = Door::Open(listener);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Refuse(done)) => {
                    if let Door::Open(listener) = door {
                        for stream in shut(listener) {
                            connections.spawn(serve(Arc::clone(&node), stream, mode.clone()));
                        }
                        door = Door::shut(address);
                    }
                    _ = done.send(());
                }
                Some(Order::Admit(done)) => {
                    let opened = door.open(address);
                    let (now, result) = match opened {
                        Ok(listener) => (Door::Open(listener), Ok(())),
                        Err(error) => (Door::Shut(None), Err(error)),
                    };
                    door = now;
                    _ = done.send(result);
                }
                Some(Order::Stop) | None => break,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = door.accept() => match accepted {
                Ok(stream) => _ = connections.spawn(serve(Arc::clone(&node), stream, mode.clone())),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(door);
    connections.shutdown().await;
}

/// Closes a listener; gives the connections that were made and not accepted yet: for their clients they
/// are there.
fn shut(listener: TcpListener) -> Vec<TcpStream> {
    let mut waiting = Vec::new();
    let Ok(listener) = listener.into_std() else { return waiting };
    while let Ok((stream, _)) = listener.accept() {
        if stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            waiting.push(stream);
        }
    }
    waiting
}

async fn serve(node: Arc<Node>, stream: TcpStream, mode: watch::Receiver<Mode>) {
    let _open = node.counting.connection();
    // A client that goes away in the middle is nothing to tell anybody.
    _ = serve_stream(&node, stream, mode).await;
}

async fn serve_stream(node: &Node, stream: TcpStream, mut mode: watch::Receiver<Mode>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let reached_at = stream.local_addr()?;
    match &node.tls {
        None => connection::serve(stream, reached_at, node, mode).await,
        Some(tls) => {
            // A node that hangs shakes no hands.
            if mode.wait_for(|mode| *mode == Mode::Running).await.is_err() {
                return Ok(());
            }
            connection::serve(tls.accept(stream).await?, reached_at, node, mode).await
        }
    }
}
