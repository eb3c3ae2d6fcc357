//! Queries over secondary indexes give what a search through all records gives, whatever was written before; each record
//! once, also page by page. Background queries change each record once.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dev_server::{Config, DevServer};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use support::{Client, SET, bin, digest};
use wire_protocol::command::{WriteOp, WriteOptions};
use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::message::{
    FrameHeader, FrameType, Message, MessageHeader, field_type, info1, info2, info3, op, write_field,
    write_frame, write_op,
};
use wire_protocol::msgpack;
use wire_protocol::particle::{Particle, particle_type};

/// A value of a bin.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
    /// Longitude and latitude in tenths of a degree.
    Point(i32, i32),
    /// The middle of a circle, and its radius in kilometres.
    Circle(i32, i32, u32),
    List(Vec<Value>),
    Map(BTreeMap<i64, Value>),
}

impl Value {
    fn geojson(&self) -> String {
        match self {
            Self::Point(x, y) => {
                format!(
                    r#"{{"type":"Point","coordinates":[{},{}]}}"#,
                    f64::from(*x) / 10.0,
                    f64::from(*y) / 10.0
                )
            }
            Self::Circle(x, y, radius) => format!(
                r#"{{"type":"AeroCircle","coordinates":[[{},{}],{}]}}"#,
                f64::from(*x) / 10.0,
                f64::from(*y) / 10.0,
                radius * 1000
            ),
            _ => String::new(),
        }
    }

    fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(number) => msgpack::write_int(out, *number),
            Self::Text(text) => msgpack::write_str(out, text.as_bytes()),
            Self::Blob(bytes) => msgpack::write_blob(out, bytes),
            Self::Point(..) | Self::Circle(..) => msgpack::write_geojson(out, self.geojson().as_bytes()),
            Self::List(items) => {
                msgpack::write_list_header(out, items.len());
                items.iter().for_each(|item| item.pack(out));
            }
            Self::Map(pairs) => {
                msgpack::write_map_header(out, pairs.len());
                for (key, value) in pairs {
                    msgpack::write_int(out, *key);
                    value.pack(out);
                }
            }
        }
    }

    /// Particle type and bytes.
    fn particle(&self) -> (u8, Vec<u8>) {
        let packed = || {
            let mut out = Vec::new();
            self.pack(&mut out);
            out
        };
        match self {
            Self::Int(number) => (particle_type::INTEGER, number.to_be_bytes().to_vec()),
            Self::Text(text) => (particle_type::STRING, text.clone().into_bytes()),
            Self::Blob(bytes) => (particle_type::BLOB, bytes.clone()),
            Self::Point(..) | Self::Circle(..) => {
                (particle_type::GEOJSON, [&[0; 3], self.geojson().as_bytes()].concat())
            }
            Self::List(_) => (particle_type::LIST, packed()),
            Self::Map(_) => (particle_type::MAP, packed()),
        }
    }
}

type Record = BTreeMap<String, Value>;

const BINS: [&str; 3] = ["a", "b", "c"];
const KINDS: [&str; 4] = ["numeric", "string", "blob", "geo2dsphere"];
const ELEMENTS: [&str; 4] = ["default", "list", "mapkeys", "mapvalues"];

/// What an index is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Definition {
    bin: usize,
    kind: usize,
    elements: usize,
    /// Whether it is about the first element of the bin, a list.
    has_context: bool,
    /// Whether it is about the expression that reads the bin.
    is_expression: bool,
    has_set: bool,
}

const CONTEXT: &[u8] = b"\x92\x10\x00";

impl Definition {
    /// The expression that reads the bin.
    fn expression(&self) -> Vec<u8> {
        const BIN: i64 = 81;
        let code = match self.elements {
            1 => 4,
            2 | 3 => 5,
            _ => [2, 3, 6, 8][self.kind],
        };
        let mut out = Vec::new();
        msgpack::write_list_header(&mut out, 3);
        msgpack::write_int(&mut out, BIN);
        msgpack::write_int(&mut out, code);
        msgpack::write_name(&mut out, BINS[self.bin].as_bytes());
        out
    }

