//! Logging in, and authenticating connections with a session token.

use std::fmt;

use crate::error::WireError;
use crate::result_code::ResultCode;

use super::{SecurityMessage, command, field, result_code_of, write_security};

/// The credentials of a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Login<'a> {
    /// A user that the server knows.
    Internal {
        /// The user's name.
        user: &'a str,
        /// The hash of the password.
        hash: &'a [u8],
    },
    /// A user of another system, such as LDAP, to which the server passes the password.
    External {
        /// The user's name.
        user: &'a str,
        /// The hash of the password.
        hash: &'a [u8],
        /// The password in clear text.
        password: &'a [u8],
    },
    /// The client certificate of the TLS connection.
    Pki,
}

/// What a connection authenticates with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof<'a> {
    /// A session token.
    Token(&'a [u8]),
    /// The hash of the password, for servers without session tokens.
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
/// Credentials larger than a frame.
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

/// Appends a request that authenticates a connection. `user` is `None` if the certificate names the user.
///
/// # Errors
/// A proof larger than a frame.
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

/// The answer to a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LoginAnswer<'a> {
    /// [`ResultCode::OK`] for a successful login.
    pub result_code: ResultCode,
    /// The session token of a successful login.
    pub token: Option<&'a [u8]>,
    /// How long the token is valid, in seconds, if the server says so.
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
    /// Reads the body of an answer to a login. Of a refusal only the code is read.
    ///
    /// # Errors
    /// A malformed message, a success without a token, a time to live that is not a 32-bit number.
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
                let data =
                    data.try_into().map_err(|_| malformed("its time to live is not a 32-bit number"))?;
                Some(u32::from_be_bytes(data))
            }
            None => None,
        };
        Ok(Self { result_code, token: Some(token.ok_or_else(|| malformed("it has no token"))?), ttl })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{FrameHeader, FrameType};

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
        // A derived `Debug` would show bytes as numbers: 115 is an "s", 36 a "$".
        for part in ["s3cret", "$2a$", "115", "36"] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert!(shown.contains("ann"));
    }
}
