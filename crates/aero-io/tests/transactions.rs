//! Transactions against a scripted node that plays an Enterprise server: it names versions and deadlines, and each of
//! its answers can be lost, late or another code.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aero_io::{
    AbortStatus, Answer, BatchKeys, BatchOperate, BatchPolicy, BatchWriter, Bins, Cluster, CommitStatus,
    EncodedOps, EndPolicies, Error, Key, Limits, OperateRow, ReadPolicy, RowAttributes, RowHead, RowOps,
    Space, Transaction, TransactionState, WriteOp, WritePolicy,
};
use support::net::{Act, Net, Node};
use support::rows::{Row, Rows};
use support::wire::{Request, end, frame};
use support::{MS, connect, digest};
use tokio::time::timeout;
use wire_protocol::batch::BatchRequestRows;
use wire_protocol::command::WriteOptions;
use wire_protocol::message::{
    Message, MessageHeader, field_type, info1, info2, info4, op, write_field, write_op,
};
use wire_protocol::particle::{Particle, particle_type};

use Step::{Close, Mark, Monitor, Read, RollBack, RollForward, Verify, Write};

const DEADLINE: u32 = 500;
const VERSION: [u8; 7] = [1, 2, 3, 4, 5, 6, 7];

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Adds keys to the monitor record; `true`: creates it.
    Monitor(bool),
    Mark,
    Close,
    Read,
    Write,
    Verify,
    RollForward,
    RollBack,
}

/// What the node does instead of answering.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Closes the connection: the request was received.
    Lose,
    /// Does not answer.
    Hang,
    Code(u8),
}

fn step_of(request: &Request) -> Step {
    let message = Message::parse_only(&request.body).unwrap();
    let (info2, info4) = match message.field(field_type::BATCH) {
        Some(rows) => {
            let row = BatchRequestRows::parse(rows).unwrap().next().unwrap();
            (row.info2(), row.info4())
        }
        None => (message.header.info2, message.header.info4),
    };
    if message.field(field_type::SET) == Some(b"<ERO~MRT") {
        assert!(message.field(field_type::TRANSACTION_ID).is_none());
        if info2 & info2::DELETE != 0 {
            assert!(info2 & info2::DURABLE_DELETE != 0);
            return Close;
        }
        let names: Vec<_> = message.ops().map(|op| op.name).collect();
        return match names[..] {
            [b"fwd"] => Mark,
            [b"keyds"] => Monitor(false),
            [b"id", b"keyds"] => Monitor(true),
            _ => panic!("{names:?}"),
        };
    }
    match info4 {
        info4::VERIFY_READ => Verify,
        info4::ROLL_FORWARD => RollForward,
        info4::ROLL_BACK => RollBack,
        0 if info2 & info2::WRITE != 0 => Write,
        0 => Read,
        _ => panic!("info4 {info4}"),
    }
}

fn message(header: MessageHeader, fields: &[(u8, &[u8])], bin: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let (n_fields, n_ops) = (fields.len() as u16, u16::from(bin));
    MessageHeader { n_fields, n_ops, ..header }.write(&mut out);
    fields.iter().for_each(|(kind, data)| write_field(&mut out, *kind, data));
    if bin {
        write_op(&mut out, op::READ, particle_type::INTEGER, b"v", &7i64.to_be_bytes());
    }
    out
}

/// The answer of an Enterprise server with that code: with the version of what was read, and the deadline of the
/// monitor record.
fn answer(request: &Request, step: Step, code: u8) -> Vec<u8> {
    let deadline = DEADLINE.to_le_bytes();
    let fields: &[(u8, &[u8])] = match step {
        Read => &[(field_type::RECORD_VERSION, &VERSION)],
        Monitor(_) if code == 0 => &[(field_type::TRANSACTION_DEADLINE, &deadline)],
        _ => &[],
    };
    let rows: Vec<_> = request
        .rows
        .iter()
        .map(|row| {
            let header = MessageHeader {
                extra: row.index,
                result_code: code.into(),
                generation: 1,
                ..MessageHeader::default()
            };
            message(header, fields, step == Read && code == 0)
        })
        .collect();
    let mut out = frame(&rows);
    if request.is_batch {
        out.extend(frame(&[end(0)]));
    }
    out
}

