//! Logins: at the embedded node, and at scripted nodes that give invalid answers.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aero_io::{
    AuthMode, BatchPolicy, Bins, Cluster, ClusterConfig, Credentials, Error, Key, OwnedKey, ReadPolicy, Seed,
    Space, TcpTransport, WriteOp, WritePolicy, client_code,
};
use dev_server::{CommandKind, Config, DevServer, Fault, FaultRule, User};
use support::net::{Act, Net};
use support::{keys, read};
use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::message::op;
use wire_protocol::particle::Particle;
use wire_protocol::security::{SecurityMessage, command, field, write_security};

const PASSWORD: &str = "hunter2!";

fn credentials(mode: AuthMode, user: &str, password: &str) -> Option<Credentials> {
    Some(Credentials::new(mode, user, password).unwrap())
}

fn internal(password: &str) -> Option<Credentials> {
    credentials(AuthMode::Internal, "ann", password)
}

async fn start(nodes: usize, session_ttl: u32) -> DevServer {
    let users = vec![
        User::new("ann", PASSWORD, &[]).unwrap(),
        User::new("eve", PASSWORD, &["read"]).unwrap(),
        User::new("max", PASSWORD, &[]).unwrap().external(),
    ];
    DevServer::start(Config { nodes, users, session_ttl, ..Config::default() }).await.unwrap()
}

async fn connect(server: &DevServer, credentials: Option<Credentials>) -> Result<Cluster, Error> {
    let seeds = server.addresses().iter().map(|at| Seed::new(at.ip().to_string(), at.port())).collect();
    let tend_interval = Duration::from_millis(100);
    let config = ClusterConfig { seeds, tend_interval, credentials, ..Default::default() };
    Cluster::connect(config, Arc::new(TcpTransport)).await
}

fn key(i: i64) -> Key {
    Key::new(Space::new("test", "set"), OwnedKey::Int(i), false)
}

async fn put(cluster: &Cluster, i: i64) -> Result<(), Error> {
    let ops = [WriteOp { code: op::WRITE, name: b"v", value: Particle::Int(i) }];
    cluster.write(&key(i), &ops, &WritePolicy::default()).await.map(drop)
}

