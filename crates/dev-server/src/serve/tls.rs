//! The server side of TLS.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

use crate::config::TlsFiles;
use crate::error::DevServerError;

/// Reads the files and makes the acceptor of TLS connections.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, DevServerError> {
    let provider = Arc::new(ring::default_provider());
    let wrong = |what: &dyn std::fmt::Display| DevServerError::config(format!("TLS: {what}"));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS12, &version::TLS13])
        .map_err(|error| wrong(&error))?;
    let builder = match &files.ca {
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong(&error))?)
        }
        None => builder.with_no_client_auth(),
    };
    // The error does not include its source, which might quote the key.
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|_| wrong(&format!("cannot read a private key from {:?}", files.key)))?;
    let config = builder.with_single_cert(certificates(&files.cert)?, key);
    Ok(TlsAcceptor::from(Arc::new(config.map_err(|error| wrong(&error))?)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, DevServerError> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(DevServerError::config(format!("TLS: no certificate in {path:?}"))),
        Err(pem::Error::Io(error)) => {
            Err(DevServerError::config(format!("TLS: cannot read {path:?}: {error}")))
        }
        // The error does not include its source, which might quote the file, and that might be a key.
        Err(_) => Err(DevServerError::config(format!("TLS: {path:?} is not a PEM file"))),
    }
}
