//! Queries: refusals, limits, users, nodes that do not hold a partition, clients that do not read. Recorded
//! queries are replayed in `replay`.

mod support;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use dev_server::{CommandKind, Config, DevServer, Fault, FaultRule, User};
use support::{Client, PATIENCE, SET, bin, digest, keys};
use tokio::io::AsyncReadExt as _;
use wire_protocol::ResultCode;
use wire_protocol::command::Projection;
use wire_protocol::command::{WriteOp, WriteOptions};
use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::message::{FrameHeader, Message, Op, field_type, info1, info2, info3, op, write_field};
use wire_protocol::particle::Particle;
use wire_protocol::query::{QueryAnswer, QueryAnswers, QueryDuration, QueryRequest, write_query};
use wire_protocol::security::{Login, write_login};

fn all_partitions() -> Vec<u16> {
    (0..4096).collect()
}

fn request<'a>(partitions: &'a [u16], after: &'a [Digest]) -> QueryRequest<'a> {
    QueryRequest {
        namespace: b"test",
        set: SET,
        projection: Projection::All,
        every_record: false,
        operations: None,
        predicate: None,
        index_values: &[],
        partitions,
        after,
        max_records: 0,
        records_per_second: 0,
        socket_timeout_ms: 30_000,
        // The server chooses one.
        task_id: 0,
        duration: QueryDuration::Long,
        info1: 0,
        info3: 0,
        ttl: 0,
        filter: &[],
    }
}

fn bytes(request: &QueryRequest<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_query(&mut out, request).unwrap();
    out
}

/// The answer to a query: records in order, refused partitions, the code at the end.
#[derive(Debug, Default, PartialEq)]
struct QueryResult {
    digests: Vec<Digest>,
    refused: Vec<(u16, u8)>,
    code: u8,
}

async fn ask(client: &mut Client, request: &[u8]) -> QueryResult {
    client.send(request).await;
    let mut result = QueryResult::default();
    loop {
        let frame = client.frame().await;
        for answer in QueryAnswers::new(&frame[FrameHeader::LEN..]) {
            match answer.unwrap() {
                QueryAnswer::Record(record) => result.digests.push(*record.digest),
                QueryAnswer::Partition { partition, code } => result.refused.push((partition, code.get())),
                QueryAnswer::End { code, .. } => {
                    result.code = code.get();
                    return result;
                }
            }
        }
    }
}

async fn start(config: Config, records: usize) -> (DevServer, Client, Vec<Digest>) {
    let server = DevServer::start(config).await.unwrap();
    let mut client = Client::connect(server.addresses()[0]).await;
    let keys = keys(records);
    for (value, key) in (0..).zip(&keys) {
        assert_eq!(client.put(key, value).await.code(), 0);
    }
    let mut digests: Vec<_> = keys.iter().map(|key| digest(key)).collect();
    // By partition, each in descending order of its digests.
    digests.sort_by_key(|digest| (partition_id(digest), std::cmp::Reverse(*digest)));
    (server, client, digests)
}

#[tokio::test]
async fn records_are_ordered_so_that_a_query_can_continue() {
    let (server, mut client, all) = start(Config::default(), 3_000).await;
    assert_eq!(ask(&mut client, &bytes(&request(&all_partitions(), &[]))).await.digests, all);
    // Pages of any size, each continued after the last digest of each partition.
    for size in [1, 100, 999, 2_999, 3_000, 3_001] {
        let (mut found, mut after): (Vec<Digest>, Vec<Digest>) = (Vec::new(), Vec::new());
        for _ in 0..if size == 1 { 20 } else { 40 } {
            let begun: Vec<_> = after.iter().map(|digest| partition_id(digest) as u16).collect();
            let rest: Vec<u16> =
                all_partitions().into_iter().filter(|partition| !begun.contains(partition)).collect();
            let page = bytes(&QueryRequest { max_records: size, ..request(&rest, &after) });
            let page = ask(&mut client, &page).await.digests;
            assert_eq!(page.len(), (size as usize).min(3_000 - found.len()));
            for digest in &page {
                after.retain(|other| partition_id(other) != partition_id(digest));
                after.push(*digest);
            }
            found.extend(page);
        }
        assert_eq!(found, all[..found.len()], "{size}");
    }
    let counters = server.counters(0).unwrap();
    assert!(counters.queries > 200 && counters.query_records > 15_000, "{counters}");
}

