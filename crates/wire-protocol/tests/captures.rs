//! Every recorded frame of a real server is read completely.

mod support;

use std::collections::{BTreeMap, HashSet};

use support::{Frame, Scenario, all_scenarios, cluster_info, scenarios};
use wire_protocol::ResultCode;
use wire_protocol::batch::{BatchAnswer, BatchAnswers, BatchRequestRows, row_flags};
use wire_protocol::message::{FrameHeader, FrameType, Message, Op, field_type, info1, op};
use wire_protocol::particle::Particle;
use wire_protocol::security::{Login, LoginAnswer, SecurityMessage, field, write_login};
use wire_protocol::{info, msgpack};

/// The frame's body, once its header was read.
fn body<'a>(scenario: &Scenario, frame: &'a Frame) -> &'a [u8] {
    let (header, body) = frame.bytes.split_first_chunk().unwrap();
    let header = FrameHeader::parse(header).unwrap();
    let kind = match header.kind {
        FrameType::Info => "info",
        FrameType::Security => "security",
        FrameType::Message => "message",
        FrameType::Compressed => "compressed",
    };
    assert_eq!((kind, header.size), (frame.kind.as_str(), body.len()), "{}", scenario.title());
    assert_eq!(header.to_bytes(), frame.bytes[..FrameHeader::LEN]);
    body
}

#[derive(Default)]
struct Counts {
    requests: usize,
    responses: usize,
    messages: usize,
    rows: usize,
    /// Values by the name of their type.
    values: BTreeMap<&'static str, usize>,
    /// Collection and expression operations, whose value is a program as msgpack.
    programs: usize,
}

impl Counts {
    fn op(&mut self, title: &str, is_request: bool, operation: &Op<'_>) {
        let is_program = is_request
            && matches!(
                operation.code,
                op::CDT_READ
                    | op::CDT_MODIFY
                    | op::EXP_READ
                    | op::EXP_MODIFY
                    | op::BITS_READ
                    | op::BITS_MODIFY
                    | op::HLL_READ
                    | op::HLL_MODIFY
            );
        if is_program {
            msgpack::check(operation.value).unwrap_or_else(|error| panic!("{title}: {error}"));
            self.programs += 1;
            return;
        }
        // The one value that is malformed on purpose; see `malformed_requests`.
        if title == "raw/malformed-short-integer" && operation.value.len() == 1 {
            return;
        }
        let particle = operation.particle().unwrap_or_else(|error| panic!("{title}: {error}"));
        if let Particle::List(bytes) | Particle::Map(bytes) = particle {
            msgpack::check(bytes).unwrap_or_else(|error| panic!("{title}: {error}"));
        }
        if !is_request {
            let mut written = Vec::new();
            particle.write(&mut written);
            // A server adds the cells that a region covers, which no client sends.
            if !matches!(particle, Particle::GeoJson(_)) {
                assert_eq!(written, operation.value, "{title}");
            }
        }
        *self.values.entry(particle.type_name()).or_default() += 1;
    }

    fn request(&mut self, title: &str, message: &Message<'_>) {
        self.requests += 1;
        let mut digests = Vec::new();
        for field in message.fields() {
            if field.kind == field_type::BATCH && title != "raw/malformed-batch-count" {
                // See `malformed_requests` for the one that is refused for another reason.
                if title == "raw/batch-repeat-first" {
                    continue;
                }
                let rows = BatchRequestRows::parse(field.data).unwrap_or_else(|e| panic!("{title}: {e}"));
                assert_eq!(rows.len(), rows.clone().count(), "{title}");
                for row in rows {
                    self.rows += 1;
                    digests.push(*row.digest);
                    assert!(row.field(field_type::NAMESPACE).is_some(), "{title}");
                    if row.flags & row_flags::REPEAT == 0 {
                        row.ops().for_each(|operation| self.op(title, true, &operation));
                    }
                }
            }
            if field.kind == field_type::FILTER {
                msgpack::check(field.data).unwrap_or_else(|error| panic!("{title}: {error}"));
                self.programs += 1;
            }
        }
        message.ops().for_each(|operation| self.op(title, true, &operation));
    }
}

