//! Queries for every record: what nodes of different builds are asked for.

mod support;

use std::sync::Arc;

use aero_io::{Bins, Cluster, Query, QueryPartitions, QueryPolicy, Space};
use support::net::{Act, Node};
use support::wire::{end, frame};
use support::{checks, three_nodes, three_nodes_with};

fn query() -> Query {
    Query {
        space: Space::new("test", "set"),
        bins: Bins::names(["a", "b"]),
        every_record: true,
        operations: None,
        predicate: None,
        policy: QueryPolicy::default(),
        partitions: QueryPartitions::all(),
        max_records: 0,
        records_per_second: 0,
    }
}

/// Runs a query. Returns the bins that each node was asked for, and whether it was to return every result.
async fn asked(cluster: &Cluster, nodes: &[Arc<Node>], query: Query) -> Vec<(Vec<String>, bool)> {
    let before: Vec<usize> = nodes.iter().map(|node| node.requests().len()).collect();
    assert!(cluster.query(query).next().await.unwrap().is_none());
    let last = |(node, before): (&Arc<Node>, usize)| {
        let requests = node.requests();
        assert_eq!(requests.len(), before + 1);
        let request = requests.last().unwrap();
        (request.bins.clone(), request.responds_to_all)
    };
    nodes.iter().zip(before).map(last).collect()
}

fn all_bins() -> (Vec<String>, bool) {
    (vec![], false)
}

fn read_operations() -> (Vec<String>, bool) {
    (vec!["a".into(), "b".into()], true)
}

fn answer_queries(nodes: &[Arc<Node>]) {
    for node in nodes {
        node.on_request(|_| vec![Act::Send(frame(&[end(0)]))]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_is_asked_for_all_bins() {
    let (net, nodes) = support::net::Net::cluster(3);
    for (node, build) in nodes.iter().zip(["8.1.2.0", "8.1.1.2", "ERROR:4:unrecognized command"]) {
        *node.build.lock().unwrap() = build.into();
    }
    answer_queries(&nodes);
    let cluster = support::connect(&net, "10.0.0.1:3000").await;
    assert_eq!(asked(&cluster, &nodes, query()).await, [read_operations(), all_bins(), all_bins()]);
    // A plain list of bins is sent to all.
    let plain = Query { every_record: false, ..query() };
    let list = (read_operations().0, false);
    assert_eq!(asked(&cluster, &nodes, plain).await, [list.clone(), list.clone(), list]);
    for bins in [Bins::All, Bins::Header, Bins::names([""; 0])] {
        let all = Query { bins, ..query() };
        assert_eq!(asked(&cluster, &nodes, all).await, [all_bins(), all_bins(), all_bins()]);
    }
}

#[tokio::test(start_paused = true)]
async fn more_names_than_a_server_reads_are_left_out_of_the_request() {
    let (cluster, nodes) = three_nodes().await;
    answer_queries(&nodes);
    for (count, expected) in [(32 * 1024, 32 * 1024), (32 * 1024 + 1, 0)] {
        let names = Query { bins: Bins::names((0..count).map(|i| format!("b{i}"))), ..query() };
        for (bins, responds_to_all) in asked(&cluster, &nodes, names).await {
            assert_eq!((bins.len(), responds_to_all), (expected, expected > 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_restarts_with_another_build_is_asked_again() {
    let (cluster, nodes) = three_nodes_with(support::config(&["10.0.0.1:3000"])).await;
    answer_queries(&nodes);
    let new = [read_operations(), read_operations(), read_operations()];
    assert_eq!(asked(&cluster, &nodes, query()).await, new);
    for (build, expected) in [("8.1.1.2", all_bins()), ("8.2.0.0", read_operations())] {
        nodes[1].set_down(true);
        *nodes[1].build.lock().unwrap() = build.into();
        // The connections of the watch and of the pool are closed.
        tokio::time::sleep(support::MS).await;
        nodes[1].set_down(false);
        checks(3).await;
        assert_eq!(asked(&cluster, &nodes, query()).await, [read_operations(), expected, read_operations()]);
    }
}
