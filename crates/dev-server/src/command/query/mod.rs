//! Queries over the primary index.

mod rate_limit;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use record_ops::expression::Expression;
use wire_protocol::ResultCode;
use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::message::{
    FrameHeader, FrameType, Message, MessageHeader, Ops, field_type, info1, info2, info3, write_field,
};
use wire_protocol::query::QueryScope;

use crate::command::operations::{self, Seen, StoredBins, Subject, reads};
use crate::command::query::rate_limit::RateLimit;
use crate::command::request::{MAX_SET_NAME, RequestFields};
use crate::protocol::answer::write_end;
use crate::protocol::flags::Flags;
use crate::security::User;
use crate::state::clock::Moment;
use crate::state::faults::Fault;
use crate::state::node::Node;
use crate::state::store::bins::BinLookup;
use crate::state::store::namespace::Namespace;
use crate::state::store::record::Record;

/// Records are put into one frame up to this size; a larger record has a frame of its own.
const MAX_FRAME_OF_RECORDS: usize = 128 * 1024;

/// Number of partitions that are searched before other connections may run.
const PARTITIONS_PER_STEP: usize = 64;

/// Number of bins that are looked up before other connections may run.
const BINS_PER_STEP: usize = 1_000_000;

/// The bytes of a filter expression whose evaluation costs about as much as the lookup of a bin.
const BYTES_PER_LOOKUP: usize = 8;

/// Size of the largest answer about one record, which may have the same bin several times.
const MAX_RECORD: usize = wire_protocol::message::MAX_FRAME / 2;

/// Field types of a query over a secondary index: its name, what to look for, the kind of index.
const INDEX_FIELDS: [u8; 4] = [21, 22, 26, 27];

/// Whether a message is a query and not a command on one record.
pub(crate) fn is_query(message: &Message<'_>) -> bool {
    let has = |kind| message.field(kind).is_some();
    message.header.info2 & info2::WRITE == 0
        && !has(field_type::DIGEST)
        && (has(field_type::PARTITION_IDS) || has(field_type::DIGESTS))
}

/// Which records of the namespace a query asks for.
enum SetFilter {
    All,
    Only(u16),
    /// No records: the set does not exist.
    Nothing,
}

/// A query that is being answered, frame by frame, so that a client that does not read costs the memory of
/// one frame.
pub(crate) struct QueryRun<'a> {
    node: &'a Node,
    namespace: &'a Namespace,
    filter: SetFilter,
    flags: Flags,
    ops: Ops<'a>,
    n_ops: usize,
    /// The partitions that are not started, each with the digest after which it continues.
    partitions: std::collections::btree_map::IntoIter<u16, Option<Digest>>,
    /// The records of the current partition that are not sent, in descending order.
    digests: std::vec::IntoIter<Digest>,
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
}

