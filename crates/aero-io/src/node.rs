//! A node of the cluster: its name, its address, its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::connection::Connection;
use crate::contact::Connector;
use crate::error::Fault;
use crate::pool::{Permit, Pool};
use crate::timer::Timer;

/// Fewest rows a chunk is cut to for good after a node refused a larger one.
const MIN_LEARNED_ROWS: u32 = 64;

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A node.
pub(crate) struct Node {
    /// Unique in the process; a node that comes back is another one.
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    pub(crate) address: SocketAddr,
    pub(crate) tls_name: Option<Box<str>>,
    pub(crate) pool: Pool,
    /// Wakes the node's watch before its time.
    pub(crate) look_now: Notify,
    connector: Arc<Connector>,
    suspect: AtomicBool,
    /// Rows that the node takes in one request, as far as it has shown.
    max_rows: AtomicU32,
}

impl Node {
    pub(crate) fn new(
        name: &str,
        address: SocketAddr,
        tls_name: Option<&str>,
        connector: Arc<Connector>,
    ) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            address,
            tls_name: tls_name.map(Into::into),
            pool: connector.pool(),
            look_now: Notify::new(),
            connector,
            suspect: AtomicBool::new(false),
            max_rows: AtomicU32::new(u32::MAX),
        }
    }

    /// Whether the node failed at the last look, or a connection to it failed since.
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    pub(crate) fn set_suspect(&self, suspect: bool) {
        self.suspect.store(suspect, Ordering::Relaxed);
    }

    /// Draws conclusions from what a command saw.
    pub(crate) fn observe(&self, fault: &Fault) {
        match fault {
            Fault::Io(_) => self.set_suspect(true),
            Fault::Socket | Fault::Deadline | Fault::Wire(_) => {}
            Fault::Saturated => return,
        }
        self.look_now.notify_one();
    }

    /// Rows that a request to this node may have.
    pub(crate) fn max_rows(&self) -> usize {
        self.max_rows.load(Ordering::Relaxed) as usize
    }

    /// Notes that a request of `rows` was too large.
    pub(crate) fn refused_rows(&self, rows: usize) {
        let half = u32::try_from(rows / 2).unwrap_or(u32::MAX).max(MIN_LEARNED_ROWS);
        self.max_rows.fetch_min(half, Ordering::Relaxed);
    }

    /// A connection to use alone: an idle one, unless a `fresh` one is wanted, or a new one.
    pub(crate) async fn acquire(&self, timer: &mut Timer, fresh: bool) -> Result<Leased<'_>, Fault> {
        // Too late to use a connection is too late to take one, which would have to be closed.
        timer.check()?;
        let permit = match self.pool.try_permit() {
            Some(permit) => permit,
            None => match timer.run(self.pool.permit()).await {
                Ok(Some(permit)) => permit,
                Ok(None) => return Err(Fault::io(io::ErrorKind::NotConnected, "the node left the cluster")),
                Err(_) => return Err(Fault::Saturated),
            },
        };
        if !fresh && let Some(connection) = self.pool.pop() {
            return Ok(Leased { permit, connection, reused: true });
        }
        let connection = self.connector.open(self.address, self.tls_name.as_deref(), timer).await?;
        Ok(Leased { permit, connection, reused: false })
    }

    pub(crate) fn stats(&self) -> NodeStats {
        let (in_use, idle) = self.pool.counts();
        NodeStats {
            name: self.name.to_string(),
            address: self.address,
            suspect: self.is_suspect(),
            connections_in_use: in_use,
            connections_idle: idle,
        }
    }
}

/// A connection of a node, in use. Dropped, it is closed: there may be answers that nobody read.
pub(crate) struct Leased<'n> {
    permit: Permit<'n>,
    pub(crate) connection: Connection,
    /// Whether it was used before: the peer may have closed it meanwhile.
    pub(crate) reused: bool,
}

impl Leased<'_> {
    /// Gives it back for the next command: every answer was read.
    pub(crate) fn recycle(self) {
        self.permit.give_back(self.connection);
    }
}

/// The state of a cluster's handle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Its nodes, by name.
    pub nodes: Vec<NodeStats>,
}

/// The state of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: SocketAddr,
    /// Whether it failed when it was last looked at or spoken to.
    pub suspect: bool,
    /// Connections that commands use now.
    pub connections_in_use: usize,
    /// Connections that wait to be used.
    pub connections_idle: usize,
}
