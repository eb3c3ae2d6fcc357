//! Commands: what clients can ask for, and how each is answered.
//!
//! | module | answers |
//! | --- | --- |
//! | `dispatch` | a frame, by finding its command |
//! | `single` | commands on one record, with `read`, `write` and `apply` behind it |
//! | `batch` | batches, row by row through `single` |
//! | `query` | queries over partitions |
//! | `info` | info commands |
//! | `security` | logins |
//!
//! `operations` applies the operations of a write to the bins of a record. A command that is not implemented
//! is refused with the code that a real server uses for that.
//!
//! What is still missing follows the protocol: other commands on one record get a module beside `read` and `write`, other
//! info commands one in `info`.
//!
//! Uses `state`, `security` and `protocol`, and knows nothing of sockets. Start with [`dispatch`].

mod apply;
mod batch;
pub(crate) mod dispatch;
mod info;
mod operations;
mod query;
mod read;
mod request;
pub(crate) mod security;
mod single;
mod write;
