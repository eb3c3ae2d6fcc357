//! Commands on one record against scripted nodes.

mod support;

use std::sync::Arc;
use std::time::Duration;

use aero_io::{
    Bins, Cluster, Error, Key, OwnedKey, ReadPolicy, Replica, Space, WriteOp, WritePolicy, client_code,
};
use support::net::{Act, Net, Node};
use support::wire::answer;
use support::{connect, digest};
use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::message::op;
use wire_protocol::particle::Particle;

fn key() -> Key {
    Key::from_digest(Space::new("test", "set"), digest(0, 1))
}

async fn cluster(n: usize) -> (Cluster, Vec<Arc<Node>>) {
    let (net, nodes) = Net::cluster(n);
    (connect(&net, "10.0.0.1:3000").await, nodes)
}

async fn put(cluster: &Cluster, policy: &WritePolicy) -> Result<aero_io::Answer, Error> {
    let ops = [WriteOp { code: op::WRITE, name: b"a", value: Particle::Int(1) }];
    cluster.write(&key(), &ops, policy).await
}

#[tokio::test(start_paused = true)]
async fn a_record_is_read_written_and_deleted() {
    let (cluster, nodes) = cluster(1).await;
    let read = cluster.read(&key(), &Bins::All, &ReadPolicy::default()).await.unwrap();
    assert_eq!((read.result_code, read.generation, read.n_ops), (ResultCode::OK, 1, 1));
    assert_eq!(read.ops().next().unwrap().particle(), Ok(Particle::Int(1)));
    assert_eq!(read.key(), None);
    put(&cluster, &WritePolicy::default()).await.unwrap();
    cluster.delete(&key(), &WritePolicy::default()).await.unwrap();
    assert_eq!(nodes[0].requests().len(), 3);
    assert!(nodes[0].requests().iter().all(|request| request.timeout_ms == 1_000));
    assert_eq!(cluster.stats().nodes[0].connections_idle, 1);

    nodes[0].on_request(|request| vec![Act::Send(answer(request, |_| 2, 0))]);
    let error = cluster.read(&key(), &Bins::Header, &ReadPolicy::default()).await.unwrap_err();
    assert!(matches!(error, Error::Server { code: ResultCode::RECORD_NOT_FOUND, .. }) && !error.in_doubt());
}

