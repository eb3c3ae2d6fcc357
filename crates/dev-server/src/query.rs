//! Queries over the primary index: some partitions in, frames of records out.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::message::{
    FrameHeader, FrameType, Message, MessageHeader, Ops, field_type, info1, info2, info3, write_field,
};
use wire_protocol::query::QueryScope;

use crate::User;
use crate::answer::write_end;
use crate::commands::{MAX_SET_NAME, RequestFields};
use crate::faults::Fault;
use crate::node::Node;
use crate::operations::{self, Flags};
use crate::record::{BinFinder, Record};
use crate::store::Namespace;

/// Largest frame that is filled with several records; a larger record gets a frame of its own.
const FRAME: usize = 128 * 1024;

/// Partitions that are looked through before others have the thread.
const PARTITIONS_AT_ONCE: usize = 64;

/// Bins that are looked for before others have the thread.
const BINS_AT_ONCE: usize = 1_000_000;

/// Largest answer about one record: bins may be asked for several times.
const MAX_RECORD: usize = wire_protocol::message::MAX_FRAME / 2;

/// Nanoseconds of a second.
const NANOS: u128 = 1_000_000_000;

/// Parts of a second that a rate is kept to.
const PARTS: u64 = 50;

/// Types of fields that a query over a secondary index has: its name, what to look for, of which kind.
const INDEX_FIELDS: [u8; 4] = [21, 22, 26, 27];

/// Whether a message asks for partitions, and not for a record.
pub(crate) fn is_query(message: &Message<'_>) -> bool {
    let has = |kind| message.field(kind).is_some();
    message.header.info2 & info2::WRITE == 0
        && !has(field_type::DIGEST)
        && (has(field_type::PARTITION_IDS) || has(field_type::DIGESTS))
}

/// Which records are asked for.
enum Wanted {
    All,
    OfSet(u16),
    /// Those of a set that nobody has written to.
    None,
}

/// A query that is being answered, a frame at a time, so that a client that does not read costs one frame of
/// memory.
pub(crate) struct QueryRun<'a> {
    node: &'a Node,
    namespace: &'a Namespace,
    wanted: Wanted,
    flags: Flags,
    ops: Ops<'a>,
    n_ops: usize,
    /// The partitions to come, each with the digest to go on after.
    partitions: std::collections::btree_map::IntoIter<u16, Option<Digest>>,
    /// Records of the partition at hand that are to come.
    digests: std::vec::IntoIter<Digest>,
    /// The most records that are still to be sent.
    left: u64,
    pace: Option<Pace>,
    /// A record that a full frame had no room for.
    carried: Vec<u8>,
    /// Names of sets, as far as they were needed.
    sets: HashMap<u16, Box<[u8]>>,
    /// The code for each partition, where that was ordered.
    ordered: Option<ResultCode>,
    end_code: ResultCode,
    /// How long a client may take nothing.
    patience: Option<Duration>,
}

impl<'a> QueryRun<'a> {
    /// Looks at a query before any of it runs.
    ///
    /// # Errors
    /// The code that refuses all of it.
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
        // A query of times before partitions were asked for.
        if info3 & info3::PARTITION_DONE == 0 {
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        if fields.set.len() > MAX_SET_NAME {
            return Err(ResultCode::PARAMETER);
        }
        if user.is_some_and(|user| !user.may(flags)) {
            return Err(ResultCode::ROLE_VIOLATION);
        }
        if let Some(code) = fields.refused {
            return Err(code);
        }
        if message.fields().any(|field| INDEX_FIELDS.contains(&field.kind)) {
            return Err(ResultCode::UNSUPPORTED_FEATURE);
        }
        for op in message.ops() {
            operations::check_read(&op)?;
            operations::check_name(&op).map_err(|_| ResultCode::PARAMETER)?;
        }
        let mut partitions: BTreeMap<u16, Option<Digest>> =
            scope.partitions.iter().map(|&partition| (partition, None)).collect();
        partitions.extend(scope.after.iter().map(|digest| (partition_id(digest) as u16, Some(*digest))));
        let patience = message
            .field(field_type::SOCKET_TIMEOUT)
            .and_then(|millis| millis.try_into().ok())
            .map(|millis| Duration::from_millis(u32::from_be_bytes(millis).into()));
        Ok(Self {
            node,
            namespace,
            wanted: match namespace.known_set(fields.set) {
                Some(0) => Wanted::All,
                Some(number) => Wanted::OfSet(number),
                None => Wanted::None,
            },
            flags,
            ops: message.ops(),
            n_ops: message.header.n_ops.into(),
            partitions: partitions.into_iter(),
            digests: Vec::new().into_iter(),
            left: if scope.max_records == 0 { u64::MAX } else { scope.max_records },
            pace: Pace::new(scope.records_per_second),
            carried: Vec::new(),
            sets: HashMap::new(),
            ordered: match fault {
                Some(Fault::RowCode(code)) => Some(code),
                _ => None,
            },
            end_code: ResultCode::OK,
            patience: patience.filter(|patience| !patience.is_zero()),
        })
    }

