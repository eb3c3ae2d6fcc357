//! One request of a query: some partitions, one node, one connection.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wire_protocol::ResultCode;
use wire_protocol::WireError;
use wire_protocol::batch::EncodedOps;
use wire_protocol::digest::{Digest, PARTITIONS, partition_id};
use wire_protocol::query::{Predicate, QueryAnswer, QueryAnswers, QueryRecord, QueryRequest, write_query};

use super::delivery::{Delivery, Dropped, RecordWriter};
use super::seen::SeenRecords;
use super::unread::UnreadPartitions;
use super::{Query, RecordPosition};
use crate::command::exchange::{self, Exchange, Received};
use crate::error::{Error, Fault};
use crate::key::Bins;
use crate::net::timer::Timer;
use crate::node::Node;
use crate::topology::state::Inner;

/// The most operations that a server carries out in a query. With more, it leaves out every record.
const MAX_QUERY_OPS: usize = 32 * 1024;

/// How long a node waits for a client that reads nothing, unless the request sets it.
const SERVER_SOCKET_TIMEOUT: Duration = Duration::from_secs(10);

/// What all requests of a query share.
pub(crate) struct QueryCall<D> {
    pub(crate) inner: Arc<Inner>,
    pub(crate) query: Arc<Query>,
    /// A new request takes a copy of it.
    pub(crate) delivery: D,
    /// The records that were delivered, if the nodes may return a record repeatedly.
    pub(crate) seen: Option<SeenRecords>,
    pub(crate) unread: UnreadPartitions,
    pub(crate) start: Instant,
    pub(crate) deadline: Option<Instant>,
}

/// A request for partitions of one node.
pub(crate) struct NodeRequest {
    pub(crate) node: Arc<Node>,
    /// The partitions that are not complete, each with the last record received.
    pub(crate) partitions: BTreeMap<u16, Option<RecordPosition>>,
    /// The most records to return; `None` for all.
    pub(crate) share: Option<u64>,
    /// Send no limit and stop reading at the share. See [`Query::leaves_out`].
    pub(crate) reads_on: bool,
    /// Attempts that failed before.
    pub(crate) attempt: u32,
    pub(crate) not_before: Option<Instant>,
}

pub(crate) struct FinishedRequest {
    pub(crate) request: NodeRequest,
    pub(crate) sent_at: Instant,
    /// Records that were delivered.
    pub(crate) received: u64,
    /// Partitions that the node did not serve, with its code.
    pub(crate) refused: BTreeMap<u16, ResultCode>,
    pub(crate) end: Result<ResultCode, RequestEnd>,
    /// Whether there was no room for records for so long that the node may have given the query up.
    pub(crate) was_stalled: bool,
}

/// Why a request ended without the end of its answer.
pub(crate) enum RequestEnd {
    Fault(Fault),
    Refused(Error),
    /// The deadline passed while there was no room for records, which is not the node's failure.
    Late,
    /// The receiver of the records was dropped.
    Dropped,
    /// The request reached its share, and there are more records.
    Enough,
}

