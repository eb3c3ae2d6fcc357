//! Each way in which an exchange with a node ends, for each command that exchanges messages with one.
//!
//! A case says what the node does; the table says for each command what the caller gets, how many requests the
//! node saw, which connection is left, whether a write is in doubt, and what the client learned of the node.

mod support;

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aero_io::{
    AuthMode, BatchOperate, BatchPolicy, BatchRead, BatchWriter, Bins, Cluster, ClusterConfig, Credentials,
    EncodedOps, Error, Hedge, Key, OperatePolicy, OperateRow, Query, QueryPartitions, QueryPolicy,
    ReadPolicy, RowAttributes, RowHead, RowOps, Space, WriteOp, WritePolicy,
};
use support::net::{Act, Net, Node};
use support::rows::{Row, Rows};
use support::wire::{Request, answer, end, frame, query_record};
use support::{MS, config, digest, keys};
use wire_protocol::command::WriteOptions;
use wire_protocol::info::PartitionBitmap;
use wire_protocol::login::{SecurityMessage, command, field, write_security};
use wire_protocol::message::{FrameType, op, write_frame, write_op};
use wire_protocol::particle::Particle;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    BatchRead,
    BatchWrite,
    Get,
    Put,
    Operate,
    Query,
    Info,
}

use Caller::{BatchRead as ReadBatch, BatchWrite as WriteBatch, Get, Info, Operate, Put, Query as Queried};

const CALLERS: [Caller; 7] = [ReadBatch, WriteBatch, Get, Put, Operate, Queried, Info];

impl Caller {
    /// Whether its request may be sent again where the node may have carried it out.
    fn may_repeat(self) -> bool {
        !matches!(self, WriteBatch | Put | Operate)
    }

    fn is_batch(self) -> bool {
        matches!(self, ReadBatch | WriteBatch)
    }

    /// Whether its answers say how fast the node is.
    fn is_timed(self) -> bool {
        !matches!(self, Queried | Info)
    }

    /// Whether its answer has an end apart from its records.
    fn has_parts(self) -> bool {
        self.is_batch() || self == Queried
    }
}

/// What a node is sent.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Message(&'a Request),
    Info,
}

impl Asked<'_> {
    /// The parts of an answer that says OK.
    fn parts(self) -> Vec<Vec<u8>> {
        match self {
            Asked::Message(request) if request.query.is_some() => {
                vec![frame(&[query_record(&digest(5, 1))]), frame(&[end(0)])]
            }
            Asked::Message(request) if request.is_batch => {
                let whole = answer(request, |_| 0, 1);
                let last = frame(&[end(0)]);
                let (records, _) = whole.split_at(whole.len() - last.len());
                vec![records.to_vec(), last]
            }
            Asked::Message(request) => vec![answer(request, |_| 0, 1)],
            Asked::Info => vec![lines("status\tok\n")],
        }
    }

    fn ok(self) -> Vec<u8> {
        self.parts().concat()
    }

    /// The answer that refuses the whole request.
    fn refused(self, code: u8) -> Vec<u8> {
        match self {
            Asked::Message(request) if request.is_batch || request.query.is_some() => frame(&[end(code)]),
            Asked::Message(request) => answer(request, |_| code, 0),
            Asked::Info => lines(&format!("ERROR:{code}:no\n")),
        }
    }
}

fn lines(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, FrameType::Info, |out| out.extend_from_slice(text.as_bytes())).unwrap();
    out
}

/// The time that the node takes for the request that uses the connection first.
const USUAL: Duration = Duration::from_millis(20);

/// The time that it takes for others. Refusals come at once.
const SLOW: Duration = Duration::from_millis(60);

/// The average of one request that took [`USUAL`] and one that took [`SLOW`], as it is kept.
const SLOWER: Option<Duration> = Some(Duration::from_millis(25));

fn slowly(asked: Asked<'_>) -> Vec<Act> {
    vec![Act::Wait(SLOW), Act::Send(asked.ok())]
}

