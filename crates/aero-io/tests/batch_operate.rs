//! Batches of operations against scripted nodes: what is sent again, and what is in doubt.

mod support;

use std::sync::Arc;
use std::time::Duration;

use aero_io::{
    BatchOperate, BatchPolicy, BatchWriter, Cluster, EncodedOps, Error, OperateRow, RowAttributes, RowHead,
    RowOps, RowSink, client_code,
};
use support::net::{Act, Net, Node};
use support::rows::{Lease, Row, Rows};
use support::wire::{Request, answer, end, frame, record};
use support::{MS, connect, keys, mixed_keys, once, one_node, three_nodes};
use wire_protocol::ResultCode;
use wire_protocol::command::WriteOptions;
use wire_protocol::info::PartitionBitmap;
use wire_protocol::message::{op, write_op};

/// Rows that write one bin. Those in `reads` read it instead, and those in `empty` do nothing.
struct Ops {
    write: Vec<u8>,
    read: Vec<u8>,
    reads: fn(usize) -> bool,
    empty: fn(usize) -> bool,
    size: usize,
}

impl Default for Ops {
    fn default() -> Self {
        let (mut write, mut read) = (Vec::new(), Vec::new());
        write_op(&mut write, op::WRITE, 1, b"a", &7i64.to_be_bytes());
        write_op(&mut read, op::READ, 0, b"a", b"");
        Self { write, read, reads: |_| false, empty: |_| false, size: 40 }
    }
}

impl RowOps for Ops {
    fn head(&self, row: usize) -> RowHead<'_> {
        let attributes = if (self.reads)(row) {
            BatchPolicy::default().reads.row_attributes(0)
        } else {
            RowAttributes::write(&WriteOptions::default(), false).unwrap()
        };
        RowHead { attributes, send_key: None }
    }

    fn writes(&self, row: usize) -> bool {
        !(self.reads)(row)
    }

    fn is_empty(&self, row: usize) -> bool {
        (self.empty)(row)
    }

    fn size(&self, _row: usize) -> usize {
        self.size
    }

    fn write<'r>(
        &'r self,
        row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), Error> {
        let bytes = if (self.reads)(row) { &self.read } else { &self.write };
        Ok(writer.row(head, EncodedOps { count: 1, bytes })?)
    }
}

async fn run(cluster: &Cluster, n: usize, ops: Ops, policy: BatchPolicy) -> (Result<(), Error>, Arc<Rows>) {
    let rows = Rows::new(n);
    let batch = BatchOperate { name: "batch write", ops: Arc::new(ops), policy };
    let outcome = cluster.batch_operate(keys(n), batch, Arc::clone(&rows)).await;
    (outcome, rows)
}

/// Writes 100 rows to a node that fails once.
async fn fails_once(
    first: impl Fn(&Request) -> Vec<Act> + Send + 'static,
    ops: Ops,
) -> (Result<(), Error>, Arc<Rows>, Arc<Node>) {
    let (cluster, node) = one_node().await;
    node.on_request(once(first, 7));
    let (outcome, rows) = run(&cluster, 100, ops, BatchPolicy::default()).await;
    (outcome, rows, node)
}

fn is_written(row: &Row) -> bool {
    matches!(row, Row::Record { code: 0, .. })
}