impl From<Fault> for RequestEnd {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Dropped> for RequestEnd {
    fn from(Dropped: Dropped) -> Self {
        Self::Dropped
    }
}

impl From<Error> for RequestEnd {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Sends a request and delivers the records of the answer.
pub(super) async fn run<D: Delivery + Clone + Sync>(
    call: &QueryCall<D>,
    request: NodeRequest,
) -> FinishedRequest {
    if let Some(start) = request.not_before {
        sleep_until(start).await;
    }
    let mut request = request;
    let delivery = call.delivery.clone();
    let cursor = Cursor {
        namespace: &call.query.space.namespace,
        predicate: call.query.predicate.as_deref(),
        seen: call.seen.as_ref(),
        partitions: AskedPartitions::new(std::mem::take(&mut request.partitions)),
        share: request.share,
        reads_on: request.reads_on,
        received: 0,
        refused: BTreeMap::new(),
        may_go_on: false,
    };
    let node = Arc::clone(&request.node);
    let mut exchange = QueryExchange { call, node: &node, cursor, delivery, waited: Duration::ZERO };
    let sent_at = Instant::now();
    let mut timer = Timer::new(call.deadline, call.query.policy.limits.socket_timeout);
    let mut buffers = call.inner.buffers.take();
    let end = exchange::run(&mut exchange, &node, &mut buffers, &mut timer).await;
    let mut end = end.map(|(code, ())| code).map_err(|unanswered| unanswered.why);
    let is_full = !exchange.can_restart();
    // The server may have stopped at records that it left out.
    let may_be_short = request.share.is_some() && !request.reads_on && call.query.leaves_out();
    if matches!(end, Ok(ResultCode::OK)) && !is_full && !may_be_short && exchange.finish().await.is_err() {
        end = Err(RequestEnd::Dropped);
    }
    let socket_timeout = match call.query.policy.limits.socket_timeout {
        Duration::ZERO => SERVER_SOCKET_TIMEOUT,
        socket_timeout => socket_timeout,
    };
    let Cursor { partitions, received, refused, .. } = exchange.cursor;
    request.partitions = partitions.into_map();
    FinishedRequest {
        was_stalled: exchange.waited >= socket_timeout / 2,
        request,
        sent_at,
        received,
        refused,
        end,
    }
}

/// The exchange of a query. The answer has records and partitions in any number of frames, then an end. A
/// frame is read only when the records of the previous frame were delivered.
struct QueryExchange<'c, D> {
    call: &'c QueryCall<D>,
    node: &'c Node,
    cursor: Cursor<'c>,
    delivery: D,
    /// How long this request has waited for room.
    waited: Duration,
}

/// What has arrived of an answer, and what may come next.
struct Cursor<'c> {
    namespace: &'c [u8],
    predicate: Option<&'c Predicate>,
    seen: Option<&'c SeenRecords>,
    partitions: AskedPartitions,
    share: Option<u64>,
    reads_on: bool,
    received: u64,
    refused: BTreeMap<u16, ResultCode>,
    /// Whether the answer ended in a message that is not marked as its last one.
    may_go_on: bool,
}

/// The partitions of a request, each with the last record received. Looked up for each record.
struct AskedPartitions {
    /// The place of a partition in `last`, or [`Self::NONE`].
    places: Box<[u16]>,
    last: Vec<(u16, Option<RecordPosition>)>,
}

impl AskedPartitions {
    const NONE: u16 = u16::MAX;

    fn new(partitions: BTreeMap<u16, Option<RecordPosition>>) -> Self {
        let mut places: Box<[u16]> = vec![Self::NONE; PARTITIONS].into();
        let last: Vec<_> = partitions.into_iter().collect();
        for (&(partition, _), at) in last.iter().zip(0..) {
            if let Some(place) = places.get_mut(usize::from(partition)) {
                *place = at;
            }
        }
        Self { places, last }
    }

    fn into_map(self) -> BTreeMap<u16, Option<RecordPosition>> {
        self.last.into_iter().collect()
    }

    /// The last record of a partition; `None` if it was not asked for.
    #[inline]
    fn last_of(&mut self, partition: usize) -> Option<&mut Option<RecordPosition>> {
        let place = *self.places.get(partition)?;
        self.last.get_mut(usize::from(place)).map(|(_, last)| last)
    }
}

impl<D: Delivery + Clone + Sync> Exchange for QueryExchange<'_, D> {
    type Answer = ();
    type Failure = RequestEnd;

    fn purpose(&self) -> (&'static str, &[u8]) {
        ("query", &self.call.query.space.namespace)
    }

    fn may_repeat(&self) -> bool {
        true
    }

    fn compress(&self) -> bool {
        self.call.query.policy.limits.compress
    }

    /// The time of a query depends on the number of records and on how fast they are used.
    fn timed_rows(&self) -> Option<usize> {
        None
    }

    fn encode(&mut self, out: &mut Vec<u8>, _timeout_ms: u32) -> Result<(), Error> {
        encode(self.call, &self.cursor, self.node, out)
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<()>, RequestEnd> {
        let end = self.handle_frame(body).await;
        // Records before a fault are kept.
        if !self.delivery.try_flush()? {
            self.wait_for_room().await?;
        }
        Ok(end?.map_or(Received::Part, |code| Received::End(code, ())))
    }

    fn may_go_on(&self) -> bool {
        self.cursor.may_go_on
    }

    /// Also if the caller took the records too slowly, which is not the node's failure.
    fn is_stop(failure: &RequestEnd) -> bool {
        matches!(failure, RequestEnd::Late | RequestEnd::Dropped | RequestEnd::Enough)
    }

    /// A new request continues after the last record of each partition.
    fn can_restart(&self) -> bool {
        !self.cursor.is_full()
    }
}

