//! Predicates, background queries and info commands about indexes equal those of the official client byte for byte.

mod support;

use std::io::Read as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value as Json;
use support::{captures, from_hex, to_hex};
use wire_protocol::WireError;
use wire_protocol::batch::EncodedOps;
use wire_protocol::command::{Exists, Projection, WriteOptions};
use wire_protocol::info::{self, IndexSource};
use wire_protocol::message::{
    FrameHeader, FrameType, Message, MessageHeader, field_type, info1, info2, info3, write_field, write_frame,
};
use wire_protocol::query::{
    BackgroundQuery, IndexedValues, Predicate, PredicateIndex, QueryDuration, QueryRequest, QueryScope,
    ValueRange, write_background_query, write_query,
};

/// The fields of user-defined functions, which this crate does not write.
const UDF: std::ops::RangeInclusive<u8> = 30..=33;

fn number<const N: usize>(message: &Message<'_>, kind: u8) -> Option<[u8; N]> {
    message.field(kind).map(|data| data.try_into().unwrap())
}

/// A recorded query, read and written again; `None` for other requests.
fn rewritten(recorded: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse_only(&recorded[FrameHeader::LEN..]).ok()?;
    let header = message.header;
    let task_id = number(&message, field_type::TASK_ID).map(u64::from_be_bytes)?;
    if message.fields().any(|field| UDF.contains(&field.kind)) {
        return None;
    }
    let predicate = Predicate::parse(&message).unwrap();
    let scope = QueryScope::parse(&message).unwrap();
    let namespace = message.field(field_type::NAMESPACE).unwrap();
    let set = message.field(field_type::SET).unwrap_or_default();
    let filter = message.field(field_type::FILTER).unwrap_or_default();
    let socket_timeout_ms = number(&message, field_type::SOCKET_TIMEOUT).map(u32::from_be_bytes).unwrap();
    let operations = EncodedOps { count: header.n_ops.into(), bytes: message.ops_bytes() };
    let mut out = Vec::new();
    if header.info2 & info2::WRITE != 0 {
        let options = WriteOptions {
            timeout_ms: header.extra,
            ttl: header.ttl,
            exists: if header.info3 & info3::REPLACE_ONLY != 0 { Exists::Replace } else { Exists::Ignore },
            durable_delete: header.info2 & info2::DURABLE_DELETE != 0,
            filter,
            ..WriteOptions::default()
        };
        let query = BackgroundQuery {
            namespace,
            set,
            predicate: predicate.as_ref(),
            operations,
            function: None,
            options,
            records_per_second: scope.records_per_second,
            socket_timeout_ms,
            task_id,
        };
        write_background_query(&mut out, &query).unwrap();
        return Some(out);
    }
    let duration = match (header.info1 & info1::SHORT_QUERY, header.info2 & info2::RELAX_AP_LONG_QUERY) {
        (0, 0) => QueryDuration::Long,
        (0, _) => QueryDuration::LongRelaxAp,
        _ => QueryDuration::Short,
    };
    let has_operations = header.info2 & info2::RESPOND_ALL_OPS != 0;
    let bins: Vec<&[u8]> = message.ops().map(|op| op.name).collect();
    let query = QueryRequest {
        namespace,
        set,
        projection: match (header.info1 & info1::NO_BINS, &bins[..]) {
            (0, []) => Projection::All,
            (0, bins) => Projection::Bins(bins),
            _ => Projection::Header,
        },
        every_record: false,
        operations: has_operations.then_some(operations),
        predicate: predicate.as_ref(),
        index_values: &scope.index_values,
        partitions: &scope.partitions,
        after: &scope.after,
        max_records: scope.max_records,
        records_per_second: scope.records_per_second,
        socket_timeout_ms,
        task_id,
        duration,
        info1: 0,
        info3: 0,
        ttl: header.ttl,
        filter,
    };
    write_query(&mut out, &query).unwrap();
    Some(out)
}

