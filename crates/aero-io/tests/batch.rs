//! Batch reads: routing, cutting into requests, and the effects of result codes.

mod support;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aero_io::{BatchKeys, BatchPolicy, Bins, Cluster, Digest, DigestSource, Error, Space, client_code};
use support::net::{Act, Net};
use support::rows::{Row, Rows};
use support::wire::{Request, answer, end, frame, record};
use support::{connect, digest, fails_once, keys, mixed_keys, one_node, read, retries};
use tokio::time::Instant;
use wire_protocol::info::PartitionBitmap;

#[tokio::test(start_paused = true)]
async fn rows_come_back_in_key_order_from_several_nodes() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    for (i, node) in nodes.iter().enumerate() {
        node.on_request(move |request| {
            // The rows are answered in any order, over several frames.
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
    assert!(nodes.iter().all(|node| node.requests().len() == 1), "a small batch is one request per node");
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_sends_nothing() {
    let (cluster, node) = one_node().await;
    assert!(read(&cluster, &keys(0), BatchPolicy::default()).await.0.is_ok());
    assert!(node.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_row_number_is_a_protocol_error() {
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
async fn the_first_of_two_answers_for_a_row_counts() {
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
async fn transient_row_codes_are_retried() {
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
async fn other_row_codes_are_final() {
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
async fn a_code_for_the_request_applies_to_unanswered_rows() {
    let some = |request: &Request| {
        let rows: Vec<Vec<u8>> = request.rows[..10].iter().map(|row| record(row.index, 0, 1)).collect();
        vec![Act::Send(frame(&rows)), Act::Send(frame(&[end(150)]))]
    };
    let (outcome, rows, _) = fails_once(some, retries(5)).await;
    outcome.unwrap();
    assert_eq!((rows.count(0), rows.count(150)), (10, 90));

    // The same for an answer that does not contain all rows.
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
async fn a_refused_request_is_halved_until_it_fits() {
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
    // The limit is remembered.
    read(&cluster, &keys(1_000), retries(0)).await.0.unwrap();
    assert_eq!(node.requests().len(), 15 + 8);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_fits_fails() {
    let (cluster, node) = one_node().await;
    node.on_request(|_| vec![Act::Send(frame(&[end(151)]))]);
    let (outcome, rows) = read(&cluster, &keys(100), retries(0)).await;
    assert_eq!(outcome.unwrap_err().code(), 151);
    assert_eq!(rows.count(151), 100);
}

#[tokio::test(start_paused = true)]
async fn full_queues_delay_the_retry() {
    let start = Instant::now();
    let full = |_: &Request| vec![Act::Send(frame(&[end(152)]))];
    let (outcome, rows, _) = fails_once(full, retries(1)).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 100);
    assert!((10..=12).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_refused_mix_of_namespaces_is_split() {
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
async fn an_unknown_namespace_fails_only_its_rows() {
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
async fn a_large_batch_keeps_few_requests_in_flight() {
    let (cluster, node) = one_node().await;
    node.on_request(|request| {
        vec![Act::Wait(Duration::from_millis(1)), Act::Send(answer(request, |_| 2, 0))]
    });
    let (outcome, rows) = read(&cluster, &keys(100_000), retries(0)).await;
    outcome.unwrap();
    assert_eq!(rows.count(2), 100_000);
    // Two pages of digests each, except for the last.
    assert_eq!(node.requests().len(), 49);
    assert!(node.requests().iter().all(|request| request.rows.len() <= 2_048 && request.size < 64 * 1024));
    assert_eq!(node.most_busy.load(Ordering::SeqCst), 8);
}

/// Digests during whose computation the cluster is closed, in the page that begins at `at`.
struct Closing {
    cluster: Cluster,
    at: usize,
}

impl DigestSource for Closing {
    fn len(&self) -> usize {
        3_000
    }

    fn digests(&self, rows: Range<usize>, into: &mut Vec<Digest>) -> Result<(), Error> {
        if rows.start == self.at {
            self.cluster.close();
        }
        into.extend(rows.map(|row| digest(row % 4096, row as u32)));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn closing_is_not_reported_as_a_missing_namespace() {
    for at in [0, 1_024, 2_048] {
        let (cluster, _node) = one_node().await;
        let source = Closing { cluster: cluster.clone(), at };
        let keys = Arc::new(BatchKeys::single(Space::new("test", "set"), source));
        let (outcome, rows) = read(&cluster, &keys, retries(2)).await;
        assert!(matches!(outcome, Err(Error::Closed { .. })), "{at}: {outcome:?}");
        assert_eq!(rows.count(20), 0, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_several_sets_are_sent_set_by_set() {
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
async fn invalid_requests_are_refused_before_anything_is_sent() {
    let (cluster, node) = one_node().await;
    let request = aero_io::BatchRead { bins: Bins::names(["a-name-of-16-byte"]), ..Default::default() };
    let outcome = cluster.batch_read(keys(10), Arc::new(request), Rows::new(10)).await;
    assert!(matches!(outcome, Err(Error::BinName { .. })));
    assert!(node.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn requests_for_long_rows_have_few_rows() {
    let (cluster, node) = one_node().await;
    for (row_bytes, most) in [(0, 1_000), (4_096, 128), (1 << 20, 64)] {
        let before = node.requests().len();
        let request = Arc::new(aero_io::BatchRead { row_bytes, ..Default::default() });
        let rows = Rows::new(1_000);
        cluster.batch_read(keys(1_000), request, Arc::clone(&rows)).await.unwrap();
        assert_eq!(rows.count(0), 1_000);
        let sizes: Vec<usize> = node.requests()[before..].iter().map(|request| request.rows.len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 1_000);
        assert!(sizes.iter().all(|&rows| rows <= most), "{row_bytes} bytes: {sizes:?}");
    }
}
