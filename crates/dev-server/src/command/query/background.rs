//! A query that applies operations to records, in the background.
//!
//! The node answers when the query has started. It then works through the partitions of which the node is the master: in
//! steps, so that other commands may run, and not faster than the query's number of records per second. Each record is
//! written as by a command of its own, which checks again that the record is one that the query looks for.
//!
//! A query may apply a user-defined function instead of operations.
//!
//! Each record is written once: an index query remembers the records of a partition that it has come to, since a write may
//! move a record within the range. Nodes that run the same query share its progress, so that a node that takes over a
//! partition continues where another one was.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use record_ops::expression::{self, Expression};
use record_udf::{Failure, Runtime};
use wire_protocol::ResultCode;
use wire_protocol::digest::{Digest, PARTITIONS};
use wire_protocol::message::{Message, MessageHeader, Ops, field_type, info1, info2, info3, op};

use crate::command::apply::{self, Function, Outcome};
use crate::command::operations;
use crate::command::query::rate_limit::RateLimit;
use crate::command::query::request::{self, IndexRequest, Resume, SetFilter};
use crate::command::query::source::{Candidate, Source};
use crate::command::request::{Filter, RecordRequest, Search};
use crate::command::write::write;
use crate::protocol::answer::AnswerHeader;
use crate::protocol::flags::Flags;
use crate::security::Access;
use crate::state::clock::Moment;
use crate::state::cluster::ownership::Ownership;
use crate::state::faults::Fault;
use crate::state::functions::{Functions, LIMITS};
use crate::state::jobs::{
    BackgroundProgress, Ending, Job, JobKind, JobRequest, Jobs, PartitionProgress, add,
};
use crate::state::node::Node;
use crate::state::store::Store;
use crate::state::store::index::tree::Entry;
use crate::state::store::namespace::Namespace;

/// Records per second of a query that names no number, and the largest that it may name.
const MAX_RECORDS_PER_SECOND: u32 = 10_000;

/// Number of records that are written before other commands may run.
const RECORDS_PER_STEP: u64 = 200;

/// Number of records that a query at the largest rate writes before it is answered.
const RECORDS_AT_ONCE: u64 = 1000;

/// Number of partitions that are searched before other commands may run.
const PARTITIONS_PER_STEP: usize = 512;

/// How long a query that has nothing to do now waits.
const PAUSE: Duration = Duration::from_millis(1);

/// The size of the answer, which counts as sent.
const ANSWER_SIZE: u64 = 30;

/// Starts a query. Small ones are complete when this returns.
///
/// # Errors
/// The code that refuses the query.
pub(crate) fn start(
    node: &Node,
    body: &[u8],
    message: &Message<'_>,
    client: SocketAddr,
    user: Option<&Access>,
    fault: Option<Fault>,
) -> Result<(), ResultCode> {
    if let Some(Fault::Code(code) | Fault::RowCode(code)) = fault {
        return Err(code);
    }
    let mut run = BackgroundRun::new(node, body, message, client, user)?;
    let rate = run.job.request.records_per_second;
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        while run.step(u64::MAX, PARTITIONS).has_more {}
        return Ok(());
    };
    let mut limit = RateLimit::new(rate);
    let burst = limit.as_ref().map_or(u64::MAX, RateLimit::allowance);
    let at_once = if rate == MAX_RECORDS_PER_SECOND { burst.max(RECORDS_AT_ONCE) } else { burst };
    let step = run.step(at_once, PARTITIONS);
    if step.has_more {
        if let Some(limit) = &mut limit {
            limit.sent += step.written;
        }
        runtime.spawn(run.complete(limit));
    }
    Ok(())
}

/// What a step has done.
struct Step {
    written: u64,
    /// Whether there is more to do.
    has_more: bool,
}

/// A background query on one node.
struct BackgroundRun {
    store: Arc<Store>,
    /// The position of the namespace in the store.
    namespace: usize,
    ownership: Arc<Ownership>,
    jobs: Arc<Jobs>,
    job: Arc<Job>,
    progress: Arc<BackgroundProgress>,
    /// The body of the request, which has the operations and the filter.
    body: Box<[u8]>,
    set: SetFilter,
    source: Source,
    /// The partition that is being worked on, with its progress; `None` between partitions.
    current: Option<(usize, PartitionProgress)>,
    next_partition: usize,
    pass: Pass,
}

