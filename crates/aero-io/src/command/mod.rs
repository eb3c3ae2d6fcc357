//! Commands on one record, and what all commands share.
//!
//! Start reading at [`single`]: it routes a command to a node, sends it, and retries or hedges it. [`operate`]
//! is the command with several operations, [`answer`] what both return. [`info`] sends info commands, [`index`] waits
//! for indexes, [`admin`] manages users and roles, [`apply`] applies functions and waits for their modules. [`monitor`]
//! writes the monitor records of transactions.
//! [`exchange`] sends one request and reads its answer, [`retry`] says when and where a failed attempt is
//! repeated; batches and queries use both. May use the cluster's topology and the rooms below it.

pub(crate) mod admin;
pub(crate) mod answer;
pub(crate) mod apply;
pub(crate) mod exchange;
pub(crate) mod index;
pub(crate) mod info;
pub(crate) mod monitor;
pub(crate) mod operate;
pub(crate) mod retry;
pub(crate) mod single;