    /// How long a client may take nothing of the answer; then it is given up.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// How long to wait before the next frame.
    pub(crate) fn pause(&self) -> Option<Duration> {
        self.pace.as_ref().map(Pace::pause).filter(|pause| !pause.is_zero())
    }

    /// Appends a frame of records, if there are any yet, and the end of the answer after the last one; `false`
    /// when it has ended.
    pub(crate) fn next_frame(&mut self, out: &mut Vec<u8>) -> bool {
        let now = self.node.store.clock.now();
        let start = out.len();
        out.extend_from_slice(&[0; FrameHeader::LEN]);
        out.append(&mut self.carried);
        let mut room = self.pace.as_ref().map_or(u64::MAX, Pace::room);
        // A short query's records go out together.
        let at_once = if self.is_short() { usize::MAX } else { PARTITIONS_AT_ONCE };
        let (mut sent, mut looked_through, mut looked_for) = (0, 0, 0);
        let goes_on = loop {
            if self.left == 0 {
                break false;
            }
            if room == 0 {
                break true;
            }
            let Some(digest) = self.digests.next() else {
                if looked_through == at_once {
                    break true;
                }
                looked_through += 1;
                match self.partitions.next() {
                    None => break false,
                    Some((partition, after)) => self.begin(partition, after.as_ref(), now, out),
                }
                continue;
            };
            let record_start = out.len();
            looked_for += 1 + self.n_ops;
            if !self.write_record(&digest, now, out) {
                if looked_for > BINS_AT_ONCE {
                    break true;
                }
                continue;
            }
            (sent, room, self.left) = (sent + 1, room - 1, self.left - 1);
            if out.len() - start > FRAME && record_start > start + FrameHeader::LEN {
                self.carried.extend_from_slice(&out[record_start..]);
                out.truncate(record_start);
                break true;
            }
        };
        self.node.counting.query_records(sent);
        if let Some(pace) = &mut self.pace {
            pace.sent += sent;
        }
        self.finish(start, goes_on, out);
        goes_on
    }

    fn is_short(&self) -> bool {
        self.flags.info1 & info1::SHORT_QUERY != 0
    }

