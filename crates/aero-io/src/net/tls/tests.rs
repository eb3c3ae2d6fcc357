use std::time::Duration;

use dev_server::{Config, DevServer, TlsFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{HandshakeKind, ServerConfig};
use wire_protocol::info;

use super::*;
use crate::net::connection::Connection;

#[path = "../../../tests/support/certificates.rs"]
mod certificates;

use certificates::{Authority, NAME};

/// Connects, asks once, and returns the kind of the handshake.
async fn handshake(transport: &TlsTransport, address: SocketAddr) -> HandshakeKind {
    let target = Target { address, tls_name: Some(NAME) };
    let mut stream = transport.handshake(target).await.unwrap();
    let mut request = Vec::new();
    info::write_request(&mut request, &["node"]).unwrap();
    stream.write_all(&request).await.unwrap();
    assert!(stream.read(&mut [0; 256]).await.unwrap() > 0);
    stream.get_ref().1.handshake_kind().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_resumed_with_each_node() {
    let authority = Authority::new();
    let files = TlsFiles { ca: Some(authority.file()), ..authority.nodes() };
    let server = DevServer::start(Config { nodes: 3, tls: Some(files), ..Config::default() }).await.unwrap();
    let client = authority.client();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let identity =
            Identity { certificates: Pem::File(client.cert.clone()), key: Pem::File(client.key.clone()) };
        let config = TlsConfig {
            authorities: vec![Pem::Bytes(authority.pem().into())],
            identity: Some(identity),
            versions: vec![version],
            ..TlsConfig::default()
        };
        let transport = TlsTransport::load(config).await.unwrap();
        // The nodes share a name, but cannot resume each other's sessions.
        for address in server.addresses() {
            assert_eq!(handshake(&transport, address).await, HandshakeKind::Full);
        }
        for address in server.addresses().repeat(3) {
            assert_eq!(handshake(&transport, address).await, HandshakeKind::Resumed, "{version:?}");
        }
    }
}

/// Accepts a connection, waits for a byte, sends `bytes` in one TLS record, and waits for another byte before
/// it closes the connection.
async fn says(listener: TcpListener, authority: &Authority, bytes: &'static [u8]) {
    let issued = authority.issue(NAME, |_| {});
    let chain = CertificateDer::pem_file_iter(&issued.cert).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&issued.key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        stream.read_u8().await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.flush().await.unwrap();
        stream.read_u8().await.unwrap();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_tls_connection_has_no_decrypted_bytes() {
    let authority = Authority::new();
    let config = TlsConfig { authorities: vec![Pem::Bytes(authority.pem().into())], ..TlsConfig::default() };
    let transport = TlsTransport::load(config).await.unwrap();
    for (said, is_quiet) in [(&b"x"[..], true), (&b"xy"[..], false)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target { address: listener.local_addr().unwrap(), tls_name: Some(NAME) };
        says(listener, &authority, said).await;
        let mut stream = transport.connect(target).await.unwrap();
        stream.write_u8(0).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        // The socket has nothing more to read; the rest was decrypted with the first byte.
        let mut connection = Connection::new(stream);
        assert_eq!(connection.is_quiet(), is_quiet);
    }
    // The end is detected without a close_notify.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target { address: listener.local_addr().unwrap(), tls_name: Some(NAME) };
    says(listener, &authority, b"x").await;
    let mut stream = transport.connect(target).await.unwrap();
    stream.write_all(&[0, 0]).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await.unwrap(), 0);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(!Connection::new(stream).is_quiet());
}

#[test]
fn cipher_suites_have_two_names() {
    let names = |suite: &str| suite_names(suite).map(|name| name.clone());
    assert_eq!(
        names("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"]
    );
    assert_eq!(
        names("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"]
    );
    assert_eq!(names("TLS13_AES_128_GCM_SHA256"), ["TLS_AES_128_GCM_SHA256"; 2]);
    let chosen = provider(&["TLS_AES_128_GCM_SHA256".into(), "ECDHE-RSA-AES128-GCM-SHA256".into()]).unwrap();
    assert_eq!(chosen.cipher_suites.len(), 2);
    let error = provider(&["HIGH".into()]).unwrap_err();
    assert!(
        error.starts_with("unknown cipher suite \"HIGH\"; the supported ones are TLS_AES_256"),
        "{error}"
    );
    assert!(error.contains("ECDHE-ECDSA-AES256-GCM-SHA384"), "{error}");
}

#[test]
fn pem_text_is_not_formatted() {
    let identity = Identity { certificates: Pem::File("a.pem".into()), key: Pem::Bytes(b"secret".to_vec()) };
    let config = TlsConfig { identity: Some(identity), ..TlsConfig::default() };
    let shown = format!("{config:?}");
    assert!(shown.contains("a.pem") && shown.contains("Bytes(..)"), "{shown}");
}
