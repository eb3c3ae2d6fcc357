//! A node: its listener and connections, and what can be done to them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::cluster::{Cluster, NodeIndex};
use crate::connection::{self, Mode};
use crate::store::Store;

/// How long a node that cannot accept (it has no file left, say) waits before it tries again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What a node's connections share.
pub(crate) struct Node {
    pub(crate) store: Arc<Store>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) index: NodeIndex,
    pub(crate) started: Instant,
    connections: AtomicUsize,
}

impl Node {
    pub(crate) fn new(store: Arc<Store>, cluster: Arc<Cluster>, index: NodeIndex) -> Self {
        Self { store, cluster, index, started: Instant::now(), connections: AtomicUsize::new(0) }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A node that runs. Dropping it takes its listener and connections away.
pub(crate) struct RunningNode {
    mode: watch::Sender<Mode>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunningNode {
    pub(crate) fn start(node: Arc<Node>, listener: TcpListener) -> Self {
        let (mode, modes) = watch::channel(Mode::Running);
        let (stop, stopped) = watch::channel(false);
        Self { mode, stop, task: tokio::spawn(accept(node, listener, modes, stopped)) }
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Stops listening and closes all connections; when this returns, that has happened.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        // An error says that the task is gone already.
        _ = (&mut self.task).await;
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    node: Arc<Node>,
    listener: TcpListener,
    mode: watch::Receiver<Mode>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(Arc::clone(&node), stream, mode.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Counts a connection for as long as it is there.
struct Counted<'n>(&'n Node);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(node: Arc<Node>, stream: TcpStream, mode: watch::Receiver<Mode>) {
    node.connections.fetch_add(1, Ordering::Relaxed);
    let _counted = Counted(&node);
    // A client that goes away in the middle is nothing to tell anybody.
    _ = serve_stream(&node, stream, mode).await;
}

async fn serve_stream(node: &Node, stream: TcpStream, mode: watch::Receiver<Mode>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let reached_at = stream.local_addr()?;
    connection::serve(stream, reached_at, node, mode).await
}
