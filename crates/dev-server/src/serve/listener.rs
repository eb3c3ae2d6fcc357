//! A running node: a task that accepts connections, and its handle.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::command::dispatch::Endpoints;
use crate::serve::connection;
use crate::serve::mode::{Mode, until_running};
use crate::state::node::Node;

/// Pause after a failed accept, for example when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Number of connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// The listening socket of a node.
pub(crate) enum Listener {
    Open(TcpListener),
    /// The system refuses connections. Holds the bound socket, if it could be bound, so that no other process
    /// takes the port.
    Closed(Option<TcpSocket>),
}

impl Listener {
    /// A closed listener that keeps the address if it can.
    pub(crate) fn closed(address: SocketAddr) -> Self {
        Self::Closed(bind(address).ok())
    }

    /// Listens on the address again.
    pub(crate) fn reopen(self, address: SocketAddr) -> io::Result<TcpListener> {
        match self {
            Self::Open(listener) => Ok(listener),
            Self::Closed(Some(socket)) => socket.listen(BACKLOG),
            Self::Closed(None) => bind(address)?.listen(BACKLOG),
        }
    }

    /// The next connection; pending for ever while closed.
    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => Ok(listener.accept().await?.0),
            Self::Closed(_) => std::future::pending().await,
        }
    }
}

/// A socket that is bound and does not listen.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On other systems the option lets other processes bind a port that is in use.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A command to the task of a node, which replies when the command has taken effect.
enum ListenerCommand {
    Refuse(oneshot::Sender<()>),
    Admit(oneshot::Sender<io::Result<()>>),
    Stop,
}

/// The handle of a running node. Dropping it closes the listener and all connections.
pub(crate) struct RunningNode {
    mode: watch::Sender<Mode>,
    commands: mpsc::UnboundedSender<ListenerCommand>,
    task: JoinHandle<()>,
}

impl RunningNode {
    pub(crate) fn start(
        node: Arc<Node>,
        listener: TcpListener,
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let (mode, modes) = watch::channel(Mode::Running);
        let (commands, received) = mpsc::unbounded_channel();
        let task = NodeTask { node, address, tls, mode: modes, connections: JoinSet::new() };
        Self { mode, commands, task: tokio::spawn(task.run(listener, received)) }
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Refuses new connections. Takes effect before this returns.
    pub(crate) async fn refuse(&self) {
        let (done, is_done) = oneshot::channel();
        if self.commands.send(ListenerCommand::Refuse(done)).is_ok() {
            _ = is_done.await;
        }
    }

    /// Accepts new connections again.
    pub(crate) async fn admit(&self) -> io::Result<()> {
        let (done, is_done) = oneshot::channel();
        if self.commands.send(ListenerCommand::Admit(done)).is_err() {
            return Ok(());
        }
        is_done.await.unwrap_or(Ok(()))
    }

    /// Stops listening and closes all connections. Takes effect before this returns.
    pub(crate) async fn stop(mut self) {
        _ = self.commands.send(ListenerCommand::Stop);
        // An error means that the task has ended already.
        _ = (&mut self.task).await;
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task of a running node.
struct NodeTask {
    node: Arc<Node>,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    mode: watch::Receiver<Mode>,
    connections: JoinSet<()>,
}

impl NodeTask {
    async fn run(mut self, listener: TcpListener, mut commands: mpsc::UnboundedReceiver<ListenerCommand>) {
        let mut listener = Listener::Open(listener);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(ListenerCommand::Refuse(done)) => {
                        if let Listener::Open(open) = listener {
                            for stream in close(open) {
                                self.spawn(stream);
                            }
                            listener = Listener::closed(self.address);
                        }
                        _ = done.send(());
                    }
                    Some(ListenerCommand::Admit(done)) => {
                        let result;
                        (listener, result) = match listener.reopen(self.address) {
                            Ok(open) => (Listener::Open(open), Ok(())),
                            Err(error) => (Listener::Closed(None), Err(error)),
                        };
                        _ = done.send(result);
                    }
                    Some(ListenerCommand::Stop) | None => break,
                },
                Some(_) = self.connections.join_next(), if !self.connections.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok(stream) => self.spawn(stream),
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listener);
        self.connections.shutdown().await;
    }

    fn spawn(&mut self, stream: TcpStream) {
        self.connections.spawn(serve(Arc::clone(&self.node), self.tls.clone(), stream, self.mode.clone()));
    }
}

/// Closes a listener. Returns the connections that have been established and not accepted: their clients
/// regard them as connected, so they must be served.
fn close(listener: TcpListener) -> Vec<TcpStream> {
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

async fn serve(node: Arc<Node>, tls: Option<TlsAcceptor>, stream: TcpStream, mode: watch::Receiver<Mode>) {
    let _open = node.counters.connection();
    // An error here means that the client has gone away, which is no event worth reporting.
    _ = serve_stream(&node, tls, stream, mode).await;
}

async fn serve_stream(
    node: &Node,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    mut mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let endpoints = Endpoints { local: stream.local_addr()?, client: stream.peer_addr()? };
    match tls {
        None => connection::serve(stream, endpoints, node, mode).await,
        Some(tls) => {
            // A node that hangs does not answer the handshake.
            if !until_running(&mut mode).await {
                return Ok(());
            }
            connection::serve(tls.accept(stream).await?, endpoints, node, mode).await
        }
    }
}