/// What has happened since the query was last at the first partition.
#[derive(Clone, Copy, Debug, Default)]
struct Pass {
    /// A partition was started.
    has_started: bool,
    /// Another node works on a partition of this one.
    has_waited: bool,
}

/// What follows a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Started,
    /// Nothing can be done now.
    Wait,
    Done,
}

impl BackgroundRun {
    fn new(
        node: &Node,
        body: &[u8],
        message: &Message<'_>,
        client: SocketAddr,
        user: Option<&Access>,
    ) -> Result<Self, ResultCode> {
        let MessageHeader { info1, info2, info3, .. } = message.header;
        if info1 & info1::SHORT_QUERY != 0 {
            return Err(ResultCode::PARAMETER);
        }
        let (namespace, fields, scope) = request::parse(node, message)?;
        if user.is_some_and(|user| {
            let flags = Flags { info1: 0, info2, info3 };
            !user.may(flags, fields.call.is_some(), namespace.name.as_bytes(), fields.set)
        }) {
            return Err(ResultCode::ROLE_VIOLATION);
        }
        let function = function_of(message)?;
        if function.is_none() && fields.call.is_some() {
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        if let Some(code) = fields.refusal {
            return Err(code);
        }
        let set = SetFilter::of(namespace, fields.set);
        let wanted = IndexRequest::parse(message)?;
        if set == SetFilter::Nothing {
            return Err(ResultCode::RECORD_NOT_FOUND);
        }
        let rate = match scope.records_per_second {
            0 => MAX_RECORDS_PER_SECOND,
            rate if rate > MAX_RECORDS_PER_SECOND => return Err(ResultCode::PARAMETER),
            rate => rate,
        };
        let search = wanted.map(|wanted| wanted.find(namespace, set)).transpose()?.map(Arc::new);
        fields.filter.map(Expression::parse_filter).transpose()?;
        if function.is_none() {
            if info1 & info1::READ != 0 {
                return Err(ResultCode::PARAMETER);
            }
            check_ops(message.ops())?;
        }
        let job = node.jobs.start(JobRequest {
            id: request::task_id(message)?,
            kind: function.map_or(JobKind::Write, |(module, function)| JobKind::Apply { module, function }),
            namespace: namespace.name.clone(),
            set: String::from_utf8_lossy(fields.set).into_owned(),
            index: search.as_ref().map(|search| search.name.clone()),
            partitions: None,
            records_per_second: rate,
            client,
        })?;
        add(&job.bytes, ANSWER_SIZE);
        Ok(Self {
            namespace: node
                .store
                .namespaces
                .iter()
                .position(|one| std::ptr::eq(one, namespace))
                .ok_or(ResultCode::NAMESPACE_NOT_FOUND)?,
            store: Arc::clone(&node.store),
            ownership: Arc::clone(&node.ownership),
            jobs: Arc::clone(&node.jobs),
            progress: node.store.background.progress(job.request.id),
            job,
            body: body.into(),
            set,
            source: Source::new(search),
            current: None,
            next_partition: 0,
            pass: Pass::default(),
        })
    }

    /// Works until the query is complete or aborted.
    async fn complete(mut self, mut limit: Option<RateLimit>) {
        loop {
            let allowance = limit.as_ref().map_or(RECORDS_PER_STEP, RateLimit::allowance);
            let step = self.step(allowance.min(RECORDS_PER_STEP), PARTITIONS_PER_STEP);
            if !step.has_more {
                return;
            }
            let delay = limit.as_mut().map(|limit| {
                limit.sent += step.written;
                limit.delay()
            });
            match delay {
                Some(delay) if !delay.is_zero() => tokio::time::sleep(delay).await,
                _ if step.written == 0 => tokio::time::sleep(PAUSE).await,
                _ => tokio::task::yield_now().await,
            }
        }
    }

    /// Writes up to `records` records of up to `partitions` partitions.
    fn step(&mut self, records: u64, partitions: usize) -> Step {
        let store = Arc::clone(&self.store);
        let search = self.source.search.clone();
        let body = std::mem::take(&mut self.body);
        let step = match (store.namespaces.get(self.namespace), Message::parse_only(&body)) {
            (Some(namespace), Ok(message)) => {
                let mut writer = Writer::new(&store.functions, namespace, &message, search.as_deref());
                self.write_some(&mut writer, records, partitions)
            }
            _ => Step { written: 0, has_more: false },
        };
        self.body = body;
        step
    }

    fn write_some(&mut self, writer: &mut Writer<'_>, records: u64, partitions: usize) -> Step {
        let (mut written, mut partitions) = (0, partitions);
        let has_more = loop {
            if self.job.is_aborted() {
                break false;
            }
            if self.current.is_none() {
                if partitions == 0 {
                    break true;
                }
                partitions -= 1;
                match self.start_partition(writer.namespace) {
                    Next::Started => {}
                    Next::Wait => break true,
                    Next::Done => break false,
                }
            }
            if written >= records {
                break true;
            }
            if let Some(digest) = self.next_digest(writer.namespace) {
                let now = self.store.clock.moment();
                written += u64::from(writer.write(&digest, self.set, &self.job, now));
            }
        };
        Step { written, has_more }
    }

    /// Starts the next partition of which this node is the master. After the last one, goes through all partitions again
    /// until none is left: the node may have become the master of more, and another node may have stopped working on one.
    fn start_partition(&mut self, namespace: &Namespace) -> Next {
        loop {
            while self.next_partition < PARTITIONS {
                let partition = self.next_partition;
                self.next_partition += 1;
                add(&self.job.partitions, 1);
                if !self.ownership.is_master(partition) {
                    continue;
                }
                let Some(progress) = self.progress.take(partition) else {
                    self.pass.has_waited = true;
                    continue;
                };
                if progress.is_complete {
                    self.progress.put(partition, progress);
                    continue;
                }
                let resume = match (progress.after_record, progress.after_entry) {
                    (Some(digest), _) => Some(Resume::Record(digest)),
                    (None, entry) => entry.map(Resume::Entry),
                };
                self.source.start(namespace, self.set, partition, resume, self.store.clock.now());
                self.current = Some((partition, progress));
                self.pass.has_started = true;
                return Next::Started;
            }
            match std::mem::take(&mut self.pass) {
                Pass { has_started: true, .. } => self.next_partition = 0,
                Pass { has_waited: true, .. } => {
                    self.next_partition = 0;
                    return Next::Wait;
                }
                Pass { .. } => return Next::Done,
            }
        }
    }

    /// The next record of the partition that was not there before; ends the partition after the last one.
    fn next_digest(&mut self, namespace: &Namespace) -> Option<Digest> {
        let (partition, progress) = self.current.as_mut()?;
        let partition = *partition;
        if let Some(Candidate { digest, key }) = self.source.next(namespace) {
            return match key {
                None => {
                    progress.after_record = Some(digest);
                    Some(digest)
                }
                Some(key) => {
                    progress.after_entry = Some(Entry { key, digest });
                    progress.seen.insert(digest).then_some(digest)
                }
            };
        }
        self.current = None;
        self.progress.put(partition, PartitionProgress { is_complete: true, ..PartitionProgress::default() });
        None
    }
}

impl Drop for BackgroundRun {
    fn drop(&mut self) {
        let is_complete = self.next_partition == PARTITIONS && self.current.is_none();
        if let Some((partition, progress)) = self.current.take() {
            self.progress.put(partition, progress);
        }
        let ending = match (self.job.is_aborted(), is_complete) {
            (true, _) => Ending::Aborted,
            (false, true) => Ending::Complete,
            (false, false) => Ending::Failed,
        };
        self.jobs.finish(&self.job, ending);
    }
}

/// Module and name of the user-defined function that a query applies.
fn function_of(message: &Message<'_>) -> Result<Option<(String, String)>, ResultCode> {
    if message.field(field_type::UDF_KIND) != Some(&[UDF_IN_BACKGROUND]) {
        return Ok(None);
    }
    let text = |kind| {
        let name = message.field(kind).filter(|name| name.len() <= apply::MAX_NAME);
        name.map(|name| String::from_utf8_lossy(name).into_owned()).ok_or(ResultCode::PARAMETER)
    };
    message.field(field_type::UDF_ARGUMENTS).ok_or(ResultCode::PARAMETER)?;
    Ok(Some((text(field_type::UDF_MODULE)?, text(field_type::UDF_FUNCTION)?)))
}

/// The kind of a user-defined function that is applied in the background.
const UDF_IN_BACKGROUND: u8 = 2;

/// Refuses operations that a background query cannot have: none, those that read, invalid expressions.
fn check_ops(ops: Ops<'_>) -> Result<(), ResultCode> {
    let mut count = 0;
    for op in ops {
        count += 1;
        if operations::check_read(&op).is_ok() {
            return Err(ResultCode::PARAMETER);
        }
        if op.code == op::EXP_MODIFY {
            expression::check_modify(op.value)?;
        }
    }
    if count == 0 { Err(ResultCode::PARAMETER) } else { Ok(()) }
}

/// Writes the records of a background query.
struct Writer<'a> {
    functions: &'a Functions,
    /// The module of the function that is applied, once a record needs it.
    runtime: Option<Result<Runtime, Failure>>,
    namespace: &'a Namespace,
    message: &'a Message<'a>,
    search: Option<&'a Search>,
    filter: Option<Expression<'a>>,
    /// Names of the sets seen so far.
    sets: HashMap<u16, Box<[u8]>>,
    answer: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(
        functions: &'a Functions,
        namespace: &'a Namespace,
        message: &'a Message<'a>,
        search: Option<&'a Search>,
    ) -> Self {
        let filter = message.field(field_type::FILTER).and_then(|bytes| Expression::parse_filter(bytes).ok());
        let (sets, answer) = (HashMap::new(), Vec::new());
        Self { functions, runtime: None, namespace, message, search, filter, sets, answer }
    }