/// A transaction on one scripted node.
struct Scripted {
    cluster: Cluster,
    node: Arc<Node>,
    transaction: Arc<Transaction>,
    steps: Arc<Mutex<Vec<Step>>>,
    fault: Arc<Mutex<Option<(Step, Fault)>>>,
}

impl Scripted {
    async fn new() -> Self {
        let (net, nodes) = Net::cluster(1);
        let node = Arc::clone(&nodes[0]);
        let steps: Arc<Mutex<Vec<Step>>> = Arc::default();
        let fault: Arc<Mutex<Option<(Step, Fault)>>> = Arc::default();
        let (log, faults) = (Arc::clone(&steps), Arc::clone(&fault));
        node.on_request(move |request| {
            let step = step_of(request);
            log.lock().unwrap().push(step);
            let fault = faults.lock().unwrap().filter(|(at, _)| *at == step);
            match fault {
                None => vec![Act::Send(answer(request, step, 0))],
                Some((_, Fault::Lose)) => vec![Act::Close],
                Some((_, Fault::Hang)) => vec![Act::Hang],
                Some((_, Fault::Code(code))) => vec![Act::Send(answer(request, step, code))],
            }
        });
        let cluster = connect(&net, "10.0.0.1:3000").await;
        Self { cluster, node, transaction: Arc::new(Transaction::with_id(0x0102_0304)), steps, fault }
    }

    fn fail(&self, step: Step, fault: Fault) {
        *self.fault.lock().unwrap() = Some((step, fault));
    }

    fn heal(&self) {
        *self.fault.lock().unwrap() = None;
    }

    /// The steps since the last call. Requests that may be repeated are sent again at once if the node closes a
    /// connection that was used before: that is one step.
    fn steps(&self) -> Vec<Step> {
        let mut steps = std::mem::take(&mut *self.steps.lock().unwrap());
        steps.dedup_by(|a, b| a == b && matches!(a, Verify | RollForward | RollBack));
        steps
    }

    fn limits(&self) -> Limits {
        Limits {
            total_timeout: Some(MS * 100),
            max_retries: 0,
            transaction: Some(Arc::clone(&self.transaction)),
            ..Limits::default()
        }
    }

    fn policies(&self) -> EndPolicies {
        let mut policies = EndPolicies::default();
        for policy in [&mut policies.verify, &mut policies.roll] {
            policy.limits.max_retries = 0;
            policy.limits.total_timeout = Some(MS * 100);
        }
        policies
    }

    async fn put(&self, n: u32) -> Result<Answer, Error> {
        let policy = WritePolicy { limits: self.limits(), ..WritePolicy::default() };
        let ops = [WriteOp { code: op::WRITE, name: b"a", value: Particle::Int(1) }];
        self.cluster.write(&key(n), &ops, &policy).await
    }

    async fn get(&self, n: u32) -> Result<Answer, Error> {
        let policy = ReadPolicy { limits: self.limits(), ..ReadPolicy::default() };
        self.cluster.read(&key(n), &Bins::All, &policy).await
    }

    async fn commit(&self) -> Result<CommitStatus, Error> {
        self.cluster.commit(&self.transaction, &self.policies()).await
    }

    async fn abort(&self) -> Result<AbortStatus, Error> {
        self.cluster.abort(&self.transaction, &self.policies()).await
    }

    /// A transaction that has written record 1 and read record 2.
    async fn begun() -> Self {
        let scripted = Self::new().await;
        scripted.put(1).await.unwrap();
        scripted.get(2).await.unwrap();
        assert_eq!(scripted.steps(), [Monitor(true), Write, Read]);
        scripted
    }

    fn state(&self) -> TransactionState {
        self.transaction.state()
    }
}

fn key(n: u32) -> Key {
    Key::from_digest(Space::new("test", "set"), digest(5, n))
}