fn lines(path: &Path) -> Vec<Json> {
    let mut bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let packed = std::mem::take(&mut bytes);
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    }
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn all_recorded_queries_are_written_as_they_were() {
    let (mut queries, mut predicates, mut background) = (0, 0, 0);
    for folder in ["official", "native", "suite"] {
        for file in std::fs::read_dir(captures().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                continue;
            }
            // Another client asks for operations without asking for an answer to each.
            if folder == "native" && path.to_string_lossy().contains("query-read-ops") {
                continue;
            }
            for line in lines(&path) {
                if line["dir"] != "request" || line["type"] != "message" {
                    continue;
                }
                let mut recorded = from_hex(line["hex"].as_str().unwrap());
                let Some(written) = rewritten(&recorded) else { continue };
                // A query that reads has no timeout for the server here: the client ends it.
                let is_read = recorded[FrameHeader::LEN + 1] & info1::READ != 0;
                if is_read {
                    recorded[FrameHeader::LEN + 14..FrameHeader::LEN + 18].fill(0);
                }
                assert_eq!(to_hex(&written), to_hex(&recorded), "{}", path.display());
                let message = Message::parse_only(&recorded[FrameHeader::LEN..]).unwrap();
                queries += 1;
                predicates += usize::from(message.field(field_type::INDEX_RANGE).is_some());
                background += usize::from(message.header.info2 & info2::WRITE != 0);
            }
        }
    }
    assert!(queries >= 170 && predicates >= 40 && background >= 6, "{queries} {predicates} {background}");
}

fn predicate(index: PredicateIndex, values: IndexedValues, range: ValueRange) -> Predicate {
    Predicate { index, values, range }
}

fn bin(bin: &str) -> PredicateIndex {
    PredicateIndex::Bin { bin: bin.as_bytes().into(), context: [].into() }
}

fn in_first(bin: &str) -> PredicateIndex {
    PredicateIndex::Bin { bin: bin.as_bytes().into(), context: [0x92, 0x10, 0].into() }
}

