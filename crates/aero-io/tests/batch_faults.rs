//! Batch reads while nodes, connections and sinks fail, and when time runs out.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aero_io::{BatchPolicy, Cluster, Error, Replica, client_code};
use support::net::{Act, Host, Net};
use support::rows::Rows;
use support::wire::{Request, answer, end, frame, record};
use support::{checks, connect, fails_once, keys, one_node, read, request, retries};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_truncated_answer_is_retried_without_its_rows() {
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
async fn missing_announced_bytes_cost_one_socket_timeout() {
    let announce = |_: &Request| vec![Act::Send(vec![2, 3, 0, 0, 0x06, 0x40, 0, 0]), Act::Hang];
    let mut policy = retries(1);
    policy.limits.socket_timeout = Duration::from_millis(200);
    let start = Instant::now();
    let (outcome, rows, _) = fails_once(announce, policy).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 100);
    assert_eq!(start.elapsed().as_millis(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_dies_during_a_batch_loses_no_row() {
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
            Act::Send(frame(
                &request.rows[..half].iter().map(|row| record(row.index, 0, 2)).collect::<Vec<_>>(),
            )),
            Act::Close,
        ]
    });
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(3_000), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 3_000);
    assert!(start.elapsed() < Duration::from_millis(50));
    let from_replica = (0..3_000).filter(|i| i % 3 == 1 && rows.generation(*i) == 3).count();
    assert_eq!(from_replica, 500, "the unanswered rows, from the next node");

    // The node is suspect and not preferred any more; its watch has failed, too.
    checks(1).await;
    assert!(cluster.stats().nodes[1].suspect);
    let before = net.opened();
    let (outcome, rows) = read(&cluster, &keys(300), retries(0)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), net.opened()), (300, before));
    // Only the master is down.
    let mut policy = retries(2);
    policy.limits.replica = Replica::Master;
    let (outcome, rows) = read(&cluster, &keys(300), policy).await;
    outcome.unwrap();
    assert_eq!(rows.count(client_code::CONNECTION), 100);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_and_answered_rows_are_kept() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[2].on_request(|request| vec![Act::Send(frame(&[record(request.rows[0].index, 0, 9)])), Act::Hang]);
    let start = Instant::now();
    let mut policy = BatchPolicy::default();
    policy.limits.replica = Replica::Master;
    let (outcome, rows) = read(&cluster, &keys(300), policy.clone()).await;
    outcome.unwrap();
    assert_eq!(start.elapsed().as_micros(), 1_003_000, "one second, and 10 microseconds per key");
    assert_eq!((rows.count(0), rows.count(9)), (201, 99));
    let asked = nodes[2].requests();
    assert_eq!((asked.len(), asked[0].timeout_ms), (1, 1_003));

    nodes.iter().for_each(|node| node.on_request(|_| vec![Act::Hang]));
    let start = Instant::now();
    policy.limits.total_timeout = Some(Duration::from_millis(40));
    let (outcome, rows) = read(&cluster, &keys(300), policy).await;
    assert_eq!(start.elapsed().as_millis(), 40);
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }) && error.code() == 9, "{error}");
    assert_eq!(rows.count(9), 300);
}

#[tokio::test(start_paused = true)]
async fn an_endless_answer_ends_at_the_deadline() {
    let (cluster, node) = one_node().await;
    // Empty frames keep the connection busy forever.
    node.on_request(|_| {
        let batch = frame(&[]).repeat(20_000);
        (0..1_000).flat_map(|_| [Act::Send(batch.clone()), Act::Wait(Duration::from_millis(1))]).collect()
    });
    let start = Instant::now();
    let mut policy = retries(0);
    policy.limits.total_timeout = Some(Duration::from_millis(100));
    let (outcome, _) = read(&cluster, &keys(10), policy).await;
    assert_eq!(outcome.unwrap_err().code(), 9);
    assert!(start.elapsed() < Duration::from_millis(110));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_closes_its_connections() {
    let (cluster, node) = one_node().await;
    node.on_request(|request| {
        let whole = answer(request, |_| 0, 1);
        vec![
            Act::Send(whole[..50].to_vec()),
            Act::Wait(Duration::from_secs(3)),
            Act::Send(whole[50..].to_vec()),
        ]
    });
    let keys_of_call = keys(10_000);
    let call = read(&cluster, &keys_of_call, BatchPolicy::default());
    assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    let stats = &cluster.stats().nodes[0];
    assert_eq!((stats.connections_in_use, stats.connections_idle), (0, 0));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(node.open.load(Ordering::SeqCst), 1, "the watch's connection");
    // The same call also works as a task of its own.
    node.on_request(|request| vec![Act::Send(answer(request, |_| 0, 1))]);
    let twin = cluster.clone();
    let call =
        tokio::spawn(async move { twin.batch_read(keys(10), request(retries(0)), Rows::new(10)).await });
    assert!(call.await.unwrap().is_ok());
    assert_eq!(cluster.stats().nodes[0].connections_idle, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_costs_no_attempt() {
    let (cluster, node) = one_node().await;
    read(&cluster, &keys(10), retries(0)).await.0.unwrap();
    node.drop_connections();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (outcome, rows) = read(&cluster, &keys(10), retries(0)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 10);

    // Nor does a connection that closes when it is used next.
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

    // A new connection that closes does cost an attempt.
    node.on_request(|_| vec![Act::Close]);
    let (outcome, _) = read(&cluster, &keys(10), retries(1)).await;
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("the peer closed the connection before answering"), "{error}");
    assert_eq!(error.tried().unwrap().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_unrequested_bytes_is_not_reused() {
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
    let mut policy = retries(0);
    policy.limits.total_timeout = Some(Duration::from_millis(30));
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
    // A sink that is too small is an error of the caller.
    let outcome = cluster.batch_read(keys(10), request(retries(2)), Rows::new(5)).await;
    assert_eq!(outcome.unwrap_err().to_string(), "the sink has no row 5");
}

#[tokio::test(start_paused = true)]
async fn retries_sleep_and_go_through_the_replicas() {
    let (net, nodes) = Net::cluster(2);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].on_request(|request| vec![Act::Send(answer(request, |_| 14, 0))]);
    nodes[1].on_request(|request| vec![Act::Send(answer(request, |_| 14, 0))]);
    let mut policy = retries(3);
    policy.limits.sleep_between_retries = Duration::from_millis(50);
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(2), policy).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code(), error.tried().unwrap().attempts), (14, 4));
    // The first retry waits only because the record is busy, the later ones sleep.
    assert!((101..=107).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(rows.count(14), 2);
    assert_eq!(nodes.iter().map(|node| node.requests().len()).collect::<Vec<_>>(), [4, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_moves_reads_to_the_replica() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    net.set("10.0.0.1:3000", Host::Refuses);
    let (outcome, rows) = read(&cluster, &keys(300), retries(1)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 300);
    // The node hangs instead: the socket timeout moves the rows to another node.
    net.set("10.0.0.1:3000", Host::Node(Arc::clone(&nodes[0])));
    checks(2).await;
    nodes[0].on_request(|_| vec![Act::Hang]);
    let mut policy = retries(1);
    policy.limits.socket_timeout = Duration::from_millis(100);
    let start = Instant::now();
    let (outcome, rows) = read(&cluster, &keys(300), policy).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), start.elapsed().as_millis()), (300, 100));
}
