//! Nodes that are slow, busy or out of connections, and what the client learns about them.

mod support;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aero_io::{BatchPolicy, Bins, ClusterConfig, Hedge, Key, ReadPolicy, Replica, Space};
use support::net::Act;
use support::rows::Rows;
use support::wire::{Request, answer, end, frame, record};
use support::{
    MS, digest, hedge_after, keys, keys_of_first_node, read, request, retries, three_nodes, three_nodes_with,
};
use tokio::time::Instant;

/// All connections to a hung node are held by calls that cannot be hedged, while one that can be hedged waits
/// for a connection.
#[tokio::test(start_paused = true)]
async fn commands_that_wait_for_a_hung_node_go_elsewhere() {
    let (cluster, nodes) =
        three_nodes_with(ClusterConfig { max_conns_per_node: 2, ..support::config(&["10.0.0.1:3000"]) })
            .await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let holders: Vec<_> = (0..2)
        .map(|_| {
            let cluster = cluster.clone();
            let mut policy = BatchPolicy::default();
            policy.limits.replica = Replica::Master;
            policy.limits.total_timeout = Some(Duration::from_secs(5));
            tokio::spawn(async move { read(&cluster, &keys_of_first_node(5), policy).await.0 })
        })
        .collect();
    tokio::time::sleep(MS).await;
    let start = Instant::now();
    let (_, rows) = read(&cluster, &keys_of_first_node(100), BatchPolicy::default()).await;
    let took = start.elapsed().as_millis();
    holders.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(rows.count(0) == 100 && took < 300, "{} rows of 100 in {took} ms", rows.count(0));
}

/// More calls than connections while one node hangs: each group of calls waits one hedge delay of its own.
#[tokio::test(start_paused = true)]
async fn more_calls_than_connections_cost_one_delay() {
    let (cluster, nodes) =
        three_nodes_with(ClusterConfig { max_conns_per_node: 4, ..support::config(&["10.0.0.1:3000"]) })
            .await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let calls = (0..24).map(|_| {
        let cluster = cluster.clone();
        async move {
            let start = Instant::now();
            let (_, rows) = read(&cluster, &keys_of_first_node(100), BatchPolicy::default()).await;
            (rows.count(0), start.elapsed().as_millis())
        }
    });
    let mut all = futures_util::future::join_all(calls).await;
    all.sort_by_key(|(_, took)| *took);
    assert!(all.iter().all(|&(ok, took)| ok == 100 && took < 300));
}

/// Every row is answered, but the end of the answer never arrives.
#[tokio::test(start_paused = true)]
async fn a_call_does_not_wait_for_the_end_of_a_complete_answer() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| {
        let rows: Vec<_> = request.rows.iter().map(|row| record(row.index, 0, 1)).collect();
        vec![Act::Send(frame(&rows)), Act::Hang]
    });
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys_of_first_node(100), BatchPolicy::default()).await;
    outcome.unwrap();
    let took = start.elapsed().as_millis();
    assert!(rows.count(0) == 100 && took < 300, "{} rows of 100 in {took} ms", rows.count(0));
}

/// Counts how often a call is polled.
async fn polls(call: impl Future<Output = Result<(), aero_io::Error>>) -> usize {
    let mut call = Box::pin(call);
    let mut n = 0;
    _ = std::future::poll_fn(|cx| {
        n += 1;
        call.as_mut().poll(cx)
    })
    .await;
    n
}

/// Neither hedge budget nor retries are left: doubling a delay of zero must not poll continuously.
#[tokio::test]
async fn an_immediate_hedge_is_no_busy_loop() {
    for hedge in [Hedge::Off, Hedge::After(Duration::ZERO)] {
        let (cluster, nodes) = three_nodes().await;
        nodes[0].on_request(|request| vec![Act::Wait(MS * 300), Act::Send(answer(request, |_| 0, 1))]);
        let mut policy = BatchPolicy::default();
        policy.reads.hedge = Hedge::After(MS);
        policy.limits.max_retries = 0;
        let calls =
            (0..40).map(|_| {
                let (cluster, policy) = (cluster.clone(), policy.clone());
                async move {
                    _ = tokio::time::timeout(MS * 20, read(&cluster, &keys_of_first_node(1), policy)).await
                }
            });
        futures_util::future::join_all(calls).await;
        tokio::time::sleep(MS * 1_200).await;
        assert!(!cluster.stats().nodes[0].suspect);
        let mut policy = BatchPolicy::default();
        policy.reads.hedge = hedge;
        policy.limits.max_retries = 0;
        let _start = std::time::Instant::now();
        let n = polls(cluster.batch_read(keys_of_first_node(100), request(policy), Rows::new(100))).await;
        assert!(n < 50);
    }
}

