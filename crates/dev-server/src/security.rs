//! Users, what they may do, and the sessions of those who logged in.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use wire_protocol::ResultCode;
use wire_protocol::login::{SecurityMessage, command, field, write_security};
use wire_protocol::message::{info1, info2};

use crate::DevServerError;
use crate::operations::Flags;

/// The salt that all clients hash passwords with.
const SALT: [u8; 16] =
    [0xf4, 0x6b, 0x0b, 0xbe, 0xcf, 0xfe, 0x8d, 0x1b, 0x06, 0x67, 0xd8, 0x4f, 0x6d, 0xc1, 0xd8, 0xa9];

/// The rounds of the hash that clients send, as a power of two.
const COST: u32 = 10;

/// Bytes of a session's token.
const TOKEN_LEN: usize = 32;

/// Sessions that a node keeps; beyond that, those that would end first are ended.
const MAX_SESSIONS: usize = 10_000;

/// The server's roles, whether they may read records, and whether they may write them.
const ROLES: [(&str, bool, bool); 10] = [
    ("read", true, false),
    ("write", false, true),
    ("read-write", true, true),
    ("read-write-udf", true, true),
    ("user-admin", false, false),
    ("sys-admin", false, false),
    ("data-admin", false, false),
    ("udf-admin", false, false),
    ("sindex-admin", false, false),
    ("truncate", false, false),
];

/// A user. Of the password only a hash is kept, as clients send it, and it is never shown.
#[derive(Clone)]
pub struct User {
    name: String,
    hash: String,
    is_external: bool,
    may_read: bool,
    may_write: bool,
    may_truncate: bool,
}

impl User {
    /// A user with these of the server's roles; `read-write` if there are none.
    ///
    /// # Errors
    /// A name that cannot be one, a password with a NUL, a role that the server does not have.
    pub fn new(name: &str, password: &str, roles: &[&str]) -> Result<Self, DevServerError> {
        if name.is_empty() || name.len() > 63 || name.contains(|c: char| c.is_control() || c == ':') {
            return Err(DevServerError::config(format!("{name:?} is no user name")));
        }
        let hash = hash(password.as_bytes()).ok_or_else(|| {
            DevServerError::config(format!("the password of user {name:?} cannot be hashed: it has a NUL"))
        })?;
        let mut user = Self {
            name: name.into(),
            hash,
            is_external: false,
            may_read: false,
            may_write: false,
            may_truncate: false,
        };
        let roles = if roles.is_empty() { &["read-write"][..] } else { roles };
        for role in roles {
            let Some((_, reads, writes)) = ROLES.iter().find(|(name, ..)| name == role) else {
                let known = ROLES.map(|(name, ..)| name).join(", ");
                return Err(DevServerError::config(format!("{role:?} is no role: {known}")));
            };
            user.may_read |= reads;
            user.may_write |= writes;
            user.may_truncate |= matches!(*role, "truncate" | "data-admin");
        }
        Ok(user)
    }

    /// The user as one that another system keeps: a login has to bring the password itself.
    #[must_use]
    pub fn external(self) -> Self {
        Self { is_external: true, ..self }
    }

