//! The records that a server had before a scenario, inferred from the recorded answers.
//!
//! Records that a scenario needs were written before the recording, so its file does not have them. Their
//! bins, generations and void times are inferred from the answers; what cannot be inferred is in [`known`].

use wire_protocol::ResultCode;
use wire_protocol::digest::UserKey;
use wire_protocol::message::{FrameHeader, Message, MessageHeader, Op, info2, info3, op};

use crate::scenario::{Frame, RecordCommand, Scenario, record_commands};

/// A time at which these scenarios could have been recorded.
pub(crate) const SOME_TIME: u32 = 533_091_200;

const DONT_UPDATE: u32 = u32::MAX - 1;
const NEVER_EXPIRE: u32 = u32::MAX;

/// Name, particle type, value.
pub(crate) type Bin = (Vec<u8>, u8, Vec<u8>);

/// A record that must exist before a scenario.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) namespace: Vec<u8>,
    pub(crate) set: Vec<u8>,
    pub(crate) digest: [u8; 20],
    pub(crate) generation: u32,
    pub(crate) void_time: u32,
    pub(crate) bins: Vec<Bin>,
    /// Particle type and value of the user key.
    pub(crate) key: Option<Vec<u8>>,
}

/// A command on one record, and the recorded answer to it.
struct Exchange<'s> {
    command: RecordCommand,
    answer: Message<'s>,
}

impl Exchange<'_> {
    fn header(&self) -> &MessageHeader {
        &self.answer.header
    }

    fn is_write(&self) -> bool {
        self.command.info2 & info2::WRITE != 0
    }

    fn is_expired(&self) -> bool {
        self.header().result_code == ResultCode::RECORD_NOT_FOUND && self.header().generation != 0
    }
}

/// The records that must exist before a scenario.
pub(crate) fn before(scenario: &Scenario) -> Vec<Given> {
    let exchanges = exchanges(scenario);
    let mut digests: Vec<_> = exchanges
        .iter()
        .map(|exchange| (exchange.command.namespace.clone(), exchange.command.digest))
        .collect();
    digests.sort();
    digests.dedup();
    digests
        .into_iter()
        .filter_map(|(namespace, digest)| {
            if let Some(given) = of_function(scenario, &namespace, &digest) {
                return given;
            }
            let of_record: Vec<_> = exchanges
                .iter()
                .filter(|exchange| {
                    exchange.command.digest == digest && exchange.command.namespace == namespace
                })
                .collect();
            record_before(&of_record)
        })
        .collect()
}

/// The record that a scenario about user-defined functions applies them to: the first key, which an earlier scenario has
/// written and another has added 35 to.
fn of_function(scenario: &Scenario, namespace: &[u8], digest: &[u8; 20]) -> Option<Option<Given>> {
    if !scenario.name.contains("-udf-") {
        return None;
    }
    let set = [&b"udf"[..], b"nudf"].into_iter().find(|set| UserKey::Int(1).digest(set) == *digest);
    let is_first = ["209-udf-apply", "167-udf-execute"].iter().any(|name| scenario.name.ends_with(name));
    let (generation, i) = if is_first { (1, 7i64) } else { (2, 42) };
    Some(set.map(|set| Given {
        namespace: namespace.into(),
        set: set.into(),
        digest: *digest,
        generation,
        void_time: 0,
        bins: vec![(b"i".to_vec(), 1, i.to_be_bytes().to_vec())],
        key: None,
    }))
}

/// The module that must be registered before a scenario: the command of the scenario that registers it.
pub(crate) fn module_before(scenario: &Scenario, all: &[Scenario]) -> Option<String> {
    let registers = |one: &&Scenario| one.name.ends_with("-udf-put") || one.name.ends_with("-udf-register");
    if registers(&scenario) || !scenario.name.contains("-udf-") || scenario.name.contains("-info-") {
        return None;
    }
    let body = &all.iter().find(registers)?.frames.first()?.bytes[FrameHeader::LEN..];
    Some(String::from_utf8_lossy(body).trim_end().to_owned())
}

