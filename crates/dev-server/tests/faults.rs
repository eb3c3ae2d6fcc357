//! Fault rules: the bytes that clients get, and which commands are not affected.

mod support;

use std::time::{Duration, Instant};

use dev_server::{CommandKind, Config, DevServer, DevServerError, Fault, FaultRule};
use support::{Client, batch_of, batch_with, keys};
use tokio::io::AsyncReadExt;
use wire_protocol::ResultCode;
use wire_protocol::batch::BatchReadHeader;
use wire_protocol::message::{FrameHeader, FrameType};

/// Long enough for a server that answers, and short enough to wait for one that does not.
const A_WHILE: Duration = Duration::from_millis(200);

const ROWS: usize = 20;

/// A node with the records of `keys(ROWS)`, and a client that is connected to it.
async fn node() -> (DevServer, Client) {
    let server = DevServer::start(Config::default()).await.unwrap();
    let mut client = Client::connect(server.addresses()[0]).await;
    for key in keys(ROWS) {
        assert_eq!(client.put(&key, 1).await.code(), 0);
    }
    (server, client)
}

fn for_one(fault: Fault, command: CommandKind) -> FaultRule {
    FaultRule { fault, command: Some(command), times: Some(1) }
}

fn request() -> Vec<u8> {
    batch_of(&keys(ROWS))
}