    /// Ends the frame at `start`, and the answer where nothing is to come.
    fn finish(&self, start: usize, goes_on: bool, out: &mut Vec<u8>) {
        if !goes_on && self.is_short() {
            // A short query's end is in its last frame.
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
        if !goes_on && !self.is_short() {
            write_end(out, self.end_code);
        }
    }

    /// Takes up a partition; one that cannot be served is named.
    fn begin(&mut self, partition: u16, after: Option<&Digest>, now: u32, out: &mut Vec<u8>) {
        let serves = self.node.ownership.serves(partition.into(), self.flags);
        let code = self.ordered.or((!serves).then_some(ResultCode::PARTITION_UNAVAILABLE));
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
        let set = match self.wanted {
            Wanted::All => None,
            Wanted::OfSet(number) => Some(number),
            Wanted::None => return,
        };
        let is_wanted = |record: &Record| set.is_none_or(|set| record.set == set) && !record.is_expired(now);
        let mut digests = self.namespace.digests(partition.into(), is_wanted);
        if let Some(after) = after {
            digests.retain(|digest| digest < after);
        }
        digests.sort_unstable_by(|a, b| b.cmp(a));
        self.digests = digests.into_iter();
    }

    /// Appends a record; `false` where it is not there any more or has none of the bins that are asked for.
    fn write_record(&mut self, digest: &Digest, now: u32, out: &mut Vec<u8>) -> bool {
        let namespace = self.namespace;
        let shard = namespace.read(digest);
        let Some(record) = shard.get(digest).filter(|record| !record.is_expired(now)) else { return false };
        if let Wanted::OfSet(set) = self.wanted
            && record.set != set
        {
            return false;
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
        let n_ops = if no_bins != 0 { Some(0) } else { write_bins(record, &self.ops, out) };
        let n_ops = match n_ops {
            Some(0) if no_bins == 0 => None,
            n_ops if out.len() - start <= MAX_RECORD => n_ops,
            _ => {
                (self.end_code, self.left) = (ResultCode::RECORD_TOO_BIG, 0);
                None
            }
        };
        let Some(n_ops) = n_ops else {
            out.truncate(start);
            return false;
        };
        let mut header = Vec::with_capacity(MessageHeader::LEN);
        MessageHeader {
            info1: no_bins,
            generation: record.generation.into(),
            ttl: record.void_time,
            n_fields: 2 + u16::from(!set.is_empty()) + u16::from(record.key.is_some()),
            n_ops,
            ..MessageHeader::default()
        }
        .write(&mut header);
        out[start..start + MessageHeader::LEN].copy_from_slice(&header);
        true
    }
}

/// Appends the bins that are asked for, all of them where none is named, and gives their number; None where
/// they are too many bytes.
fn write_bins(record: &Record, ops: &Ops<'_>, out: &mut Vec<u8>) -> Option<u16> {
    if ops.clone().next().is_none() {
        out.extend_from_slice(&record.bins);
        return Some(record.n_bins);
    }
    let limit = out.len() + MAX_RECORD;
    let finder = BinFinder::new(record, ops);
    let mut count = 0;
    for op in ops.clone() {
        if let Some(whole) = finder.find(op.name) {
            out.extend_from_slice(whole);
            count += 1;
        }
        if out.len() > limit {
            return None;
        }
    }
    Some(count)
}

/// Keeps a query to so many records a second.
struct Pace {
    rate: u64,
    start: Instant,
    sent: u64,
}

impl Pace {
    /// None where there is no limit.
    fn new(rate: u32) -> Option<Self> {
        (rate != 0).then(|| Self { rate: rate.into(), start: Instant::now(), sent: 0 })
    }

    /// Records that are sent together.
    fn step(&self) -> u64 {
        (self.rate / PARTS).max(1)
    }

    /// Records that may be sent now.
    fn room(&self) -> u64 {
        let allowed = self.start.elapsed().as_nanos() * u128::from(self.rate) / NANOS;
        let allowed = u64::try_from(allowed).unwrap_or(u64::MAX);
        allowed.saturating_add(self.step()).saturating_sub(self.sent)
    }

    /// How long it takes until some may be sent.
    fn pause(&self) -> Duration {
        // What was sent beyond the first step has to be allowed by then, and another step with it.
        // Rounded up, so that by then it is.
        let due = (u128::from(self.sent) * NANOS).div_ceil(u128::from(self.rate));
        let due = Duration::from_nanos(u64::try_from(due).unwrap_or(u64::MAX));
        due.saturating_sub(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pace_is_kept() {
        for rate in [1, 7, 49, 50, 1_000, 123_456] {
            let mut pace = Pace::new(rate).unwrap();
            while pace.start.elapsed() < Duration::from_secs(3) {
                let room = pace.room();
                assert!(room > 0 && room <= pace.step() + pace.rate / 500 + 1, "{room} of {rate}");
                pace.sent += room;
                tokio::time::sleep(pace.pause()).await;
            }
            let expected = pace.start.elapsed().as_secs_f64() * f64::from(rate);
            let most = expected + 2.0 * pace.step() as f64 + 1.0;
            assert!((expected * 0.9..most).contains(&(pace.sent as f64)), "{} of {expected}", pace.sent);
        }
        assert!(Pace::new(0).is_none());
    }
}
