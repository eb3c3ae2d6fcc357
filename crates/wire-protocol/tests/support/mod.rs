//! The recorded traffic of a real server, as the tests read it.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod value;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One recorded call: a file.
pub(crate) struct Scenario {
    /// `official`, `native`, `raw` or `raw-cluster`.
    pub(crate) folder: &'static str,
    /// The file's name without its number and suffix.
    pub(crate) name: String,
    /// What was called, and what it returned.
    pub(crate) what: String,
    pub(crate) frames: Vec<Frame>,
}

/// One recorded frame.
pub(crate) struct Frame {
    /// The connection within its scenario.
    pub(crate) connection: u64,
    pub(crate) is_request: bool,
    /// `info`, `security`, `message` or `compressed`.
    pub(crate) kind: String,
    /// The frame with its header.
    pub(crate) bytes: Vec<u8>,
}

impl Scenario {
    /// The message frames that the client sent.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &[u8]> {
        self.frames
            .iter()
            .filter(|frame| frame.is_request && frame.kind == "message")
            .map(|frame| &frame.bytes[..])
    }

    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}

pub(crate) fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire-captures")
}

/// Every scenario of one folder, in order.
pub(crate) fn scenarios(folder: &'static str) -> Vec<Scenario> {
    let directory = captures().join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    files.iter().map(|file| read(folder, file)).collect()
}

/// Every scenario there is.
pub(crate) fn all_scenarios() -> Vec<Scenario> {
    ["official", "native", "raw", "raw-cluster"].into_iter().flat_map(scenarios).collect()
}

fn read(folder: &'static str, file: &Path) -> Scenario {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let head = lines.next().unwrap();
    let stem = file.file_stem().unwrap().to_str().unwrap();
    Scenario {
        folder,
        name: stem.split_once('-').unwrap().1.to_owned(),
        what: head["what"].as_str().unwrap().to_owned(),
        frames: lines
            .map(|line| Frame {
                connection: line["conn"].as_u64().unwrap(),
                is_request: line["dir"] == "request",
                kind: line["type"].as_str().unwrap().to_owned(),
                bytes: from_hex(line["hex"].as_str().unwrap()),
            })
            .collect(),
    }
}

/// The answers of every node of the recorded cluster: phase, node, command, answer.
pub(crate) fn cluster_info() -> Vec<(String, usize, String, String)> {
    let mut answers = Vec::new();
    for phase in ["1-before", "2-after-kill-early", "3-after-kill", "4-after-restart"] {
        let text = std::fs::read_to_string(captures().join(format!("cluster-info/{phase}.json"))).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        for (number, node) in value["nodes"].as_array().unwrap().iter().enumerate() {
            for (command, answer) in node["answers"].as_object().unwrap() {
                let answer = answer.as_str().unwrap().to_owned();
                answers.push((phase.to_owned(), number, command.clone(), answer));
            }
        }
    }
    answers
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
