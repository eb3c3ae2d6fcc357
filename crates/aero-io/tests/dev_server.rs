//! Against the embedded node, over real sockets, with the `aerospike` crate as oracle.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aero_io::{
    BatchKeys, BatchPolicy, BatchRead, Bins, Cluster, ClusterConfig, Exists, Generation, Key, OwnedKey,
    ReadPolicy, Replica, Seed, Space, TcpTransport, WriteOp, WritePolicy,
};
use aerospike::{Bin, Client, ClientPolicy, Value};
use dev_server::{Config, DevServer};
use support::read;
use support::rows::{Row, Rows};
use wire_protocol::message::op;
use wire_protocol::msgpack;
use wire_protocol::particle::Particle;

async fn start(nodes: usize) -> (DevServer, Cluster) {
    let server = DevServer::start(Config { nodes, ..Config::default() }).await.unwrap();
    let seeds = server.addresses().iter().map(|at| Seed::new(at.ip().to_string(), at.port())).collect();
    let config = ClusterConfig { seeds, tend_interval: Duration::from_millis(100), ..Default::default() };
    let cluster = Cluster::connect(config, Arc::new(TcpTransport)).await.unwrap();
    (server, cluster)
}

async fn oracle(server: &DevServer) -> Client {
    Client::new(&ClientPolicy::default(), &server.addresses()[0].to_string()).await.unwrap()
}

fn key(i: i64) -> Key {
    Key::new(Space::new("test", "oracle"), OwnedKey::Int(i), false)
}

fn oracle_key(i: i64) -> aerospike::Key {
    aerospike::Key::new("test", "oracle", Value::Int(i)).unwrap()
}

/// A list of every kind of element, as msgpack.
fn list() -> Vec<u8> {
    let mut out = Vec::new();
    msgpack::write_list_header(&mut out, 4);
    msgpack::write_int(&mut out, -70_000);
    msgpack::write_str(&mut out, "zwölf".as_bytes());
    msgpack::write_float(&mut out, 0.25);
    msgpack::write_list_header(&mut out, 1);
    msgpack::write_blob(&mut out, &[0, 255]);
    out
}

fn map() -> Vec<u8> {
    let mut out = Vec::new();
    msgpack::write_map_header(&mut out, 1);
    msgpack::write_str(&mut out, b"k");
    msgpack::write_int(&mut out, 300);
    out
}

/// A bin of each type: its value for the oracle, and as a particle.
fn bins<'a>(list: &'a [u8], map: &'a [u8]) -> Vec<(&'static str, Value, Particle<'a>)> {
    let blob = Value::Blob(vec![0, 1, 254, 255]);
    let elements = vec![
        Value::Int(-70_000),
        Value::from("zwölf"),
        Value::from(0.25),
        Value::List(vec![Value::Blob(vec![0, 255])]),
    ];
    let entries = [(Value::from("k"), Value::Int(300))].into_iter().collect();
    vec![
        ("int", Value::Int(i64::MIN), Particle::Int(i64::MIN)),
        ("float", Value::from(-2.5e-300), Particle::Float(-2.5e-300)),
        ("str", Value::from("grüße"), Particle::Str("grüße".as_bytes())),
        ("blob", blob, Particle::Blob(&[0, 1, 254, 255])),
        ("bool", Value::Bool(true), Particle::Bool(true)),
        ("list", Value::List(elements), Particle::List(list)),
        ("map", Value::OrderedMap(entries), Particle::Map(map)),
        ("geo", Value::GeoJson(POINT.into()), Particle::GeoJson(POINT.as_bytes())),
    ]
}

