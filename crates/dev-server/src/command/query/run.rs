//! A query that is being answered, frame by frame.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use record_ops::expression::Expression;
use wire_protocol::ResultCode;
use wire_protocol::message::{FrameHeader, FrameType, Message, MessageHeader, field_type, info1, info3};

use crate::command::operations;
use crate::command::query::rate_limit::RateLimit;
use crate::command::query::record::{Found, Omission, Projection};
use crate::command::query::request::{self, IndexRequest, Resume, SetFilter};
use crate::command::query::source::{Candidate, Source};
use crate::protocol::answer::write_end;
use crate::protocol::flags::Flags;
use crate::security::Access;
use crate::state::clock::Moment;
use crate::state::faults::Fault;
use crate::state::jobs::{Ending, Job, JobKind, JobRequest, add};
use crate::state::node::Node;
use crate::state::store::namespace::Namespace;

/// Records are put into one frame up to this size; a larger record has a frame of its own.
const MAX_FRAME_OF_RECORDS: usize = 128 * 1024;

/// Number of partitions that are searched before other connections may run.
const PARTITIONS_PER_STEP: usize = 64;

/// Number of bins that are looked up before other connections may run.
const BINS_PER_STEP: usize = 1_000_000;

/// The bytes of a filter expression whose evaluation costs about as much as the lookup of a bin.
const BYTES_PER_LOOKUP: usize = 8;

/// A query that is being answered, so that a client that does not read costs the memory of one frame.
pub(crate) struct QueryRun<'a> {
    node: &'a Node,
    namespace: &'a Namespace,
    set: SetFilter,
    projection: Projection<'a>,
    /// The partitions that are not started, each with the record or entry after which it continues.
    partitions: std::vec::IntoIter<(u16, Option<Resume>)>,
    source: Source,
    /// The expression that records must match.
    expression: Option<Expression<'a>>,
    /// How much evaluating it costs, in lookups of bins.
    expression_cost: usize,
    /// The largest number of records that may still be sent.
    remaining: u64,
    rate_limit: Option<RateLimit>,
    /// The last record, if it did not fit into the previous frame.
    overflow: Vec<u8>,
    /// Names of the sets seen so far.
    sets: HashMap<u16, Box<[u8]>>,
    /// The code of every partition, if a fault says so.
    forced_code: Option<ResultCode>,
    end_code: ResultCode,
    /// How long the client may read nothing.
    write_timeout: Option<Duration>,
    /// Its entry in the list of queries; short ones have none.
    job: Option<Arc<Job>>,
    is_complete: bool,
}

