//! Security messages: how a connection says who uses it.
//!
//! A client that gives a user's credentials once ([`write_login`]) gets a token that stands for them until
//! its time is over ([`LoginAnswer`]); every other connection is introduced with the token
//! ([`write_authenticate`]). A connection that has logged in is authenticated by that.
//!
//! The body of a security frame is a header of sixteen bytes (the second is the result code of an answer,
//! the third the command, the fourth the number of fields) and fields as messages have them.

use std::fmt;

use crate::message::{FrameType, split_field, write_field, write_frame};
use crate::{ResultCode, WireError};

/// Commands of security messages.
pub mod command {
    /// Introduces a connection.
    pub const AUTHENTICATE: u8 = 0;
    /// Exchanges credentials for a session's token.
    pub const LOGIN: u8 = 20;
}

/// Types of a security message's fields.
pub mod field {
    /// The user's name.
    pub const USER: u8 = 0;
    /// The hash of the password.
    pub const CREDENTIAL: u8 = 3;
    /// The password itself.
    pub const CLEAR_PASSWORD: u8 = 4;
    /// A session's token.
    pub const SESSION_TOKEN: u8 = 5;
    /// Seconds that a token is good for, 32 bits.
    pub const SESSION_TTL: u8 = 6;
}

/// Bytes before the fields.
const HEADER_LEN: usize = 16;

/// What a user logs in with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Login<'a> {
    /// A user that the server keeps.
    Internal {
        /// The user's name.
        user: &'a str,
        /// The hash of the password.
        hash: &'a [u8],
    },
    /// A user that another system keeps, which the server hands the password to.
    External {
        /// The user's name.
        user: &'a str,
        /// The hash of the password.
        hash: &'a [u8],
        /// The password itself.
        password: &'a [u8],
    },
    /// The certificate that the connection was opened with.
    Pki,
}

/// What introduces a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof<'a> {
    /// A session's token.
    Token(&'a [u8]),
    /// The hash of the password, for servers that give no tokens.
    Hash(&'a [u8]),
}

impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal { user, .. } => write!(f, "Internal({user:?})"),
            Self::External { user, .. } => write!(f, "External({user:?})"),
            Self::Pki => f.write_str("Pki"),
        }
    }
}

impl fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(hidden)",
            Self::Hash(_) => "Hash(hidden)",
        })
    }
}

/// Appends a login.
///
/// # Errors
/// Credentials larger than a frame may be.
pub fn write_login(out: &mut Vec<u8>, login: &Login<'_>) -> Result<(), WireError> {
    match *login {
        Login::Internal { user, hash } => {
            let fields = [(field::USER, user.as_bytes()), (field::CREDENTIAL, hash)];
            write_security(out, ResultCode::OK, command::LOGIN, &fields)
        }
        Login::External { user, hash, password } => {
            let fields = [
                (field::USER, user.as_bytes()),
                (field::CREDENTIAL, hash),
                (field::CLEAR_PASSWORD, password),
            ];
            write_security(out, ResultCode::OK, command::LOGIN, &fields)
        }
        Login::Pki => write_security(out, ResultCode::OK, command::LOGIN, &[]),
    }
}

/// Appends what introduces a connection. There is no user where a certificate says who it is.
///
/// # Errors
/// A proof larger than a frame may be.
pub fn write_authenticate(out: &mut Vec<u8>, user: Option<&str>, proof: Proof<'_>) -> Result<(), WireError> {
    let proof = match proof {
        Proof::Token(token) => (field::SESSION_TOKEN, token),
        Proof::Hash(hash) => (field::CREDENTIAL, hash),
    };
    match user {
        Some(user) => write_security(
            out,
            ResultCode::OK,
            command::AUTHENTICATE,
            &[(field::USER, user.as_bytes()), proof],
        ),
        None => write_security(out, ResultCode::OK, command::AUTHENTICATE, &[proof]),
    }
}

/// Appends a frame with one security message, a request or an answer.
///
/// # Errors
/// A message larger than a frame may be.
pub fn write_security(
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
    write_frame(out, FrameType::Security, |out| {
        out.extend_from_slice(&[0, result_code.get(), command, n_fields]);
        out.extend_from_slice(&[0; HEADER_LEN - 4]);
        fields.iter().for_each(|(kind, data)| write_field(out, *kind, data));
    })
}

/// A security message read in place. Its fields were walked once.
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
    /// Reads the body of a security frame. Bytes after the last field mean nothing.
    ///
    /// # Errors
    /// A header that is not whole, a field that ends beyond the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let (header, fields) = body
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(WireError::Truncated { what: "a security message's header" })?;
        let &[_, result_code, command, n_fields, ..] = header;
        let mut rest = fields;
        for _ in 0..n_fields {
            (_, rest) = split_field(rest)?;
        }
        Ok(Self { result_code: ResultCode::new(result_code), command, n_fields, fields })
    }

    /// The data of the first field of that type.
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

/// The answer to a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LoginAnswer<'a> {
    /// 0 for a login that succeeded.
    pub result_code: ResultCode,
    /// The session's token, of a login that succeeded.
    pub token: Option<&'a [u8]>,
    /// Seconds that the token is good for, where the server says so.
    pub ttl: Option<u32>,
}

impl fmt::Debug for LoginAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginAnswer")
            .field("result_code", &self.result_code)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