    fn create(&self, name: &str) -> String {
        let set = if self.has_set { ";set=set" } else { "" };
        let about = if self.is_expression {
            format!("exp={}", STANDARD.encode(self.expression()))
        } else if self.has_context {
            format!("bin={};context={}", BINS[self.bin], STANDARD.encode(CONTEXT))
        } else {
            format!("bin={}", BINS[self.bin])
        };
        format!(
            "sindex-create:namespace=test{set};indexname={name};indextype={};type={};{about}",
            ELEMENTS[self.elements], KINDS[self.kind]
        )
    }

    /// The values of a record that the index is about.
    fn values<'r>(&self, record: &'r Record) -> Vec<&'r Value> {
        let Some(mut value) = record.get(BINS[self.bin]) else { return Vec::new() };
        if self.has_context {
            match value {
                Value::List(items) if !items.is_empty() => value = &items[0],
                Value::Map(_) | Value::List(_) => return Vec::new(),
                _ => return Vec::new(),
            }
        }
        match (self.elements, value) {
            (0, value) => vec![value],
            (1, Value::List(items)) => items.iter().collect(),
            (3, Value::Map(pairs)) => pairs.values().collect(),
            _ => Vec::new(),
        }
    }

    fn keys(&self, record: &Record) -> Vec<i64> {
        let inner = Self { elements: 0, ..self.clone() };
        match (self.elements, inner.values(record).first()) {
            (2, Some(Value::Map(pairs))) => pairs.keys().copied().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a record has a value that is looked for, found out the slow way.
    fn matches(&self, record: &Record, wanted: &Wanted) -> bool {
        self.keys(record).into_iter().any(|key| wanted.matches(&Value::Int(key)))
            || self.values(record).into_iter().any(|value| wanted.matches(value))
    }
}

/// What a query looks for.
#[derive(Clone, Debug)]
enum Wanted {
    Range(i64, i64),
    Text(String),
    Blob(Vec<u8>),
    /// Points in a circle, or circles that contain a point.
    Shape(Value),
}

impl Wanted {
    fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Range(first, last), Value::Int(number)) => first <= number && number <= last,
            (Self::Text(wanted), Value::Text(text)) => wanted == text,
            (Self::Blob(wanted), Value::Blob(bytes)) => wanted == bytes,
            (Self::Shape(Value::Circle(x, y, radius)), Value::Point(a, b))
            | (Self::Shape(Value::Point(a, b)), Value::Circle(x, y, radius)) => {
                let radians = |tenths: &i32| f64::from(*tenths).to_radians() / 10.0;
                let (x, y, a, b) = (radians(x), radians(y), radians(a), radians(b));
                // The haversine formula.
                let sine = |angle: f64| (angle / 2.0).sin().powi(2);
                let h = sine(y - b) + y.cos() * b.cos() * sine(x - a);
                2.0 * h.sqrt().asin() * 6_371_000.0 <= f64::from(*radius) * 1000.0
            }
            _ => false,
        }
    }

    fn range_field(&self, bin: &[u8]) -> Vec<u8> {
        let (kind, first, last) = match self {
            Self::Range(first, last) => (1, first.to_be_bytes().to_vec(), last.to_be_bytes().to_vec()),
            Self::Text(text) => (3, text.clone().into_bytes(), text.clone().into_bytes()),
            Self::Blob(bytes) => (4, bytes.clone(), bytes.clone()),
            Self::Shape(shape) => (23, shape.geojson().into_bytes(), shape.geojson().into_bytes()),
        };
        let mut out = vec![1, bin.len() as u8];
        out.extend_from_slice(bin);
        out.push(kind);
        for value in [first, last] {
            out.extend_from_slice(&(value.len() as u32).to_be_bytes());
            out.extend_from_slice(&value);
        }
        out
    }
}

/// A query over an index.
struct Query<'q> {
    definition: &'q Definition,
    /// The index name, if the query gives one.
    name: Option<&'q str>,
    wanted: &'q Wanted,
    has_set: bool,
    max_records: u64,
}

/// A record of an answer, and its value in the index.
type Hit = (Digest, i64);

