//! For the recorded calls of two other clients, this crate writes the requests that they sent: the same bytes or, where
//! the protocol leaves a choice, the same meaning.
//!
//! [`calls::calls`] has each recorded call as a call of this crate's writers. [`NOT_CLAIMED`] lists the scenarios of
//! commands without a writer; all others must be in the table.

mod calls;
#[path = "../support/mod.rs"]
mod support;
mod writes;

use std::collections::{HashMap, HashSet};

use calls::{Same, calls};
use support::value::Value;
use support::{all_scenarios, scenarios, to_hex};
use wire_protocol::batch::BatchRequestRows;
use wire_protocol::digest::{Digest, UserKey};
use wire_protocol::message::{FrameHeader, Message, Ops, field_type, op};

/// Scenarios of commands without a writer, by the start of their name, with the reason.
const NOT_CLAIMED: &[(&str, &str)] = &[
    ("connect-", "info frames, see the test of captures"),
    ("info-", "info frames"),
    ("truncate-", "info commands, and calls around them"),
    ("index-", "secondary indexes: info commands and queries"),
    ("udf-", "user-defined functions"),
    ("operate-", "several operations of several kinds on one record"),
    ("batch-write", "batches that write, see `writes`"),
    ("batch-operate", "batches that write, see `writes`"),
    ("batch-remove", "batches that write, see `writes`"),
    ("batch-delete", "batches that write, see `writes`"),
    ("batch-apply", "batches of functions"),
    ("batch-mixed", "batches that write, see `writes`"),
    ("batch-read-ops", "batches that read by operations"),
    ("batch-get-ops", "batches that read by operations"),
    ("query-", "queries, see their own tests"),
    ("scan-", "queries, see their own tests"),
    ("put-in-transaction", "transactions"),
    ("put-compressed", "a compressed frame; nothing here compresses"),
    ("get-error-detail-verbosity", "an option that the contract does not have"),
];

#[test]
fn requests_equal_the_recorded_ones() {
    let mut equal = [0, 0];
    for (folder, set) in [("official", "cap"), ("native", "nat")] {
        for scenario in scenarios(folder) {
            let recorded: Vec<_> = scenario.requests().collect();
            let unclaimed = NOT_CLAIMED.iter().any(|(start, _)| scenario.name.starts_with(start));
            if recorded.is_empty() || unclaimed {
                continue;
            }
            let title = scenario.title();
            let (calls, same) =
                calls(folder, set, &scenario).unwrap_or_else(|| panic!("{title}: not in the table"));
            assert_eq!(calls.len(), recorded.len(), "{title}: {}", scenario.what);
            for (call, recorded) in calls.iter().zip(recorded) {
                let written = call.write(filter_of(recorded));
                match same {
                    Same::Bytes => assert_eq!(to_hex(&written), to_hex(recorded), "{title}"),
                    Same::Meaning(why) => {
                        assert_eq!(meaning(&written), meaning(recorded), "{title} ({why})");
                    }
                }
                equal[usize::from(matches!(same, Same::Meaning(_)))] += 1;
            }
            if let Same::Meaning(why) = same {
                let written: Vec<_> =
                    calls.iter().zip(scenario.requests()).map(|(c, r)| c.write(filter_of(r))).collect();
                assert!(
                    written.iter().map(|bytes| &bytes[..]).ne(scenario.requests()),
                    "{title} is equal to the byte; it says {why}"
                );
            }
        }
    }
    assert!(equal[0] >= 312, "{} requests were equal to the byte", equal[0]);
    assert!(equal[1] <= 20, "{} requests were equal in meaning only", equal[1]);
}

/// The filter of a recorded request, of the message or of its first row.
fn filter_of(frame: &[u8]) -> &[u8] {
    let message = Message::parse_only(&frame[FrameHeader::LEN..]).unwrap();
    message
        .field(field_type::FILTER)
        .or_else(|| {
            let mut rows = BatchRequestRows::parse(message.field(field_type::BATCH)?).unwrap();
            rows.next()?.field(field_type::FILTER)
        })
        .unwrap_or_default()
}

