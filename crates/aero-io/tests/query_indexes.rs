//! Queries with predicates: the order of entries, continuing behind them, records with several entries.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aero_io::{
    Bins, Digest, Error, IndexedValues, Predicate, PredicateIndex, Query, QueryPartitions, QueryPolicy,
    ValueRange,
};
use support::net::Act;
use support::queries::{Received, all, query, with};
use support::wire::{Request, end, frame, record_of};
use support::{digest, one_node};
use wire_protocol::message::{MessageHeader, field_type, write_field};

fn predicate(values: IndexedValues, range: ValueRange) -> Option<Arc<Predicate>> {
    let index = PredicateIndex::Bin { bin: (*b"n").into(), context: [].into() };
    Some(Arc::new(Predicate { index, values, range }))
}

fn integers(values: IndexedValues) -> Query {
    Query {
        predicate: predicate(values, ValueRange::Integers(-100, 100)),
        partitions: QueryPartitions::range(5, 3).unwrap(),
        ..once()
    }
}

fn once() -> Query {
    let mut query = with(QueryPolicy::default());
    query.policy.limits.max_retries = 1;
    query
}

/// A record with an index value.
fn entry(digest: &Digest, value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    MessageHeader { generation: 1, n_fields: 3, ..MessageHeader::default() }.write(&mut out);
    write_field(&mut out, field_type::NAMESPACE, b"test");
    write_field(&mut out, field_type::DIGEST, digest);
    write_field(&mut out, field_type::INDEX_VALUES, &value.to_le_bytes());
    out
}

/// The outcome of a query over a node that answers each request with these frames.
async fn answered(query: Query, frames: Vec<Vec<u8>>) -> Result<Received, Error> {
    let (cluster, node) = one_node().await;
    node.on_request(move |_: &Request| frames.iter().cloned().map(Act::Send).collect());
    all(&cluster, query).await
}

#[tokio::test(start_paused = true)]
async fn entries_come_in_the_order_of_the_index() {
    let whole = || integers(IndexedValues::Whole);
    let (low, high) = (digest(5, 1), digest(5, 2));
    // Ascending values, then ascending digests.
    let frames = vec![frame(&[entry(&high, -3), entry(&low, 0), entry(&high, 0), end(0)])];
    // In fact a record has one entry here; the order is what counts.
    assert_eq!(answered(whole(), frames).await.unwrap().digests, [high, low, high]);
    let wrong = [
        ("index order", vec![entry(&low, 0), entry(&high, -3), end(0)]),
        ("index order", vec![entry(&high, 1), entry(&low, 1), end(0)]),
        ("index order", vec![entry(&low, 1), entry(&low, 1), end(0)]),
        ("no index value", vec![record_of(b"test", &low), end(0)]),
    ];
    for (why, messages) in wrong {
        let error = answered(whole(), vec![frame(&messages)]).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }) && error.to_string().contains(why), "{why}: {error}");
    }
    // Cells have no sign.
    let region = ValueRange::GeoJson((*b"{}").into());
    let cells = || Query { predicate: predicate(IndexedValues::Whole, region.clone()), ..whole() };
    assert!(answered(cells(), vec![frame(&[entry(&low, 7), entry(&high, -7), end(0)])]).await.is_ok());
    assert!(answered(cells(), vec![frame(&[entry(&low, -7), entry(&high, 7), end(0)])]).await.is_err());
    // A query without a predicate takes no note of index values.
    let plain = Query { predicate: None, ..whole() };
    assert!(answered(plain, vec![frame(&[entry(&high, 0), entry(&low, 9), end(0)])]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_query_continues_behind_the_last_entry() {
    let (cluster, node) = one_node().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&calls);
    node.on_request(move |request: &Request| {
        let scope = request.query.clone().unwrap();
        match counting.fetch_add(1, Ordering::SeqCst) {
            0 => {
                assert_eq!((scope.partitions, scope.after), (vec![5, 6, 7], vec![]));
                let entries = [entry(&digest(5, 9), -2), entry(&digest(5, 3), 4), entry(&digest(7, 1), -8)];
                vec![Act::Send(frame(&entries)), Act::Close]
            }
            _ => {
                assert_eq!(scope.partitions, [6]);
                assert_eq!(scope.after, [digest(5, 3), digest(7, 1)]);
                assert_eq!(scope.index_values, [4, -8]);
                vec![Act::Send(frame(&[entry(&digest(6, 1), 0), entry(&digest(5, 4), 4), end(0)]))]
            }
        }
    });
    let received = all(&cluster, integers(IndexedValues::Whole)).await.unwrap();
    let expected = [digest(5, 9), digest(5, 3), digest(7, 1), digest(6, 1), digest(5, 4)];
    assert_eq!(received.digests, expected);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_with_several_entries_comes_once() {
    let (cluster, node) = one_node().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&calls);
    let (a, b, c) = (digest(5, 1), digest(5, 2), digest(5, 3));
    node.on_request(move |request: &Request| {
        let scope = request.query.clone().unwrap();
        match counting.fetch_add(1, Ordering::SeqCst) {
            0 => {
                let entries = [entry(&a, 1), entry(&b, 1), entry(&a, 2), entry(&b, 3)];
                vec![Act::Send(frame(&entries)), Act::Close]
            }
            // Also behind a failure.
            _ => {
                assert_eq!((scope.after, scope.index_values), (vec![b], vec![3]));
                vec![Act::Send(frame(&[entry(&a, 4), entry(&c, 4), entry(&c, 5), end(0)]))]
            }
        }
    });
    let received = all(&cluster, integers(IndexedValues::List)).await.unwrap();
    assert_eq!(received.digests, [a, b, c]);
}

/// The node counts entries, the query counts records: it reads on.
#[tokio::test(start_paused = true)]
async fn repetitions_do_not_count_for_a_limit() {
    let (cluster, node) = one_node().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&calls);
    let (a, b, c) = (digest(5, 1), digest(5, 2), digest(5, 3));
    node.on_request(move |request: &Request| {
        let scope = request.query.clone().unwrap();
        match counting.fetch_add(1, Ordering::SeqCst) {
            0 => {
                assert_eq!(scope.max_records, 2);
                vec![Act::Send(frame(&[entry(&a, 1), entry(&a, 2), end(0)]))]
            }
            _ => {
                assert_eq!((scope.max_records, scope.index_values), (0, vec![2]));
                vec![Act::Send(frame(&[entry(&b, 3), entry(&c, 3), end(0)]))]
            }
        }
    });
    let received = all(&cluster, Query { max_records: 2, ..integers(IndexedValues::List) }).await.unwrap();
    assert_eq!(received.digests, [a, b]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_index_is_named() {
    let refused = |code| vec![frame(&[end(code)])];
    for (code, why) in [(201, "the node has no numeric index on bin \"n\""), (203, "still builds")] {
        let error = answered(integers(IndexedValues::Whole), refused(code)).await.unwrap_err();
        assert_eq!(error.code(), i32::from(code));
        assert!(error.to_string().contains(why), "{error}");
    }
    let other = answered(integers(IndexedValues::Whole), refused(4)).await.unwrap_err();
    assert!(matches!(other, Error::Server { .. }));
    let long = PredicateIndex::Bin { bin: [b'x'; 16].into(), context: [].into() };
    let predicate =
        Predicate { index: long, values: IndexedValues::Whole, range: ValueRange::Integers(1, 1) };
    let query = Query { predicate: Some(Arc::new(predicate)), bins: Bins::All, ..query() };
    assert!(matches!(answered(query, vec![]).await.unwrap_err(), Error::Request { .. }));
}