type Script = fn(usize, Asked<'_>) -> Vec<Act>;

/// What happens to a request.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// What the node does on the n-th request, from 0 on.
    script: Script,
    /// Whether the request may use a connection that was used before.
    is_reused: bool,
    /// Whether the client logs in.
    has_user: bool,
    /// After how many bytes the first connection breaks.
    cut: Option<usize>,
    /// Whether the node closes its connections before the request, and how long before.
    closed: Option<Duration>,
    total_timeout: Duration,
    socket_timeout: Duration,
    bins: usize,
}

const CASE: Case = Case {
    name: "",
    script: |_, asked| slowly(asked),
    is_reused: true,
    has_user: false,
    cut: None,
    closed: None,
    total_timeout: Duration::from_secs(5),
    socket_timeout: Duration::from_secs(2),
    bins: 0,
};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    /// The code of the error, or that of the batch's rows; 0 for none.
    code: i32,
    in_doubt: bool,
    /// Requests that the node got whole.
    requests: usize,
    /// Connections opened for them.
    opened: u64,
    /// Connections left in the pool.
    idle: usize,
    logins: usize,
    /// The time that the node is thought to take.
    usual: Option<Duration>,
    suspect: bool,
    errors: u64,
    timeouts: u64,
    busy: u64,
    /// Failures that the circuit breaker counts.
    failures: u32,
    retries: u64,
}

/// What is left after the first request over a connection.
fn first(caller: Caller, case: &Case) -> Seen {
    Seen {
        code: 0,
        in_doubt: false,
        requests: 0,
        opened: 0,
        idle: 0,
        logins: 0,
        usual: Some(USUAL).filter(|_| caller.is_timed() && case.is_reused),
        suspect: false,
        errors: 0,
        timeouts: 0,
        busy: 0,
        failures: 0,
        retries: 0,
    }
}

/// An answer to the n-th request over the n-th connection.
fn answered(caller: Caller, case: &Case, requests: usize, opened: u64) -> Seen {
    let usual = if case.is_reused { SLOWER } else { Some(SLOW) };
    Seen { requests, opened, idle: 1, usual: usual.filter(|_| caller.is_timed()), ..first(caller, case) }
}

/// A connection that broke after so many requests.
fn broken(caller: Caller, case: &Case, requests: usize, in_doubt: bool) -> Seen {
    Seen {
        code: -10,
        in_doubt,
        requests,
        opened: u64::from(!case.is_reused),
        suspect: true,
        errors: 1,
        failures: 1,
        ..first(caller, case)
    }
}

fn key() -> Key {
    Key::from_digest(Space::new("test", "set"), digest(5, 1))
}

/// Rows that write one bin.
struct Puts(Vec<u8>);

impl RowOps for Puts {
    fn head(&self, _row: usize) -> RowHead<'_> {
        let attributes = RowAttributes::write(&WriteOptions::default(), false).unwrap();
        RowHead { attributes, send_key: None }
    }

    fn writes(&self, _row: usize) -> bool {
        true
    }

    fn is_empty(&self, _row: usize) -> bool {
        false
    }

    fn size(&self, _row: usize) -> usize {
        self.0.len()
    }

    fn write<'r>(
        &'r self,
        _row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), Error> {
        Ok(writer.row(head, EncodedOps { count: 1, bytes: &self.0 })?)
    }
}

/// The code, and whether a write is in doubt; of a batch's rows where there is no error.
fn outcome_of<T>(outcome: Result<T, Error>) -> (i32, bool) {
    outcome.map_or_else(|error| (error.code(), error.in_doubt()), |_| (0, false))
}

fn rows_of(outcome: Result<(), Error>, rows: &Rows) -> (i32, bool) {
    let in_doubt = rows.all().iter().any(|row| matches!(row, Row::InDoubt(_)));
    let (code, is_doubtful) = outcome_of(outcome);
    assert_eq!(is_doubtful, in_doubt, "the error and the rows");
    let codes = rows.codes();
    assert!(codes.iter().all(|found| *found == codes[0] && (code == 0 || *found == code)), "{codes:?}");
    (codes[0], in_doubt)
}

