//! TLS: streams that are encrypted, to nodes that prove who they are.
//!
//! The provider of the cryptography is ring: it is built with the C compiler that links everything else,
//! where aws-lc-rs brings sources and tools that would take longer than the rest of the project.

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
use stream::Encrypted;

/// Addresses whose sessions are kept for resumption: above what clusters have nodes.
const MAX_ADDRESSES: usize = 1024;

/// Sessions kept for an address: as many as connections that are opened at once resume.
const SESSIONS: usize = 16;

/// PEM text, in a file or at hand. What is at hand may be a key, and is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// A file; for authorities it may be a directory, which stands for the files in it.
    File(PathBuf),
    /// The text itself.
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

/// What a client proves who it is with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its certificate, and those that lead from it to an authority.
    pub certificates: Pem,
    /// The certificate's private key. An encrypted one is refused.
    pub key: Pem,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Whether certificates are looked for in revocation lists, which lie beside the authorities'
/// certificates. A certificate that no list covers is refused then, and so is an outdated list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revocation {
    /// They are not.
    #[default]
    Unchecked,
    /// The node's own is.
    Node,
    /// All that lead from it to the authority are.
    Chain,
}

/// What is trusted, and what a client shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Authorities whose word on nodes is taken; empty stands for those that the system trusts. A cluster's
    /// certificates are mostly its owner's, which the system's store may hold and no fixed list does.
    pub authorities: Vec<Pem>,
    /// For nodes that ask their clients for a certificate.
    pub identity: Option<Identity>,
    /// Versions that may be used.
    pub versions: Vec<TlsVersion>,
    /// Names of the cipher suites that may be used, as IANA or OpenSSL call them; empty stands for all.
    pub cipher_suites: Vec<String>,
    /// Whether revoked certificates are looked for.
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
/// A node's certificate is checked against the `tls_name` of the host, which for seeds is
/// [`Seed::tls_name`](crate::Seed::tls_name) and for their peers what nodes say; where there is none,
/// against the cluster's name. Without either no stream is opened.
#[derive(Debug)]
pub struct TlsTransport {
    config: Arc<ClientConfig>,
    /// A configuration for each address. All nodes may have one name, by which sessions are kept, but each
    /// resumes only those that it made itself.
    of_address: Mutex<HashMap<SocketAddr, Arc<ClientConfig>>>,
    shown: Arc<Shown>,
}

impl TlsTransport {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// [`Error::Param`] for files that cannot be read or do not hold what they should, and for settings that
    /// leave nothing to choose.
    pub async fn load(config: TlsConfig) -> Result<Self, Error> {
        let read = tokio::task::spawn_blocking(move || Self::read(&config)).await;
        // Only a panic, or a runtime that stops, leaves nothing.
        read.unwrap_or(Err("the files were not read".into()))
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
        let shown = Arc::new(Shown { key, asked: AtomicBool::new(false), heard: AtomicBool::new(false) });
        let versions: Vec<&SupportedProtocolVersion> =
            [(TlsVersion::V1_2, &version::TLS12), (TlsVersion::V1_3, &version::TLS13)]
                .into_iter()
                .filter(|(version, _)| config.versions.contains(version))
                .map(|(_, version)| version)
                .collect();
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|_| "no cipher suite is left that the versions of the protocol can use".to_owned())?
            .with_webpki_verifier(verifier)
            .with_client_cert_resolver(Arc::clone(&shown) as _);
        Ok(Self { config: Arc::new(config), of_address: Mutex::default(), shown })
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
                "there is no name to check its certificate against: give the host a tls_name, or set the \
                 cluster's name"
                    .into(),
            ));
        };
        let server = ServerName::try_from(name.to_owned()).map_err(|_| {
            invalid(format!("{name:?} can be no certificate's name (tls_name, or the cluster's)"))
        })?;
        let stream = TcpTransport::open(target.address).await?;
        let connector = TlsConnector::from(self.config_of(target.address));
        connector.connect(server, stream).await.map_err(|error| fault::in_handshake(error, name, &self.shown))
    }
}

impl Transport for TlsTransport {
    fn connect<'a>(&'a self, target: Target<'a>) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = self.handshake(target).await?;
            let name = target.tls_name.unwrap_or_default();
            Ok(Box::new(Encrypted::new(stream, name, Arc::clone(&self.shown))) as BoxStream)
        })
    }

    fn is_tls(&self) -> bool {
        true
    }

    fn has_certificate(&self) -> bool {
        self.shown.key.is_some()
    }
}

/// The provider, with the suites of these names only.
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
        return Err(format!("there is no cipher suite {unknown:?}; there are {}", known.join(", ")));
    }
    let mut known = known.iter();
    provider
        .cipher_suites
        .retain(|_| known.next().is_some_and(|known| names.iter().any(|name| known.contains(name))));
    Ok(provider)
}

/// IANA's and OpenSSL's name of a suite.
fn suite_names(name: &str) -> [String; 2] {
    if let Some(rest) = name.strip_prefix("TLS13_") {
        // With TLS 1.3 the two agree.
        return [format!("TLS_{rest}"), format!("TLS_{rest}")];
    }
    let openssl = name.trim_start_matches("TLS_").replace("WITH_", "").replace("AES_", "AES");
    let openssl = openssl.replace('_', "-").replace("POLY1305-SHA256", "POLY1305");
    [name.to_owned(), openssl]
}

/// What the client shows of itself to nodes that ask, and what is known of how they take it.
#[derive(Debug)]
struct Shown {
    key: Option<Arc<CertifiedKey>>,
    /// Whether a node has asked for a certificate.
    asked: AtomicBool,
    /// Whether a node that was reached by TLS has ever answered.
    heard: AtomicBool,
}

impl Shown {
    /// What may have moved a node to close a connection without a word, if there is anything.
    ///
    /// With TLS 1.3 a client is done before the node has seen its certificate. The node then says why it
    /// refuses it, but the word may be lost with the connection.
    fn doubt(&self) -> Option<&'static str> {
        if !self.asked.load(Ordering::Relaxed) || self.heard.load(Ordering::Relaxed) {
            return None;
        }
        Some(match self.key {
            None => "the node asks for a client certificate, and there is none (certfile and keyfile)",
            Some(_) => "the node asked for a client certificate and may not accept the one that it got",
        })
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

#[cfg(test)]
mod tests;