fn logins(server: &DevServer) -> Vec<u64> {
    (0..server.addresses().len()).map(|node| server.counters(node).unwrap().logins).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_login_per_node_for_many_commands() {
    let server = start(3, 86_400).await;
    let cluster = connect(&server, internal(PASSWORD)).await.unwrap();
    assert_eq!(cluster.node_names().len(), 3);
    let tasks: Vec<_> = (0..64)
        .map(|i| {
            let cluster = cluster.clone();
            tokio::spawn(async move { put(&cluster, i).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let (outcome, rows) = read(&cluster, &keys(500), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(rows.count(2), 500);
    assert_eq!(logins(&server), [1, 1, 1]);
    assert!((0..3).all(|node| server.counters(node).unwrap().authentications > 1));
    let shown = format!("{cluster:?} {:?}", cluster.stats());
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_refusals_name_user_node_and_reason() {
    let server = start(1, 86_400).await;
    let at = server.addresses()[0];
    for (credentials, code, text) in [
        (
            internal("wrong1"),
            65,
            "the credential is invalid (INVALID_CREDENTIAL, code 65): login of user \"ann\"",
        ),
        (
            credentials(AuthMode::Internal, "zoe", "wrong1"),
            60,
            "the user name is invalid (INVALID_USER, code 60): login of user \"zoe\"",
        ),
        (
            credentials(AuthMode::ExternalInsecure, "max", "wrong1"),
            65,
            "the credential is invalid (INVALID_CREDENTIAL, code 65): login of user \"max\"",
        ),
    ] {
        let error = connect(&server, credentials).await.unwrap_err();
        assert_eq!((error.code(), error.to_string()), (code, format!("{text} at {at}")));
        assert!(!format!("{error:?}").contains("wrong1"));
    }
    let external = credentials(AuthMode::External, "max", PASSWORD);
    let error = connect(&server, external).await.unwrap_err();
    assert!(error.code() == client_code::PARAM && error.to_string().contains("requires TLS"), "{error}");
    assert_eq!(connect(&server, Some(Credentials::pki())).await.unwrap_err().code(), client_code::PARAM);
    assert!(connect(&server, credentials(AuthMode::ExternalInsecure, "max", PASSWORD)).await.is_ok());
    // Without a user, a node answers nothing else.
    let error = connect(&server, None).await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        (
            80,
            format!(
                "the connection is not authenticated (NOT_AUTHENTICATED, code 80): the node requires a login, but \
                 no user is configured at {at}"
            )
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn role_violations_are_final() {
    let server = start(1, 86_400).await;
    let cluster = connect(&server, credentials(AuthMode::Internal, "eve", PASSWORD)).await.unwrap();
    let error = put(&cluster, 1).await.unwrap_err();
    assert_eq!((error.code(), error.tried().unwrap().attempts), (81, 1));
    assert_eq!(cluster.read(&key(1), &Bins::All, &ReadPolicy::default()).await.unwrap_err().code(), 2);

    server.set_user(User::new("eve", PASSWORD, &["write"]).unwrap()).unwrap();
    let cluster = connect(&server, credentials(AuthMode::Internal, "eve", PASSWORD)).await.unwrap();
    let (outcome, rows) = read(&cluster, &keys(50), BatchPolicy::default()).await;
    assert_eq!((outcome.unwrap_err().code(), rows.count(81)), (81, 50));
    assert_eq!(cluster.stats().retries, 0);
    assert_eq!(server.counters(0).unwrap().batch_rows, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_sessions_cost_no_row_and_no_attempt() {
    let server = start(1, 3_600).await;
    let cluster = connect(&server, internal(PASSWORD)).await.unwrap();
    let mut single = BatchPolicy::default();
    single.limits.max_retries = 0;
    for _ in 0..5 {
        // The token has expired at the node, which the client does not know, and a connection is stale.
        server.advance_clock(Duration::from_secs(4_000));
        let once = FaultRule {
            fault: Fault::Code(ResultCode::NOT_AUTHENTICATED),
            command: Some(CommandKind::Batch),
            times: Some(1),
        };
        server.inject(None, once).unwrap();
        let (outcome, rows) = read(&cluster, &keys(3_000), single.clone()).await;
        outcome.unwrap();
        assert_eq!(rows.count(2), 3_000);
        server.clear_faults(None).unwrap();
    }
    assert_eq!(cluster.stats().retries, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_sessions_are_renewed_before_they_end() {
    let server = start(1, 2).await;
    let cluster = connect(&server, internal(PASSWORD)).await.unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    let mut i = 0;
    while Instant::now() < end {
        put(&cluster, i).await.unwrap();
        i += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let counters = server.counters(0).unwrap();
    assert!((3..=8).contains(&counters.logins), "{counters}");
    assert_eq!(counters.logins_refused, 0, "no token was used after its end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_fails_at_the_next_login() {
    let server = start(1, 3_600).await;
    let cluster = connect(&server, internal(PASSWORD)).await.unwrap();
    put(&cluster, 1).await.unwrap();
    server.set_user(User::new("ann", "another", &[]).unwrap()).unwrap();
    put(&cluster, 2).await.unwrap();
    // The node's connections and sessions end with it.
    server.kill(0).await.unwrap();
    server.restart(0).await.unwrap();
    let mut error = put(&cluster, 3).await.unwrap_err();
    let end = Instant::now() + Duration::from_secs(10);
    while error.code() != 65 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
        error = put(&cluster, 3).await.unwrap_err();
    }
    assert_eq!(error.code(), 65, "{error}");
    assert!(error.to_string().contains("login of user \"ann\" at 127.0.0.1") && !error.in_doubt(), "{error}");
    // Commands do not repeat the refused login.
    let before = server.counters(0).unwrap().logins_refused;
    for i in 0..50 {
        put(&cluster, i).await.unwrap_err();
    }
    assert!(server.counters(0).unwrap().logins_refused <= before + 3);
    server.set_user(User::new("ann", PASSWORD, &[]).unwrap()).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while put(&cluster, 4).await.is_err() {
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_client_can_login_with_the_same_user() {
    let server = start(1, 86_400).await;
    let cluster = connect(&server, internal(PASSWORD)).await.unwrap();
    put(&cluster, 7).await.unwrap();
    let policy = aerospike::ClientPolicy {
        auth_mode: aerospike::AuthMode::Internal("ann".into(), PASSWORD.into()),
        ..Default::default()
    };
    let at = server.addresses()[0].to_string();
    let other = aerospike::Client::new(&policy, &at).await.unwrap();
    let found = aerospike::Key::new("test", "set", aerospike::Value::Int(7)).unwrap();
    let record = other.get(&aerospike::ReadPolicy::default(), &found, aerospike::Bins::All).await.unwrap();
    assert_eq!(record.bins["v"], aerospike::Value::Int(7));
}

/// A scripted node that answers logins with a code and fields, and all tokens with another code.
fn scripted(
    code: u8,
    fields: &'static [(u8, &'static [u8])],
    introduced: u8,
) -> (Arc<Net>, Arc<AtomicUsize>) {
    let (net, nodes) = Net::cluster(1);
    let logins = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&logins);
    nodes[0].on_security(move |body| {
        let message = SecurityMessage::parse(body).unwrap();
        let mut out = Vec::new();
        if message.command == command::LOGIN {
            count.fetch_add(1, Ordering::SeqCst);
            write_security(&mut out, code.into(), 0, fields).unwrap();
        } else {
            write_security(&mut out, introduced.into(), 0, &[]).unwrap();
        }
        vec![Act::Send(out)]
    });
    (net, logins)
}

fn with_user() -> ClusterConfig {
    ClusterConfig { credentials: internal(PASSWORD), ..support::config(&["10.0.0.1:3000"]) }
}

#[tokio::test(start_paused = true)]
async fn servers_without_security() {
    // A node with security disabled accepts everyone; one without security refuses, as recorded.
    let (net, logins) = scripted(52, &[], 80);
    let cluster = Cluster::connect(with_user(), net).await.unwrap();
    let (outcome, _) = read(&cluster, &keys(10), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(logins.load(Ordering::SeqCst), 1);
    let (net, _) = scripted(51, &[], 80);
    let error = Cluster::connect(with_user(), net).await.unwrap_err();
    assert_eq!(error.code(), 51);
    assert!(error.to_string().contains("the server has no security feature"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn refused_tokens_fail_after_two_logins() {
    let (net, logins) = scripted(0, &[(field::SESSION_TOKEN, b"t")], 66);
    let error = Cluster::connect(with_user(), net).await.unwrap_err();
    assert_eq!((error.code(), logins.load(Ordering::SeqCst)), (66, 2));
}

/// A node that accepts logins, but refuses the tokens from them.
#[tokio::test(start_paused = true)]
async fn a_node_that_refuses_its_own_tokens_gets_few_logins() {
    let (net, nodes) = Net::cluster(1);
    let logins = Arc::new(AtomicUsize::new(0));
    let is_hostile = Arc::new(AtomicBool::new(false));
    let (count, hostile) = (Arc::clone(&logins), Arc::clone(&is_hostile));
    nodes[0].on_security(move |body| {
        let mut out = Vec::new();
        if SecurityMessage::parse(body).unwrap().command == command::LOGIN {
            count.fetch_add(1, Ordering::SeqCst);
            write_security(&mut out, ResultCode::OK, 0, &[(field::SESSION_TOKEN, b"t")]).unwrap();
        } else {
            let code = if hostile.load(Ordering::SeqCst) { 80 } else { 0 };
            write_security(&mut out, code.into(), 0, &[]).unwrap();
        }
        vec![Act::Send(out)]
    });
    let config = ClusterConfig { tend_interval: Duration::from_secs(3_600), ..with_user() };
    let cluster = Cluster::connect(config, net).await.unwrap();
    is_hostile.store(true, Ordering::SeqCst);
    let mut policy = ReadPolicy::default();
    policy.limits.max_retries = 0;
    for _ in 0..100 {
        let error = cluster.read(&key(1), &Bins::All, &policy).await.unwrap_err();
        assert_eq!(error.code(), 80);
    }
    assert!(logins.load(Ordering::SeqCst) <= 3, "{logins:?}");
    is_hostile.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(2)).await;
    cluster.read(&key(1), &Bins::All, &policy).await.unwrap();
    assert!(logins.load(Ordering::SeqCst) <= 4, "{logins:?}");
}

/// The last minute of a session at a node that refuses the next login.
#[tokio::test(start_paused = true)]
async fn a_refused_login_renewal_is_not_repeated_by_every_connection() {
    let (net, nodes) = Net::cluster(1);
    let logins = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&logins);
    nodes[0].on_security(move |body| {
        let is_login = SecurityMessage::parse(body).unwrap().command == command::LOGIN;
        let mut out = Vec::new();
        if is_login && count.fetch_add(1, Ordering::SeqCst) > 0 {
            write_security(&mut out, ResultCode::INVALID_PASSWORD, 0, &[]).unwrap();
        } else {
            let ttl = 1_000u32.to_be_bytes();
            let fields = [(field::SESSION_TOKEN, &b"t"[..]), (field::SESSION_TTL, &ttl)];
            write_security(&mut out, ResultCode::OK, 0, &fields).unwrap();
        }
        vec![Act::Send(out)]
    });
    let config = ClusterConfig { tend_interval: Duration::from_millis(10), ..with_user() };
    let cluster = Cluster::connect(config, net).await.unwrap();
    tokio::time::sleep(Duration::from_secs(939)).await;
    assert_eq!(logins.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_secs(31)).await;
    let n = logins.load(Ordering::SeqCst);
    assert!((20..=32).contains(&n), "{n}");
    assert!(cluster.is_connected(), "the session remains valid until it ends");
}

#[tokio::test(start_paused = true)]
async fn login_timeouts_and_invalid_login_answers_are_reported() {
    let (net, nodes) = Net::cluster(1);
    nodes[0].on_security(|_| vec![Act::Hang]);
    let start = Instant::now();
    let config = ClusterConfig { login_timeout: Duration::from_secs(3), ..with_user() };
    let error = Cluster::connect(config.clone(), Arc::clone(&net) as _).await.unwrap_err();
    assert_eq!((start.elapsed().as_secs(), error.code()), (3, client_code::CONNECTION));
    assert!(error.to_string().contains("no answer to the login within the login timeout"), "{error}");

    let (net, _) = scripted(0, &[], 0);
    let error = Cluster::connect(config, net).await.unwrap_err();
    assert!(error.to_string().contains("malformed login answer: it has no token"), "{error}");
}

/// Commands that time out do not abort the login, and later ones use its result.
#[tokio::test(start_paused = true)]
async fn a_slow_login_is_started_once() {
    let (net, nodes) = Net::cluster(1);
    let logins = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&logins);
    nodes[0].on_security(move |body| {
        let mut out = Vec::new();
        if SecurityMessage::parse(body).unwrap().command != command::LOGIN {
            write_security(&mut out, ResultCode::OK, 0, &[]).unwrap();
            return vec![Act::Send(out)];
        }
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let ttl = if first { 4u32 } else { 86_400 }.to_be_bytes();
        write_security(
            &mut out,
            ResultCode::OK,
            0,
            &[(field::SESSION_TOKEN, b"t"), (field::SESSION_TTL, &ttl)],
        )
        .unwrap();
        vec![Act::Wait(Duration::from_secs(if first { 0 } else { 4 })), Act::Send(out)]
    });
    let config = ClusterConfig { tend_interval: Duration::from_secs(3_600), ..with_user() };
    let cluster = Cluster::connect(config, net).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut failed = 0;
    let mut hasty = ReadPolicy::default();
    hasty.limits.total_timeout = Some(Duration::from_millis(300));
    while cluster.read(&key(1), &Bins::All, &hasty).await.is_err() {
        failed += 1;
        assert!(failed < 100);
    }
    assert!(failed > 5, "{failed}");
    assert_eq!(logins.load(Ordering::SeqCst), 2);
}
