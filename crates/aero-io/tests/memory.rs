//! Memory use follows the bytes that arrive, whatever sizes are announced.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use aero_io::{BatchPolicy, Bins, Cluster, Key, ReadPolicy, Space};
use support::net::{Act, Net};
use support::wire::{answer, frame, record};
use support::{config, digest, keys, one_node, read, retries};
use wire_protocol::compressed::write_compressed;
use wire_protocol::message::{FrameType, MessageHeader, op, write_frame, write_op};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What a connection costs with its buffers and those of the scripted network.
const BASE: usize = 400 * KIB;

/// Counts the allocated bytes of its thread. Each test runs on its own thread, together with all its tasks.
struct Counting;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn count(more: usize, less: usize) {
    let live = LIVE.get().saturating_add(more).saturating_sub(less);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: all calls are forwarded to the system allocator; counting does not affect it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, which is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, which is the system allocator's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, which is the system allocator's.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both allocations exist while the contents are copied.
        count(size, 0);
        count(0, layout.size());
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, which is the system allocator's.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The peak of allocated bytes during `work`, above those at its start.
async fn peak_of<T>(work: impl Future<Output = T>) -> (usize, T) {
    let before = LIVE.get();
    PEAK.set(before);
    let outcome = work.await;
    (PEAK.get() - before, outcome)
}

fn header(kind: u8, size: usize) -> Vec<u8> {
    let mut header = vec![2, kind];
    header.extend_from_slice(&(size as u64).to_be_bytes()[2..]);
    header
}

fn hurried(compress: bool) -> BatchPolicy {
    let mut policy = retries(0);
    policy.limits.total_timeout = Some(Duration::from_millis(200));
    policy.limits.compress = compress;
    policy
}

/// The peak of a batch of few rows that is answered with these bytes, and whether it read a row.
async fn peak_of_batch(bytes: Vec<u8>, compress: bool) -> (usize, bool) {
    let (cluster, node) = one_node().await;
    let arrives = bytes.len();
    let mut bytes = Some(bytes);
    node.on_request(move |_| vec![Act::Send(bytes.take().unwrap_or_default()), Act::Hang]);
    let keys = keys(8);
    let (peak, (_, rows)) = peak_of(read(&cluster, &keys, hurried(compress))).await;
    assert!(rows.count(-100) == 0, "of {arrives} bytes");
    (peak, rows.count(0) > 0)
}

#[tokio::test(start_paused = true)]
async fn a_frame_with_a_large_announced_size() {
    for arrives in [0, KIB, MIB, 4 * MIB] {
        for size in [100 * MIB, 128 * MIB, 129 * MIB, (1 << 48) - 1] {
            let bytes = [header(3, size), vec![0; arrives]].concat();
            let (peak, found) = peak_of_batch(bytes, false).await;
            assert!(!found);
            // The buffer doubles, and exists twice while it grows.
            assert!(peak <= BASE + 4 * arrives, "{peak} bytes for {arrives} of {size}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_and_values_with_large_announced_sizes() {
    let mut huge_counts = Vec::new();
    MessageHeader { n_fields: u16::MAX, n_ops: u16::MAX, ..Default::default() }.write(&mut huge_counts);
    let mut huge_op = record(0, 0, 1);
    huge_op[22..26].copy_from_slice(&u32::MAX.to_be_bytes());
    // Lists and maps of four billion elements.
    let mut huge_list = Vec::new();
    MessageHeader { n_ops: 2, ..Default::default() }.write(&mut huge_list);
    write_op(&mut huge_list, op::READ, 20, b"l", &[0xdd, 0xff, 0xff, 0xff, 0xff]);
    write_op(&mut huge_list, op::READ, 19, b"m", &[0xdf, 0xff, 0xff, 0xff, 0xff]);
    for message in [huge_counts, huge_op, huge_list] {
        let (peak, _) = peak_of_batch(frame(std::slice::from_ref(&message)), false).await;
        assert!(peak <= BASE, "{peak}");
        let (cluster, node) = one_node().await;
        node.on_request(move |_| vec![Act::Send(frame(std::slice::from_ref(&message))), Act::Close]);
        let key = Key::from_digest(Space::new("test", "set"), digest(0, 1));
        let mut policy = ReadPolicy::default();
        policy.limits.total_timeout = Some(Duration::from_millis(200));
        let (peak, _) = peak_of(cluster.read(&key, &Bins::All, &policy)).await;
        assert!(peak <= BASE, "{peak}");
    }
}

#[tokio::test(start_paused = true)]
async fn compressed_frames_with_large_announced_sizes() {
    let deflated = |frame: &[u8], announced: usize| {
        let mut out = Vec::new();
        write_compressed(&mut out, frame).unwrap();
        out[8..16].copy_from_slice(&(announced as u64).to_be_bytes());
        out
    };
    let little = frame(&[record(0, 0, 1)]);
    for announced in [128 * MIB, 129 * MIB, usize::MAX] {
        let (peak, found) = peak_of_batch(deflated(&little, announced), true).await;
        assert!(!found && peak <= BASE, "{peak} bytes for {announced}");
    }
    // Highly compressed: the announced size is the bound, and also the size of the contents.
    let mut bomb = Vec::new();
    write_frame(&mut bomb, FrameType::Message, |out| out.resize(8 * MIB, 0)).unwrap();
    let (peak, _) = peak_of_batch(deflated(&bomb, 64 * KIB), true).await;
    assert!(peak <= BASE + 64 * KIB, "{peak}");
    let (peak, _) = peak_of_batch(deflated(&bomb, 129 * MIB), true).await;
    assert!(peak <= BASE, "{peak}");
    let (peak, _) = peak_of_batch(deflated(&bomb, 128 * MIB), true).await;
    assert!(peak <= BASE + 4 * 8 * MIB, "{peak}");
}

#[tokio::test(start_paused = true)]
async fn info_answers_with_large_announced_sizes() {
    let info = |text: &str| {
        let mut out = Vec::new();
        let text = text.as_bytes();
        write_frame(&mut out, FrameType::Info, |out| out.extend_from_slice(text)).unwrap();
        out
    };
    let says = |peers: &str, replicas: &str| {
        let text = format!(
            "node\tN1\npartition-generation\t1\npeers-generation\t1\npeers-clear-std\t{peers}\n\
             service-clear-std\t10.0.0.1:3000\nreplicas\t{replicas}\n"
        );
        info(&text)
    };
    let many_peers = format!("1,3000,[{}]", "[a,,[h]],".repeat(50_000));
    let many_addresses = format!("1,3000,[[a,,[{}]]]", "h,".repeat(100_000));
    let many_namespaces = "n:0,0;".repeat(100_000);
    // An answer, and the memory that each of its bytes may cost: the shortest peer is as long as a pointer.
    let answers = [
        (header(1, 15 * MIB), 4),
        ([header(1, 15 * MIB), vec![b'a'; MIB]].concat(), 4),
        (header(1, 17 * MIB), 4),
        (says("1,3000,[]", "test:0,4294967295,"), 4),
        (says("1,3000,[]", "test:4294967295,4294967295"), 4),
        (says("4294967295,3000,[[a,,[h:1]]", ""), 4),
        (says(&many_peers, ""), 64),
        (says(&many_addresses, ""), 64),
        (says("1,3000,[]", &many_namespaces), 64),
    ];
    for (number, (answer, factor)) in answers.into_iter().enumerate() {
        let (net, nodes) = Net::cluster(1);
        let arrives = answer.len();
        nodes[0].on_info(move |_| answer.clone());
        let connecting = Cluster::connect(config(&["10.0.0.1:3000"]), std::sync::Arc::clone(&net) as _);
        let (peak, outcome) = peak_of(connecting).await;
        assert!(peak <= BASE + factor * arrives, "answer {number}: {peak} bytes for {arrives}");
        drop(outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn the_memory_of_a_large_answer_is_freed() {
    let (cluster, node) = one_node().await;
    node.on_request(|request| vec![Act::Send(answer(request, |_| 0, 1))]);
    let before = LIVE.get();
    let keys = keys(100_000);
    let rows = {
        let (outcome, rows) = read(&cluster, &keys, retries(0)).await;
        outcome.unwrap();
        rows.count(0)
    };
    assert_eq!(rows, 100_000);
    drop((keys, node));
    let kept = LIVE.get().saturating_sub(before);
    assert!(kept < 64 * MIB, "{kept} bytes");
}