impl<'a> QueryRun<'a> {
    /// Checks a query before it starts. Applies faults about result codes.
    ///
    /// # Errors
    /// The code that refuses the whole query.
    pub(crate) fn new(
        node: &'a Node,
        message: &Message<'a>,
        client: SocketAddr,
        user: Option<&Access>,
        fault: Option<Fault>,
    ) -> Result<Self, ResultCode> {
        if let Some(Fault::Code(code)) = fault {
            return Err(code);
        }
        let (namespace, fields, scope) = request::parse(node, message)?;
        let MessageHeader { info1, info2, info3, .. } = message.header;
        let flags = Flags { info1, info2, info3 };
        // A query of an old client, which names no partitions.
        if info3 & info3::PARTITION_DONE == 0 {
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        if user.is_some_and(|user| !user.may(flags, false, namespace.name.as_bytes(), fields.set)) {
            return Err(ResultCode::ROLE_VIOLATION);
        }
        if fields.call.is_some() {
            // A function over the stream of records.
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        if let Some(code) = fields.refusal {
            return Err(code);
        }
        let set = SetFilter::of(namespace, fields.set);
        let wanted = IndexRequest::parse(message)?;
        if scope.partitions.is_empty() && scope.after.is_empty() {
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        let search = wanted.map(|wanted| wanted.find(namespace, set)).transpose()?.map(Arc::new);
        let kind = search.as_ref().map(|search| search.index.definition.kind);
        let partitions = request::partitions(message, &scope, kind)?;
        // Like the server, a query for headers ignores operations.
        if info1 & info1::NO_BINS == 0 {
            for op in message.ops() {
                operations::check_read(&op)?;
                operations::check_name(&op).map_err(|_| ResultCode::PARAMETER)?;
            }
        }
        let expression = fields.filter.map(Expression::parse_filter).transpose()?;
        let millis = message
            .field(field_type::SOCKET_TIMEOUT)
            .and_then(|millis| millis.try_into().ok())
            .map(u32::from_be_bytes);
        let write_timeout = millis.map(|millis| Duration::from_millis(millis.into()));
        let is_short = info1 & info1::SHORT_QUERY != 0;
        let job = if is_short {
            None
        } else {
            Some(node.jobs.start(JobRequest {
                id: request::task_id(message)?,
                kind: JobKind::Read { socket_timeout_ms: millis.unwrap_or_default() },
                namespace: namespace.name.clone(),
                set: String::from_utf8_lossy(fields.set).into_owned(),
                index: search.as_ref().map(|search| search.name.clone()),
                partitions: Some((partitions.len(), scope.after.len())),
                records_per_second: scope.records_per_second,
                client,
            })?)
        };
        Ok(Self {
            node,
            namespace,
            set,
            projection: Projection { flags, ops: message.ops(), n_ops: message.header.n_ops.into() },
            expression,
            expression_cost: fields.filter.map_or(0, <[u8]>::len) / BYTES_PER_LOOKUP,
            partitions: partitions.into_iter(),
            source: Source::new(search),
            remaining: if scope.max_records == 0 { u64::MAX } else { scope.max_records },
            rate_limit: RateLimit::new(scope.records_per_second),
            overflow: Vec::new(),
            sets: HashMap::new(),
            forced_code: match fault {
                Some(Fault::RowCode(code)) => Some(code),
                _ => None,
            },
            end_code: ResultCode::OK,
            write_timeout: write_timeout.filter(|timeout| !timeout.is_zero()),
            job,
            is_complete: false,
        })
    }

    /// How long the client may read nothing before it is dropped.
    pub(crate) fn write_timeout(&self) -> Option<Duration> {
        self.write_timeout
    }

    /// How long to wait before the next frame.
    pub(crate) fn delay(&self) -> Option<Duration> {
        self.rate_limit.as_ref().map(RateLimit::delay).filter(|delay| !delay.is_zero())
    }

    /// Appends a frame of records, if it finds any before it has to pause, and ends the answer after the last
    /// one. Returns `false` then.
    pub(crate) fn next_frame(&mut self, out: &mut Vec<u8>) -> bool {
        let now = self.node.store.clock.moment();
        let start = out.len();
        out.extend_from_slice(&[0; FrameHeader::LEN]);
        out.append(&mut self.overflow);
        if self.job.as_ref().is_some_and(|job| job.is_aborted()) {
            (self.end_code, self.remaining) = (ResultCode::SCAN_ABORT, 0);
        }
        let mut allowance = self.rate_limit.as_ref().map_or(u64::MAX, RateLimit::allowance);
        // All records of a short query are in one frame.
        let max_partitions = if self.is_short() { usize::MAX } else { PARTITIONS_PER_STEP };
        let (mut sent, mut partitions, mut bins) = (0, 0, 0);
        // Each turn sends one record or starts one partition. The limits are checked first: a query that has
        // sent its last record ends without another search, and one that has to pause loses none of its
        // digests.
        let has_more = loop {
            if self.remaining == 0 {
                break false;
            }
            if allowance == 0 {
                break true;
            }
            let Some(candidate) = self.source.next(self.namespace) else {
                if partitions == max_partitions {
                    break true;
                }
                partitions += 1;
                match self.partitions.next() {
                    None => break false,
                    Some((partition, resume)) => self.start_partition(partition, resume, now.seconds, out),
                }
                continue;
            };
            let record_start = out.len();
            bins += 1 + self.projection.n_ops + self.expression_cost;
            let outcome = self.write_record(&candidate, now, out);
            if outcome != RecordOutcome::Gone {
                // Like the server, a record that is left out counts for `max_records`.
                self.remaining = self.remaining.saturating_sub(1);
            }
            if outcome != RecordOutcome::Written {
                if bins > BINS_PER_STEP {
                    break true;
                }
                continue;
            }
            (sent, allowance) = (sent + 1, allowance - 1);
            if out.len() - start > MAX_FRAME_OF_RECORDS && record_start > start + FrameHeader::LEN {
                self.overflow.extend_from_slice(&out[record_start..]);
                out.truncate(record_start);
                break true;
            }
        };
        self.node.counters.query_records(sent);
        if let Some(limit) = &mut self.rate_limit {
            limit.sent += sent;
        }
        self.finish(start, has_more, out);
        if let Some(job) = &self.job {
            add(&job.counts.succeeded, sent);
            add(&job.counts.throttled, if self.rate_limit.is_some() { sent } else { 0 });
            add(&job.partitions, partitions as u64);
            add(&job.bytes, (out.len() - start) as u64);
        }
        self.is_complete = !has_more;
        has_more
    }

    fn is_short(&self) -> bool {
        self.projection.flags.info1 & info1::SHORT_QUERY != 0
    }

    /// Ends the frame at `start`, and the answer if there is no more.
    fn finish(&self, start: usize, has_more: bool, out: &mut Vec<u8>) {
        if !has_more && self.is_short() {
            // The end of a short query is in the same frame as its records.
            MessageHeader { result_code: self.end_code, info3: info3::LAST, ..MessageHeader::default() }
                .write(out);
        }
        let size = out.len() - start - FrameHeader::LEN;
        if size == 0 {
            out.truncate(start);
        } else {
            let header = FrameHeader { kind: FrameType::Message, size }.to_bytes();
            out[start..start + FrameHeader::LEN].copy_from_slice(&header);
        }
        if !has_more && !self.is_short() {
            write_end(out, self.end_code);
        }
    }

    /// Starts a partition, or reports that this node does not serve it.
    fn start_partition(&mut self, partition: u16, resume: Option<Resume>, now: u32, out: &mut Vec<u8>) {
        let serves = self.node.ownership.serves(partition.into(), self.projection.flags);
        let code = self.forced_code.or((!serves).then_some(ResultCode::PARTITION_UNAVAILABLE));
        if let Some(result_code) = code {
            MessageHeader {
                info3: info3::PARTITION_DONE,
                result_code,
                generation: partition.into(),
                ..MessageHeader::default()
            }
            .write(out);
            return;
        }
        self.source.start(self.namespace, self.set, partition.into(), resume, now);
    }

    /// Appends a record.
    fn write_record(&mut self, candidate: &Candidate, now: Moment, out: &mut Vec<u8>) -> RecordOutcome {
        let Candidate { digest, key } = candidate;
        let namespace = self.namespace;
        let shard = namespace.read(digest);
        let Some(record) = shard.get(digest).filter(|record| !record.is_expired(now.seconds)) else {
            return RecordOutcome::Gone;
        };
        if !self.set.contains(record) {
            return RecordOutcome::Gone;
        }
        if let Some(expression) = &self.expression {
            match operations::filter(expression, namespace, digest, record, now) {
                Ok(()) => {}
                Err(ResultCode::FILTERED_OUT) => {
                    if let Some(job) = &self.job {
                        let counts = &job.counts;
                        let by_bins = expression.inputs().bins;
                        add(if by_bins { &counts.filtered_by_bins } else { &counts.filtered_by_metadata }, 1);
                    }
                    return RecordOutcome::Gone;
                }
                Err(code) => {
                    (self.end_code, self.remaining) = (code, 0);
                    return RecordOutcome::LeftOut;
                }
            }
        }
        // The record may have changed since the index was read.
        let search = self.source.search.clone();
        if search.is_some_and(|search| !search.matches(digest, record)) || !self.source.take(digest) {
            return RecordOutcome::Gone;
        }
        let set: &[u8] = match record.set {
            0 => &[],
            number => self.sets.entry(number).or_insert_with(|| namespace.set_name(number)),
        };
        let kind = self.source.search.as_ref().map(|search| search.index.definition.kind);
        let index_value = key.zip(kind).map(|(key, kind)| key.to_wire(kind));
        let found = Found { namespace, digest, record, set, index_value };
        match self.projection.write(&found, now, out) {
            Ok(()) => RecordOutcome::Written,
            Err(Omission::LeftOut) => RecordOutcome::LeftOut,
            // The query ends with a code.
            Err(Omission::TooBig) => {
                (self.end_code, self.remaining) = (ResultCode::RECORD_TOO_BIG, 0);
                RecordOutcome::LeftOut
            }
        }
    }
}

impl Drop for QueryRun<'_> {
    fn drop(&mut self) {
        if let Some(job) = &self.job {
            let ending = match self.is_complete {
                _ if job.is_aborted() => Ending::Aborted,
                true if self.end_code.is_ok() => Ending::Complete,
                true => Ending::Failed,
                false => Ending::Abandoned,
            };
            self.node.jobs.finish(job, ending);
        }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordOutcome {
    Written,
    /// It has none of the requested bins, or it is too large.
    LeftOut,
    /// It no longer exists, is in another set, does not match, or was sent already.
    Gone,
}