/// The predicate of a call of `official_queries.py`.
fn predicate_of(call: &str) -> Option<Predicate> {
    use IndexedValues::{List, MapKeys, MapValues, Whole};
    use ValueRange::{Blob, GeoJson, Integers, Text};
    let name = |name: &str| PredicateIndex::Name(name.as_bytes().into());
    let expression = || PredicateIndex::Expression([0x93, 0x51, 2, 0xa1, b'n'].into());
    let circle = || GeoJson((*br#"{"type": "AeroCircle", "coordinates": [[1.0, 2.0], 3.0]}"#).into());
    let point = || GeoJson((*br#"{"type": "Point", "coordinates": [1.0, 2.0]}"#).into());
    let (index, values, range) = match call {
        "equals-int" | "background-predicate" | "background-filter" => (bin("n"), Whole, Integers(1, 1)),
        "equals-negative" => (bin("n"), Whole, Integers(-1, -1)),
        "equals-str" => (bin("s"), Whole, Text((*b"s1").into())),
        "equals-empty" => (bin("s"), Whole, Text([].into())),
        "equals-bytes" => (bin("b"), Whole, Blob([1, 2].into())),
        "between" => (bin("n"), Whole, Integers(-1, 3)),
        "contains-list" => (bin("l"), List, Integers(1, 1)),
        "contains-map-keys" => (bin("m"), MapKeys, Text((*b"k1").into())),
        "contains-map-values" => (bin("m"), MapValues, Integers(1, 1)),
        "range-map-values" => (bin("m"), MapValues, Integers(1, 3)),
        "geo-region" | "geo-radius" => (bin("g"), Whole, circle()),
        "geo-geojson-point" | "geo-point" => (bin("g"), Whole, point()),
        "geo-region-list" => (bin("g"), List, circle()),
        "context" => (in_first("l"), Whole, Integers(1, 1)),
        "context-list" | "background-context" => (in_first("ll"), List, Integers(1, 1)),
        "index-name" => (name("oq_n"), Whole, Integers(1, 1)),
        "index-name-list" => (name("oq_l"), List, Integers(1, 1)),
        "expression" => (expression(), Whole, Integers(1, 1)),
        "expression-between" => (expression(), Whole, Integers(1, 2)),
        "limited" => (bin("n"), Whole, Integers(0, 9)),
        _ => return None,
    };
    Some(predicate(index, values, range))
}

/// The info commands of a call of `official_queries.py`.
fn commands_of(call: &str) -> Vec<String> {
    if let Some(short) = call.strip_prefix("remove-") {
        return vec![info::remove_index("test", &format!("oq_{short}"))];
    }
    if call == "job" {
        return vec![info::show_query(12_345)];
    }
    let on = |bin, context, values, data_type| IndexSource::Bin { bin, context, values, data_type };
    let (short, source) = match call {
        "create-numeric" => ("n", on("n", "", "", "NUMERIC")),
        "create-string" => ("s", on("s", "", "", "STRING")),
        "create-blob" => ("b", on("b", "", "", "BLOB")),
        "create-geo" => ("g", on("g", "", "", "GEO2DSPHERE")),
        "create-context" => ("lc", on("l", "khAA", "", "NUMERIC")),
        "create-list" => ("l", on("l", "", "LIST", "NUMERIC")),
        "create-list-context" => ("ll", on("ll", "khAA", "LIST", "NUMERIC")),
        "create-map-keys" => ("mk", on("m", "", "MAPKEYS", "STRING")),
        "create-map-values" => ("mv", on("m", "", "MAPVALUES", "NUMERIC")),
        "create-expression" => {
            ("e", IndexSource::Expression { expression: "k1ECoW4=", values: "", data_type: "NUMERIC" })
        }
        "create-expression-list" => {
            ("el", IndexSource::Expression { expression: "k1EEoWw=", values: "LIST", data_type: "NUMERIC" })
        }
        "create-set" => ("set", IndexSource::Set),
        other => panic!("{other} is not in the table"),
    };
    let name = format!("oq_{short}");
    vec![info::create_index("test", "official_queries", &name, &source), info::index_stat("test", &name)]
}

#[test]
fn calls_of_the_official_client_are_written_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/official_queries.jsonl");
    let lines = lines(&path);
    assert!(lines.len() >= 56, "{}", lines.len());
    for line in lines {
        let call = line["call"].as_str().unwrap();
        let frames = line["frames"].as_array().unwrap();
        assert!(!frames.is_empty(), "{call}");
        let Some(recorded) = frames[0]["message"].as_str() else {
            let commands: Vec<_> = frames.iter().map(|frame| frame["info"].as_str().unwrap()).collect();
            assert_eq!(commands_of(call), commands, "{call}");
            continue;
        };
        let bytes = from_hex(recorded);
        let message = Message::parse_only(&bytes[FrameHeader::LEN..]).unwrap();
        assert_eq!(Predicate::parse(&message).unwrap(), predicate_of(call), "{call}");
        assert_eq!(to_hex(&rewritten(&bytes).unwrap()), recorded, "{call}");
    }
}

/// What another client sends to create indexes is the same text, too.
#[test]
fn recorded_commands_are_written_as_they_were() {
    let mut equal = 0;
    for folder in ["official", "native", "suite"] {
        for file in std::fs::read_dir(captures().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                continue;
            }
            for line in lines(&path) {
                if line["dir"] != "request" || line["type"] != "info" {
                    continue;
                }
                let bytes = from_hex(line["hex"].as_str().unwrap());
                let text = std::str::from_utf8(&bytes[FrameHeader::LEN..]).unwrap().trim_end();
                let Some((command, arguments)) = text.split_once(':') else { continue };
                let get = |key: &str| {
                    let value = arguments.split(';').filter_map(|pair| pair.split_once('='));
                    value.clone().find(|(name, _)| *name == key).map(|(_, value)| value).unwrap_or_default()
                };
                // Parameters of a raw info command of a test, and of another client.
                if get("namespace").is_empty() && get("id").is_empty()
                    || command == "sindex-delete" && !get("set").is_empty()
                {
                    continue;
                }
                let written = match command {
                    "sindex-create" => {
                        let source = IndexSource::Bin {
                            bin: get("bin"),
                            context: get("context"),
                            values: get("indextype"),
                            data_type: get("type"),
                        };
                        info::create_index(get("namespace"), get("set"), get("indexname"), &source)
                    }
                    "sindex-delete" => info::remove_index(get("namespace"), get("indexname")),
                    "sindex-stat" => info::index_stat(get("namespace"), get("indexname")),
                    "query-show" => info::show_query(get("id").parse().unwrap()),
                    _ => continue,
                };
                assert_eq!(written, text, "{}", path.display());
                equal += 1;
            }
        }
    }
    assert!(equal >= 500, "{equal}");
}

#[test]
fn recorded_answers_about_indexes_and_jobs_are_read() {
    let (mut stats, mut jobs, mut indexes) = (0, 0, 0);
    for folder in ["official", "suite"] {
        for file in std::fs::read_dir(captures().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                continue;
            }
            for line in lines(&path) {
                if line["dir"] != "response" || line["type"] != "info" {
                    continue;
                }
                let bytes = from_hex(line["hex"].as_str().unwrap());
                for (command, answer) in info::answers(&bytes[FrameHeader::LEN..]).unwrap() {
                    if info::error_of(answer).is_some() {
                        continue;
                    }
                    if command.starts_with("sindex-stat:") {
                        assert!(info::parse_load_percent(answer).unwrap() <= 100);
                        stats += 1;
                    } else if command.starts_with("query-show:") {
                        let job = info::JobStatus::parse(answer).unwrap();
                        assert_eq!(job.progress >= 100.0, !job.is_active, "{answer}");
                        jobs += 1;
                    } else if command.starts_with("sindex-list:") {
                        indexes += info::parse_indexes(answer).unwrap().len();
                    }
                }
            }
        }
    }
    assert!(stats >= 100 && jobs >= 70 && indexes >= 3, "{stats} {jobs} {indexes}");
}

fn request<'a>(predicate: Option<&'a Predicate>) -> QueryRequest<'a> {
    QueryRequest {
        namespace: b"test",
        set: b"",
        projection: Projection::All,
        every_record: false,
        operations: None,
        predicate,
        index_values: &[],
        partitions: &[7],
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
    }
}

