//! TLS streams to nodes that prove their identity.
//!
//! The cryptography provider is ring: it needs only a C compiler, while building aws-lc-rs would take more
//! tools and more time than the rest of the project.

mod fault;
mod files;
mod stream;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, SignatureScheme, SupportedProtocolVersion, version};

use crate::error::Error;
use crate::net::transport::{BoxFuture, BoxStream, Target, TcpTransport, Transport};
pub(crate) use stream::Encrypted;

/// Most addresses with sessions for resumption, above the nodes of a cluster.
const MAX_ADDRESSES: usize = 1024;

/// Sessions kept per address: as many connections can resume at the same time.
const SESSIONS: usize = 16;

/// PEM text, in a file or in memory. Text in memory may be a key and is never formatted.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// A file. For authorities also a directory, which stands for the files in it.
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({path:?})"),
            Self::Bytes(_) => f.write_str("Bytes(..)"),
        }
    }
}

/// A client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those that lead from it to an authority.
    pub certificates: Pem,
    /// The certificate's private key. Encrypted keys are refused.
    pub key: Pem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    V1_2,
    V1_3,
}

/// Whether certificates are checked against revocation lists, which are read from the authorities' files. A
/// certificate that no list covers is refused then, and so is one whose list is out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revocation {
    /// Certificates are not checked.
    #[default]
    Unchecked,
    /// Only the node's certificate is checked.
    Node,
    /// The whole chain is checked.
    Chain,
}

/// TLS settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Trusted authorities; if empty, those of the system. The system's store may contain the authority of the
    /// cluster's owner, which a built-in list would not.
    pub authorities: Vec<Pem>,
    /// For nodes that require a client certificate.
    pub identity: Option<Identity>,
    /// Allowed versions.
    pub versions: Vec<TlsVersion>,
    /// Names of the allowed cipher suites, as in IANA's registry or OpenSSL; if empty, all are allowed.
    pub cipher_suites: Vec<String>,
    pub revocation: Revocation,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            authorities: Vec::new(),
            identity: None,
            versions: vec![TlsVersion::V1_2, TlsVersion::V1_3],
            cipher_suites: Vec::new(),
            revocation: Revocation::default(),
        }
    }
}

/// TLS over TCP.
///
/// A node's certificate is checked against its TLS name: for seeds [`Seed::tls_name`](crate::Seed::tls_name),
/// for their peers what nodes announce, and otherwise the cluster's name. Without any of these, no stream is
/// opened.
#[derive(Debug)]
pub struct TlsTransport {
    config: Arc<ClientConfig>,
    /// A configuration per address. Sessions are stored by TLS name, which all nodes may share, but a node can
    /// resume only its own.
    of_address: Mutex<HashMap<SocketAddr, Arc<ClientConfig>>>,
    certificate: Arc<ClientCertificate>,
}

impl TlsTransport {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// [`Error::Param`] if a file cannot be read or has the wrong content, or if the settings exclude every
    /// cipher suite.
    pub async fn load(config: TlsConfig) -> Result<Self, Error> {
        let read = tokio::task::spawn_blocking(move || Self::read(&config)).await;
        // Only a panic, or a runtime that shuts down, leads here.
        read.unwrap_or(Err("the files could not be read".into()))
            .map_err(|what| Error::Param { what: format!("tls: {what}") })
    }