/// How far a frame was processed.
enum Walked {
    /// All of it.
    All,
    /// To the end of the answer, with its code.
    End(ResultCode),
    /// To a record for which there was no room. It was not taken.
    Full,
    /// To a record beyond the share. It was not taken.
    Enough,
}

impl<D: Delivery> QueryExchange<'_, D> {
    /// Processes the messages of a frame. Returns the code of the answer's end, if the frame has it.
    async fn handle_frame(&mut self, body: &[u8]) -> Result<Option<ResultCode>, RequestEnd> {
        let mut answers = QueryAnswers::new(body);
        loop {
            let cursor = &mut self.cursor;
            let walked = self.delivery.fill(|writer| cursor.walk(&mut answers, writer));
            match walked.unwrap_or(Ok(Walked::Full))? {
                Walked::All => return Ok(None),
                Walked::End(code) => return Ok(Some(code)),
                Walked::Full => self.wait_for_room().await?,
                Walked::Enough => return Err(RequestEnd::Enough),
            }
        }
    }

    /// Waits until the delivery has room.
    async fn wait_for_room(&mut self) -> Result<(), RequestEnd> {
        let start = Instant::now();
        // Only the deadline counts here, not the socket timeout.
        let mut timer = Timer::new(self.call.deadline, Duration::ZERO);
        let flushed = timer.run(self.delivery.flush()).await.map_err(|_| RequestEnd::Late)?;
        self.waited += start.elapsed();
        Ok(flushed?)
    }

    /// Reports the partitions that are complete.
    async fn finish(&mut self) -> Result<(), Dropped> {
        let Cursor { partitions, refused, .. } = &mut self.cursor;
        let (left, done): (Vec<_>, Vec<_>) = std::mem::take(&mut partitions.last)
            .into_iter()
            .partition(|(partition, _)| refused.contains_key(partition));
        partitions.last = left;
        let done: Vec<u16> = done.into_iter().map(|(partition, _)| partition).collect();
        if let Some(seen) = self.cursor.seen {
            seen.forget(&done);
        }
        self.call.unread.finish(&done);
        self.delivery.finish(done).await
    }
}

impl Cursor<'_> {
    fn is_full(&self) -> bool {
        self.share.is_some_and(|share| self.received >= share)
    }

    /// Checks messages and gives records to `writer`, until the end of the frame or until there is no room.
    fn walk(
        &mut self,
        answers: &mut QueryAnswers<'_>,
        writer: &mut impl RecordWriter,
    ) -> Result<Walked, Fault> {
        loop {
            let before = answers.clone();
            let Some(answer) = answers.next() else { return Ok(Walked::All) };
            match answer? {
                QueryAnswer::Record(_) if self.reads_on && self.is_full() => return Ok(Walked::Enough),
                QueryAnswer::Record(record) => {
                    if !self.take(&record, writer)? {
                        *answers = before;
                        return Ok(Walked::Full);
                    }
                }
                QueryAnswer::Partition { partition, code } => {
                    if self.partitions.last_of(partition.into()).is_none() {
                        return Err(malformed("a partition that was not asked for").into());
                    }
                    if code != ResultCode::OK {
                        self.refused.insert(partition, code);
                    }
                }
                QueryAnswer::End { code, is_last } => {
                    self.may_go_on = !is_last;
                    return Ok(Walked::End(code));
                }
            }
        }
    }

    /// Gives a record to `writer`, if it is one that may come next. False if there is no room for it.
    #[inline]
    fn take(&mut self, record: &QueryRecord<'_>, writer: &mut impl RecordWriter) -> Result<bool, Fault> {
        if self.is_full() {
            return Err(malformed("more records than were asked for").into());
        }
        if *record.namespace != *self.namespace {
            return Err(malformed("a record of another namespace").into());
        }
        let Some(last) = self.partitions.last_of(partition_id(record.digest)) else {
            return Err(malformed("a record of a partition that was not asked for").into());
        };
        // Because of this order, a query can continue after a record, and a record or entry never comes twice.
        match self.predicate {
            None if last.is_some_and(|last| *record.digest >= last.digest) => {
                return Err(malformed("the records of a partition are not in descending order").into());
            }
            None => {}
            Some(predicate) => check_entry(predicate, record, last.as_ref())?,
        }
        let position = RecordPosition::of(record);
        let is_new = match self.seen {
            None => writer.record(record).then_some(true),
            Some(seen) => seen.deliver(&position.digest, || writer.record(record)),
        };
        let Some(is_new) = is_new else { return Ok(false) };
        *last = Some(position);
        self.received += u64::from(is_new);
        Ok(true)
    }
}

