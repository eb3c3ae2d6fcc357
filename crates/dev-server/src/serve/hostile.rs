//! For any bytes that a client sends, the server neither panics nor sends an invalid answer.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use wire_protocol::ResultCode;
use wire_protocol::message::{FrameHeader, FrameType, Message};

use crate::command::dispatch::Endpoints;
use crate::config::Config;
use crate::security::Users;
use crate::serve::connection;
use crate::serve::mode::Mode;
use crate::state::cluster::Cluster;
use crate::state::faults::{Fault, FaultRule};
use crate::state::node::Node;
use crate::state::store::Store;

/// All recorded requests: those of the clients, and some that the clients refuse to send.
static RECORDED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire-captures");
    let files = ["official", "native", "raw"].into_iter().flat_map(|folder| {
        std::fs::read_dir(captures.join(folder)).unwrap().map(|entry| entry.unwrap().path())
    });
    let mut requests = Vec::new();
    for path in files {
        for line in std::fs::read_to_string(path).unwrap().lines().skip(1) {
            let frame: serde_json::Value = serde_json::from_str(line).unwrap();
            if frame["dir"] == "request" {
                let hex = frame["hex"].as_str().unwrap();
                let bytes =
                    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap());
                requests.push(bytes.collect());
            }
        }
    }
    requests.sort();
    requests
});

/// The answers to a client that sends these bytes and then closes its side.
fn answers_to(bytes: &[u8]) -> Vec<u8> {
    answers_with(None, bytes)
}

fn answers_with(fault: Option<Fault>, bytes: &[u8]) -> Vec<u8> {
    let address = SocketAddr::from(([127, 0, 0, 1], 3000));
    let config = Config { max_record_size: 64 * 1024, ..Config::default() };
    let cluster = Cluster::new(&config, &[address]);
    let users = Users::new(config.security, &config.users, config.session_ttl);
    let node = Node::new(Arc::new(Store::new(&config)), Arc::new(cluster), Arc::new(users), 0);
    if let Some(fault) = fault {
        node.faults.add(FaultRule::new(fault));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let (mut reading, mut writing) = tokio::io::split(client);
        let (_mode, modes) = watch::channel(Mode::Running);
        let mut answers = Vec::new();
        let send = async {
            // Fails if the server has closed the connection.
            _ = writing.write_all(bytes).await;
            _ = writing.shutdown().await;
        };
        let (served, (), read) = tokio::join!(
            connection::serve(server, Endpoints { local: address, client: address }, &node, modes),
            send,
            reading.read_to_end(&mut answers)
        );
        // The client ends the connection here, so the server must not fail.
        served.unwrap();
        read.unwrap();
        answers
    })
}

/// Whether these are whole frames that clients can parse.
fn are_valid_answers(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((head, tail)) = rest.split_first_chunk() {
        let Ok(header) = FrameHeader::parse(head) else { return false };
        let Some((body, tail)) = tail.split_at_checked(header.size) else { return false };
        let mut messages = body;
        while header.kind == FrameType::Message && !messages.is_empty() {
            let Ok((_, more)) = Message::parse(messages) else { return false };
            messages = more;
        }
        rest = tail;
    }
    rest.is_empty()
}

fn framed(kind: FrameType, body: &[u8]) -> Vec<u8> {
    [&FrameHeader { kind, size: body.len() }.to_bytes()[..], body].concat()
}

fn some_kind() -> impl Strategy<Value = FrameType> {
    prop_oneof![
        4 => Just(FrameType::Message),
        1 => Just(FrameType::Info),
        1 => Just(FrameType::Security),
        1 => Just(FrameType::Compressed),
    ]
}

fn some_fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![
        Fault::Close,
        Fault::CloseMidFrame,
        Fault::Late(Duration::from_micros(10)),
        Fault::Silent,
        Fault::Garbage,
        Fault::WrongRowIndex,
        Fault::RowTwice,
        Fault::HugeFrame,
        Fault::Code(ResultCode::BATCH_QUEUES_FULL),
        Fault::RowCode(ResultCode::KEY_BUSY),
    ])
}

/// A recorded request with some bytes of its body changed, inserted or removed, in a frame of the right size.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    (prop::sample::select(&RECORDED[..]), prop::collection::vec(change, 0..6)).prop_map(
        |(request, changes)| {
            let mut body = request[FrameHeader::LEN..].to_vec();
            for (at, byte, how) in changes {
                let at = at.index(body.len().max(1));
                match how {
                    0 if at < body.len() => drop(body.remove(at)),
                    1 => body.insert(at.min(body.len()), byte),
                    2 => body.truncate(at),
                    _ => {
                        if let Some(place) = body.get_mut(at) {
                            *place = byte;
                        }
                    }
                }
            }
            let kind = FrameHeader::parse(request.first_chunk().unwrap()).unwrap().kind;
            framed(kind, &body)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(are_valid_answers(&answers_to(&bytes)));
    }

    #[test]
    fn any_frames(frames in prop::collection::vec((some_kind(), prop::collection::vec(any::<u8>(), 0..200)), 0..5)) {
        let bytes: Vec<u8> = frames.iter().flat_map(|(kind, body)| framed(*kind, body)).collect();
        prop_assert!(are_valid_answers(&answers_to(&bytes)));
    }

    #[test]
    fn any_faults(fault in some_fault(), requests in prop::collection::vec(mutated(), 1..4)) {
        answers_with(Some(fault), &requests.concat());
    }

    #[test]
    fn any_mutated_requests(requests in prop::collection::vec(mutated(), 1..8)) {
        prop_assert!(are_valid_answers(&answers_to(&requests.concat())));
    }
}

#[test]
fn every_recorded_request_is_answered() {
    assert!(RECORDED.len() > 500);
    for request in RECORDED.iter() {
        let answers = answers_to(request);
        assert!(!answers.is_empty() && are_valid_answers(&answers), "{request:02x?}");
    }
}
