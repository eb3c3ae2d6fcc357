//! A node of the cluster: its name, its address, its connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::time::Instant;
use wire_protocol::ResultCode;

use crate::connection::{Connection, Opened};
use crate::contact::Connector;
use crate::error::Fault;
use crate::events::{Event, NodeName, Suspicion};
use crate::health::Health;
use crate::hedge;
use crate::pool::{NoPermit, Permit, Pool, Wanted};
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
    pub(crate) health: Health,
    pub(crate) opened: Arc<Opened>,
    connector: Arc<Connector>,
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
            health: connector.health(),
            opened: Arc::default(),
            connector,
            max_rows: AtomicU32::new(u32::MAX),
        }
    }

    /// Whether the node is to be asked while another can be.
    pub(crate) fn is_usable(&self) -> bool {
        !self.health.is_suspect() && !self.health.is_tripped()
    }

    /// Draws conclusions from what went wrong with a request of `rows` that was sent at `sent`.
    pub(crate) fn observe(&self, fault: &Fault, rows: usize, sent: Option<Instant>) {
        if sent.is_some() || !matches!(fault, Fault::Socket | Fault::Deadline) {
            // Time that ran out while a request waited for its turn is the caller's.
            self.count_failure(|health| health.failed(fault));
        }
        match fault {
            Fault::Io(error) => self.suspect(Suspicion::Broken(Arc::clone(error))),
            Fault::Socket | Fault::Deadline => match sent {
                Some(sent) => _ = self.is_silent(rows, sent),
                None => self.look_now.notify_one(),
            },
            Fault::Wire(_) => self.look_now.notify_one(),
            Fault::Saturated | Fault::Tripped | Fault::Gone | Fault::Login { .. } => {}
        }
    }

    /// Whether the node has answered nobody since `sent`, when a request of `rows` was sent that has no answer
    /// yet, for longer than that should take: it is avoided from now on. A caller's own short time says
    /// nothing.
    pub(crate) fn is_silent(&self, rows: usize, sent: Instant) -> bool {
        if !self.health.is_silent_since(sent) {
            return false;
        }
        let is_long = sent.elapsed() >= hedge::adaptive(&self.health, rows);
        if is_long {
            self.suspect(Suspicion::Silent);
        } else {
            self.look_now.notify_one();
        }
        is_long
    }

    /// Draws conclusions from a code that says that the node cannot do what was asked.
    pub(crate) fn observe_code(&self, code: ResultCode) {
        self.count_failure(|health| health.answered(code));
        if code == ResultCode::PARTITION_UNAVAILABLE {
            // The partition may have moved.
            self.look_now.notify_one();
        }
    }

    /// Lets commands avoid the node until it answers its watch, which looks at it soon.
    fn suspect(&self, why: Suspicion) {
        self.avoid(why);
        self.look_now.notify_one();
    }

    /// Lets commands avoid the node.
    pub(crate) fn avoid(&self, why: Suspicion) {
        if self.health.set_suspect(true) {
            self.connector.events.push(Event::Suspect(self.as_named(), why));
        }
    }

    /// Lets commands ask the node again.
    pub(crate) fn trust(&self) {
        if self.health.set_suspect(false) {
            self.connector.events.push(Event::Trusted(self.as_named()));
        }
    }

    /// Its name as events have it.
    pub(crate) fn as_named(&self) -> NodeName {
        NodeName { name: Arc::clone(&self.name), address: self.address }
    }

    /// Counts what may be a failure, and notes if it was one too many.
    fn count_failure(&self, count: impl FnOnce(&Health)) {
        let was_tripped = self.health.is_tripped();
        count(&self.health);
        if !was_tripped && self.health.is_tripped() {
            self.connector.events.push(Event::Tripped(self.as_named(), self.health.limit()));
        }
    }

    /// Whether a code says that the node does not know the user of a connection any more; if so, the next
    /// new connection is preceded by a login. What was asked was not looked at.
    pub(crate) fn has_lost_session(&self, code: ResultCode, connection: &Connection) -> bool {
        match &self.connector.logins {
            Some(logins) if code.ends_session() => {
                if let Some(session) = &connection.session {
                    logins.forget(self.address, self.tls_name.as_deref(), session);
                }
                true
            }
            _ => false,
        }
    }

    /// Begins the next session if this one ends soon.
    pub(crate) fn renew_session(&self) {
        if let Some(logins) = &self.connector.logins {
            logins.renew(self.address, self.tls_name.as_deref());
        }
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

    /// The right to use a connection, in turn.
    pub(crate) async fn permit(&self, timer: &mut Timer) -> Result<Permit<'_>, Fault> {
        // Too late to use a connection is too late to take one, which would have to be closed.
        timer.check()?;
        if self.health.is_tripped() {
            return Err(Fault::Tripped);
        }
        match self.pool.try_permit() {
            Some(permit) => Ok(permit),
            None => match timer.run(Box::pin(self.pool.permit())).await {
                Ok(Ok(permit)) => Ok(permit),
                Ok(Err(NoPermit::Closed)) => Err(Fault::Gone),
                Ok(Err(NoPermit::Crowded)) | Err(_) => Err(Fault::Saturated),
            },
        }
    }

    /// A connection to use alone: an idle one, or a new one where there is none or a new one is wanted.
    pub(crate) async fn lease<'n>(
        &'n self,
        permit: Permit<'n>,
        timer: &mut Timer,
        wanted: Wanted,
    ) -> Result<Leased<'n>, Fault> {
        if wanted != Wanted::New
            && let Some(connection) = self.pool.pop(wanted)
        {
            return Ok(Leased { permit, connection, reused: true });
        }
        // Boxed, for it is seldom and large: every command's future would have the room for it in itself.
        let entering = self.connector.enter_from_anywhere(self.address, self.tls_name.as_deref(), timer);
        let connection = Box::pin(entering).await?;
        Ok(Leased { permit, connection: connection.counted(&self.opened), reused: false })
    }

    /// [`Node::permit`] and [`Node::lease`].
    pub(crate) async fn acquire(&self, timer: &mut Timer, wanted: Wanted) -> Result<Leased<'_>, Fault> {
        let permit = self.permit(timer).await?;
        self.lease(permit, timer, wanted).await
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
