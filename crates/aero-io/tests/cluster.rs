//! Discovery of a cluster, and watching it.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aero_io::{BatchKeys, BatchPolicy, Cluster, Error, Space, TcpTransport, client_code};
use support::net::{Host, Net, Node};
use support::{checks, config, connect, digest, keys, read};
use tokio::time::Instant;
use wire_protocol::info::PartitionBitmap;

/// Whether commands find the namespace in the partition map.
async fn has_namespace(cluster: &Cluster, namespace: &str) -> bool {
    let keys = Arc::new(BatchKeys::single(Space::new(namespace, "set"), vec![digest(0, 0)]));
    let (outcome, _) = read(cluster, &keys, BatchPolicy::default()).await;
    !matches!(outcome, Err(Error::NamespaceNotFound { .. }))
}

#[tokio::test(start_paused = true)]
async fn every_address_that_fails_is_named_with_its_reason() {
    let net = Arc::new(Net::default());
    net.set("10.0.0.1:3000", Host::Refuses);
    net.set("10.0.0.2:3000", Host::Silent);
    net.set("10.0.0.3:3000", Host::Sends(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    net.set("10.0.0.4:3000", Host::Unreachable);
    net.set("10.0.0.5:3000", Host::Sends(vec![2, 1, 0, 0, 0x40, 0, 0, 0]));
    net.name("db", &["10.0.0.1:3000", "10.0.0.2:3000"]);
    let seeds = ["db:3000", "10.0.0.3:3000", "10.0.0.4:3000", "10.0.0.5:3000", "nowhere:3000"];
    let start = Instant::now();
    let error = Cluster::connect(config(&seeds), net).await.unwrap_err();
    assert_eq!(start.elapsed().as_millis(), 1_000, "all addresses concurrently");
    assert_eq!(error.code(), client_code::CONNECTION);
    assert_eq!(
        error.to_string(),
        "no cluster was found in 1.00 s: \
         db:3000 (10.0.0.1:3000): connection refused; \
         db:3000 (10.0.0.2:3000): no answer within 1.00 s; \
         10.0.0.3:3000: the peer does not speak the Aerospike protocol (frame version 72, expected 2); \
         10.0.0.4:3000: not connected within the connect timeout; \
         10.0.0.5:3000: a frame of 1073741824 bytes is beyond the protocol's limit of 134217728; \
         nowhere:3000: the name cannot be resolved: no such name"
    );
    let error = Cluster::connect(config(&[]), Arc::new(Net::default())).await.unwrap_err();
    assert_eq!(error.code(), client_code::PARAM);
}

#[tokio::test]
async fn real_sockets_fail_the_same_way() {
    use tokio::io::AsyncWriteExt as _;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let (silent_at, http_at) =
        (silent.local_addr().unwrap().to_string(), http.local_addr().unwrap().to_string());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = http.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    });
    let mut config = config(&[&silent_at, &http_at, &refused]);
    config.connect_timeout = Duration::from_millis(200);
    let start = Instant::now();
    let error = Cluster::connect(config, Arc::new(TcpTransport)).await.unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(2));
    for part in ["no answer within 200.0 ms", "frame version 72", "Connection refused"] {
        assert!(error.contains(part), "{error}");
    }
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn one_good_address_is_enough() {
    let (net, _nodes) = Net::cluster(3);
    net.set("10.9.9.9:3000", Host::Unreachable);
    net.name("db", &["10.9.9.9:3000", "10.0.0.2:3000"]);
    let start = Instant::now();
    let cluster = connect(&net, "db:3000").await;
    assert!(start.elapsed() < Duration::from_millis(100));
    assert_eq!(cluster.node_names(), ["N1", "N2", "N3"]);
    assert!(cluster.is_connected());
    assert!(has_namespace(&cluster, "test").await && !has_namespace(&cluster, "bar").await);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_of_another_name_is_refused() {
    let (net, _nodes) = Net::cluster(1);
    let named = |name: &str| {
        let config = aero_io::ClusterConfig { cluster_name: Some(name.into()), ..config(&["10.0.0.1:3000"]) };
        Cluster::connect(config, Arc::clone(&net) as _)
    };
    assert!(named("scripted").await.is_ok());
    let error = named("production").await.unwrap_err();
    assert!(matches!(error, Error::ClusterName { .. }));
    assert_eq!(error.to_string(), "10.0.0.1:3000 belongs to cluster \"scripted\", not \"production\"");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_is_not_mistaken_for_a_node() {
    let (net, nodes) = Net::cluster(2);
    net.set("10.7.7.7:3000", Host::Node(Arc::clone(&nodes[0])));
    let cluster = connect(&net, "10.7.7.7:3000").await;
    let addresses: Vec<String> = cluster.stats().nodes.iter().map(|node| node.address.to_string()).collect();
    assert_eq!(addresses, ["10.0.0.1:3000", "10.0.0.2:3000"]);

    // An address that does not work is not preferred to one that does.
    *nodes[0].service.lock().unwrap() = "10.8.8.8:3000".into();
    let cluster = connect(&net, "10.7.7.7:3000").await;
    assert_eq!(cluster.stats().nodes[0].address.to_string(), "10.7.7.7:3000");
}

#[tokio::test(start_paused = true)]
async fn nodes_come_and_go() {
    let (net, nodes) = Net::cluster(2);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    let third = Node::new("N3", "10.0.0.3:3000");
    net.set("10.0.0.3:3000", Host::Node(Arc::clone(&third)));
    nodes[0].know(&[Arc::clone(&nodes[1]), Arc::clone(&third)]);
    checks(1).await;
    assert_eq!(cluster.node_names(), ["N1", "N2", "N3"]);

    // A node that does not answer remains while others know it.
    third.set_down(true);
    checks(3).await;
    assert_eq!(cluster.node_names(), ["N1", "N2", "N3"]);
    assert!(cluster.stats().nodes[2].suspect);
    nodes[0].know(&[Arc::clone(&nodes[1])]);
    checks(2).await;
    assert_eq!(cluster.node_names(), ["N1", "N2"]);

    // It may come back, also with another address.
    third.set_down(false);
    net.set("10.0.0.33:3000", Host::Node(Arc::clone(&third)));
    net.set("10.0.0.3:3000", Host::Refuses);
    let moved = Node::new("N3", "10.0.0.33:3000");
    nodes[0].know(&[Arc::clone(&nodes[1]), moved]);
    checks(2).await;
    assert_eq!(cluster.node_names(), ["N1", "N2", "N3"]);
    assert_eq!(cluster.stats().nodes[2].address.to_string(), "10.0.0.33:3000");
}

#[tokio::test(start_paused = true)]
async fn a_node_with_a_new_address_is_found_again() {
    let (net, nodes) = Net::cluster(2);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[1].drop_connections();
    net.set("10.0.0.2:3000", Host::Refuses);
    net.set("10.0.0.22:3000", Host::Node(Arc::clone(&nodes[1])));
    nodes[0].know(&[Node::new("N2", "10.0.0.22:3000")]);
    checks(3).await;
    assert_eq!(cluster.stats().nodes[1].address.to_string(), "10.0.0.22:3000");
    assert!(!cluster.stats().nodes[1].suspect);
}

#[tokio::test(start_paused = true)]
async fn an_address_may_move_to_another_node() {
    let (net, nodes) = Net::cluster(1);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    *nodes[0].name.lock().unwrap() = "OTHER".into();
    checks(2).await;
    assert_eq!(cluster.node_names(), ["OTHER"]);
    let (outcome, rows) = read(&cluster, &keys(10), BatchPolicy::default()).await;
    assert!(outcome.is_ok() && rows.count(0) == 10);
}

#[tokio::test(start_paused = true)]
async fn a_lost_cluster_is_found_again_through_its_seeds() {
    let (net, nodes) = Net::cluster(1);
    net.name("db", &["10.0.0.1:3000"]);
    let cluster = connect(&net, "db:3000").await;
    nodes[0].set_down(true);
    checks(2).await;
    assert!(!cluster.is_connected());
    let elsewhere = Node::new("NEW", "10.0.5.5:3000");
    elsewhere.claim("test", vec![PartitionBitmap::of(0..4096)]);
    net.set("10.0.5.5:3000", Host::Node(elsewhere));
    net.name("db", &["10.0.5.5:3000"]);
    checks(3).await;
    assert!(cluster.is_connected());
    assert_eq!(cluster.node_names(), ["NEW"]);
}

#[tokio::test(start_paused = true)]
async fn a_hung_node_delays_no_other_checks() {
    let (net, nodes) = Net::cluster(3);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].is_hung.store(true, Ordering::SeqCst);
    checks(1).await;
    // The partitions of other nodes move. Their watches notice at their next check, although one node hangs.
    nodes[1].claim("bar", vec![PartitionBitmap::of(0..4096)]);
    checks(1).await;
    assert!(has_namespace(&cluster, "bar").await);
    assert_eq!(
        cluster.stats().nodes.iter().map(|node| node.suspect).collect::<Vec<_>>(),
        [true, false, false]
    );
    nodes[0].is_hung.store(false, Ordering::SeqCst);
    checks(3).await;
    assert!(!cluster.stats().nodes[0].suspect);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_hangs_at_first_joins_later() {
    let (net, nodes) = Net::cluster(3);
    nodes[2].is_hung.store(true, Ordering::SeqCst);
    let start = Instant::now();
    let cluster = connect(&net, "10.0.0.1:3000").await;
    assert_eq!(start.elapsed().as_millis(), 1_000, "the client waits for it once");
    assert_eq!(cluster.node_names(), ["N1", "N2"]);
    // Its partitions are read from their replicas meanwhile.
    let (outcome, rows) = read(&cluster, &keys(300), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 300);
    nodes[2].is_hung.store(false, Ordering::SeqCst);
    checks(3).await;
    assert_eq!(cluster.node_names(), ["N1", "N2", "N3"]);
}

#[tokio::test(start_paused = true)]
async fn closing_the_cluster_closes_all_connections() {
    let (net, nodes) = Net::cluster(2);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    read(&cluster, &keys(100), BatchPolicy::default()).await.0.unwrap();
    let open = || nodes.iter().map(|node| node.open.load(Ordering::SeqCst)).sum::<usize>();
    assert_eq!(open(), 4, "one watch and one idle connection per node");
    let twin = cluster.clone();
    drop(cluster);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(open(), 4);
    drop(twin);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(open(), 0);

    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].on_request(|_| vec![support::net::Act::Hang]);
    let twin = cluster.clone();
    let in_flight = tokio::spawn(async move { read(&twin, &keys(10), BatchPolicy::default()).await.0 });
    tokio::time::sleep(Duration::from_millis(10)).await;
    cluster.close();
    assert!(matches!(in_flight.await.unwrap(), Err(Error::Closed { .. })));
    assert!(matches!(read(&cluster, &keys(1), BatchPolicy::default()).await.0, Err(Error::Closed { .. })));
    assert!(!cluster.is_connected() && cluster.node_names().is_empty());
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(open(), 0);
}

#[tokio::test(start_paused = true)]
async fn info_commands_go_to_one_node_or_all() {
    let (net, nodes) = Net::cluster(2);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    let all = cluster.info(None, &["node", "nonsense"]).await.unwrap();
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["N1", "N2"]);
    let answers = all[1].1.as_ref().unwrap();
    assert_eq!(answers[0], ("node".into(), "N2".into()));
    assert!(answers[1].1.starts_with("ERROR"));
    nodes[1].is_hung.store(true, Ordering::SeqCst);
    let one = cluster.info(Some("N2"), &["node"]).await.unwrap();
    assert_eq!(one[0].1.as_ref().unwrap_err().code(), 9);
    let error = cluster.info(Some("N9"), &["node"]).await.unwrap_err();
    assert_eq!(error.to_string(), "the cluster has no node \"N9\"; it has N1; N2");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_has_just_started_is_waited_for() {
    let (net, nodes) = Net::cluster(1);
    let no_partitions = || vec![PartitionBitmap::of([]), PartitionBitmap::of([])];
    nodes[0].claim("test", no_partitions());
    let node = Arc::clone(&nodes[0]);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        node.claim("test", vec![PartitionBitmap::of(0..4096)]);
    });
    let start = Instant::now();
    let cluster = connect(&net, "10.0.0.1:3000").await;
    assert!((300..450).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    let (outcome, rows) = read(&cluster, &keys(10), BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(rows.count(0), 10);
    // The client does not wait forever for a cluster that remains without partitions.
    nodes[0].claim("test", no_partitions());
    let start = Instant::now();
    let cluster = connect(&net, "10.0.0.1:3000").await;
    assert_eq!(start.elapsed().as_millis(), 5_000);
    let (outcome, _) = read(&cluster, &keys(10), BatchPolicy::default()).await;
    assert_eq!(outcome.unwrap_err().code(), client_code::INVALID_NODE);
}
