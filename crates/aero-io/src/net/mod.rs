//! Byte streams to nodes, and the buffers and timers that go with them.
//!
//! Start reading at [`connection`]. [`transport`] opens a stream to an address, [`tls`] does so with encryption,
//! [`channel`] is the open stream and the runtime that drives it, [`pool`] keeps the idle connections of a node, [`timer`]
//! bounds an exchange. [`buffers`] and [`buffer_cache`] keep memory from one use to the next. Knows nothing of nodes,
//! partitions or commands.

pub(crate) mod buffer_cache;
pub(crate) mod buffers;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod pool;
pub(crate) mod timer;
pub(crate) mod tls;
pub(crate) mod transport;