impl<'a> QueryRun<'a> {
    /// Checks a query before it starts. Applies faults about result codes.
    ///
    /// # Errors
    /// The code that refuses the whole query.
    pub(crate) fn new(
        node: &'a Node,
        message: &Message<'a>,
        user: Option<&User>,
        fault: Option<Fault>,
    ) -> Result<Self, ResultCode> {
        if let Some(Fault::Code(code)) = fault {
            return Err(code);
        }
        let fields = RequestFields::of(message.fields());
        let namespace = fields
            .namespace
            .and_then(|name| node.store.namespace(name))
            .ok_or(ResultCode::NAMESPACE_NOT_FOUND)?;
        let scope = QueryScope::parse(message).map_err(|_| ResultCode::PARAMETER)?;
        let MessageHeader { info1, info2, info3, .. } = message.header;
        let flags = Flags { info1, info2, info3 };
        // A query of an old client, which names no partitions.
        if info3 & info3::PARTITION_DONE == 0 {
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        if fields.set.len() > MAX_SET_NAME {
            return Err(ResultCode::PARAMETER);
        }
        if user.is_some_and(|user| !user.may(flags)) {
            return Err(ResultCode::ROLE_VIOLATION);
        }
        if let Some(code) = fields.refusal {
            return Err(code);
        }
        if message.fields().any(|field| INDEX_FIELDS.contains(&field.kind)) {
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        // Like the server, a query for headers ignores operations.
        if info1 & info1::NO_BINS == 0 {
            for op in message.ops() {
                operations::check_read(&op)?;
                operations::check_name(&op).map_err(|_| ResultCode::PARAMETER)?;
            }
        }
        let expression = fields.filter.map(Expression::parse_filter).transpose()?;
        let mut partitions: BTreeMap<u16, Option<Digest>> =
            scope.partitions.iter().map(|&partition| (partition, None)).collect();
        partitions.extend(scope.after.iter().map(|digest| (partition_id(digest) as u16, Some(*digest))));
        let write_timeout = message
            .field(field_type::SOCKET_TIMEOUT)
            .and_then(|millis| millis.try_into().ok())
            .map(|millis| Duration::from_millis(u32::from_be_bytes(millis).into()));
        Ok(Self {
            node,
            namespace,
            filter: match namespace.known_set(fields.set) {
                Some(0) => SetFilter::All,
                Some(number) => SetFilter::Only(number),
                None => SetFilter::Nothing,
            },
            flags,
            ops: message.ops(),
            n_ops: message.header.n_ops.into(),
            expression,
            expression_cost: fields.filter.map_or(0, <[u8]>::len) / BYTES_PER_LOOKUP,
            partitions: partitions.into_iter(),
            digests: Vec::new().into_iter(),
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
            let Some(digest) = self.digests.next() else {
                if partitions == max_partitions {
                    break true;
                }
                partitions += 1;
                match self.partitions.next() {
                    None => break false,
                    Some((partition, after)) => {
                        self.start_partition(partition, after.as_ref(), now.seconds, out)
                    }
                }
                continue;
            };
            let record_start = out.len();
            bins += 1 + self.n_ops + self.expression_cost;
            let outcome = self.write_record(&digest, now, out);
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
        has_more
    }

    fn is_short(&self) -> bool {
        self.flags.info1 & info1::SHORT_QUERY != 0
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
    fn start_partition(&mut self, partition: u16, after: Option<&Digest>, now: u32, out: &mut Vec<u8>) {
        let serves = self.node.ownership.serves(partition.into(), self.flags);
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
        let set = match self.filter {
            SetFilter::All => None,
            SetFilter::Only(number) => Some(number),
            SetFilter::Nothing => return,
        };
        let is_wanted = |record: &Record| set.is_none_or(|set| record.set == set) && !record.is_expired(now);
        let mut digests = self.namespace.digests(partition.into(), is_wanted);
        if let Some(after) = after {
            digests.retain(|digest| digest < after);
        }
        digests.sort_unstable_by(|a, b| b.cmp(a));
        self.digests = digests.into_iter();
    }

    /// Appends a record.
    fn write_record(&mut self, digest: &Digest, now: Moment, out: &mut Vec<u8>) -> RecordOutcome {
        let namespace = self.namespace;
        let shard = namespace.read(digest);
        let Some(record) = shard.get(digest).filter(|record| !record.is_expired(now.seconds)) else {
            return RecordOutcome::Gone;
        };
        if let SetFilter::Only(set) = self.filter
            && record.set != set
        {
            return RecordOutcome::Gone;
        }
        if let Some(expression) = &self.expression {
            match operations::filter(expression, namespace, digest, record, now) {
                Ok(()) => {}
                Err(ResultCode::FILTERED_OUT) => return RecordOutcome::Gone,
                Err(code) => {
                    (self.end_code, self.remaining) = (code, 0);
                    return RecordOutcome::LeftOut;
                }
            }
        }
        let set: &[u8] = match record.set {
            0 => &[],
            number => self.sets.entry(number).or_insert_with(|| namespace.set_name(number)),
        };
        let start = out.len();
        out.extend_from_slice(&[0; MessageHeader::LEN]);
        write_field(out, field_type::NAMESPACE, namespace.name.as_bytes());
        write_field(out, field_type::DIGEST, digest);
        if !set.is_empty() {
            write_field(out, field_type::SET, set);
        }
        if let Some(key) = &record.key {
            write_field(out, field_type::KEY, key);
        }
        let no_bins = self.flags.info1 & info1::NO_BINS;
        let n_ops = match no_bins {
            // Like the server, which finds out record by record.
            0 if self.n_ops > operations::MAX_OPS => Some(0),
            0 => {
                let subject = Subject::stored(namespace, digest, record, now);
                let seen = Seen { subject: &subject, bins: &StoredBins::of(record) };
                write_bins(record, &self.ops, &seen, self.flags.responds_to_all(), out)
            }
            _ => Some(0),
        };
        let n_ops = match n_ops {
            Some(0) if no_bins == 0 => None,
            n_ops if out.len() - start <= MAX_RECORD => n_ops,
            // Too large for a frame: the query ends with a code.
            _ => {
                (self.end_code, self.remaining) = (ResultCode::RECORD_TOO_BIG, 0);
                None
            }
        };
        let Some(n_ops) = n_ops else {
            out.truncate(start);
            return RecordOutcome::LeftOut;
        };
        let mut header = Vec::with_capacity(MessageHeader::LEN);
        MessageHeader {
            info1: no_bins,
            generation: record.generation.into(),
            ttl: now.for_clients(record.void_time),
            n_fields: 2 + u16::from(!set.is_empty()) + u16::from(record.key.is_some()),
            n_ops,
            ..MessageHeader::default()
        }
        .write(&mut header);
        out[start..start + MessageHeader::LEN].copy_from_slice(&header);
        RecordOutcome::Written
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordOutcome {
    Written,
    /// It has none of the requested bins, or it is too large.
    LeftOut,
    /// It no longer exists, is in another set, or does not match the filter.
    Gone,
}

/// Appends the requested bins, or all bins if none is named, and returns their number. With `responds_to_all`, a
/// bin that the record lacks is nil; otherwise it is left out. If an operation fails, the whole record is left out: its
/// number of bins is 0. `None` if the bins are too large.
fn write_bins(
    record: &Record,
    ops: &Ops<'_>,
    seen: &Seen<'_>,
    responds_to_all: bool,
    out: &mut Vec<u8>,
) -> Option<u16> {
    if ops.clone().next().is_none() {
        record.write_bins(out);
        return Some(record.n_bins);
    }
    let limit = out.len() + MAX_RECORD;
    let lookup = BinLookup::new(record, ops);
    let mut count = 0;
    for op in ops.clone() {
        // Like the server, leave a record out if an operation fails.
        let Ok(result) = reads::read(&op, lookup.find(op.name), seen) else { return Some(0) };
        if !result.write(&op, responds_to_all, false, out) {
            continue;
        }
        count += 1;
        if out.len() > limit {
            return None;
        }
    }
    Some(count)
}
