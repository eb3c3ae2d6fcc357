//! User names and passwords, and the hash that is sent instead of a password.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use wire_protocol::WireError;
use wire_protocol::security::{Login, write_login};

use crate::error::{Error, LoginUser};
use crate::net::session::Secret;
use crate::net::transport::Transport;

/// How the cluster authenticates a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AuthMode {
    /// By the cluster itself. A hash of the password is sent.
    #[default]
    Internal,
    /// By an external system such as LDAP. The password itself is sent, which requires TLS.
    External,
    /// Like [`AuthMode::External`], but allowed without TLS, where anyone on the network can read the password.
    /// For tests.
    ExternalInsecure,
    /// By the client's certificate. There is no password; TLS is required.
    Pki,
}

/// What a client logs in with. Clones share the password, which may be replaced, and its hash, which is computed once.
#[derive(Clone)]
pub struct Credentials {
    mode: AuthMode,
    /// `None` with a certificate.
    user: Option<Arc<str>>,
    password: Arc<RwLock<Arc<Password>>>,
}

/// A password with its hash.
struct Password {
    clear: Secret,
    hash: OnceLock<Secret>,
}

impl Password {
    fn new(clear: &[u8]) -> Arc<Self> {
        Arc::new(Self { clear: Secret::new(clear), hash: OnceLock::new() })
    }

    fn hash(&self) -> &[u8] {
        self.hash.get_or_init(|| hash(self.clear.reveal())).reveal()
    }
}

impl Credentials {
    /// A user with a password, for any mode except [`AuthMode::Pki`].
    ///
    /// # Errors
    /// The user name is empty, the password contains a NUL (the hash would end there), or the mode is `Pki`.
    pub fn new(mode: AuthMode, user: &str, password: &str) -> Result<Self, Error> {
        let refused = |what: &str| Err(Error::Param { what: what.into() });
        if mode == AuthMode::Pki {
            return refused(
                "PKI authentication takes no user name or password: the certificate identifies the user",
            );
        }
        if user.is_empty() {
            return refused("the user name is empty");
        }
        if password.contains('\0') {
            return refused("the password contains a NUL character, which servers cannot accept");
        }
        Ok(Self {
            mode,
            user: Some(user.into()),
            password: Arc::new(RwLock::new(Password::new(password.as_bytes()))),
        })
    }

    /// The user of the transport's client certificate.
    #[must_use]
    pub fn pki() -> Self {
        Self { mode: AuthMode::Pki, user: None, password: Arc::new(RwLock::new(Password::new(&[]))) }
    }

    #[must_use]
    pub fn mode(&self) -> AuthMode {
        self.mode
    }

    /// `None` with a certificate.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Fails if a password would be sent unencrypted, or if a client certificate is required and missing.
    pub(crate) fn check(&self, transport: &dyn Transport) -> Result<(), Error> {
        let what = match self.mode {
            AuthMode::External if !transport.is_tls() => {
                "external authentication sends the password itself and requires TLS; these connections are not \
                 encrypted"
            }
            AuthMode::Pki if !transport.has_certificate() => {
                "PKI authentication requires TLS with a client certificate"
            }
            _ => return Ok(()),
        };
        Err(Error::Param { what: what.into() })
    }

    /// Computes the password's hash, which takes several hundredths of a second.
    pub(crate) fn prepare(&self) {
        if self.mode != AuthMode::Pki {
            self.password().hash();
        }
    }

