//! The errors of the library.

use std::io;

/// Why a server does not start, or a node cannot be killed, restarted or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevServerError {
    /// The configuration or an argument is invalid.
    #[error("{what}")]
    Config { what: String },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: String, source: io::Error },
    #[error("there is no node {node}: the cluster has {nodes} (counted from 0)")]
    NoSuchNode {
        node: usize,
        /// Number of nodes in the cluster.
        nodes: usize,
    },
    /// The node is dead, or it is alive and should not be.
    #[error("node {node} is {state}")]
    State { node: usize, state: &'static str },
}

impl DevServerError {
    pub(crate) fn config(what: impl Into<String>) -> Self {
        Self::Config { what: what.into() }
    }
}
