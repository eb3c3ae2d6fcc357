//! Reads certificates, keys and revocation lists in PEM format.
//!
//! No message contains anything of a key file's contents, nor a parser's message about them.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error as TlsError, InconsistentKeys, RootCertStore};

use super::{Identity, Pem, Revocation};

/// Trusted authorities and revocation lists.
pub(super) struct Trust {
    pub(super) roots: RootCertStore,
    pub(super) revocation_lists: Vec<CertificateRevocationListDer<'static>>,
}

/// Reads the authorities' certificates, and their revocation lists if they are wanted.
pub(super) fn authorities(sources: &[Pem], revocation: Revocation) -> Result<Trust, String> {
    let mut roots = RootCertStore::empty();
    let mut revocation_lists = Vec::new();
    if sources.is_empty() {
        let found = rustls_native_certs::load_native_certs();
        // The system's store may contain certificates that cannot be parsed; they are ignored.
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err("the system has no trusted authorities, or they cannot be read; set cafile to the \
                        cluster's"
                .into());
        }
    }
    for source in sources {
        for source in files_of(source)? {
            let text = read(&source).map_err(|error| format!("{} cannot be read: {error}", name(&source)))?;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                certificate
                    .map_err(|_| ())
                    .and_then(|certificate| roots.add(certificate).map_err(|_| ()))
                    .map_err(|()| {
                        format!("{} contains a certificate that cannot be parsed", name(&source))
                    })?;
            }
            for list in CertificateRevocationListDer::pem_slice_iter(&text) {
                revocation_lists.push(list.map_err(|_| {
                    format!("{} contains a revocation list that cannot be parsed", name(&source))
                })?);
            }
        }
    }
    if roots.is_empty() {
        let names: Vec<_> = sources.iter().map(name).collect();
        return Err(format!("{} contains no certificate", names.join(" and ")));
    }
    match revocation {
        Revocation::Unchecked => revocation_lists.clear(),
        Revocation::Node | Revocation::Chain if revocation_lists.is_empty() => {
            return Err(
                "crl_check is set, but the authorities' files contain no revocation list (cafile, capath)"
                    .into(),
            );
        }
        Revocation::Node | Revocation::Chain => {}
    }
    Ok(Trust { roots, revocation_lists })
}

/// Reads the client's certificate and key, and checks that they belong together.
pub(super) fn identity(identity: &Identity, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let Identity { certificates: certificate, key } = identity;
    let text = read(certificate).map_err(|error| format!("{} cannot be read: {error}", name(certificate)))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| format!("{} cannot be parsed", name(certificate)))?;
    if chain.is_empty() {
        return Err(format!("{} contains no certificate", name(certificate)));
    }
    let text = read(key).map_err(|error| format!("the key {} cannot be read: {error}", name(key)))?;
    if is_encrypted(&text) {
        return Err(format!(
            "the key {} is encrypted, which is not supported; write it without a passphrase \
             (openssl pkey -in KEY -out PLAIN) where only the service can read it",
            name(key)
        ));
    }
    let parsed =
        PrivateKeyDer::from_pem_slice(&text).map_err(|_| format!("{} contains no private key", name(key)))?;
    CertifiedKey::from_der(chain, parsed, provider).map_err(|error| match error {
        TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            format!("the key {} does not belong to the certificate {}", name(key), name(certificate))
        }
        _ => format!("the key {} or the certificate {} cannot be used", name(key), name(certificate)),
    })
}

/// Encrypted keys have a section of their own, or a header in the older format.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

/// The files of a source: a directory stands for the files in it.
fn files_of(source: &Pem) -> Result<Vec<Cow<'_, Pem>>, String> {
    match source {
        Pem::File(path) if path.is_dir() => {
            let files = list(path).map_err(|error| format!("{} cannot be listed: {error}", name(source)))?;
            Ok(files.into_iter().map(|path| Cow::Owned(Pem::File(path))).collect())
        }
        _ => Ok(vec![Cow::Borrowed(source)]),
    }
}

fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in directory.read_dir()? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn read(source: &Pem) -> io::Result<Cow<'_, [u8]>> {
    match source {
        Pem::File(path) => std::fs::read(path).map(Cow::Owned),
        Pem::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
    }
}

/// The source's name in messages.
fn name(source: &Pem) -> String {
    match source {
        Pem::File(path) => format!("{path:?}"),
        Pem::Bytes(_) => "(PEM text)".into(),
    }
}
