//! Counters of what a node does.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::command_kind::CommandKind;

/// What a node has done since the server started. A restart of the node does not reset them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Accepted connections.
    pub connections: u64,
    pub connections_open: u64,
    /// Batches received.
    pub batch_requests: u64,
    /// Rows of those batches, whether they were answered or not.
    pub batch_rows: u64,
    /// Rows and single-record commands that another node had to serve: the node does not hold the partition
    /// or, with strong consistency, is not its master where only the master may answer.
    pub passed_on: u64,
    /// Queries received.
    pub queries: u64,
    /// Records sent in answer to queries.
    pub query_records: u64,
    /// Reads of single records.
    pub reads: u64,
    /// Writes of single records.
    pub writes: u64,
    /// Requests of info commands, each with one command or several.
    pub info_requests: u64,
    /// Faults that happened.
    pub faults: u64,
    /// Successful logins.
    pub logins: u64,
    /// Connections authenticated by a session's token or a credential.
    pub authentications: u64,
    /// Refused logins and authentications.
    pub logins_refused: u64,
}

impl Counters {
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

/// `name=value` for each counter, separated by spaces.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.named().into_iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            write!(f, "{blank}{name}={value}")?;
        }
        Ok(())
    }
}

/// The counters of a running node; [`NodeCounters::snapshot`] reads them.
#[derive(Debug, Default)]
pub(crate) struct NodeCounters {
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

impl NodeCounters {
    pub(crate) fn snapshot(&self) -> Counters {
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

    pub(crate) fn login(&self) {
        self.logins.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn authentication(&self) {
        self.authentications.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn login_refused(&self) {
        self.logins_refused.fetch_add(1, Ordering::Relaxed);
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

    /// Counts a connection. It is open until the guard is dropped.
    pub(crate) fn connection(&self) -> OpenConnection<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(self)
    }
}

/// Counts its connection as closed when it is dropped.
pub(crate) struct OpenConnection<'c>(&'c NodeCounters);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_shown_by_name() {
        let counters = NodeCounters::default();
        let open = counters.connection();
        counters.command(CommandKind::Batch);
        counters.rows(30);
        counters.passed_on(4);
        assert_eq!(
            counters.snapshot().to_string(),
            "connections=1 connections_open=1 batch_requests=1 batch_rows=30 passed_on=4 queries=0 \
             query_records=0 reads=0 writes=0 info_requests=0 faults=0 logins=0 authentications=0 \
             logins_refused=0"
        );
        drop(open);
        assert_eq!(counters.snapshot().connections_open, 0);
    }
}