/// All that the server sends until it closes the connection.
async fn rest(client: &mut Client) -> Vec<u8> {
    let mut bytes = Vec::new();
    tokio::time::timeout(support::PATIENCE, client.0.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// Length of the answer without a fault.
async fn whole_answer(server: &DevServer) -> usize {
    let mut client = Client::connect(server.addresses()[0]).await;
    client.send(&request()).await;
    client.frame().await.len() + client.frame().await.len()
}

#[tokio::test]
async fn closing_instead_of_answering() {
    let (server, mut other) = node().await;
    server.inject(None, for_one(Fault::Close, CommandKind::Batch)).unwrap();
    let mut client = Client::connect(server.addresses()[0]).await;
    // The command before it is answered.
    assert_eq!(client.get("key-1").await.code(), 0);
    client.send(&request()).await;
    assert!(rest(&mut client).await.is_empty());
    // Other clients are not affected, and the rule is used up.
    assert_eq!(other.batch(&request()).await.0.len(), ROWS);
    let counters = server.counters(0).unwrap();
    assert_eq!((counters.faults, counters.batch_requests, counters.batch_rows), (1, 2, 2 * ROWS as u64));
}

#[tokio::test]
async fn closing_in_the_middle_of_a_frame() {
    let (server, _) = node().await;
    let whole = whole_answer(&server).await;
    for command in [CommandKind::Batch, CommandKind::Read, CommandKind::Info] {
        server.inject(None, for_one(Fault::CloseMidFrame, command)).unwrap();
        let mut client = Client::connect(server.addresses()[0]).await;
        let bytes = match command {
            CommandKind::Batch => {
                client.send(&request()).await;
                let bytes = rest(&mut client).await;
                assert_eq!(bytes.len(), whole / 2);
                bytes
            }
            CommandKind::Read => {
                let mut request = Vec::new();
                let digest = support::digest("key-1");
                let all = wire_protocol::command::Projection::All;
                let record = support::record(&digest, None);
                wire_protocol::command::write_read(&mut request, &record, all, &Default::default()).unwrap();
                client.send(&request).await;
                rest(&mut client).await
            }
            _ => {
                let mut request = Vec::new();
                wire_protocol::info::write_request(&mut request, &["node", "build"]).unwrap();
                client.send(&request).await;
                rest(&mut client).await
            }
        };
        let header = FrameHeader::parse(bytes.first_chunk().unwrap()).unwrap();
        assert!(bytes.len() < FrameHeader::LEN + header.size, "{command}");
    }
}

#[tokio::test]
async fn a_long_answer_is_closed_in_the_middle_too() {
    let (server, mut client) = node().await;
    let rule = for_one(Fault::CloseMidFrame, CommandKind::Batch);
    server.inject(None, rule).unwrap();
    client.send(&batch_of(&vec!["key-1".to_owned(); 100_000])).await;
    let bytes = rest(&mut client).await;
    let mut end = 0;
    while let Some(head) = bytes.get(end..).and_then(|rest| rest.first_chunk()) {
        end += FrameHeader::LEN + FrameHeader::parse(head).unwrap().size;
    }
    assert!(bytes.len() > 400_000 && end > bytes.len());
}

#[tokio::test]
async fn answering_late() {
    let (server, mut client) = node().await;
    let time = Duration::from_millis(300);
    server.inject(Some(0), for_one(Fault::Late(time), CommandKind::Batch)).unwrap();
    let start = Instant::now();
    client.send(&request()).await;
    // Other connections are not delayed.
    let mut other = Client::connect(server.addresses()[0]).await;
    assert_eq!(other.batch(&request()).await.0.len(), ROWS);
    assert!(start.elapsed() < time);
    assert_eq!(client.batch(&[]).await.0.len(), ROWS);
    assert!(start.elapsed() >= time);
}

#[tokio::test]
async fn never_answering_one_command() {
    let (server, mut client) = node().await;
    server.inject(None, for_one(Fault::Silent, CommandKind::Batch)).unwrap();
    client.send(&request()).await;
    assert!(tokio::time::timeout(A_WHILE, client.frame()).await.is_err());
    assert_eq!(client.get("key-1").await.text(), "i=1");
    assert_eq!(client.batch(&request()).await.0.len(), ROWS);
}

#[tokio::test]
async fn bytes_that_are_not_a_frame() {
    let (server, mut client) = node().await;
    server.inject(None, for_one(Fault::Garbage, CommandKind::Info)).unwrap();
    let mut request = Vec::new();
    wire_protocol::info::write_request(&mut request, &["node"]).unwrap();
    client.send(&request).await;
    let mut head = [0; FrameHeader::LEN];
    client.0.read_exact(&mut head).await.unwrap();
    assert!(FrameHeader::parse(&head).is_err());
}

#[tokio::test]
async fn wrong_row_indexes_and_repeated_rows() {
    let (server, mut client) = node().await;
    let right: Vec<_> = (0..ROWS as u32).map(|index| (index, 0)).collect();
    // A read has no rows, so the rule does not match it and is not used up.
    server.inject(None, FaultRule { times: Some(1), ..FaultRule::new(Fault::WrongRowIndex) }).unwrap();
    assert_eq!(client.get("key-1").await.text(), "i=1");
    let (rows, end) = client.batch(&request()).await;
    assert_eq!((rows[0], &rows[1..], end), ((u32::MAX, 0), &right[1..], 0));
    server.inject(None, FaultRule { times: Some(1), ..FaultRule::new(Fault::RowTwice) }).unwrap();
    let (rows, end) = client.batch(&request()).await;
    assert_eq!((rows[0], &rows[1..], end), ((0, 0), &right[..], 0));
    assert_eq!(client.batch(&request()).await, (right, 0));
}

#[tokio::test]
async fn a_frame_that_announces_100_mib() {
    let (server, mut client) = node().await;
    for (command, kind) in [(CommandKind::Batch, FrameType::Message), (CommandKind::Info, FrameType::Info)] {
        server.inject(None, for_one(Fault::HugeFrame, command)).unwrap();
        let mut client = Client::connect(server.addresses()[0]).await;
        let mut info = Vec::new();
        wire_protocol::info::write_request(&mut info, &["node"]).unwrap();
        let asked = if kind == FrameType::Info { info.clone() } else { request() };
        client.send(&asked).await;
        let mut head = [0; FrameHeader::LEN];
        client.0.read_exact(&mut head).await.unwrap();
        assert_eq!(FrameHeader::parse(&head).unwrap(), FrameHeader { kind, size: 100 * 1024 * 1024 });
        client.0.read_exact(&mut [0; 16]).await.unwrap();
        // Then nothing more, not even for another command.
        client.send(&info).await;
        assert!(tokio::time::timeout(A_WHILE, client.0.read(&mut head)).await.is_err());
    }
    assert_eq!(client.get("key-1").await.text(), "i=1");
}

#[tokio::test]
async fn result_codes() {
    let (server, mut client) = node().await;
    for code in [4, 9, 151, 152] {
        server.inject(None, for_one(Fault::Code(ResultCode::new(code)), CommandKind::Batch)).unwrap();
        assert_eq!(client.batch(&request()).await, (vec![], code));
    }
    for code in [9, 11, 14, 18] {
        server.inject(None, for_one(Fault::RowCode(ResultCode::new(code)), CommandKind::Batch)).unwrap();
        let rows: Vec<_> = (0..ROWS as u32).map(|index| (index, code)).collect();
        assert_eq!(client.batch(&request()).await, (rows.clone(), 0));
        // Without respond-all-keys, the code is also at the end of the answer, as for any row that fails.
        server.inject(None, for_one(Fault::RowCode(ResultCode::new(code)), CommandKind::Batch)).unwrap();
        let header = BatchReadHeader { flags: 0, ..BatchReadHeader::default() };
        assert_eq!(client.batch(&batch_with(&keys(ROWS), &header)).await, (rows, code));
        server.inject(None, for_one(Fault::RowCode(ResultCode::new(code)), CommandKind::Read)).unwrap();
        assert_eq!(client.get("key-1").await.code(), code);
    }
    // A refused write is not executed.
    server.inject(None, for_one(Fault::Code(ResultCode::DEVICE_OVERLOAD), CommandKind::Write)).unwrap();
    assert_eq!(client.put("key-1", 2).await.code(), 18);
    assert_eq!(client.get("key-1").await.text(), "i=1");
    assert_eq!(server.counters(0).unwrap().faults, 4 + 12 + 1);
}

#[tokio::test]
async fn rules_belong_to_a_node_until_they_are_cleared() {
    let server = DevServer::start(Config { nodes: 2, ..Config::default() }).await.unwrap();
    let addresses = server.addresses();
    server.inject(Some(1), FaultRule::new(Fault::Code(ResultCode::TIMEOUT))).unwrap();
    let mut first = Client::connect(addresses[0]).await;
    assert_eq!(first.put("a", 1).await.code(), 0);
    for _ in 0..3 {
        assert_eq!(Client::connect(addresses[1]).await.get("a").await.code(), 9);
    }
    // They survive a restart.
    server.kill(1).await.unwrap();
    server.restart(1).await.unwrap();
    assert_eq!(Client::connect(addresses[1]).await.get("a").await.code(), 9);
    server.clear_faults(Some(1)).unwrap();
    assert_eq!(Client::connect(addresses[1]).await.get("a").await.code(), 0);
    server.inject(None, FaultRule::new(Fault::Code(ResultCode::KEY_BUSY))).unwrap();
    for address in &addresses {
        assert_eq!(Client::connect(*address).await.get("a").await.code(), 14);
    }
    server.clear_faults(None).unwrap();
    assert_eq!(first.get("a").await.code(), 0);
    let no_such = server.inject(Some(2), FaultRule::new(Fault::Close));
    assert!(matches!(no_such, Err(DevServerError::NoSuchNode { node: 2, nodes: 2 })));
    let never = server.inject(None, FaultRule { times: Some(0), ..FaultRule::new(Fault::Close) });
    assert!(matches!(never, Err(DevServerError::Config { .. })));
}