/// The records of an answer: digest, and the bins as operation code, name and particle type.
async fn bins_of(client: &mut Client, request: &QueryRequest<'_>) -> Vec<(Digest, Vec<(u8, String, u8)>)> {
    client.send(&bytes(request)).await;
    let mut records = Vec::new();
    loop {
        let frame = client.frame().await;
        for answer in QueryAnswers::new(&frame[FrameHeader::LEN..]) {
            match answer.unwrap() {
                QueryAnswer::Record(record) => {
                    let bin = |op: Op<'_>| {
                        (op.code, String::from_utf8_lossy(op.name).into_owned(), op.particle_type)
                    };
                    records.push((*record.digest, record.ops().map(bin).collect()));
                }
                QueryAnswer::Partition { partition, .. } => panic!("partition {partition} was refused"),
                QueryAnswer::End { code, .. } => {
                    assert_eq!(code.get(), 0);
                    return records;
                }
            }
        }
    }
}

#[tokio::test]
async fn records_without_any_of_the_bins_come_if_every_result_is_wanted() {
    let (_server, mut client, all) = start(Config::default(), 100).await;
    for key in keys(100).iter().step_by(2) {
        let ops = [bin(op::WRITE, "j", Particle::Str(b"x"))];
        assert_eq!(client.write(key, &ops, &WriteOptions::default()).await.code(), 0);
    }
    let with_j: HashSet<Digest> = keys(100).iter().step_by(2).map(|key| digest(key)).collect();
    let partitions = all_partitions();
    let (j, both): ([&[u8]; 1], [&[u8]; 4]) = ([b"j"], [b"none", b"j", b"i", b"j"]);
    let found = |code: u8, name: &str, kind: u8| (code, name.to_owned(), kind);
    let plain = QueryRequest { projection: Projection::Bins(&j), ..request(&partitions, &[]) };
    let every = QueryRequest { every_record: true, ..plain };

    // A list of bins alone leaves them out.
    let listed = bins_of(&mut client, &plain).await;
    assert!(listed.iter().all(|(digest, bins)| with_j.contains(digest) && *bins == [found(1, "j", 3)]));
    assert_eq!(listed.len(), 50);
    for duration in [QueryDuration::Long, QueryDuration::Short] {
        let records = bins_of(&mut client, &QueryRequest { duration, ..every }).await;
        assert_eq!(records.iter().map(|(digest, _)| *digest).collect::<Vec<_>>(), all);
        for (digest, bins) in records {
            let kind = if with_j.contains(&digest) { 3 } else { 0 };
            assert_eq!(bins, [found(1, "j", kind)]);
        }
    }
    // One result for each operation, in their order, also where a bin comes twice.
    for (digest, bins) in
        bins_of(&mut client, &QueryRequest { projection: Projection::Bins(&both), ..every }).await
    {
        let kind = if with_j.contains(&digest) { 3 } else { 0 };
        let expected = [found(1, "none", 0), found(1, "j", kind), found(1, "i", 1), found(1, "j", kind)];
        assert_eq!(bins, expected);
    }
    // Without bins, operations do not matter.
    let headers = bins_of(&mut client, &QueryRequest { info1: info1::NO_BINS, ..every }).await;
    assert!(headers.len() == 100 && headers.iter().all(|(_, bins)| bins.is_empty()));
    // The records that are left out count for `max_records`.
    let limited = bins_of(&mut client, &QueryRequest { max_records: 30, ..every }).await;
    let few = bins_of(&mut client, &QueryRequest { max_records: 30, ..plain }).await;
    let expected = limited.iter().filter(|(digest, _)| with_j.contains(digest));
    assert_eq!((limited.len(), &few), (30, &expected.cloned().collect::<Vec<_>>()));
    assert!(few.len() < 30);
}