/// Lets `caller` send one request, without retries and hedges.
async fn call(caller: Caller, cluster: &Cluster, case: &Case) -> (i32, bool) {
    let Case { total_timeout, socket_timeout, .. } = *case;
    let bins = match case.bins {
        0 => Bins::All,
        many => Bins::names(vec![b"a"; many]),
    };
    let batch = BatchPolicy {
        total_timeout: Some(total_timeout),
        socket_timeout,
        max_retries: 0,
        hedge: Hedge::Off,
        ..BatchPolicy::default()
    };
    let write = WritePolicy { total_timeout, socket_timeout, ..WritePolicy::default() };
    let ops = [WriteOp { code: op::WRITE, name: b"a", value: Particle::Int(1) }];
    match caller {
        ReadBatch => {
            let rows = Rows::new(3);
            let read = BatchRead { bins, policy: batch, ..BatchRead::default() };
            let outcome = cluster.batch_read(keys(3), Arc::new(read), Arc::clone(&rows)).await;
            rows_of(outcome, &rows)
        }
        WriteBatch => {
            let mut put = Vec::new();
            write_op(&mut put, op::WRITE, 1, b"a", &7i64.to_be_bytes());
            let rows = Rows::new(3);
            let batch = BatchOperate { name: "batch write", ops: Arc::new(Puts(put)), policy: batch };
            let outcome = cluster.batch_operate(keys(3), batch, Arc::clone(&rows)).await;
            rows_of(outcome, &rows)
        }
        Get => {
            let policy = ReadPolicy {
                total_timeout,
                socket_timeout,
                max_retries: 0,
                hedge: Hedge::Off,
                ..ReadPolicy::default()
            };
            outcome_of(cluster.read(&key(), &bins, &policy).await)
        }
        Put => outcome_of(cluster.write(&key(), &ops, &write).await),
        Operate => {
            let ops = [ops[0], WriteOp { code: op::READ, name: b"a", value: Particle::Nil }];
            let policy = OperatePolicy { write, ..OperatePolicy::default() };
            outcome_of(cluster.operate("operate", &key(), &ops, &policy).await)
        }
        Queried => outcome_of(query(cluster, bins, total_timeout, socket_timeout).await),
        Info => {
            let answers = cluster.info_within(None, &["status"], total_timeout).await.unwrap();
            assert!(
                answers
                    .iter()
                    .all(|(_, answers)| answers.as_ref().is_ok_and(|all| all.len() == 1) || answers.is_err())
            );
            outcome_of(answers.into_iter().next().unwrap().1)
        }
    }
}

async fn query(cluster: &Cluster, bins: Bins, total: Duration, socket: Duration) -> Result<(), Error> {
    let policy = QueryPolicy {
        total_timeout: total,
        socket_timeout: socket,
        max_retries: 0,
        ..QueryPolicy::default()
    };
    let mut stream = cluster.query(Query {
        space: Space::new("test", "set"),
        bins,
        policy,
        partitions: QueryPartitions::range(5, 1).unwrap(),
        max_records: 0,
        records_per_second: 0,
    });
    let mut records = 0;
    while let Some(block) = stream.next().await? {
        records += block.len();
    }
    assert_eq!(records, 1);
    Ok(())
}

/// Counts requests, and answers them by a script that can be changed.
#[derive(Clone)]
struct Scripted {
    seen: Arc<AtomicUsize>,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    fn new(node: &Node, script: Script) -> Self {
        let scripted = Self { seen: Arc::default(), script: Arc::new(Mutex::new(script)) };
        let (messages, info) = (scripted.clone(), scripted.clone());
        node.on_request(move |request| messages.acts(Asked::Message(request)));
        node.on_info_request(move |commands| (commands == "status\n").then(|| info.acts(Asked::Info)));
        scripted
    }

    fn acts(&self, asked: Asked<'_>) -> Vec<Act> {
        let n = self.seen.fetch_add(1, Ordering::SeqCst);
        self.script.lock().unwrap()(n, asked)
    }