    /// Reads `NAME:PASSWORD` or `NAME:PASSWORD:ROLE,ROLE`. What follows the last colon is roles only where
    /// all of it is, so that passwords may have colons.
    pub(crate) fn parse(text: &str) -> Result<Self, DevServerError> {
        // Whatever is wrong with it: the text is not shown.
        let wrong = || DevServerError::config("a user is NAME:PASSWORD or NAME:PASSWORD:ROLE,ROLE");
        let (name, rest) = text.split_once(':').ok_or_else(wrong)?;
        let is_role = |role: &str| ROLES.iter().any(|(name, ..)| *name == role);
        match rest.rsplit_once(':') {
            Some((password, roles)) if roles.split(',').all(is_role) => {
                Self::new(name, password, &roles.split(',').collect::<Vec<_>>())
            }
            _ => Self::new(name, rest, &[]),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the user's roles allow what these flags ask for. A write that also reads is both.
    #[inline]
    pub(crate) fn may(&self, flags: Flags) -> bool {
        let writes = flags.info2 & info2::WRITE != 0;
        let reads = flags.info1 & info1::READ != 0;
        (self.may_write || !writes) && (self.may_read || !reads)
    }

    /// Whether the user's roles allow to truncate.
    pub(crate) fn may_truncate(&self) -> bool {
        self.may_truncate
    }

    /// Whether what a client sent proves that it is this user.
    fn is_proved(&self, message: &SecurityMessage<'_>) -> Result<(), ResultCode> {
        if self.is_external {
            let clear = message.field(field::CLEAR_PASSWORD).ok_or(ResultCode::INVALID_CREDENTIAL)?;
            return if hash(clear).is_some_and(|hash| is_same(hash.as_bytes(), self.hash.as_bytes())) {
                Ok(())
            } else {
                Err(ResultCode::INVALID_CREDENTIAL)
            };
        }
        match message.field(field::CREDENTIAL) {
            Some(hash) if is_same(hash, self.hash.as_bytes()) => Ok(()),
            _ => Err(ResultCode::INVALID_CREDENTIAL),
        }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

fn hash(password: &[u8]) -> Option<String> {
    let parts = bcrypt::hash_with_salt(password, COST, SALT).ok()?;
    Some(parts.format_for_version(bcrypt::Version::TwoA))
}

/// Whether two byte strings are equal, in a time that does not tell where they differ.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// The users of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Users {
    /// None where there is no security.
    by_name: RwLock<Option<HashMap<String, Arc<User>>>>,
    session_ttl: u32,
}

impl Users {
    pub(crate) fn new(is_secure: bool, users: &[User], session_ttl: u32) -> Self {
        let by_name = users.iter().map(|user| (user.name.clone(), Arc::new(user.clone()))).collect();
        let by_name = (is_secure || !users.is_empty()).then_some(by_name);
        Self { by_name: RwLock::new(by_name), session_ttl }
    }

    /// Adds a user, or changes the one of that name. False where there is no security.
    pub(crate) fn set(&self, user: User) -> bool {
        match &mut *self.by_name.write().unwrap_or_else(PoisonError::into_inner) {
            Some(users) => {
                users.insert(user.name.clone(), Arc::new(user));
                true
            }
            None => false,
        }
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn get(&self, message: &SecurityMessage<'_>) -> Result<Arc<User>, ResultCode> {
        let name = message.field(field::USER).and_then(|name| std::str::from_utf8(name).ok());
        let users = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let found = name.and_then(|name| users.as_ref()?.get(name));
        found.cloned().ok_or(ResultCode::INVALID_USER)
    }
}

type Token = [u8; TOKEN_LEN];

struct Session {
    user: String,
    ends_at: u32,
}

/// The sessions of one node. They die with it.
#[derive(Default)]
pub(crate) struct Sessions {
    by_token: Mutex<HashMap<Token, Session>>,
}

impl Sessions {
    fn begin(&self, user: &str, now: u32, ttl: u32) -> Option<Token> {
        let mut token = [0; TOKEN_LEN];
        getrandom::fill(&mut token).ok()?;
        let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            sessions.retain(|_, session| session.ends_at > now);
            let first = sessions.iter().min_by_key(|(_, session)| session.ends_at).map(|(token, _)| *token);
            if let Some(first) = first.filter(|_| sessions.len() >= MAX_SESSIONS) {
                sessions.remove(&first);
            }
        }
        sessions.insert(token, Session { user: user.into(), ends_at: now.saturating_add(ttl) });
        Some(token)
    }

    fn check(&self, user: &str, token: &[u8], now: u32) -> Result<(), ResultCode> {
        let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Token::try_from(token).map_err(|_| ResultCode::INVALID_CREDENTIAL)?;
        match sessions.get(&token) {
            Some(session) if session.user != user => Err(ResultCode::INVALID_CREDENTIAL),
            Some(session) if session.ends_at <= now => {
                sessions.remove(&token);
                Err(ResultCode::EXPIRED_SESSION)
            }
            Some(_) => Ok(()),
            None => Err(ResultCode::EXPIRED_SESSION),
        }
    }

    /// Ends all of them.
    pub(crate) fn clear(&self) {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What a security message came to.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    LoggedIn(Arc<User>),
    Authenticated(Arc<User>),
    Refused,
}

/// Answers a security message of a node with security.
pub(crate) fn answer(users: &Users, sessions: &Sessions, now: u32, body: &[u8], out: &mut Vec<u8>) -> Ended {
    let outcome = SecurityMessage::parse(body).map_err(|_| ResultCode::INVALID_FIELD).and_then(|message| {
        match message.command {
            command::LOGIN => {
                let user = users.get(&message)?;
                user.is_proved(&message)?;
                let token =
                    sessions.begin(&user.name, now, users.session_ttl).ok_or(ResultCode::SERVER_ERROR)?;
                Ok((user, Some(token)))
            }
            command::AUTHENTICATE => {
                let user = users.get(&message)?;
                match message.field(field::SESSION_TOKEN) {
                    Some(token) => sessions.check(&user.name, token, now)?,
                    None => user.is_proved(&message)?,
                }
                Ok((user, None))
            }
            // Users cannot be kept from afar here.
            _ => Err(ResultCode::INVALID_COMMAND),
        }
    });
    // Answers this short fit a frame.
    match outcome {
        Ok((user, Some(token))) => {
            let ttl = users.session_ttl.to_be_bytes();
            let fields = [(field::SESSION_TOKEN, &token[..]), (field::SESSION_TTL, &ttl[..])];
            _ = write_security(out, ResultCode::OK, 0, &fields);
            Ended::LoggedIn(user)
        }
        Ok((user, None)) => {
            _ = write_security(out, ResultCode::OK, 0, &[]);
            Ended::Authenticated(user)
        }
        Err(code) => {
            _ = write_security(out, code, 0, &[]);
            Ended::Refused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_and_never_shown() {
        let user = User::parse("ann:s3c:ret:read,sys-admin").unwrap();
        assert!(user.hash == hash(b"s3c:ret").unwrap());
        assert_eq!((user.name.as_str(), user.may_read, user.may_write), ("ann", true, false));
        let user = User::parse("bob:a:b").unwrap();
        assert!(user.hash == hash(b"a:b").unwrap() && user.may_read && user.may_write);
        let shown =
            format!("{user:?} {:?}", crate::Config { users: vec![user.clone()], ..Default::default() });
        assert!(shown.contains("bob") && !shown.contains("$2a$") && !shown.contains("a:b"), "{shown}");
        for text in ["s3cret", "", ":s3cret", "a\nb:s3cret"] {
            let error = User::parse(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert_eq!(
            User::new("ann", "p", &["reed"]).unwrap_err().to_string(),
            "\"reed\" is no role: read, write, read-write, read-write-udf, user-admin, sys-admin, data-admin, \
             udf-admin, sindex-admin, truncate"
        );
    }

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