#[test]
fn every_message_frame_is_read_to_its_last_byte() {
    let mut counts = Counts::default();
    for scenario in all_scenarios() {
        let title = scenario.title();
        for frame in scenario.frames.iter().filter(|frame| frame.kind == "message") {
            let body = body(&scenario, frame);
            if frame.is_request {
                let message = Message::parse_only(body).unwrap_or_else(|error| panic!("{title}: {error}"));
                assert_eq!(message.fields().count(), usize::from(message.header.n_fields));
                assert_eq!(message.ops().count(), usize::from(message.header.n_ops));
                counts.request(&title, &message);
                continue;
            }
            counts.responses += 1;
            let mut rest = body;
            while !rest.is_empty() {
                let message;
                (message, rest) = Message::parse(rest).unwrap_or_else(|error| panic!("{title}: {error}"));
                counts.messages += 1;
                assert_eq!(message.fields().count(), usize::from(message.header.n_fields));
                assert_eq!(message.ops().count(), usize::from(message.header.n_ops));
                message.ops().for_each(|operation| counts.op(&title, false, &operation));
            }
        }
    }
    // The contents of the folders: without this, a test over missing files would pass.
    assert!(counts.requests >= 526, "{} requests", counts.requests);
    assert!(counts.responses >= 680, "{} responses", counts.responses);
    assert!(counts.messages >= 2014, "{} messages", counts.messages);
    assert!(counts.rows >= 511, "{} batch rows", counts.rows);
    assert!(counts.programs >= 100, "{} programs", counts.programs);
    for name in
        ["nil", "integer", "float", "string", "blob", "bool", "list", "map", "GeoJSON", "HLL", "unknown"]
    {
        assert!(counts.values.contains_key(name), "no {name} among {:?}", counts.values);
    }
}

#[test]
fn batch_responses_end_with_the_last_message() {
    let mut responses = 0;
    let mut records = 0;
    for scenario in all_scenarios() {
        let title = scenario.title();
        // The unanswered rows of each connection's batch.
        let mut open: BTreeMap<u64, HashSet<u32>> = BTreeMap::new();
        for frame in scenario.frames.iter().filter(|frame| frame.kind == "message") {
            let body = body(&scenario, frame);
            if frame.is_request {
                let message = Message::parse_only(body).unwrap();
                if message.header.info1 & info1::BATCH == 0 {
                    continue;
                }
                let rows = message
                    .field(field_type::BATCH)
                    .and_then(|data| BatchRequestRows::parse(data).ok())
                    .map(|rows| rows.map(|row| row.index).collect())
                    .unwrap_or_default();
                assert!(open.insert(frame.connection, rows).is_none(), "{title}");
            } else if let Some(rows) = open.get_mut(&frame.connection) {
                for answer in BatchAnswers::new(body) {
                    match answer.unwrap_or_else(|error| panic!("{title}: {error}")) {
                        BatchAnswer::Record(record) => {
                            records += 1;
                            assert!(rows.remove(&record.index), "{title}: row {}", record.index);
                            assert_eq!(record.ops().count(), usize::from(record.n_ops));
                        }
                        BatchAnswer::End { result_code } => {
                            responses += 1;
                            // A failed batch answers no rows; one that stops at a failed row, not all of them.
                            assert!(
                                rows.is_empty() || !result_code.is_ok() || title.contains("all-keys-false"),
                                "{title}: {rows:?} were not answered"
                            );
                            open.remove(&frame.connection);
                            break;
                        }
                    }
                }
            }
        }
        assert!(open.is_empty(), "{title}: no end");
    }
    assert!(responses >= 94, "{responses} batch responses");
    assert!(records >= 480, "{records} records");
}

/// The requests of `raw/malformed-*`, and where each is malformed.
#[test]
fn malformed_requests() {
    let raw = scenarios("raw");
    let request = |name: &str| {
        let scenario = raw.iter().find(|scenario| scenario.name == name).unwrap();
        Message::parse_only(&scenario.requests().next().unwrap()[FrameHeader::LEN..]).unwrap()
    };
    let malformed = raw.iter().filter(|scenario| scenario.name.starts_with("malformed-")).count();
    assert_eq!(malformed, 4, "this test names each of them");

    // The field announces three rows and has one.
    let message = request("malformed-batch-count");
    assert!(BatchRequestRows::parse(message.field(field_type::BATCH).unwrap()).is_err());
    // Also malformed, although not by name: the first row has the repeat flag.
    let message = request("batch-repeat-first");
    assert!(BatchRequestRows::parse(message.field(field_type::BATCH).unwrap()).is_err());

    // An integer of one byte: the message is well-formed, the value is not. The server stores 5, but never sends such
    // a value, so the reader refuses it.
    let message = request("malformed-short-integer");
    assert!(message.ops().next().unwrap().particle().is_err());

    // A field of an unknown type: the server ignores it, and so does the reader.
    let message = request("malformed-unknown-field");
    assert_eq!(message.field(99), Some(&b"zz"[..]));

    // An unknown particle type: the server refuses to store it (code 4); the reader returns type and bytes.
    let message = request("malformed-particle-type");
    let particle = message.ops().next().unwrap().particle();
    assert_eq!(particle, Ok(Particle::Other { particle_type: 99, bytes: b"x" }));
}

