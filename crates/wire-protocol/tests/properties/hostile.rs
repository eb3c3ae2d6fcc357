//! Arbitrary bytes and damaged recorded frames: readers accept or refuse them without a panic, and what they accept is
//! consistent.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::{all_scenarios, cluster_info};
use wire_protocol::batch::{BatchAnswer, BatchAnswers, BatchRequestRows};
use wire_protocol::info;
use wire_protocol::message::{FrameHeader, Message, Op};
use wire_protocol::msgpack::{self, Reader};
use wire_protocol::particle::Particle;

/// The bodies of the recorded message frames, short ones: damage to a long one rarely hits a size.
static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let scenarios = all_scenarios();
    let frames = scenarios.iter().flat_map(|scenario| &scenario.frames);
    let bodies: Vec<_> = frames
        .filter(|frame| frame.kind == "message" && frame.bytes.len() < 600)
        .map(|frame| frame.bytes[FrameHeader::LEN..].to_vec())
        .collect();
    assert!(bodies.len() > 1000, "{} frames", bodies.len());
    bodies
});

/// Recorded answers to info commands.
static ANSWERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    cluster_info()
        .into_iter()
        .filter(|(.., command, _)| command.starts_with("peers-") || command == "replicas")
        .map(|(.., answer)| answer)
        .collect()
});

/// One piece of damage.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    /// Sizes and counts are the most dangerous bytes.
    SetWord(Index, u32),
    Cut(Index),
    Remove(Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let word = prop_oneof![
        any::<u32>(),
        select(vec![0, 1, 2, 0x7fff_ffff, 0x8000_0000, u32::MAX - 4, u32::MAX]),
        0u32..64,
    ];
    let one = prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        3 => (any::<Index>(), word).prop_map(|(at, word)| Damage::SetWord(at, word)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => any::<Index>().prop_map(Damage::Remove),
        1 => (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ];
    vec(one, 1..5)
}

fn apply(bytes: &mut Vec<u8>, damage: &[Damage]) {
    for damage in damage {
        if bytes.is_empty() {
            return;
        }
        match damage {
            Damage::Set(at, byte) => *at.get_mut(bytes) = *byte,
            Damage::SetWord(at, word) => {
                let at = at.index(bytes.len());
                bytes.iter_mut().skip(at).zip(word.to_be_bytes()).for_each(|(byte, new)| *byte = new);
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Remove(at) => {
                bytes.remove(at.index(bytes.len()));
            }
            Damage::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Repeat(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let range = from.min(to)..from.max(to);
                bytes.extend_from_within(range);
            }
        }
    }
}

/// Passes the bytes to every reader of the body of a message frame.
fn read_as_everything(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok((message, after)) = Message::parse(rest) {
        assert!(after.len() < rest.len());
        rest = after;
        assert_eq!(message.fields().count(), usize::from(message.header.n_fields));
        assert_eq!(message.ops().count(), usize::from(message.header.n_ops));
        message.fields().for_each(|field| read_rows(field.data));
        message.ops().for_each(read_op);
    }
    for answer in BatchAnswers::new(bytes) {
        if let Ok(BatchAnswer::Record(record)) = answer {
            assert_eq!(record.ops().count(), usize::from(record.n_ops));
            record.ops().for_each(read_op);
        }
    }
    if let Some(header) = bytes.first_chunk() {
        let _ = FrameHeader::parse(header);
    }
    read_rows(bytes);
    read_packed(bytes);
    for kind in 0..=24 {
        let _ = Particle::parse(kind, bytes);
    }
}

fn read_op(op: Op<'_>) {
    if let Ok(particle) = op.particle() {
        let mut written = Vec::new();
        particle.write(&mut written);
        if let Particle::List(bytes) | Particle::Map(bytes) = particle {
            read_packed(bytes);
        }
    }
}

fn read_rows(bytes: &[u8]) {
    if let Ok(rows) = BatchRequestRows::parse(bytes) {
        let len = rows.len();
        let mut seen = 0;
        for row in rows {
            seen += 1;
            row.ops().for_each(read_op);
            let _ = row.field(0);
        }
        assert_eq!(seen, len);
    }
}

fn read_packed(bytes: &[u8]) {
    let checked = msgpack::check(bytes);
    let mut whole = Reader::new(bytes);
    let skipped = whole.skip_value();
    // A value that passes the check can be skipped, and nothing follows it.
    if checked.is_ok() {
        assert_eq!((skipped, whole.is_at_end()), (Ok(()), true));
    }
    let mut reader = Reader::new(bytes);
    while reader.token().is_ok() {
        assert!(reader.remaining() < bytes.len());
    }
}

/// Passes the text to every reader of an answer to an info command.
fn read_as_text(text: &str) {
    let _ = info::error_of(text);
    let _ = info::parse_service(text);
    if let Ok(replicas) = info::parse_replicas(text) {
        replicas.iter().flat_map(|namespace| &namespace.replicas).for_each(|map| {
            assert!(map.iter().all(|partition| partition < 4096));
        });
    }
    if let Ok(peers) = info::parse_peers(text) {
        for (host, port) in peers.peers.iter().flat_map(|peer| &peer.addresses) {
            assert!(!host.is_empty() && *port != 0);
        }
    }
}

proptest! {
    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..300)) {
        read_as_everything(&bytes);
        if let Ok(answers) = info::answers(&bytes) {
            answers.for_each(|(_, answer)| read_as_text(answer));
        }
    }

    /// Random bytes rarely get past a message header.
    #[test]
    fn random_bytes_after_a_header(counts in (0u16..4, 0u16..4), bytes in vec(any::<u8>(), 0..100)) {
        let header = wire_protocol::message::MessageHeader {
            n_fields: counts.0,
            n_ops: counts.1,
            ..Default::default()
        };
        let mut message = Vec::new();
        header.write(&mut message);
        message.extend(&bytes);
        read_as_everything(&message);
    }

    /// Tags that are common in lists and maps, so that random bytes nest.
    #[test]
    fn random_packed_values(bytes in vec(prop_oneof![select(vec![
        0x00u8, 0x01, 0x80, 0x81, 0x90, 0x91, 0x92, 0xa0, 0xa1, 0xa2, 0xc0, 0xc3, 0xc7, 0xca, 0xcb, 0xd9,
        0xdc, 0xdd, 0xde, 0xdf,
    ]), any::<u8>()], 0..200)) {
        read_packed(&bytes);
    }

    #[test]
    fn damaged_frames(body in select(&BODIES[..]), damage in damage()) {
        let mut body = body;
        apply(&mut body, &damage);
        read_as_everything(&body);
    }

    #[test]
    fn random_text(text in "[0-9a-zA-Z:;,=+/\\[\\]. \\t\\n-]{0,100}") {
        read_as_text(&text);
    }

    #[test]
    fn damaged_answers(answer in select(&ANSWERS[..]), damage in damage()) {
        let mut bytes = answer.into_bytes();
        apply(&mut bytes, &damage);
        read_as_text(&String::from_utf8_lossy(&bytes));
    }
}
