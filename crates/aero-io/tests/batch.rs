//! Batch reads against scripted nodes: every way in which an answer may fail to come.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aero_io::{BatchPolicy, Bins, Cluster, Error, Replica, client_code};
use support::net::{Act, Host, Net, Node};
use support::rows::{Row, Rows};
use support::wire::{Request, answer, end, frame, record};
use support::{connect, keys, looks, mixed_keys, read, request};
use tokio::time::Instant;
use wire_protocol::info::PartitionBitmap;

/// Answers as `first` says at first, and with records of generation `later` after that.
fn once(first: impl Fn(&Request) -> Vec<Act> + Send + 'static, later: u32) -> impl FnMut(&Request) -> Vec<Act> {
    let mut calls = 0;
    move |request| {
        calls += 1;
        if calls == 1 { first(request) } else { vec![Act::Send(answer(request, |_| 0, later))] }
    }
}

fn retries(max_retries: u32) -> BatchPolicy {
    BatchPolicy { max_retries, ..BatchPolicy::default() }
}

async fn one_node() -> (Cluster, Arc<Node>) {
    let (net, nodes) = Net::cluster(1);
    (connect(&net, "10.0.0.1:3000").await, Arc::clone(&nodes[0]))
}

/// Reads 100 keys from a node that fails once; returns the call's outcome, the rows and the node.
async fn fails_once(
    first: impl Fn(&Request) -> Vec<Act> + Send + 'static,
    policy: BatchPolicy,
) -> (Result<(), Error>, Arc<Rows>, Arc<Node>) {
    let (cluster, node) = one_node().await;
    node.on_request(once(first, 7));
    let (outcome, rows) = read(&cluster, &keys(100), policy).await;
    (outcome, rows, node)
}

