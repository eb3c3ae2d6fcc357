//! Hedges that fail, and requests that cannot be hedged at the moment.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aero_io::{BatchKeys, BatchPolicy, Bins, Key, ReadPolicy, Space};
use support::net::{Act, Net};
use support::wire::{Request, answer, end, frame, record};
use support::{
    MS, checks, connect, digest, hedge_after, keys, keys_of_first_node, read, retries, three_nodes,
};
use tokio::time::Instant;

/// The first node hangs, and the hedge at the second fails once with a transient error. Nothing is retried.
async fn hedge_fails_in_passing(first: fn(&Request) -> Vec<Act>) {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let mut calls = 0;
    nodes[1].on_request(move |request| {
        calls += 1;
        if calls == 1 { first(request) } else { vec![Act::Send(answer(request, |_| 0, 2))] }
    });
    let start = Instant::now();
    let (_, rows) = read(&cluster, &keys_of_first_node(100), BatchPolicy::default()).await;
    let took = start.elapsed().as_millis();
    assert!(rows.count(0) == 100 && took < 300, "{} rows of 100 in {took} ms", rows.count(0));
}

#[tokio::test(start_paused = true)]
async fn a_transient_code_from_a_hedge_is_retried() {
    hedge_fails_in_passing(|request| {
        vec![Act::Send(answer(request, |row| if row.index == 5 { 14 } else { 0 }, 2))]
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hedge_refused_for_full_queues_is_retried() {
    hedge_fails_in_passing(|_| vec![Act::Send(frame(&[end(152)]))]).await;
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_is_too_large_is_halved() {
    hedge_fails_in_passing(|_| vec![Act::Send(frame(&[end(151)]))]).await;
}

#[tokio::test(start_paused = true)]
async fn a_hedge_whose_connection_fails_is_retried() {
    hedge_fails_in_passing(|_| vec![Act::Wait(MS), Act::Close]).await;
}

/// The only other replica is suspect when the hedge is due, and healthy 50 ms later.
#[tokio::test(start_paused = true)]
async fn a_hedge_waits_for_a_node_that_is_briefly_suspect() {
    let (cluster, nodes) = three_nodes().await;
    nodes[1].on_request(|_| vec![Act::Close]);
    let seconds = Arc::new(BatchKeys::single(Space::new("test", "set"), vec![digest(1, 1)]));
    read(&cluster, &seconds, retries(0)).await.0.unwrap_err();
    nodes[1].on_request(|request| vec![Act::Send(answer(request, |_| 0, 2))]);
    nodes[0].on_request(|_| vec![Act::Hang]);
    let start = Instant::now();
    let (_, rows) = read(&cluster, &keys_of_first_node(100), hedge_after(50)).await;
    let took = start.elapsed().as_millis();
    assert!(rows.count(0) == 100 && took < 300, "{} rows of 100 in {took} ms", rows.count(0));
}

/// A node that accepts few rows per request: one hedge is many requests.
#[tokio::test(start_paused = true)]
async fn a_hedge_costs_as_many_requests_as_it_sends() {
    let (cluster, nodes) = three_nodes().await;
    nodes[1].on_request(|request| {
        let few = request.rows.len() <= 64;
        vec![Act::Send(if few { answer(request, |_| 0, 2) } else { frame(&[end(151)]) })]
    });
    let seconds: Vec<_> = (0..1_000).map(|i| digest(i * 3 % 4095 + 1, i as u32)).collect();
    let seconds = Arc::new(BatchKeys::single(Space::new("test", "set"), seconds));
    read(&cluster, &seconds, BatchPolicy::default()).await.0.unwrap();
    nodes[0].on_request(|_| vec![Act::Hang]);
    let before = nodes[1].requests().len();
    read(&cluster, &keys_of_first_node(1_000), BatchPolicy::default()).await.0.unwrap();
    let sent = nodes[1].requests().len() - before;
    assert_eq!(sent as u64, cluster.stats().hedges);
}

/// Without hedge budget, a retry counts as an attempt of its rows.
#[tokio::test(start_paused = true)]
async fn retries_instead_of_hedges_stay_within_max_retries() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let policy = || {
        let mut policy = BatchPolicy { limits: retries(1).limits, ..hedge_after(20) };
        policy.limits.socket_timeout = MS * 200;
        policy
    };
    // Sixteen calls at once use up the budget.
    let calls = (0..17).map(|_| {
        let cluster = cluster.clone();
        async move { read(&cluster, &keys_of_first_node(1), policy()).await.0 }
    });
    futures_util::future::join_all(calls).await;
    checks(2).await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    for (i, node) in nodes.iter().enumerate().take(2) {
        let asked = Arc::clone(&asked);
        node.on_request(move |_| {
            asked.lock().unwrap().push(Instant::now());
            if i == 0 { vec![Act::Hang] } else { vec![Act::Close] }
        });
    }
    _ = read(&cluster, &keys_of_first_node(1), policy()).await;
    // One attempt may be two requests if an idle connection turns out to be closed. Those are sent at the same
    // time.
    let mut moments = asked.lock().unwrap().clone();
    moments.dedup();
    assert!(moments.len() <= 2, "{} tries with one retry", moments.len());
}

/// Two of three replicas hang; the third could answer.
#[tokio::test(start_paused = true)]
async fn two_of_three_replicas_may_hang() {
    use wire_protocol::info::PartitionBitmap;
    let (net, nodes) = Net::cluster(3);
    for (i, node) in nodes.iter().enumerate() {
        let bitmap = |shift: usize| PartitionBitmap::of((0..4096).filter(|p| (p + 3 - shift) % 3 == i));
        node.claim("test", vec![bitmap(0), bitmap(2), bitmap(1)]);
    }
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    nodes[1].on_request(|_| vec![Act::Hang]);
    let start = Instant::now();
    let (_, rows) = read(&cluster, &keys(300), BatchPolicy::default()).await;
    let took = start.elapsed().as_millis();
    assert!(rows.count(0) == 300 && took < 500, "{} rows of 300 in {took} ms", rows.count(0));
    // The nodes are not known to hang any more. They cost a single read both delays, but no more.
    checks(2).await;
    let key = Key::from_digest(Space::new("test", "set"), digest(0, 1));
    let start = Instant::now();
    cluster.read(&key, &Bins::All, &ReadPolicy::default()).await.unwrap();
    assert!(start.elapsed() < MS * 300, "{:?}", start.elapsed());
}

/// A hedge's definite error settles rows that the first node answers successfully a little later.
#[tokio::test(start_paused = true)]
async fn an_answer_is_preferred_to_an_error() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| vec![Act::Wait(MS * 80), Act::Send(answer(request, |_| 0, 1))]);
    nodes[1].on_request(|request| vec![Act::Send(answer(request, |_| 1, 2))]);
    let (_, rows) = read(&cluster, &keys_of_first_node(100), hedge_after(50)).await;
    assert_eq!(rows.count(0), 100);
}

/// Without limits, one busy record at a hung node must not keep the call waiting forever.
#[tokio::test(start_paused = true)]
async fn no_call_hangs_while_another_node_can_answer() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let mut calls = 0;
    nodes[1].on_request(move |request| {
        calls += 1;
        let code = if calls == 1 { 14 } else { 0 };
        vec![Act::Send(answer(request, |row| if row.index == 5 { code } else { 0 }, 2))]
    });
    let mut policy = BatchPolicy::default();
    policy.limits.total_timeout = Some(Duration::ZERO);
    policy.limits.socket_timeout = Duration::ZERO;
    let keys = keys_of_first_node(100);
    let call = read(&cluster, &keys, policy);
    assert!(tokio::time::timeout(Duration::from_secs(3_600), call).await.is_ok(), "an hour later");
}