/// A call that waits for a connection, with a short delay, must not check its hedges continuously.
#[tokio::test]
async fn waiting_for_a_connection_is_no_busy_loop() {
    let (cluster, nodes) =
        three_nodes_with(ClusterConfig { max_conns_per_node: 1, ..support::config(&["10.0.0.1:3000"]) })
            .await;
    nodes[0].on_request(|request| vec![Act::Wait(MS * 500), Act::Send(answer(request, |_| 0, 1))]);
    let twin = cluster.clone();
    let mut off = BatchPolicy::default();
    off.reads.hedge = Hedge::Off;
    let holder = tokio::spawn(async move { read(&twin, &keys_of_first_node(5), off).await.0 });
    tokio::time::sleep(MS * 5).await;
    let mut policy = hedge_after(1);
    policy.limits.total_timeout = Some(MS * 400);
    let n = polls(cluster.batch_read(keys_of_first_node(100), request(policy), Rows::new(100))).await;
    holder.abort();
    assert!(n < 50);
}

/// A healthy node that has become slower must be measured again.
#[tokio::test(start_paused = true)]
async fn a_slower_node_is_measured_again() {
    let (cluster, nodes) = three_nodes().await;
    let wait = |ms: u32, g: u32| {
        move |request: &Request| vec![Act::Wait(MS * ms), Act::Send(answer(request, |_| 0, g))]
    };
    nodes.iter().for_each(|node| node.on_request(wait(2, 1)));
    for _ in 0..50 {
        read(&cluster, &keys(300), BatchPolicy::default()).await.0.unwrap();
    }
    let _before = cluster.stats();
    let _others = nodes[1].requests().len();
    nodes[0].on_request(wait(45, 1));
    let start = Instant::now();
    let mut suspect = 0;
    let mut n = 0;
    while start.elapsed() < Duration::from_secs(60) {
        read(&cluster, &keys(300), BatchPolicy::default()).await.0.unwrap();
        suspect += usize::from(cluster.stats().nodes[0].suspect);
        n += 1;
    }
    let _after = cluster.stats();
    assert!(suspect * 2 < n, "a healthy node is suspect after {suspect} of {n} calls");
}

/// The time for which single reads wait for a connection must not be measured as the node's.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_connection_is_not_measured() {
    let (cluster, nodes) =
        three_nodes_with(ClusterConfig { max_conns_per_node: 2, ..support::config(&["10.0.0.1:3000"]) })
            .await;
    nodes[0].on_request(|request| vec![Act::Wait(MS * 5), Act::Send(answer(request, |_| 0, 1))]);
    let key = Key::from_digest(Space::new("test", "set"), digest(3, 1));
    let mut off = ReadPolicy::default();
    off.reads.hedge = Hedge::Off;
    let calls = (0..100).map(|_| cluster.read(&key, &Bins::All, &off));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    nodes[0].on_request(|_| vec![Act::Hang]);
    let start = Instant::now();
    let (_, rows) = read(&cluster, &keys_of_first_node(300), BatchPolicy::default()).await;
    let took = start.elapsed().as_millis();
    assert!(rows.count(0) == 300 && took < 300, "{} rows of 300 in {took} ms", rows.count(0));
}

/// Slow single reads alone, without waiting for a connection.
#[tokio::test(start_paused = true)]
async fn single_reads_and_batches_are_measured_separately() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| vec![Act::Wait(MS * 15), Act::Send(answer(request, |_| 0, 1))]);
    let key = Key::from_digest(Space::new("test", "set"), digest(3, 1));
    for _ in 0..20 {
        cluster.read(&key, &Bins::All, &ReadPolicy::default()).await.unwrap();
    }
    nodes[0].on_request(|_| vec![Act::Hang]);
    let start = Instant::now();
    let (_, rows) = read(&cluster, &keys_of_first_node(2_500), BatchPolicy::default()).await;
    let took = start.elapsed().as_millis();
    assert!(rows.count(0) == 2_500 && took < 300, "{} rows of 2500 in {took} ms", rows.count(0));
}

/// The server stops at a busy record. That record and those after it are retried.
#[tokio::test(start_paused = true)]
async fn rows_after_a_busy_row_are_retried() {
    let (cluster, nodes) = three_nodes().await;
    let first = AtomicBool::new(true);
    nodes[0].on_request(move |request| {
        if first.swap(false, Ordering::SeqCst) {
            let mut rows: Vec<_> = request.rows[..5].iter().map(|row| record(row.index, 0, 1)).collect();
            rows.push(record(request.rows[5].index, 14, 0));
            rows.push(end(0));
            vec![Act::Send(frame(&rows))]
        } else {
            vec![Act::Send(answer(request, |_| 0, 1))]
        }
    });
    let policy = BatchPolicy { respond_all_keys: false, ..BatchPolicy::default() };
    let (_, rows) = read(&cluster, &keys_of_first_node(100), policy).await;
    assert_eq!(rows.count(0), 100);
}

/// What the statistics count as a retry.
#[tokio::test(start_paused = true)]
async fn retries_are_counted_per_request() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|_| vec![Act::Close]);
    let (_, rows) = read(&cluster, &keys_of_first_node(10_000), BatchPolicy::default()).await;
    assert_eq!(rows.count(0), 10_000);
    let (_first, again) = (nodes[0].requests().len(), nodes[1].requests().len());
    assert_eq!(cluster.stats().retries, again as u64);
}