#[tokio::test(start_paused = true)]
async fn rows_come_back_in_key_order_from_several_nodes() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    for (i, node) in nodes.iter().enumerate() {
        node.on_request(move |request| {
            // Answers in any order, over several frames.
            let mut records: Vec<Vec<u8>> = request
                .rows
                .iter()
                .map(|row| {
                    let missing = row.digest[2] % 5 == 0;
                    record(row.index, if missing { 2 } else { 0 }, i as u32 + 1)
                })
                .collect();
            records.reverse();
            let mut out: Vec<u8> = records.chunks(7).flat_map(frame).collect();
            out.extend(frame(&[end(0)]));
            vec![Act::Send(out)]
        });
    }
    let (outcome, rows) = read(&cluster, &keys(200), BatchPolicy::default()).await;
    outcome.unwrap();
    for i in 0..200 {
        assert_eq!(rows.generation(i) as usize, i % 3 + 1);
        assert_eq!(rows.codes()[i], if i % 5 == 0 { 2 } else { 0 });
    }
    assert!(nodes.iter().all(|node| node.requests().len() == 1), "a small batch is one request a node");
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_asks_nobody() {
    let (cluster, node) = one_node().await;
    assert!(read(&cluster, &keys(0), BatchPolicy::default()).await.0.is_ok());
    assert!(node.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_cut_off_is_asked_for_again_without_its_rows() {
    let cut = |request: &Request| {
        let rows: Vec<Vec<u8>> = request.rows[..40].iter().map(|row| record(row.index, 0, 1)).collect();
        let mut bytes = frame(&rows);
        bytes.extend_from_slice(&frame(&[record(41, 0, 1)])[..20]);
        vec![Act::Send(bytes), Act::Close]
    };
    let (outcome, rows, node) = fails_once(cut, retries(1)).await;
    outcome.unwrap();
    assert_eq!((rows.generation(39), rows.generation(40)), (1, 7));
    assert_eq!(node.requests()[1].rows.len(), 60);

    let (outcome, rows, _) = fails_once(cut, retries(0)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(client_code::CONNECTION)), (40, 60));
}

#[tokio::test(start_paused = true)]
async fn announced_bytes_that_never_come_cost_one_socket_timeout() {
    let announce = |_: &Request| vec![Act::Send(vec![2, 3, 0, 0, 0x06, 0x40, 0, 0]), Act::Hang];
    let policy = BatchPolicy { socket_timeout: Duration::from_millis(200), ..retries(1) };
    let start = Instant::now();
    let (outcome, rows, _) = fails_once(announce, policy).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 100);
    assert_eq!(start.elapsed().as_millis(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_row_number_is_a_broken_protocol() {
    let wrong = |request: &Request| {
        let good = frame(&[record(request.rows[0].index, 0, 1), record(100, 0, 1), record(1, 0, 1)]);
        vec![Act::Send(good), Act::Send(frame(&[end(0)]))]
    };
    let (outcome, rows, node) = fails_once(wrong, retries(1)).await;
    outcome.unwrap();
    assert_eq!((rows.generation(0), rows.generation(1)), (1, 7));
    assert_eq!(node.requests()[1].rows.len(), 99);

    let all_wrong = |_: &Request| vec![Act::Send(frame(&[record(u32::MAX, 0, 1)]))];
    let (outcome, rows, _) = fails_once(all_wrong, retries(0)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }));
    assert!(error.to_string().contains("a row that was not asked for"), "{error}");
    assert_eq!(rows.count(client_code::CLIENT), 100);
}

#[tokio::test(start_paused = true)]
async fn of_a_row_answered_twice_the_first_counts() {
    let twice = |request: &Request| {
        let mut rows: Vec<Vec<u8>> = request.rows.iter().map(|row| record(row.index, 0, 1)).collect();
        rows.push(record(3, 0, 2));
        vec![Act::Send(frame(&rows)), Act::Send(frame(&[record(5, 2, 0), end(0)]))]
    };
    let (outcome, rows, _) = fails_once(twice, retries(0)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.generation(3), rows.generation(5)), (100, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn passing_codes_of_rows_are_asked_again() {
    for code in [9, 11, 14, 18, 151, 152] {
        let some = move |request: &Request| {
            vec![Act::Send(answer(request, |row| if row.index < 30 { code } else { 0 }, 1))]
        };
        let (outcome, rows, node) = fails_once(some, retries(1)).await;
        outcome.unwrap();
        assert_eq!(rows.count(0), 100, "code {code}");
        assert_eq!((rows.generation(29), rows.generation(30)), (7, 1));
        assert_eq!(node.requests()[1].rows.len(), 30);

        let (outcome, rows, _) = fails_once(some, retries(0)).await;
        outcome.unwrap();
        assert_eq!(rows.get(29), Row::Failed(i32::from(code)));
        assert_eq!(rows.count(0), 70);
    }
}

#[tokio::test(start_paused = true)]
async fn other_codes_of_rows_are_final() {
    for code in [1, 4, 22, 81] {
        let some = move |request: &Request| {
            vec![Act::Send(answer(request, |row| if row.index < 30 { code } else { 0 }, 1))]
        };
        let (outcome, rows, node) = fails_once(some, retries(5)).await;
        outcome.unwrap();
        assert_eq!((rows.count(i32::from(code)), rows.count(0)), (30, 70));
        assert_eq!(node.requests().len(), 1);
    }
    let all = |request: &Request| vec![Act::Send(answer(request, |_| 81, 0))];
    let (outcome, rows, _) = fails_once(all, retries(5)).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code(), rows.count(81)), (81, 100));
    assert!(error.to_string().contains("at node N1 (10.0.0.1:3000), 1 try"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_code_for_the_whole_request_falls_on_unanswered_rows() {
    let some = |request: &Request| {
        let rows: Vec<Vec<u8>> = request.rows[..10].iter().map(|row| record(row.index, 0, 1)).collect();
        vec![Act::Send(frame(&rows)), Act::Send(frame(&[end(150)]))]
    };
    let (outcome, rows, _) = fails_once(some, retries(5)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(150)), (10, 90));

    // The same for an answer that simply leaves rows out.
    let silent = |request: &Request| vec![Act::Send(frame(&[record(request.rows[0].index, 0, 1), end(0)]))];
    let (outcome, rows, node) = fails_once(silent, retries(1)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), node.requests()[1].rows.len()), (100, 99));
    let (outcome, rows, _) = fails_once(silent, retries(0)).await;
    outcome.unwrap();
    assert_eq!(rows.count(client_code::NO_RESPONSE), 99);
    let policy = BatchPolicy { respond_all_keys: false, ..retries(5) };
    let (outcome, rows, node) = fails_once(silent, policy).await;
    outcome.unwrap();
    assert_eq!((rows.count(client_code::NO_RESPONSE), node.requests().len()), (99, 1));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_long_is_halved_until_it_fits() {
    let (cluster, node) = one_node().await;
    node.on_request(|request| {
        let fits = request.rows.len() <= 150;
        vec![Act::Send(if fits { answer(request, |_| 0, 1) } else { frame(&[end(151)]) })]
    });
    let (outcome, rows) = read(&cluster, &keys(1_000), retries(0)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 1_000);
    let sizes: Vec<usize> = node.requests().iter().map(|request| request.rows.len()).collect();
    assert_eq!(sizes, [1_000, 500, 500, 250, 250, 250, 250, 125, 125, 125, 125, 125, 125, 125, 125]);
    // It is remembered.
    read(&cluster, &keys(1_000), retries(0)).await.0.unwrap();
    assert_eq!(node.requests().len(), 15 + 8);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_fits_ends() {
    let (cluster, node) = one_node().await;
    node.on_request(|_| vec![Act::Send(frame(&[end(151)]))]);
    let (outcome, rows) = read(&cluster, &keys(100), retries(0)).await;
    assert_eq!(outcome.unwrap_err().code(), 151);
    assert_eq!(rows.count(151), 100);
}

#[tokio::test(start_paused = true)]
async fn full_queues_are_waited_for() {
    let start = Instant::now();
    let full = |_: &Request| vec![Act::Send(frame(&[end(152)]))];
    let (outcome, rows, _) = fails_once(full, retries(1)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 100);
    assert_eq!(start.elapsed().as_millis(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_refused_mix_of_namespaces_is_asked_by_namespace() {
    let (net, nodes) = Net::cluster(1);
    nodes[0].claim("bar", vec![PartitionBitmap::of(0..4096)]);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].on_request(|request| {
        let refused = request.rows.iter().any(|row| row.namespace == b"bar");
        vec![Act::Send(if refused { frame(&[end(4)]) } else { answer(request, |_| 0, 1) })]
    });
    let (outcome, rows) = read(&cluster, &mixed_keys(100, &["test", "bar"]), retries(0)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(4)), (50, 50));
    assert_eq!(nodes[0].requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_namespace_spoils_nothing() {
    let (cluster, node) = one_node().await;
    let (outcome, rows) = read(&cluster, &mixed_keys(100, &["test", "nowhere"]), retries(2)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(20)), (50, 50));
    assert_eq!(node.requests()[0].rows.len(), 50);
    let (outcome, rows) = read(&cluster, &mixed_keys(10, &["nowhere", "nirvana"]), retries(2)).await;
    assert_eq!(outcome.unwrap_err().to_string(), "the cluster has no namespace \"nirvana\"");
    assert_eq!(rows.count(20), 10);
}

#[tokio::test(start_paused = true)]
async fn a_partition_without_a_node_fails_alone() {
    let (net, nodes) = Net::cluster(1);
    nodes[0].claim("test", vec![PartitionBitmap::of((0..4096).filter(|p| *p != 7))]);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    let (outcome, rows) = read(&cluster, &keys(100), retries(2)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.codes()[7]), (99, client_code::INVALID_NODE));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_dies_in_mid_batch_loses_no_row() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    for (i, node) in nodes.iter().enumerate() {
        node.on_request(move |request| vec![Act::Send(answer(request, |_| 0, i as u32 + 1))]);
    }
    let dying = Arc::clone(&nodes[1]);
    nodes[1].on_request(move |request| {
        dying.set_down(true);
        let half = request.rows.len() / 2;
        vec![
            Act::Send(frame(&request.rows[..half].iter().map(|row| record(row.index, 0, 2)).collect::<Vec<_>>())),
            Act::Close,
        ]
    });
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(3_000), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 3_000);
    assert!(start.elapsed() < Duration::from_millis(50));
    let from_replica = (0..3_000).filter(|i| i % 3 == 1 && rows.generation(*i) == 3).count();
    assert_eq!(from_replica, 500, "the rows that it had not answered, from the next node");

    // Known to be in trouble, it is not asked first any more; its watch has found out, too.
    looks(1).await;
    assert!(cluster.stats().nodes[1].suspect);
    let before = net.opened();
    let (outcome, rows) = read(&cluster, &keys(300), retries(0)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), net.opened()), (300, before));
    // The master alone is not there.
    let policy = BatchPolicy { replica: Replica::Master, ..retries(2) };
    let (outcome, rows) = read(&cluster, &keys(300), policy).await;
    outcome.unwrap();
    assert_eq!(rows.count(client_code::CONNECTION), 100);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_and_answered_rows_are_kept() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[2].on_request(|request| {
        vec![Act::Send(frame(&[record(request.rows[0].index, 0, 9)])), Act::Hang]
    });
    let start = Instant::now();
    let policy = BatchPolicy { replica: Replica::Master, ..BatchPolicy::default() };
    let (outcome, rows) = read(&cluster, &keys(300), policy.clone()).await;
    outcome.unwrap();
    assert_eq!(start.elapsed().as_micros(), 1_003_000, "one second, and 10 microseconds a key");
    assert_eq!((rows.count(0), rows.count(9)), (201, 99));
    let asked = nodes[2].requests();
    assert_eq!((asked.len(), asked[0].timeout_ms), (1, 1_003));

    nodes.iter().for_each(|node| node.on_request(|_| vec![Act::Hang]));
    let start = Instant::now();
    let policy = BatchPolicy { total_timeout: Some(Duration::from_millis(40)), ..policy };
    let (outcome, rows) = read(&cluster, &keys(300), policy).await;
    assert_eq!(start.elapsed().as_millis(), 40);
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }) && error.code() == 9, "{error}");
    assert_eq!(rows.count(9), 300);
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_end_does_not_outlive_the_deadline() {
    let (cluster, node) = one_node().await;
    // Empty frames keep the connection busy for ever.
    node.on_request(|_| {
        let batch = frame(&[]).repeat(20_000);
        (0..1_000).map(|_| [Act::Send(batch.clone()), Act::Wait(Duration::from_millis(1))]).flatten().collect()
    });
    let start = Instant::now();
    let policy = BatchPolicy { total_timeout: Some(Duration::from_millis(100)), ..retries(0) };
    let (outcome, _) = read(&cluster, &keys(10), policy).await;
    assert_eq!(outcome.unwrap_err().code(), 9);
    assert!(start.elapsed() < Duration::from_millis(110));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_nothing_behind() {
    let (cluster, node) = one_node().await;
    node.on_request(|request| {
        let whole = answer(request, |_| 0, 1);
        vec![Act::Send(whole[..50].to_vec()), Act::Wait(Duration::from_secs(3)), Act::Send(whole[50..].to_vec())]
    });
    let keys_of_call = keys(10_000);
    let call = read(&cluster, &keys_of_call, BatchPolicy::default());
    assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    let stats = &cluster.stats().nodes[0];
    assert_eq!((stats.connections_in_use, stats.connections_idle), (0, 0));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(node.open.load(Ordering::SeqCst), 1, "the watch's own");
    // And it runs as its own task, too.
    node.on_request(|request| vec![Act::Send(answer(request, |_| 0, 1))]);
    let twin = cluster.clone();
    let call = tokio::spawn(async move { twin.batch_read(keys(10), request(retries(0)), Rows::new(10)).await });
    assert!(call.await.unwrap().is_ok());
    assert_eq!(cluster.stats().nodes[0].connections_idle, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_closed_while_idle_costs_no_try() {
    let (cluster, node) = one_node().await;
    read(&cluster, &keys(10), retries(0)).await.0.unwrap();
    node.drop_connections();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (outcome, rows) = read(&cluster, &keys(10), retries(0)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 10);

    // Nor does one that closes when it is used next.
    let closes = AtomicUsize::new(0);
    node.on_request(move |request| {
        if closes.fetch_add(1, Ordering::SeqCst) == 0 {
            vec![Act::Close]
        } else {
            vec![Act::Send(answer(request, |_| 0, 1))]
        }
    });
    let (outcome, rows) = read(&cluster, &keys(10), retries(0)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 10);

    // A fresh one that closes does.
    node.on_request(|_| vec![Act::Close]);
    let (outcome, _) = read(&cluster, &keys(10), retries(1)).await;
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("closed by the peer before it answered"), "{error}");
    assert_eq!(error.tried().unwrap().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_nobody_asked_for_spoil_a_connection() {
    let (cluster, node) = one_node().await;
    node.on_request(|request| {
        let mut bytes = answer(request, |_| 0, 1);
        bytes.extend(frame(&[record(0, 0, 66), end(0)]));
        vec![Act::Send(bytes)]
    });
    for _ in 0..3 {
        let (outcome, rows) = read(&cluster, &keys(10), retries(0)).await;
        outcome.unwrap();
        assert_eq!(rows.generation(0), 1);
        assert_eq!(cluster.stats().nodes[0].connections_idle, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn connections_are_bounded_and_waited_for_in_turn() {
    let (net, nodes) = Net::cluster(1);
    let config = aero_io::ClusterConfig { max_conns_per_node: 2, ..support::config(&["10.0.0.1:3000"]) };
    let cluster = Cluster::connect(config, Arc::clone(&net) as _).await.unwrap();
    nodes[0].on_request(|request| {
        vec![Act::Wait(Duration::from_millis(10)), Act::Send(answer(request, |_| 0, 1))]
    });
    let start = Instant::now();
    let calls = (0..8).map(|_| {
        let cluster = cluster.clone();
        tokio::spawn(async move { read(&cluster, &keys(5), retries(0)).await.0 })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed().as_millis(), 40, "two at a time");
    assert_eq!((net.opened(), nodes[0].most_busy.load(Ordering::SeqCst)), (3, 2));

    nodes[0].on_request(|_| vec![Act::Hang]);
    let holding: Vec<_> = (0..2)
        .map(|_| {
            let cluster = cluster.clone();
            tokio::spawn(async move { read(&cluster, &keys(5), retries(0)).await.0 })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let policy = BatchPolicy { total_timeout: Some(Duration::from_millis(30)), ..retries(0) };
    let (outcome, rows) = read(&cluster, &keys(5), policy).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Saturated { limit: 2, .. }), "{error}");
    assert_eq!(rows.count(client_code::NO_MORE_CONNECTIONS), 5);
    holding.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_sealed_sink_ends_the_call() {
    let (cluster, _node) = one_node().await;
    let rows = Rows::new(10);
    rows.sealed.store(true, Ordering::Release);
    let outcome = cluster.batch_read(keys(10), request(retries(2)), Arc::clone(&rows)).await;
    assert!(matches!(outcome, Err(Error::Sealed)));
    assert_eq!(cluster.stats().nodes[0].connections_idle, 0);
    // A sink that is too small is the caller's mistake.
    let outcome = cluster.batch_read(keys(10), request(retries(2)), Rows::new(5)).await;
    assert_eq!(outcome.unwrap_err().to_string(), "the sink has no row 5");
}

#[tokio::test(start_paused = true)]
async fn a_large_batch_is_cut_and_keeps_few_requests_under_way() {
    let (cluster, node) = one_node().await;
    node.on_request(|request| {
        vec![Act::Wait(Duration::from_millis(1)), Act::Send(answer(request, |_| 2, 0))]
    });
    let (outcome, rows) = read(&cluster, &keys(100_000), retries(0)).await;
    outcome.unwrap();
    assert_eq!(rows.count(2), 100_000);
    assert_eq!(node.requests().len(), 40);
    assert!(node.requests().iter().all(|request| request.rows.len() == 2_500 && request.size < 64 * 1024));
    assert_eq!(node.most_busy.load(Ordering::SeqCst), 8);
}

#[tokio::test(start_paused = true)]
async fn several_sets_are_sent_one_after_the_other() {
    let (net, nodes) = Net::cluster(1);
    nodes[0].claim("bar", vec![PartitionBitmap::of(0..4096)]);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].on_request(|request| {
        vec![Act::Send(answer(request, |row| if row.namespace == b"bar" { 2 } else { 0 }, 1))]
    });
    let (outcome, rows) = read(&cluster, &mixed_keys(1_000, &["test", "bar"]), retries(0)).await;
    outcome.unwrap();
    assert!((0..1_000).all(|i| rows.codes()[i] == if i % 2 == 1 { 2 } else { 0 }));
    let asked = &nodes[0].requests()[0];
    assert_eq!(asked.rows.len(), 1_000);
    assert!(asked.size < 1_000 * 25 + 200, "names go out once a run: {}", asked.size);
}

#[tokio::test(start_paused = true)]
async fn requests_that_cannot_be_are_refused_before_anything_is_sent() {
    let (cluster, node) = one_node().await;
    let request = aero_io::BatchRead { bins: Bins::names(["a-name-of-16-byte"]), ..Default::default() };
    let outcome = cluster.batch_read(keys(10), Arc::new(request), Rows::new(10)).await;
    assert!(matches!(outcome, Err(Error::BinName { .. })));
    assert!(node.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retries_wait_as_told_and_go_round_the_replicas() {
    let (net, nodes) = Net::cluster(2);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].on_request(|request| vec![Act::Send(answer(request, |_| 14, 0))]);
    nodes[1].on_request(|request| vec![Act::Send(answer(request, |_| 14, 0))]);
    let policy = BatchPolicy { sleep_between_retries: Duration::from_millis(50), ..retries(3) };
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(2), policy).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code(), error.tried().unwrap().attempts), (14, 4));
    assert_eq!(start.elapsed().as_millis(), 150);
    assert_eq!(rows.count(14), 2);
    assert_eq!(nodes.iter().map(|node| node.requests().len()).collect::<Vec<_>>(), [4, 4]);
}

#[tokio::test(start_paused = true)]
async fn garbage_never_panics_nor_outlives_the_deadline() {
    let (cluster, node) = one_node().await;
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    node.on_request(move |request| {
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // A good answer with some bytes changed, cut or repeated.
        let mut bytes = answer(request, |_| 0, 1);
        for _ in 0..random() % 4 {
            let at = random() as usize % bytes.len();
            bytes[at] = random() as u8;
        }
        match random() % 4 {
            0 => bytes.truncate(random() as usize % bytes.len()),
            1 => bytes.extend_from_slice(&bytes.clone()[random() as usize % bytes.len()..]),
            _ => {}
        }
        state = random();
        vec![Act::Send(bytes), Act::Close]
    });
    let policy = BatchPolicy { total_timeout: Some(Duration::from_millis(50)), ..retries(2) };
    for _ in 0..2_000 {
        let start = Instant::now();
        let (_, rows) = read(&cluster, &keys(8), policy.clone()).await;
        assert_eq!(rows.count(-100), 0, "every row has a code");
        assert!(start.elapsed() <= Duration::from_millis(51));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_refuses_is_left_for_its_replica() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    net.set("10.0.0.1:3000", Host::Refuses);
    let (outcome, rows) = read(&cluster, &keys(300), retries(1)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 300);
    // It hangs instead: the socket timeout moves the rows on.
    net.set("10.0.0.1:3000", Host::Node(Arc::clone(&nodes[0])));
    looks(2).await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let policy = BatchPolicy { socket_timeout: Duration::from_millis(100), ..retries(1) };
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(300), policy).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), start.elapsed().as_millis()), (300, 100));
}
