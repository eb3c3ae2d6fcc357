//! Commands on single records, over a connection: expiration, generations, conditions, operations.

mod support;

use std::time::Duration;

use dev_server::{Config, DevServer};
use support::{Client, SET, bin, digest, record};
use wire_protocol::batch::{BatchHeader, BatchWriter, EncodedOps, OperateRow, RowAttributes};
use wire_protocol::command::Projection;
use wire_protocol::command::{
    Exists, Generation, ReadOptions, RecordKey, TransactionFields, WriteOptions, write_delete, write_read,
    write_write,
};
use wire_protocol::digest::{Digest, UserKey};
use wire_protocol::message::{FrameHeader, info1, info2, op, write_op};
use wire_protocol::particle::Particle;

const NEVER: u32 = u32::MAX;
const DONT_UPDATE: u32 = u32::MAX - 1;

/// The time at which the clock is stopped.
const NOON: u32 = 1_000_000;

async fn server(config: Config) -> (DevServer, Client) {
    let server = DevServer::start(config).await.unwrap();
    let client = Client::connect(server.addresses()[0]).await;
    server.stop_clock(NOON);
    (server, client)
}

fn ttl(ttl: u32) -> WriteOptions<'static> {
    WriteOptions { ttl, ..WriteOptions::default() }
}

#[tokio::test]
async fn records_expire() {
    let (server, mut client) = server(Config { sweep_period: 0, ..Config::default() }).await;
    assert_eq!(client.put_with("a", 1, &ttl(10)).await.header.ttl, NOON + 10);
    server.advance_clock(Duration::from_secs(10));
    let last_second = client.get("a").await;
    assert_eq!((last_second.code(), last_second.header.ttl), (0, NOON + 10));
    server.advance_clock(Duration::from_secs(1));
    // Not found, though the header still has its values. A write creates a new record.
    let gone = client.get("a").await;
    assert_eq!((gone.state(), gone.header.ttl), ((2, 1), NOON + 10));
    assert_eq!(client.delete("a", &WriteOptions::default()).await.state(), (2, 0));
    let update = WriteOptions { exists: Exists::Update, ..WriteOptions::default() };
    assert_eq!(client.put_with("a", 2, &update).await.code(), 2);
    let create = WriteOptions { exists: Exists::Create, ..WriteOptions::default() };
    assert_eq!(client.put_with("a", 2, &create).await.state(), (0, 1));
    assert_eq!(client.get("a").await.text(), "i=2");
}

#[tokio::test]
async fn a_write_resets_the_ttl() {
    let (server, mut client) = server(Config::default()).await;
    client.put_with("a", 1, &ttl(100)).await;
    server.advance_clock(Duration::from_secs(50));
    assert_eq!(client.put_with("a", 2, &ttl(DONT_UPDATE)).await.header.ttl, NOON + 100);
    assert_eq!(client.put_with("a", 3, &ttl(100)).await.header.ttl, NOON + 150);
    assert_eq!(client.put_with("a", 4, &ttl(0)).await.header.ttl, 0);
    assert_eq!(client.put_with("a", 5, &ttl(DONT_UPDATE)).await.header.ttl, 0);
    assert_eq!(client.put_with("b", 1, &ttl(DONT_UPDATE)).await.header.ttl, 0);
    assert_eq!(client.put_with("a", 6, &ttl(10 * 365 * 24 * 3600 + 1)).await.code(), 4);
    assert_eq!(client.get("a").await.text(), "i=5");
}

#[tokio::test]
async fn the_default_ttl_is_that_of_the_namespace() {
    let (_server, mut client) = server(Config { default_ttl: 60, ..Config::default() }).await;
    assert_eq!(client.put("a", 1).await.header.ttl, NOON + 60);
    assert_eq!(client.put_with("a", 2, &ttl(NEVER)).await.header.ttl, 0);
    assert_eq!(client.put_with("b", 1, &ttl(DONT_UPDATE)).await.header.ttl, NOON + 60);
}

