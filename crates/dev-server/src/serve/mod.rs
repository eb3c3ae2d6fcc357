//! Listeners and connections: sockets, frames, TLS, compression, and the faults that happen to a connection.
//!
//! What a frame asks for is not known here: [`connection`] hands each one to `command` and sends what comes
//! back. Uses `command`, `state`, and `config` for the files of TLS. Start with [`listener`], then
//! [`connection`].

mod compression;
mod connection;
mod faults;
#[cfg(test)]
mod hostile;
pub(crate) mod listener;
pub(crate) mod mode;
mod read_buffer;
mod stream;
pub(crate) mod tls;