/// A connection whose last frame is about to arrive is closed because a hedge of its rows is in flight.
#[tokio::test(start_paused = true)]
async fn a_hedge_that_wins_keeps_its_connection() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| {
        let rows: Vec<_> = request.rows.iter().map(|row| record(row.index, 0, 1)).collect();
        vec![Act::Wait(MS * 60), Act::Send(frame(&rows)), Act::Wait(MS * 5), Act::Send(frame(&[end(0)]))]
    });
    nodes[1].on_request(|request| vec![Act::Wait(MS * 45), Act::Send(answer(request, |_| 0, 2))]);
    nodes[2].on_request(|request| vec![Act::Wait(MS * 62), Act::Send(answer(request, |_| 0, 3))]);
    let mut policy = hedge_after(50);
    policy.limits.max_retries = 0;
    read(&cluster, &keys(300), policy).await.0.unwrap();
    tokio::time::sleep(MS * 200).await;
    let stats = cluster.stats();
    // A hedge for another node's rows was sent there as well and lost.
    assert_eq!(stats.nodes[0].connections_idle, 1);
}

/// The other replica of some rows cannot be used when the hedge is due. These rows must be checked again.
#[tokio::test(start_paused = true)]
async fn rows_that_cannot_be_hedged_yet_are_checked_again() {
    let (net, nodes) = Net::cluster(3);
    use wire_protocol::info::PartitionBitmap;
    // The first node is master of all partitions; even ones have their replica at the second node, odd ones at
    // the third.
    nodes[0].claim("test", vec![PartitionBitmap::of(0..4096), PartitionBitmap::of(0..0)]);
    nodes[1].claim(
        "test",
        vec![PartitionBitmap::of(0..0), PartitionBitmap::of((0..4096).filter(|p| p % 2 == 0))],
    );
    nodes[2].claim(
        "test",
        vec![PartitionBitmap::of(0..0), PartitionBitmap::of((0..4096).filter(|p| p % 2 == 1))],
    );
    let cluster = connect(&net, "10.0.0.1:3000").await;
    // A brief failure makes the second node suspect for 100 ms.
    nodes[0].on_request(|_| vec![Act::Close]);
    nodes[1].on_request(|_| vec![Act::Close]);
    let even = Arc::new(BatchKeys::single(Space::new("test", "set"), vec![digest(2, 1)]));
    read(&cluster, &even, retries(1)).await.0.unwrap_err();
    // The first node becomes healthy at its next check; the second is made suspect again.
    tokio::time::sleep(MS * 200).await;
    nodes[0].on_request(|_| vec![Act::Close]);
    nodes[0].on_request(|_| vec![Act::Hang]);
    let twin = cluster.clone();
    let call = tokio::spawn(async move {
        let start = Instant::now();
        let (_, rows) = read(&twin, &keys(100), hedge_after(50)).await;
        (rows.count(0), start.elapsed().as_millis())
    });
    tokio::time::sleep(MS * 10).await;
    // An even row whose hedge, at 10 ms, fails: the second node is suspect until 110 ms.
    let mut policy = hedge_after(10);
    policy.limits.total_timeout = Some(MS * 30);
    read(&cluster, &even, policy).await.0.unwrap_err();
    nodes[1].on_request(|request| vec![Act::Send(answer(request, |_| 0, 2))]);
    let (ok, took) = call.await.unwrap();
    assert!(ok == 100 && took < 300, "{ok} rows of 100 in {took} ms");
}

/// A hedge that fails hands its rows back to the first node, which never answers either. Its request must be
/// checked again soon, however many rows were handed back.
#[tokio::test(start_paused = true)]
async fn rows_handed_back_are_checked_again() {
    for n in [1, 100] {
        let (cluster, nodes) = three_nodes().await;
        nodes[0].on_request(|_| vec![Act::Hang]);
        let mut calls = 0;
        nodes[1].on_request(move |request| {
            calls += 1;
            if calls == 1 {
                vec![Act::Wait(MS * 20), Act::Close]
            } else {
                vec![Act::Send(answer(request, |_| 0, 2))]
            }
        });
        let start = Instant::now();
        let (outcome, rows) = read(&cluster, &keys_of_first_node(n), hedge_after(50)).await;
        outcome.unwrap();
        assert_eq!(rows.count(0), n);
        assert!(start.elapsed() < MS * 500, "{n} rows in {:?}", start.elapsed());
    }
}
