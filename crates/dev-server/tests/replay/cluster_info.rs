//! Three nodes give the same info answers as the three recorded ones, in every recorded phase.

use std::collections::HashMap;
use std::net::SocketAddr;

use dev_server::{Config, DevServer};
use serde_json::Value;
use wire_protocol::digest::PARTITIONS;
use wire_protocol::info::{Peers, error_of, parse_peers, parse_replicas, parse_service, write_request};
use wire_protocol::message::FrameHeader;

use crate::Client;
use crate::scenario::captures;

/// The answers of a node by command.
type Answers = HashMap<String, String>;

/// The recorded answers of the living nodes.
fn recorded(phase: &str) -> Vec<Answers> {
    let text = std::fs::read_to_string(captures().join("cluster-info").join(phase)).unwrap();
    let phase: Value = serde_json::from_str(&text).unwrap();
    let nodes = phase["nodes"].as_array().unwrap();
    let answers = |node: &Value| {
        let answers = node["answers"].as_object().unwrap();
        answers
            .iter()
            .map(|(command, answer)| (command.clone(), answer.as_str().unwrap().to_owned()))
            .collect()
    };
    nodes.iter().map(answers).collect()
}

async fn ask(address: SocketAddr, commands: &[&str]) -> Answers {
    let mut request = Vec::new();
    write_request(&mut request, commands).unwrap();
    let mut client = Client::connect(address).await;
    client.send(&request).await;
    let frame = client.frame().await;
    let answers = wire_protocol::info::answers(&frame[FrameHeader::LEN..]).unwrap();
    answers.map(|(command, answer)| (command.to_owned(), answer.to_owned())).collect()
}

fn number(answers: &Answers, command: &str) -> u32 {
    answers[command].parse().unwrap()
}

fn peers(answers: &Answers) -> Peers {
    parse_peers(&answers["peers-clear-std"]).unwrap()
}

/// What the answers of different clusters must have in common, and whether the answers of one are consistent.
fn shape(nodes: &[Answers]) -> String {
    let names: Vec<_> = nodes.iter().map(|answers| answers["node"].clone()).collect();
    let replicas: Vec<_> =
        nodes.iter().map(|answers| parse_replicas(&answers["replicas"]).unwrap()).collect();
    let mut shape = String::new();
    for (answers, namespaces) in nodes.iter().zip(&replicas) {
        let peers = peers(answers);
        let mut others: Vec<_> = peers.peers.iter().map(|peer| peer.node.clone()).collect();
        others.push(answers["node"].clone());
        others.sort();
        let mut all = names.clone();
        all.sort();
        let test = &namespaces[0];
        shape += &format!(
            "all of the cluster {}, generation as told {}, at own address {}, {} regime {} replicas {}, racks {:?}\n",
            others == all,
            peers.generation == number(answers, "peers-generation"),
            parse_service(&answers["service-clear-std"]).unwrap().len(),
            test.namespace,
            test.regime,
            test.replicas.len(),
            error_of(&answers["rack-ids"]),
        );
    }
    for replica in 0..2 {
        let holders = |partition| {
            replicas.iter().filter(|namespaces| namespaces[0].replicas[replica].contains(partition)).count()
        };
        let once = (0..PARTITIONS).filter(|&partition| holders(partition) == 1).count();
        shape += &format!("replica {replica}: {once} partitions held once\n");
    }
    shape
}

#[tokio::test]
async fn three_nodes_answer_like_the_recorded_ones() {
    let server = DevServer::start(Config { nodes: 3, ..Config::default() }).await.unwrap();
    let addresses = server.addresses();
    let mut before: Option<Vec<Answers>> = None;
    for phase in ["1-before.json", "3-after-kill.json", "4-after-restart.json"] {
        let recorded = recorded(phase);
        let living: &[usize] = match phase {
            "3-after-kill.json" => {
                server.kill(1).await.unwrap();
                &[0, 2]
            }
            "4-after-restart.json" => {
                server.restart(1).await.unwrap();
                &[0, 1, 2]
            }
            _ => &[0, 1, 2],
        };
        let commands: Vec<_> = recorded[0].keys().map(String::as_str).collect();
        let mut ours = Vec::new();
        for &node in living {
            ours.push(ask(addresses[node], &commands).await);
        }
        assert_eq!(shape(&ours), shape(&recorded), "{phase}");
        if let Some(before) = &before {
            for command in ["peers-generation", "rebalance-generation", "partition-generation"] {
                let (now, then) = (number(&ours[0], command), number(&before[0], command));
                assert!(now > then, "{phase}: {command} must go up on a node that stays ({then}, {now})");
            }
        }
        before = Some(ours);
    }
    server.stop().await;
}
