//! Batches that write, delete and operate: the same bytes as the recorded ones of both clients.

use wire_protocol::batch::{BatchHeader, BatchWriter, EncodedOps, OperateRow, RowAttributes, batch_flags};
use wire_protocol::command::{Exists, Generation, WriteOptions};
use wire_protocol::digest::UserKey;
use wire_protocol::message::{op, write_op};
use wire_protocol::particle::Particle;

use crate::support::{scenarios, to_hex};

type Op = (u8, &'static str, Particle<'static>);

/// A row of a recorded call.
struct Row {
    key: UserKey<'static>,
    sends_key: bool,
    ops: Vec<Op>,
    attributes: RowAttributes<'static>,
}

fn written(options: &WriteOptions<'static>, key: UserKey<'static>, ops: Vec<Op>) -> Row {
    let reads = ops.iter().any(|(code, ..)| *code == op::READ);
    Row { key, sends_key: false, ops, attributes: RowAttributes::write(options, reads).unwrap() }
}

fn removed(options: &WriteOptions<'static>, key: UserKey<'static>) -> Row {
    Row { key, sends_key: false, ops: vec![], attributes: RowAttributes::delete(options).unwrap() }
}

fn read(key: UserKey<'static>, bins: &[&'static str]) -> Row {
    let ops = bins.iter().map(|bin| (op::READ, *bin, Particle::Nil)).collect();
    Row { key, sends_key: false, ops, attributes: RowAttributes::read(0, 0, 0, b"") }
}

fn int(name: &'static str, value: i64) -> Op {
    (op::WRITE, name, Particle::Int(value))
}

fn numbered() -> Vec<Row> {
    [&b"w0"[..], b"w1", b"w2", b"w3"]
        .into_iter()
        .zip(0..)
        .map(|(text, i)| {
            let ops = vec![int("i", i), (op::WRITE, "s", Particle::Str(text))];
            written(&WriteOptions::default(), UserKey::Int(i), ops)
        })
        .collect()
}

fn sending(row: Row) -> Row {
    Row { sends_key: true, ..row }
}

/// The set and the rows of a recorded call.
fn rows_of(folder: &str, name: &str) -> Option<(&'static str, Vec<Row>)> {
    let plain = WriteOptions::default();
    let key = UserKey::Int;
    let counted = || vec![(op::INCREMENT, "n", Particle::Int(1)), (op::READ, "n", Particle::Nil)];
    let create = WriteOptions { exists: Exists::Create, ..plain };
    let update = WriteOptions { exists: Exists::Update, ..plain };
    let minute = WriteOptions { ttl: 60, ..plain };
    let equal = |generation| WriteOptions { generation: Generation::Equal(generation), ..plain };
    let append = |bin| vec![(op::APPEND, bin, Particle::Str(b"x"))];
    Some(match (folder, name) {
        ("official", "batch-write") => ("bw", numbered()),
        ("native", "batch-write") => ("nbw", numbered()),
        ("official", "batch-write-mixed") => {
            let increment = vec![(op::INCREMENT, "i", Particle::Int(5)), (op::READ, "i", Particle::Nil)];
            let long = WriteOptions { ttl: 120, ..plain };
            let rows = vec![
                written(&plain, key(0), increment),
                read(key(1), &["s"]),
                removed(&plain, key(2)),
                sending(written(&long, key(9), vec![int("i", 9)])),
            ];
            ("bw", rows)
        }
        ("official", "batch-write-errors") => {
            let rows = vec![
                written(&create, key(0), vec![int("i", 1)]),
                written(&equal(77), key(1), vec![int("i", 1)]),
                written(&update, UserKey::Str(b"no"), vec![int("i", 1)]),
                written(&plain, key(3), append("i")),
                written(&plain, key(3), vec![int("ok", 1)]),
            ];
            ("bw", rows)
        }
        ("native", "batch-write-ttl-send-key") => {
            let row = |key, i| sending(written(&minute, UserKey::Str(key), vec![int("i", i)]));
            ("nbw", vec![row(b"p", 1), row(b"q", 2)])
        }
        ("native", "batch-write-create-only") => {
            let row = |k, i| written(&create, key(k), vec![int("i", i)]);
            ("nbw", vec![row(0, 1), row(50, 2)])
        }
        ("official", "batch-operate") => ("bo", (0..3).map(|i| written(&plain, key(i), counted())).collect()),
        ("native", "batch-operate") => ("nbo", (0..3).map(|i| written(&plain, key(i), counted())).collect()),
        ("official", "batch-operate-read-only") => {
            ("batch", (0..3).map(|i| read(key(i), &["i", "s"])).collect())
        }
        ("official", "batch-operate-policy") => {
            ("bo", (0..2).map(|i| sending(written(&minute, key(i), vec![int("w", 1)]))).collect())
        }
        ("official", "batch-operate-respond-all-keys-false") => {
            ("bo", (0..3).map(|i| written(&plain, key(i), append("n"))).collect())
        }
        ("official", "batch-remove") => {
            let keys = [key(0), key(1), UserKey::Str(b"missing")];
            ("bo", keys.into_iter().map(|key| removed(&plain, key)).collect())
        }
        ("native", "batch-delete") => {
            let keys = [key(0), key(1), UserKey::Str(b"missing")];
            ("nbo", keys.into_iter().map(|key| removed(&plain, key)).collect())
        }
        ("official", "batch-remove-generation") => {
            ("bw", (0..2).map(|i| removed(&equal(1), key(i))).collect())
        }
        _ => return None,
    })
}

fn request(name: &str, set: &'static str, rows: &[Row]) -> Vec<u8> {
    let mut header = BatchHeader { timeout_ms: 1000, ..BatchHeader::default() };
    if name.ends_with("respond-all-keys-false") {
        header.flags &= !batch_flags::RESPOND_ALL_KEYS;
    }
    let mut value = Vec::new();
    let encoded: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| {
            let mut out = Vec::new();
            for (code, bin, particle) in &row.ops {
                value.clear();
                particle.write(&mut value);
                write_op(&mut out, *code, particle.particle_type(), bin.as_bytes(), &value);
            }
            out
        })
        .collect();
    let digests: Vec<_> = rows.iter().map(|row| row.key.digest(set.as_bytes())).collect();
    let mut out = Vec::new();
    let mut writer = BatchWriter::new(&mut out, &header);
    for (index, ((row, bytes), digest)) in rows.iter().zip(&encoded).zip(&digests).enumerate() {
        let head = OperateRow {
            index: index as u32,
            digest,
            namespace: b"test",
            set: set.as_bytes(),
            send_key: row.sends_key.then_some(row.key),
            transaction: None,
            attributes: row.attributes,
        };
        writer.row(&head, EncodedOps { count: row.ops.len(), bytes }).unwrap();
    }
    writer.finish().unwrap();
    out
}

#[test]
fn batches_that_write_equal_the_recorded_ones() {
    let mut equal = 0;
    for folder in ["official", "native"] {
        for scenario in scenarios(folder) {
            let Some((set, rows)) = rows_of(folder, &scenario.name) else { continue };
            let recorded = scenario.requests().next().unwrap();
            let written = request(&scenario.name, set, &rows);
            assert_eq!(to_hex(&written), to_hex(recorded), "{}: {}", scenario.title(), scenario.what);
            equal += 1;
        }
    }
    assert_eq!(equal, 14);
}
