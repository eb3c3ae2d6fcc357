//! The cluster as the client sees it: which nodes there are and which partitions each holds.
//!
//! Start reading at [`state`], which all commands of a cluster share. [`discovery`] asks a node who it is and
//! what it knows, [`seeds`] finds the first nodes from the configured hosts, [`members`] keeps what each node
//! said, [`tend`] watches each node and publishes changes, and [`partition_map`] is the immutable snapshot from
//! which commands choose a node. May use single nodes and the rooms below them; knows nothing of commands.

pub(crate) mod discovery;
mod members;
pub(crate) mod partition_map;
pub(crate) mod seeds;
pub(crate) mod state;
pub(crate) mod tend;
