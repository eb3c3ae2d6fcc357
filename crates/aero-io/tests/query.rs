//! Queries over the primary index, against embedded nodes.

mod support;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use aero_io::{
    Bins, Error, Key, OwnedKey, PartitionProgress, Query, QueryDuration, QueryPartitions, QueryPolicy,
    RecordPosition, Space, WriteOp, WritePolicy,
};
use dev_server::Config;
use futures_util::StreamExt as _;
use support::MS;
use support::queries::{Received, SET, all, fill, key, nodes, query, start, total, with};
use wire_protocol::digest::{UserKey, partition_id};
use wire_protocol::message::op;
use wire_protocol::particle::Particle;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_comes_once_and_whole() {
    for count in [1, 3] {
        let (_server, cluster) = nodes(count).await;
        assert!(all(&cluster, query()).await.unwrap().digests.is_empty());
        let expected = fill(&cluster, 2_000, 10).await;
        for duration in [QueryDuration::Long, QueryDuration::Short, QueryDuration::LongRelaxAp] {
            let received =
                all(&cluster, with(QueryPolicy { duration, ..QueryPolicy::default() })).await.unwrap();
            received.is_exactly(&expected);
        }
        let received = all(&cluster, Query { space: Space::new("test", ""), ..query() }).await.unwrap();
        received.is_exactly(&expected);
        let other = Query { space: Space::new("test", "other"), ..query() };
        assert!(all(&cluster, other).await.unwrap().digests.is_empty());

        let mut stream = cluster.query(query());
        let mut keys = 0;
        while let Some(block) = stream.next().await.unwrap() {
            for record in block.records() {
                assert_eq!((record.namespace, record.set), (&b"test"[..], SET.as_bytes()));
                assert_eq!((record.generation, record.void_time, record.ops().count()), (1, 0, 2));
                let n = record.ops().find(|op| op.name == b"n").unwrap().particle().unwrap();
                let Particle::Int(n) = n else { panic!("{n:?}") };
                assert_eq!(key(n).digest, *record.digest);
                assert_eq!(record.key, (n % 2 == 0).then_some(UserKey::Int(n)));
                keys += usize::from(record.key.is_some());
            }
        }
        assert_eq!(keys, 1_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_text_that_is_not_utf8_stay_text() {
    let (_server, cluster) = nodes(1).await;
    let raw: &[u8] = b"\xff\xfek";
    let space = Space::new("test", SET);
    let key = Key::new(space.clone(), OwnedKey::StrBytes(raw.into()), true);
    assert_eq!(key.digest, UserKey::Str(raw).digest(SET.as_bytes()));
    assert_ne!(key.digest, Key::new(space, OwnedKey::Blob(raw.into()), true).digest);
    let ops = [WriteOp { code: op::WRITE, name: b"n", value: Particle::Int(1) }];
    // The second write sends the key too: the server compares it with the stored one.
    for _ in 0..2 {
        cluster.write(&key, &ops, &WritePolicy::default()).await.unwrap();
    }
    let mut stream = cluster.query(query());
    let block = stream.next().await.unwrap().unwrap();
    let records: Vec<_> = block.records().collect();
    assert_eq!((records[0].key, records[0].digest), (Some(UserKey::Str(raw)), &key.digest));
    assert_eq!((records.len(), records[0].generation), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bins_can_be_selected() {
    let (_server, cluster) = nodes(1).await;
    fill(&cluster, 50, 10).await;
    for (bins, names) in [
        (Bins::Header, vec![]),
        (Bins::names(["b"]), vec!["b"]),
        (Bins::names(["nobin", "n"]), vec!["n"]),
        (Bins::All, vec!["n", "b"]),
    ] {
        let mut stream = cluster.query(Query { bins, ..query() });
        let mut count = 0;
        while let Some(block) = stream.next().await.unwrap() {
            count += block.len();
            for record in block.records() {
                let found: Vec<_> = record.ops().map(|op| String::from_utf8_lossy(op.name)).collect();
                assert_eq!(found, names);
            }
        }
        assert_eq!(count, 50);
    }
    // Like the server: records without any of the bins are skipped.
    assert!(
        all(&cluster, Query { bins: Bins::names(["nobin"]), ..query() }).await.unwrap().digests.is_empty()
    );
    // Unless every record is wanted.
    for (bins, expected) in [(vec!["nobin"], "nobin=Nil"), (vec!["nobin", "n"], "nobin=Nil n=Int(_)")] {
        let mut stream = cluster.query(Query { bins: Bins::names(bins), every_record: true, ..query() });
        let mut count = 0;
        while let Some(block) = stream.next().await.unwrap() {
            count += block.len();
            for record in block.records() {
                let found: Vec<_> = record
                    .ops()
                    .map(|op| {
                        let value = match op.particle().unwrap() {
                            Particle::Int(_) => "Int(_)".into(),
                            other => format!("{other:?}"),
                        };
                        format!("{}={value}", String::from_utf8_lossy(op.name))
                    })
                    .collect();
                assert_eq!(found.join(" "), expected);
            }
        }
        assert_eq!(count, 50);
    }
    let long = Query { bins: Bins::names(["sixteen-bytes-xx"]), ..query() };
    assert!(matches!(all(&cluster, long).await, Err(Error::BinName { .. })));
}

/// Servers count records that they leave out, so a request may return less than its limit though there are more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_without_the_bins_do_not_count_for_max_records() {
    for count in [1, 3] {
        let (_server, cluster) = nodes(count).await;
        fill(&cluster, 300, 10).await;
        let mut expected = HashSet::new();
        for i in (0..300).step_by(3) {
            let ops = [WriteOp { code: op::WRITE, name: b"third", value: Particle::Int(i) }];
            cluster.write(&key(i), &ops, &WritePolicy::default()).await.unwrap();
            expected.insert(key(i).digest);
        }
        let third = Query { bins: Bins::names(["third"]), ..query() };
        for size in [1, 7, 50, 99, 100, 101, 1_000] {
            let mut received = Received::default();
            let mut partitions = QueryPartitions::all();
            for page in 0.. {
                let mut stream = cluster.query(Query { partitions, max_records: size, ..third.clone() });
                let before = received.digests.len();
                received.rest(&mut stream).await.unwrap();
                let got = received.digests.len() - before;
                assert_eq!(got, (size as usize).min(100 - before), "{size}, page {page}");
                partitions = stream.progress().partitions();
                if got == 0 || page == 20 {
                    break;
                }
            }
            let found: HashSet<_> = received.digests.iter().copied().collect();
            assert_eq!(found.len(), received.digests.len());
            assert!(found.is_subset(&expected) && (size == 1 || found == expected), "{size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn max_records_holds_and_pages_continue_exactly() {
    for count in [1, 3, 5] {
        let (_server, cluster) = nodes(count).await;
        let expected = fill(&cluster, 200, 10).await;
        for size in [1, 2, 7, 50, 99, 100, 199, 200, 201, 5_000] {
            for most in [0, 1, 2] {
                let policy = QueryPolicy { max_concurrent_nodes: most, ..QueryPolicy::default() };
                let mut received = Received::default();
                let mut partitions = QueryPartitions::all();
                let mut pages = 0;
                while !partitions.is_done() {
                    let before = received.digests.len();
                    let mut stream =
                        cluster.query(Query { partitions, max_records: size, ..with(policy.clone()) });
                    received.rest(&mut stream).await.unwrap();
                    let page = received.digests.len() - before;
                    let left = 200 - before;
                    assert_eq!(page, left.min(size as usize), "page {pages} of {size} on {count} nodes");
                    partitions = stream.progress().partitions();
                    pages += 1;
                    assert!(pages <= 201, "too many pages");
                }
                received.is_exactly(&expected);
            }
            if size == 1 && count == 3 {
                continue;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_can_be_selected_and_continued() {
    let (_server, cluster) = nodes(3).await;
    let expected = fill(&cluster, 5_000, 10).await;
    let within = |from: usize, to: usize| -> HashSet<_> {
        expected.iter().copied().filter(|digest| (from..to).contains(&partition_id(digest))).collect()
    };
    for (from, count) in [(0, 1), (4_095, 1), (100, 900), (0, 4_096)] {
        let partitions = QueryPartitions::range(from, count).unwrap();
        let received = all(&cluster, Query { partitions, ..query() }).await.unwrap();
        received.is_exactly(&within(from, from + count));
    }
    // The records below the given one follow.
    let digest =
        *expected.iter().find(|&&one| within(partition_id(&one), partition_id(&one) + 1).len() > 2).unwrap();
    let partition = partition_id(&digest);
    let mut partitions = QueryPartitions::range(partition, 1).unwrap();
    partitions
        .set(
            partition,
            PartitionProgress { after: Some(RecordPosition { digest, index_value: 0 }), is_done: false },
        )
        .unwrap();
    let received = all(&cluster, Query { partitions: partitions.clone(), ..query() }).await.unwrap();
    let below = within(partition, partition + 1).into_iter().filter(|&one| one < digest).collect();
    received.is_exactly(&below);
    // Partitions that are done are not requested.
    partitions
        .set(
            partition,
            PartitionProgress { after: Some(RecordPosition { digest, index_value: 0 }), is_done: true },
        )
        .unwrap();
    assert!(all(&cluster, Query { partitions, ..query() }).await.unwrap().digests.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_per_second_apply_per_node() {
    let (_server, cluster) = nodes(2).await;
    let expected = fill(&cluster, 400, 10).await;
    let start = Instant::now();
    let received = all(&cluster, Query { records_per_second: 200, ..query() }).await.unwrap();
    received.is_exactly(&expected);
    let took = start.elapsed();
    assert!((700 * MS..15_000 * MS).contains(&took), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_stops_the_nodes() {
    let (server, cluster) = nodes(2).await;
    // Sockets buffer several megabytes at each end.
    let expected = fill(&cluster, 4_000, 16_000).await;
    let mut stream = cluster.query(query());
    let block = stream.next().await.unwrap().unwrap();
    let mut received = Received::default();
    received.take(&stream, &block);
    tokio::time::sleep(500 * MS).await;
    let sent = total(&server, |counters| counters.query_records);
    tokio::time::sleep(300 * MS).await;
    assert_eq!(total(&server, |counters| counters.query_records), sent);
    assert!(sent < 3_000, "{sent} records were sent without a reader");
    received.rest(&mut stream).await.unwrap();
    received.is_exactly(&expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_continues_after_a_node_gave_up_on_a_slow_reader() {
    let (server, cluster) = nodes(1).await;
    let expected = fill(&cluster, 2_000, 16_000).await;
    let socket_timeout = 150 * MS;
    let mut policy = QueryPolicy::default();
    policy.limits.socket_timeout = socket_timeout;
    policy.limits.max_retries = 0;
    let mut stream = cluster.query(with(policy));
    let mut received = Received::default();
    for _ in 0..3 {
        let block = stream.next().await.unwrap().unwrap();
        received.take(&stream, &block);
        tokio::time::sleep(600 * MS).await;
    }
    received.rest(&mut stream).await.unwrap();
    received.is_exactly(&expected);
    assert!(total(&server, |counters| counters.queries) > 1, "the node never gave up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_stream_closes_its_connections() {
    let (server, cluster) = nodes(2).await;
    fill(&cluster, 3_000, 16_000).await;
    let open = || total(&server, |counters| counters.connections_open);
    let in_use = || cluster.stats().nodes.iter().map(|node| node.connections_in_use).sum::<usize>();
    let mut stream = cluster.query(query());
    assert_eq!(in_use(), 0, "nothing is sent before the first record is requested");
    stream.next().await.unwrap().unwrap();
    assert_eq!(in_use(), 2);
    let before = open();
    drop(stream);
    for _ in 0..100 {
        tokio::time::sleep(20 * MS).await;
        if in_use() == 0 && open() + 2 <= before {
            return;
        }
    }
    panic!("{} connections of {before} are open, {} in use", open(), in_use());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_stream_can_be_stopped() {
    let (_server, cluster) = nodes(2).await;
    fill(&cluster, 100, 10).await;
    let mut stream = cluster.query(Query { records_per_second: 1, ..query() });
    stream.next().await.unwrap().unwrap();
    let stopper = stream.stopper().clone();
    let waiting = tokio::spawn(async move {
        while stream.next().await.unwrap().is_some() {}
        stream.next().await.unwrap().is_none()
    });
    tokio::time::sleep(50 * MS).await;
    stopper.stop();
    assert!(tokio::time::timeout(500 * MS, waiting).await.expect("it waits on").unwrap());
    // Also before it started.
    let mut stream = cluster.query(query());
    stream.stopper().stop();
    assert!(stream.next().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_cluster_ends_its_queries() {
    let (_server, cluster) = nodes(2).await;
    fill(&cluster, 3_000, 16_000).await;
    let mut stream = cluster.query(query());
    stream.next().await.unwrap().unwrap();
    cluster.close();
    assert!(matches!(stream.next().await, Err(Error::Closed { .. })));
    assert!(stream.next().await.unwrap().is_none());
    assert!(matches!(cluster.query(query()).next().await, Err(Error::Closed { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_total_timeout_covers_the_whole_query() {
    let (_server, cluster) = nodes(1).await;
    fill(&cluster, 500, 10).await;
    let mut policy = QueryPolicy::default();
    policy.limits.total_timeout = Some(300 * MS);
    let start = Instant::now();
    let error = all(&cluster, Query { records_per_second: 50, ..with(policy) }).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(error.to_string().starts_with("no answer in time: query at node "), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_a_slow_reader_counts_but_is_no_failure_of_the_node() {
    let (_server, cluster) = nodes(1).await;
    fill(&cluster, 2_000, 16_000).await;
    let mut policy = QueryPolicy::default();
    policy.limits.total_timeout = Some(300 * MS);
    let mut stream = cluster.query(with(policy));
    stream.next().await.unwrap().unwrap();
    tokio::time::sleep(600 * MS).await;
    let mut received = Received::default();
    let error = received.rest(&mut stream).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    let node = &cluster.stats().nodes[0];
    assert_eq!((node.timeouts, node.error_rate, node.suspect), (0, 0, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_namespaces_and_invalid_filters_are_errors() {
    let (_server, cluster) = nodes(1).await;
    let nowhere = Query { space: Space::new("nowhere", SET), ..query() };
    assert!(matches!(all(&cluster, nowhere).await, Err(Error::NamespaceNotFound { .. })));
    let mut filtered = with(QueryPolicy::default());
    filtered.policy.limits.filter = vec![0x93];
    let error = all(&cluster, filtered).await.unwrap_err();
    assert_eq!(error.code(), 4, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_answers_are_the_same() {
    let (_server, cluster) = start(Config { compression: true, ..Config::default() }).await;
    let expected = fill(&cluster, 2_000, 1_000).await;
    let mut compressed = with(QueryPolicy::default());
    compressed.policy.limits.compress = true;
    let received = all(&cluster, compressed).await.unwrap();
    received.is_exactly(&expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_aerospike_crate_reads_the_same() {
    let (server, cluster) = nodes(3).await;
    let expected = fill(&cluster, 1_000, 10).await;
    let address = server.addresses()[0].to_string();
    let oracle = aerospike::Client::new(&aerospike::ClientPolicy::default(), &address).await.unwrap();
    let statement = aerospike::Statement::new("test", SET, aerospike::Bins::All);
    let policy = aerospike::QueryPolicy::default();
    let records = oracle.query(&policy, aerospike::query::PartitionFilter::all(), statement).await.unwrap();
    let records: Vec<_> = records.into_stream().collect().await;
    let found: HashSet<_> =
        records.iter().map(|record| record.as_ref().unwrap().key.as_ref().unwrap().digest()).collect();
    assert_eq!((records.len(), found), (1_000, expected));
}