    fn password(&self) -> Arc<Password> {
        Arc::clone(&self.password.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The hash of the current password.
    pub(crate) fn hash(&self) -> Vec<u8> {
        self.password().hash().to_vec()
    }

    /// Logs in with this password from now on, if `user` is the user of these credentials. Sessions go on.
    pub(crate) fn replace_password(&self, user: &str, password: &str) {
        if self.user() == Some(user) {
            let password = Password::new(password.as_bytes());
            *self.password.write().unwrap_or_else(PoisonError::into_inner) = password;
        }
    }

    /// Appends a login.
    pub(crate) fn write_login(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let password = self.password();
        let Some(user) = &self.user else { return write_login(out, &Login::Pki) };
        let hash = password.hash();
        match self.mode {
            AuthMode::Internal | AuthMode::Pki => write_login(out, &Login::Internal { user, hash }),
            AuthMode::External | AuthMode::ExternalInsecure => {
                write_login(out, &Login::External { user, hash, password: password.clear.reveal() })
            }
        }
    }

    /// The user for error messages.
    pub(crate) fn login_user(&self) -> LoginUser {
        self.user.clone().map_or_else(LoginUser::certificate, LoginUser::named)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("mode", &self.mode)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The salt that all Aerospike clients use: servers compare the hashes.
const SALT: [u8; 16] =
    [0xf4, 0x6b, 0x0b, 0xbe, 0xcf, 0xfe, 0x8d, 0x1b, 0x06, 0x67, 0xd8, 0x4f, 0x6d, 0xc1, 0xd8, 0xa9];

/// bcrypt's cost factor.
const COST: u32 = 10;

/// The hash that a command sends instead of a password. Takes several hundredths of a second.
pub(crate) fn hash_of(password: &str) -> Vec<u8> {
    hash(password.as_bytes()).reveal().to_vec()
}

fn hash(password: &[u8]) -> Secret {
    match bcrypt::hash_with_salt(password, COST, SALT) {
        Ok(parts) => Secret::new(parts.format_for_version(bcrypt::Version::TwoA).as_bytes()),
        // bcrypt fails for an invalid cost, or a NUL, which `Credentials::new` refuses. No server accepts an
        // empty hash.
        Err(_) => Secret::new(&[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::transport::{BoxFuture, BoxStream, Target};

    struct Like((bool, bool));

    impl Transport for Like {
        fn connect<'a>(&'a self, _: Target<'a>) -> BoxFuture<'a, std::io::Result<BoxStream>> {
            Box::pin(async { Err(std::io::ErrorKind::Unsupported.into()) })
        }

        fn is_tls(&self) -> bool {
            self.0.0
        }

        fn has_certificate(&self) -> bool {
            self.0.1
        }
    }

    #[test]
    fn hashes_match_those_of_other_clients() {
        // As the official client sent it; see tests/wire-captures/official/002-connect-with-user.jsonl.
        let recorded = b"$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb.";
        let credentials = Credentials::new(AuthMode::Internal, "someone", "secret").unwrap();
        credentials.prepare();
        assert_eq!(String::from_utf8_lossy(&credentials.hash()), String::from_utf8_lossy(recorded));
        assert!(credentials.clone().password().hash.get().is_some(), "clones share it");
        credentials.clone().replace_password("unknown", "other");
        assert_eq!(credentials.hash(), recorded);
        credentials.clone().replace_password("someone", "other");
        assert_eq!(credentials.hash(), hash_of("other"), "clones share a new password");
    }

    #[test]
    fn invalid_credentials_are_refused() {
        for (mode, user, password) in
            [(AuthMode::Internal, "", "p"), (AuthMode::External, "u", "p\0q"), (AuthMode::Pki, "u", "p")]
        {
            assert!(matches!(Credentials::new(mode, user, password), Err(Error::Param { .. })));
        }
        let external = Credentials::new(AuthMode::External, "u", "p").unwrap();
        let [clear, tls, mutual] = [(false, false), (true, false), (true, true)].map(Like);
        assert!(external.check(&clear).unwrap_err().to_string().contains("TLS"));
        assert!(external.check(&tls).is_ok());
        for without in [&clear, &tls] {
            assert!(
                Credentials::pki().check(without).unwrap_err().to_string().contains("client certificate")
            );
        }
        assert!(Credentials::pki().check(&mutual).is_ok());
        assert!(Credentials::new(AuthMode::ExternalInsecure, "u", "p").unwrap().check(&clear).is_ok());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let credentials = Credentials::new(AuthMode::ExternalInsecure, "ann", "s3cret").unwrap();
        credentials.prepare();
        let config = crate::ClusterConfig { credentials: Some(credentials.clone()), ..Default::default() };
        let shown = format!(
            "{credentials:?} {config:?} {config:#?} {:?} {}",
            credentials.password().clear,
            credentials.login_user()
        );
        // Also as decimal bytes, in case a byte slice is formatted.
        for part in ["s3cret", "$2a$", "115, 51", "36, 50", "[11", "[36"] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert!(shown.contains("ann"), "{shown}");
    }
}