#[tokio::test(start_paused = true)]
async fn keys_contain_their_digests() {
    let key = Key::new(Space::new("test", "cap"), OwnedKey::Str("put-int".into()), true);
    assert_eq!(key.digest[..4], [0x84, 0x95, 0x83, 0x5d]);
    assert_eq!(key.send, Some(OwnedKey::Str("put-int".into())));
    assert_eq!(Key::new(Space::new("test", "batch"), OwnedKey::Int(0), false).send, None);
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_moves_to_the_next_replica() {
    let (cluster, nodes) = cluster(3).await;
    for acts in [|| vec![Act::Close], || vec![Act::Send(vec![9; 30])]] {
        nodes[0].on_request(move |_| acts());
        let answer = cluster.read(&key(), &Bins::All, &ReadPolicy::default()).await.unwrap();
        assert_eq!(answer.generation, 1);
    }
    nodes[0].on_request(|request| vec![Act::Send(answer(request, |_| 18, 0))]);
    nodes[1].on_request(|request| vec![Act::Send(answer(request, |_| 14, 0))]);
    support::checks(1).await;
    let error = cluster.read(&key(), &Bins::All, &ReadPolicy::default()).await.unwrap_err();
    assert_eq!((error.code(), error.tried().unwrap().attempts), (18, 3));
    let mut master = ReadPolicy::default();
    master.limits.replica = Replica::Master;
    master.limits.max_retries = 0;
    assert_eq!(cluster.read(&key(), &Bins::All, &master).await.unwrap_err().tried().unwrap().attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_sent_once_by_default() {
    let (cluster, nodes) = cluster(2).await;
    nodes[0].on_request(|_| vec![Act::Close]);
    let error = put(&cluster, &WritePolicy::default()).await.unwrap_err();
    assert_eq!((error.code(), error.in_doubt()), (client_code::CONNECTION, true));
    assert_eq!(nodes.iter().map(|node| node.requests().len()).collect::<Vec<_>>(), [1, 0]);
    let mut policy = WritePolicy::default();
    policy.limits.max_retries = 1;
    put(&cluster, &policy).await.unwrap();
    assert_eq!(nodes.iter().map(|node| node.requests().len()).collect::<Vec<_>>(), [2, 1]);

    // A definite answer leaves no doubt, unless an earlier attempt got none.
    nodes[0].on_request(|request| vec![Act::Send(answer(request, |_| 5, 0))]);
    assert!(!put(&cluster, &policy).await.unwrap_err().in_doubt());
    nodes[0].on_request(|_| vec![Act::Close]);
    nodes[1].on_request(|request| vec![Act::Send(answer(request, |_| 5, 0))]);
    let error = put(&cluster, &policy).await.unwrap_err();
    assert_eq!((error.code(), error.in_doubt()), (5, true));
    nodes[0].on_request(|request| vec![Act::Send(answer(request, |_| 9, 0))]);
    assert!(put(&cluster, &WritePolicy::default()).await.unwrap_err().in_doubt());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_not_sent_is_not_in_doubt() {
    let (cluster, nodes) = cluster(1).await;
    nodes[0].set_down(true);
    let error = put(&cluster, &WritePolicy::default()).await.unwrap_err();
    assert_eq!((error.code(), error.in_doubt()), (client_code::CONNECTION, false));
}

#[tokio::test(start_paused = true)]
async fn a_write_survives_a_connection_closed_while_idle() {
    let (cluster, nodes) = cluster(1).await;
    put(&cluster, &WritePolicy::default()).await.unwrap();
    nodes[0].drop_connections();
    tokio::time::sleep(Duration::from_millis(1)).await;
    put(&cluster, &WritePolicy::default()).await.unwrap();
    assert_eq!(nodes[0].requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn timeouts_and_sleeps_are_kept() {
    let (cluster, nodes) = cluster(2).await;
    nodes.iter().for_each(|node| node.on_request(|_| vec![Act::Hang]));
    let start = Instant::now();
    let error = cluster.read(&key(), &Bins::All, &ReadPolicy::default()).await.unwrap_err();
    assert_eq!((error.code(), start.elapsed().as_millis()), (9, 1_000));
    assert_eq!(error.tried().unwrap().attempts, 2, "one retry after both replicas were silent");

    support::checks(2).await;
    let start = Instant::now();
    let mut policy = ReadPolicy::default();
    policy.limits.socket_timeout = Duration::from_millis(100);
    policy.limits.sleep_between_retries = Duration::from_millis(10);
    let error = cluster.read(&key(), &Bins::All, &policy).await.unwrap_err();
    assert_eq!(error.tried().unwrap().attempts, 3);
    assert_eq!(start.elapsed().as_millis(), 310, "the first retry, at another replica, does not sleep");
    let error = put(&cluster, &WritePolicy::default()).await.unwrap_err();
    assert_eq!((error.code(), error.in_doubt()), (9, true));
}

#[tokio::test(start_paused = true)]
async fn unknown_namespaces_and_long_bin_names_are_errors() {
    let (cluster, _nodes) = cluster(1).await;
    let key = Key::from_digest(Space::new("nowhere", ""), digest(0, 1));
    let error = cluster.read(&key, &Bins::All, &ReadPolicy::default()).await.unwrap_err();
    assert_eq!(error.code(), 20);
    let ops = [WriteOp { code: op::WRITE, name: b"a-name-of-16-byte", value: Particle::Int(1) }];
    let error = cluster.write(&key, &ops, &WritePolicy::default()).await.unwrap_err();
    assert_eq!(error.code(), 21);
}