#[tokio::test]
async fn expired_and_deleted_records_are_left_out() {
    let (server, mut client, all) = start(Config { sweep_period: 0, ..Config::default() }, 100).await;
    let mortal = WriteOptions { ttl: 100, ..WriteOptions::default() };
    assert_eq!(client.put_with("key-3", 1, &mortal).await.code(), 0);
    assert_eq!(client.delete("key-4", &WriteOptions::default()).await.code(), 0);
    server.advance_clock(Duration::from_secs(200));
    let found = ask(&mut client, &bytes(&request(&all_partitions(), &[]))).await.digests;
    let expected: Vec<_> =
        all.into_iter().filter(|one| ![digest("key-3"), digest("key-4")].contains(one)).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn unsupported_and_invalid_queries_are_refused_with_the_codes_of_the_server() {
    let (_server, mut client, _) = start(Config::default(), 1).await;
    let partitions = [5];
    let plain = request(&partitions, &[]);
    let code = |result: QueryResult| result.code;
    // One that is cut off, and one whose value is no bool.
    let (cut_off, number) = ([0x93], [7]);
    assert_eq!(code(ask(&mut client, &bytes(&QueryRequest { namespace: b"no", ..plain })).await), 20);
    for filter in [&cut_off[..], &number] {
        assert_eq!(code(ask(&mut client, &bytes(&QueryRequest { filter, ..plain })).await), 4);
    }
    // An incomplete predicate, an operation that modifies, and a background query that reads.
    let mut with_index = bytes(&plain);
    write_field(&mut with_index, 22, b"\x01");
    let mut body = with_index.split_off(FrameHeader::LEN);
    body[19] += 1;
    let size = body.len();
    with_index[4..8].copy_from_slice(&(size as u32).to_be_bytes());
    with_index.extend(body);
    assert_eq!(code(ask(&mut client, &with_index).await), 4);
    let bins: [&[u8]; 1] = [b"i"];
    let mut modifies = bytes(&QueryRequest { projection: Projection::Bins(&bins), ..plain });
    let at = modifies.len() - 5;
    assert_eq!(modifies[at], op::READ);
    modifies[at] = op::CDT_MODIFY;
    assert_eq!(code(ask(&mut client, &modifies).await), 4);
    let mut write = bytes(&plain);
    write[FrameHeader::LEN + 2] |= info2::WRITE;
    assert_eq!(code(ask(&mut client, &write).await), 4);
    // A query of an old client without partitions, and one that names a partition twice.
    let mut old = bytes(&plain);
    old[FrameHeader::LEN + 3] &= !info3::PARTITION_DONE;
    assert_eq!(code(ask(&mut client, &old).await), 16);
    let twice = [5, 6, 5];
    assert_eq!(code(ask(&mut client, &bytes(&request(&twice, &[]))).await), 4);
    // Invalid names.
    for (length, expected) in [(63, 0), (64, 4)] {
        let set = vec![b'x'; length];
        assert_eq!(code(ask(&mut client, &bytes(&QueryRequest { set: &set, ..plain })).await), expected);
    }
    for (name, expected) in [(&b"fifteen-letters"[..], 0), (b"sixteen--letters", 4), (b"a\0b", 4)] {
        let bins = [name];
        let named = QueryRequest { projection: Projection::Bins(&bins), ..plain };
        assert_eq!(code(ask(&mut client, &bytes(&named)).await), expected, "{name:?}");
    }
    let short = QueryRequest { duration: QueryDuration::Short, records_per_second: 9, ..plain };
    assert_eq!(code(ask(&mut client, &bytes(&short)).await), 4);
    // The connection stays usable.
    assert_eq!(ask(&mut client, &bytes(&plain)).await.code, 0);
}

#[tokio::test]
async fn partitions_of_other_nodes_are_reported() {
    for strong_consistency in [false, true] {
        let config = Config { nodes: 3, strong_consistency, ..Config::default() };
        let (server, mut client, all) = start(config, 500).await;
        let (mut found, mut held) = (Vec::new(), 0);
        for &address in &server.addresses() {
            let mut client = Client::connect(address).await;
            let result = ask(&mut client, &bytes(&request(&all_partitions(), &[]))).await;
            assert!(result.refused.iter().all(|&(_, code)| code == 11) && result.code == 0);
            held += 4096 - result.refused.len();
            found.extend(result.digests);
        }
        // Every holder of a partition answers for it; with strong consistency only its master.
        let copies = if strong_consistency { 1 } else { 2 };
        assert_eq!((found.len(), held), (copies * all.len(), copies * 4096));
        // With a fault rule, the node answers as if it held no partition.
        let rule = FaultRule {
            command: Some(CommandKind::Query),
            ..FaultRule::new(Fault::RowCode(ResultCode::PARTITION_UNAVAILABLE))
        };
        server.inject(Some(0), rule).unwrap();
        let result = ask(&mut client, &bytes(&request(&all_partitions(), &[]))).await;
        assert_eq!((result.digests.len(), result.refused.len(), result.code), (0, 4096, 0));
    }
}

#[tokio::test]
async fn the_rate_is_limited() {
    let (_server, mut client, all) = start(Config::default(), 300).await;
    let start = Instant::now();
    let limited = bytes(&QueryRequest { records_per_second: 300, ..request(&all_partitions(), &[]) });
    assert_eq!(ask(&mut client, &limited).await.digests, all);
    let took = start.elapsed();
    assert!((Duration::from_millis(800)..Duration::from_secs(15)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_little_and_is_dropped() {
    let server = DevServer::start(Config::default()).await.unwrap();
    let mut client = Client::connect(server.addresses()[0]).await;
    let blob = vec![1; 500_000];
    for key in keys(200) {
        let write = [WriteOp { code: op::WRITE, name: b"b", value: Particle::Blob(&blob) }];
        assert_eq!(client.write(&key, &write, &WriteOptions::default()).await.code(), 0);
    }
    let partitions = all_partitions();
    client.send(&bytes(&QueryRequest { socket_timeout_ms: 300, ..request(&partitions, &[]) })).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Only what fits into the sockets' buffers, and one frame: not 100 MB.
    let sent = server.counters(0).unwrap().query_records;
    assert!((1..100).contains(&sent), "{sent}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(server.counters(0).unwrap().connections_open, 0);
    let read = async {
        let mut rest = vec![0; 1 << 20];
        while !matches!(client.0.read(&mut rest).await, Ok(0) | Err(_)) {}
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the connection was closed");
}

#[tokio::test]
async fn queries_need_a_role_that_reads() {
    let users =
        vec![User::new("ann", "secret", &["read"]).unwrap(), User::new("ben", "secret", &["write"]).unwrap()];
    let server = DevServer::start(Config { users, ..Config::default() }).await.unwrap();
    let hash: &[u8] = b"$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb.";
    let partitions = all_partitions();
    let query = bytes(&request(&partitions, &[]));
    for (user, code) in [(None, 80), (Some("ann"), 0), (Some("ben"), 81)] {
        let mut client = Client::connect(server.addresses()[0]).await;
        if let Some(user) = user {
            let mut login = Vec::new();
            write_login(&mut login, &Login::Internal { user, hash }).unwrap();
            client.send(&login).await;
            client.frame().await;
        }
        assert_eq!(ask(&mut client, &query).await.code, code, "{user:?}");
    }
}

#[tokio::test]
async fn a_short_query_is_one_frame() {
    let (_server, mut client, all) = start(Config::default(), 50).await;
    let partitions = all_partitions();
    client.send(&bytes(&QueryRequest { duration: QueryDuration::Short, ..request(&partitions, &[]) })).await;
    let frame = client.frame().await;
    let count = QueryAnswers::new(&frame[FrameHeader::LEN..]).count();
    assert_eq!(count, all.len() + 1);
    let (first, _) = Message::parse(&frame[FrameHeader::LEN..]).unwrap();
    assert_eq!(first.field(field_type::DIGEST), Some(&all[0][..]));
    assert_eq!(first.header.info1 & info1::NO_BINS, 0);
}
