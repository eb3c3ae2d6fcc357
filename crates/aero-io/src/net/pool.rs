//! The connections of a node. The last one used is used first, and their number is limited.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::net::channel;
use crate::net::connection::Connection;

/// A connection that was in use within this time is used again without checking its socket, which takes a
/// system call. Whatever has happened to it could as well happen a moment later.
const FRESH: Duration = Duration::from_millis(1);

/// After this time without use, moving a connection to another runtime is cheaper than keeping its old one
/// alive.
const RESTING: Duration = Duration::from_secs(1);

/// Which connection a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Any connection: the command can be sent again if the peer has closed it.
    Any,
    /// A connection that the peer has not closed as far as can be seen: the command may be sent only once.
    Open,
    /// A new connection.
    New,
}

/// Idle connections, and permits to use or open one.
///
/// A permit stands for a connection in use; idle connections need none. Only the holder of a permit opens a
/// connection, if none is idle, and it returns the connection before the permit. So the connections in use and
/// idle together never exceed the limit.
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

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// A permit, if one is free now.
    pub(crate) fn try_permit(&self) -> Option<Permit<'_>> {
        let permit = self.permits.try_acquire().ok()?;
        permit.forget();
        Some(Permit { pool: self })
    }

    /// Waits for a permit, in order of arrival.
    pub(crate) async fn permit(&self) -> Result<Permit<'_>, NoPermit> {
        let _waiting = Waiting::new(self).ok_or(NoPermit::Crowded)?;
        let permit = self.permits.acquire().await.map_err(|_| NoPermit::Closed)?;
        permit.forget();
        Ok(Permit { pool: self })
    }

    /// The idle connection that was used last, preferably one of the caller's runtime.
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
                // All connections before it were returned earlier.
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

    /// Takes back a connection whose answers were all read.
    fn push(&self, connection: Connection) {
        let mut idle = self.lock();
        // Read under the lock under which `close` empties the list, so that no connection is returned after
        // that.
        if !self.closed.load(Ordering::Acquire) {
            idle.push(Idle { connection, since: Instant::now() });
        }
    }

    /// Closes connections that were idle for too long, and moves those at rest to the caller's runtime. The
    /// caller is a task of the home runtime; the old runtime, of a thread that may have ended, is freed with
    /// its last connection.
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

    /// Closes idle connections, and others when they are returned.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.permits.close();
        let idle = std::mem::take(&mut *self.lock());
        drop(idle);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Connections in use, and idle ones.
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

/// Commands that may wait for each connection of the limit. More would hardly get one in time, and an unbounded
/// queue would hide the overload.
const WAITING_PER_CONNECTION: usize = 64;

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPermit {
    /// Too many commands wait already.
    Crowded,
    Closed,
}

/// A command that waits, counted until it is dropped.
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

/// Permission to use one connection.
pub(crate) struct Permit<'p> {
    pool: &'p Pool,
}

impl Permit<'_> {
    /// Returns a connection whose answers were all read, and then the permit.
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
    async fn permits_are_granted_in_order() {
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
    async fn the_queue_for_a_connection_is_bounded() {
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
