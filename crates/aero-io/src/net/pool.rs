//! The connections of a node: the one used last is used next, and no more are open than allowed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::net::channel;
use crate::net::connection::Connection;

/// A connection that was in use so recently may be used again without a look at its socket, which is a system call:
/// what has happened to it since might as well happen a moment later.
const FRESH: Duration = Duration::from_millis(1);

/// From then on a connection is at rest: moving it to another runtime costs less than keeping what it came from.
const RESTING: Duration = Duration::from_secs(1);

/// Which connection is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One for what can be sent again if the peer has closed it.
    Any,
    /// One that the peer has not closed, as far as can be seen: what is sent over it may be sent once only.
    Open,
    /// A new one.
    New,
}

/// Idle connections and the right to open more.
///
/// A permit stands for a connection in use. Idle ones need none: a connection is opened only by a permit's
/// holder who finds nothing idle, and put back before its permit is, so in use and idle together never
/// exceed the limit.
pub(crate) struct Pool {
    idle: Mutex<Vec<Idle>>,
    permits: Semaphore,
    limit: usize,
    /// Commands that wait for a permit.
    waiting: AtomicUsize,
    max_idle: Duration,
    closed: AtomicBool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(limit: usize, max_idle: Duration) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(limit),
            limit,
            waiting: AtomicUsize::new(0),
            max_idle,
            closed: AtomicBool::new(false),
        }
    }

    /// Connections that may be open at a time.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The right to use a connection, if nobody waits for one.
    pub(crate) fn try_permit(&self) -> Option<Permit<'_>> {
        let permit = self.permits.try_acquire().ok()?;
        permit.forget();
        Some(Permit { pool: self })
    }

    /// Waits for the right to use a connection, in turn.
    pub(crate) async fn permit(&self) -> Result<Permit<'_>, NoPermit> {
        let _waiting = Waiting::new(self).ok_or(NoPermit::Crowded)?;
        let permit = self.permits.acquire().await.map_err(|_| NoPermit::Closed)?;
        permit.forget();
        Ok(Permit { pool: self })
    }

    /// The idle connection used last, one of this runtime's before others, if it is still good.
    pub(crate) fn pop(&self, wanted: Wanted) -> Option<Connection> {
        let runtime = channel::current_runtime();
        loop {
            let mut idle = self.lock();
            let own = idle.iter().rposition(|idle| idle.connection.belongs_to(runtime));
            let mut top = match own {
                Some(place) => idle.remove(place),
                None => idle.pop()?,
            };
            let age = top.since.elapsed();
            if self.is_too_old(age) {
                // All below it were put back earlier.
                let place = own.unwrap_or(idle.len());
                let expired: Vec<Idle> = idle.drain(..place).collect();
                drop(idle);
                drop((top, expired));
                continue;
            }
            drop(idle);
            let is_trusted = wanted == Wanted::Any && age < FRESH;
            if (is_trusted || top.connection.is_quiet())
                && let Ok(connection) = top.connection.moved_here()
            {
                return Some(connection);
            }
        }
    }

    /// Takes back a connection of which every answer was read.
    fn push(&self, connection: Connection) {
        let mut idle = self.lock();
        // Looked at under the lock that `close` empties the list under: nothing is put back after that.
        if !self.closed.load(Ordering::Acquire) {
            idle.push(Idle { connection, since: Instant::now() });
        }
    }

    /// Closes connections that were idle for too long, and takes those that were for a while into the runtime that this
    /// is called in, which lasts: what is left of the one of a thread that has ended goes with its last connection.
    pub(crate) fn trim(&self) {
        let mut idle = self.lock();
        let expired = idle.iter().take_while(|idle| self.is_too_old(idle.since.elapsed())).count();
        let expired: Vec<Idle> = idle.drain(..expired).collect();
        let all = std::mem::take(&mut *idle);
        idle.extend(all.into_iter().filter_map(|Idle { connection, since }| {
            let is_at_rest = since.elapsed() >= RESTING;
            let connection = if is_at_rest { connection.moved_here().ok()? } else { connection };
            Some(Idle { connection, since })
        }));
        drop(idle);
        drop(expired);
    }

    /// Closes idle connections, and others as they come back.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.permits.close();
        let idle = std::mem::take(&mut *self.lock());
        drop(idle);
    }

    /// Commands that wait for a connection.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Connections in use and idle.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.limit.saturating_sub(self.permits.available_permits()), self.lock().len())
    }

    fn is_too_old(&self, age: Duration) -> bool {
        !self.max_idle.is_zero() && age > self.max_idle
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        // A panic cannot leave the list half changed.
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Commands that may wait for each connection that a node may have. More would hardly get one in time,
/// and a queue without an end is no overload that anybody sees.
const WAITING_PER_CONNECTION: usize = 64;

/// Why there is no right to use a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPermit {
    /// Too many wait for one already.
    Crowded,
    /// The pool was closed.
    Closed,
}