#[test]
fn info_frames_are_read() {
    let mut requests = 0;
    let mut answers = 0;
    for scenario in all_scenarios() {
        let title = scenario.title();
        for frame in scenario.frames.iter().filter(|frame| frame.kind == "info") {
            let body = body(&scenario, frame);
            if frame.is_request {
                let text = std::str::from_utf8(body).unwrap();
                let commands: Vec<_> = text.lines().collect();
                let mut written = Vec::new();
                info::write_request(&mut written, &commands).unwrap();
                // One recorded request lacks the last newline, which the server accepts, too.
                if scenario.name != "info-no-final-newline" && !body.is_empty() {
                    assert_eq!(written, frame.bytes, "{title}");
                }
                requests += 1;
                continue;
            }
            for (command, answer) in info::answers(body).unwrap() {
                answers += 1;
                read_answer(&title, command, answer);
            }
        }
    }
    assert!(requests >= 104, "{requests} requests");
    assert!(answers >= 140, "{answers} answers");
}

/// Reads an answer by the reader for its command.
fn read_answer(title: &str, command: &str, answer: &str) {
    match command {
        "replicas" => {
            let replicas = info::parse_replicas(answer).unwrap_or_else(|e| panic!("{title}: {e}"));
            assert_eq!(replicas.len(), 2, "{title}: test and bar");
            let written: Vec<_> = replicas
                .iter()
                .map(|namespace| {
                    let bitmaps: Vec<_> =
                        namespace.replicas.iter().map(info::PartitionBitmap::to_base64).collect();
                    let count = bitmaps.len();
                    format!("{}:{},{count},{}", namespace.namespace, namespace.regime, bitmaps.join(","))
                })
                .collect();
            assert_eq!(written.join(";"), answer, "{title}");
        }
        "service-clear-std" | "service-clear-alt" => {
            info::parse_service(answer).unwrap_or_else(|e| panic!("{title}: {e}"));
        }
        "rack-ids" => assert_eq!(
            info::error_of(answer).map(|(code, _)| code),
            Some(ResultCode::ENTERPRISE_ONLY),
            "{title}"
        ),
        _ if command.starts_with("peers-") && command != "peers-generation" => {
            info::parse_peers(answer).unwrap_or_else(|e| panic!("{title}: {e}"));
        }
        _ => {}
    }
}

#[test]
fn the_recorded_cluster_owns_each_partition_once() {
    let mut seen = 0;
    let mut masters: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (phase, node, command, answer) in cluster_info() {
        read_answer(&format!("{phase} {node}"), &command, &answer);
        match command.as_str() {
            "replicas" => {
                for namespace in info::parse_replicas(&answer).unwrap() {
                    assert_eq!(namespace.replicas.len(), 2, "replication factor 2");
                    let owned = masters.entry((phase.clone(), namespace.namespace)).or_default();
                    owned.extend(namespace.replicas[0].iter());
                }
            }
            "peers-clear-std" => {
                let peers = info::parse_peers(&answer).unwrap();
                let others = if phase.ends_with("kill") || phase.ends_with("early") { 1 } else { 2 };
                assert_eq!(peers.peers.len(), others, "{phase} {node}");
            }
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen >= 20, "{seen} answers");
    for ((phase, namespace), mut owned) in masters {
        owned.sort_unstable();
        // Right after a node was killed, the others do not agree yet.
        if !phase.ends_with("early") {
            assert_eq!(owned, (0..4096).collect::<Vec<_>>(), "{phase} {namespace}");
        }
    }
}

/// Clients log in at a server without security.
#[test]
fn recorded_logins() {
    let mut logins = 0;
    for scenario in &all_scenarios() {
        for frame in scenario.frames.iter().filter(|frame| frame.kind == "security") {
            let message = SecurityMessage::parse(body(scenario, frame)).unwrap();
            if !frame.is_request {
                let answer = LoginAnswer::parse(body(scenario, frame)).unwrap();
                assert_eq!((answer.result_code, message.n_fields), (ResultCode::SECURITY_NOT_SUPPORTED, 0));
                continue;
            }
            logins += 1;
            // Written by hand: a login with a session's token alone.
            if let Some(hash) = message.field(field::CREDENTIAL) {
                let mut written = Vec::new();
                write_login(&mut written, &Login::Internal { user: "someone", hash }).unwrap();
                assert_eq!(written, frame.bytes, "{}", scenario.title());
            }
        }
    }
    assert_eq!(logins, 4);
}
