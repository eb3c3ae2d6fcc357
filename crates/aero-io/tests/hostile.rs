//! Answers that are changed at random: nothing panics, no call exceeds its timeout, and the client recovers.

mod support;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aero_io::{Bins, Cluster, ClusterConfig, Key, Query, QueryPartitions, QueryPolicy, ReadPolicy, Space};
use support::mutate::Mutator;
use support::net::{Act, Net, Node};
use support::rows::Row;
use support::wire::{Request, answer, end, frame, query_record};
use support::{checks, config, connect, digest, keys, read, retries};
use tokio::time::Instant;
use wire_protocol::compressed::write_compressed;
use wire_protocol::digest::partition_id;

/// Calls or connections per test.
const TRIES: usize = 2_000;

const LIMIT: Duration = Duration::from_millis(50);

/// Timers have a resolution of milliseconds.
const TICK: Duration = Duration::from_millis(1);

/// Some connections close, some stay silent, some wait for more.
fn and_then(mutator: &mut Mutator, bytes: Vec<u8>) -> Vec<Act> {
    match mutator.below(4) {
        0 => vec![Act::Send(bytes), Act::Hang],
        1 => vec![Act::Send(bytes)],
        _ => vec![Act::Send(bytes), Act::Close],
    }
}

/// The whole answer in one compressed frame.
fn compressed(request: &Request) -> Vec<u8> {
    let frames = answer(request, |_| 0, 1);
    let mut out = Vec::new();
    // A batch's answer consists of two frames; the first has the records.
    let first = frames.len() - if request.is_batch { 30 } else { 0 };
    write_compressed(&mut out, &frames[..first]).unwrap();
    out.extend_from_slice(&frames[first..]);
    out
}

/// A cluster with one node, which may fail without limit and is used again.
async fn one_node() -> (Cluster, Arc<Node>) {
    let (net, nodes) = Net::cluster(1);
    let config = ClusterConfig { max_error_rate: 0, ..config(&["10.0.0.1:3000"]) };
    (Cluster::connect(config, net as _).await.unwrap(), Arc::clone(&nodes[0]))
}

#[tokio::test(start_paused = true)]
async fn batches() {
    for compress in [false, true] {
        let (cluster, node) = one_node().await;
        let mut mutator = Mutator::new(1);
        node.on_request(move |request| {
            let whole = if compress { compressed(request) } else { answer(request, |_| 0, 1) };
            let bytes = mutator.mutate(whole);
            and_then(&mut mutator, bytes)
        });
        let mut policy = retries(2);
        policy.limits.total_timeout = Some(LIMIT);
        policy.limits.compress = compress;
        let mut whole = 0;
        for _ in 0..TRIES {
            let start = Instant::now();
            let (_, rows) = read(&cluster, &keys(8), policy.clone()).await;
            assert!(!rows.all().contains(&Row::Untouched), "every row has a code");
            assert!(start.elapsed() <= LIMIT + TICK);
            whole += rows.count(0);
        }
        assert!(whole > TRIES, "{whole} rows were read");
        node.on_request(move |request| {
            vec![Act::Send(if compress { compressed(request) } else { answer(request, |_| 0, 5) })]
        });
        checks(3).await;
        let (outcome, rows) = read(&cluster, &keys(8), policy).await;
        outcome.unwrap();
        assert_eq!(rows.count(0), 8);
    }
}

#[tokio::test(start_paused = true)]
async fn single_records() {
    for compress in [false, true] {
        let (cluster, node) = one_node().await;
        let mut mutator = Mutator::new(2);
        node.on_request(move |request| {
            let whole = if compress { compressed(request) } else { answer(request, |_| 0, 1) };
            let bytes = mutator.mutate(whole);
            and_then(&mut mutator, bytes)
        });
        let key = Key::from_digest(Space::new("test", "set"), digest(0, 1));
        let mut policy = ReadPolicy::default();
        policy.limits.total_timeout = Some(LIMIT);
        policy.limits.compress = compress;
        let mut found = 0;
        for _ in 0..TRIES {
            let start = Instant::now();
            if let Ok(answer) = cluster.read(&key, &Bins::All, &policy).await {
                assert!(answer.ops().count() <= usize::from(answer.n_ops));
                found += 1;
            }
            assert!(start.elapsed() <= LIMIT + TICK);
        }
        assert!(found > TRIES / 10, "{found} records were read");
    }
}