/// A place in the queue.
struct Waiting<'p>(&'p Pool);

impl<'p> Waiting<'p> {
    fn new(pool: &'p Pool) -> Option<Self> {
        let before = pool.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(pool);
        (before < pool.limit.saturating_mul(WAITING_PER_CONNECTION)).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to use one connection.
pub(crate) struct Permit<'p> {
    pool: &'p Pool,
}

impl Permit<'_> {
    /// Puts a connection of which every answer was read back, then gives up the permit.
    pub(crate) fn give_back(self, connection: Connection) {
        self.pool.push(connection);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.pool.permits.add_permits(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::io::{DuplexStream, duplex};

    fn connection() -> (Connection, DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Connection::new(Box::new(ours)), theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn permits_go_round_in_turn() {
        let pool = Pool::new(1, Duration::ZERO);
        let first = pool.permit().await.unwrap();
        let waiting = pool.permit();
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut waiting).await.is_err());
        assert_eq!(pool.counts(), (1, 0));
        let (ours, _theirs) = connection();
        first.give_back(ours);
        let second = waiting.await.unwrap();
        assert!(pool.pop(Wanted::Open).is_some());
        drop(second);
        assert_eq!(pool.counts(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_for_a_connection_has_an_end() {
        let pool = Pool::new(1, Duration::ZERO);
        let first = pool.permit().await;
        let mut queue: Vec<_> = (0..WAITING_PER_CONNECTION).map(|_| Box::pin(pool.permit())).collect();
        for place in &mut queue {
            assert!(place.as_mut().now_or_never().is_none());
        }
        assert_eq!(pool.waiting(), WAITING_PER_CONNECTION);
        assert!(matches!(pool.permit().await, Err(NoPermit::Crowded)));
        queue.truncate(1);
        assert_eq!(pool.waiting(), 1);
        drop(first);
        assert!(queue.remove(0).await.is_ok());
        assert_eq!(pool.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_expire_and_closed_ones_are_not_used() {
        let pool = Pool::new(8, Duration::from_secs(5));
        let mut peers = Vec::new();
        for _ in 0..2 {
            let (ours, theirs) = connection();
            pool.permit().await.unwrap().give_back(ours);
            peers.push(theirs);
            tokio::time::advance(Duration::from_secs(3)).await;
        }
        pool.trim();
        assert_eq!(pool.counts(), (0, 1));
        drop(peers);
        assert!(pool.pop(Wanted::Open).is_none(), "the peer closed it");
        let (ours, _theirs) = connection();
        pool.permit().await.unwrap().give_back(ours);
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(pool.pop(Wanted::Open).is_none(), "it was idle for too long");
    }

    #[tokio::test]
    async fn a_closed_pool_keeps_nothing() {
        let pool = Pool::new(8, Duration::ZERO);
        let (ours, _theirs) = connection();
        let permit = pool.permit().await.unwrap();
        pool.close();
        permit.give_back(ours);
        assert!(pool.pop(Wanted::Open).is_none());
        assert!(matches!(pool.permit().await, Err(NoPermit::Closed)));
    }
}