#[test]
fn wrong_predicates_are_not_written() {
    let integers = || ValueRange::Integers(1, 2);
    let whole = IndexedValues::Whole;
    let long = "x".repeat(16);
    let wrong = [
        predicate(bin(""), whole, integers()),
        predicate(bin(&long), whole, integers()),
        predicate(PredicateIndex::Name([].into()), whole, integers()),
        predicate(PredicateIndex::Name([b'x'; 64].into()), whole, integers()),
        predicate(PredicateIndex::Expression([].into()), whole, integers()),
        predicate(bin("n"), whole, ValueRange::Integers(2, 1)),
        predicate(bin("n"), whole, ValueRange::Text(vec![b'x'; 2048].into())),
        predicate(bin("n"), whole, ValueRange::Blob(vec![b'x'; 2048].into())),
        predicate(bin("n"), whole, ValueRange::GeoJson([].into())),
        predicate(bin("n"), whole, ValueRange::GeoJson(vec![b'x'; 1 << 20].into())),
    ];
    let mut out = vec![1];
    for predicate in &wrong {
        assert!(write_query(&mut out, &request(Some(predicate))).is_err(), "{predicate:?}");
    }
    let good = predicate(bin("n"), whole, integers());
    let after = QueryRequest { partitions: &[], after: &[[7; 20]], ..request(Some(&good)) };
    assert!(write_query(&mut out, &after).is_err(), "a digest without its index value");
    let background = BackgroundQuery {
        namespace: b"test",
        set: b"",
        predicate: None,
        operations: EncodedOps::default(),
        function: None,
        options: WriteOptions::default(),
        records_per_second: 0,
        socket_timeout_ms: 0,
        task_id: 1,
    };
    assert!(write_background_query(&mut out, &background).is_err(), "no operations");
    assert_eq!(out, [1]);
}

