//! Authentication: user names and passwords, and the logins at each node.
//!
//! [`credentials`] is what a user configures; [`logins`] exchanges it for a session token per node and
//! authenticates new connections with that token. May open connections (the room `net`), and nothing else.

pub(crate) mod credentials;
pub(crate) mod logins;
