//! Why a server does not start, or a node cannot be told what to do.

use std::io;

/// Why a server does not start, or a node cannot be told what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevServerError {
    /// The configuration asks for something that does not exist.
    #[error("{what}")]
    Config {
        /// What is wrong.
        what: String,
    },
    /// A node cannot listen.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it should have.
        address: String,
        /// Why it cannot.
        source: io::Error,
    },
    /// There is no such node.
    #[error("there is no node {node}: the cluster has {nodes} (counted from 0)")]
    NoSuchNode {
        /// The number asked for.
        node: usize,
        /// How many nodes there are.
        nodes: usize,
    },
    /// The node is dead, or is not.
    #[error("node {node} is {state}")]
    State {
        /// The node's number.
        node: usize,
        /// What it is instead.
        state: &'static str,
    },
}

impl DevServerError {
    pub(crate) fn config(what: impl Into<String>) -> Self {
        Self::Config { what: what.into() }
    }
}
