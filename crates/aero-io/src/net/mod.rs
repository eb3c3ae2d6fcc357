//! Byte streams to nodes, and the buffers and timers that go with them.
//!
//! Start reading at [`connection`], which sends bytes, and [`frame_reader`], which reads frames from it.
//! [`transport`] opens a stream to an address, [`tls`] does so with encryption, [`opener`] within the connect
//! timeout. [`channel`] is the open stream and the runtime that drives it, [`session`] what a connection was
//! authenticated with, [`pool`] keeps the idle connections of a node, [`timer`] bounds an exchange, [`info`] is
//! an exchange of info commands. [`buffers`], [`input_pool`] and [`buffer_cache`] keep memory from one use to
//! the next. Knows nothing of nodes, partitions or commands.

pub(crate) mod buffer_cache;
pub(crate) mod buffers;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod frame_reader;
pub(crate) mod info;
pub(crate) mod input_pool;
pub(crate) mod opener;
pub(crate) mod pool;
pub(crate) mod session;
pub(crate) mod timer;
pub(crate) mod tls;
pub(crate) mod transport;
