//! Nodes and connections: death and hanging, slow and hostile clients.

mod support;

use std::time::Duration;

use dev_server::{Config, DevServer, DevServerError};
use support::Client;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use wire_protocol::batch::{BatchReadHeader, BatchRow, write_batch_read};
use wire_protocol::command::Projection;
use wire_protocol::command::WriteOptions;
use wire_protocol::digest::Digest;
use wire_protocol::message::{FrameHeader, FrameType, MAX_FRAME, Message, op};
use wire_protocol::particle::Particle;

/// Long enough for a server that answers, and short enough to wait for one that does not.
const A_WHILE: Duration = Duration::from_millis(200);

async fn cluster(nodes: usize) -> (DevServer, Vec<std::net::SocketAddr>) {
    let server = DevServer::start(Config { nodes, ..Config::default() }).await.unwrap();
    let addresses = server.addresses();
    (server, addresses)
}

#[tokio::test]
async fn a_killed_node_is_gone_and_comes_back() {
    let (server, addresses) = cluster(2).await;
    let mut client = Client::connect(addresses[1]).await;
    assert_eq!(client.put("a", 1).await.code(), 0);
    server.kill(1).await.unwrap();
    assert!(client.is_closed().await);
    assert!(TcpStream::connect(addresses[1]).await.is_err());
    assert!(matches!(server.kill(1).await, Err(DevServerError::State { node: 1, .. })));
    assert!(matches!(server.pause(1).await, Err(DevServerError::State { node: 1, .. })));
    // The other node has the records.
    assert_eq!(Client::connect(addresses[0]).await.get("a").await.text(), "i=1");
    server.restart(1).await.unwrap();
    assert!(matches!(server.restart(1).await, Err(DevServerError::State { node: 1, .. })));
    assert_eq!(Client::connect(addresses[1]).await.get("a").await.text(), "i=1");
    assert!(matches!(server.kill(2).await, Err(DevServerError::NoSuchNode { node: 2, nodes: 2 })));
    assert_eq!(server.addresses(), addresses);
}

#[tokio::test]
async fn a_paused_node_accepts_connections_and_sends_nothing() {
    let (server, addresses) = cluster(1).await;
    let mut before = Client::connect(addresses[0]).await;
    before.put("a", 1).await;
    server.pause(0).await.unwrap();
    let mut client = Client::connect(addresses[0]).await;
    for client in [&mut before, &mut client] {
        assert!(tokio::time::timeout(A_WHILE, client.get("a")).await.is_err());
    }
    server.resume(0).await.unwrap();
    for client in [&mut before, &mut client] {
        assert_eq!(client.answer().await.text(), "i=1");
    }
    // A paused node can be killed.
    server.pause(0).await.unwrap();
    server.kill(0).await.unwrap();
    assert!(client.is_closed().await);
    server.restart(0).await.unwrap();
    // It was the only node, so its records are lost.
    assert_eq!(Client::connect(addresses[0]).await.get("a").await.code(), 2);
}

