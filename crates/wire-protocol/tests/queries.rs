//! Queries: requests equal the recorded ones byte for byte, recorded answers are read completely, hostile ones are
//! refused.

mod support;

use proptest::prelude::*;
use support::{scenarios, to_hex};
use wire_protocol::command::Projection;
use wire_protocol::digest::{UserKey, partition_id};
use wire_protocol::message::{
    FrameHeader, FrameType, Message, MessageHeader, field_type, info1, info2, info3, op, write_field,
    write_frame, write_op,
};
use wire_protocol::query::{QueryAnswer, QueryAnswers, QueryDuration, QueryRequest, QueryScope, write_query};
use wire_protocol::{ResultCode, WireError};

/// Recorded queries that this crate cannot write, by a part of their name, with the reason.
const NOT_CLAIMED: &[(&str, &str)] = &[
    ("index-", "secondary indexes"),
    ("query-read-ops", "queries with operations"),
    ("query-background-ops", "background queries"),
];

fn is_claimed(name: &str) -> bool {
    (name.starts_with("query-") || name.starts_with("scan-"))
        && !NOT_CLAIMED.iter().any(|(part, _)| name.contains(part))
}

/// The recorded calls as requests; partitions, task id and filter are taken from the recording.
fn call(folder: &str, name: &str) -> (Vec<&'static [u8]>, bool, u64, u32, QueryDuration) {
    let bins: Vec<&[u8]> = match name {
        "query-bins" => vec![b"n", b"s"],
        "query-missing-bin" => vec![b"n", b"nobin"],
        "query-only-missing-bin" => vec![b"nobin"],
        "scan-bins" => vec![b"s"],
        _ => vec![],
    };
    let max = match name {
        "query-max-records" | "scan-max-records-rps" => 10,
        "query-paginate" | "query-resume" => 15,
        _ => 0,
    };
    let rate = match (folder, name) {
        (_, "query-records-per-second") => 2000,
        (_, "scan-max-records-rps") => 500,
        _ => 0,
    };
    let duration = match name {
        "query-short" => QueryDuration::Short,
        "query-long-relax-ap" => QueryDuration::LongRelaxAp,
        _ => QueryDuration::Long,
    };
    (bins, name.ends_with("no-bins"), max, rate, duration)
}

#[test]
fn requests_equal_the_recorded_ones() {
    let mut equal = 0;
    for folder in ["official", "native"] {
        for scenario in scenarios(folder).iter().filter(|scenario| is_claimed(&scenario.name)) {
            let title = scenario.title();
            for recorded in scenario.requests() {
                let message = Message::parse_only(&recorded[FrameHeader::LEN..]).unwrap();
                let scope = QueryScope::parse(&message).unwrap();
                let (bins, no_bins, max_records, records_per_second, duration) = call(folder, &scenario.name);
                let projection = match (no_bins, &bins[..]) {
                    (true, _) => Projection::Header,
                    (false, []) => Projection::All,
                    (false, bins) => Projection::Bins(bins),
                };
                let set = message.field(field_type::SET).unwrap_or_default();
                let task_id = message.field(field_type::TASK_ID).unwrap();
                let mut written = Vec::new();
                let request = QueryRequest {
                    namespace: b"test",
                    set,
                    projection,
                    every_record: false,
                    operations: None,
                    predicate: None,
                    index_values: &[],
                    partitions: &scope.partitions,
                    after: &scope.after,
                    max_records,
                    records_per_second,
                    socket_timeout_ms: 30_000,
                    task_id: u64::from_be_bytes(task_id.try_into().unwrap()),
                    duration,
                    info1: 0,
                    info3: 0,
                    ttl: if folder == "official" { QueryRequest::DONT_TOUCH } else { 0 },
                    filter: message.field(field_type::FILTER).unwrap_or_default(),
                };
                write_query(&mut written, &request).unwrap();
                assert_eq!(to_hex(&written), to_hex(recorded), "{title}");
                equal += 1;
            }
        }
    }
    assert!(equal >= 30, "{equal} requests were equal");
}