#[tokio::test]
async fn a_read_near_the_expiration_touches() {
    let (server, mut client) = server(Config::default()).await;
    let touching = |percent| ReadOptions { read_touch_ttl_percent: percent, ..ReadOptions::default() };
    client.put_with("a", 1, &ttl(100)).await;
    server.advance_clock(Duration::from_secs(19));
    client.read("a", Projection::All, &touching(80)).await;
    assert_eq!(client.get("a").await.header.ttl, NOON + 100, "81 of 100 seconds are left");
    server.advance_clock(Duration::from_secs(1));
    let touched = client.read("a", Projection::All, &touching(80)).await;
    assert_eq!(touched.header.ttl, NOON + 100, "the answer has the values from before the touch");
    let after = client.get("a").await;
    assert_eq!((after.header.ttl, after.header.generation), (NOON + 120, 1));
    client.read("a", Projection::All, &touching(NEVER)).await;
    assert_eq!(client.get("a").await.header.ttl, NOON + 120);
    assert_eq!(client.read("a", Projection::All, &touching(101)).await.code(), 4);
}

#[tokio::test]
async fn the_sweeper_frees_expired_records() {
    let server = DevServer::start(Config { sweep_period: 1, ..Config::default() }).await.unwrap();
    let mut client = Client::connect(server.addresses()[0]).await;
    client.put_with("a", 1, &ttl(10)).await;
    server.advance_clock(Duration::from_secs(20));
    let deadline = tokio::time::Instant::now() + support::PATIENCE;
    // Until it is swept, the header has the values of the expired record.
    while client.get("a").await.state() == (2, 1) {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.get("a").await.state(), (2, 0));
}

#[tokio::test]
async fn conditions_of_existence_and_generation() {
    let (_server, mut client) = server(Config::default()).await;
    let exists = |exists| WriteOptions { exists, ..WriteOptions::default() };
    let generation = |generation| WriteOptions { generation, ..WriteOptions::default() };
    assert_eq!(client.put_with("a", 1, &exists(Exists::Update)).await.state(), (2, 0));
    assert_eq!(client.put_with("a", 1, &exists(Exists::Replace)).await.state(), (2, 0));
    assert_eq!(client.put_with("a", 1, &generation(Generation::Equal(1))).await.state(), (3, 0));
    assert_eq!(client.put_with("a", 1, &exists(Exists::Create)).await.state(), (0, 1));
    assert_eq!(client.put_with("a", 1, &exists(Exists::Create)).await.state(), (5, 1));
    assert_eq!(client.put_with("a", 2, &generation(Generation::Equal(1))).await.state(), (0, 2));
    assert_eq!(client.put_with("a", 3, &generation(Generation::Equal(1))).await.state(), (3, 2));
    assert_eq!(client.put_with("a", 3, &generation(Generation::Greater(2))).await.state(), (3, 2));
    assert_eq!(client.put_with("a", 3, &generation(Generation::Greater(3))).await.state(), (0, 3));
    let more = [bin(op::WRITE, "j", Particle::Int(9))];
    assert_eq!(client.write("a", &more, &exists(Exists::Update)).await.state(), (0, 4));
    assert_eq!(client.get("a").await.text(), "i=3 j=9");
    assert_eq!(client.write("a", &more, &exists(Exists::Replace)).await.state(), (0, 5));
    assert_eq!(client.get("a").await.text(), "j=9");
    assert_eq!(client.put_with("a", 4, &exists(Exists::CreateOrReplace)).await.state(), (0, 6));
    assert_eq!(client.get("a").await.text(), "i=4");
    assert_eq!(client.delete("a", &generation(Generation::Equal(1))).await.state(), (3, 0));
    assert_eq!(client.delete("a", &generation(Generation::Equal(6))).await.state(), (0, 0));
    assert_eq!(client.get("a").await.state(), (2, 0));
}