#[tokio::test]
async fn dropping_the_server_stops_it() {
    let (server, addresses) = cluster(1).await;
    let mut client = Client::connect(addresses[0]).await;
    client.put("a", 1).await;
    drop(server);
    assert!(client.is_closed().await);
    let deadline = tokio::time::Instant::now() + support::PATIENCE;
    while TcpStream::connect(addresses[0]).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn errors_say_why_a_server_does_not_start() {
    let (_server, addresses) = cluster(1).await;
    let taken = Config { port: addresses[0].port(), ..Config::default() };
    assert!(matches!(DevServer::start(taken).await, Err(DevServerError::Listen { .. })));
    let none = Config { nodes: 0, ..Config::default() };
    assert!(matches!(DevServer::start(none).await, Err(DevServerError::Config { .. })));
}

/// A batch whose rows all read the record `a`.
fn batch(rows: u32) -> Vec<u8> {
    let digest: Digest = support::digest("a");
    let rows =
        (0..rows).map(|index| BatchRow { index, digest: &digest, namespace: b"test", set: support::SET });
    let mut request = Vec::new();
    write_batch_read(
        &mut request,
        &BatchReadHeader { projection: Projection::All, ..BatchReadHeader::default() },
        rows.collect::<Vec<_>>().into_iter(),
    )
    .unwrap();
    request
}

#[tokio::test]
async fn a_client_that_does_not_read_delays_no_other() {
    let (_server, addresses) = cluster(1).await;
    let mut client = Client::connect(addresses[0]).await;
    let blob = vec![7; 100_000];
    client.write("a", &[support::bin(op::WRITE, "b", Particle::Blob(&blob))], &WriteOptions::default()).await;
    // Ten answers of a gigabyte each, which are not read.
    let mut slow = Vec::new();
    for _ in 0..10 {
        let mut client = Client::connect(addresses[0]).await;
        client.send(&batch(10_000)).await;
        slow.push(client);
    }
    for _ in 0..20 {
        assert_eq!(client.put("b", 1).await.code(), 0);
    }
    // One of them starts to read: it gets whole rows, in order.
    let mut next = 0;
    while next < 50 {
        let frame = slow[0].frame().await;
        let mut rest = &frame[FrameHeader::LEN..];
        while let Ok((message, tail)) = Message::parse(rest) {
            assert_eq!((message.header.result_code.get(), message.header.extra), (0, next));
            next += 1;
            rest = tail;
        }
        assert!(rest.is_empty());
    }
}

#[tokio::test]
async fn requests_in_one_write_are_answered_in_order() {
    let (_server, addresses) = cluster(1).await;
    let mut client = Client::connect(addresses[0]).await;
    client.put("a", 1).await;
    let (mut writes, requests) = (Vec::new(), batch(3));
    for _ in 0..1000 {
        writes.extend_from_slice(&requests);
    }
    client.send(&writes).await;
    for _ in 0..1000 {
        let rows = client.frame().await;
        assert_eq!(rows[FrameHeader::LEN + 5], 0);
        let end = client.answer().await;
        assert_eq!((end.code(), end.header.info3), (0, 1));
    }
}

#[tokio::test]
async fn requests_may_arrive_byte_by_byte() {
    let (_server, addresses) = cluster(1).await;
    let mut client = Client::connect(addresses[0]).await;
    client.put("a", 1).await;
    client.0.set_nodelay(true).unwrap();
    for byte in batch(1) {
        client.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.text(), "i=1");
}

#[tokio::test]
async fn an_invalid_frame_closes_only_its_connection() {
    let (_server, addresses) = cluster(1).await;
    let mut witness = Client::connect(addresses[0]).await;
    witness.put("a", 1).await;
    let announced = |size: u64| {
        let mut frame = vec![2, 3];
        frame.extend_from_slice(&size.to_be_bytes()[2..]);
        frame
    };
    let hostile: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        vec![0; 64],
        vec![0xff; 64],
        vec![2, 9, 0, 0, 0, 0, 0, 0],
        announced(MAX_FRAME as u64 + 1),
        announced((1 << 48) - 1),
        FrameHeader { kind: FrameType::Info, size: 64 * 1024 * 1024 }.to_bytes().to_vec(),
    ];
    for bytes in hostile {
        let mut client = Client::connect(addresses[0]).await;
        client.send(&bytes).await;
        assert!(client.is_closed().await, "{bytes:02x?}");
        assert_eq!(witness.get("a").await.text(), "i=1");
    }
    // A valid frame with an invalid message is answered.
    let mut client = Client::connect(addresses[0]).await;
    for body in [&b""[..], b"\x16", &[0xff; 200]] {
        let header = FrameHeader { kind: FrameType::Message, size: body.len() };
        client.send(&[&header.to_bytes()[..], body].concat()).await;
        assert_eq!(client.answer().await.code(), 4);
    }
    assert_eq!(client.get("a").await.text(), "i=1");
}

#[tokio::test]
async fn many_connections_announce_frames_that_never_come() {
    let (_server, addresses) = cluster(1).await;
    let mut clients = Vec::new();
    for _ in 0..300 {
        let mut client = TcpStream::connect(addresses[0]).await.unwrap();
        let header = FrameHeader { kind: FrameType::Message, size: MAX_FRAME };
        client.write_all(&header.to_bytes()).await.unwrap();
        clients.push(client);
    }
    let mut client = Client::connect(addresses[0]).await;
    assert_eq!(client.put("a", 1).await.code(), 0);
}
