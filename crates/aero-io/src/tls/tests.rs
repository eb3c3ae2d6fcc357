use dev_server::{Config, DevServer, TlsFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::rustls::HandshakeKind;
use wire_protocol::info;

use super::*;

#[path = "../../tests/support/certificates.rs"]
mod certificates;

use certificates::{Authority, NAME};

/// Connects, asks once, and says how the handshake went.
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
        // Each node in turn: they share their name, and a session of one is worth nothing to the next.
        for address in server.addresses() {
            assert_eq!(handshake(&transport, address).await, HandshakeKind::Full);
        }
        for address in server.addresses().repeat(3) {
            assert_eq!(handshake(&transport, address).await, HandshakeKind::Resumed, "{version:?}");
        }
    }
}

#[test]
fn suites_by_either_name() {
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
    assert!(error.starts_with("there is no cipher suite \"HIGH\"; there are TLS_AES_256"), "{error}");
    assert!(error.contains("ECDHE-ECDSA-AES256-GCM-SHA384"), "{error}");
}

#[test]
fn text_at_hand_is_not_shown() {
    let identity = Identity { certificates: Pem::File("a.pem".into()), key: Pem::Bytes(b"secret".to_vec()) };
    let config = TlsConfig { identity: Some(identity), ..TlsConfig::default() };
    let shown = format!("{config:?}");
    assert!(shown.contains("a.pem") && shown.contains("Bytes(..)"), "{shown}");
}