    fn read(config: &TlsConfig) -> Result<Self, String> {
        let provider = Arc::new(provider(&config.cipher_suites)?);
        let trust = files::authorities(&config.authorities, config.revocation)?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(trust.roots), Arc::clone(&provider))
                .with_crls(trust.revocation_lists)
                .enforce_revocation_expiration();
        let verifier = match config.revocation {
            Revocation::Node => verifier.only_check_end_entity_revocation(),
            Revocation::Unchecked | Revocation::Chain => verifier,
        };
        let verifier =
            verifier.build().map_err(|error| format!("the authorities cannot be used: {error}"))?;
        let key = match &config.identity {
            Some(identity) => Some(Arc::new(files::identity(identity, &provider)?)),
            None => None,
        };
        let certificate = Arc::new(ClientCertificate {
            key,
            requested: AtomicBool::new(false),
            answered: AtomicBool::new(false),
        });
        let versions: Vec<&SupportedProtocolVersion> =
            [(TlsVersion::V1_2, &version::TLS12), (TlsVersion::V1_3, &version::TLS13)]
                .into_iter()
                .filter(|(version, _)| config.versions.contains(version))
                .map(|(_, version)| version)
                .collect();
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|_| "none of the allowed cipher suites works with the allowed TLS versions".to_owned())?
            .with_webpki_verifier(verifier)
            .with_client_cert_resolver(Arc::clone(&certificate) as _);
        Ok(Self { config: Arc::new(config), of_address: Mutex::default(), certificate })
    }

    fn config_of(&self, address: SocketAddr) -> Arc<ClientConfig> {
        let mut configs = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        if configs.len() >= MAX_ADDRESSES && !configs.contains_key(&address) {
            configs.clear();
        }
        let config = configs.entry(address).or_insert_with(|| {
            let mut config = ClientConfig::clone(&self.config);
            config.resumption = Resumption::in_memory_sessions(SESSIONS);
            Arc::new(config)
        });
        Arc::clone(config)
    }

    async fn handshake(&self, target: Target<'_>) -> io::Result<TlsStream<TcpStream>> {
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        let Some(name) = target.tls_name else {
            return Err(invalid(
                "there is no name to check the node's certificate against; set the host's tls_name or the \
                 cluster's name"
                    .into(),
            ));
        };
        let server = ServerName::try_from(name.to_owned()).map_err(|_| {
            invalid(format!("{name:?} is not a valid TLS name (tls_name, or the cluster's name)"))
        })?;
        let stream = TcpTransport::open(target.address).await?;
        let connector = TlsConnector::from(self.config_of(target.address));
        connector
            .connect(server, stream)
            .await
            .map_err(|error| fault::in_handshake(error, name, &self.certificate))
    }
}

impl Transport for TlsTransport {
    fn connect<'a>(&'a self, target: Target<'a>) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = self.handshake(target).await?;
            let name = target.tls_name.unwrap_or_default();
            Ok(Box::new(Encrypted::new(stream, name, Arc::clone(&self.certificate))) as BoxStream)
        })
    }

    fn is_tls(&self) -> bool {
        true
    }

    fn has_certificate(&self) -> bool {
        self.certificate.key.is_some()
    }
}

/// The provider, restricted to the suites with these names.
fn provider(names: &[String]) -> Result<CryptoProvider, String> {
    let mut provider = ring::default_provider();
    if names.is_empty() {
        return Ok(provider);
    }
    let known: Vec<[String; 2]> = provider
        .cipher_suites
        .iter()
        .map(|suite| suite_names(suite.suite().as_str().unwrap_or("")))
        .collect();
    if let Some(unknown) = names.iter().find(|name| !known.iter().any(|names| names.contains(name))) {
        let known: Vec<&str> = known.iter().map(|[_, openssl]| openssl.as_str()).collect();
        return Err(format!("unknown cipher suite {unknown:?}; the supported ones are {}", known.join(", ")));
    }
    let mut known = known.iter();
    provider
        .cipher_suites
        .retain(|_| known.next().is_some_and(|known| names.iter().any(|name| known.contains(name))));
    Ok(provider)
}

/// The names of a suite in IANA's registry and in OpenSSL.
fn suite_names(name: &str) -> [String; 2] {
    if let Some(rest) = name.strip_prefix("TLS13_") {
        // They are the same for TLS 1.3.
        return [format!("TLS_{rest}"), format!("TLS_{rest}")];
    }
    let openssl = name.trim_start_matches("TLS_").replace("WITH_", "").replace("AES_", "AES");
    let openssl = openssl.replace('_', "-").replace("POLY1305-SHA256", "POLY1305");
    [name.to_owned(), openssl]
}

/// The client's certificate, and how nodes reacted to it.
#[derive(Debug)]
struct ClientCertificate {
    key: Option<Arc<CertifiedKey>>,
    /// Whether a node has asked for a certificate.
    requested: AtomicBool,
    /// Whether any node has ever answered over TLS.
    answered: AtomicBool,
}

impl ClientCertificate {
    /// The likely reason why a node closed a connection without an error, if there is any.
    ///
    /// With TLS 1.3 the handshake of the client ends before the node has checked the client's certificate. The
    /// node then sends an alert, which may be lost with the connection.
    fn likely_reason(&self) -> Option<&'static str> {
        if !self.requested.load(Ordering::Relaxed) || self.answered.load(Ordering::Relaxed) {
            return None;
        }
        Some(match self.key {
            None => "the node requires a client certificate, but none is configured (certfile and keyfile)",
            Some(_) => "the node asked for a client certificate and may have rejected the one it got",
        })
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.requested.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

#[cfg(test)]
mod tests;