/// The answer to a query: two records of each requested partition, below those that were sent before.
fn records(request: &Request) -> Vec<u8> {
    let scope = request.query.clone().unwrap();
    let mut frames = Vec::new();
    for partition in scope.partitions {
        let records: Vec<_> = [9, 4].map(|n| query_record(&digest(partition.into(), n))).into();
        frames.extend(frame(&records));
    }
    for after in scope.after {
        let (partition, n) = (partition_id(&after), u32::from(after[2]));
        let records: Vec<_> = (0..n.min(2)).map(|m| query_record(&digest(partition, n - 1 - m))).collect();
        frames.extend(frame(&records));
    }
    frames.extend(frame(&[end(0)]));
    frames
}

#[tokio::test(start_paused = true)]
async fn queries() {
    let (cluster, node) = one_node().await;
    let mut mutator = Mutator::new(5);
    node.on_request(move |request| {
        let bytes = mutator.mutate(records(request));
        and_then(&mut mutator, bytes)
    });
    let mut policy = QueryPolicy::default();
    policy.limits.total_timeout = Some(LIMIT);
    let query = Query {
        space: Space::new("test", ""),
        bins: Bins::All,
        every_record: false,
        operations: None,
        predicate: None,
        policy,
        partitions: QueryPartitions::range(7, 3).unwrap(),
        max_records: 0,
        records_per_second: 0,
    };
    let (mut whole, mut failed) = (0, 0);
    for _ in 0..TRIES {
        let start = Instant::now();
        let mut stream = cluster.query(query.clone());
        let mut found = Vec::new();
        let outcome = loop {
            match stream.next().await {
                Ok(Some(block)) => found.extend(block.records().map(|record| *record.digest)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert!(start.elapsed() <= LIMIT + TICK);
        let distinct: HashSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "records were received twice");
        assert!(found.iter().all(|digest| (7..10).contains(&partition_id(digest))));
        match outcome {
            Ok(()) => whole += 1,
            Err(_) => failed += 1,
        }
    }
    assert!(whole > TRIES / 10 && failed > TRIES / 20, "{whole} ended, {failed} failed");
    node.on_request(|request| vec![Act::Send(records(request))]);
    checks(3).await;
    // The last answer may have been complete, with the connection hanging after it.
    if cluster.query(query.clone()).next().await.is_err() {
        let block = cluster.query(query).next().await.unwrap().unwrap();
        assert_eq!(block.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn connecting() {
    let mutator = Arc::new(Mutex::new(Mutator::new(3)));
    let mut connected = 0;
    for _ in 0..TRIES {
        let (net, nodes) = Net::cluster(2);
        for node in &nodes {
            let mutator = Arc::clone(&mutator);
            node.on_info(move |bytes| mutator.lock().unwrap().mutate(bytes));
        }
        let start = Instant::now();
        // A few connect timeouts, and the wait for a cluster without partitions.
        let outcome = Cluster::connect(config(&["10.0.0.1:3000"]), Arc::clone(&net) as _).await;
        assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
        match outcome {
            Ok(cluster) => {
                connected += 1;
                let start = Instant::now();
                let mut policy = retries(2);
                policy.limits.total_timeout = Some(LIMIT);
                let (_, rows) = read(&cluster, &keys(8), policy).await;
                assert!(!rows.all().contains(&Row::Untouched));
                assert!(start.elapsed() <= LIMIT + TICK);
            }
            Err(error) => assert!(error.to_string().contains("10.0.0.1:3000"), "{error}"),
        }
    }
    assert!(connected > TRIES / 10 && connected < TRIES, "{connected} were connected");
}

#[tokio::test(start_paused = true)]
async fn watching() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    for (i, node) in nodes.iter().enumerate() {
        let mut mutator = Mutator::new(10 + i as u64);
        node.on_info(move |bytes| mutator.mutate(bytes));
    }
    let mut policy = retries(2);
    policy.limits.total_timeout = Some(LIMIT);
    for _ in 0..TRIES / 10 {
        checks(1).await;
        let start = Instant::now();
        let (_, rows) = read(&cluster, &keys(30), policy.clone()).await;
        assert!(!rows.all().contains(&Row::Untouched));
        assert!(start.elapsed() <= LIMIT + TICK);
    }
    // The client recovers when the answers are correct again.
    for node in &nodes {
        node.on_info(|answer| answer);
        node.know(&nodes);
    }
    checks(20).await;
    let (outcome, rows) = read(&cluster, &keys(300), policy).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 300);
}
