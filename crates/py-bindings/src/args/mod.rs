//! Python arguments, read and checked before anything is sent.
//!
//! Start with `settings`: configurations and policies are dictionaries that it reads, and that refuses keys it does not
//! know. Keys have a room of their own (`keys`), values too (`values`). What a command takes beside them belongs here:
//! operations now, expressions and index definitions later.

pub(crate) mod auth;
pub(crate) mod casting;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod operations;
pub(crate) mod policy;
pub(crate) mod row_command;
pub(crate) mod settings;
pub(crate) mod tls;
