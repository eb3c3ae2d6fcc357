//! Batch reads and single reads whose node does not answer are sent to another one.

mod support;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aero_io::{BatchPolicy, Bins, CANCELLED, Digest, Hedge, Key, ReadPolicy, Replica, Space};
use proptest::prelude::*;
use support::net::{Act, Net, Node};
use support::rows::Rows;
use support::wire::{Request, RequestRow, answer, end, frame, record};
use support::{MS, checks, connect, digest, hedge_after, keys, read, request, retries, three_nodes};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_hung_node_costs_one_delay_once() {
    let (cluster, nodes) = three_nodes().await;
    nodes[1].is_hung.store(true, Ordering::SeqCst);
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(300), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), start.elapsed().as_millis()), (300, 100));
    let stats = cluster.stats();
    assert_eq!((stats.hedges, stats.retries, stats.nodes[1].hedged), (1, 0, 1));
    assert!(stats.nodes[1].suspect);
    // The abandoned connection was closed; the others are idle.
    assert_eq!(stats.nodes[1].connections_in_use + stats.nodes[1].connections_idle, 0);
    assert_eq!(stats.nodes[1].connections_closed, 1);
    for _ in 0..5 {
        let start = Instant::now();
        let (outcome, rows) = read(&cluster, &keys(300), BatchPolicy::default()).await;
        outcome.unwrap();
        assert_eq!((rows.count(0), start.elapsed().as_millis()), (300, 0));
    }
    assert_eq!(cluster.stats().hedges, 1);
    nodes[1].is_hung.store(false, Ordering::SeqCst);
    checks(2).await;
    assert!(!cluster.stats().nodes[1].suspect);
    let (_, rows) = read(&cluster, &keys(300), BatchPolicy::default()).await;
    assert_eq!(rows.generation(1), 2, "it is used again");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_hedged_and_abandoned_is_counted() {
    let (cluster, nodes) = three_nodes().await;
    cluster.enable_metrics(true);
    nodes[1].is_hung.store(true, Ordering::SeqCst);
    read(&cluster, &keys(300), BatchPolicy::default()).await.0.unwrap();
    let stats = cluster.stats();
    let name = &stats.nodes[1].name;
    let all = cluster.node_metrics();
    let of = |code: i32, is_hung: bool| -> u64 {
        let nodes = all.iter().filter(|(node, _)| (*node.name == **name) == is_hung);
        let found = nodes.flat_map(|(_, found)| found).filter(|m| m.command == "batch" && m.code == code);
        found.map(|m| m.counts.calls).sum()
    };
    // Two nodes answer for their rows, and one of them for those of the node that hangs.
    assert_eq!((of(CANCELLED, true), of(0, true), of(CANCELLED, false), of(0, false)), (1, 0, 0, 3));
    assert_eq!((stats.nodes[1].suspected, stats.nodes[0].suspected), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_delay_adapts() {
    let (cluster, nodes) = three_nodes().await;
    let slow =
        |ms: u32| move |request: &Request| vec![Act::Wait(MS * ms), Act::Send(answer(request, |_| 0, 1))];
    nodes.iter().for_each(|node| node.on_request(slow(20)));
    for _ in 0..3 {
        read(&cluster, &keys(300), BatchPolicy::default()).await.0.unwrap();
    }
    let usual = cluster.stats().nodes[0].usual_time.unwrap().as_micros();
    assert!((19_900..=20_000).contains(&usual), "{usual}");
    nodes[0].on_request(slow(70));
    read(&cluster, &keys(300), BatchPolicy::default()).await.0.unwrap();
    assert_eq!(cluster.stats().hedges, 0, "within four times the usual time");
    nodes[0].on_request(|_| vec![Act::Hang]);
    let start = Instant::now();
    read(&cluster, &keys(300), BatchPolicy::default()).await.0.unwrap();
    assert!((100..150).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(cluster.stats().hedges, 1);
}

#[tokio::test(start_paused = true)]
async fn only_open_rows_are_retried_and_the_first_answer_counts() {
    let (cluster, nodes) = three_nodes().await;
    // Half of the rows arrive at once, the rest after the hedge's answer, which has the other half.
    nodes[0].on_request(|request| {
        let half = |range: std::ops::Range<usize>| {
            frame(&request.rows[range].iter().map(|row| record(row.index, 0, 1)).collect::<Vec<_>>())
        };
        let n = request.rows.len();
        vec![
            Act::Send(half(0..n / 2)),
            Act::Wait(MS * 80),
            Act::Send([half(n / 2..n), frame(&[end(0)])].concat()),
        ]
    });
    let (outcome, rows) = read(&cluster, &keys(300), hedge_after(50)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 300);
    let asked: Vec<usize> = nodes[1].requests().iter().map(|request| request.rows.len()).collect();
    assert_eq!(asked, [100, 50], "its own rows, and the unanswered half of the slow node's");
    assert_eq!((0..300).step_by(3).filter(|&row| rows.generation(row) == 1).count(), 50);
    assert_eq!((0..300).step_by(3).filter(|&row| rows.generation(row) == 2).count(), 50);
    // It has answered other requests since: it is slow, not silent.
    assert!(!cluster.stats().nodes[0].suspect);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_counts_if_it_is_the_first() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|request| vec![Act::Wait(MS * 80), Act::Send(answer(request, |_| 0, 1))]);
    let (a, b) = (Arc::clone(&nodes[1]), Arc::clone(&nodes[2]));
    for node in [a, b] {
        node.on_request(move |request| {
            // Requests for the node's own rows are answered at once, hedges late.
            let wait = if request.rows.iter().all(|row| row.digest[0] % 3 == 0) { 100 } else { 0 };
            vec![Act::Wait(MS * wait), Act::Send(answer(request, |_| 0, 9))]
        });
    }
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(250), hedge_after(50)).await;
    outcome.unwrap();
    assert_eq!(start.elapsed().as_millis(), 80);
    assert!((0..250).step_by(3).all(|row| rows.generation(row) == 1));
    assert_eq!(cluster.stats().hedges, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_hedge_costs_no_attempt() {
    for first_fails in [false, true] {
        let (cluster, nodes) = three_nodes().await;
        let is_own = |request: &Request| request.rows.iter().all(|row| row.digest[0] % 3 != 0);
        nodes[0].on_request(move |request| {
            if first_fails {
                vec![Act::Wait(MS * 70), Act::Close]
            } else {
                vec![Act::Wait(MS * 90), Act::Send(answer(request, |_| 0, 1))]
            }
        });
        nodes[1].on_request(move |request| match is_own(request) {
            true => vec![Act::Send(answer(request, |_| 0, 2))],
            false if first_fails => vec![Act::Wait(MS * 60), Act::Send(answer(request, |_| 0, 2))],
            false => vec![Act::Wait(MS * 10), Act::Close],
        });
        let start = Instant::now();
        let (outcome, rows) =
            read(&cluster, &keys(250), BatchPolicy { limits: retries(0).limits, ..hedge_after(50) }).await;
        outcome.unwrap();
        assert_eq!(rows.count(0), 250);
        assert_eq!(start.elapsed().as_millis(), if first_fails { 110 } else { 90 });
        assert_eq!(cluster.stats().retries, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn rows_are_retried_if_both_requests_fail() {
    let (cluster, nodes) = three_nodes().await;
    let failing = |ms: u32, generation: u32| {
        move |request: &Request| match request.rows.iter().all(|row| row.digest[0] % 3 == 0) {
            true => vec![Act::Wait(MS * ms), Act::Close],
            false => vec![Act::Send(answer(request, |_| 0, generation))],
        }
    };
    nodes[0].on_request(failing(90, 1));
    nodes[1].on_request(failing(10, 2));
    let (outcome, rows) =
        read(&cluster, &keys(250), BatchPolicy { limits: retries(0).limits, ..hedge_after(50) }).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(-10)), (166, 84));
    checks(2).await;
    let (_, rows) =
        read(&cluster, &keys(250), BatchPolicy { limits: retries(1).limits, ..hedge_after(50) }).await;
    assert_eq!((rows.count(0), rows.count(-10)), (166, 84));
    assert_eq!(cluster.stats().retries, 1, "the rows of the failed pair, together");
}

#[tokio::test(start_paused = true)]
async fn hedging_can_be_turned_off() {
    let (mut unhedged, mut master_only) = (retries(0), retries(0));
    unhedged.reads.hedge = Hedge::Off;
    master_only.limits.replica = Replica::Master;
    for policy in [unhedged, master_only] {
        let (cluster, nodes) = three_nodes().await;
        nodes[0].on_request(|_| vec![Act::Hang]);
        let start = Instant::now();
        let (outcome, rows) = read(&cluster, &keys(300), policy).await;
        outcome.unwrap();
        assert_eq!((rows.count(0), rows.count(9)), (200, 100));
        assert_eq!(start.elapsed().as_millis(), 1_003);
        assert_eq!(cluster.stats().hedges, 0);
        assert!(cluster.stats().nodes[0].suspect, "it has answered nothing at all");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_cluster_does_not_get_twice_the_load() {
    let (cluster, nodes) = three_nodes().await;
    for node in &nodes {
        node.on_request(|request| vec![Act::Wait(MS * 60), Act::Send(answer(request, |_| 0, 1))]);
    }
    for _ in 0..200 {
        let (outcome, rows) = read(&cluster, &keys(30), hedge_after(20)).await;
        outcome.unwrap();
        assert_eq!(rows.count(0), 30);
    }
    let requests: usize = nodes.iter().map(|node| node.requests().len()).sum();
    assert!(requests <= 600 * 11 / 10 + 16, "{requests}");
    assert_eq!(cluster.stats().hedges, requests as u64 - 600);
}

#[tokio::test(start_paused = true)]
async fn without_hedge_budget_a_silent_node_costs_retries() {
    let (cluster, nodes) = three_nodes().await;
    nodes[1].on_request(|_| vec![Act::Hang]);
    let calls = (0..100).map(|_| {
        let cluster = cluster.clone();
        async move { read(&cluster, &keys(300), BatchPolicy::default()).await }
    });
    let start = Instant::now();
    for (outcome, rows) in futures_util::future::join_all(calls).await {
        outcome.unwrap();
        assert_eq!(rows.count(0), 300);
    }
    assert!(start.elapsed() < MS * 300, "{:?}", start.elapsed());
    let stats = cluster.stats();
    assert_eq!(stats.hedges + stats.retries, 100);
    assert!((16..=56).contains(&stats.hedges), "{}", stats.hedges);
}

#[tokio::test(start_paused = true)]
async fn rows_that_wait_for_a_hung_node_go_elsewhere() {
    let (cluster, nodes) = three_nodes().await;
    nodes[2].on_request(|_| vec![Act::Hang]);
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(120_000), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 120_000);
    assert!(start.elapsed() < MS * 300, "{:?}", start.elapsed());
    assert_eq!(nodes[2].requests().len(), 8, "no more after it fell silent");
}

#[tokio::test(start_paused = true)]
async fn a_single_read_is_hedged_and_a_write_is_not() {
    let (cluster, nodes) = three_nodes().await;
    let key = Key::from_digest(Space::new("test", "set"), digest(3, 1));
    nodes[0].on_request(|_| vec![Act::Hang]);
    let start = Instant::now();
    let read = cluster.read(&key, &Bins::All, &ReadPolicy::default()).await.unwrap();
    assert_eq!((read.generation, start.elapsed().as_millis()), (2, 100));
    assert!(cluster.stats().nodes[0].suspect);
    let start = Instant::now();
    cluster.read(&key, &Bins::All, &ReadPolicy::default()).await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 0);
    checks(1).await;
    // Late, but before the other node; and when the other node fails.
    for (wait, other) in [(120, Act::Wait(MS * 50)), (150, Act::Close)] {
        nodes[0].on_request(move |request| vec![Act::Wait(MS * wait), Act::Send(answer(request, |_| 0, 1))]);
        let other = Mutex::new(Some(other));
        nodes[1].on_request(move |request| {
            vec![other.lock().unwrap().take().unwrap(), Act::Send(answer(request, |_| 0, 2))]
        });
        let start = Instant::now();
        let mut policy = ReadPolicy::default();
        policy.reads.hedge = Hedge::After(MS * 100);
        policy.limits.max_retries = 0;
        let read = cluster.read(&key, &Bins::All, &policy).await.unwrap();
        assert_eq!((read.generation, start.elapsed().as_millis()), (1, u128::from(wait)));
        checks(2).await;
    }
    nodes[0].on_request(|_| vec![Act::Hang]);
    let before = cluster.stats().hedges;
    let mut off = ReadPolicy::default();
    off.reads.hedge = Hedge::Off;
    off.limits.max_retries = 0;
    assert_eq!(cluster.read(&key, &Bins::All, &off).await.unwrap_err().code(), 9);
    checks(2).await;
    assert_eq!(cluster.delete(&key, &aero_io::WritePolicy::default()).await.unwrap_err().code(), 9);
    assert_eq!(cluster.stats().hedges, before);
}

/// What a node does with a request.
#[derive(Clone, Debug)]
enum Step {
    /// Answers after so many milliseconds. Rows whose number has these low bits get a busy code.
    Answer(u32, u32),
    /// Answers this percentage of the rows, then closes the connection.
    Cut(usize),
    /// Answers this percentage of the rows, then falls silent.
    Silent(usize),
    /// Refuses the whole request with this code.
    Code(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..300u32, 0..8u32).prop_map(|(wait, bits)| Step::Answer(wait, bits)),
        1 => (0..100usize).prop_map(Step::Cut),
        1 => (0..100usize).prop_map(Step::Silent),
        1 => prop_oneof![Just(9), Just(11), Just(18), Just(151), Just(152), Just(4)].prop_map(Step::Code),
    ]
}

/// When each row was answered first, by digest.
type Answered = Arc<Mutex<HashMap<Digest, Instant>>>;

/// Rows that were requested after they had been answered.
type Again = Arc<Mutex<Vec<(String, Duration)>>>;

/// Makes a node go through `steps`, and records rows that are requested although they were answered before.
fn play(node: &Arc<Node>, steps: Vec<Step>, answered: Answered, again: Again) {
    let name = node.address.clone();
    let mut steps = steps.into_iter().cycle();
    node.on_request(move |request| {
        let now = Instant::now();
        let mut answered = answered.lock().unwrap();
        for row in &request.rows {
            if let Some(at) = answered.get(&row.digest).filter(|at| **at < now) {
                again.lock().unwrap().push((name.clone(), now - *at));
            }
        }
        let mut note = |rows: &[RequestRow], wait: Duration| {
            for row in rows {
                let at = answered.entry(row.digest).or_insert(now + wait);
                *at = (*at).min(now + wait);
            }
        };
        let percent = |percent: usize| request.rows.len() * percent / 100;
        let some = |n: usize| {
            let rows = request.rows[..n].iter().map(|row| record(row.index, 0, u32::from(row.digest[2]) + 1));
            frame(&rows.collect::<Vec<_>>())
        };
        match steps.next().unwrap() {
            Step::Answer(wait, bits) => {
                let busy = |row: &&RequestRow| row.index & 7 == bits;
                let fine: Vec<_> = request.rows.iter().filter(|row| !busy(row)).cloned().collect();
                note(&fine, MS * wait);
                let rows = request.rows.iter().map(|row| {
                    let code = if busy(&row) { 14 } else { 0 };
                    record(row.index, code, u32::from(row.digest[2]) + 1)
                });
                let bytes = [frame(&rows.collect::<Vec<_>>()), frame(&[end(0)])].concat();
                vec![Act::Wait(MS * wait), Act::Send(bytes)]
            }
            Step::Cut(n) => {
                note(&request.rows[..percent(n)], Duration::ZERO);
                vec![Act::Send(some(percent(n))), Act::Close]
            }
            Step::Silent(n) => {
                note(&request.rows[..percent(n)], Duration::ZERO);
                vec![Act::Send(some(percent(n))), Act::Hang]
            }
            Step::Code(code) => vec![Act::Send(frame(&[end(code)]))],
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever the nodes do: each row ends with one code, in time; found rows have the values that were sent;
    /// and answered rows are not requested again.
    #[test]
    fn rows_survive_any_sequence_of_faults(
        steps in prop::collection::vec(prop::collection::vec(step(), 1..5), 3),
        n in 1..200usize,
        max_retries in 0..4u32,
        hedge in prop_oneof![Just(Hedge::Adaptive), Just(Hedge::Off), Just(Hedge::After(MS * 20))],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let (net, nodes) = Net::cluster(3);
            let cluster = connect(&net, "10.0.0.1:3000").await;
            for _ in 0..2 {
                // The nodes still read requests that the last call gave up as it ended.
                tokio::time::sleep(MS).await;
                let (answered, again) = (Answered::default(), Again::default());
                for (node, steps) in nodes.iter().zip(&steps) {
                    play(node, steps.clone(), Arc::clone(&answered), Arc::clone(&again));
                }
                let mut policy = BatchPolicy::default();
                policy.limits.max_retries = max_retries;
                policy.reads.hedge = hedge;
                let start = Instant::now();
                let keys = keys(n);
                let rows = Rows::new(n);
                let outcome = cluster.batch_read(Arc::clone(&keys), request(policy), Arc::clone(&rows)).await;
                assert!(start.elapsed() <= Duration::from_millis(1_010), "{:?}", start.elapsed());
                assert_eq!(rows.count(-100), 0, "every row has a code");
                assert_eq!(*again.lock().unwrap(), [], "requested again after its answer");
                for row in (0..n).filter(|&row| rows.codes()[row] == 0) {
                    assert_eq!(rows.generation(row), u32::from(keys.digest(row).unwrap()[2]) + 1);
                }
                assert_eq!(outcome.is_ok(), rows.count(0) > 0, "{outcome:?}");
                let held: usize = cluster.stats().nodes.iter().map(|node| node.connections_in_use).sum();
                assert_eq!(held, 0);
            }
        });
    }
}
