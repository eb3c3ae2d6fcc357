//! What the server remembers: records, the members of the cluster, users, fault rules, counters, the clock.
//!
//! Nothing here reads or writes messages; `command` does that. Uses `config`, `security` and `protocol`.
//! Start with [`node::Node`], which holds everything that the connections of one node need. Secondary indexes
//! are in [`store`], the list of queries in [`jobs`]; the modules of user-defined functions belong beside it.

pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod counters;
pub(crate) mod faults;
pub(crate) mod functions;
pub(crate) mod jobs;
pub(crate) mod node;
pub(crate) mod store;