impl Query<'_> {
    fn fields(&self) -> Vec<(u8, Vec<u8>)> {
        let definition = self.definition;
        let mut fields = vec![(field_type::NAMESPACE, b"test".to_vec())];
        if self.has_set {
            fields.push((field_type::SET, SET.to_vec()));
        }
        let names_bin = self.name.is_none() && !definition.is_expression;
        let bin = if names_bin { BINS[definition.bin].as_bytes() } else { &[] };
        fields.push((field_type::INDEX_TYPE, vec![definition.elements as u8]));
        fields.push((field_type::INDEX_RANGE, self.wanted.range_field(bin)));
        match self.name {
            Some(name) => fields.push((field_type::INDEX_NAME, name.as_bytes().to_vec())),
            None if definition.is_expression => {
                fields.push((field_type::INDEX_EXPRESSION, definition.expression()));
            }
            None if definition.has_context => fields.push((field_type::INDEX_CONTEXT, CONTEXT.to_vec())),
            None => {}
        }
        fields
    }

    /// The records of one request, which continues after those of earlier ones, and its code.
    async fn page(&self, client: &mut Client, last: &BTreeMap<usize, Hit>) -> (Vec<Hit>, u8) {
        let mut fields = self.fields();
        let new = (0..4096usize).filter(|partition| !last.contains_key(partition));
        let numbers: Vec<u8> = new.flat_map(|partition| (partition as u16).to_le_bytes()).collect();
        if !numbers.is_empty() {
            fields.push((field_type::PARTITION_IDS, numbers));
        }
        if !last.is_empty() {
            fields.push((field_type::DIGESTS, last.values().flat_map(|hit| hit.0).collect()));
            fields.push((
                field_type::INDEX_VALUES,
                last.values().flat_map(|hit| hit.1.to_le_bytes()).collect(),
            ));
        }
        if self.max_records != 0 {
            fields.push((field_type::MAX_RECORDS, self.max_records.to_be_bytes().to_vec()));
        }
        client.send(&message(info1::READ, 0, info3::PARTITION_DONE, &fields, &[])).await;
        let mut hits = Vec::new();
        loop {
            let frame = client.frame().await;
            let mut rest = &frame[FrameHeader::LEN..];
            while let Ok((message, tail)) = Message::parse(rest) {
                rest = tail;
                let header = message.header;
                if header.info3 & info3::LAST != 0 || !header.result_code.is_ok() {
                    return (hits, header.result_code.get());
                }
                let digest = message.field(field_type::DIGEST).unwrap().try_into().unwrap();
                let value = message.field(field_type::INDEX_VALUES).unwrap().try_into().unwrap();
                hits.push((digest, i64::from_le_bytes(value)));
            }
        }
    }

    async fn all(&self, client: &mut Client) -> (Vec<Hit>, u8) {
        self.page(client, &BTreeMap::new()).await
    }
}

fn message(info1: u8, info2: u8, info3: u8, fields: &[(u8, Vec<u8>)], ops: &[(u8, &str, Value)]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, FrameType::Message, |out| {
        MessageHeader {
            info1,
            info2,
            info3,
            n_fields: fields.len() as u16,
            n_ops: ops.len() as u16,
            ..MessageHeader::default()
        }
        .write(out);
        fields.iter().for_each(|(kind, data)| write_field(out, *kind, data));
        for (code, name, value) in ops {
            let (kind, bytes) = value.particle();
            write_op(out, *code, kind, name.as_bytes(), &bytes);
        }
    })
    .unwrap();
    out
}

