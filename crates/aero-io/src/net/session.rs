//! The session that authenticates a connection, and its secret token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::LoginUser;

/// Time before a session's end at which the next one is begun, for sessions that last twice as long.
const EARLY: Duration = Duration::from_secs(60);

/// Bytes that are never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<[u8]>);

impl Secret {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes. Whoever asks must not show them.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// A session at a node.
pub(crate) struct Session {
    /// None at a node that wants no authentication.
    pub(crate) token: Option<Secret>,
    /// When the next one is to be begun, where it ends.
    pub(crate) renew_at: Option<Instant>,
    pub(crate) ends_at: Option<Instant>,
    pub(crate) who: LoginUser,
}

impl Session {
    pub(crate) fn new(token: Option<Secret>, ttl: Option<u32>, who: LoginUser) -> Self {
        let now = Instant::now();
        let ttl = ttl.filter(|&seconds| seconds > 0).map(|seconds| Duration::from_secs(seconds.into()));
        Self {
            token,
            who,
            renew_at: ttl.and_then(|ttl| now.checked_add(ttl - EARLY.min(ttl / 2))),
            ends_at: ttl.and_then(|ttl| now.checked_add(ttl)),
        }
    }
}