/// As the server compares index values: signed, apart from cells.
#[test]
fn index_values_have_an_order() {
    let of = |range| predicate(bin("n"), IndexedValues::List, range);
    let integers = of(ValueRange::Integers(1, 2));
    assert!(integers.order_of(-1) < integers.order_of(0));
    assert!(integers.order_of(i64::MIN) < integers.order_of(i64::MAX));
    let cells = of(ValueRange::GeoJson([b'x'].into()));
    assert!(cells.order_of(-1) > cells.order_of(0));
    assert!(integers.may_repeat_records() && cells.may_repeat_records());
    assert!(!of(ValueRange::Integers(1, 1)).may_repeat_records());
    assert!(!of(ValueRange::Text([].into())).may_repeat_records());
    let whole = predicate(bin("n"), IndexedValues::Whole, ValueRange::Integers(1, 2));
    assert!(!whole.may_repeat_records());
}

fn any_predicate() -> impl Strategy<Value = Predicate> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 1..most).prop_map(Box::<[u8]>::from);
    let maybe = prop::collection::vec(any::<u8>(), 0..8).prop_map(Box::<[u8]>::from);
    let index = prop_oneof![
        (bytes(16), maybe.clone()).prop_map(|(bin, context)| PredicateIndex::Bin { bin, context }),
        bytes(64).prop_map(PredicateIndex::Name),
        bytes(40).prop_map(PredicateIndex::Expression),
    ];
    let range = prop_oneof![
        (any::<i64>(), any::<i64>()).prop_map(|(a, b)| ValueRange::Integers(a.min(b), a.max(b))),
        maybe.clone().prop_map(ValueRange::Text),
        maybe.prop_map(ValueRange::Blob),
        bytes(40).prop_map(ValueRange::GeoJson),
    ];
    let values = prop::sample::select(&IndexedValues::ALL[..]);
    (index, values, range).prop_map(|(index, values, range)| predicate(index, values, range))
}

proptest! {
    #[test]
    fn a_predicate_comes_back(
        predicate in any_predicate(), after: [u8; 20], value: i64, name in "[a-z]{0,3}",
    ) {
        let mut out = Vec::new();
        let query = QueryRequest {
            set: name.as_bytes(), partitions: &[], after: &[after], index_values: &[value], ..request(Some(&predicate))
        };
        write_query(&mut out, &query).unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        prop_assert_eq!(Predicate::parse(&message).unwrap(), Some(predicate));
        let scope = QueryScope::parse(&message).unwrap();
        prop_assert_eq!((scope.after, scope.index_values), (vec![after], vec![value]));
        prop_assert_eq!(rewritten(&out).unwrap(), out);
    }

    #[test]
    fn any_predicate_is_read_or_refused(
        fields in prop::collection::vec((20u8..28, prop::collection::vec(any::<u8>(), 0..40)), 0..4),
        range in prop::collection::vec(any::<u8>(), 0..40),
        names_type in 0u8..30,
    ) {
        let mut range = range;
        if let [first, second, ..] = &mut range[..] {
            (*first, *second) = (1, *second % 4);
        }
        if let Some(kind) = range.get_mut(2) {
            *kind = names_type;
        }
        let mut out = Vec::new();
        write_frame(&mut out, FrameType::Message, |out| {
            let n_fields = fields.len() as u16 + 1;
            MessageHeader { info1: info1::READ, n_fields, ..MessageHeader::default() }.write(out);
            write_field(out, field_type::INDEX_RANGE, &range);
            fields.iter().for_each(|(kind, data)| write_field(out, *kind, data));
        }).unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        if let Ok(Some(predicate)) = Predicate::parse(&message) {
            prop_assert_eq!(predicate.check(), Ok::<(), WireError>(()));
        }
    }

    #[test]
    fn any_answer_is_read_or_refused(text in "\\PC{0,80}", fields in "[a-z=:;.0-9-]{0,80}") {
        for text in [&text, &fields] {
            _ = info::parse_indexes(text);
            _ = info::parse_load_percent(text);
            _ = info::JobStatus::parse(text);
        }
    }
}
