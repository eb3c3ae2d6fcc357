//! Users and roles.

use std::collections::BTreeSet;
use std::fmt;

use wire_protocol::ResultCode;
use wire_protocol::security::{SecurityMessage, field, privilege};

use crate::error::DevServerError;

/// The salt with which all clients hash passwords.
const SALT: [u8; 16] =
    [0xf4, 0x6b, 0x0b, 0xbe, 0xcf, 0xfe, 0x8d, 0x1b, 0x06, 0x67, 0xd8, 0x4f, 0x6d, 0xc1, 0xd8, 0xa9];

/// The binary logarithm of the number of rounds of that hash.
const COST: u32 = 10;

/// Length of the longest name of a user or role.
pub(crate) const MAX_NAME: usize = 63;

/// Length of a password's hash.
const HASH_LEN: usize = 60;

/// The predefined roles, each with the code of its privilege.
pub(crate) const PREDEFINED: [(&str, u8); 10] = [
    ("read", privilege::READ),
    ("write", privilege::WRITE),
    ("read-write", privilege::READ_WRITE),
    ("read-write-udf", privilege::READ_WRITE_UDF),
    ("user-admin", privilege::USER_ADMIN),
    ("sys-admin", privilege::SYS_ADMIN),
    ("data-admin", privilege::DATA_ADMIN),
    ("udf-admin", privilege::UDF_ADMIN),
    ("sindex-admin", privilege::SINDEX_ADMIN),
    ("truncate", privilege::TRUNCATE),
];

/// A user. Holds the hash of the password that clients send, which `Debug` does not show.
#[derive(Clone)]
pub struct User {
    name: String,
    hash: String,
    is_external: bool,
    roles: BTreeSet<String>,
}

impl User {
    /// A user with these predefined roles, or with `read-write` if `roles` is empty.
    ///
    /// # Errors
    /// The name is invalid, the password contains a NUL byte, or a role does not exist.
    pub fn new(name: &str, password: &str, roles: &[&str]) -> Result<Self, DevServerError> {
        if name.is_empty() || name.len() > MAX_NAME || name.contains(|c: char| c.is_control() || c == ':') {
            return Err(DevServerError::config(format!(
                "{name:?} is not a user name: use 1 to 63 bytes without ':' and control characters"
            )));
        }
        let hash = hash(password.as_bytes()).ok_or_else(|| {
            DevServerError::config(format!("the password of user {name:?} must not contain a NUL byte"))
        })?;
        let roles = if roles.is_empty() { &["read-write"][..] } else { roles };
        for role in roles {
            if !PREDEFINED.iter().any(|(name, _)| name == role) {
                let known = PREDEFINED.map(|(name, _)| name).join(", ");
                return Err(DevServerError::config(format!("unknown role {role:?}; the roles are {known}")));
            }
        }
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Ok(Self { name: name.into(), hash, is_external: false, roles })
    }

    /// A user whose password has this hash.
    pub(crate) fn with_hash(name: String, hash: Vec<u8>, roles: Vec<String>) -> Self {
        let hash = String::from_utf8_lossy(&hash).into_owned();
        Self { name, hash, is_external: false, roles: roles.into_iter().collect() }
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
        let is_role = |role: &str| PREDEFINED.iter().any(|(name, _)| *name == role);
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

    pub(crate) fn roles(&self) -> &BTreeSet<String> {
        &self.roles
    }

    pub(crate) fn roles_mut(&mut self) -> &mut BTreeSet<String> {
        &mut self.roles
    }

    /// Sets the password by its hash.
    pub(crate) fn set_hash(&mut self, hash: Vec<u8>) -> Result<(), ResultCode> {
        if !is_hash(&hash) {
            return Err(ResultCode::INVALID_PASSWORD);
        }
        self.hash = String::from_utf8_lossy(&hash).into_owned();
        Ok(())
    }

    pub(crate) fn has_hash(&self, hash: &[u8]) -> bool {
        is_equal(hash, self.hash.as_bytes())
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

/// Whether clients could have made this hash of a password.
pub(crate) fn is_hash(hash: &[u8]) -> bool {
    hash.len() == HASH_LEN && hash.is_ascii()
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
        assert_eq!(user.name, "ann");
        assert!(user.roles.iter().eq(["read", "sys-admin"]));
        let user = User::parse("bob:a:b").unwrap();
        assert!(user.hash == hash(b"a:b").unwrap() && user.roles.iter().eq(["read-write"]));
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