impl<'a> LoginAnswer<'a> {
    /// Reads the body of an answer to a login. What a refusal holds beside its code does not matter.
    ///
    /// # Errors
    /// A message that is malformed, a success without a token, a time that is no 32-bit number.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let malformed = |why| WireError::malformed("login answer", why);
        let result_code = result_code_of(body)?;
        if !result_code.is_ok() {
            return Ok(Self { result_code, token: None, ttl: None });
        }
        let message = SecurityMessage::parse(body)?;
        let token = message.field(field::SESSION_TOKEN).filter(|token| !token.is_empty());
        let ttl = match message.field(field::SESSION_TTL) {
            Some(data) => {
                let data = data.try_into().map_err(|_| malformed("its time to live is no 32-bit number"))?;
                Some(u32::from_be_bytes(data))
            }
            None => None,
        };
        Ok(Self { result_code, token: Some(token.ok_or_else(|| malformed("it has no token"))?), ttl })
    }
}

/// The result code of an answer to a security message.
///
/// # Errors
/// A header that is not whole.
pub fn result_code_of(body: &[u8]) -> Result<ResultCode, WireError> {
    let header: &[u8; HEADER_LEN] =
        body.first_chunk().ok_or(WireError::Truncated { what: "a security message's header" })?;
    Ok(ResultCode::new(header[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::FrameHeader;

    const HASH: &[u8] = b"$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb.";

    fn body(write: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        let header = FrameHeader::parse(out.first_chunk().unwrap()).unwrap();
        assert_eq!((header.kind, header.size), (FrameType::Security, out.len() - FrameHeader::LEN));
        out.split_off(FrameHeader::LEN)
    }

    fn fields(body: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let message = SecurityMessage::parse(body).unwrap();
        let found = (0..=u8::MAX).filter_map(|kind| Some((kind, message.field(kind)?.to_vec())));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), usize::from(message.n_fields));
        found
    }

    #[test]
    fn logins_say_who_and_how() {
        let internal = body(|out| write_login(out, &Login::Internal { user: "ann", hash: HASH }));
        assert_eq!(internal[..16], [0, 0, 20, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(fields(&internal), [(0, b"ann".to_vec()), (3, HASH.to_vec())]);
        let login = Login::External { user: "ann", hash: HASH, password: b"clear" };
        let external = body(|out| write_login(out, &login));
        assert_eq!(fields(&external), [(0, b"ann".to_vec()), (3, HASH.to_vec()), (4, b"clear".to_vec())]);
        let pki = body(|out| write_login(out, &Login::Pki));
        assert_eq!((pki.len(), pki[2], pki[3]), (16, 20, 0));
    }

    #[test]
    fn connections_are_introduced_by_token_or_hash() {
        let token = body(|out| write_authenticate(out, Some("ann"), Proof::Token(b"tt")));
        assert_eq!((token[2], fields(&token)), (0, vec![(0, b"ann".to_vec()), (5, b"tt".to_vec())]));
        let hash = body(|out| write_authenticate(out, Some("ann"), Proof::Hash(HASH)));
        assert_eq!(fields(&hash), [(0, b"ann".to_vec()), (3, HASH.to_vec())]);
        let certificate = body(|out| write_authenticate(out, None, Proof::Token(b"tt")));
        assert_eq!(fields(&certificate), [(5, b"tt".to_vec())]);
    }

    #[test]
    fn answers_are_read() {
        let ttl = 86_400u32.to_be_bytes();
        let both = [(field::SESSION_TOKEN, &b"token"[..]), (field::SESSION_TTL, &ttl[..])];
        let answer = body(|out| write_security(out, ResultCode::OK, 0, &both));
        let answer = LoginAnswer::parse(&answer).unwrap();
        assert_eq!(
            (answer.result_code, answer.token, answer.ttl),
            (ResultCode::OK, Some(&b"token"[..]), Some(86_400))
        );
        let answer = body(|out| write_security(out, ResultCode::OK, 0, &both[..1]));
        assert_eq!(LoginAnswer::parse(&answer).unwrap().ttl, None);
        let refused = body(|out| write_security(out, ResultCode::INVALID_CREDENTIAL, 0, &[]));
        assert_eq!(LoginAnswer::parse(&refused).unwrap().result_code, ResultCode::INVALID_CREDENTIAL);
        assert_eq!(result_code_of(&refused), Ok(ResultCode::INVALID_CREDENTIAL));
    }

    #[test]
    fn answers_that_are_none_are_refused() {
        let ttl = [(field::SESSION_TOKEN, &b"token"[..]), (field::SESSION_TTL, &b"12345"[..])];
        for fields in [&[][..], &[(field::SESSION_TOKEN, &b""[..])], &ttl] {
            let answer = body(|out| write_security(out, ResultCode::OK, 0, fields));
            assert!(matches!(LoginAnswer::parse(&answer), Err(WireError::Malformed { .. })));
        }
        let whole = body(|out| write_security(out, ResultCode::OK, 0, &ttl[..1]));
        for end in 0..whole.len() {
            assert!(LoginAnswer::parse(&whole[..end]).is_err(), "{end}");
        }
        // More fields announced than there are.
        let mut lying = whole;
        lying[3] = 255;
        assert!(LoginAnswer::parse(&lying).is_err());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let login = Login::External { user: "ann", hash: HASH, password: b"s3cret" };
        let message = body(|out| write_login(out, &login));
        let answer = body(|out| write_security(out, ResultCode::OK, 0, &[(field::SESSION_TOKEN, b"s3cret")]));
        let shown = format!(
            "{login:?} {:?} {:?} {:?} {:?}",
            Proof::Token(b"s3cret"),
            Proof::Hash(HASH),
            SecurityMessage::parse(&message).unwrap(),
            LoginAnswer::parse(&answer).unwrap(),
        );
        // Bytes are shown as numbers where somebody forgets about them: 115 is an "s", 36 a "$".
        for part in ["s3cret", "$2a$", "115", "36"] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert!(shown.contains("ann"));
    }
}