/// The time at which a request was sent, as far as the scenario's answers say.
pub(crate) fn clock(scenario: &Scenario, request: &Frame) -> u32 {
    let exchanges = exchanges(scenario);
    let mine: Vec<_> = record_commands(request)
        .into_iter()
        .map(|command| (command.digest, command.ttl, command.info2))
        .collect();
    let written = exchanges.iter().find(|exchange| {
        mine.contains(&(exchange.command.digest, exchange.command.ttl, exchange.command.info2))
            && exchange.is_write()
            && exchange.header().result_code == ResultCode::OK
            && !matches!(exchange.command.ttl, 0 | DONT_UPDATE | NEVER_EXPIRE)
    });
    if let Some(exchange) = written {
        return exchange.header().ttl - exchange.command.ttl;
    }
    let expired = exchanges.iter().filter(|exchange| exchange.is_expired());
    expired.map(|exchange| exchange.header().ttl + 1).max().unwrap_or(SOME_TIME)
}

/// Pairs commands with their answers, in order.
fn exchanges(scenario: &Scenario) -> Vec<Exchange<'_>> {
    let mut answers: Vec<_> = scenario
        .frames
        .iter()
        .filter(|frame| !frame.is_request)
        .flat_map(messages)
        .filter(|message| message.header.info3 & info3::LAST == 0)
        .collect();
    answers.reverse();
    let mut exchanges = Vec::new();
    for request in scenario.frames.iter().filter(|frame| frame.is_request) {
        let mut commands = record_commands(request);
        // The rows of a batch are answered in any order.
        let mut answered = Vec::new();
        for _ in 0..commands.len().min(answers.len()) {
            answered.extend(answers.pop());
        }
        for command in commands.drain(..) {
            if let Some(at) = answered.iter().position(|answer| answer.header.extra == command.index) {
                exchanges.push(Exchange { command, answer: answered.remove(at) });
            }
        }
    }
    exchanges
}

fn messages(frame: &Frame) -> Vec<Message<'_>> {
    if frame.message().is_some() { messages_of(&frame.bytes) } else { Vec::new() }
}

/// All messages of a frame.
pub(crate) fn messages_of(frame: &[u8]) -> Vec<Message<'_>> {
    let mut messages = Vec::new();
    let mut rest = &frame[FrameHeader::LEN..];
    while let Ok((message, tail)) = Message::parse(rest) {
        messages.push(message);
        rest = tail;
    }
    messages
}

