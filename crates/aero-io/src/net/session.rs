//! The session that authenticates a connection, and its token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::LoginUser;

/// How long before its end a session is renewed; sessions shorter than twice this are renewed at half time.
const EARLY: Duration = Duration::from_secs(60);

/// Bytes that are never formatted.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<[u8]>);

impl Secret {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes. Do not format them.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

pub(crate) struct Session {
    /// `None` at a node that requires no authentication.
    pub(crate) token: Option<Secret>,
    /// When to log in again; `None` if the session never ends.
    pub(crate) renew_at: Option<Instant>,
    pub(crate) ends_at: Option<Instant>,
    pub(crate) user: LoginUser,
}

impl Session {
    pub(crate) fn new(token: Option<Secret>, ttl: Option<u32>, user: LoginUser) -> Self {
        let now = Instant::now();
        let ttl = ttl.filter(|&seconds| seconds > 0).map(|seconds| Duration::from_secs(seconds.into()));
        Self {
            token,
            user,
            renew_at: ttl.and_then(|ttl| now.checked_add(ttl - EARLY.min(ttl / 2))),
            ends_at: ttl.and_then(|ttl| now.checked_add(ttl)),
        }
    }
}
