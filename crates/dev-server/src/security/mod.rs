//! Users, their roles and privileges, and their sessions.
//!
//! This is data only: the security messages of clients are answered by
//! [`command::security`](crate::command::security). Uses `protocol` and `error`. Start with [`User`].

mod sessions;
mod user;
mod users;

pub(crate) use sessions::Sessions;
pub use user::User;
pub(crate) use users::Users;
