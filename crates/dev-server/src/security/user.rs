//! Users and roles.

use std::fmt;

use wire_protocol::ResultCode;
use wire_protocol::message::{info1, info2};
use wire_protocol::security::{SecurityMessage, field};

use crate::error::DevServerError;
use crate::protocol::flags::Flags;

/// The salt with which all clients hash passwords.
const SALT: [u8; 16] =
    [0xf4, 0x6b, 0x0b, 0xbe, 0xcf, 0xfe, 0x8d, 0x1b, 0x06, 0x67, 0xd8, 0x4f, 0x6d, 0xc1, 0xd8, 0xa9];

/// The binary logarithm of the number of rounds of that hash.
const COST: u32 = 10;

/// The predefined roles: name, whether they allow reading records, whether they allow writing them.
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

/// A user. Holds the hash of the password that clients send, which `Debug` does not show.
#[derive(Clone)]
pub struct User {
    name: String,
    hash: String,
    is_external: bool,
    may_read: bool,
    may_write: bool,
    may_truncate: bool,
    may_manage_indexes: bool,
    may_manage_queries: bool,
}

impl User {
    /// A user with these predefined roles, or with `read-write` if `roles` is empty.
    ///
    /// # Errors
    /// The name is invalid, the password contains a NUL byte, or a role does not exist.
    pub fn new(name: &str, password: &str, roles: &[&str]) -> Result<Self, DevServerError> {
        if name.is_empty() || name.len() > 63 || name.contains(|c: char| c.is_control() || c == ':') {
            return Err(DevServerError::config(format!(
                "{name:?} is not a user name: use 1 to 63 bytes without ':' and control characters"
            )));
        }
        let hash = hash(password.as_bytes()).ok_or_else(|| {
            DevServerError::config(format!("the password of user {name:?} must not contain a NUL byte"))
        })?;
        let mut user = Self {
            name: name.into(),
            hash,
            is_external: false,
            may_read: false,
            may_write: false,
            may_truncate: false,
            may_manage_indexes: false,
            may_manage_queries: false,
        };
        let roles = if roles.is_empty() { &["read-write"][..] } else { roles };
        for role in roles {
            let Some((_, reads, writes)) = ROLES.iter().find(|(name, ..)| name == role) else {
                let known = ROLES.map(|(name, ..)| name).join(", ");
                return Err(DevServerError::config(format!("unknown role {role:?}; the roles are {known}")));
            };
            user.may_read |= reads;
            user.may_write |= writes;
            user.may_truncate |= matches!(*role, "truncate" | "data-admin");
            user.may_manage_indexes |= matches!(*role, "sindex-admin" | "data-admin");
            user.may_manage_queries |= matches!(*role, "data-admin");
        }
        Ok(user)
    }

    /// Makes the user authenticate externally: a login has to send the password itself, not its hash.
    #[must_use]
    pub fn external(self) -> Self {
        Self { is_external: true, ..self }
    }

    /// Parses `NAME:PASSWORD` or `NAME:PASSWORD:ROLE,ROLE`. The part after the last colon is a list of roles
    /// only if all its words are roles, so that passwords may contain colons.
    pub(crate) fn parse(text: &str) -> Result<Self, DevServerError> {
        // Does not quote the text, which contains a password.
        let wrong = || DevServerError::config("a user must be NAME:PASSWORD or NAME:PASSWORD:ROLE,ROLE");
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

    /// Whether the user's roles allow a request with these flags. A write that also reads needs both.
    #[inline]
    pub(crate) fn may(&self, flags: Flags) -> bool {
        let writes = flags.info2 & info2::WRITE != 0;
        let reads = flags.info1 & info1::READ != 0;
        (self.may_write || !writes) && (self.may_read || !reads)
    }

    pub(crate) fn may_truncate(&self) -> bool {
        self.may_truncate
    }

    /// Whether the user may create and drop secondary indexes.
    pub(crate) fn may_manage_indexes(&self) -> bool {
        self.may_manage_indexes
    }

    /// Whether the user may abort queries.
    pub(crate) fn may_manage_queries(&self) -> bool {
        self.may_manage_queries
    }

    /// Checks the credential in a login message.
    pub(crate) fn verify(&self, message: &SecurityMessage<'_>) -> Result<(), ResultCode> {
        if self.is_external {
            let clear = message.field(field::CLEAR_PASSWORD).ok_or(ResultCode::INVALID_CREDENTIAL)?;
            return if hash(clear).is_some_and(|hash| is_equal(hash.as_bytes(), self.hash.as_bytes())) {
                Ok(())
            } else {
                Err(ResultCode::INVALID_CREDENTIAL)
            };
        }
        match message.field(field::CREDENTIAL) {
            Some(hash) if is_equal(hash, self.hash.as_bytes()) => Ok(()),
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

/// Compares in a time that does not depend on where the strings differ.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_parsed_and_never_shown() {
        let user = User::parse("ann:s3c:ret:read,sys-admin").unwrap();
        assert!(user.hash == hash(b"s3c:ret").unwrap());
        assert_eq!((user.name.as_str(), user.may_read, user.may_write), ("ann", true, false));
        let user = User::parse("bob:a:b").unwrap();
        assert!(user.hash == hash(b"a:b").unwrap() && user.may_read && user.may_write);
        let shown = format!(
            "{user:?} {:?}",
            crate::config::Config { users: vec![user.clone()], ..Default::default() }
        );
        assert!(shown.contains("bob") && !shown.contains("$2a$") && !shown.contains("a:b"), "{shown}");
        for text in ["s3cret", "", ":s3cret", "a\nb:s3cret"] {
            let error = User::parse(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert_eq!(
            User::new("ann", "p", &["reed"]).unwrap_err().to_string(),
            "unknown role \"reed\"; the roles are read, write, read-write, read-write-udf, user-admin, sys-admin, \
             data-admin, udf-admin, sindex-admin, truncate"
        );
    }
}
