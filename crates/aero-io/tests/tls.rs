//! TLS against the embedded node, with correct and invalid certificates.

#[path = "support/certificates.rs"]
mod certificates;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aero_io::{
    BatchKeys, BatchPolicy, Bins, Cluster, ClusterConfig, Error, Identity, Key, OwnedKey, Pem, ReadPolicy,
    Revocation, Seed, Space, TcpTransport, TlsConfig, TlsTransport, TlsVersion, WriteOp, WritePolicy,
};
use certificates::{Authority, Issued, NAME};
use dev_server::{CommandKind, Config, DevServer, Fault, FaultRule, TlsFiles};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use support::read;
use support::rows::Row;
use tokio::net::TcpListener;
use wire_protocol::message::op;
use wire_protocol::particle::Particle;

async fn serve(nodes: usize, tls: TlsFiles) -> DevServer {
    DevServer::start(Config { nodes, tls: Some(tls), ..Config::default() }).await.unwrap()
}

fn trusting(authority: &Authority) -> TlsConfig {
    TlsConfig { authorities: vec![Pem::Bytes(authority.pem().into())], ..TlsConfig::default() }
}

fn showing(authority: &Authority, client: &Issued) -> TlsConfig {
    let identity =
        Identity { certificates: Pem::File(client.cert.clone()), key: Pem::File(client.key.clone()) };
    TlsConfig { identity: Some(identity), ..trusting(authority) }
}

fn seeds(server: &DevServer, tls_name: Option<&str>) -> ClusterConfig {
    let seed = |at: &std::net::SocketAddr| Seed {
        tls_name: tls_name.map(Into::into),
        ..Seed::new(at.ip().to_string(), at.port())
    };
    ClusterConfig {
        seeds: server.addresses().iter().take(1).map(seed).collect(),
        tend_interval: Duration::from_millis(100),
        ..ClusterConfig::default()
    }
}

async fn connect(config: ClusterConfig, tls: TlsConfig) -> Result<Cluster, Error> {
    Cluster::connect(config, Arc::new(TlsTransport::load(tls).await?)).await
}

/// Why connecting to this server fails.
async fn refusal(server: &DevServer, tls: TlsConfig, name: &str) -> String {
    connect(seeds(server, Some(name)), tls).await.map(|_| ()).unwrap_err().to_string()
}

fn key(i: i64) -> Key {
    Key::new(Space::new("test", "tls"), OwnedKey::Int(i), false)
}

async fn fill(cluster: &Cluster, n: i64, value: &[u8]) -> Arc<BatchKeys> {
    for i in 0..n {
        let ops = [
            WriteOp { code: op::WRITE, name: b"i", value: Particle::Int(i) },
            WriteOp { code: op::WRITE, name: b"v", value: Particle::Blob(value) },
        ];
        cluster.write(&key(i), &ops, &WritePolicy::default()).await.unwrap();
    }
    let digests: Vec<_> = (0..n).map(|i| key(i).digest).collect();
    Arc::new(BatchKeys::single(Space::new("test", "tls"), digests))
}