/// Refuses a record that is out of index order.
fn check_entry(
    predicate: &Predicate,
    record: &QueryRecord<'_>,
    last: Option<&RecordPosition>,
) -> Result<(), WireError> {
    let Some(index_value) = record.index_value else {
        return Err(malformed("a record has no index value"));
    };
    let place = |value: i64, digest: Digest| (predicate.order_of(value), digest);
    if last.is_some_and(|last| place(index_value, *record.digest) <= place(last.index_value, last.digest)) {
        return Err(malformed("the records of a partition are not in index order"));
    }
    Ok(())
}

fn malformed(why: &'static str) -> WireError {
    WireError::Malformed { what: "query answer", why }
}

fn encode<D>(call: &QueryCall<D>, cursor: &Cursor<'_>, node: &Node, out: &mut Vec<u8>) -> Result<(), Error> {
    let Query { space, bins, every_record, operations, predicate, policy, records_per_second, .. } =
        &*call.query;
    if operations.is_some() && !node.has_query_ops() {
        return Err(Error::Param {
            what: format!(
                "node {} does not carry out operations in queries, which servers do since 8.1.2; select bins \
                 instead",
                node.name
            ),
        });
    }
    let bins = match bins {
        Bins::Names(names)
            if *every_record
                && !names.is_empty()
                && (names.len() > MAX_QUERY_OPS || !node.has_query_ops()) =>
        {
            &Bins::All
        }
        bins => bins,
    };
    let names = bins.borrowed();
    let asked = &cursor.partitions.last;
    let from_start: Vec<u16> =
        asked.iter().filter(|(_, after)| after.is_none()).map(|&(partition, _)| partition).collect();
    let after = || asked.iter().filter_map(|&(_, after)| after);
    let (digests, index_values): (Vec<Digest>, Vec<i64>) =
        after().map(|RecordPosition { digest, index_value }| (digest, index_value)).unzip();
    write_query(
        out,
        &QueryRequest {
            namespace: &space.namespace,
            set: &space.set,
            projection: bins.projection(&names),
            every_record: *every_record,
            operations: operations
                .as_deref()
                .map(|operations| EncodedOps { count: operations.count, bytes: &operations.bytes }),
            predicate: predicate.as_deref(),
            partitions: &from_start,
            after: &digests,
            index_values: &index_values,
            max_records: match cursor.share {
                Some(share) if !cursor.reads_on => share.saturating_sub(cursor.received),
                _ => 0,
            },
            records_per_second: *records_per_second,
            socket_timeout_ms: u32::try_from(policy.limits.socket_timeout.as_millis()).unwrap_or(u32::MAX),
            // A new one for each request: a node that is still busy with a request whose connection failed
            // refuses another one with the same task id.
            task_id: RandomState::new().hash_one(call.start.elapsed()),
            duration: policy.duration,
            info1: policy.limits.info1(),
            info3: 0,
            ttl: QueryRequest::DONT_TOUCH,
            filter: &policy.limits.filter,
        },
    )?;
    Ok(())
}