/// The fields of the last request of a kind, by their numbers.
fn fields(node: &Node, step: Step) -> Vec<(u8, Vec<u8>)> {
    let requests = node.requests();
    let request = requests.iter().rev().find(|request| step_of(request) == step).unwrap();
    let message = Message::parse_only(&request.body).unwrap();
    let own = |kind| (3..=6).contains(&kind) && kind != field_type::DIGEST;
    match message.field(field_type::BATCH) {
        Some(rows) => BatchRequestRows::parse(rows)
            .unwrap()
            .flat_map(|row| row.fields().map(|field| (field.kind, field.data.to_vec())).collect::<Vec<_>>())
            .filter(|(kind, _)| own(*kind))
            .collect(),
        None => message
            .fields()
            .filter(|field| own(field.kind))
            .map(|field| (field.kind, field.data.to_vec()))
            .collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_committed() {
    let scripted = Scripted::begun().await;
    let (id, version) = ((5, vec![4, 3, 2, 1, 0, 0, 0, 0]), (3, VERSION.to_vec()));
    let deadline = (6, DEADLINE.to_le_bytes().to_vec());
    assert_eq!(fields(&scripted.node, Write), [id.clone(), deadline.clone()]);
    assert_eq!(fields(&scripted.node, Read), std::slice::from_ref(&id));
    // The key is in the monitor record already.
    scripted.put(1).await.unwrap();
    scripted.put(3).await.unwrap();
    scripted.get(2).await.unwrap();
    assert_eq!(scripted.steps(), [Write, Monitor(false), Write, Read]);
    assert_eq!(fields(&scripted.node, Read), [id.clone(), version.clone()]);
    assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
    assert_eq!(scripted.steps(), [Verify, Mark, RollForward, Close]);
    assert_eq!(fields(&scripted.node, Verify), [version]);
    let row = [id, deadline];
    assert_eq!(fields(&scripted.node, RollForward), [row.clone(), row].concat());
    assert_eq!((scripted.state(), scripted.transaction.in_doubt()), (TransactionState::Committed, false));

    assert_eq!(scripted.commit().await.unwrap(), CommitStatus::AlreadyCommitted);
    let refused = scripted.abort().await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string()),
        (-18, "transaction 16909060 was committed already".into())
    );
    assert_eq!(scripted.put(1).await.unwrap_err().code(), -2);
    assert_eq!(scripted.get(1).await.unwrap_err().code(), -2);
    assert_eq!(scripted.steps(), [], "nothing is sent");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_aborted() {
    let scripted = Scripted::begun().await;
    assert_eq!(scripted.abort().await.unwrap(), AbortStatus::Ok);
    assert_eq!(scripted.steps(), [RollBack, Close]);
    assert_eq!(scripted.state(), TransactionState::Aborted);
    assert_eq!(scripted.abort().await.unwrap(), AbortStatus::AlreadyAborted);
    let refused = scripted.commit().await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string()),
        (-19, "transaction 16909060 was aborted already".into())
    );
    assert_eq!(scripted.get(1).await.unwrap_err().code(), -2);
    assert_eq!(scripted.steps(), [], "nothing is sent");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_only_reads_is_verified_and_no_more() {
    let scripted = Scripted::new().await;
    assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
    assert_eq!(scripted.steps(), []);
    let scripted = Scripted::new().await;
    scripted.get(2).await.unwrap();
    assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
    assert_eq!(scripted.steps(), [Read, Verify]);
    assert_eq!(scripted.state(), TransactionState::Committed);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_has_changed_aborts_the_transaction() {
    for code in [121, 2, 27, 120] {
        let scripted = Scripted::begun().await;
        scripted.fail(Verify, Fault::Code(code));
        let error = scripted.commit().await.unwrap_err();
        assert_eq!((error.code(), error.in_doubt()), (-17, false), "{error}");
        assert!(
            error.to_string().contains("1 of 1 records that it has read could not be verified"),
            "{error}"
        );
        assert_eq!(scripted.steps(), [Verify, RollBack, Close]);
        assert_eq!(scripted.state(), TransactionState::Aborted);
        assert_eq!(scripted.commit().await.unwrap_err().code(), -19);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_verification_aborts_the_transaction() {
    for (fault, code) in [(Fault::Lose, -10), (Fault::Hang, 9), (Fault::Code(9), 9)] {
        let scripted = Scripted::begun().await;
        scripted.fail(Verify, fault);
        let error = scripted.commit().await.unwrap_err();
        assert_eq!((error.code(), error.in_doubt()), (code, false), "{error}");
        assert!(error.to_string().starts_with("transaction 16909060 was aborted: "), "{error}");
        assert_eq!(scripted.steps(), [Verify, RollBack, Close]);
        assert_eq!(scripted.state(), TransactionState::Aborted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_abort_after_verification_says_both() {
    for (step, steps) in [(RollBack, &[Verify, RollBack][..]), (Close, &[Verify, RollBack, Close])] {
        let scripted = Scripted::begun().await;
        let (log, steps_seen) = (Arc::clone(&scripted.steps), steps);
        scripted.node.on_request(move |request| {
            let at = step_of(request);
            log.lock().unwrap().push(at);
            match at {
                Verify => vec![Act::Send(answer(request, at, 121))],
                at if at == step => vec![Act::Close],
                _ => vec![Act::Send(answer(request, at, 0))],
            }
        });
        let error = scripted.commit().await.unwrap_err();
        assert_eq!(error.code(), -17);
        assert!(error.to_string().contains("because doing so failed"), "{error}");
        assert_eq!(scripted.steps(), steps_seen);
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_is_lost_can_only_be_committed_again() {
    for fault in [Fault::Lose, Fault::Hang, Fault::Code(9)] {
        let scripted = Scripted::begun().await;
        scripted.fail(Mark, fault);
        let error = scripted.commit().await.unwrap_err();
        assert!(error.in_doubt() && error.to_string().contains("may have been committed"), "{error}");
        assert_eq!(scripted.steps(), [Verify, Mark]);
        assert_eq!(scripted.state(), TransactionState::CommitFailed);
        assert!(scripted.transaction.in_doubt());
        let refused = scripted.abort().await.unwrap_err();
        assert_eq!(refused.code(), -17);
        assert!(refused.to_string().contains("commit it again to find out"), "{refused}");
        assert_eq!(scripted.put(1).await.unwrap_err().code(), -2);
        assert_eq!(scripted.steps(), []);
        // A failure that is certain by itself does not undo the doubt about the first.
        scripted.fail(Mark, Fault::Code(22));
        let error = scripted.commit().await.unwrap_err();
        assert!(error.code() == 22 && error.in_doubt(), "{error}");
        assert_eq!(scripted.steps(), [Mark]);
        scripted.fail(Mark, Fault::Code(124));
        assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
        assert_eq!(scripted.steps(), [Mark, RollForward, Close]);
        assert_eq!((scripted.state(), scripted.transaction.in_doubt()), (TransactionState::Committed, false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_the_server_refuses_can_be_repeated_or_aborted() {
    for is_repeated in [true, false] {
        let scripted = Scripted::begun().await;
        scripted.fail(Mark, Fault::Code(22));
        let error = scripted.commit().await.unwrap_err();
        assert_eq!((error.code(), error.in_doubt()), (22, false));
        assert!(error.to_string().ends_with("; commit it again, or abort it"), "{error}");
        assert_eq!((scripted.state(), scripted.transaction.in_doubt()), (TransactionState::Verified, false));
        assert_eq!(scripted.put(1).await.unwrap_err().code(), -2, "it takes no more commands");
        assert_eq!(scripted.steps(), [Verify, Mark]);
        scripted.heal();
        if is_repeated {
            assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
            assert_eq!(scripted.steps(), [Mark, RollForward, Close]);
        } else {
            assert_eq!(scripted.abort().await.unwrap(), AbortStatus::Ok);
            assert_eq!(scripted.steps(), [RollBack, Close]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_the_server_has_aborted_is_aborted() {
    let scripted = Scripted::begun().await;
    scripted.fail(Mark, Fault::Code(125));
    let error = scripted.commit().await.unwrap_err();
    assert_eq!((error.code(), error.in_doubt()), (125, false));
    assert!(error.to_string().contains("was aborted by the server"), "{error}");
    assert_eq!(scripted.state(), TransactionState::Aborted);
    assert_eq!(scripted.commit().await.unwrap_err().code(), -19);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_does_by_itself_is_no_error() {
    for fault in [Fault::Lose, Fault::Hang, Fault::Code(22)] {
        for (step, commit, abort) in [
            (RollForward, CommitStatus::RollForwardAbandoned, None),
            (Close, CommitStatus::CloseAbandoned, Some(AbortStatus::CloseAbandoned)),
            (RollBack, CommitStatus::Ok, Some(AbortStatus::RollBackAbandoned)),
        ] {
            let scripted = Scripted::begun().await;
            scripted.fail(step, fault);
            assert_eq!(scripted.commit().await.unwrap(), commit, "{step:?} {fault:?}");
            assert_eq!(scripted.state(), TransactionState::Committed);
            let Some(abort) = abort else { continue };
            let scripted = Scripted::begun().await;
            scripted.fail(step, fault);
            assert_eq!(scripted.abort().await.unwrap(), abort, "{step:?} {fault:?}");
            assert_eq!(scripted.state(), TransactionState::Aborted);
        }
    }
    // The monitor record is deleted already.
    let scripted = Scripted::begun().await;
    scripted.fail(Close, Fault::Code(2));
    assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_not_sent_without_its_key_in_the_monitor_record() {
    for (fault, code) in [(Fault::Lose, -10), (Fault::Hang, 9), (Fault::Code(9), 9), (Fault::Code(122), 122)]
    {
        let scripted = Scripted::new().await;
        scripted.fail(Monitor(true), fault);
        let error = scripted.put(1).await.unwrap_err();
        assert_eq!((error.code(), error.in_doubt()), (code, false), "{error}");
        assert!(error.to_string().contains("write of the transaction's monitor record"), "{error}");
        assert_eq!((scripted.steps(), scripted.transaction.n_writes()), (vec![Monitor(true)], 0));
        assert_eq!(scripted.state(), TransactionState::Open);
        // The record may exist by now, but nothing says so.
        scripted.heal();
        scripted.put(1).await.unwrap();
        assert_eq!(scripted.steps(), [Monitor(true), Write]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_lost_is_rolled_and_leaves_the_monitor_record_to_the_server() {
    for fault in [Fault::Lose, Fault::Hang, Fault::Code(9)] {
        for commits in [true, false] {
            let scripted = Scripted::new().await;
            scripted.fail(Write, fault);
            let error = scripted.put(1).await.unwrap_err();
            assert!(error.in_doubt(), "{error}");
            assert_eq!(scripted.transaction.n_writes(), 1);
            scripted.heal();
            scripted.steps();
            if commits {
                assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
                assert_eq!(scripted.steps(), [Mark, RollForward]);
            } else {
                assert_eq!(scripted.abort().await.unwrap(), AbortStatus::Ok);
                assert_eq!(scripted.steps(), [RollBack]);
            }
        }
    }
    // A write that the server refused changes nothing.
    let scripted = Scripted::new().await;
    scripted.fail(Write, Fault::Code(120));
    assert_eq!(scripted.put(1).await.unwrap_err().code(), 120);
    assert_eq!(scripted.transaction.n_writes(), 0);
    assert_eq!(scripted.abort().await.unwrap(), AbortStatus::Ok);
    assert_eq!(scripted.steps(), [Monitor(true), Write, Close]);
}

#[tokio::test(start_paused = true)]
async fn calls_can_be_cancelled_at_every_step() {
    const SOON: Duration = Duration::from_millis(10);
    for (step, state) in [
        (Verify, TransactionState::Open),
        (Mark, TransactionState::CommitFailed),
        (RollForward, TransactionState::Committed),
        (Close, TransactionState::Committed),
    ] {
        let scripted = Scripted::begun().await;
        scripted.fail(step, Fault::Hang);
        assert!(timeout(SOON, scripted.commit()).await.is_err());
        assert_eq!(scripted.state(), state, "{step:?}");
        assert_eq!(scripted.transaction.in_doubt(), step == Mark);
        scripted.heal();
        scripted.steps();
        let again = scripted.commit().await.unwrap();
        let expected = match step {
            Verify | Mark => CommitStatus::Ok,
            _ => CommitStatus::AlreadyCommitted,
        };
        assert_eq!(again, expected, "{step:?}");
    }
    for step in [RollBack, Close] {
        let scripted = Scripted::begun().await;
        scripted.fail(step, Fault::Hang);
        assert!(timeout(SOON, scripted.abort()).await.is_err());
        assert_eq!(scripted.abort().await.unwrap(), AbortStatus::AlreadyAborted);
    }
    let scripted = Scripted::new().await;
    scripted.fail(Monitor(true), Fault::Hang);
    assert!(timeout(SOON, scripted.put(1)).await.is_err());
    assert_eq!(scripted.transaction.n_writes(), 0, "the write was not sent");
    scripted.fail(Write, Fault::Hang);
    assert!(timeout(SOON, scripted.put(1)).await.is_err());
    assert_eq!(scripted.transaction.n_writes(), 1, "the write may have been applied");
    scripted.heal();
    assert_eq!(scripted.abort().await.unwrap(), AbortStatus::Ok);
    assert_eq!(scripted.steps().last(), Some(&RollBack), "and the server keeps the monitor record");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_made_up_for_by_retries() {
    for step in [Monitor(true), Verify, Mark, RollForward, Close] {
        let scripted = Scripted::new().await;
        let log = Arc::clone(&scripted.steps);
        let mut is_lost = false;
        scripted.node.on_request(move |request| {
            let at = step_of(request);
            log.lock().unwrap().push(at);
            if at == step && !is_lost {
                is_lost = true;
                return vec![Act::Close];
            }
            vec![Act::Send(answer(request, at, 0))]
        });
        let limits = Limits { max_retries: 2, total_timeout: None, ..scripted.limits() };
        let policy = WritePolicy { limits, ..WritePolicy::default() };
        let ops = [WriteOp { code: op::WRITE, name: b"a", value: Particle::Int(1) }];
        scripted.cluster.write(&key(1), &ops, &policy).await.unwrap();
        scripted.get(2).await.unwrap();
        let status = scripted.cluster.commit(&scripted.transaction, &EndPolicies::default()).await.unwrap();
        assert_eq!(status, CommitStatus::Ok, "{step:?}");
        let mut steps = std::mem::take(&mut *scripted.steps.lock().unwrap());
        assert_eq!(steps.iter().filter(|at| **at == step).count(), 2);
        steps.dedup();
        assert_eq!(steps, [Monitor(true), Write, Read, Verify, Mark, RollForward, Close]);
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_commands_create_one_monitor_record() {
    let scripted = Scripted::new().await;
    let (a, b, c) = tokio::join!(scripted.put(1), scripted.put(2), scripted.put(3));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let steps = scripted.steps();
    assert_eq!(steps.iter().filter(|step| **step == Monitor(true)).count(), 1);
    assert_eq!(steps.iter().filter(|step| **step == Monitor(false)).count(), 2);
    let (put, commit) = tokio::join!(scripted.put(4), scripted.commit());
    assert!(put.is_ok());
    let refused = commit.unwrap_err();
    assert!(refused.code() == -2 && refused.to_string().contains("still has 1 command running"), "{refused}");
}

/// Rows that write, except those in `reads`.
struct Puts {
    put: Vec<u8>,
    reads: &'static [usize],
}

impl RowOps for Puts {
    fn head(&self, row: usize) -> RowHead<'_> {
        let attributes = if self.reads.contains(&row) {
            BatchPolicy::default().reads.row_attributes(info1::GET_ALL)
        } else {
            RowAttributes::write(&WriteOptions::default(), false).unwrap()
        };
        RowHead { attributes, send_key: None }
    }

    fn writes(&self, row: usize) -> bool {
        !self.reads.contains(&row)
    }

    fn is_empty(&self, _row: usize) -> bool {
        false
    }

    fn size(&self, _row: usize) -> usize {
        self.put.len()
    }

    fn write<'r>(
        &'r self,
        row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), Error> {
        let ops =
            if self.writes(row) { EncodedOps { count: 1, bytes: &self.put } } else { EncodedOps::default() };
        Ok(writer.row(head, ops)?)
    }
}

async fn batch(
    scripted: &Scripted,
    keys: Arc<BatchKeys>,
    reads: &'static [usize],
) -> (Result<(), Error>, Arc<Rows>) {
    let mut put = Vec::new();
    write_op(&mut put, op::WRITE, particle_type::INTEGER, b"a", &7i64.to_be_bytes());
    let policy = BatchPolicy { limits: scripted.limits(), ..BatchPolicy::default() };
    let batch = BatchOperate { name: "batch write", ops: Arc::new(Puts { put, reads }), policy };
    let rows = Rows::new(keys.len());
    let outcome = scripted.cluster.batch_operate(keys, batch, Arc::clone(&rows)).await;
    (outcome, rows)
}

#[tokio::test(start_paused = true)]
async fn a_batch_adds_all_keys_at_once() {
    let scripted = Scripted::new().await;
    let (outcome, _) = batch(&scripted, support::keys(5), &[1, 3]).await;
    outcome.unwrap();
    assert_eq!(scripted.steps(), [Monitor(true), Write]);
    assert_eq!(scripted.transaction.n_writes(), 3);
    let monitor = &scripted.node.requests()[0];
    let message = Message::parse_only(&monitor.body).unwrap();
    let list = message.ops().last().unwrap().value.to_vec();
    for (row, is_there) in [(0, true), (1, false), (2, true), (3, false), (4, true)] {
        let digest = digest(row, row as u32);
        assert_eq!(list.windows(20).any(|part| part == digest), is_there, "row {row}");
    }
    // A batch that only reads adds none, and learns versions.
    let policy = BatchPolicy { limits: scripted.limits(), ..BatchPolicy::default() };
    let (outcome, rows) = support::read(&scripted.cluster, &support::keys(8), policy).await;
    outcome.unwrap();
    assert!(matches!(rows.get(7), Row::Record { code: 0, .. }));
    assert_eq!((scripted.steps(), scripted.transaction.n_reads()), (vec![Read], 8));
    let read = fields(&scripted.node, Read);
    assert!(read.iter().all(|(kind, _)| *kind == field_type::TRANSACTION_ID) && read.len() == 8, "{read:?}");
    assert_eq!(scripted.commit().await.unwrap(), CommitStatus::Ok);
    assert_eq!(scripted.steps(), [Verify, Mark, RollForward, Close]);
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_lost_are_in_doubt() {
    for fault in [Fault::Lose, Fault::Hang] {
        let scripted = Scripted::new().await;
        scripted.fail(Write, fault);
        let (outcome, _) = batch(&scripted, support::keys(5), &[1, 3]).await;
        assert!(outcome.unwrap_err().in_doubt());
        assert_eq!(scripted.transaction.n_writes(), 3);
        scripted.heal();
        assert_eq!(scripted.abort().await.unwrap(), AbortStatus::Ok);
        assert_eq!(scripted.steps(), [Monitor(true), Write, RollBack]);
    }
    let scripted = Scripted::new().await;
    scripted.fail(Write, Fault::Hang);
    assert!(timeout(MS * 10, batch(&scripted, support::keys(5), &[1])).await.is_err());
    assert_eq!(scripted.transaction.n_writes(), 4, "a batch that was cancelled");
    let scripted = Scripted::new().await;
    scripted.fail(Monitor(true), Fault::Lose);
    let (outcome, _) = batch(&scripted, support::keys(5), &[]).await;
    assert!(!outcome.unwrap_err().in_doubt());
    assert_eq!((scripted.steps(), scripted.transaction.n_writes()), (vec![Monitor(true)], 0));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_part_of_a_transaction_is_refused_before_anything_is_sent() {
    let scripted = Scripted::new().await;
    let (outcome, _) = batch(&scripted, support::mixed_keys(4, &["test", "bar"]), &[]).await;
    let refused = outcome.unwrap_err();
    assert!(refused.code() == -2 && refused.to_string().contains("use a transaction for each namespace"));
    scripted.get(1).await.unwrap();
    let policy = ReadPolicy { limits: scripted.limits(), ..ReadPolicy::default() };
    let other = Key::from_digest(Space::new("bar", "set"), digest(5, 1));
    assert_eq!(scripted.cluster.read(&other, &Bins::All, &policy).await.unwrap_err().code(), -2);
    let mut query = support::queries::query();
    query.policy.limits = scripted.limits();
    let refused = scripted.cluster.query(query).next().await.unwrap_err();
    assert!(refused.code() == -2 && refused.to_string().contains("cannot be part of a transaction"));
    assert_eq!(scripted.steps(), [Read]);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_malformed_are_refused() {
    let scripted = Scripted::new().await;
    scripted.node.on_request(|request| {
        let (kind, size) = match step_of(request) {
            Monitor(_) => (field_type::TRANSACTION_DEADLINE, 3),
            _ => (field_type::RECORD_VERSION, 8),
        };
        let row = message(MessageHeader::default(), &[(kind, &vec![0; size])], false);
        let mut out = frame(&[row]);
        if request.is_batch {
            out.extend(frame(&[end(0)]));
        }
        vec![Act::Send(out)]
    });
    for outcome in [scripted.get(1).await, scripted.put(1).await] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
    let policy = BatchPolicy { limits: scripted.limits(), ..BatchPolicy::default() };
    let (outcome, _) = support::read(&scripted.cluster, &support::keys(1), policy).await;
    assert!(matches!(outcome.unwrap_err(), Error::Protocol { .. }));
    assert_eq!((scripted.transaction.n_reads(), scripted.transaction.n_writes()), (0, 0));
}
