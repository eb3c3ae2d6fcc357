//! The sessions of users that have logged in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wire_protocol::ResultCode;

const TOKEN_LEN: usize = 32;

/// Largest number of sessions of a node. Beyond it, the sessions that expire first are removed.
const MAX_SESSIONS: usize = 10_000;

type Token = [u8; TOKEN_LEN];

struct Session {
    user: u64,
    expires_at: u32,
}

/// The sessions of one node. They end when the node dies.
#[derive(Default)]
pub(crate) struct Sessions {
    by_token: Mutex<HashMap<Token, Session>>,
    /// Open connections by user.
    connections: Mutex<HashMap<u64, Arc<AtomicU32>>>,
}

/// Counts a connection of a user for as long as it is open.
#[derive(Debug)]
pub(crate) struct ConnectionCount(Arc<AtomicU32>);

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sessions {
    /// Starts a session and returns its token. `None` if the system has no random bytes.
    pub(crate) fn begin(&self, user: u64, now: u32, ttl: u32) -> Option<Token> {
        let mut token = [0; TOKEN_LEN];
        getrandom::fill(&mut token).ok()?;
        let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            sessions.retain(|_, session| session.expires_at > now);
            let first =
                sessions.iter().min_by_key(|(_, session)| session.expires_at).map(|(token, _)| *token);
            if let Some(first) = first.filter(|_| sessions.len() >= MAX_SESSIONS) {
                sessions.remove(&first);
            }
        }
        sessions.insert(token, Session { user, expires_at: now.saturating_add(ttl) });
        Some(token)
    }

    /// Checks that the token belongs to a valid session of the user.
    pub(crate) fn check(&self, user: u64, token: &[u8], now: u32) -> Result<(), ResultCode> {
        let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Token::try_from(token).map_err(|_| ResultCode::INVALID_CREDENTIAL)?;
        match sessions.get(&token) {
            Some(session) if session.user != user => Err(ResultCode::INVALID_CREDENTIAL),
            Some(session) if session.expires_at <= now => {
                sessions.remove(&token);
                Err(ResultCode::EXPIRED_SESSION)
            }
            Some(_) => Ok(()),
            None => Err(ResultCode::EXPIRED_SESSION),
        }
    }

    /// Counts a connection of a user.
    pub(crate) fn count_connection(&self, user: u64) -> ConnectionCount {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = Arc::clone(connections.entry(user).or_default());
        count.fetch_add(1, Ordering::Relaxed);
        ConnectionCount(count)
    }

    /// The number of a user's connections.
    pub(crate) fn connections(&self, user: u64) -> u32 {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.get(&user).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(crate) fn clear(&self) {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end() {
        let sessions = Sessions::default();
        let token = sessions.begin(1, 100, 10).unwrap();
        assert_ne!(token, sessions.begin(1, 100, 10).unwrap());
        assert_eq!(sessions.check(1, &token, 109), Ok(()));
        assert_eq!(sessions.check(2, &token, 109), Err(ResultCode::INVALID_CREDENTIAL));
        assert_eq!(sessions.check(1, &token[1..], 109), Err(ResultCode::INVALID_CREDENTIAL));
        assert_eq!(sessions.check(1, &token, 110), Err(ResultCode::EXPIRED_SESSION));
        let token = sessions.begin(1, 100, 10).unwrap();
        sessions.clear();
        assert_eq!(sessions.check(1, &token, 100), Err(ResultCode::EXPIRED_SESSION));
        (0..MAX_SESSIONS + 5).for_each(|_| _ = sessions.begin(1, 100, 10));
        assert_eq!(sessions.by_token.lock().unwrap().len(), MAX_SESSIONS);
    }
}