#[tokio::test(start_paused = true)]
async fn rows_go_to_masters_in_requests_of_bounded_size() {
    let (cluster, nodes) = three_nodes().await;
    let (outcome, rows) = run(&cluster, 4_096, Ops::default(), BatchPolicy::default()).await;
    outcome.unwrap();
    // Each node answers with its number as the generation; the partition map says which one is the master.
    assert!(rows.all().iter().all(is_written));
    let asked: usize = nodes.iter().flat_map(|node| node.requests()).map(|request| request.rows.len()).sum();
    assert_eq!(asked, 4_096, "no row is sent twice");

    let (cluster, node) = one_node().await;
    let large = Ops { size: 300 * 1024, ..Ops::default() };
    run(&cluster, 10, large, BatchPolicy::default()).await.0.unwrap();
    let sizes: Vec<usize> = node.requests().iter().map(|request| request.rows.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 10);
    assert!(sizes.iter().all(|&rows| rows <= 3), "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn rows_that_may_have_been_applied_are_not_sent_again() {
    // The node answers 40 rows and then closes the connection.
    let cut = |request: &Request| {
        let records: Vec<_> = request.rows.iter().take(40).map(|row| record(row.index, 0, 1)).collect();
        vec![Act::Send(frame(&records)), Act::Close]
    };
    let (outcome, rows, node) = fails_once(cut, Ops::default()).await;
    outcome.unwrap();
    assert_eq!(node.requests().len(), 1);
    let rows = rows.all();
    assert_eq!(rows.iter().filter(|row| is_written(row)).count(), 40);
    assert_eq!(rows.iter().filter(|row| **row == Row::InDoubt(client_code::CONNECTION)).count(), 60);
}

#[tokio::test(start_paused = true)]
async fn rows_that_only_read_are_retried_next_to_writes_in_doubt() {
    let ops = Ops { reads: |row| row % 2 == 0, ..Ops::default() };
    let (outcome, rows, node) = fails_once(|_| vec![Act::Close], ops).await;
    outcome.unwrap();
    assert_eq!(node.requests().iter().map(|request| request.rows.len()).collect::<Vec<_>>(), [100, 50]);
    for (at, row) in rows.all().iter().enumerate() {
        let expected =
            if at % 2 == 0 { is_written(row) } else { *row == Row::InDoubt(client_code::CONNECTION) };
        assert!(expected, "{at}: {row:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_for_the_whole_batch_is_in_doubt() {
    let (outcome, rows, node) = fails_once(|_| vec![Act::Close], Ops::default()).await;
    let error = outcome.unwrap_err();
    assert!(error.in_doubt() && matches!(error, Error::Connection { .. }), "{error}");
    assert!(error.to_string().contains("batch write at node"), "{error}");
    assert_eq!((rows.count(client_code::CONNECTION), node.requests().len()), (100, 1));
}

#[tokio::test(start_paused = true)]
async fn only_busy_rows_are_retried() {
    let busy = |request: &Request| {
        vec![Act::Send(answer(request, |row| if row.index % 4 == 0 { 14 } else { 0 }, 1))]
    };
    let (outcome, rows, node) = fails_once(busy, Ops::default()).await;
    outcome.unwrap();
    assert_eq!(node.requests().iter().map(|request| request.rows.len()).collect::<Vec<_>>(), [100, 25]);
    assert!(rows.all().iter().all(is_written));
}

#[tokio::test(start_paused = true)]
async fn a_server_timeout_of_a_row_is_in_doubt() {
    let late =
        |request: &Request| vec![Act::Send(answer(request, |row| if row.index < 3 { 9 } else { 0 }, 1))];
    let (outcome, rows, node) = fails_once(late, Ops::default()).await;
    outcome.unwrap();
    assert_eq!(node.requests().len(), 1);
    assert_eq!(rows.all().iter().filter(|row| **row == Row::InDoubt(9)).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_error_about_the_record_does_not_fail_the_call() {
    let exists = |request: &Request| vec![Act::Send(answer(request, |_| 5, 0))];
    let (outcome, rows, _node) = fails_once(exists, Ops::default()).await;
    outcome.unwrap();
    assert_eq!(rows.count(5), 100);
    let forbidden = |request: &Request| vec![Act::Send(answer(request, |_| 81, 0))];
    let (outcome, _rows, _node) = fails_once(forbidden, Ops::default()).await;
    assert!(matches!(outcome, Err(Error::Server { code: ResultCode::ROLE_VIOLATION, .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn refused_requests_are_retried() {
    for code in [151, 152] {
        let refused = move |_: &Request| vec![Act::Send(frame(&[end(code)]))];
        let (outcome, rows, node) = fails_once(refused, Ops::default()).await;
        outcome.unwrap();
        assert!(rows.all().iter().all(is_written), "{code}");
        assert!(node.requests().len() > 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_sent_over_a_closed_idle_connection_is_in_doubt() {
    let (cluster, node) = one_node().await;
    run(&cluster, 10, Ops::default(), BatchPolicy::default()).await.0.unwrap();
    // The node receives the request and closes the connection, just as if it had been closed before.
    node.on_request(|_| vec![Act::Close]);
    let (outcome, rows) = run(&cluster, 10, Ops::default(), BatchPolicy::default()).await;
    assert!(outcome.unwrap_err().in_doubt());
    assert!(rows.all().iter().all(|row| matches!(row, Row::InDoubt(_))));
    assert_eq!(node.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn writes_to_an_unreachable_node_are_not_in_doubt() {
    let (net, nodes) = Net::cluster(1);
    let cluster = connect(&net, "10.0.0.1:3000").await;
    nodes[0].set_down(true);
    let mut policy = BatchPolicy::default();
    policy.limits.max_retries = 0;
    let (outcome, rows) = run(&cluster, 10, Ops::default(), policy).await;
    assert!(!outcome.unwrap_err().in_doubt());
    assert!(rows.all().iter().all(|row| matches!(row, Row::Failed(_))));
    // Rows for a node that comes back in time are written.
    let mut policy = BatchPolicy::default();
    policy.limits.max_retries = 50;
    policy.limits.sleep_between_retries = MS * 20;
    let up = async {
        tokio::time::sleep(MS * 100).await;
        nodes[0].set_down(false);
    };
    let ((outcome, rows), ()) = tokio::join!(run(&cluster, 10, Ops::default(), policy), up);
    outcome.unwrap();
    assert!(rows.all().iter().all(is_written));
}

#[tokio::test(start_paused = true)]
async fn a_write_to_a_silent_node_times_out_in_doubt() {
    let (cluster, node) = one_node().await;
    node.on_request(|_| Vec::new());
    let mut policy = BatchPolicy::default();
    policy.limits.total_timeout = Some(MS * 200);
    let start = tokio::time::Instant::now();
    let (outcome, rows) = run(&cluster, 10, Ops::default(), policy).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }) && error.in_doubt());
    assert!(start.elapsed() < Duration::from_millis(260));
    assert_eq!(rows.all(), vec![Row::InDoubt(9); 10]);
    assert_eq!(node.requests().len(), 1, "no hedge and no retry");
}

#[tokio::test(start_paused = true)]
async fn rows_without_operations_are_not_sent() {
    let (cluster, node) = one_node().await;
    let ops = Ops { empty: |row| row % 10 == 0, ..Ops::default() };
    let (outcome, rows) = run(&cluster, 100, ops, BatchPolicy::default()).await;
    outcome.unwrap();
    assert_eq!(node.requests()[0].rows.len(), 90);
    assert_eq!(rows.count(client_code::PARAM), 10);
    let nothing = Ops { empty: |_| true, ..Ops::default() };
    let (outcome, _) = run(&cluster, 5, nothing, BatchPolicy::default()).await;
    assert!(matches!(outcome, Err(Error::Param { .. })), "{outcome:?}");
    let huge = Ops { size: 200 << 20, ..Ops::default() };
    let error = run(&cluster, 5, huge, BatchPolicy::default()).await.0.unwrap_err();
    assert!(error.to_string().contains("row 0 has operations of 209715200 bytes"), "{error}");
    run(&cluster, 0, Ops::default(), BatchPolicy::default()).await.0.unwrap();
    assert_eq!(node.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_during_a_write_is_in_doubt() {
    let (cluster, node) = one_node().await;
    node.on_request(|_| Vec::new());
    let other = cluster.clone();
    let close = async {
        tokio::time::sleep(MS * 50).await;
        other.close();
    };
    let ((outcome, _), ()) = tokio::join!(run(&cluster, 10, Ops::default(), BatchPolicy::default()), close);
    assert!(matches!(outcome, Err(Error::Closed { in_doubt: true })), "{outcome:?}");
    let (outcome, _) = run(&cluster, 10, Ops::default(), BatchPolicy::default()).await;
    assert!(matches!(outcome, Err(Error::Closed { in_doubt: false })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn rows_after_the_one_at_which_a_server_stopped_are_in_doubt() {
    // A server that need not answer all rows ends with the code of the first failed row. It has processed other
    // rows in parallel by then, and does not say which.
    let policy = BatchPolicy { respond_all_keys: false, ..BatchPolicy::default() };
    for (code, end_code) in [(14, 14), (14, 0), (5, 5), (18, 18), (5, 4)] {
        let (cluster, node) = one_node().await;
        let stops = move |request: &Request| {
            let rows = &request.rows;
            let first = [record(rows[0].index, 0, 1), record(rows[1].index, code, 0)];
            vec![Act::Send(frame(&first)), Act::Send(frame(&[end(end_code)]))]
        };
        node.on_request(once(stops, 7));
        let ops = Ops { reads: |row| row >= 90, ..Ops::default() };
        let (outcome, rows) = run(&cluster, 100, ops, policy.clone()).await;
        outcome.unwrap();
        let left_out = Row::InDoubt(client_code::NO_RESPONSE);
        assert!(
            rows.all()[2..90].iter().all(|row| *row == left_out),
            "{code}, {end_code}: {:?}",
            rows.get(2)
        );
        // Only rows that were certainly not applied are retried: the failed one, if its code is transient.
        let again: usize = node.requests()[1..].iter().flat_map(|request| &request.rows).count();
        let busy = usize::from(is_busy(code));
        assert!(again == busy || again == busy + 10, "{code}, {end_code}: {again}");
    }
}

fn is_busy(code: u8) -> bool {
    matches!(code, 14 | 18)
}

#[tokio::test(start_paused = true)]
async fn a_request_cut_off_while_sending_is_in_doubt() {
    // A server that cannot parse a row has applied the rows before it and discards their answers. Rows of
    // another namespace are in a request of their own.
    for namespaces in [&["test"][..], &["bar", "test"]] {
        let (net, nodes) = Net::cluster(1);
        let node = &nodes[0];
        node.claim("bar", vec![PartitionBitmap::of(0..4096)]);
        let cluster = connect(&net, "10.0.0.1:3000").await;
        node.on_request(once(|_| vec![Act::Send(frame(&[end(4)]))], 7));
        let rows = Rows::new(100);
        let policy = BatchPolicy::default();
        let batch = BatchOperate { name: "batch write", ops: Arc::new(Ops::default()), policy };
        let outcome = cluster.batch_operate(mixed_keys(100, namespaces), batch, Arc::clone(&rows)).await;
        let doubtful = rows.all().iter().filter(|row| **row == Row::InDoubt(4)).count();
        assert_eq!(doubtful, 100 / namespaces.len());
        assert_eq!(rows.all().iter().filter(|row| is_written(row)).count(), 100 - doubtful);
        assert_eq!(node.requests().len(), namespaces.len(), "nothing is sent twice");
        match outcome {
            Err(error) => assert!(error.in_doubt() && error.code() == 4 && doubtful == 100, "{error}"),
            Ok(()) => assert_eq!(doubtful, 50),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_failed_call_reports_rows_in_doubt() {
    let (cluster, nodes) = three_nodes().await;
    nodes[0].on_request(|_| vec![Act::Close]);
    nodes[1].set_down(true);
    nodes[2].set_down(true);
    let mut policy = BatchPolicy::default();
    policy.limits.max_retries = 0;
    let (outcome, rows) = run(&cluster, 300, Ops::default(), policy).await;
    let doubtful = rows.all().iter().filter(|row| matches!(row, Row::InDoubt(_))).count();
    assert!((1..150).contains(&doubtful), "{doubtful}");
    let error = outcome.unwrap_err();
    assert!(error.in_doubt(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn encoding_errors_fail_the_rows_that_were_not_sent() {
    /// Rows that cannot be encoded, from the fifth request on.
    struct Spoilt(Ops);
    impl RowOps for Spoilt {
        fn head(&self, row: usize) -> RowHead<'_> {
            self.0.head(row)
        }
        fn writes(&self, _row: usize) -> bool {
            true
        }
        fn is_empty(&self, _row: usize) -> bool {
            false
        }
        fn size(&self, _row: usize) -> usize {
            300 * 1024
        }
        fn write<'r>(
            &'r self,
            row: usize,
            head: &OperateRow<'r>,
            writer: &mut BatchWriter<'_, 'r>,
        ) -> Result<(), Error> {
            if row == 20 {
                return Err(Error::Param { what: "row 20 was changed".into() });
            }
            writer.row_with(head, |out| {
                out.extend_from_slice(&self.0.write);
                Ok(1)
            })
        }
    }
    let (cluster, node) = one_node().await;
    let rows = Rows::new(40);
    let policy = BatchPolicy::default();
    let batch = BatchOperate { name: "batch write", ops: Arc::new(Spoilt(Ops::default())), policy };
    cluster.batch_operate(keys(40), batch, Arc::clone(&rows)).await.unwrap();
    let sent: usize = node.requests().iter().map(|request| request.rows.len()).sum();
    let failed = rows.all().iter().filter(|row| **row == Row::Failed(client_code::PARAM)).count();
    assert!((1..=3).contains(&failed) && sent == 40 - failed, "{failed}");
    assert_eq!(rows.get(20), Row::Failed(client_code::PARAM));
}

/// Closes the cluster when the first answer arrives, while the call is in progress.
struct Closes {
    rows: Arc<Rows>,
    cluster: Cluster,
}

impl RowSink for Closes {
    type Lease<'a> = Lease<'a>;

    fn lease(&self) -> Option<Lease<'_>> {
        self.cluster.close();
        self.rows.lease()
    }
}

#[tokio::test(start_paused = true)]
async fn closing_between_two_requests_leaves_rows_in_doubt() {
    let (cluster, node) = one_node().await;
    let n = 100_000;
    let sink = Arc::new(Closes { rows: Rows::new(n), cluster: cluster.clone() });
    let batch =
        BatchOperate { name: "batch write", ops: Arc::new(Ops::default()), policy: BatchPolicy::default() };
    let outcome = cluster.batch_operate(keys(n), batch, Arc::clone(&sink)).await;
    assert!(matches!(outcome, Err(Error::Closed { in_doubt: true })), "{outcome:?}");
    assert!(!node.requests().is_empty());
}