/// The official client sends read operations when a query also has a list operation, which this crate cannot write. All
/// but that operation is compared.
#[test]
fn a_request_for_every_record_equals_the_recorded_read_operations() {
    let official = scenarios("official");
    let recorded = official.iter().find(|scenario| scenario.name == "query-read-ops").unwrap();
    let recorded = recorded.requests().next().unwrap();
    let message = Message::parse_only(&recorded[FrameHeader::LEN..]).unwrap();
    let scope = QueryScope::parse(&message).unwrap();
    let task_id = message.field(field_type::TASK_ID).unwrap();
    let request = QueryRequest {
        namespace: b"test",
        set: b"scan",
        projection: Projection::Bins(&[b"n", b"l"]),
        every_record: true,
        operations: None,
        predicate: None,
        index_values: &[],
        partitions: &scope.partitions,
        after: &[],
        max_records: 0,
        records_per_second: 0,
        socket_timeout_ms: 30_000,
        task_id: u64::from_be_bytes(task_id.try_into().unwrap()),
        duration: QueryDuration::Long,
        info1: 0,
        info3: 0,
        ttl: QueryRequest::DONT_TOUCH,
        filter: &[],
    };
    let list_read = message.ops().nth(1).unwrap();
    assert_eq!((list_read.code, list_read.name), (op::CDT_READ, &b"l"[..]));
    let mut list_op = Vec::new();
    write_op(&mut list_op, list_read.code, list_read.particle_type, list_read.name, list_read.value);
    let mut plain_op = Vec::new();
    write_op(&mut plain_op, op::READ, 0, b"l", &[]);
    let mut written = Vec::new();
    write_query(&mut written, &request).unwrap();
    let same = written.strip_suffix(&plain_op[..]).unwrap();
    let expected = recorded.strip_suffix(&list_op[..]).unwrap();
    // The frames' sizes differ by the operation.
    assert_eq!(to_hex(&same[FrameHeader::LEN..]), to_hex(&expected[FrameHeader::LEN..]));

    // Other projections ask for every record anyway.
    for projection in [Projection::All, Projection::Header, Projection::Bins(&[])] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        write_query(&mut with, &QueryRequest { projection, ..request }).unwrap();
        write_query(&mut without, &QueryRequest { projection, every_record: false, ..request }).unwrap();
        assert_eq!(with, without);
    }
}

#[test]
fn recorded_answers_are_read_to_their_ends() {
    let (mut records, mut keys, mut unavailable, mut ends) = (0, 0, 0, 0);
    for folder in ["official", "native", "raw", "raw-cluster"] {
        let is_query = |name: &str| name.contains("query-") || name.starts_with("scan-");
        for scenario in scenarios(folder).iter().filter(|scenario| is_query(&scenario.name)) {
            for frame in scenario.frames.iter().filter(|frame| frame.kind == "message" && !frame.is_request) {
                for answer in QueryAnswers::new(&frame.bytes[FrameHeader::LEN..]) {
                    match answer.unwrap_or_else(|error| panic!("{}: {error}", scenario.title())) {
                        QueryAnswer::Record(record) => {
                            assert_eq!(record.namespace, b"test");
                            for op in record.ops() {
                                op.particle().unwrap();
                            }
                            records += 1;
                            keys += usize::from(record.key.is_some());
                        }
                        QueryAnswer::Partition { code, .. } => {
                            assert_eq!(code, ResultCode::PARTITION_UNAVAILABLE);
                            unavailable += 1;
                        }
                        QueryAnswer::End { .. } => ends += 1,
                    }
                }
            }
        }
    }
    assert!(
        records > 800 && keys > 300 && unavailable == 4 && ends > 40,
        "{records} {keys} {unavailable} {ends}"
    );
}

