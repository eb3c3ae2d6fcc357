//! Recorded scenarios from `tests/wire-captures`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use wire_protocol::batch::BatchRequestRows;
use wire_protocol::message::{FrameHeader, FrameType, Message, field_type, info1, info2, info3};

/// One frame of a scenario.
pub(crate) struct Frame {
    pub(crate) connection: u64,
    pub(crate) is_request: bool,
    pub(crate) kind: FrameType,
    /// The whole frame, including its header.
    pub(crate) bytes: Vec<u8>,
}

impl Frame {
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[FrameHeader::LEN..]
    }

    /// Whether the frame is a query.
    pub(crate) fn is_query(&self) -> bool {
        self.message().is_some_and(|message| {
            let header = message.header;
            header.info3 & info3::PARTITION_DONE != 0 && header.info2 & info2::WRITE == 0 && self.is_request
        })
    }

    /// The first message of a message frame; `None` if it does not parse.
    pub(crate) fn message(&self) -> Option<Message<'_>> {
        if self.kind == FrameType::Message {
            Message::parse(self.body()).ok().map(|(message, _)| message)
        } else {
            None
        }
    }
}

/// A scenario: its name (`official/003-put-get-int`) and its frames.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) frames: Vec<Frame>,
}

pub(crate) fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire-captures")
}

/// All scenarios of a folder, in the order in which they were recorded.
pub(crate) fn scenarios(folder: &str) -> Vec<Scenario> {
    let mut paths: Vec<_> =
        std::fs::read_dir(captures().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "jsonl"))
        .map(|path| read(folder, path))
        .collect()
}

fn read(folder: &str, path: &Path) -> Scenario {
    let text = std::fs::read_to_string(path).unwrap();
    let frames = text
        .lines()
        .skip(1)
        .map(|line| {
            let frame: Value = serde_json::from_str(line).unwrap();
            let bytes = unhex(frame["hex"].as_str().unwrap());
            Frame {
                connection: frame["conn"].as_u64().unwrap(),
                is_request: frame["dir"] == "request",
                kind: FrameHeader::parse(bytes.first_chunk().unwrap()).unwrap().kind,
                bytes,
            }
        })
        .collect();
    Scenario { name: format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap()), frames }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// A command on one record, alone or as a batch row.
#[derive(Clone, Debug)]
pub(crate) struct RecordCommand {
    pub(crate) namespace: Vec<u8>,
    pub(crate) set: Vec<u8>,
    pub(crate) digest: [u8; 20],
    pub(crate) info2: u8,
    pub(crate) generation: u32,
    pub(crate) ttl: u32,
    /// Code and bin of each operation.
    pub(crate) ops: Vec<(u8, Vec<u8>)>,
    /// The index of the batch row; 0 if alone.
    pub(crate) index: u32,
}

/// The commands of a request, record by record. Empty if the request is malformed or not about records.
pub(crate) fn record_commands(frame: &Frame) -> Vec<RecordCommand> {
    let Some(message) = frame.message() else { return Vec::new() };
    let header = message.header;
    if header.info1 & info1::BATCH == 0 {
        let digest = message.field(field_type::DIGEST).and_then(|digest| digest.try_into().ok());
        return digest
            .map(|digest| RecordCommand {
                namespace: message.field(field_type::NAMESPACE).unwrap_or_default().to_vec(),
                set: message.field(field_type::SET).unwrap_or_default().to_vec(),
                digest,
                info2: header.info2,
                generation: header.generation,
                ttl: header.ttl,
                ops: message.ops().map(|op| (op.code, op.name.to_vec())).collect(),
                index: 0,
            })
            .into_iter()
            .collect();
    }
    let Some(Ok(rows)) = message.field(field_type::BATCH).map(BatchRequestRows::parse) else {
        return Vec::new();
    };
    rows.map(|row| RecordCommand {
        namespace: row.field(field_type::NAMESPACE).unwrap_or_default().to_vec(),
        set: row.field(field_type::SET).unwrap_or_default().to_vec(),
        digest: *row.digest,
        info2: row.info2(),
        generation: row.generation().into(),
        ttl: row.ttl(),
        ops: row.ops().map(|op| (op.code, op.name.to_vec())).collect(),
        index: row.index,
    })
    .collect()
}
