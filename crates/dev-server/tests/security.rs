//! Users: logins, tokens, roles, and clients that have not logged in.

mod support;

use std::time::Duration;

use dev_server::{Config, DevServer, User};
use support::{Client, batch_of, keys};
use wire_protocol::message::FrameHeader;
use wire_protocol::security::{Login, LoginAnswer, Proof, result_code_of, write_authenticate, write_login};

/// What the official client sent for the password "secret".
const HASH: &[u8] = b"$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb.";

async fn start() -> DevServer {
    let users = vec![
        User::new("ann", "secret", &[]).unwrap(),
        User::new("eve", "secret", &["read"]).unwrap().external(),
    ];
    DevServer::start(Config { users, session_ttl: 100, ..Config::default() }).await.unwrap()
}

async fn ask(client: &mut Client, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut request = Vec::new();
    write(&mut request);
    client.send(&request).await;
    client.frame().await.split_off(FrameHeader::LEN)
}

async fn log_in(client: &mut Client, login: Login<'_>) -> Result<Vec<u8>, u8> {
    let body = ask(client, |out| write_login(out, &login).unwrap()).await;
    let answer = LoginAnswer::parse(&body).unwrap();
    answer.token.map(<[u8]>::to_vec).ok_or(answer.result_code.get())
}

async fn authenticate(client: &mut Client, user: &str, proof: Proof<'_>) -> u8 {
    let body = ask(client, |out| write_authenticate(out, Some(user), proof).unwrap()).await;
    result_code_of(&body).unwrap().get()
}

fn internal<'a>(user: &'a str, hash: &'a [u8]) -> Login<'a> {
    Login::Internal { user, hash }
}

#[tokio::test]
async fn logins_and_tokens() {
    let server = start().await;
    let at = server.addresses()[0];
    let mut client = Client::connect(at).await;
    let external = |password| Login::External { user: "eve", hash: HASH, password };
    assert_eq!(log_in(&mut client, internal("bob", HASH)).await, Err(60));
    assert_eq!(log_in(&mut client, internal("ann", b"other")).await, Err(65));
    assert_eq!(
        log_in(&mut client, internal("eve", HASH)).await,
        Err(65),
        "an external user has to send the password"
    );
    assert_eq!(log_in(&mut client, external(b"secre")).await, Err(65));
    assert_eq!(log_in(&mut client, Login::Pki).await, Err(60));
    assert!(log_in(&mut client, external(b"secret")).await.is_ok());
    let token = log_in(&mut client, internal("ann", HASH)).await.unwrap();
    assert_eq!(client.info("node").await, "D1", "a login authenticates its connection");

    let mut client = Client::connect(at).await;
    assert_eq!(authenticate(&mut client, "eve", Proof::Token(&token)).await, 65);
    assert_eq!(authenticate(&mut client, "ann", Proof::Token(&[0; 32])).await, 66);
    assert_eq!(authenticate(&mut client, "ann", Proof::Token(&token)).await, 0);
    assert_eq!(client.info("node").await, "D1");
    assert_eq!(authenticate(&mut Client::connect(at).await, "ann", Proof::Hash(HASH)).await, 0);

    server.advance_clock(Duration::from_secs(101));
    assert_eq!(client.info("node").await, "D1", "connections outlive sessions");
    assert_eq!(authenticate(&mut Client::connect(at).await, "ann", Proof::Token(&token)).await, 66);
    let counters = server.counters(0).unwrap();
    assert_eq!((counters.logins, counters.authentications, counters.logins_refused), (2, 2, 8));

    server.set_user(User::new("ann", "changed", &[]).unwrap()).unwrap();
    assert_eq!(log_in(&mut Client::connect(at).await, internal("ann", HASH)).await, Err(65));
}

#[tokio::test]
async fn sessions_end_with_their_node() {
    let server = start().await;
    let at = server.addresses()[0];
    let token = log_in(&mut Client::connect(at).await, internal("ann", HASH)).await.unwrap();
    server.kill(0).await.unwrap();
    server.restart(0).await.unwrap();
    assert_eq!(authenticate(&mut Client::connect(at).await, "ann", Proof::Token(&token)).await, 66);
}

#[tokio::test]
async fn commands_before_a_login_are_refused() {
    let server = start().await;
    let mut client = Client::connect(server.addresses()[0]).await;
    let body =
        ask(&mut client, |out| wire_protocol::info::write_request(out, &["node", "build"]).unwrap()).await;
    assert_eq!(body, b"ERROR:80:not authenticated\n");
    assert_eq!(client.get("a").await.code(), 80);
    assert_eq!(client.batch(&batch_of(&keys(2))).await, (vec![], 80));
}

#[tokio::test]
async fn roles_are_enforced() {
    let server = start().await;
    let at = server.addresses()[0];
    let mut ann = Client::connect(at).await;
    log_in(&mut ann, internal("ann", HASH)).await.unwrap();
    assert_eq!(ann.put("a", 1).await.code(), 0);
    let mut eve = Client::connect(at).await;
    log_in(&mut eve, Login::External { user: "eve", hash: HASH, password: b"secret" }).await.unwrap();
    assert_eq!(eve.get("a").await.code(), 0);
    assert_eq!(eve.put("a", 1).await.code(), 81);

    server.set_user(User::new("max", "secret", &["write"]).unwrap()).unwrap();
    let mut max = Client::connect(at).await;
    log_in(&mut max, internal("max", HASH)).await.unwrap();
    assert_eq!(max.put("a", 1).await.code(), 0);
    assert_eq!(max.batch(&batch_of(&keys(2))).await, (vec![(0, 81), (1, 81)], 0));
}
