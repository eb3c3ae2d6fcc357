//! Events of the cluster, kept for a log until the application takes them.
//!
//! Recording an event neither formats a message nor waits: it pushes a few pointers to a bounded queue.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::error::DiscoveryFault;

/// Events that are kept. Further ones are only counted.
const MAX_EVENTS: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    pub name: Arc<str>,
    pub address: SocketAddr,
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.address)
    }
}

/// Why a node is avoided.
#[derive(Clone, Debug)]
pub enum Suspicion {
    /// It failed a check.
    Watch(DiscoveryFault),
    /// A command's connection failed.
    Broken(Arc<io::Error>),
    /// It has answered no command for too long.
    Silent,
    /// Another node has its address.
    Renamed,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watch(fault) => write!(f, "it failed a check: {fault}"),
            Self::Broken(error) => write!(f, "a connection failed: {error}"),
            Self::Silent => f.write_str("it does not answer commands"),
            Self::Renamed => f.write_str("another node has its address"),
        }
    }
}

#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A node joined or came back.
    Joined(NodeName),
    Left(NodeName),
    /// Commands avoid the node from now on.
    Suspect(NodeName, Suspicion),
    /// Commands use the node again.
    Trusted(NodeName),
    /// The node failed too often and is not used until the error window ends. The number is the limit.
    Tripped(NodeName, u32),
    /// No node answers; the seeds are tried again.
    Lost,
    /// A command is retried after an error with this code.
    Retry {
        command: &'static str,
        /// The node that failed.
        node: NodeName,
        code: i32,
    },
    /// Rows of a batch are retried.
    RowsRetried {
        /// The node that they are sent to.
        node: NodeName,
        rows: usize,
    },
    /// Events that were not kept.
    Overflow(u64),
}

impl Event {
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Joined(_) | Self::Left(_) | Self::Trusted(_) => Level::Info,
            Self::Suspect(..) | Self::Tripped(..) | Self::Lost | Self::Overflow(_) => Level::Warning,
            Self::Retry { .. } | Self::RowsRetried { .. } => Level::Debug,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined(node) => write!(f, "node {node} joined"),
            Self::Left(node) => write!(f, "node {node} left"),
            Self::Suspect(node, why) => write!(f, "node {node} is avoided: {why}"),
            Self::Trusted(node) => write!(f, "node {node} answers again"),
            Self::Tripped(node, limit) => {
                write!(
                    f,
                    "node {node} failed more than {limit} times and is not used until the error window ends"
                )
            }
            Self::Lost => f.write_str("no node of the cluster answers; trying the configured hosts again"),
            Self::Retry { command, node, code } => {
                write!(f, "{command} failed at node {node} with code {code}; retrying")
            }
            Self::RowsRetried { node, rows } => {
                write!(f, "retrying {rows} rows at node {node}")
            }
            Self::Overflow(count) => write!(f, "{count} more events were not kept"),
        }
    }
}

/// Events that were not taken yet.
#[derive(Default)]
pub(crate) struct Events {
    has_any: AtomicBool,
    is_verbose: AtomicBool,
    queue: Mutex<EventQueue>,
}

#[derive(Default)]
struct EventQueue {
    events: VecDeque<(SystemTime, Event)>,
    lost: u64,
}

impl Events {
    fn queue(&self) -> MutexGuard<'_, EventQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, event: Event) {
        let mut queue = self.queue();
        if queue.events.len() < MAX_EVENTS {
            queue.events.push_back((SystemTime::now(), event));
        } else {
            queue.lost += 1;
        }
        self.has_any.store(true, Ordering::Release);
    }

    /// Records an event of level [`Level::Debug`], of which there may be many, if they are wanted.
    pub(crate) fn push_detail(&self, event: impl FnOnce() -> Event) {
        if self.is_verbose.load(Ordering::Relaxed) {
            self.push(event());
        }
    }

    pub(crate) fn set_verbose(&self, verbose: bool) {
        self.is_verbose.store(verbose, Ordering::Relaxed);
    }

    pub(crate) fn has_any(&self) -> bool {
        self.has_any.load(Ordering::Relaxed)
    }

    pub(crate) fn take(&self) -> Vec<(SystemTime, Event)> {
        let mut queue = self.queue();
        self.has_any.store(false, Ordering::Release);
        let mut events = Vec::from(std::mem::take(&mut queue.events));
        match std::mem::take(&mut queue.lost) {
            0 => {}
            lost => events.push((SystemTime::now(), Event::Overflow(lost))),
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> NodeName {
        NodeName { name: "C1".into(), address: "127.0.0.1:3000".parse().unwrap() }
    }

    #[test]
    fn events_that_do_not_fit_are_counted() {
        let events = Events::default();
        assert!(!events.has_any());
        for _ in 0..MAX_EVENTS + 5 {
            events.push(Event::Joined(node()));
        }
        assert!(events.has_any());
        let taken = events.take();
        assert_eq!(taken.len(), MAX_EVENTS + 1);
        assert_eq!(taken[0].1.to_string(), "node C1 (127.0.0.1:3000) joined");
        assert_eq!(taken[MAX_EVENTS].1.to_string(), "5 more events were not kept");
        assert!(!events.has_any() && events.take().is_empty());
    }

    #[test]
    fn details_are_recorded_on_request() {
        let events = Events::default();
        let detail = || Event::Retry { command: "read", node: node(), code: 9 };
        events.push_detail(|| unreachable!());
        events.set_verbose(true);
        events.push_detail(detail);
        assert_eq!(events.take().len(), 1);
    }
}