    /// Applies the operations to a record. Returns whether that counts: not if the record is gone or in another set.
    fn write(&mut self, digest: &Digest, set: SetFilter, job: &Job, now: Moment) -> bool {
        let namespace = self.namespace;
        let number = {
            let shard = namespace.read(digest);
            match shard.get(digest).filter(|record| set.contains(record)) {
                Some(record) => record.set,
                None => return false,
            }
        };
        let set: &[u8] = match number {
            0 => &[],
            _ => self.sets.entry(number).or_insert_with(|| namespace.set_name(number)),
        };
        let MessageHeader { info2, info3, ttl, .. } = self.message.header;
        let request = RecordRequest {
            namespace,
            digest,
            set,
            set_number: Some(number),
            key: None,
            filter: self.filter.as_ref().map(Filter::Parsed),
            search: self.search,
            refusal: None,
            flags: Flags {
                info1: 0,
                info2: info2::WRITE | info2 & info2::DURABLE_DELETE,
                info3: info3::UPDATE_ONLY | info3 & info3::REPLACE_ONLY,
            },
            call: None,
            generation: 0,
            ttl,
            ops: self.message.ops(),
            index: 0,
            is_row: false,
        };
        self.answer.clear();
        let counts = &job.counts;
        add(&counts.throttled, 1);
        let code = match &job.request.kind {
            JobKind::Apply { module, function } => {
                let runtime =
                    self.runtime.get_or_insert_with(|| apply::load(self.functions, module.as_bytes()));
                let mut function = Function {
                    runtime,
                    name: function,
                    arguments: self.message.field(field_type::UDF_ARGUMENTS).unwrap_or_default(),
                    time: LIMITS.time,
                };
                match function.run(&request, now, &mut AnswerHeader::default()) {
                    Ok(Outcome::Returned(_)) => ResultCode::OK,
                    Ok(Outcome::Failed(_)) => ResultCode::UDF_BAD_RESPONSE,
                    Err(code) => code,
                }
            }
            _ => write(&request, now, &mut self.answer),
        };
        match code {
            ResultCode::OK => add(&counts.succeeded, 1),
            // Gone, or no longer one that the query looks for.
            ResultCode::RECORD_NOT_FOUND => {}
            ResultCode::FILTERED_OUT => {
                let by_bins = self.filter.as_ref().is_some_and(|filter| filter.inputs().bins);
                add(if by_bins { &counts.filtered_by_bins } else { &counts.filtered_by_metadata }, 1);
            }
            _ => add(&counts.failed, 1),
        }
        true
    }
}
