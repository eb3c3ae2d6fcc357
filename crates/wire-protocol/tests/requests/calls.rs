//! The recorded calls as calls of this crate's writers.

use wire_protocol::batch::{BatchReadHeader, BatchRow, batch_flags, write_batch_read};
use wire_protocol::command::Projection;
use wire_protocol::command::{
    Exists, Generation, ReadOptions, RecordKey, WriteOp, WriteOptions, write_delete, write_read, write_write,
};
use wire_protocol::digest::{Digest, UserKey};
use wire_protocol::message::{info1, op};
use wire_protocol::particle::Particle;

use crate::support::Scenario;
use crate::support::value::Value;

/// A key of a call: namespace, set, user's key.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    namespace: &'static str,
    set: &'static str,
    key: UserKey<'static>,
}

impl Key {
    fn digest(&self) -> Digest {
        self.key.digest(self.set.as_bytes())
    }
}

/// A call of one of the writers.
pub(crate) enum Call {
    Read(Key, bool, Option<Vec<&'static str>>, ReadOptions<'static>),
    Write(Key, bool, Vec<(u8, &'static str, Value)>, WriteOptions<'static>),
    Delete(Key, WriteOptions<'static>),
    Batch(Vec<Key>, Option<Vec<&'static str>>, BatchReadHeader<'static>),
}

const HEADER_ONLY: Option<Vec<&'static str>> = Some(Vec::new());

fn projection<'a>(bins: Option<&'a [&'a [u8]]>) -> Projection<'a> {
    match bins {
        None => Projection::All,
        Some([]) => Projection::Header,
        Some(bins) => Projection::Bins(bins),
    }
}

impl Call {
    /// The request. Filter expressions are taken from the recording, since this crate does not compile them.
    pub(crate) fn write(&self, filter: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let bytes = |names: &Option<Vec<&'static str>>| {
            names.as_ref().map(|names| names.iter().map(|name| name.as_bytes()).collect::<Vec<_>>())
        };
        let with_digest = |key: &Key, send: bool, then: &mut dyn FnMut(&RecordKey<'_>)| {
            then(&RecordKey {
                namespace: key.namespace.as_bytes(),
                set: key.set.as_bytes(),
                digest: &key.digest(),
                send_key: send.then_some(key.key),
                transaction: None,
            });
        };
        match self {
            Self::Read(key, send, bins, options) => with_digest(key, *send, &mut |key| {
                let bins = bytes(bins);
                let options = ReadOptions { filter, ..*options };
                write_read(&mut out, key, projection(bins.as_deref()), &options).unwrap();
            }),
            Self::Write(key, send, ops, options) => with_digest(key, *send, &mut |key| {
                let options = WriteOptions { filter, ..*options };
                // A packed list must outlive the iterator that borrows it.
                let mut packed: Vec<(u8, Vec<u8>)> = Vec::new();
                for (_, _, value) in ops {
                    value.with_particle(|particle| {
                        let mut bytes = Vec::new();
                        particle.write(&mut bytes);
                        packed.push((particle.particle_type(), bytes));
                    });
                }
                let ops = ops.iter().zip(&packed).map(|((code, name, _), (kind, bytes))| WriteOp {
                    code: *code,
                    name: name.as_bytes(),
                    value: Particle::parse(*kind, bytes).unwrap(),
                });
                write_write(&mut out, key, ops, &options).unwrap();
            }),
            Self::Delete(key, options) => with_digest(key, false, &mut |key| {
                write_delete(&mut out, key, &WriteOptions { filter, ..*options }).unwrap();
            }),
            Self::Batch(keys, bins, header) => {
                let bins = bytes(bins);
                let header = BatchReadHeader { projection: projection(bins.as_deref()), filter, ..*header };
                let digests: Vec<_> = keys.iter().map(Key::digest).collect();
                let rows = keys.iter().zip(&digests).enumerate().map(|(index, (key, digest))| BatchRow {
                    index: index as u32,
                    digest,
                    namespace: key.namespace.as_bytes(),
                    set: key.set.as_bytes(),
                });
                write_batch_read(&mut out, &header, rows).unwrap();
            }
        }
        out
    }
}

/// How the written requests compare with the recorded ones.
pub(crate) enum Same {
    Bytes,
    /// Equal in meaning only, with the reason.
    Meaning(&'static str),
}

/// The recorded call as calls of this crate.
pub(crate) fn calls(folder: &str, set: &'static str, scenario: &Scenario) -> Option<(Vec<Call>, Same)> {
    let name = scenario.name.as_str();
    let calls = if name.starts_with("batch-") {
        return batch_calls(folder, name);
    } else if name.starts_with("put-get-") {
        let bins = bins_of(name)?;
        let key = Key { namespace: "test", set, key: UserKey::Str(stored_key(name)) };
        vec![put(key, bins), get(key)]
    } else if name.starts_with("put-") {
        put_calls(folder, set, name)?
    } else {
        record_calls(folder, set, name)?
    };
    let same = match (folder, name) {
        ("native", "put-get-map") => Same::Meaning("pairs of an unordered map in another order"),
        ("native", "put-no-set") => Same::Meaning("no set field, where we and the official client send none"),
        ("native", "get-empty-bin-list") => Same::Meaning("a read of no bin beside the header"),
        _ => Same::Bytes,
    };
    Some((calls, same))
}

/// The key of a `put-get-` scenario: its name without `get-`.
fn stored_key(name: &str) -> &'static [u8] {
    name.replacen("put-get-", "put-", 1).into_bytes().leak()
}

const TIMEOUT: u32 = 1000;
const READ: ReadOptions<'static> =
    ReadOptions { timeout_ms: TIMEOUT, info1: 0, info3: 0, read_touch_ttl_percent: 0, filter: &[] };
const WRITE: WriteOptions<'static> = WriteOptions {
    timeout_ms: TIMEOUT,
    ttl: 0,
    exists: Exists::Ignore,
    generation: Generation::Ignore,
    commit_master: false,
    durable_delete: false,
    on_locking_only: false,
    filter: &[],
};

type Bins = Vec<(&'static str, Value)>;

fn get(key: Key) -> Call {
    Call::Read(key, false, None, READ)
}

fn exists(key: Key) -> Call {
    Call::Read(key, false, HEADER_ONLY, READ)
}

fn put(key: Key, bins: Bins) -> Call {
    put_with(key, bins, WRITE)
}

fn put_with(key: Key, bins: Bins, options: WriteOptions<'static>) -> Call {
    let ops = bins.into_iter().map(|(name, value)| (op::WRITE, name, value)).collect();
    Call::Write(key, false, ops, options)
}

fn one(code: u8, key: Key, name: &'static str, value: impl Into<Value>) -> Call {
    Call::Write(key, false, vec![(code, name, value.into())], WRITE)
}

fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    Value::List(values.into_iter().map(Into::into).collect())
}

/// The bins of the `put-get-` scenarios, which both clients wrote.
#[allow(clippy::approx_constant, reason = "the recorded call wrote these digits")]
fn bins_of(name: &str) -> Option<Bins> {
    const POINT: &str = r#"{"type": "Point", "coordinates": [-122.0, 37.5]}"#;
    const SMALL_POINT: &str = r#"{"type": "Point", "coordinates": [1, 2]}"#;
    const REGION: &str = r#"{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}"#;
    let geojson = |text: &str| Value::GeoJson(text.into());
    let pair = |key: &str, value: Value| (Value::from(key), value);
    Some(match name.strip_prefix("put-get-")? {
        "int" => vec![("i", 42.into())],
        "int-negative" => vec![("i", (-7).into()), ("m1", (-1).into())],
        "int-big" => vec![
            ("max", i64::MAX.into()),
            ("min", i64::MIN.into()),
            ("u32", (1 << 32).into()),
            ("zero", 0.into()),
        ],
        "float" => vec![
            ("f", 3.14159.into()),
            ("neg", (-2.5e-300).into()),
            ("zero", 0.0.into()),
            ("nzero", (-0.0).into()),
        ],
        "float-special" => {
            vec![("nan", f64::NAN.into()), ("inf", f64::INFINITY.into()), ("ninf", f64::NEG_INFINITY.into())]
        }
        "bool" => vec![("t", true.into()), ("f", false.into())],
        "str-ascii" => vec![("s", "hello".into())],
        "str-utf8" => vec![("s", "grüße 日本 😀".into())],
        "str-empty" => vec![("s", "".into())],
        "bytes" => vec![("b", Value::Blob(vec![0, 1, 0xfe, 0xff]))],
        "bytes-empty" => vec![("b", Value::Blob(vec![]))],
        "bytes-512" => vec![("b", Value::Blob((0..512u32).map(|i| (i % 251) as u8).collect()))],
        "bytearray" => vec![("b", Value::Blob(vec![0x10, 0x20]))],
        "list-int" => {
            let values = [0, 1, -1, 127, 128, 255, 256, 65536, 1 << 40, -33, -129, -(1 << 40), i64::MAX];
            vec![("l", list(values))]
        }
        "list-float" => vec![("l", list([0.0, 1.5, -2.25, 1e300]))],
        "list-mixed" => {
            let values = vec![
                1.into(),
                "two".into(),
                3.0.into(),
                Value::Blob(b"four".to_vec()),
                true.into(),
                Value::Nil,
                Value::List(vec![5.into(), list(["six"])]),
                Value::Map(vec![pair("seven", 7.into())]),
            ];
            vec![("l", Value::List(values))]
        }
        "list-empty" => vec![("l", Value::List(vec![]))],
        "list-long" => {
            let texts = [0, 1, 30, 31, 32, 255, 256].map(|n| Value::Str(vec![b'x'; n]));
            vec![("l", list(0..40)), ("s", list(texts))]
        }
        // The official client sorts the keys, the other one does not.
        "map" => {
            let pairs = vec![
                (3.into(), list([4, 5])),
                pair("a", 1.into()),
                pair("b", "two".into()),
                pair("n", Value::Map(vec![pair("x", Value::Nil)])),
                (Value::Blob(b"k".to_vec()), 1.5.into()),
            ];
            vec![("m", Value::Map(pairs))]
        }
        "map-ordered" | "map-sorted" => {
            let pairs = vec![pair("a", 1.into()), pair("b", 2.into()), pair("c", 3.into())];
            vec![("m", Value::OrderedMap(pairs))]
        }
        "map-empty" => vec![("m", Value::Map(vec![]))],
        "geojson" => vec![("g", geojson(POINT))],
        "geojson-region" => vec![("g", geojson(REGION)), ("l", list([geojson(SMALL_POINT)]))],
        "many-bins" => {
            let name = |i: i32| -> &'static str { format!("b{i:02}").leak() };
            (0..20).map(|i| (name(i), (f64::from(i) * 1.5).into())).collect()
        }
        "bin-name-15" => vec![("fifteen_chars_x", 1.into()), ("bü", 2.into())],
        _ => return None,
    })
}

/// The other scenarios that write bins.
fn put_calls(folder: &str, set: &'static str, name: &str) -> Option<Vec<Call>> {
    let str_key = |key: &'static str| Key { namespace: "test", set, key: UserKey::Str(key.as_bytes()) };
    let int_key = |key| Key { namespace: "test", set, key: UserKey::Int(key) };
    let blob_key = |key| Key { namespace: "test", set, key: UserKey::Blob(key) };
    let a = |value: i64| vec![("a", Value::Int(value))];
    let ttl = |value, ttl| {
        let key = str_key("ttl");
        vec![put_with(key, a(value), WriteOptions { ttl, ..WRITE }), get(key)]
    };
    // One client also sends the key with reads if the write policy says so.
    let send = |key: Key| {
        let write = Call::Write(key, true, vec![(op::WRITE, "a", 1.into())], WRITE);
        vec![write, Call::Read(key, folder == "official", None, READ)]
    };
    let generation =
        |value, generation| put_with(str_key("gen"), a(value), WriteOptions { generation, ..WRITE });
    let exists = |key, bins: Bins, exists| put_with(str_key(key), bins, WriteOptions { exists, ..WRITE });
    let one_bin = |name, value: i64| vec![(name, Value::Int(value))];
    let and_get = |call: Call| vec![call, get(str_key("exists"))];
    Some(match name {
        "put-none-bin" => {
            let key = str_key("none");
            let none = |bin| put(key, vec![(bin, Value::Nil)]);
            let both = put(key, vec![("a", 1.into()), ("b", 2.into())]);
            vec![both, none("a"), get(key), none("b"), get(key)]
        }
        "put-no-set" => {
            let key = Key { set: "", ..str_key("noset") };
            vec![put(key, a(1)), get(key)]
        }
        "put-key-int" => vec![put(int_key(12345), a(1)), get(int_key(12345))],
        "put-key-bytes" => vec![put(blob_key(&[1, 2]), a(1)), get(blob_key(&[1, 2]))],
        "put-ttl" => ttl(1, 3600),
        "put-ttl-never" => ttl(2, u32::MAX),
        "put-ttl-dont-update" => ttl(3, u32::MAX - 1),
        "put-send-key-str" => send(str_key("sk")),
        "put-send-key-int" => send(int_key(77)),
        "put-send-key-bytes" => send(blob_key(b"kk")),
        "put-generation-eq" => vec![generation(2, Generation::Equal(1))],
        "put-generation-eq-mismatch" => vec![generation(3, Generation::Equal(9))],
        "put-generation-gt" => {
            vec![generation(3, Generation::Greater(9)), generation(4, Generation::Greater(1))]
        }
        "put-create-only" => {
            vec![exists("exists", vec![("a", 1.into()), ("b", 2.into())], Exists::Create)]
        }
        "put-create-only-exists" => vec![exists("exists", a(2), Exists::Create)],
        "put-replace-only" => and_get(exists("exists", one_bin("c", 3), Exists::Replace)),
        "put-create-or-replace" => and_get(exists("exists", one_bin("d", 4), Exists::CreateOrReplace)),
        "put-update-only" => and_get(exists("exists", one_bin("e", 5), Exists::Update)),
        "put-update-only-missing" => vec![exists("nope", a(1), Exists::Update)],
        "put-replace-only-missing" => vec![exists("nope", a(1), Exists::Replace)],
        "put-commit-level-master" => {
            vec![put_with(str_key("cl"), a(1), WriteOptions { commit_master: true, ..WRITE })]
        }
        "put-filter-expression" => vec![put(str_key("cl"), a(2)), put(str_key("cl"), a(3))],
        "put-durable-delete-none" => {
            let options = WriteOptions { durable_delete: true, ..WRITE };
            vec![put_with(str_key("cl"), vec![("a", Value::Nil)], options)]
        }
        "put-type-conflict" => vec![one(op::APPEND, str_key("tc"), "a", "x")],
        "put-record-too-big" => vec![put(str_key("big"), vec![("b", Value::Blob(vec![0; 2048]))])],
        _ => return None,
    })
}

/// Reads, single operations and deletions of one record.
fn record_calls(folder: &str, set: &'static str, name: &str) -> Option<Vec<Call>> {
    let key = |key: &'static str| Key { namespace: "test", set, key: UserKey::Str(key.as_bytes()) };
    let (r1, o1, missing) = (key("r1"), key("o1"), key("missing"));
    let select = |key, bins: &[&'static str]| vec![Call::Read(key, false, Some(bins.to_vec()), READ)];
    // The recording of one client reads one bin here, that of the other all bins.
    let with = |options| vec![Call::Read(r1, false, (folder == "native").then(|| vec!["a"]), options)];
    let touch =
        |key, ttl| Call::Write(key, false, vec![(op::TOUCH, "", Value::Nil)], WriteOptions { ttl, ..WRITE });
    let touched = |ttl| vec![touch(o1, ttl), if folder == "official" { exists(o1) } else { get(o1) }];
    let remove = |options| Call::Delete(o1, options);
    Some(match name {
        "remove-bin" => {
            let key = key("rb");
            vec![put(key, vec![("a", Value::Nil)]), get(key)]
        }
        "get-key-digest" => vec![get(Key { key: UserKey::Int(12345), ..r1 })],
        "get-all-bins" | "get-filter-expression-true" | "get-filter-expression-false" => vec![get(r1)],
        "get-filter-expression-values" | "get-filter-expression-metadata" => vec![get(r1)],
        "get-select-bins" => select(r1, &["c", "a"]),
        "get-select-missing-bin" => select(r1, &["a", "nobin", "b"]),
        "get-select-only-missing-bins" => select(r1, &["nobin", "nobin2"]),
        "get-select-duplicate-bin" => select(r1, &["a", "a"]),
        "get-select-missing-record" => select(missing, &["a"]),
        "get-empty-bin-list" | "exists-hit" => vec![exists(r1)],
        "exists-miss" => vec![exists(missing)],
        "get-missing" => vec![get(missing)],
        "get-read-mode-ap-all" => with(ReadOptions { info1: info1::READ_MODE_AP_ALL, ..READ }),
        "get-read-touch-ttl-percent" | "get-read-touch-ttl" => {
            with(ReadOptions { read_touch_ttl_percent: 80, ..READ })
        }
        "get-no-timeout" => with(ReadOptions { timeout_ms: 0, ..READ }),
        "append-str" => vec![one(op::APPEND, o1, "s", "-end"), get(o1)],
        "append-bytes" => vec![one(op::APPEND, o1, "b", &[6][..]), get(o1)],
        "prepend-str" => vec![one(op::PREPEND, o1, "s", "start-"), get(o1)],
        "increment" | "add" => {
            vec![one(op::INCREMENT, o1, "i", 5), one(op::INCREMENT, o1, "i", -20), get(o1)]
        }
        "increment-float" | "add-float" => vec![one(op::INCREMENT, o1, "f", 0.25), get(o1)],
        "increment-missing-bin" => vec![one(op::INCREMENT, o1, "new", 3), get(o1)],
        "increment-type-error" | "add-type-error" => vec![one(op::INCREMENT, o1, "s", 1)],
        "touch" => touched(600),
        // The official client leaves out the policy's time to live.
        "touch-ttl-in-policy" => touched(0),
        "touch-missing" => vec![touch(missing, 0)],
        "remove" | "delete" => vec![remove(WRITE), exists(o1)],
        "remove-missing" | "delete-missing" => vec![Call::Delete(missing, WRITE)],
        "remove-generation-mismatch" | "delete-generation-mismatch" => {
            vec![remove(WriteOptions { generation: Generation::Equal(99), ..WRITE })]
        }
        "remove-durable" | "delete-durable" => vec![remove(WriteOptions { durable_delete: true, ..WRITE })],
        _ => return None,
    })
}

/// Batches that read.
fn batch_calls(folder: &str, name: &str) -> Option<(Vec<Call>, Same)> {
    const FLAGS: u8 =
        batch_flags::ALLOW_INLINE | batch_flags::RESPOND_ALL_KEYS | batch_flags::ERROR_AS_RECORD;
    let native = folder == "native";
    let set_name =
        |set: &'static str| -> &'static str { if native { format!("n{set}").leak() } else { set } };
    let [batch, other, vec, exp, wide] = ["batch", "other", "vec", "exp", "wide"].map(set_name);
    let int = |set, key| Key { namespace: "test", set, key: UserKey::Int(key) };
    let ints = |set, keys: &[i64]| keys.iter().map(|&key| int(set, key)).collect::<Vec<_>>();
    let range = |set, len| (0..len).map(|key| int(set, key)).collect::<Vec<_>>();
    let str_key = |key: &'static [u8]| Key { key: UserKey::Str(key), ..int(batch, 0) };
    let in_bar = |key| Key { namespace: "bar", ..int(batch, key) };
    let default = BatchReadHeader { flags: FLAGS, timeout_ms: TIMEOUT, ..BatchReadHeader::default() };
    let with_flags = |flags| BatchReadHeader { flags, ..default };
    let name = name.strip_prefix("batch-")?;
    let (keys, bins, header): (Vec<Key>, &[&'static str], BatchReadHeader<'static>) = match name {
        "read-1" => (range(batch, 1), &[], default),
        "read-3" => (range(batch, 3), &[], default),
        "read-50" => (range(batch, 50), &[], default),
        "read-3-bins" => (range(batch, 3), &["s", "i"], default),
        "read-50-bins" => (range(batch, 50), &["f"], default),
        "read-missing-bin" => (range(batch, 3), &["i", "nobin"], default),
        "read-only-missing-bins" => (range(batch, 2), &["nobin"], default),
        "read-exists" => (vec![int(batch, 0), int(batch, 1), str_key(b"missing")], &[], default),
        "read-empty-bin-list" => (range(batch, 2), &[], default),
        "exists" | "get-header" => (ints(batch, &[0, 1, 900]), &[], default),
        "read-missing-keys" => (ints(batch, &[0, 900, 1, 901, 2]), &[], default),
        "read-all-missing" => (ints(batch, &[900, 901, 902]), &[], default),
        "read-missing-1" => (ints(batch, &[900]), &[], default),
        "read-duplicate-keys" => (ints(batch, &[1, 1, 2, 1]), &[], default),
        "read-two-sets" | "read-two-sets-bins" => {
            let keys = vec![int(batch, 0), int(other, 0), int(batch, 1), int(other, 1)];
            (keys, if name == "read-two-sets" { &[] } else { &["i"] }, default)
        }
        "read-two-namespaces" => (vec![int(batch, 0), in_bar(0), in_bar(1), int(batch, 1)], &[], default),
        "read-key-types" => {
            let blob = Key { key: UserKey::Blob(&[0]), ..int(batch, 0) };
            (vec![int(batch, 0), str_key(b"k0"), blob, str_key(b"k1")], &[], default)
        }
        "read-key-digest" => (ints(batch, &[3, 4]), &[], default),
        "read-send-key" => (range(batch, 2), &["i"], default),
        "read-filter-expression" | "read-filter-in-batch-policy" => (range(batch, 5), &["i"], default),
        "read-filter-all-out" => (range(batch, 3), &[], default),
        "read-filter-with-missing" => (ints(batch, &[0, 900, 4]), &["i"], default),
        "read-respond-all-keys-false" => {
            (ints(batch, &[0, 900, 1]), &[], with_flags(FLAGS & !batch_flags::RESPOND_ALL_KEYS))
        }
        "read-allow-inline-false" => {
            (range(batch, 5), &["i"], with_flags(FLAGS & !batch_flags::ALLOW_INLINE))
        }
        "read-allow-inline-ssd" => {
            (range(batch, 3), &["i"], with_flags(FLAGS | batch_flags::ALLOW_INLINE_SSD))
        }
        "read-read-mode-ap-all" => {
            (range(batch, 2), &["i"], BatchReadHeader { info1: info1::READ_MODE_AP_ALL, ..default })
        }
        "read-touch-ttl" => {
            (range(batch, 2), &["i"], BatchReadHeader { read_touch_ttl_percent: 80, ..default })
        }
        "read-timeouts" => (range(batch, 2), &["i"], BatchReadHeader { timeout_ms: 5000, ..default }),
        "read-all-types" => (vec![str_key(b"types"), int(batch, 0)], &[], default),
        "read-vectors" => (range(vec, if native { 4 } else { 8 }), &["v"], default),
        "read-lists-of-doubles" => (range(vec, if native { 4 } else { 8 }), &["d"], default),
        "read-vectors-and-lists" => (range(vec, 4), &[], default),
        "read-ttl" => (range(exp, if native { 3 } else { 4 }), &[], default),
        "read-several-frames" => (range(wide, 34), &[], default),
        "read-unsorted" => (ints(batch, &[40, 3, 27, 11, 0, 19]), &["i"], default),
        // Both clients left out the key of the unknown namespace.
        "read-unknown-namespace" => (ints(batch, &[0, 2]), &[], default),
        _ => return None,
    };
    let header_only = ["read-exists", "read-empty-bin-list", "exists", "get-header"].contains(&name);
    let bins = (header_only || !bins.is_empty()).then(|| bins.to_vec());
    let same = match (folder, name) {
        (_, "read-1" | "read-missing-1") => Same::Meaning("a batch of one key, sent as a single read"),
        ("native", "read-filter-expression" | "read-filter-with-missing") => {
            Same::Meaning("the filter with the rows; ours is the message's")
        }
        ("native", "read-filter-in-batch-policy") => {
            Same::Meaning("the filter with the rows and the message; ours is the message's")
        }
        ("native", "read-read-mode-ap-all") => {
            Same::Meaning("the read mode with the message, too; ours is the rows' alone")
        }
        ("official", "read-unknown-namespace") => {
            Same::Meaning("the row's number counts the key that was left out")
        }
        _ => Same::Bytes,
    };
    Some((vec![Call::Batch(keys, bins, header)], same))
}