#[tokio::test(start_paused = true)]
async fn halved_requests_count_as_retries() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| {
        let code = if request.rows.len() > 100 { 151 } else { 0 };
        vec![Act::Send(if code == 0 { answer(request, |_| 0, 1) } else { frame(&[end(code)]) })]
    });
    let (_, rows) = read(&cluster, &keys_of_first_node(1_000), BatchPolicy::default()).await;
    assert_eq!(rows.count(0), 1_000);
    assert!(cluster.stats().retries > 0);
}

/// One caller's short deadline must not make others avoid a healthy node.
#[tokio::test(start_paused = true)]
async fn a_short_timeout_makes_no_node_suspect() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| vec![Act::Wait(MS * 10), Act::Send(answer(request, |_| 0, 1))]);
    let mut policy = BatchPolicy::default();
    policy.limits.total_timeout = Some(MS * 5);
    _ = read(&cluster, &keys_of_first_node(5), policy).await;
    assert!(!cluster.stats().nodes[0].suspect);
}

/// One busy row in each request: the retries must not sleep one after the other.
#[tokio::test(start_paused = true)]
async fn waiting_retries_delay_no_other_rows() {
    let (cluster, node) = support::one_node().await;
    node.on_request(|request| {
        let many = request.rows.len() > 1;
        vec![Act::Send(answer(request, |row| if many && row.index == 5 { 14 } else { 0 }, 1))]
    });
    let mut policy = BatchPolicy::default();
    policy.limits.sleep_between_retries = MS * 300;
    policy.limits.replica = Replica::Master;
    let n = 250_000;
    let start = Instant::now();
    let (_, rows) = read(&cluster, &keys(n), policy).await;
    assert_eq!(rows.count(0), n);
    assert!(start.elapsed() < MS * 700);
}

/// The official client sleeps before it repeats a write that timed out, and stays with the master.
#[tokio::test(start_paused = true)]
async fn a_write_that_timed_out_stays_with_the_master() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let key = Key::from_digest(Space::new("test", "set"), digest(3, 1));
    let mut policy = aero_io::WritePolicy::default();
    policy.limits.max_retries = 1;
    policy.limits.sleep_between_retries = MS * 50;
    policy.limits.socket_timeout = MS * 20;
    let start = Instant::now();
    let _outcome = cluster.delete(&key, &policy).await.map(|answer| answer.generation);
    assert!(start.elapsed() >= MS * 70);
    assert_eq!(nodes[0].requests().len(), 2);
}

/// Refusals are fast and say nothing about how long an answer takes.
#[tokio::test(start_paused = true)]
async fn refusals_do_not_change_the_measured_time() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| vec![Act::Wait(MS * 60), Act::Send(answer(request, |_| 0, 1))]);
    for _ in 0..10 {
        read(&cluster, &keys_of_first_node(300), BatchPolicy::default()).await.0.unwrap();
    }
    let before = cluster.stats().nodes[0].usual_time;
    nodes[0].on_request(|_| vec![Act::Send(frame(&[end(152)]))]);
    for _ in 0..30 {
        _ = read(&cluster, &keys_of_first_node(300), retries(0)).await;
    }
    let after = cluster.stats().nodes[0].usual_time;
    assert!(after.unwrap() * 2 > before.unwrap());
}

/// A node leaves the cluster while a call waits for a connection to it: nothing was sent, so no attempt was
/// made.
#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_costs_no_attempt() {
    let (cluster, nodes) =
        three_nodes_with(ClusterConfig { max_conns_per_node: 1, ..support::config(&["10.0.0.2:3000"]) })
            .await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let mut policy = BatchPolicy::default();
    policy.reads.hedge = Hedge::Off;
    policy.limits.max_retries = 0;
    policy.limits.total_timeout = Some(Duration::from_secs(8));
    let (twin, other) = (cluster.clone(), policy.clone());
    let holder = tokio::spawn(async move { read(&twin, &keys_of_first_node(5), other).await.0 });
    tokio::time::sleep(MS).await;
    nodes[0].is_hung.store(true, Ordering::SeqCst);
    nodes[1].know(&nodes[1..]);
    nodes[2].know(&nodes[1..]);
    let _start = Instant::now();
    let (_, rows) = read(&cluster, &keys_of_first_node(100), policy).await;
    holder.abort();
    assert_eq!(rows.count(0), 100);
}

/// One call with many requests and little time says nothing about the node, which others use.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_connection_is_no_failure_of_the_node() {
    let (cluster, nodes) = three_nodes().await;
    for node in &nodes {
        node.on_request(|_| vec![Act::Hang]);
    }
    let mut policy = retries(0);
    policy.limits.total_timeout = Some(MS * 2);
    policy.reads.hedge = Hedge::Off;
    let (outcome, _) = read(&cluster, &keys(1_000_000), policy).await;
    outcome.unwrap_err();
    let timeouts: u64 = cluster.stats().nodes.iter().map(|node| node.timeouts).sum();
    assert!(timeouts <= 24, "{timeouts} failures of eight requests at each of three nodes");
}
