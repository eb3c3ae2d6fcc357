//! One request to a scripted node: what the node does with it, and what can be observed afterwards.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aero_io::{AuthMode, Cluster, ClusterConfig, Credentials};
use wire_protocol::message::{FrameType, write_frame};
use wire_protocol::security::{SecurityMessage, command, field, write_security};

use super::callers::{CALLERS, Caller, call};
use super::net::{Act, Net, Node};
use super::wire::{Request, answer, end, frame, query_record};
use super::{MS, config, digest};

/// What a node is sent.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    Message(&'a Request),
    Info,
}

impl Asked<'_> {
    /// The parts of an answer that says OK.
    pub fn parts(self) -> Vec<Vec<u8>> {
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

    pub fn ok(self) -> Vec<u8> {
        self.parts().concat()
    }

    /// The answer that refuses the whole request.
    pub fn refused(self, code: u8) -> Vec<u8> {
        match self {
            Asked::Message(request) if request.is_batch || request.query.is_some() => frame(&[end(code)]),
            Asked::Message(request) => answer(request, |_| code, 0),
            Asked::Info => lines(&format!("ERROR:{code}:no\n")),
        }
    }
}

pub fn lines(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, FrameType::Info, |out| out.extend_from_slice(text.as_bytes())).unwrap();
    out
}

/// The time that the node takes for the request that makes a connection a reused one.
pub const USUAL: Duration = Duration::from_millis(20);

/// The time that the node takes for the request under test. Refusals come at once.
pub const SLOW: Duration = Duration::from_millis(60);

/// The average of one request that took [`USUAL`] and one that took [`SLOW`], as it is kept.
pub const SLOWER: Option<Duration> = Some(Duration::from_millis(25));

/// The average of one request that took [`USUAL`] and one that took four times as long so far.
pub const OVERDUE: Duration = Duration::from_millis(27);

pub fn slowly(asked: Asked<'_>) -> Vec<Act> {
    vec![Act::Wait(SLOW), Act::Send(asked.ok())]
}

pub type Script = fn(usize, Asked<'_>) -> Vec<Act>;

/// What happens to a request.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    /// What the node does on the n-th request, from 0 on.
    pub script: Script,
    /// Whether the request may use a connection that was used before.
    pub is_reused: bool,
    /// Whether the client logs in.
    pub has_user: bool,
    /// Break the connection after this many bytes of the request.
    pub cut: Option<usize>,
    /// Close the connection this long before the request.
    pub closed: Option<Duration>,
    /// Whether the node half-closes the connection right after the answer to the request before.
    pub is_half_closed: bool,
    pub total_timeout: Duration,
    pub socket_timeout: Duration,
    /// Whether the request cannot be written.
    pub is_unwritable: bool,
}

pub const CASE: Case = Case {
    name: "",
    script: |_, asked| slowly(asked),
    is_reused: true,
    has_user: false,
    cut: None,
    closed: None,
    is_half_closed: false,
    total_timeout: Duration::from_secs(5),
    socket_timeout: Duration::from_secs(2),
    is_unwritable: false,
};

/// What can be observed after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The code of the error, or that of the batch's rows; 0 for none.
    pub code: i32,
    pub in_doubt: bool,
    /// Requests that the node got whole.
    pub requests: usize,
    /// Connections opened for them.
    pub opened: u64,
    /// Connections left in the pool.
    pub idle: usize,
    pub logins: usize,
    /// The time that requests to the node usually take, as far as the client knows.
    pub usual: Option<Duration>,
    pub suspect: bool,
    pub errors: u64,
    pub timeouts: u64,
    pub busy: u64,
    /// Failures that the circuit breaker counts.
    pub failures: u32,
    pub retries: u64,
}

/// Nothing sent, and nothing learned but the time of the request that used the connection before.
pub fn first(caller: Caller, case: &Case) -> Seen {
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

/// The last of `requests` was answered, over the last of `opened` connections.
pub fn answered(caller: Caller, case: &Case, requests: usize, opened: u64) -> Seen {
    let usual = if case.is_reused { SLOWER } else { Some(SLOW) };
    Seen { requests, opened, idle: 1, usual: usual.filter(|_| caller.is_timed()), ..first(caller, case) }
}

/// The connection broke after `requests`.
pub fn broken(caller: Caller, case: &Case, requests: usize, in_doubt: bool) -> Seen {
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

/// Counts requests, and answers them by a script that can be changed.
#[derive(Clone)]
pub struct Scripted {
    seen: Arc<AtomicUsize>,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    pub fn new(node: &Node, script: Script) -> Self {
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
    pub fn set(&self, script: Script) {
        *self.script.lock().unwrap() = script;
        self.seen.store(0, Ordering::SeqCst);
    }

    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// A user, whose password is hashed once: that takes long.
fn user() -> Credentials {
    static USER: OnceLock<Credentials> = OnceLock::new();
    USER.get_or_init(|| Credentials::new(AuthMode::Internal, "ann", "secret").unwrap()).clone()
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
pub fn quiet(max_conns_per_node: usize) -> ClusterConfig {
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
    let scripted = Scripted::new(
        node,
        match case.is_half_closed {
            false => |_, asked| vec![Act::Wait(USUAL), Act::Send(asked.ok())],
            true => |_, asked| vec![Act::Wait(USUAL), Act::Send(asked.ok()), Act::HalfClose],
        },
    );
    let config = ClusterConfig { credentials: case.has_user.then(user), ..quiet(100) };
    let cluster = Cluster::connect(config, Arc::clone(&net) as _).await.unwrap();
    if case.is_reused {
        assert_eq!(call(caller, &cluster, &CASE).await, (0, false));
    }
    match case.closed {
        // An answer at the very instant of the next request would count as one to that.
        None if case.is_half_closed => tokio::task::yield_now().await,
        None => tokio::time::sleep(MS).await,
        Some(before) => {
            node.drop_connections();
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(before).await;
        }
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

/// Fails with all cells of a table that differ.
pub fn compare<T: PartialEq + Debug>(cells: impl IntoIterator<Item = (String, T, T)>) {
    let wrong: Vec<String> = cells
        .into_iter()
        .filter(|(_, found, expected)| found != expected)
        .map(|(cell, found, expected)| format!("{cell}:\n     found {found:?}\n  expected {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub async fn check(case: Case, expected: impl Fn(Caller, &Case) -> Seen) {
    check_for(&CALLERS, case, expected).await;
}

pub async fn check_for(callers: &[Caller], case: Case, expected: impl Fn(Caller, &Case) -> Seen) {
    let mut cells = Vec::new();
    for &caller in callers {
        let cell = format!("{} of {caller:?}", case.name);
        cells.push((cell, run(caller, &case).await, expected(caller, &case)));
    }
    compare(cells);
}
