//! Security messages: logins and session tokens, and the management of users and roles.
//!
//! A client logs in with a user's credentials ([`write_login`]) and gets a session token that is valid for some time
//! ([`LoginAnswer`]). It authenticates its other connections with the token ([`write_authenticate`]); the connection
//! that logged in is authenticated already.
//!
//! [`AdminCommand`] manages users and roles; [`read_items`] reads lists of them.
//!
//! The body of a security frame is a header of 16 bytes (the second is an answer's result code, the third the command,
//! the fourth the number of fields) and fields, encoded as in [messages](crate::message).

mod admin;
mod answers;
mod login;
mod privileges;
mod text;

use std::fmt;

use crate::error::WireError;
use crate::message::{FrameType, split_field, write_field, write_frame};
use crate::result_code::ResultCode;

pub use self::admin::AdminCommand;
pub use self::answers::{AdminItem, RoleInfo, UserInfo, read_items, write_items};
pub use self::login::{Login, LoginAnswer, Proof, write_authenticate, write_login};
pub use self::privileges::{Privilege, privilege};

/// Commands of security messages.
pub mod command {
    /// Authenticates a connection.
    pub const AUTHENTICATE: u8 = 0;
    /// Adds a user.
    pub const CREATE_USER: u8 = 1;
    /// Removes a user.
    pub const DROP_USER: u8 = 2;
    /// Sets the password of any user.
    pub const SET_PASSWORD: u8 = 3;
    /// Sets the sender's own password.
    pub const CHANGE_PASSWORD: u8 = 4;
    /// Gives roles to a user.
    pub const GRANT_ROLES: u8 = 5;
    /// Takes roles from a user.
    pub const REVOKE_ROLES: u8 = 6;
    /// Asks for users.
    pub const QUERY_USERS: u8 = 9;
    /// Adds a role.
    pub const CREATE_ROLE: u8 = 10;
    /// Removes a role.
    pub const DROP_ROLE: u8 = 11;
    /// Adds privileges to a role.
    pub const GRANT_PRIVILEGES: u8 = 12;
    /// Removes privileges from a role.
    pub const REVOKE_PRIVILEGES: u8 = 13;
    /// Sets the addresses from which a role may be used.
    pub const SET_WHITELIST: u8 = 14;
    /// Sets the quotas of a role.
    pub const SET_QUOTAS: u8 = 15;
    /// Asks for roles.
    pub const QUERY_ROLES: u8 = 16;
    /// Exchanges credentials for a session token.
    pub const LOGIN: u8 = 20;
}

/// Types of a security message's fields.
pub mod field {
    /// The user's name.
    pub const USER: u8 = 0;
    /// The hash of a new password.
    pub const PASSWORD: u8 = 1;
    /// The hash of the password that is replaced.
    pub const OLD_PASSWORD: u8 = 2;
    /// The hash of the password.
    pub const CREDENTIAL: u8 = 3;
    /// The password in clear text.
    pub const CLEAR_PASSWORD: u8 = 4;
    /// A session token.
    pub const SESSION_TOKEN: u8 = 5;
    /// How long a session token is valid, in seconds (32 bits).
    pub const SESSION_TTL: u8 = 6;
    /// Names of roles.
    pub const ROLES: u8 = 10;
    /// The name of a role.
    pub const ROLE: u8 = 11;
    /// The privileges of a role.
    pub const PRIVILEGES: u8 = 12;
    /// Addresses and networks, separated by commas.
    pub const WHITELIST: u8 = 13;
    /// Reads per second (32 bits).
    pub const READ_QUOTA: u8 = 14;
    /// Writes per second (32 bits).
    pub const WRITE_QUOTA: u8 = 15;
    /// Counters of a user's reads.
    pub const READ_INFO: u8 = 16;
    /// Counters of a user's writes.
    pub const WRITE_INFO: u8 = 17;
    /// The number of a user's connections (32 bits).
    pub const CONNECTIONS: u8 = 18;
}

/// Bytes before the fields.
const HEADER_LEN: usize = 16;

/// Appends a frame with one security message. In requests the result code is OK, in answers the command is 0.
///
/// # Errors
/// A message larger than a frame, or more than 255 fields.
pub fn write_security(
    out: &mut Vec<u8>,
    result_code: ResultCode,
    command: u8,
    fields: &[(u8, &[u8])],
) -> Result<(), WireError> {
    let mut body = Vec::new();
    push_message(&mut body, result_code, command, fields)?;
    write_frame(out, FrameType::Security, |out| out.append(&mut body))
}

/// Appends a message without a frame.
fn push_message(
    out: &mut Vec<u8>,
    result_code: ResultCode,
    command: u8,
    fields: &[(u8, &[u8])],
) -> Result<(), WireError> {
    let n_fields = u8::try_from(fields.len()).map_err(|_| WireError::TooLarge {
        what: "a number of fields",
        size: fields.len(),
        limit: usize::from(u8::MAX),
    })?;
    out.extend_from_slice(&[0, result_code.get(), command, n_fields]);
    out.extend_from_slice(&[0; HEADER_LEN - 4]);
    fields.iter().for_each(|(kind, data)| write_field(out, *kind, data));
    Ok(())
}

/// A security message, read in place. Its fields have been validated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecurityMessage<'a> {
    /// An answer's result code.
    pub result_code: ResultCode,
    /// A request's command, one of [`command`].
    pub command: u8,
    /// Number of fields.
    pub n_fields: u8,
    fields: &'a [u8],
}

impl fmt::Debug for SecurityMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityMessage")
            .field("result_code", &self.result_code)
            .field("command", &self.command)
            .field("n_fields", &self.n_fields)
            .finish_non_exhaustive()
    }
}

impl<'a> SecurityMessage<'a> {
    /// Reads the body of a security frame. Bytes after the last field are ignored.
    ///
    /// # Errors
    /// A truncated header or field.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        Ok(Self::split(body)?.0)
    }

    /// Reads the message at the start of a body that has several. Returns it with the bytes after it.
    ///
    /// # Errors
    /// A truncated header or field.
    pub fn split(body: &'a [u8]) -> Result<(Self, &'a [u8]), WireError> {
        let (header, fields) = body
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(WireError::Truncated { what: "a security message's header" })?;
        let &[_, result_code, command, n_fields, ..] = header;
        let mut rest = fields;
        for _ in 0..n_fields {
            (_, rest) = split_field(rest)?;
        }
        Ok((Self { result_code: ResultCode::new(result_code), command, n_fields, fields }, rest))
    }

    /// The data of the first field of the given type.
    #[must_use]
    pub fn field(&self, kind: u8) -> Option<&'a [u8]> {
        let mut rest = self.fields;
        for _ in 0..self.n_fields {
            let (field, after) = split_field(rest).ok()?;
            if field.kind == kind {
                return Some(field.data);
            }
            rest = after;
        }
        None
    }
}

/// The result code of an answer to a security message.
///
/// # Errors
/// A truncated header.
pub fn result_code_of(body: &[u8]) -> Result<ResultCode, WireError> {
    let header: &[u8; HEADER_LEN] =
        body.first_chunk().ok_or(WireError::Truncated { what: "a security message's header" })?;
    Ok(ResultCode::new(header[1]))
}
