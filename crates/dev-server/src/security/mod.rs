//! Users, their roles and privileges, and their sessions.
//!
//! This is data only: the security messages of clients are answered by
//! [`command::security`](crate::command::security). Uses `protocol` and `error`. Start with [`User`].

mod access;
mod network;
mod sessions;
mod user;
mod users;

pub(crate) use access::{Access, permission};
pub(crate) use sessions::{ConnectionCount, Sessions};
pub use user::User;
pub(crate) use users::{Users, check_address, may_administrate};
