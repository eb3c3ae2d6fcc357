//! Replays every recorded scenario and compares the answers, byte for byte.

mod cluster_info;
mod comparison;
mod index_setup;
mod query_setup;
mod scenario;
mod state;
#[path = "../support/mod.rs"]
mod support;
mod verdicts;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;

use dev_server::{Config, DevServer};
use wire_protocol::ResultCode;
use wire_protocol::message::{
    FrameHeader, FrameType, Message, MessageHeader, field_type, info1, info2, info3, op, write_field,
    write_frame, write_op,
};

use scenario::{Frame, Scenario, captures, record_commands, scenarios};
use state::Given;
use support::Client;
use verdicts::{FOLDERS, Verdict};

impl Client {
    /// The frames that answer one request.
    async fn answer_to(&mut self, request: &Frame) -> Vec<Vec<u8>> {
        let header = request.message().map(|message| message.header);
        let is_batch = header.is_some_and(|header| header.info1 & info1::BATCH != 0);
        let is_query = request.is_query();
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            let is_last = match is_batch || is_query {
                false => true,
                // The refusal of a query is its last message.
                true => state::messages_of(&frame).iter().any(|message| {
                    let header = message.header;
                    header.info3 & info3::LAST != 0
                        || is_query
                            && !header.result_code.is_ok()
                            && header.info3 & info3::PARTITION_DONE == 0
                }),
            };
            frames.push(frame);
            if is_last {
                return frames;
            }
        }
    }

    /// Writes a record as often as its generation says.
    async fn set_up(&mut self, server: &DevServer, given: &Given, time: u32) {
        server.stop_clock(if given.void_time != 0 { given.void_time - 1 } else { time });
        let mut request = Vec::new();
        write_frame(&mut request, FrameType::Message, |out| {
            MessageHeader {
                info2: info2::WRITE,
                ttl: u32::from(given.void_time != 0),
                n_fields: 3 + u16::from(given.key.is_some()),
                n_ops: given.bins.len() as u16,
                ..MessageHeader::default()
            }
            .write(out);
            write_field(out, field_type::NAMESPACE, &given.namespace);
            write_field(out, field_type::SET, &given.set);
            write_field(out, field_type::DIGEST, &given.digest);
            if let Some(key) = &given.key {
                write_field(out, field_type::KEY, key);
            }
            for (name, particle_type, value) in &given.bins {
                write_op(out, op::WRITE, *particle_type, name, value);
            }
        })
        .unwrap();
        for _ in 0..given.generation {
            self.send(&request).await;
            let answer = self.frame().await;
            let message = Message::parse_only(&answer[FrameHeader::LEN..]).unwrap();
            assert_eq!(message.header.result_code, ResultCode::OK, "cannot set up {given:?}");
        }
    }
}

fn config(scenario: &str) -> Config {
    let defaults = Config {
        cluster_name: "capture".into(),
        node_names: vec!["A9".into()],
        sweep_period: 0,
        ..Config::default()
    };
    match scenario {
        "official/055-put-record-too-big" | "native/053-put-record-too-big" => {
            Config { max_record_size: 1024, ..defaults }
        }
        "raw/028-batch-too-many-keys" => Config { batch_max_requests: 2, ..defaults },
        _ if scenario.starts_with("raw-cluster/") => Config { nodes: 3, ..defaults },
        _ => defaults,
    }
}

/// When the records of a scenario that never expire were written.
fn written_at(scenario: &str) -> u32 {
    match scenario {
        // Its filter asks for an update in the last hour.
        "official/073-get-filter-expression-metadata" => state::SOME_TIME - 60,
        // Long before the times in the scenario.
        _ => 1,
    }
}

/// Replays a scenario and returns the frames that each of its connections receives.
async fn replay(scenario: &Scenario, all: &[Scenario]) -> HashMap<u64, Vec<Vec<u8>>> {
    let server = DevServer::start(config(&scenario.name)).await.unwrap();
    let addresses = server.addresses();
    let mut setup = Client::connect(addresses[0]).await;
    for given in state::before(scenario).into_iter().chain(query_setup::before(scenario)) {
        setup.set_up(&server, &given, written_at(&scenario.name)).await;
    }
    if let Some(command) = state::module_before(scenario, all) {
        assert_eq!(setup.info(&command).await, "ok", "{command}");
    }
    for command in index_setup::before(scenario) {
        assert_eq!(setup.info(command).await, "ok", "{command}");
    }
    let address =
        if addresses.len() > 1 { address_without(scenario, &addresses).await } else { addresses[0] };
    let mut clients = HashMap::new();
    let mut answers: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
    // Requests without an answer between them were sent in one write.
    let runs = scenario.frames.chunk_by(|a, b| a.is_request && b.is_request && a.connection == b.connection);
    for run in runs.filter(|run| run[0].is_request) {
        let connection = run[0].connection;
        let client = match clients.entry(connection) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Client::connect(address).await),
        };
        server.stop_clock(state::clock(scenario, &run[0]));
        client.send(&run.iter().flat_map(|frame| frame.bytes.clone()).collect::<Vec<_>>()).await;
        for request in run {
            let frames = client.answer_to(request).await;
            answers.entry(connection).or_default().extend(frames);
        }
    }
    server.stop().await;
    answers
}