/// A change of the records.
#[derive(Clone, Debug)]
enum Step {
    Put(u8, usize, Value),
    PutExpiring(u8, usize, Value),
    RemoveBin(u8, usize),
    Delete(u8),
    /// Adds to a bin; nothing happens if it is no integer.
    Increment(u8, usize, i64),
    /// Appends an integer to a list; nothing happens if the bin is none.
    Append(u8, usize, i64),
    Truncate,
    /// Lets records expire.
    Wait,
    Create(usize, Definition),
    Drop(usize),
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (-6i64..6).prop_map(Value::Int),
        1 => any::<i64>().prop_map(Value::Int),
        2 => "[xy]{0,2}".prop_map(Value::Text),
        1 => prop::collection::vec(0u8..3, 0..3).prop_map(Value::Blob),
        2 => (-1800i32..=1800, -900i32..=900).prop_map(|(x, y)| Value::Point(x, y)),
        2 => (-30i32..30, -30i32..30).prop_map(|(x, y)| Value::Point(x, y)),
        1 => (-30i32..30, -30i32..30, 1u32..900).prop_map(|(x, y, radius)| Value::Circle(x, y, radius)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let inner = prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(scalar(), 0..4).prop_map(Value::List),
        1 => prop::collection::btree_map(-6i64..6, scalar(), 0..4).prop_map(Value::Map),
    ];
    prop_oneof![
        3 => scalar(),
        2 => prop::collection::vec(inner, 0..6).prop_map(Value::List),
        2 => prop::collection::btree_map(-6i64..6, scalar(), 0..6).prop_map(Value::Map),
    ]
}

