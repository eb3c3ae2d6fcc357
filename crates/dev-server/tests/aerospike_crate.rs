//! The `aerospike` crate works unchanged with this server: it connects, and its commands have the same effect
//! as on a real cluster.

use std::time::Duration;

use aerospike::{
    BatchDeletePolicy, BatchOperation, BatchPolicy, BatchReadPolicy, BatchWritePolicy, Bins, Client,
    ClientPolicy, Error, Expiration, GenerationPolicy, Key, ReadPolicy, RecordExistsAction, Replica,
    ResultCode, Value, WritePolicy, as_bin, as_blob, as_key, as_list, as_map, as_val, operations,
};
use dev_server::{Config, DevServer};

async fn connect(nodes: usize) -> (DevServer, Client) {
    let server = DevServer::start(Config { nodes, ..Config::default() }).await.unwrap();
    let hosts = server.addresses()[0].to_string();
    let client = Client::new(&ClientPolicy::default(), &hosts).await.unwrap();
    (server, client)
}

fn key(i: i64) -> Key {
    as_key!("test", "set", i)
}

fn code<T>(result: Result<T, Error>) -> Option<ResultCode> {
    result.err().and_then(|error| error.server_result_code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_record_commands() {
    let (_server, client) = connect(1).await;
    let (read, write) = (ReadPolicy::default(), WritePolicy::default());
    let bins = [
        as_bin!("i", -7),
        as_bin!("f", 1.5),
        as_bin!("s", "mid"),
        as_bin!("b", as_blob!(vec![1u8, 2])),
        as_bin!("t", true),
        as_bin!("l", as_list![1, "x"]),
        as_bin!("m", as_map!("k" => 1, "a" => 2)),
    ];
    assert!(!client.exists(&read, &key(1)).await.unwrap());
    client.put(&write, &key(1), &bins).await.unwrap();
    assert!(client.exists(&read, &key(1)).await.unwrap());
    let record = client.get(&read, &key(1), Bins::All).await.unwrap();
    assert_eq!((record.generation, record.time_to_live()), (1, None));
    for bin in &bins {
        assert_eq!(record.bins.get(&bin.name), Some(&bin.value));
    }
    let record = client.get(&read, &key(1), ["s", "nobin"]).await.unwrap();
    assert_eq!(record.bins.len(), 1);
    client.append(&write, &key(1), &[as_bin!("s", "-end")]).await.unwrap();
    client.prepend(&write, &key(1), &[as_bin!("s", "start-")]).await.unwrap();
    client.add(&write, &key(1), &[as_bin!("i", 10)]).await.unwrap();
    client
        .touch(&WritePolicy { expiration: Expiration::Seconds(100), ..write.clone() }, &key(1))
        .await
        .unwrap();
    let record = client.get(&read, &key(1), ["s", "i"]).await.unwrap();
    assert_eq!((record.bins["s"].clone(), record.bins["i"].clone()), (as_val!("start-mid-end"), as_val!(3)));
    assert_eq!(record.generation, 5);
    assert!(record.time_to_live().is_some_and(|left| left.as_secs().abs_diff(100) <= 1));
    assert_eq!(code(client.add(&write, &key(1), &[as_bin!("s", 1)]).await), Some(ResultCode::BinTypeError));
    assert!(client.delete(&write, &key(1)).await.unwrap());
    assert!(!client.delete(&write, &key(1)).await.unwrap());
    let missing = client.get(&read, &key(1), Bins::All).await;
    assert_eq!(code(missing), Some(ResultCode::KeyNotFoundError));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_and_operations() {
    let (server, client) = connect(1).await;
    let (read, write) = (ReadPolicy::default(), WritePolicy::default());
    let create = WritePolicy { record_exists_action: RecordExistsAction::CreateOnly, ..write.clone() };
    let update = WritePolicy { record_exists_action: RecordExistsAction::UpdateOnly, ..write.clone() };
    let bin = [as_bin!("i", 1)];
    assert_eq!(code(client.put(&update, &key(1), &bin).await), Some(ResultCode::KeyNotFoundError));
    client.put(&create, &key(1), &bin).await.unwrap();
    assert_eq!(code(client.put(&create, &key(1), &bin).await), Some(ResultCode::KeyExistsError));
    let equal = |generation| WritePolicy {
        generation,
        generation_policy: GenerationPolicy::ExpectGenEqual,
        ..write.clone()
    };
    assert_eq!(code(client.put(&equal(7), &key(1), &bin).await), Some(ResultCode::GenerationError));
    client.put(&equal(1), &key(1), &bin).await.unwrap();
    let ops =
        [operations::add(&as_bin!("i", 41)), operations::get_bin("i"), operations::put(&as_bin!("n", "new"))];
    let record = client.operate(&write, &key(1), &ops).await.unwrap();
    assert_eq!(record.generation, 3);
    let record = client.get(&read, &key(1), Bins::All).await.unwrap();
    assert_eq!((record.bins["i"].clone(), record.bins["n"].clone()), (as_val!(42), as_val!("new")));
    let brief = WritePolicy { expiration: Expiration::Seconds(10), ..write };
    client.put(&brief, &key(1), &bin).await.unwrap();
    server.advance_clock(Duration::from_secs(12));
    assert!(!client.exists(&read, &key(1)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_on_a_cluster() {
    let (server, client) = connect(3).await;
    let batch = BatchPolicy::default();
    let value = |i: i64| as_bin!("i", i);
    let mut writes: Vec<_> = (0..300)
        .map(|i| {
            BatchOperation::write(&BatchWritePolicy::default(), key(i), vec![operations::put(&value(i))])
        })
        .collect();
    client.batch(&batch, &mut writes).await.unwrap();
    assert!(writes.iter().all(|row| row.result_code() == Some(ResultCode::Ok)));
    let reads = || -> Vec<_> {
        (0..310).map(|i| BatchOperation::read(&BatchReadPolicy::default(), key(i), Bins::All)).collect()
    };
    let check = |rows: &[BatchOperation], from: i64| {
        for (i, row) in rows.iter().enumerate() {
            let there = (from..300).contains(&(i as i64));
            let code = if there { ResultCode::Ok } else { ResultCode::KeyNotFoundError };
            assert_eq!(row.result_code(), Some(code), "row {i}");
            let value = row.record().map(|record| record.bins["i"].clone());
            assert_eq!(value, there.then(|| Value::from(i as i64)));
        }
    };
    let mut rows = reads();
    client.batch(&batch, &mut rows).await.unwrap();
    check(&rows, 0);
    let mut deletes: Vec<_> =
        (0..10).map(|i| BatchOperation::delete(&BatchDeletePolicy::default(), key(i))).collect();
    client.batch(&batch, &mut deletes).await.unwrap();
    // A node dies, and the client learns the new map.
    server.kill(2).await.unwrap();
    eventually("the client sees that a node is gone", || client.nodes().len() == 2).await;
    let mut rows = reads();
    client.batch(&batch, &mut rows).await.unwrap();
    check(&rows, 10);
    // It comes back, partitions move, and no records are missing.
    server.restart(2).await.unwrap();
    eventually("the node is back", || client.nodes().len() == 3).await;
    for _ in 0..5 {
        server.move_partitions(1000).unwrap();
        let mut rows = reads();
        client.batch(&batch, &mut rows).await.unwrap();
        check(&rows, 10);
    }
    client.close().await.unwrap();
}

/// Waits until a condition holds.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(tokio::time::Instant::now() < deadline, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_from_the_clients_rack() {
    let config = Config { nodes: 4, racks: vec![1, 1, 2, 2], ..Config::default() };
    let server = DevServer::start(config).await.unwrap();
    let policy = ClientPolicy { rack_ids: Some(vec![2]), ..ClientPolicy::default() };
    let client = Client::new(&policy, &server.addresses()[0].to_string()).await.unwrap();
    eventually("it knows all nodes and their racks", || {
        let nodes = client.nodes();
        nodes.len() == 4 && nodes.iter().filter(|node| node.has_rack("test", 2)).count() == 2
    })
    .await;
    let mut read = ReadPolicy::default();
    read.base_policy.replica = Replica::PreferRack;
    for i in 0..50 {
        client.put(&WritePolicy::default(), &key(i), &[as_bin!("i", i)]).await.unwrap();
        client.get(&read, &key(i), Bins::All).await.unwrap();
    }
    let reads = |node| server.counters(node).unwrap().reads;
    assert_eq!((reads(0) + reads(1), reads(2) + reads(3)), (0, 50));
    assert!((0..4).all(|node| server.counters(node).unwrap().passed_on == 0));
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alternate_addresses_and_strong_consistency() {
    let config = Config {
        nodes: 2,
        access_host: Some("127.0.0.9".into()),
        alternate_host: Some("127.0.0.1".into()),
        strong_consistency: true,
        ..Config::default()
    };
    let server = DevServer::start(config).await.unwrap();
    let policy = ClientPolicy { use_services_alternate: true, ..ClientPolicy::default() };
    let client = Client::new(&policy, &server.addresses()[0].to_string()).await.unwrap();
    eventually("it knows both nodes", || client.nodes().len() == 2).await;
    for i in 0..50 {
        client.put(&WritePolicy::default(), &key(i), &[as_bin!("i", i)]).await.unwrap();
        let record = client.get(&ReadPolicy::default(), &key(i), Bins::All).await.unwrap();
        assert_eq!(record.bins["i"], Value::from(i));
    }
    assert!((0..2).all(|node| server.counters(node).unwrap().writes > 0));
    client.close().await.unwrap();
}
