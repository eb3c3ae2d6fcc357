//! What a node was asked, in numbers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::security::Ended;
use crate::state::faults::CommandKind;

/// What a node was asked since the server started, its times before a restart included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that it accepted.
    pub connections: u64,
    /// Connections that are open now.
    pub connections_open: u64,
    /// Batches that it was sent.
    pub batch_requests: u64,
    /// Their rows, answered or not.
    pub batch_rows: u64,
    /// Rows, and commands on one record, that it answered and that were of partitions that it does not hold, or (with strong consistency)
    /// is not master of where only the master may answer: it passed them on.
    pub passed_on: u64,
    /// Queries that it was sent.
    pub queries: u64,
    /// Records that it answered them with.
    pub query_records: u64,
    /// Commands that read one record.
    pub reads: u64,
    /// Commands that write one record.
    pub writes: u64,
    /// Requests of info commands.
    pub info_requests: u64,
    /// Commands that a fault hit.
    pub faults: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Connections that were introduced by a token or a credential.
    pub authentications: u64,
    /// Logins and introductions that were refused.
    pub logins_refused: u64,
}

impl Counters {
    /// Names and numbers, in a fixed order.
    fn named(&self) -> [(&'static str, u64); 14] {
        [
            ("connections", self.connections),
            ("connections_open", self.connections_open),
            ("batch_requests", self.batch_requests),
            ("batch_rows", self.batch_rows),
            ("passed_on", self.passed_on),
            ("queries", self.queries),
            ("query_records", self.query_records),
            ("reads", self.reads),
            ("writes", self.writes),
            ("info_requests", self.info_requests),
            ("faults", self.faults),
            ("logins", self.logins),
            ("authentications", self.authentications),
            ("logins_refused", self.logins_refused),
        ]
    }
}

/// `name=value`, with blanks between them.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.named().into_iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            write!(f, "{blank}{name}={value}")?;
        }
        Ok(())
    }
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    connections: AtomicU64,
    connections_open: AtomicU64,
    batch_requests: AtomicU64,
    batch_rows: AtomicU64,
    passed_on: AtomicU64,
    queries: AtomicU64,
    query_records: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    info_requests: AtomicU64,
    faults: AtomicU64,
    logins: AtomicU64,
    authentications: AtomicU64,
    logins_refused: AtomicU64,
}

impl Counting {
    pub(crate) fn now(&self) -> Counters {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            connections: of(&self.connections),
            connections_open: of(&self.connections_open),
            batch_requests: of(&self.batch_requests),
            batch_rows: of(&self.batch_rows),
            passed_on: of(&self.passed_on),
            queries: of(&self.queries),
            query_records: of(&self.query_records),
            reads: of(&self.reads),
            writes: of(&self.writes),
            info_requests: of(&self.info_requests),
            faults: of(&self.faults),
            logins: of(&self.logins),
            authentications: of(&self.authentications),
            logins_refused: of(&self.logins_refused),
        }
    }

    #[inline]
    pub(crate) fn command(&self, command: CommandKind) {
        let counter = match command {
            CommandKind::Batch => &self.batch_requests,
            CommandKind::Query => &self.queries,
            CommandKind::Read => &self.reads,
            CommandKind::Write => &self.writes,
            CommandKind::Info => &self.info_requests,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn security(&self, ended: &Ended) {
        let counter = match ended {
            Ended::LoggedIn(_) => &self.logins,
            Ended::Authenticated(_) => &self.authentications,
            Ended::Refused => &self.logins_refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rows(&self, rows: u64) {
        self.batch_rows.fetch_add(rows, Ordering::Relaxed);
    }

    pub(crate) fn query_records(&self, records: u64) {
        self.query_records.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn passed_on(&self, count: u64) {
        self.passed_on.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection, as open for as long as what this gives lives.
    pub(crate) fn connection(&self) -> OpenConnection<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(self)
    }
}

/// A connection that is open.
pub(crate) struct OpenConnection<'c>(&'c Counting);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_says_so() {
        let counting = Counting::default();
        let open = counting.connection();
        counting.command(CommandKind::Batch);
        counting.rows(30);
        counting.passed_on(4);
        assert_eq!(
            counting.now().to_string(),
            "connections=1 connections_open=1 batch_requests=1 batch_rows=30 passed_on=4 queries=0 \
             query_records=0 reads=0 writes=0 info_requests=0 faults=0 logins=0 authentications=0 logins_refused=0"
        );
        drop(open);
        assert_eq!(counting.now().connections_open, 0);
    }
}