fn definition() -> impl Strategy<Value = Definition> {
    let sources = prop_oneof![3 => Just((false, false)), 1 => Just((true, false)), 1 => Just((false, true))];
    (0..BINS.len(), 0..KINDS.len(), 0..ELEMENTS.len(), sources, any::<bool>()).prop_map(
        |(bin, kind, elements, (has_context, is_expression), has_set)| Definition {
            bin,
            // Keys of maps are no GeoJSON.
            kind: if elements == 2 { kind % 3 } else { kind },
            elements,
            has_context,
            is_expression,
            has_set,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let (key, bin) = (0u8..24, 0..BINS.len());
    prop_oneof![
        12 => (key.clone(), bin.clone(), value()).prop_map(|(key, bin, value)| Step::Put(key, bin, value)),
        2 => (key.clone(), bin.clone(), value())
            .prop_map(|(key, bin, value)| Step::PutExpiring(key, bin, value)),
        2 => (key.clone(), bin.clone()).prop_map(|(key, bin)| Step::RemoveBin(key, bin)),
        2 => key.clone().prop_map(Step::Delete),
        3 => (key.clone(), bin.clone(), -3i64..3).prop_map(|(key, bin, by)| Step::Increment(key, bin, by)),
        3 => (key, bin, -6i64..6).prop_map(|(key, bin, value)| Step::Append(key, bin, value)),
        1 => Just(Step::Truncate),
        1 => Just(Step::Wait),
        6 => (0usize..8, definition()).prop_map(|(name, definition)| Step::Create(name, definition)),
        1 => (0usize..8).prop_map(Step::Drop),
    ]
}

fn wanted(kind: usize) -> BoxedStrategy<Wanted> {
    match kind {
        0 => prop_oneof![
            (-7i64..7, 0i64..6).prop_map(|(first, more)| Wanted::Range(first, first + more)),
            Just(Wanted::Range(i64::MIN, i64::MAX)),
        ]
        .boxed(),
        1 => "[xy]{0,2}".prop_map(Wanted::Text).boxed(),
        2 => prop::collection::vec(0u8..3, 0..3).prop_map(Wanted::Blob).boxed(),
        _ => prop_oneof![
            (-40i32..40, -40i32..40, 1u32..2000)
                .prop_map(|(x, y, radius)| Wanted::Shape(Value::Circle(x, y, radius))),
            (-40i32..40, -40i32..40).prop_map(|(x, y)| Wanted::Shape(Value::Point(x, y))),
        ]
        .boxed(),
    }
}

/// The records as they should be.
#[derive(Default)]
struct Model {
    records: BTreeMap<u8, (Record, bool)>,
    indexes: BTreeMap<usize, Definition>,
}

fn key(number: u8) -> String {
    format!("key-{number}")
}

impl Model {
    async fn apply(&mut self, step: &Step, server: &DevServer, client: &mut Client) {
        match step {
            Step::Put(number, bin, value) => self.put(client, *number, *bin, value, false).await,
            Step::PutExpiring(number, bin, value) => self.put(client, *number, *bin, value, true).await,
            Step::RemoveBin(number, at) => {
                client
                    .write(
                        &key(*number),
                        &[bin(op::WRITE, BINS[*at], Particle::Nil)],
                        &WriteOptions::default(),
                    )
                    .await;
                if let Some((record, expires)) = self.records.get_mut(number) {
                    record.remove(BINS[*at]);
                    *expires = false;
                    if record.is_empty() {
                        self.records.remove(number);
                    }
                }
            }
            Step::Delete(number) => {
                client.delete(&key(*number), &WriteOptions::default()).await;
                self.records.remove(number);
            }
            Step::Increment(number, at, by) => {
                let operation = bin(op::INCREMENT, BINS[*at], Particle::Int(*by));
                let answer = client.write(&key(*number), &[operation], &WriteOptions::default()).await;
                let known = self.records.get(number).and_then(|(record, _)| record.get(BINS[*at]));
                let new = match known {
                    None => Some(*by),
                    Some(Value::Int(old)) => Some(old.wrapping_add(*by)),
                    Some(_) => None,
                };
                assert_eq!(answer.code() == 0, new.is_some(), "{step:?} {known:?}");
                if let Some(new) = new {
                    self.set(*number, *at, Value::Int(new), false);
                }
            }
            Step::Append(number, at, value) => {
                let mut bytes = Vec::new();
                msgpack::write_list_header(&mut bytes, 2);
                // The command that appends.
                msgpack::write_int(&mut bytes, 1);
                msgpack::write_int(&mut bytes, *value);
                let fields = [
                    (field_type::NAMESPACE, b"test".to_vec()),
                    (field_type::SET, SET.to_vec()),
                    (field_type::DIGEST, digest(&key(*number)).to_vec()),
                ];
                let mut request = Vec::new();
                write_frame(&mut request, FrameType::Message, |out| {
                    MessageHeader { info2: info2::WRITE, n_fields: 3, n_ops: 1, ..MessageHeader::default() }
                        .write(out);
                    fields.iter().for_each(|(kind, data)| write_field(out, *kind, data));
                    write_op(out, op::CDT_MODIFY, particle_type::BLOB, BINS[*at].as_bytes(), &bytes);
                })
                .unwrap();
                client.send(&request).await;
                let answer = client.answer().await;
                let known = self.records.get(number).and_then(|(record, _)| record.get(BINS[*at]));
                let new = match known {
                    None => Some(vec![Value::Int(*value)]),
                    Some(Value::List(items)) => {
                        Some(items.iter().cloned().chain([Value::Int(*value)]).collect())
                    }
                    Some(_) => None,
                };
                assert_eq!(answer.code() == 0, new.is_some(), "{step:?} {known:?}");
                if let Some(new) = new {
                    self.set(*number, *at, Value::List(new), false);
                }
            }
            Step::Truncate => {
                client.info("truncate:namespace=test;set=set").await;
                self.records.clear();
            }
            Step::Wait => {
                server.advance_clock(Duration::from_secs(100));
                self.records.retain(|_, (_, expires)| !*expires);
            }
            Step::Create(name, definition) => {
                // The same definition under another name would rename the index.
                if self.indexes.values().all(|known| known != definition) && !self.indexes.contains_key(name)
                {
                    let command = definition.create(&format!("index{name}"));
                    assert_eq!(client.info(&command).await, "ok", "{command}");
                    self.indexes.insert(*name, definition.clone());
                }
            }
            Step::Drop(name) => {
                client.info(&format!("sindex-delete:namespace=test;indexname=index{name}")).await;
                self.indexes.remove(name);
            }
        }
    }

    async fn put(&mut self, client: &mut Client, number: u8, at: usize, value: &Value, expires: bool) {
        let (kind, bytes) = value.particle();
        let particle = match kind {
            particle_type::GEOJSON => Particle::GeoJson(&bytes[3..]),
            kind => Particle::parse(kind, &bytes).unwrap(),
        };
        let operation: WriteOp<'_> = bin(op::WRITE, BINS[at], particle);
        let options = WriteOptions { ttl: if expires { 50 } else { u32::MAX }, ..WriteOptions::default() };
        let answer = client.write(&key(number), &[operation], &options).await;
        assert_eq!(answer.code(), 0, "{value:?}");
        self.set(number, at, value.clone(), expires);
    }

    fn set(&mut self, number: u8, at: usize, value: Value, expires: bool) {
        let entry = self.records.entry(number).or_default();
        entry.0.insert(BINS[at].to_owned(), value);
        entry.1 = expires;
    }

    /// The digests of the records with a value that is looked for.
    fn expected(&self, definition: &Definition, wanted: &Wanted) -> BTreeSet<Digest> {
        let found = self.records.iter().filter(|(_, (record, _))| definition.matches(record, wanted));
        found.map(|(number, _)| digest(&key(*number))).collect()
    }
}

/// Whether a query may name a record again on a later page: like the server, one that has several values in the range.
fn may_repeat(definition: &Definition, wanted: &Wanted) -> bool {
    definition.elements != 0
        && match wanted {
            Wanted::Range(first, last) => first != last,
            Wanted::Shape(_) => true,
            Wanted::Text(_) | Wanted::Blob(_) => false,
        }
}

async fn check(model: &Model, client: &mut Client, name: usize, wanted: &Wanted, by_name: bool, page: u64) {
    let definition = &model.indexes[&name];
    let index = format!("index{name}");
    let mut query = Query {
        definition,
        name: by_name.then_some(&*index),
        wanted,
        has_set: definition.has_set || page.is_multiple_of(2),
        max_records: 0,
    };
    let expected = model.expected(definition, wanted);
    let (hits, code) = query.all(client).await;
    let context = || format!("{definition:?} {wanted:?} {:?}", model.records);
    assert_eq!(code, 0, "{}", context());
    let found: BTreeSet<_> = hits.iter().map(|hit| hit.0).collect();
    assert_eq!(found, expected, "{}", context());
    assert_eq!(hits.len(), found.len(), "a record is sent twice: {}", context());
    // The same, page by page.
    query.max_records = page;
    let (mut last, mut paged) = (BTreeMap::new(), Vec::new());
    loop {
        let (hits, code) = query.page(client, &last).await;
        assert_eq!(code, 0);
        assert!(hits.len() as u64 <= page);
        for hit in &hits {
            last.insert(partition_id(&hit.0), *hit);
        }
        paged.extend(hits.iter().map(|hit| hit.0));
        if (hits.len() as u64) < page {
            break;
        }
    }
    assert_eq!(paged.iter().copied().collect::<BTreeSet<_>>(), expected, "pages: {}", context());
    if !may_repeat(definition, wanted) {
        assert_eq!(paged.len(), expected.len(), "a record is sent on two pages: {}", context());
    }
}

#[test]
fn queries_find_what_a_search_through_all_records_finds() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 150, ..ProptestConfig::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let queries = prop::collection::vec(
        (any::<prop::sample::Index>(), [wanted(0), wanted(1), wanted(2), wanted(3)], any::<bool>(), 1u64..6),
        1..8,
    );
    let run = prop::collection::vec((prop::collection::vec(step(), 1..40), queries), 1..4);
    runner
        .run(&run, |rounds| {
            runtime.block_on(async {
                let server = DevServer::start(Config { sweep_period: 0, ..Config::default() }).await.unwrap();
                let mut client = Client::connect(server.addresses()[0]).await;
                let mut model = Model::default();
                for (steps, queries) in rounds {
                    for step in &steps {
                        model.apply(step, &server, &mut client).await;
                    }
                    if model.indexes.is_empty() {
                        continue;
                    }
                    for (at, wanted, by_name, page) in queries {
                        let names: Vec<_> = model.indexes.keys().copied().collect();
                        let name = *at.get(&names);
                        let wanted = &wanted[model.indexes[&name].kind];
                        check(&model, &mut client, name, wanted, by_name, page).await;
                    }
                }
                server.stop().await;
            });
            Ok(())
        })
        .unwrap();
}

fn numeric(bin: usize) -> Definition {
    Definition { bin, kind: 0, elements: 0, has_context: false, is_expression: false, has_set: true }
}

async fn start(records: u8) -> (DevServer, Client, Model) {
    let server = DevServer::start(Config::default()).await.unwrap();
    let mut client = Client::connect(server.addresses()[0]).await;
    let mut model = Model::default();
    for number in 0..records {
        model.put(&mut client, number, 0, &Value::Int(number.into()), false).await;
    }
    (server, client, model)
}

#[tokio::test]
async fn indexes_that_do_not_exist_are_refused() {
    let (server, mut client, _) = start(3).await;
    let (definition, wanted) = (numeric(0), Wanted::Range(0, 9));
    let query = Query { definition: &definition, name: None, wanted: &wanted, has_set: true, max_records: 0 };
    assert_eq!(query.all(&mut client).await, (Vec::new(), 201));
    assert_eq!(Query { name: Some("none"), ..query }.all(&mut client).await, (Vec::new(), 201));
    assert_eq!(client.info(&definition.create("i")).await, "ok");
    assert_eq!(query_count(&query_of(&definition, &wanted), &mut client).await, (3, 0));
    // Another type of values, and another kind of elements.
    let text = Wanted::Text("x".into());
    assert_eq!(query_count(&query_of(&definition, &text), &mut client).await, (0, 201));
    let list = Definition { elements: 1, ..definition.clone() };
    assert_eq!(query_count(&query_of(&list, &wanted), &mut client).await, (0, 201));
    // By name, the type of the values is not checked, and nothing is found.
    let by_name = Query { name: Some("i"), ..query_of(&definition, &text) };
    assert_eq!(query_count(&by_name, &mut client).await, (0, 0));
    // A range that is none.
    let reversed = Wanted::Range(9, 0);
    assert_eq!(query_count(&query_of(&definition, &reversed), &mut client).await, (0, 4));
    assert_eq!(client.info("sindex-delete:namespace=test;indexname=i").await, "ok");
    assert_eq!(query_count(&query_of(&definition, &wanted), &mut client).await, (0, 201));
    server.stop().await;
}

fn query_of<'q>(definition: &'q Definition, wanted: &'q Wanted) -> Query<'q> {
    Query { definition, name: None, wanted, has_set: true, max_records: 0 }
}

async fn query_count(query: &Query<'_>, client: &mut Client) -> (usize, u8) {
    let (hits, code) = query.all(client).await;
    (hits.len(), code)
}

#[tokio::test]
async fn statistics_count_entries() {
    let (server, mut client, mut model) = start(20).await;
    assert_eq!(client.info(&numeric(0).create("i")).await, "ok");
    let statistics = client.info("sindex-stat:namespace=test;indexname=i").await;
    assert!(
        statistics.starts_with(
            "entries=20;used_bytes=16777216;entries_per_bval=1;entries_per_rec=1;load_pct=100;load_time="
        ),
        "{statistics}"
    );
    assert!(statistics.ends_with(";stat_gc_recs=0"), "{statistics}");
    for number in 0..5 {
        model.apply(&Step::Delete(number), &server, &mut client).await;
    }
    assert!(
        client.info("sindex-stat:namespace=test;indexname=i").await.starts_with("entries=15;used_bytes=")
    );
    model.apply(&Step::Truncate, &server, &mut client).await;
    assert!(client.info("sindex-stat:namespace=test;indexname=i").await.starts_with("entries=0;used_bytes="));
    assert_eq!(
        client.info("sindex-list:namespace=test").await,
        "ns=test:indexname=i:set=set:bin=a:type=numeric:indextype=default:context=null:exp=null:state=RW"
    );
    server.stop().await;
}

/// Adds `by` to bin `a` of the records that are looked for, in the background.
async fn increment_all(client: &mut Client, id: u64, wanted: Option<&Wanted>, rate: u32) -> u8 {
    let mut fields = vec![
        (field_type::NAMESPACE, b"test".to_vec()),
        (field_type::SET, SET.to_vec()),
        (field_type::TASK_ID, id.to_be_bytes().to_vec()),
    ];
    if rate != 0 {
        fields.push((field_type::RECORDS_PER_SECOND, rate.to_be_bytes().to_vec()));
    }
    if let Some(wanted) = wanted {
        fields.push((field_type::INDEX_RANGE, wanted.range_field(b"a")));
    }
    let ops = [(op::INCREMENT, "a", Value::Int(1))];
    client.send(&message(0, info2::WRITE, 0, &fields, &ops)).await;
    client.answer().await.code()
}

/// The values of bin `a` of the first records.
async fn values(client: &mut Client, records: u8) -> Vec<String> {
    let mut values = Vec::new();
    for number in 0..records {
        values.push(client.get(&key(number)).await.text());
    }
    values
}

#[tokio::test]
async fn background_queries_change_each_record_once() {
    let (server, mut client, _) = start(100).await;
    assert_eq!(client.info(&numeric(0).create("i")).await, "ok");
    // Each write moves a record to a greater value of the range.
    assert_eq!(increment_all(&mut client, 1, Some(&Wanted::Range(10, 1000)), 0).await, 0);
    let expected: Vec<_> = (0..100).map(|n| format!("a={}", if n < 10 { n } else { n + 1 })).collect();
    assert_eq!(values(&mut client, 100).await, expected);
    assert_eq!(increment_all(&mut client, 2, None, 0).await, 0);
    let expected: Vec<_> = (0..100).map(|n| format!("a={}", if n < 10 { n + 1 } else { n + 2 })).collect();
    assert_eq!(values(&mut client, 100).await, expected);
    let info = client.info("query-show:id=1").await;
    assert!(info.contains(":set=set:sindex-name=i:rps=10000:active-threads=0:status=done(ok):"), "{info}");
    assert!(info.contains(":recs-succeeded=90:recs-failed=0:"), "{info}");
    // The same identifier again, an unknown set, no operations.
    assert_eq!(increment_all(&mut client, 2, None, 0).await, 4);
    let fields = [(field_type::NAMESPACE, b"test".to_vec()), (field_type::SET, b"none".to_vec())];
    client.send(&message(0, info2::WRITE, 0, &fields, &[(op::WRITE, "a", Value::Int(1))])).await;
    assert_eq!(client.answer().await.code(), 2);
    client.send(&message(0, info2::WRITE, 0, &fields[..1], &[])).await;
    assert_eq!(client.answer().await.code(), 4);
    assert_eq!(increment_all(&mut client, 3, Some(&Wanted::Text("x".into())), 0).await, 201);
    server.stop().await;
}

#[tokio::test]
async fn background_queries_are_aborted() {
    let (server, mut client, _) = start(100).await;
    assert_eq!(increment_all(&mut client, 1, None, 100).await, 0);
    assert!(client.info("query-show:id=1").await.contains("status=active(ok)"));
    assert_eq!(client.info("query-abort:id=1").await, "ok");
    let deadline = std::time::Instant::now() + support::PATIENCE;
    while !client.info("query-show:id=1").await.contains("status=done(user-aborted)") {
        assert!(std::time::Instant::now() < deadline, "the query ends");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(client.info("query-abort:id=1").await, "ERROR:2:id not active");
    server.stop().await;
}

/// A node that dies while a background query runs: another one goes on with its partitions, and no record is changed
/// twice.
#[tokio::test]
async fn background_queries_survive_nodes() {
    const RECORDS: u8 = 200;
    let server = DevServer::start(Config { nodes: 3, ..Config::default() }).await.unwrap();
    let mut clients = Vec::new();
    for address in server.addresses() {
        clients.push(Client::connect(address).await);
    }
    let mut model = Model::default();
    for number in 0..RECORDS {
        model.put(&mut clients[0], number, 0, &Value::Int(0), false).await;
    }
    for client in &mut clients {
        assert_eq!(increment_all(client, 5, None, 200).await, 0);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.kill(1).await.unwrap();
    server.restart(1).await.unwrap();
    let mut again = Client::connect(server.addresses()[1]).await;
    assert!(again.info("query-show:id=5").await.starts_with("ERROR:2:"));
    // The client finds that the query is gone, and starts it again on this node.
    assert_eq!(increment_all(&mut again, 5, None, 0).await, 0);
    clients[1] = again;
    let deadline = std::time::Instant::now() + support::PATIENCE;
    for client in &mut clients {
        while !client.info("query-show:id=5").await.contains("status=done(ok)") {
            assert!(std::time::Instant::now() < deadline, "the query ends");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let expected = vec!["a=1".to_owned(); RECORDS.into()];
    assert_eq!(values(&mut clients[0], RECORDS).await, expected);
    server.stop().await;
}