/// The address of a node that holds no replica of the scenario's first record.
async fn address_without(scenario: &Scenario, addresses: &[SocketAddr]) -> SocketAddr {
    let digest =
        scenario.frames.iter().find_map(|frame| record_commands(frame).first().map(|command| command.digest));
    let partition = digest.map_or(0, |digest| wire_protocol::digest::partition_id(&digest));
    for &address in addresses {
        let mut client = Client::connect(address).await;
        let mut request = Vec::new();
        wire_protocol::info::write_request(&mut request, &["replicas"]).unwrap();
        client.send(&request).await;
        let answer = client.frame().await;
        let answer = wire_protocol::info::answer(&answer[FrameHeader::LEN..], "replicas").unwrap();
        let replicas = wire_protocol::info::parse_replicas(answer).unwrap();
        if replicas[0].replicas.iter().all(|bitmap| !bitmap.contains(partition)) {
            return address;
        }
    }
    panic!("every node holds partition {partition}");
}

fn recorded(scenario: &Scenario) -> HashMap<u64, Vec<Vec<u8>>> {
    let mut answers: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
    for frame in scenario.frames.iter().filter(|frame| !frame.is_request) {
        answers.entry(frame.connection).or_default().push(frame.bytes.clone());
    }
    answers
}

/// Whether a frame refuses a feature.
fn is_refusal(frame: &[u8]) -> bool {
    let body = &frame[FrameHeader::LEN..];
    if frame[1] == 1 {
        return body.windows(6).any(|bytes| bytes == b"ERROR:");
    }
    let mut rest = body;
    while let Ok((message, tail)) = Message::parse(rest) {
        if matches!(message.header.result_code, ResultCode::UNSUPPORTED_FEATURE | ResultCode::ENTERPRISE_ONLY)
        {
            return true;
        }
        rest = tail;
    }
    false
}

fn hex(frames: &HashMap<u64, Vec<Vec<u8>>>) -> String {
    let mut connections: Vec<_> = frames.iter().collect();
    connections.sort();
    let line = |(connection, frames): (&u64, &Vec<Vec<u8>>)| {
        let hex = |frame: &Vec<u8>| frame.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("  {connection}: {}\n", frames.iter().map(hex).collect::<Vec<_>>().join("\n     "))
    };
    connections.into_iter().map(line).collect()
}

fn judge(verdict: Verdict, scenario: &Scenario, ours: &HashMap<u64, Vec<Vec<u8>>>) -> Result<(), String> {
    let recorded = recorded(scenario);
    let both = || format!(" recorded\n{} here\n{}", hex(&recorded), hex(ours));
    match verdict {
        Verdict::Same if *ours == recorded => Ok(()),
        Verdict::Same => Err(format!("differs\n{}", both())),
        Verdict::Different(_) if *ours == recorded => Err("is listed as different, but is the same".into()),
        Verdict::Different(why) if comparison::without(why, ours) == comparison::without(why, &recorded) => {
            Ok(())
        }
        Verdict::Different(why) => Err(format!("differs in more than {why:?}\n{}", both())),
        Verdict::Unsupported(_) if ours.values().flatten().any(|frame| is_refusal(frame)) => Ok(()),
        // The client refused the call itself and sent nothing.
        Verdict::Unsupported(_) if scenario.frames.is_empty() => Ok(()),
        Verdict::Unsupported(what) => {
            Err(format!("is listed as unsupported ({what}), but no command was refused\n{}", hex(ours)))
        }
    }
}

#[tokio::test]
async fn recorded_scenarios_give_the_recorded_answers() {
    let mut failures = Vec::new();
    for (folder, table) in FOLDERS {
        let scenarios = scenarios(folder);
        let listed: Vec<_> = table.iter().map(|(name, _)| format!("{folder}/{name}")).collect();
        let found: Vec<_> = if folder == "cluster-info" {
            // Answers as JSON instead of frames; cluster_info.rs compares them.
            let mut names: Vec<_> = std::fs::read_dir(captures().join(folder))
                .unwrap()
                .map(|entry| {
                    format!("{folder}/{}", entry.unwrap().path().file_stem().unwrap().to_str().unwrap())
                })
                .collect();
            names.sort();
            names
        } else {
            scenarios.iter().map(|scenario| scenario.name.clone()).collect()
        };
        assert_eq!(listed, found, "the table must list exactly the scenarios of {folder}");
        for (scenario, (_, verdict)) in scenarios.iter().zip(table) {
            let ours = replay(scenario, &scenarios).await;
            if let Err(failure) = judge(*verdict, scenario, &ours) {
                failures.push(format!("{} {failure}", scenario.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}