fn record(digest: &[u8], key: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let n_fields = 2 + u16::from(key.is_some());
    MessageHeader { n_fields, n_ops: 1, ..MessageHeader::default() }.write(&mut out);
    write_field(&mut out, field_type::NAMESPACE, b"test");
    write_field(&mut out, field_type::DIGEST, digest);
    if let Some(key) = key {
        write_field(&mut out, field_type::KEY, key);
    }
    write_op(&mut out, 1, 1, b"n", &7i64.to_be_bytes());
    out
}

fn read(body: &[u8]) -> Result<usize, WireError> {
    QueryAnswers::new(body).try_fold(0, |count, answer| answer.map(|_| count + 1))
}

#[test]
fn wrong_answers_are_refused() {
    assert_eq!(read(&record(&[7; 20], Some(&[3, b'k']))), Ok(1));
    let mut end = Vec::new();
    MessageHeader { info3: info3::LAST, ..MessageHeader::default() }.write(&mut end);
    assert!(read(&[&end[..], &end[..]].concat()).is_err(), "bytes after the end");
    assert!(read(&record(&[7; 19], None)).is_err(), "a short digest");
    let mut done = Vec::new();
    MessageHeader { info3: info3::PARTITION_DONE, generation: 4096, ..MessageHeader::default() }
        .write(&mut done);
    assert!(read(&done).is_err(), "a partition that there is not");
}

#[test]
fn a_stored_key_that_cannot_be_read_costs_itself_only() {
    let float = [2, 0, 0, 0, 0, 0, 0, 0, 0];
    let (list, boolean, short_integer, short_geojson) = ([20, 0x90], [17, 1], [1, 7], [23, 0]);
    for key in [&[][..], &float, &list, &boolean, &short_integer, &short_geojson, &[200, 1]] {
        let body = [record(&[7; 20], Some(key)), record(&[6; 20], Some(&[3, b'k']))].concat();
        let answers: Vec<_> = QueryAnswers::new(&body).collect::<Result<_, _>>().unwrap();
        let [QueryAnswer::Record(first), QueryAnswer::Record(second)] = &answers[..] else {
            panic!("{answers:?}")
        };
        assert_eq!((first.key, first.digest, first.ops().count()), (None, &[7; 20], 1), "{key:?}");
        assert_eq!(second.key, Some(UserKey::Str(b"k")));
    }
}

#[test]
fn wrong_requests_are_not_written() {
    let query = QueryRequest {
        namespace: b"test",
        set: b"",
        projection: Projection::Bins(&[]),
        every_record: false,
        operations: None,
        predicate: None,
        index_values: &[],
        partitions: &[4095],
        after: &[],
        max_records: 0,
        records_per_second: 0,
        socket_timeout_ms: 0,
        task_id: 1,
        duration: QueryDuration::Long,
        info1: 0,
        info3: 0,
        ttl: 0,
        filter: &[],
    };
    let mut out = Vec::new();
    write_query(&mut out, &query).unwrap();
    let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
    assert_eq!(message.header.info1, info1::READ | info1::NO_BINS, "no names are no bins");
    let before = out.clone();
    assert!(write_query(&mut out, &QueryRequest { partitions: &[4096], ..query }).is_err());
    let long = [b'x'; 300];
    let bins: &[&[u8]] = &[&long];
    assert!(write_query(&mut out, &QueryRequest { projection: Projection::Bins(bins), ..query }).is_err());
    assert_eq!(out, before);
}

/// A request with these fields.
fn with_fields(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, FrameType::Message, |out| {
        let n_fields = fields.len() as u16;
        MessageHeader { info1: info1::READ, n_fields, ..MessageHeader::default() }.write(out);
        fields.iter().for_each(|(kind, data)| write_field(out, *kind, data));
    })
    .unwrap();
    out
}