/// Reads all rows and checks each.
async fn is_whole(cluster: &Cluster, keys: &Arc<BatchKeys>) {
    let (outcome, rows) = read(cluster, keys, BatchPolicy::default()).await;
    outcome.unwrap();
    for (i, row) in rows.all().into_iter().enumerate() {
        let Row::Record { code: 0, bins, .. } = row else { panic!("row {i}: {row:?}") };
        assert_eq!(bins[0].2, (i as i64).to_be_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_by_one_seed() {
    let authority = Authority::new();
    let server = serve(3, authority.nodes()).await;
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let tls = TlsConfig { versions: vec![version], ..trusting(&authority) };
        let cluster = connect(seeds(&server, Some(NAME)), tls).await.unwrap();
        assert_eq!(cluster.node_names().len(), 3, "peers are checked against the announced name");
        // Answers that span many TLS records, and small ones.
        let keys = fill(&cluster, 600, &[9; 3_000]).await;
        is_whole(&cluster, &keys).await;
        let answer = cluster.read(&key(5), &Bins::All, &ReadPolicy::default()).await;
        assert!(answer.is_ok());
        // Idle connections are reused: TLS messages between the answers do not make them unusable.
        let opened = server.counters(0).unwrap().connections;
        for _ in 0..20 {
            cluster.read(&key(5), &Bins::All, &ReadPolicy::default()).await.unwrap();
        }
        assert_eq!(server.counters(0).unwrap().connections, opened);
        cluster.close();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_is_lost_when_answers_are_cut_or_nodes_die() {
    let authority = Authority::new();
    let server = serve(3, authority.nodes()).await;
    let cluster = connect(seeds(&server, Some(NAME)), trusting(&authority)).await.unwrap();
    let keys = fill(&cluster, 900, &[1; 100]).await;
    for fault in [Fault::CloseMidFrame, Fault::Close] {
        let rule = FaultRule { fault, command: Some(CommandKind::Batch), times: Some(1) };
        server.inject(None, rule).unwrap();
        is_whole(&cluster, &keys).await;
    }
    server.kill(1).await.unwrap();
    is_whole(&cluster, &keys).await;
    server.restart(1).await.unwrap();
    is_whole(&cluster, &keys).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_name_is_the_default_tls_name() {
    let authority = Authority::new();
    let tls = Some(authority.nodes());
    let server =
        DevServer::start(Config { tls, cluster_name: NAME.into(), ..Config::default() }).await.unwrap();
    let config = ClusterConfig { cluster_name: Some(NAME.into()), ..seeds(&server, None) };
    assert!(connect(config, trusting(&authority)).await.is_ok());
    let error =
        connect(seeds(&server, None), trusting(&authority)).await.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("there is no name to check the node's certificate against"), "{error}");
    let error = refusal(&server, trusting(&authority), "not a name").await;
    assert!(error.contains("\"not a name\" is not a valid TLS name"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_certificates_are_told_apart() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let today = |params: &mut rcgen::CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    let tomorrow = |params: &mut rcgen::CertificateParams| {
        params.not_before = date_time_ymd(4000, 1, 1);
    };
    let for_clients = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let nameless = |params: &mut rcgen::CertificateParams| params.subject_alt_names.clear();
    for (issued, name, expected) in [
        (stranger.issue(NAME, |_| {}), NAME, "its issuer is unknown"),
        (authority.issue(NAME, today), NAME, "it expired "),
        (authority.issue(NAME, tomorrow), NAME, "it is not valid yet, but will be in "),
        (authority.issue(NAME, for_clients), NAME, "it is not a server certificate"),
        (
            authority.issue(NAME, |_| {}),
            "other.test",
            "it is not for the name \"other.test\" (the host's tls_name, or the cluster's), but for \"node.test\"",
        ),
        (
            authority.issue(NAME, nameless),
            NAME,
            "it is not for the name \"node.test\": its subjectAltName has no names",
        ),
    ] {
        let server = serve(1, issued.files(NAME)).await;
        let error = refusal(&server, trusting(&authority), name).await;
        let host = server.addresses()[0];
        assert!(
            error.contains(&format!("{host}: the node's certificate was refused: {expected}")),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_becomes_invalid() {
    let authority = Authority::new();
    let files = authority.nodes();
    let server = serve(1, files.clone()).await;
    let config = ClusterConfig { max_socket_idle: Duration::from_millis(1), ..seeds(&server, Some(NAME)) };
    let cluster = connect(config, trusting(&authority)).await.unwrap();
    let port = server.addresses()[0].port();
    server.stop().await;
    let bad = authority.issue("other.test", |_| {}).files(NAME);
    let config = Config { port, tls: Some(bad), ..Config::default() };
    let _server = DevServer::start(config).await.unwrap();
    let mut policy = ReadPolicy::default();
    policy.limits.max_retries = 0;
    let error = cluster.read(&key(0), &Bins::All, &policy).await.map(|_| ()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Connection { .. }), "{text}");
    assert!(
        text.contains("it is not for the name \"node.test\"") && text.contains(&port.to_string()),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutual_tls() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let files = TlsFiles { ca: Some(authority.file()), ..authority.nodes() };
    let server = serve(3, files).await;
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let versions = vec![version];
        let tls = TlsConfig { versions: versions.clone(), ..showing(&authority, &authority.client()) };
        let cluster = connect(seeds(&server, Some(NAME)), tls).await.unwrap();
        let keys = fill(&cluster, 100, &[]).await;
        is_whole(&cluster, &keys).await;
        // Repeated, because it is random whether the node's alert or the end of the connection arrives first.
        for _ in 0..10 {
            let tls = TlsConfig { versions: versions.clone(), ..trusting(&authority) };
            let error = refusal(&server, tls, NAME).await;
            assert!(
                error.contains("the node requires a client certificate, but none is configured"),
                "{version:?}: {error}"
            );
            let tls = TlsConfig { versions: versions.clone(), ..showing(&authority, &stranger.client()) };
            let error = refusal(&server, tls, NAME).await;
            assert!(
                error.contains("the node refuses the client certificate: it does not know who issued it")
                    || error.contains("and may have rejected the one it got"),
                "{version:?}: {error}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_certificates() {
    let authority = Authority::new();
    let server = serve(1, authority.nodes()).await;
    let with = |list: String, revocation| TlsConfig {
        authorities: vec![Pem::Bytes((authority.pem() + &list).into())],
        revocation,
        ..TlsConfig::default()
    };
    for (list, expected) in [
        (authority.revoked(&[8], 4000), None),
        (authority.revoked(&[7], 4000), Some("it was revoked")),
        (authority.revoked(&[8], 2021), Some("the revocation list that covers it is out of date")),
        (Authority::new().revoked(&[8], 4000), Some("no revocation list covers it")),
    ] {
        let found = connect(seeds(&server, Some(NAME)), with(list, Revocation::Node)).await;
        match (found, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (found, expected) => panic!("{:?}, not {expected:?}", found.map(|_| ())),
        }
    }
    let list = authority.revoked(&[7], 4000);
    assert!(connect(seeds(&server, Some(NAME)), with(list, Revocation::Unchecked)).await.is_ok());
    let error = TlsTransport::load(with(String::new(), Revocation::Chain)).await.unwrap_err().to_string();
    assert!(error.contains("contain no revocation list"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_and_plain_ports_are_told_apart() {
    let authority = Authority::new();
    let clear = DevServer::start(Config::default()).await.unwrap();
    let error = refusal(&clear, trusting(&authority), NAME).await;
    assert!(error.contains("in the TLS handshake; the port may not be a TLS port"), "{error}");

    let server = serve(1, authority.nodes()).await;
    let error = Cluster::connect(seeds(&server, None), Arc::new(TcpTransport)).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("it may be a port for TLS"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_port() {
    let authority = Authority::new();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap();
    let seed = Seed { tls_name: Some(NAME.into()), ..Seed::new(at.ip().to_string(), at.port()) };
    let config = ClusterConfig {
        seeds: vec![seed],
        connect_timeout: Duration::from_millis(300),
        ..ClusterConfig::default()
    };
    let start = Instant::now();
    let error = connect(config, trusting(&authority)).await.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("no answer within") || error.contains("connect timeout"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_node_is_hedged_over_tls() {
    let authority = Authority::new();
    let server = serve(3, authority.nodes()).await;
    let config = ClusterConfig { connect_timeout: Duration::from_millis(300), ..seeds(&server, Some(NAME)) };
    let cluster = connect(config, trusting(&authority)).await.unwrap();
    let keys = fill(&cluster, 300, &[]).await;
    server.pause(1).await.unwrap();
    is_whole(&cluster, &keys).await;
}

#[tokio::test]
async fn invalid_settings() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (client, not_its) = (authority.client(), authority.client());
    let file = |name: &str, text: &str| Pem::File(authority.write(name, text));
    let secret = "MIIsecretsecret";
    let locked = file(
        "locked.pem",
        &format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{secret}\n-----END ENCRYPTED PRIVATE KEY-----\n"),
    );
    let older = file(
        "older.pem",
        &format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{secret}\n-----END RSA PRIVATE KEY-----\n"
        ),
    );
    let broken = file("broken.pem", &format!("-----BEGIN PRIVATE KEY----\n{secret}\n"));
    let garbled =
        file("garbled.pem", &format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"));
    let certificate = Pem::File(client.cert.clone());
    let with_key = |key: Pem| TlsConfig {
        identity: Some(Identity { certificates: certificate.clone(), key }),
        ..trusting(&authority)
    };
    let trust = |source: Pem| TlsConfig { authorities: vec![source], ..TlsConfig::default() };
    for (config, expected) in [
        (with_key(locked), "is encrypted, which is not supported"),
        (with_key(older), "is encrypted, which is not supported"),
        (with_key(broken), "contains no private key"),
        (with_key(garbled), "cannot be used"),
        (with_key(Pem::File(not_its.key)), "does not belong to the certificate"),
        (with_key(Pem::File("no/such.pem".into())), "\"no/such.pem\" cannot be read: "),
        (trust(Pem::File("no/such.pem".into())), "\"no/such.pem\" cannot be read: "),
        (trust(file("empty.pem", "")), "contains no certificate"),
        (
            trust(Pem::Bytes(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec())),
            "contains a certificate that cannot be parsed",
        ),
        (
            TlsConfig { versions: Vec::new(), ..trusting(&authority) },
            "none of the allowed cipher suites works",
        ),
        (TlsConfig { cipher_suites: vec!["HIGH".into()], ..trusting(&authority) }, "unknown cipher suite"),
        (
            TlsConfig {
                versions: vec![TlsVersion::V1_3],
                cipher_suites: vec!["ECDHE-RSA-AES128-GCM-SHA256".into()],
                ..trusting(&authority)
            },
            "none of the allowed cipher suites works",
        ),
    ] {
        let error = TlsTransport::load(config).await.unwrap_err();
        assert_eq!(error.code(), -2);
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    // A directory stands for the files in it. Keys and other files are ignored.
    other.file();
    assert!(TlsTransport::load(trust(Pem::File(other.directory().into()))).await.is_ok());
    let transport = TlsTransport::load(with_key(Pem::File(client.key.clone()))).await.unwrap();
    let key = std::fs::read_to_string(&client.key).unwrap();
    let shown = format!("{transport:?}");
    assert!(key.lines().all(|line| line.is_empty() || !shown.contains(line)), "{shown}");
}