fn record_before(exchanges: &[&Exchange<'_>]) -> Option<Given> {
    let first = exchanges.first()?;
    let (command, header) = (&first.command, first.header());
    let is_delete = command.info2 & info2::DELETE != 0;
    let generation = match (header.result_code, header.generation) {
        (ResultCode::RECORD_NOT_FOUND, 0) | (ResultCode::NAMESPACE_NOT_FOUND, _) => return None,
        // The answer to a delete has no generation. One that is refused for its generation met another one.
        (ResultCode::GENERATION, 0) => 1 + u32::from(command.generation == 1),
        (ResultCode::OK, 0) if is_delete || first.is_write() => 1,
        (_, 0) => return None,
        (ResultCode::OK, generation) if first.is_write() => match generation - 1 {
            0 => return None,
            generation => generation,
        },
        (_, generation) => generation,
    };
    let void_time = if first.is_write() && header.result_code == ResultCode::OK && command.ttl != DONT_UPDATE
    {
        0
    } else {
        header.ttl
    };
    let (bins, key) = known(&command.set, &command.digest).unwrap_or_else(|| (shown_bins(exchanges), None));
    Some(Given {
        namespace: command.namespace.clone(),
        set: command.set.clone(),
        digest: command.digest,
        generation,
        void_time,
        bins,
        key,
    })
}

/// The bins in the answers that no earlier command wrote; if there are none, the first bin that was read.
fn shown_bins(exchanges: &[&Exchange<'_>]) -> Vec<Bin> {
    let mut written: Vec<&[u8]> = Vec::new();
    let mut bins: Vec<Bin> = Vec::new();
    let mut any: Vec<Bin> = Vec::new();
    for exchange in exchanges {
        written.extend(
            exchange.command.ops.iter().filter(|(code, _)| *code != op::READ).map(|(_, name)| &name[..]),
        );
        for Op { code, particle_type, name, value } in exchange.answer.ops() {
            if any.is_empty() && code == op::READ {
                any.push((name.to_vec(), particle_type, value.to_vec()));
            }
            if name == b"d" && exchange.command.ops.iter().any(|(code, _)| *code == op::CDT_READ) {
                // The element at index 3 of a list of floats. In a batch, the answer's code is that of a read.
                bins.push((name.to_vec(), 20, [b"\x94\xc0\xc0\xc0\xcb", value].concat()));
                continue;
            }
            if code == op::READ && !written.contains(&name) && bins.iter().all(|(other, ..)| other != name) {
                bins.push((name.to_vec(), particle_type, value.to_vec()));
            }
        }
    }
    if bins.is_empty() {
        bins = any;
    }
    // A refused increment met an integer.
    let refused = exchanges.iter().filter(|exchange| exchange.header().result_code == ResultCode::BIN_TYPE);
    let refused = refused.flat_map(|exchange| &exchange.command.ops).find(|(code, _)| *code == op::INCREMENT);
    if let (true, Some((_, name))) = (bins.is_empty(), refused) {
        bins.push((name.clone(), 1, 1i64.to_be_bytes().to_vec()));
    }
    if bins.is_empty() {
        bins.push((b"unseen".to_vec(), 1, 1i64.to_be_bytes().to_vec()));
    }
    bins
}

/// Records whose bins cannot be inferred from their scenario.
fn known(set: &[u8], digest: &[u8; 20]) -> Option<(Vec<Bin>, Option<Vec<u8>>)> {
    let is = |of: &[u8], key: UserKey<'_>| set == of && *digest == key.digest(set);
    let int = |name: &str, value: i64| (name.into(), 1, value.to_be_bytes().to_vec());
    let text = |name: &str, value: &str| (name.into(), 3, value.into());
    let operated = || {
        let float = ("f".into(), 2, 1.5f64.to_be_bytes().to_vec());
        vec![int("i", 10), float, text("s", "mid"), ("b".into(), 4, vec![5])]
    };
    if [&b"cap"[..], b"nat"].iter().any(|of| is(of, UserKey::Str(b"o1"))) {
        return Some((operated(), None));
    }
    let is_one_of = |keys: [&[u8]; 2]| {
        let mut sets = [&b"cap"[..], b"nat"].into_iter();
        sets.any(|of| keys.iter().any(|key| is(of, UserKey::Str(key))))
    };
    if is_one_of([b"cl", b"tc"]) {
        return Some((vec![int("a", 1)], None));
    }
    if is_one_of([b"bits"; 2]) {
        return Some((vec![("b".into(), 4, vec![0x0f, 0xff])], None));
    }
    if let Some(key) = (0..4).find(|&key| is(b"bw", UserKey::Int(key))) {
        return Some((vec![int("i", key), text("s", &format!("w{key}"))], None));
    }
    if (0..3).any(|key| is(b"bo", UserKey::Int(key))) {
        return Some((vec![int("n", 1)], None));
    }
    if [&b"cap"[..], b"nat"].iter().any(|of| is(of, UserKey::Str(b"cdt"))) {
        let list = ("l".into(), 20, b"\x93\x03\x01\x02".to_vec());
        let map = ("m".into(), 19, b"\x82\xa2\x03a\x01\xa2\x03b\x81\xa2\x03x\x92\x01\x02".to_vec());
        return Some((vec![list, map], None));
    }
    if is(b"raw", UserKey::Str(b"sk")) {
        return Some((vec![int("i", 1)], Some(b"\x03sk".to_vec())));
    }
    None
}