const POINT: &str = r#"{"type":"Point","coordinates":[-122.0,37.5]}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_the_aerospike_crate_are_read() {
    let (server, cluster) = start(1).await;
    let oracle = oracle(&server).await;
    let (list, map) = (list(), map());
    let bins = bins(&list, &map);
    let written: Vec<Bin> = bins.iter().map(|(name, value, _)| Bin::new(*name, value.clone())).collect();
    let policy = aerospike::WritePolicy::default();
    for i in 0..50 {
        oracle.put(&policy, &oracle_key(i), &written).await.unwrap();
    }

    let answer = cluster.read(&key(3), &Bins::All, &ReadPolicy::default()).await.unwrap();
    assert_eq!((answer.generation, answer.void_time, usize::from(answer.n_ops)), (1, 0, bins.len()));
    for (name, _, particle) in &bins {
        let found = answer.ops().find(|op| op.name == name.as_bytes()).unwrap();
        assert_eq!(found.particle().unwrap(), *particle, "{name}");
    }
    let selected =
        cluster.read(&key(3), &Bins::names(["int", "none"]), &ReadPolicy::default()).await.unwrap();
    assert_eq!(selected.ops().next().unwrap().particle(), Ok(Particle::Int(i64::MIN)));
    let header = cluster.read(&key(3), &Bins::Header, &ReadPolicy::default()).await.unwrap();
    assert_eq!((header.generation, header.n_ops), (1, 0));

    // The batch finds the same, and what is not there.
    let digests: Vec<_> = (0..60).map(|i| key(i).digest).collect();
    let keys = Arc::new(BatchKeys::single(Space::new("test", "oracle"), digests));
    let (outcome, rows) = read(&cluster, &keys, BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(2)), (50, 10));
    for i in 0..50 {
        let Row::Record { bins: found, generation: 1, .. } = rows.get(i) else { panic!("{:?}", rows.get(i)) };
        assert_eq!(found.len(), bins.len());
        for (name, _, particle) in &bins {
            let (_, kind, bytes) = found.iter().find(|(found, ..)| found == name.as_bytes()).unwrap();
            assert_eq!(Particle::parse(*kind, bytes).unwrap(), *particle, "{name}");
        }
    }
    // Selected bins, and none at all.
    let rows = Rows::new(60);
    let request = BatchRead { bins: Bins::names(["float"]), ..Default::default() };
    cluster.batch_read(Arc::clone(&keys), Arc::new(request), Arc::clone(&rows)).await.unwrap();
    let Row::Record { bins: found, .. } = rows.get(7) else { panic!() };
    assert_eq!(found, [(b"float".to_vec(), 2, (-2.5e-300f64).to_be_bytes().to_vec())]);
    for bins in [Bins::Header, Bins::Names(Vec::new())] {
        let rows = Rows::new(60);
        let request = BatchRead { bins, ..Default::default() };
        cluster.batch_read(Arc::clone(&keys), Arc::new(request), Arc::clone(&rows)).await.unwrap();
        assert_eq!(rows.get(7), Row::Record { code: 0, generation: 1, void_time: 0, bins: Vec::new() });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_aerospike_crate_reads_what_was_written() {
    let (server, cluster) = start(1).await;
    let oracle = oracle(&server).await;
    let (list, map) = (list(), map());
    let bins = bins(&list, &map);
    let ops: Vec<WriteOp<'_>> = bins
        .iter()
        .map(|(name, _, value)| WriteOp { code: op::WRITE, name: name.as_bytes(), value: *value })
        .collect();
    let policy = WritePolicy { ttl: 3_600, ..WritePolicy::default() };
    let written = cluster.write(&key(1), &ops, &policy).await.unwrap();
    assert_eq!(written.generation, 1);
    let record =
        oracle.get(&aerospike::ReadPolicy::default(), &oracle_key(1), aerospike::Bins::All).await.unwrap();
    assert_eq!(record.generation, 1);
    assert!((3_590..=3_600).contains(&record.time_to_live().unwrap().as_secs()));
    assert_eq!(record.bins.len(), bins.len());
    for (name, value, _) in &bins {
        assert_eq!(record.bins.get(*name), Some(value), "{name}");
    }

    // Conditions of writes have the server's own codes.
    let put = async |policy: WritePolicy| {
        let ops = [WriteOp { code: op::INCREMENT, name: b"n", value: Particle::Int(1) }];
        cluster.write(&key(2), &ops, &policy).await.map_err(|error| error.code())
    };
    let with = |exists, generation| WritePolicy { exists, generation, ..WritePolicy::default() };
    assert_eq!(put(with(Exists::Update, Generation::Ignore)).await.unwrap_err(), 2);
    put(with(Exists::Create, Generation::Ignore)).await.unwrap();
    assert_eq!(put(with(Exists::Create, Generation::Ignore)).await.unwrap_err(), 5);
    assert_eq!(put(with(Exists::Ignore, Generation::Equal(7))).await.unwrap_err(), 3);
    assert_eq!(put(with(Exists::Ignore, Generation::Equal(1))).await.unwrap().generation, 2);
    let record =
        oracle.get(&aerospike::ReadPolicy::default(), &oracle_key(2), aerospike::Bins::All).await.unwrap();
    assert_eq!(record.bins.get("n"), Some(&Value::Int(2)));

    assert!(oracle.exists(&aerospike::ReadPolicy::default(), &oracle_key(1)).await.unwrap());
    cluster.delete(&key(1), &WritePolicy::default()).await.unwrap();
    assert!(!oracle.exists(&aerospike::ReadPolicy::default(), &oracle_key(1)).await.unwrap());
    assert_eq!(cluster.delete(&key(1), &WritePolicy::default()).await.unwrap_err().code(), 2);
}

/// Writes `n` records of one integer bin.
async fn fill(cluster: &Cluster, n: i64) -> Arc<BatchKeys> {
    let cluster = &cluster;
    futures_util::future::join_all((0..8).map(|part| async move {
        for i in (part..n).step_by(8) {
            let ops = [WriteOp { code: op::WRITE, name: b"i", value: Particle::Int(i) }];
            cluster.write(&key(i), &ops, &WritePolicy::default()).await.unwrap();
        }
    }))
    .await;
    let digests: Vec<_> = (0..n).map(|i| key(i).digest).collect();
    Arc::new(BatchKeys::single(Space::new("test", "oracle"), digests))
}

/// Rows with another value than their number.
fn wrong(rows: &Rows) -> usize {
    let is_wrong = |(i, row): &(usize, Row)| match row {
        Row::Record { code: 0, bins, .. } => bins[0].2 != (*i as i64).to_be_bytes(),
        _ => false,
    };
    rows.all().into_iter().enumerate().filter(is_wrong).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_are_one_cluster() {
    let (server, cluster) = start(3).await;
    assert_eq!(cluster.node_names().len(), 3);
    let keys = fill(&cluster, 5_000).await;
    let oracle = oracle(&server).await;
    let record = oracle
        .get(&aerospike::ReadPolicy::default(), &oracle_key(4_321), aerospike::Bins::All)
        .await
        .unwrap();
    assert_eq!(record.bins.get("i"), Some(&Value::Int(4_321)));
    for replica in [Replica::Sequence, Replica::Master, Replica::Any] {
        let mut policy = BatchPolicy::default();
        policy.limits.replica = replica;
        let (outcome, rows) = read(&cluster, &keys, policy).await;
        outcome.unwrap();
        assert_eq!((rows.count(0), wrong(&rows)), (5_000, 0));
    }
    let spaces = vec![Space::new("test", "oracle"), Space::new("bar", "oracle"), Space::new("no", "")];
    let digests: Vec<_> = (0..300).map(|i| key(i).digest).collect();
    let mixed = BatchKeys::mixed(spaces, (0..300).map(|i| i % 3).collect(), digests).unwrap();
    let (outcome, rows) = read(&cluster, &Arc::new(mixed), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(2), rows.count(20)), (100, 100, 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_is_lost_while_a_node_dies_and_comes_back() {
    let (server, cluster) = start(3).await;
    let keys = fill(&cluster, 900).await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (cluster, stop) = (cluster.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut calls = 0;
            while !stop.load(Ordering::Acquire) {
                let (outcome, rows) = read(&cluster, &keys, BatchPolicy::default()).await;
                outcome.unwrap();
                assert_eq!((rows.count(0), wrong(&rows)), (900, 0));
                calls += 1;
            }
            calls
        })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.kill(1).await.unwrap();
    eventually("the dead node is forgotten", || cluster.node_names().len() == 2).await;
    server.restart(1).await.unwrap();
    eventually("it is found again", || cluster.node_names().len() == 3).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::Release);
    assert!(load.await.unwrap() > 3);
}

/// Waits for what happens soon.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_node_is_hedged() {
    let (server, cluster) = start(3).await;
    let keys = fill(&cluster, 300).await;
    server.pause(2).await.unwrap();
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys, BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), wrong(&rows)), (300, 0));
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
    // From then on it costs nothing any more.
    assert!(cluster.stats().nodes[2].suspect);
    let hedges = cluster.stats().hedges;
    assert!((1..=2).contains(&hedges), "{hedges}");
    for _ in 0..20 {
        let (outcome, rows) = read(&cluster, &keys, BatchPolicy::default()).await;
        outcome.unwrap();
        assert_eq!(rows.count(0), 300);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(cluster.stats().hedges, hedges);
    server.resume(2).await.unwrap();
    eventually("it is trusted again", || !cluster.stats().nodes[2].suspect).await;
}
