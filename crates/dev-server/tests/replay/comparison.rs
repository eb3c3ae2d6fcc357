//! Comparison of answers that differ by design.

use std::collections::{BTreeMap, HashMap};

use wire_protocol::message::{FrameHeader, Message};

use crate::verdicts::Why;

/// Frames by connection.
type Answers = HashMap<u64, Vec<Vec<u8>>>;

/// The answers as lines of text, without what differs for this reason.
pub(crate) fn without(why: Why, answers: &Answers) -> BTreeMap<u64, Vec<String>> {
    let lines = |frames: &Vec<Vec<u8>>| {
        let mut lines: Vec<_> =
            frames.iter().flat_map(|frame| frame_lines(why, &frame[FrameHeader::LEN..])).collect();
        if matches!(why, Why::RowOrder | Why::PartitionOrder) {
            lines.sort();
        }
        if why == Why::OwnPartitions {
            lines.dedup();
        }
        lines
    };
    answers.iter().map(|(connection, frames)| (*connection, lines(frames))).collect()
}

fn frame_lines(why: Why, body: &[u8]) -> Vec<String> {
    if matches!(why, Why::Own(_) | Why::OwnMap) {
        // Only the commands, in order.
        return String::from_utf8_lossy(body)
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
            .collect();
    }
    if matches!(why, Why::BuildTime | Why::BuildProgress) {
        let is_kept = |part: &&str| match why {
            // While it is built, only the number of entries is right.
            Why::BuildProgress => !part.starts_with("load_") && !part.starts_with("entries_per_"),
            _ => !part.starts_with("load_time="),
        };
        let parts = |line: &str| line.split(';').filter(is_kept).collect::<Vec<_>>().join(";");
        return String::from_utf8_lossy(body).lines().map(parts).collect();
    }
    let mut lines = Vec::new();
    let mut rest = body;
    while let Ok((message, tail)) = Message::parse(rest) {
        rest = tail;
        lines.extend(message_line(why, &message));
    }
    lines
}

fn message_line(why: Why, message: &Message<'_>) -> Option<String> {
    let mut header = message.header;
    if why == Why::Freed || why == Why::OwnPartitions {
        header.generation = 0;
    }
    // A parsed GeoJSON particle is its text, without cells.
    let fields: Vec<_> = message.fields().map(|field| (field.kind, field.data.to_vec())).collect();
    let bins: Vec<_> =
        message.ops().map(|op| (op.code, op.name.to_vec(), format!("{:?}", op.particle()))).collect();
    Some(format!("{header:?} {fields:?} {bins:?}"))
}