#[tokio::test]
async fn generations_wrap_around() {
    let (_server, mut client) = server(Config::default()).await;
    let mut request = Vec::new();
    let (digest, put) = (digest("a"), [bin(op::WRITE, "i", Particle::Int(1))]);
    write_write(&mut request, &record(&digest, None), put.into_iter(), &WriteOptions::default()).unwrap();
    let last = u32::from(u16::MAX);
    for hundreds in (1..=last + 1).collect::<Vec<_>>().chunks(128) {
        client.send(&request.repeat(hundreds.len())).await;
        for &writes in hundreds {
            let expected = if writes > last { writes - last } else { writes };
            assert_eq!(client.answer().await.header.generation, expected);
        }
    }
}

#[tokio::test]
async fn a_sent_key_must_equal_the_stored_one() {
    let (_server, mut client) = server(Config::default()).await;
    let digest = digest("a");
    let mut requests = Vec::new();
    let put = [bin(op::WRITE, "i", Particle::Int(1))];
    for (key, write) in [("a", true), ("other", false), ("other", true), ("a", false)] {
        let record = record(&digest, Some(UserKey::Str(key.as_bytes())));
        if write {
            write_write(&mut requests, &record, put.iter().copied(), &WriteOptions::default()).unwrap();
        } else {
            write_read(&mut requests, &record, Projection::Header, &ReadOptions::default()).unwrap();
        }
    }
    client.send(&requests).await;
    for state in [(0, 1), (19, 1), (19, 1), (0, 1)] {
        assert_eq!(client.answer().await.state(), state);
    }
}