#[test]
fn a_scope_that_the_server_refuses_is_none() {
    let scope = |fields: &[(u8, Vec<u8>)], info1: u8| {
        let mut request = with_fields(fields);
        request[FrameHeader::LEN + 1] |= info1;
        QueryScope::parse(&Message::parse_only(&request[FrameHeader::LEN..]).unwrap()).is_ok()
    };
    let partitions =
        |numbers: &[u16]| (field_type::PARTITION_IDS, numbers.iter().flat_map(|n| n.to_le_bytes()).collect());
    let after = |digests: &[[u8; 20]]| (field_type::DIGESTS, digests.as_flattened().to_vec());
    let number = |digest: &[u8; 20]| partition_id(digest) as u16;
    let (one, other) = ([1; 20], [2; 20]);
    assert!(scope(&[partitions(&[7, number(&other)]), after(&[one])], 0));
    assert!(!scope(&[partitions(&[])], 0));
    assert!(!scope(&[after(&[])], 0));
    assert!(!scope(&[partitions(&[]), after(&[one])], 0));
    assert!(!scope(&[partitions(&[7, 8, 7])], 0));
    assert!(!scope(&[after(&[one, one])], 0));
    assert!(!scope(&[partitions(&[number(&one)]), after(&[one])], 0));
    let timeout = |size| (field_type::SOCKET_TIMEOUT, vec![0; size]);
    assert!(scope(&[partitions(&[7]), timeout(4)], 0));
    assert!(!scope(&[partitions(&[7]), timeout(3)], 0));
    let rate = (field_type::RECORDS_PER_SECOND, vec![0, 0, 0, 9]);
    assert!(scope(&[partitions(&[7]), rate.clone()], 0));
    assert!(!scope(&[partitions(&[7]), rate], info1::SHORT_QUERY));
}

proptest! {
    #[test]
    fn a_scope_comes_back(
        partitions in prop::collection::btree_set(0u16..4096, 0..50),
        mut after in prop::collection::vec(any::<[u8; 20]>(), 0..20),
        max_records: u64,
        records_per_second: u32,
        relax: bool,
    ) {
        // Each partition once; a short query has no rate.
        let mut seen: Vec<u16> = partitions.iter().copied().collect();
        after.retain(|digest| {
            let number = partition_id(digest) as u16;
            let is_new = !seen.contains(&number);
            seen.push(number);
            is_new
        });
        let partitions: Vec<u16> = partitions.into_iter().collect();
        let records_per_second = if relax { records_per_second } else { 0 };
        let mut out = Vec::new();
        let duration = if relax { QueryDuration::LongRelaxAp } else { QueryDuration::Short };
        write_query(&mut out, &QueryRequest {
            namespace: b"test", set: b"s", projection: Projection::All, every_record: false, operations: None, predicate: None,
            partitions: &partitions, index_values: &[],
            after: &after, max_records, records_per_second, socket_timeout_ms: 1, task_id: 2, duration,
            info1: 0, info3: 0, ttl: 0, filter: b"f",
        }).unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        prop_assert_eq!(message.header.info2 & info2::RELAX_AP_LONG_QUERY != 0, relax);
        prop_assert_eq!(message.header.info1 & info1::SHORT_QUERY != 0, !relax);
        let scope = QueryScope { partitions, after, index_values: vec![], max_records, records_per_second };
        prop_assert_eq!(QueryScope::parse(&message).unwrap(), scope);
    }

    #[test]
    fn any_scope_is_read_or_refused(
        fields in prop::collection::vec((7u8..14, prop::collection::vec(any::<u8>(), 0..64)), 0..6),
    ) {
        let request = with_fields(&fields);
        let message = Message::parse_only(&request[FrameHeader::LEN..]).unwrap();
        if let Ok(scope) = QueryScope::parse(&message) {
            prop_assert!(scope.partitions.iter().all(|&number| number < 4096));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        _ = read(&bytes);
    }

    #[test]
    fn changed_answers_are_read_or_refused(at in 0usize..300, to: u8, cut in 0usize..300) {
        let mut body = [record(&[7; 20], Some(&[3, b'k'])), record(&[8; 20], None)].concat();
        let at = at % body.len();
        body[at] = to;
        body.truncate(cut % (body.len() + 1));
        _ = read(&body);
    }
}
