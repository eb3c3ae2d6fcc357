//! Queries while nodes fail: every record arrives exactly once.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aero_io::{CANCELLED, Error, Query, QueryPolicy, Replica};
use dev_server::{CommandKind, Config, Fault, FaultRule};
use support::net::Act;
use support::queries::{Received, all, fill, nodes, query, start, total, with};
use support::wire::{Request, end, frame, record_of as record};
use support::{MS, digest, one_node};
use wire_protocol::ResultCode;
use wire_protocol::message::{MessageHeader, info3};

fn faults(fault: Fault, times: u32) -> FaultRule {
    FaultRule { fault, command: Some(CommandKind::Query), times: Some(times) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_loses_and_repeats_no_record() {
    let (server, cluster) = nodes(3).await;
    let expected = fill(&cluster, 3_000, 200).await;
    for fault in [
        Fault::Close,
        Fault::CloseMidFrame,
        Fault::Garbage,
        Fault::HugeFrame,
        Fault::Silent,
        Fault::Code(ResultCode::TIMEOUT),
        Fault::Code(ResultCode::KEY_BUSY),
        Fault::Code(ResultCode::QUERY_QUEUE_FULL),
        Fault::RowCode(ResultCode::PARTITION_UNAVAILABLE),
    ] {
        let mut policy = QueryPolicy::default();
        policy.limits.socket_timeout = 200 * MS;
        let before = total(&server, |counters| counters.faults);
        server.inject(None, faults(fault, 2)).unwrap();
        let received = all(&cluster, with(policy)).await;
        received.unwrap_or_else(|error| panic!("{fault:?}: {error}")).is_exactly(&expected);
        assert!(total(&server, |counters| counters.faults) >= before + 3, "{fault:?}");
        server.clear_faults(None).unwrap();
        // A node that was suspected has been checked again.
        tokio::time::sleep(150 * MS).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permanent_fault_is_reported_after_the_retries() {
    let (server, cluster) = nodes(1).await;
    fill(&cluster, 100, 10).await;
    for (fault, code, tries) in [
        (Fault::Close, -10, 3),
        (Fault::Code(ResultCode::TIMEOUT), 9, 3),
        (Fault::RowCode(ResultCode::PARTITION_UNAVAILABLE), 11, 3),
        // Another attempt would get the same answer.
        (Fault::Code(ResultCode::PARAMETER), 4, 1),
        (Fault::Code(ResultCode::FORBIDDEN), 22, 1),
        (Fault::Garbage, -1, 3),
    ] {
        server.inject(None, FaultRule { times: None, ..faults(fault, 1) }).unwrap();
        let before = total(&server, |counters| counters.faults);
        let mut policy = QueryPolicy::default();
        policy.limits.max_retries = 2;
        let error = all(&cluster, with(policy)).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.tried().unwrap().attempts, tries, "{error}");
        // Pooled connections that turn out to be closed cost no attempt.
        let asked = total(&server, |counters| counters.faults) - before;
        assert!((u64::from(tries)..=2 * u64::from(tries)).contains(&asked), "{asked}: {error}");
        server.clear_faults(None).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_its_caller_ends_is_no_failure_of_a_node() {
    let (_server, cluster) = nodes(1).await;
    fill(&cluster, 4_000, 8_000).await;
    cluster.enable_metrics(true);
    let mut stream = cluster.query(query());
    assert!(stream.next().await.unwrap().is_some());
    drop(stream);
    let codes = || -> Vec<i32> {
        let all = cluster.node_metrics();
        let queries = all.iter().flat_map(|(_, found)| found).filter(|m| m.command == "query");
        queries.map(|m| m.code).collect()
    };
    while codes().is_empty() {
        tokio::time::sleep(MS).await;
    }
    assert_eq!(codes(), [CANCELLED]);
    // The call ends after its requests: well, if it saw that its caller was gone.
    let calls = || -> Vec<_> { cluster.metrics().iter().map(|m| (m.command, m.code)).collect() };
    while calls().is_empty() {
        tokio::time::sleep(MS).await;
    }
    assert!([[("query", 0)], [("query", CANCELLED)]].iter().any(|call| calls() == call), "{:?}", calls());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_during_a_query_costs_no_record() {
    for replica in [Replica::Sequence, Replica::Any, Replica::Master] {
        let failure_detection = 200 * MS;
        let (server, cluster) = start(Config { nodes: 3, failure_detection, ..Config::default() }).await;
        let expected = fill(&cluster, 4_000, 8_000).await;
        let mut policy = QueryPolicy::default();
        policy.limits.replica = replica;
        policy.limits.sleep_between_retries = 200 * MS;
        policy.limits.max_retries = 10;
        let mut stream = cluster.query(with(policy));
        let mut received = Received::default();
        for _ in 0..5 {
            let block = stream.next().await.unwrap().unwrap();
            received.take(&stream, &block);
        }
        server.kill(1).await.unwrap();
        received.rest(&mut stream).await.unwrap();
        received.is_exactly(&expected);
        assert!(cluster.stats().retries > 0, "the node had sent all before it died");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hangs_during_a_query_costs_the_socket_timeout() {
    let (server, cluster) = nodes(3).await;
    let expected = fill(&cluster, 4_000, 8_000).await;
    let mut policy = QueryPolicy::default();
    policy.limits.socket_timeout = 400 * MS;
    let mut stream = cluster.query(with(policy));
    let mut received = Received::default();
    let block = stream.next().await.unwrap().unwrap();
    received.take(&stream, &block);
    server.pause(0).await.unwrap();
    let start = Instant::now();
    received.rest(&mut stream).await.unwrap();
    received.is_exactly(&expected);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(cluster.stats().retries > 0, "the node had sent all before it hung");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_move_cost_no_record() {
    let (server, cluster) = nodes(3).await;
    let expected = fill(&cluster, 3_000, 200).await;
    for _ in 0..5 {
        server.move_partitions(1_000).unwrap();
        all(&cluster, query()).await.unwrap().is_exactly(&expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_nodes_fail() {
    let (server, cluster) = nodes(3).await;
    let expected = fill(&cluster, 300, 2_000).await;
    for size in [1, 10, 100, 299, 300, 301] {
        server.inject(None, faults(Fault::CloseMidFrame, 1)).unwrap();
        let received = all(&cluster, Query { max_records: size, ..query() }).await.unwrap();
        assert_eq!(received.digests.len(), (size as usize).min(300));
        server.clear_faults(None).unwrap();
        if size >= 300 {
            received.is_exactly(&expected);
        }
        tokio::time::sleep(150 * MS).await;
    }
}

fn refusal(partition: u32) -> Vec<u8> {
    let mut out = Vec::new();
    MessageHeader {
        info3: info3::PARTITION_DONE,
        result_code: ResultCode::PARTITION_UNAVAILABLE,
        generation: partition,
        ..Default::default()
    }
    .write(&mut out);
    out
}

/// The outcome of a query over a node that answers with these frames, and the number of requests.
async fn answered(query: Query, frames: Vec<Vec<u8>>) -> (Result<Received, Error>, usize) {
    let (cluster, node) = one_node().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    node.on_request(move |request: &Request| {
        assert!(request.query.is_some());
        counting.fetch_add(1, Ordering::SeqCst);
        frames.iter().cloned().map(Act::Send).collect()
    });
    let outcome = all(&cluster, query).await;
    (outcome, asked.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn invalid_answers_are_refused() {
    let once = |size| {
        let mut query = with(QueryPolicy::default());
        query.policy.limits.max_retries = 1;
        (query.max_records, query.space) = (size, aero_io::Space::new("test", ""));
        query.partitions = aero_io::QueryPartitions::range(5, 2).unwrap();
        query
    };
    let (a, b) = (record(b"test", &digest(5, 2)), record(b"test", &digest(5, 1)));
    let cases: [(&str, Vec<Vec<u8>>); 6] = [
        ("descending order", vec![b.clone(), a.clone(), end(0)]),
        ("descending order", vec![a.clone(), a.clone(), end(0)]),
        ("a partition that was not asked for", vec![record(b"test", &digest(7, 1)), end(0)]),
        ("a partition that was not asked for", vec![refusal(4), end(0)]),
        ("another namespace", vec![record(b"bar", &digest(5, 1)), end(0)]),
        ("bytes follow its end", vec![end(0), a.clone()]),
    ];
    for (why, messages) in cases {
        let (outcome, _) = answered(once(0), vec![frame(&messages)]).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }) && error.to_string().contains(why), "{why}: {error}");
    }
    // More records than requested: the excess ones are dropped.
    let frames = vec![frame(&[a.clone(), b.clone(), end(0)])];
    assert_eq!(answered(once(1), frames).await.0.unwrap().digests, [digest(5, 2)]);
    // Also valid with one message per frame, in descending order.
    let frames = vec![frame(&[a]), frame(&[b]), frame(&[end(0)])];
    let (outcome, asked) = answered(once(0), frames).await;
    assert_eq!((outcome.unwrap().digests, asked), (vec![digest(5, 2), digest(5, 1)], 1));
}

#[tokio::test(start_paused = true)]
async fn only_missing_rows_are_retried() {
    let (cluster, node) = one_node().await;
    let mut calls = 0;
    node.on_request(move |request: &Request| {
        let scope = request.query.clone().unwrap();
        calls += 1;
        match calls {
            1 => {
                assert_eq!((scope.partitions, scope.after), (vec![5, 6, 7], vec![]));
                let records = [record(b"test", &digest(5, 9)), record(b"test", &digest(5, 3))];
                // Half a frame: none of its records count.
                let half = frame(&[record(b"test", &digest(5, 2))])[..40].to_vec();
                vec![Act::Send(frame(&records)), Act::Send(half), Act::Close]
            }
            2 => {
                assert_eq!((scope.partitions, scope.after), (vec![6, 7], vec![digest(5, 3)]));
                vec![
                    Act::Send(frame(&[record(b"test", &digest(5, 2)), refusal(6)])),
                    Act::Send(frame(&[end(0)])),
                ]
            }
            _ => {
                assert_eq!((scope.partitions, scope.after), (vec![6], vec![]));
                vec![Act::Send(frame(&[record(b"test", &digest(6, 1)), end(0)]))]
            }
        }
    });
    let partitions = aero_io::QueryPartitions::range(5, 3).unwrap();
    let received = all(&cluster, Query { partitions, ..query() }).await.unwrap();
    assert_eq!(received.digests, [digest(5, 9), digest(5, 3), digest(5, 2), digest(6, 1)]);
}