    /// Goes on with another script, and counts anew.
    fn set(&self, script: Script) {
        *self.script.lock().unwrap() = script;
        self.seen.store(0, Ordering::SeqCst);
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// Takes every login and every token; counts the logins.
fn accept_logins(node: &Node) -> Arc<AtomicUsize> {
    let logins = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&logins);
    node.on_security(move |body| {
        let mut out = Vec::new();
        let is_login = SecurityMessage::parse(body).unwrap().command == command::LOGIN;
        count.fetch_add(usize::from(is_login), Ordering::SeqCst);
        let fields: &[(u8, &[u8])] = if is_login { &[(field::SESSION_TOKEN, b"t")] } else { &[] };
        write_security(&mut out, 0.into(), 0, fields).unwrap();
        vec![Act::Send(out)]
    });
    logins
}

/// A config whose watches do not look unless something happens.
fn quiet(max_conns_per_node: usize) -> ClusterConfig {
    ClusterConfig {
        tend_interval: Duration::from_secs(3_600),
        max_conns_per_node,
        ..config(&["10.0.0.1:3000"])
    }
}

async fn run(caller: Caller, case: &Case) -> Seen {
    let (net, nodes) = Net::cluster(1);
    let node = &nodes[0];
    let logins = accept_logins(node);
    let scripted = Scripted::new(node, |_, asked| vec![Act::Wait(USUAL), Act::Send(asked.ok())]);
    let user = || Credentials::new(AuthMode::Internal, "ann", "secret").unwrap();
    let config = ClusterConfig { credentials: case.has_user.then(user), ..quiet(100) };
    let cluster = Cluster::connect(config, Arc::clone(&net) as _).await.unwrap();
    if case.is_reused {
        assert_eq!(call(caller, &cluster, &CASE).await, (0, false));
    }
    if let Some(before) = case.closed {
        node.drop_connections();
        tokio::time::sleep(before).await;
    }
    scripted.set(case.script);
    let (before, logins_before) = (cluster.stats(), logins.load(Ordering::SeqCst));
    if let Some(after) = case.cut {
        net.cut_next_write(after);
    }
    let (code, in_doubt) = call(caller, &cluster, case).await;
    let (after, was) = (cluster.stats(), &before.nodes[0]);
    let is = &after.nodes[0];
    Seen {
        code,
        in_doubt,
        requests: scripted.seen(),
        opened: is.connections_opened - was.connections_opened,
        idle: is.connections_idle,
        logins: logins.load(Ordering::SeqCst) - logins_before,
        usual: is.usual_time.map(|time| Duration::from_millis(time.as_millis() as u64)),
        suspect: is.suspect,
        errors: is.errors - was.errors,
        timeouts: is.timeouts - was.timeouts,
        busy: is.key_busy - was.key_busy,
        failures: is.error_rate - was.error_rate,
        retries: after.retries - before.retries,
    }
}

/// Compares all that differs at once.
fn compare<T: PartialEq + Debug>(cells: impl IntoIterator<Item = (String, T, T)>) {
    let wrong: Vec<String> = cells
        .into_iter()
        .filter(|(_, found, expected)| found != expected)
        .map(|(cell, found, expected)| format!("{cell}:\n     found {found:?}\n  expected {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn check(case: Case, expected: impl Fn(Caller, &Case) -> Seen) {
    check_for(&CALLERS, case, expected).await;
}

async fn check_for(callers: &[Caller], case: Case, expected: impl Fn(Caller, &Case) -> Seen) {
    let mut cells = Vec::new();
    for &caller in callers {
        let cell = format!("{} of {caller:?}", case.name);
        cells.push((cell, run(caller, &case).await, expected(caller, &case)));
    }
    compare(cells);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_timed_and_its_connection_used_again() {
    let case = Case { name: "answer over a connection that was used", ..CASE };
    check(case, |caller, case| answered(caller, case, 1, 0)).await;
    let case = Case { name: "answer over a new connection", is_reused: false, ..CASE };
    check(case, |caller, case| answered(caller, case, 1, 1)).await;
}

/// Refusals come at once: if they were timed, the adaptive delay would shrink.
#[tokio::test(start_paused = true)]
async fn refusals_are_not_timed() {
    const CODES: [(u8, Script); 5] = [
        (18, |_, asked| vec![Act::Send(asked.refused(18))]),
        (14, |_, asked| vec![Act::Send(asked.refused(14))]),
        (9, |_, asked| vec![Act::Send(asked.refused(9))]),
        (83, |_, asked| vec![Act::Send(asked.refused(83))]),
        (80, |_, asked| vec![Act::Send(asked.refused(80))]),
    ];
    for (code, script) in CODES {
        let case = Case { name: "refusal", script, ..CASE };
        check(case, |caller, case| {
            let is_code = caller != Info || code == 80;
            Seen {
                // Other errors of info commands are text.
                code: if is_code { i32::from(code) } else { 0 },
                // Such a batch may have applied some rows; a single write says itself whether it was applied.
                in_doubt: match caller {
                    WriteBatch => matches!(code, 9 | 14 | 18),
                    Put | Operate => code == 9,
                    _ => false,
                },
                requests: 1,
                idle: 1,
                errors: u64::from(code == 18 && is_code),
                busy: u64::from(code == 14 && is_code),
                timeouts: u64::from(code == 9 && is_code),
                failures: u32::from((code == 18 || code == 9) && is_code),
                ..first(caller, case)
            }
        })
        .await;
    }
}

/// A record that is not there, or is filtered out, is found by the same work as one that is. A batch that ends
/// with such a code stopped before its last row.
#[tokio::test(start_paused = true)]
async fn answers_about_the_record_are_timed() {
    const CODES: [(u8, Script); 2] = [
        (2, |_, asked| vec![Act::Wait(SLOW), Act::Send(asked.refused(2))]),
        (27, |_, asked| vec![Act::Wait(SLOW), Act::Send(asked.refused(27))]),
    ];
    for (code, script) in CODES {
        let case = Case { name: "answer about the record", script, ..CASE };
        check(case, |caller, case| Seen {
            code: match caller {
                ReadBatch | WriteBatch => -15,
                Info => 0,
                _ => i32::from(code),
            },
            in_doubt: caller == WriteBatch,
            usual: if caller.is_batch() { Some(USUAL) } else { answered(caller, case, 1, 0).usual },
            ..answered(caller, case, 1, 0)
        })
        .await;
    }
    let script: Script = |_, asked| vec![Act::Send(asked.refused(3))];
    let case = Case { name: "generation", script, ..CASE };
    check_for(&[Put, Operate], case, |caller, case| Seen {
        code: 3,
        requests: 1,
        idle: 1,
        ..first(caller, case)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_costs_no_attempt() {
    // So recently used that reads do not look at it, and long ago.
    for before in [Duration::ZERO, MS * 100] {
        let case = Case { name: "closed while idle", closed: Some(before), ..CASE };
        check(case, |caller, case| answered(caller, case, 1, 1)).await;
    }
    // Closed between the look at it and the request: nothing went out.
    let case = Case { name: "closed before the first byte", cut: Some(0), ..CASE };
    check(case, |caller, case| answered(caller, case, 1, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn only_what_may_be_repeated_is_sent_again_after_a_part_of_it() {
    let case = Case { name: "closed after a part of the request", cut: Some(10), ..CASE };
    check(case, |caller, case| match caller.may_repeat() {
        true => answered(caller, case, 1, 1),
        false => broken(caller, case, 0, true),
    })
    .await;
    let script: Script = |n, asked| if n == 0 { vec![Act::Close] } else { slowly(asked) };
    let case = Case { name: "closed after the request", script, ..CASE };
    check(case, |caller, case| match caller.may_repeat() {
        true => answered(caller, case, 2, 1),
        false => broken(caller, case, 1, true),
    })
    .await;
}

/// A new connection was not idle: that it breaks is the node's failure.
#[tokio::test(start_paused = true)]
async fn a_new_connection_that_breaks_is_a_failure() {
    for (cut, any_sent) in [(0, false), (10, true)] {
        let case = Case { name: "new connection, request cut", is_reused: false, cut: Some(cut), ..CASE };
        check(case, |caller, case| broken(caller, case, 0, any_sent && !caller.may_repeat())).await;
    }
    let script: Script = |_, _| vec![Act::Close];
    let case = Case { name: "new connection closed after the request", is_reused: false, script, ..CASE };
    check(case, |caller, case| broken(caller, case, 1, !caller.may_repeat())).await;
    // The new connection after a stale one is new, too.
    let case = Case { name: "every connection closed after the request", script, ..CASE };
    check(case, |caller, case| match caller.may_repeat() {
        true => Seen { opened: 1, ..broken(caller, case, 2, false) },
        false => broken(caller, case, 1, true),
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_is_not_asked_for_again() {
    let script: Script = |_, asked| vec![Act::Send(asked.parts()[0][..12].to_vec()), Act::Close];
    let case = Case { name: "closed in the first frame", script, ..CASE };
    check(case, |caller, case| broken(caller, case, 1, !caller.may_repeat())).await;
    let script: Script = |_, _| vec![Act::Send(vec![2]), Act::Close];
    let case = Case { name: "closed after the first byte", script, ..CASE };
    check(case, |caller, case| broken(caller, case, 1, !caller.may_repeat())).await;
}

/// All rows are answered, and the end of the answer is missing: rows are kept, a query's partition is not done.
#[tokio::test(start_paused = true)]
async fn a_connection_closed_between_frames_is_not_stale() {
    let script: Script = |_, asked| vec![Act::Send(asked.parts().swap_remove(0)), Act::Close];
    let case = Case { name: "closed between frames", script, ..CASE };
    check_for(&[ReadBatch, WriteBatch, Queried], case, |caller, case| Seen {
        code: if caller == Queried { -10 } else { 0 },
        ..broken(caller, case, 1, false)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_costs_a_login_and_no_attempt() {
    let script: Script = |n, asked| if n == 0 { vec![Act::Send(asked.refused(80))] } else { slowly(asked) };
    let case = Case { name: "session lost once", has_user: true, script, ..CASE };
    check(case, |caller, case| Seen { logins: 1, ..answered(caller, case, 2, 1) }).await;
    let script: Script = |n, asked| if n == 0 { vec![Act::Send(asked.refused(66))] } else { slowly(asked) };
    let case = Case { name: "session ended once", has_user: true, script, ..CASE };
    check(case, |caller, case| Seen { logins: 1, ..answered(caller, case, 2, 1) }).await;
}

/// Whatever comes after a stale connection and a lost session is final.
#[tokio::test(start_paused = true)]
async fn a_session_lost_twice_is_the_answer() {
    let script: Script = |_, asked| vec![Act::Send(asked.refused(80))];
    let lost = |requests, caller, case: &Case| Seen {
        code: 80,
        requests,
        opened: 1,
        idle: 1,
        logins: 1,
        ..first(caller, case)
    };
    let case = Case { name: "session lost twice", has_user: true, script, ..CASE };
    check(case, |caller, case| lost(2, caller, case)).await;
    let case = Case { name: "closed while idle, session lost twice", closed: Some(Duration::ZERO), ..case };
    check(case, |caller, case| Seen { opened: 2, ..lost(2, caller, case) }).await;
    // The request before the lost session was not looked at; the one after it may have been.
    let script: Script =
        |n, asked| if n == 0 { vec![Act::Send(asked.refused(80))] } else { vec![Act::Close] };
    let case = Case { name: "session lost, then closed", has_user: true, script, ..CASE };
    check(case, |caller, case| Seen {
        opened: 1,
        logins: 1,
        ..broken(caller, case, 2, !caller.may_repeat())
    })
    .await;
}

/// A session that ends when a part of the answer was used: rows are not sent again, a query goes on behind its
/// last record.
#[tokio::test(start_paused = true)]
async fn a_session_lost_in_the_middle_of_an_answer() {
    let script: Script = |n, asked| match (n, asked) {
        (0, asked) => vec![Act::Send(asked.parts().swap_remove(0)), Act::Send(asked.refused(80))],
        (_, Asked::Message(request)) if request.query.is_some() => {
            let scope = request.query.as_ref().unwrap();
            assert_eq!((&*scope.partitions, &*scope.after), (&[][..], &[digest(5, 1)][..]));
            vec![Act::Send(frame(&[end(0)]))]
        }
        (_, asked) => slowly(asked),
    };
    let case = Case { name: "session lost behind records", has_user: true, script, ..CASE };
    check_for(&[ReadBatch, WriteBatch, Queried], case, |caller, case| match caller {
        Queried => Seen { logins: 1, ..answered(caller, case, 2, 1) },
        _ => Seen { requests: 1, idle: 1, ..first(caller, case) },
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn time_that_is_up_closes_the_connection() {
    let silent = |caller: Caller, case: &Case| Seen {
        code: 9,
        in_doubt: !caller.may_repeat(),
        requests: 1,
        suspect: true,
        timeouts: 1,
        failures: 1,
        ..first(caller, case)
    };
    let script: Script = |_, _| vec![Act::Hang];
    let socket_timeout = MS * 200;
    let case = Case { name: "socket timeout", script, socket_timeout, ..CASE };
    check(case, silent).await;
    let case = Case { name: "deadline", script, total_timeout: MS * 300, ..CASE };
    check(case, silent).await;
    // A node that sent something is not silent.
    let script: Script = |_, asked| vec![Act::Wait(MS), Act::Send(asked.parts().swap_remove(0)), Act::Hang];
    let case = Case { name: "socket timeout between frames", script, socket_timeout, ..CASE };
    check_for(&[Queried], case, |caller, case| Seen { suspect: false, ..silent(caller, case) }).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_answer_close_the_connection() {
    let malformed = |caller: Caller, case: &Case| Seen {
        code: -1,
        in_doubt: !caller.may_repeat(),
        requests: 1,
        errors: 1,
        failures: 1,
        ..first(caller, case)
    };
    let script: Script = |_, _| vec![Act::Send(vec![9; 30])];
    check(Case { name: "another protocol", script, ..CASE }, malformed).await;
    let script: Script = |_, asked| match asked {
        Asked::Message(_) => vec![Act::Send(frame(&[vec![7; 30]]))],
        Asked::Info => {
            let mut out = Vec::new();
            write_frame(&mut out, FrameType::Info, |out| out.push(0xff)).unwrap();
            vec![Act::Send(out)]
        }
    };
    check(Case { name: "malformed body", script, ..CASE }, malformed).await;
    let script: Script = |_, asked| match asked {
        Asked::Message(_) => vec![Act::Send(lines("status\tok\n"))],
        Asked::Info => vec![Act::Send(frame(&[end(0)]))],
    };
    check(Case { name: "frame of another type", script, ..CASE }, malformed).await;
}

/// What follows an answer belongs to no request: the next one must not take it for its own.
#[tokio::test(start_paused = true)]
async fn a_connection_with_bytes_left_is_not_used_again() {
    for (name, script) in [
        (
            "surplus byte",
            (|_, asked| vec![Act::Wait(SLOW), Act::Send([asked.ok(), vec![2]].concat())]) as Script,
        ),
        ("surplus answer", |_, asked| vec![Act::Wait(SLOW), Act::Send([asked.ok(), asked.ok()].concat())]),
    ] {
        check(Case { name, script, ..CASE }, |caller, case| Seen { idle: 0, ..answered(caller, case, 1, 0) })
            .await;
    }
    let script: Script = |_, asked| vec![Act::Send([asked.refused(18), vec![2]].concat())];
    let case = Case { name: "surplus byte behind a refusal", script, ..CASE };
    check_for(&[Get, Put, Operate, Queried], case, |caller, case| Seen {
        code: 18,
        requests: 1,
        errors: 1,
        failures: 1,
        ..first(caller, case)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_written_is_not_the_nodes_failure() {
    let case = Case { name: "70,000 bins", bins: 70_000, ..CASE };
    check_for(&[ReadBatch, Get, Queried], case, |caller, case| Seen { code: -2, ..first(caller, case) })
        .await;
}

/// Nothing is sent, and nothing is learned of the node, while all connections are in use.
#[tokio::test(start_paused = true)]
async fn without_a_permit_nothing_is_sent() {
    let mut cells = Vec::new();
    for caller in CALLERS {
        let (net, nodes) = Net::cluster(1);
        let scripted = Scripted::new(&nodes[0], |_, _| vec![Act::Hang]);
        let cluster = Cluster::connect(quiet(1), net as _).await.unwrap();
        let twin = cluster.clone();
        let holder = tokio::spawn(async move { call(Get, &twin, &CASE).await });
        tokio::time::sleep(MS).await;
        let outcome = call(caller, &cluster, &Case { total_timeout: MS * 300, ..CASE }).await;
        holder.abort();
        let node = &cluster.stats().nodes[0];
        let learned = (node.suspect, node.errors, node.timeouts, node.error_rate, node.usual_time);
        let found = (outcome, scripted.seen(), node.connections_opened, learned);
        cells.push((format!("{caller:?}"), found, ((-7, false), 1, 1, (false, 0, 0, 0, None))));
    }
    compare(cells);
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_breaker_is_open_is_not_asked() {
    let mut cells = Vec::new();
    for caller in CALLERS {
        let (net, nodes) = Net::cluster(1);
        let scripted = Scripted::new(&nodes[0], |_, _| vec![Act::Send(vec![9; 30])]);
        let config = ClusterConfig { max_error_rate: 1, ..quiet(100) };
        let cluster = Cluster::connect(config, net as _).await.unwrap();
        for _ in 0..2 {
            assert_eq!(call(Get, &cluster, &CASE).await, (-1, false));
        }
        let outcome = call(caller, &cluster, &CASE).await;
        let node = &cluster.stats().nodes[0];
        let learned = (node.suspect, node.errors, node.timeouts, node.error_rate);
        let found = (outcome, scripted.seen(), node.connections_opened, learned);
        cells.push((format!("{caller:?}"), found, ((-14, false), 2, 2, (false, 2, 0, 2))));
    }
    compare(cells);
}

/// A node leaves the cluster while a command waits for a connection to it: nothing was sent, so the command goes
/// to the node that has the record now. Info commands are for that node alone.
#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_before_the_request_costs_no_attempt() {
    let mut cells = Vec::new();
    for caller in CALLERS {
        let (net, nodes) = Net::cluster(3);
        let scripted: Vec<Scripted> =
            nodes.iter().map(|node| Scripted::new(node, |_, asked| slowly(asked))).collect();
        scripted[0].set(|_, _| vec![Act::Hang]);
        // All partitions are the first node's, then all the second's.
        let (all, none) = (|| PartitionBitmap::of(0..4096), || PartitionBitmap::of(0..0));
        nodes[0].claim("test", vec![all(), none()]);
        nodes[1].claim("test", vec![none(), all()]);
        nodes[2].claim("test", vec![none(), none()]);
        let config = ClusterConfig { max_conns_per_node: 1, ..config(&["10.0.0.2:3000"]) };
        let cluster = Cluster::connect(config, net as _).await.unwrap();
        let twin = cluster.clone();
        let long = Case { total_timeout: MS * 60_000, socket_timeout: Duration::ZERO, ..CASE };
        let holder = tokio::spawn(async move { call(Get, &twin, &long).await });
        tokio::time::sleep(MS).await;
        nodes[0].is_hung.store(true, Ordering::SeqCst);
        nodes[1].know(&nodes[1..]);
        nodes[2].know(&nodes[1..]);
        nodes[1].claim("test", vec![all(), none()]);
        let outcome = match caller {
            Info => {
                let answers = cluster.info_within(Some("N1"), &["status"], long.total_timeout).await;
                outcome_of(answers.unwrap().remove(0).1)
            }
            _ => call(caller, &cluster, &long).await,
        };
        holder.abort();
        let seen: Vec<usize> = scripted.iter().map(Scripted::seen).collect();
        let found = (outcome, seen, cluster.stats().retries);
        let expected = match caller {
            Info => ((-10, false), vec![1, 0, 0], 0),
            _ => ((0, false), vec![1, 1, 0], 0),
        };
        cells.push((format!("{caller:?}"), found, expected));
    }
    compare(cells);
}
