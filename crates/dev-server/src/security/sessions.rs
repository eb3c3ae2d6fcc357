//! The sessions of users that have logged in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use wire_protocol::ResultCode;

const TOKEN_LEN: usize = 32;

/// Largest number of sessions of a node. Beyond it, the sessions that expire first are removed.
const MAX_SESSIONS: usize = 10_000;

type Token = [u8; TOKEN_LEN];

struct Session {
    user: String,
    expires_at: u32,
}

/// The sessions of one node. They end when the node dies.
#[derive(Default)]
pub(crate) struct Sessions {
    by_token: Mutex<HashMap<Token, Session>>,
}

impl Sessions {
    /// Starts a session and returns its token. `None` if the system has no random bytes.
    pub(crate) fn begin(&self, user: &str, now: u32, ttl: u32) -> Option<Token> {
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
        sessions.insert(token, Session { user: user.into(), expires_at: now.saturating_add(ttl) });
        Some(token)
    }

    /// Checks that the token belongs to a valid session of the user.
    pub(crate) fn check(&self, user: &str, token: &[u8], now: u32) -> Result<(), ResultCode> {
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
        let token = sessions.begin("ann", 100, 10).unwrap();
        assert_ne!(token, sessions.begin("ann", 100, 10).unwrap());
        assert_eq!(sessions.check("ann", &token, 109), Ok(()));
        assert_eq!(sessions.check("bob", &token, 109), Err(ResultCode::INVALID_CREDENTIAL));
        assert_eq!(sessions.check("ann", &token[1..], 109), Err(ResultCode::INVALID_CREDENTIAL));
        assert_eq!(sessions.check("ann", &token, 110), Err(ResultCode::EXPIRED_SESSION));
        let token = sessions.begin("ann", 100, 10).unwrap();
        sessions.clear();
        assert_eq!(sessions.check("ann", &token, 100), Err(ResultCode::EXPIRED_SESSION));
        (0..MAX_SESSIONS + 5).for_each(|_| _ = sessions.begin("ann", 100, 10));
        assert_eq!(sessions.by_token.lock().unwrap().len(), MAX_SESSIONS);
    }
}