#[tokio::test]
async fn operations_apply_in_order_or_not_at_all() {
    let (_server, mut client) = server(Config::default()).await;
    let none = WriteOptions::default();
    let ops = [
        bin(op::INCREMENT, "n", Particle::Int(i64::MAX)),
        bin(op::INCREMENT, "n", Particle::Int(2)),
        bin(op::INCREMENT, "f", Particle::Float(0.5)),
        bin(op::APPEND, "s", Particle::Str(b"b")),
        bin(op::PREPEND, "s", Particle::Str(b"a")),
        bin(op::APPEND, "b", Particle::Blob(b"\x01")),
    ];
    assert_eq!(client.write("a", &ops, &none).await.state(), (0, 1));
    let kept = format!("n={} f=0.5 s=ab b=[01]", i64::MIN + 1);
    assert_eq!(client.get("a").await.text(), kept);
    for (wrong, code) in [
        (bin(op::INCREMENT, "s", Particle::Int(1)), 12),
        (bin(op::INCREMENT, "n", Particle::Float(1.0)), 12),
        (bin(op::INCREMENT, "n", Particle::Str(b"1")), 12),
        (bin(op::APPEND, "n", Particle::Str(b"x")), 12),
        (bin(op::APPEND, "s", Particle::Blob(b"x")), 12),
        (bin(op::APPEND, "s", Particle::Int(1)), 12),
        (bin(op::WRITE, "a-name-too-long-", Particle::Int(1)), 21),
        (bin(op::WRITE, "x", Particle::List(b"\x92\x01")), 1),
        (bin(op::WRITE, "x", Particle::Other { particle_type: 99, bytes: b"" }), 4),
        (bin(op::CDT_MODIFY, "l", Particle::Blob(b"\x92\x01")), 4),
        (bin(op::CDT_MODIFY, "s", Particle::Blob(b"\x92\x01\x01")), 12),
        (bin(op::CDT_MODIFY, "l", Particle::Blob(b"\x93\x09\xfe\x01")), 26),
        (bin(op::HLL_MODIFY, "h", Particle::Blob(b"")), 4),
        (bin(op::BITS_MODIFY, "b", Particle::Blob(b"")), 4),
        (bin(op::BITS_MODIFY, "b", Particle::Str(b"\x92\x07\x00")), 12),
        (bin(op::EXP_MODIFY, "e", Particle::Blob(b"")), 4),
        (bin(op::EXP_MODIFY, "e", Particle::Blob(b"\x92\x91\x00\x00")), 26),
        (bin(77, "e", Particle::Int(1)), 4),
    ] {
        let first = bin(op::WRITE, "n", Particle::Int(7));
        assert_eq!(client.write("a", &[first, wrong], &none).await.code(), code, "{wrong:?}");
        assert_eq!(client.get("a").await.text(), kept, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_record_without_bins_is_deleted() {
    let (_server, mut client) = server(Config::default()).await;
    let none = WriteOptions::default();
    let remove = [bin(op::WRITE, "i", Particle::Nil)];
    assert_eq!(client.write("a", &remove, &none).await.code(), 2);
    client.put("a", 1).await;
    assert_eq!(client.write("a", &remove, &none).await.state(), (0, 0));
    assert_eq!(client.get("a").await.state(), (2, 0));
    client.put("a", 1).await;
    let all = [bin(op::DELETE, "", Particle::Nil), bin(op::WRITE, "j", Particle::Int(2))];
    assert_eq!(client.write("a", &all, &none).await.state(), (0, 2));
    assert_eq!(client.get("a").await.text(), "j=2");
    assert_eq!(client.write("a", &all[..1], &none).await.state(), (0, 0));
    assert_eq!(client.write("a", &[bin(op::TOUCH, "", Particle::Nil)], &none).await.code(), 2);
}

#[tokio::test]
async fn records_have_a_maximum_size() {
    let (_server, mut client) = server(Config { max_record_size: 1000, ..Config::default() }).await;
    let none = WriteOptions::default();
    let blob = |bytes| [bin(op::WRITE, "b", Particle::Blob(bytes))];
    assert_eq!(client.write("a", &blob(&[0; 2000]), &none).await.code(), 13);
    assert_eq!(client.write("a", &blob(&[0; 800]), &none).await.code(), 0);
    let more = [bin(op::APPEND, "b", Particle::Blob(&[0; 800]))];
    assert_eq!(client.write("a", &more, &none).await.state(), (13, 1));
    assert_eq!(client.write("a", &more, &none).await.code(), 13);
}

/// Every kind of operation has a result with respond-all-ops, even a read of a missing bin.
#[tokio::test]
async fn respond_all_ops_returns_every_result() {
    let (_server, mut client) = server(Config::default()).await;
    client.put("a", 1).await;
    let ops = [
        bin(op::READ, "i", Particle::Nil),
        bin(op::READ, "nobin", Particle::Nil),
        bin(op::INCREMENT, "i", Particle::Int(1)),
        bin(op::TOUCH, "", Particle::Nil),
        bin(op::READ, "i", Particle::Nil),
    ];
    let mut request = Vec::new();
    let digest = digest("a");
    write_write(&mut request, &record(&digest, None), ops.iter().copied(), &WriteOptions::default()).unwrap();
    // The first two info bytes of the message.
    let (info1_at, info2_at) = (8 + 1, 8 + 2);
    client.send(&request).await;
    assert_eq!(client.answer().await.code(), 4, "it has reads but not the flag for them");
    request[info2_at] |= info2::RESPOND_ALL_OPS;
    request[info1_at] |= info1::READ;
    client.send(&request).await;
    let answer = client.answer().await;
    let codes: Vec<_> = answer.bins.iter().map(|(code, ..)| *code).collect();
    assert_eq!((answer.text().as_str(), codes), ("i=1 nobin=nil i=nil i=2", vec![1, 1, 5, 1]));
    // Without the flag, only reads have results.
    request[info2_at] &= !info2::RESPOND_ALL_OPS;
    client.send(&request).await;
    assert_eq!(client.answer().await.text(), "i=2 i=3");
    // An operation that deletes the record, too.
    let ops = [bin(op::READ, "i", Particle::Nil), bin(op::DELETE, "", Particle::Nil)];
    let mut request = Vec::new();
    write_write(&mut request, &record(&digest, None), ops.iter().copied(), &WriteOptions::default()).unwrap();
    request[info2_at] |= info2::RESPOND_ALL_OPS;
    request[info1_at] |= info1::READ;
    client.send(&request).await;
    let answer = client.answer().await;
    assert_eq!((answer.state(), answer.text().as_str(), answer.bins[1].0), ((0, 0), "i=3 =nil", op::DELETE));
}

#[tokio::test]
async fn durable_deletes_are_refused_only_if_they_delete() {
    let (_server, mut client) = server(Config::default()).await;
    let durable = WriteOptions { durable_delete: true, ..WriteOptions::default() };
    assert_eq!(client.put_with("a", 1, &durable).await.code(), 0);
    let last = [bin(op::WRITE, "i", Particle::Nil)];
    assert_eq!(client.write("a", &last, &durable).await.code(), 25);
    assert_eq!(client.write("a", &[bin(op::DELETE, "", Particle::Nil)], &durable).await.code(), 25);
    assert_eq!(client.delete("a", &durable).await.code(), 25);
    assert_eq!(client.write("nobody", &last, &durable).await.code(), 2);
    assert_eq!(client.get("a").await.text(), "i=1");
}

/// The codes are those of a Community server of 8.1.2.
#[tokio::test]
async fn transactions_are_refused_as_by_a_community_server() {
    let (_server, mut client) = server(Config::default()).await;
    assert_eq!(client.put("a", 1).await.code(), 0);
    let digest = digest("a");
    let fields = TransactionFields { id: Some(7), version: Some([1; 7]), deadline: Some(9) };
    let key = RecordKey { transaction: Some(fields), ..record(&digest, None) };
    let ops = [bin(op::WRITE, "i", Particle::Int(2))];
    let (mut write, mut read, mut delete) = (Vec::new(), Vec::new(), Vec::new());
    write_write(&mut write, &key, ops.into_iter(), &WriteOptions::default()).unwrap();
    write_read(&mut read, &key, Projection::All, &ReadOptions::default()).unwrap();
    write_delete(&mut delete, &key, &WriteOptions::default()).unwrap();
    // The fourth info byte: verification, and both ways to roll.
    let with_info4 = |request: &[u8], info4| {
        let mut request = request.to_vec();
        request[FrameHeader::LEN + 4] = info4;
        request
    };
    let (mut plain_write, mut plain_read) = (Vec::new(), Vec::new());
    let plain = record(&digest, None);
    write_write(&mut plain_write, &plain, ops.into_iter(), &WriteOptions::default()).unwrap();
    write_read(&mut plain_read, &plain, Projection::All, &ReadOptions::default()).unwrap();
    for (request, code) in [
        (write, 25),
        (read, 25),
        (with_info4(&plain_read, 1), 25),
        (with_info4(&plain_write, 2), 25),
        (with_info4(&plain_write, 4), 25),
        (with_info4(&plain_read, 4), 0),
        (with_info4(&plain_write, 16), 0),
        (delete, 0),
    ] {
        client.send(&request).await;
        assert_eq!(client.answer().await.code(), code, "{request:?}");
    }
    let rows = [
        (RowAttributes::read(info1::GET_ALL, 0, 0, b""), TransactionFields::default(), 2),
        (RowAttributes::read(info1::GET_ALL, 0, 0, b""), fields, 25),
        (RowAttributes::write(&WriteOptions::default(), false).unwrap(), fields, 25),
        (RowAttributes::verify(), TransactionFields { id: None, ..fields }, 25),
        (RowAttributes::roll(true), fields, 25),
        (RowAttributes::roll(false), TransactionFields::default(), 25),
    ];
    for (attributes, transaction, code) in rows {
        let mut request = Vec::new();
        let mut batch = BatchWriter::new(&mut request, &BatchHeader::default());
        let row = OperateRow {
            index: 3,
            digest: &digest,
            namespace: b"test",
            set: SET,
            send_key: None,
            transaction: Some(transaction),
            attributes,
        };
        batch.row(&row, EncodedOps::default()).unwrap();
        batch.finish().unwrap();
        client.send(&request).await;
        assert_eq!(client.answer().await.code(), code, "{attributes:?}");
        assert_eq!(client.answer().await.code(), 0, "the end");
    }
}

#[tokio::test]
async fn bins_are_counted_after_all_operations() {
    let (_server, mut client) = server(Config::default()).await;
    let names: Vec<_> = (0..32_768).map(|number| format!("b{number}")).collect();
    let ops: Vec<_> = names.iter().map(|name| bin(op::WRITE, name, Particle::Int(1))).collect();
    let none = WriteOptions::default();
    assert_eq!(client.write("a", &ops, &none).await.code(), 4);
    assert_eq!(client.write("a", &ops[..32_767], &none).await.code(), 0);
    assert_eq!(client.write("a", &ops[32_767..], &none).await.code(), 4);
    let instead = [ops[32_767], bin(op::WRITE, "b5", Particle::Nil)];
    assert_eq!(client.write("a", &instead, &none).await.code(), 0);
}

#[tokio::test]
async fn invalid_names_are_refused() {
    let (_server, mut client) = server(Config::default()).await;
    assert_eq!(client.put("a", 1).await.code(), 0);
    for (name, code) in [(&b"i"[..], 0), (b"fifteen-letters", 0), (b"sixteen--letters", 21), (b"a\0b", 21)] {
        let bins = [name];
        let answer = client.read("a", Projection::Bins(&bins), &ReadOptions::default()).await;
        assert_eq!(answer.code(), code, "{name:?}");
        // A missing record takes precedence.
        let answer = client.read("b", Projection::Bins(&bins), &ReadOptions::default()).await;
        assert_eq!(answer.code(), 2, "{name:?}");
    }
    let ops = [bin(op::WRITE, "i", Particle::Int(1))];
    for (set, code) in [(&b"s"[..], 0), (b"a\0b", 4)] {
        let digest = [7; 20];
        let key = RecordKey { set, ..record(&digest, None) };
        let mut request = Vec::new();
        write_write(&mut request, &key, ops.into_iter(), &WriteOptions::default()).unwrap();
        client.send(&request).await;
        assert_eq!(client.answer().await.code(), code, "{set:?}");
    }
}

#[tokio::test]
async fn rows_before_one_of_an_unknown_namespace_are_executed_and_not_answered() {
    let (_server, mut client) = server(Config::default()).await;
    let (a, b, c) = (digest("a"), digest("b"), digest("c"));
    let attributes = RowAttributes::write(&WriteOptions::default(), false).unwrap();
    let mut ops = Vec::new();
    write_op(&mut ops, op::WRITE, Particle::Int(0).particle_type(), b"i", &5i64.to_be_bytes());
    let request = |rows: &[(&Digest, &'static [u8])]| {
        let mut request = Vec::new();
        let mut batch = BatchWriter::new(&mut request, &BatchHeader::default());
        for (index, &(digest, namespace)) in (0..).zip(rows) {
            let row = OperateRow {
                index,
                digest,
                namespace,
                set: SET,
                send_key: None,
                transaction: None,
                attributes,
            };
            batch.row(&row, EncodedOps { count: 1, bytes: &ops }).unwrap();
        }
        batch.finish().unwrap();
        request
    };
    let unknown = request(&[(&a, b"test"), (&b, b"nowhere"), (&c, b"test")]);
    assert_eq!(client.batch(&unknown).await, (vec![], 4));
    assert_eq!(
        [client.get("a").await.code(), client.get("b").await.code(), client.get("c").await.code()],
        [0, 2, 2]
    );
    assert_eq!(client.batch(&request(&[(&c, b"nowhere"), (&c, b"test")])).await, (vec![], 4));
    assert_eq!(client.get("c").await.code(), 2);
}

#[tokio::test]
async fn namespaces_are_separate() {
    let (_server, mut client) = server(Config { namespaces: vec!["one".into()], ..Config::default() }).await;
    // This server has no namespace `test`.
    assert_eq!(client.put("a", 1).await.code(), 20);
    assert_eq!(client.get("a").await.code(), 20);
}