/// What a request asks for, record by record.
#[derive(Debug, PartialEq)]
struct Asked {
    namespace: Vec<u8>,
    /// Empty for none, however that is encoded.
    set: Vec<u8>,
    digest: Vec<u8>,
    key: Option<Vec<u8>>,
    /// Without the bit that says that the message is a batch.
    info: [u8; 4],
    generation: u32,
    ttl: u32,
    timeout_ms: u32,
    /// The record's, else the message's.
    filter: Option<Vec<u8>>,
    ops: Vec<(u8, Vec<u8>, Value)>,
}

fn meaning(frame: &[u8]) -> Vec<Asked> {
    let message = Message::parse_only(&frame[FrameHeader::LEN..]).unwrap();
    let header = message.header;
    let owned = |data: Option<&[u8]>| data.map(<[u8]>::to_vec);
    let filter = owned(message.field(field_type::FILTER));
    let Some(rows) = message.field(field_type::BATCH) else {
        return vec![Asked {
            namespace: owned(message.field(field_type::NAMESPACE)).unwrap(),
            set: owned(message.field(field_type::SET)).unwrap_or_default(),
            digest: owned(message.field(field_type::DIGEST)).unwrap(),
            key: owned(message.field(field_type::KEY)),
            info: [header.info1, header.info2, header.info3, header.info4],
            generation: header.generation,
            ttl: header.ttl,
            timeout_ms: header.extra,
            filter,
            ops: ops_of(message.ops()),
        }];
    };
    BatchRequestRows::parse(rows)
        .unwrap()
        .map(|row| Asked {
            namespace: owned(row.field(field_type::NAMESPACE)).unwrap(),
            set: owned(row.field(field_type::SET)).unwrap_or_default(),
            digest: row.digest.to_vec(),
            key: owned(row.field(field_type::KEY)),
            info: [row.info1(), row.info2(), row.info3(), row.info4()],
            generation: u32::from(row.generation()),
            ttl: row.ttl(),
            timeout_ms: header.extra,
            filter: owned(row.field(field_type::FILTER)).or(filter.clone()),
            ops: ops_of(row.ops()),
        })
        .collect()
}

fn ops_of(ops: Ops<'_>) -> Vec<(u8, Vec<u8>, Value)> {
    ops.map(|op| (op.code, op.name.to_vec(), Value::of_particle(op.particle().unwrap()).sorted()))
        // A read of no bin, which one client adds to a read of the header.
        .filter(|(code, name, _)| !(*code == op::READ && name.is_empty()))
        .collect()
}

/// Every digest of a recorded request is the one that this crate computes for a key of the recorded call: a key in the
/// call's description, or a small number.
#[test]
fn digests_equal_the_recorded_ones() {
    let mut numbers: HashMap<Vec<u8>, HashSet<Digest>> = HashMap::new();
    let mut checked = 0;
    for scenario in all_scenarios() {
        let names = || scenario.what.split('\'').map(|text| UserKey::Str(text.as_bytes()));
        let blobs = || [&[0][..], &[1, 2], b"kk"].map(UserKey::Blob);
        for frame in scenario.requests() {
            for (digest, set) in digests_of(frame) {
                // A transaction's own record, whose key is the transaction's random number.
                // Or a request without the set, which is part of the digest nevertheless.
                if set == b"<ERO~MRT" || scenario.name == "get-no-namespace" {
                    continue;
                }
                let numbers = numbers.entry(set.to_vec()).or_insert_with(|| {
                    (0..1000).chain([12345]).map(|key| UserKey::Int(key).digest(set)).collect()
                });
                assert!(
                    numbers.contains(&digest) || names().chain(blobs()).any(|key| key.digest(set) == digest),
                    "{}: {}",
                    scenario.title(),
                    scenario.what
                );
                checked += 1;
            }
        }
    }
    assert!(checked >= 876, "{checked} digests");
}

/// The digests of a request, each with its set.
fn digests_of(frame: &[u8]) -> Vec<(Digest, &[u8])> {
    let message = Message::parse_only(&frame[FrameHeader::LEN..]).unwrap();
    let rows = message.field(field_type::BATCH).and_then(|data| BatchRequestRows::parse(data).ok());
    let single = message.field(field_type::DIGEST).map(|digest| digest.try_into().unwrap());
    let rows = rows.into_iter().flatten().map(|row| (*row.digest, row.field(field_type::SET)));
    single
        .map(|digest| (digest, message.field(field_type::SET)))
        .into_iter()
        .chain(rows)
        .map(|(digest, set)| (digest, set.unwrap_or_default()))
        .collect()
}
