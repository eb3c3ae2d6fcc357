//! One request of a query: some partitions, one node, one connection.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wire_protocol::ResultCode;
use wire_protocol::WireError;
use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::query::{QueryAnswer, QueryAnswers, QueryRecord, QueryRequest, write_query};

use super::{Query, RecordBlock, StreamItem};
use crate::command::exchange::{self, Exchange, Received};
use crate::error::{Error, Fault};
use crate::key::Bins;
use crate::net::timer::Timer;
use crate::node::Node;
use crate::topology::state::Inner;

/// The most records in a block.
const BLOCK_RECORDS: usize = 128;

/// The size at which a block is complete. A larger record is a block of its own.
const BLOCK_BYTES: usize = 64 * 1024;

/// The most operations that a server carries out in a query. With more, it leaves out every record.
const MAX_QUERY_OPS: usize = 32 * 1024;

/// How long a node waits for a client that reads nothing, unless the request sets it.
const SERVER_SOCKET_TIMEOUT: Duration = Duration::from_secs(10);

/// What all requests of a query share.
pub(crate) struct QueryCall {
    pub(crate) inner: Arc<Inner>,
    pub(crate) query: Arc<Query>,
    pub(crate) items: mpsc::Sender<StreamItem>,
    pub(crate) start: Instant,
    pub(crate) deadline: Option<Instant>,
}

/// A request for partitions of one node.
pub(crate) struct NodeRequest {
    pub(crate) node: Arc<Node>,
    /// The partitions that are not complete, each with the last record received.
    pub(crate) partitions: BTreeMap<u16, Option<Digest>>,
    /// The most records to return; `None` for all.
    pub(crate) share: Option<u64>,
    /// Attempts that failed before.
    pub(crate) attempt: u32,
    pub(crate) not_before: Option<Instant>,
}

pub(crate) struct FinishedRequest {
    pub(crate) request: NodeRequest,
    pub(crate) sent_at: Instant,
    /// Records that were put into the queue.
    pub(crate) received: u64,
    /// Partitions that the node did not serve, with its code.
    pub(crate) refused: BTreeMap<u16, ResultCode>,
    pub(crate) end: Result<ResultCode, RequestEnd>,
    /// Whether the queue was full for so long that the node may have given the query up.
    pub(crate) was_stalled: bool,
}

/// Why a request ended without the end of its answer.
pub(crate) enum RequestEnd {
    Fault(Fault),
    Refused(Error),
    /// The deadline passed while the queue was full, which is not the node's failure.
    Late,
    /// The stream was dropped.
    Dropped,
}

impl From<Fault> for RequestEnd {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for RequestEnd {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Sends a request and puts the records of the answer into the queue.
pub(crate) async fn run(call: &QueryCall, request: NodeRequest) -> FinishedRequest {
    if let Some(start) = request.not_before {
        sleep_until(start).await;
    }
    let mut exchange = QueryExchange {
        call,
        request,
        block: RecordBlock::default(),
        received: 0,
        refused: BTreeMap::new(),
        waited: Duration::ZERO,
    };
    let sent_at = Instant::now();
    let mut timer = Timer::new(call.deadline, call.query.policy.limits.socket_timeout);
    let mut buffers = call.inner.buffers.take();
    let node = Arc::clone(&exchange.request.node);
    let end = exchange::run(&mut exchange, &node, &mut buffers, &mut timer).await;
    let mut end = end.map(|(code, ())| code).map_err(|unanswered| unanswered.why);
    let is_full = exchange.request.share.is_some_and(|share| exchange.received >= share);
    if matches!(end, Ok(ResultCode::OK)) && !is_full && exchange.finish().await.is_err() {
        end = Err(RequestEnd::Dropped);
    }
    let socket_timeout = match call.query.policy.limits.socket_timeout {
        Duration::ZERO => SERVER_SOCKET_TIMEOUT,
        socket_timeout => socket_timeout,
    };
    FinishedRequest {
        was_stalled: exchange.waited >= socket_timeout / 2,
        request: exchange.request,
        sent_at,
        received: exchange.received,
        refused: exchange.refused,
        end,
    }
}

/// The exchange of a query. The answer has records and partitions in any number of frames, then an end. A
/// frame is read after the records of the one before are in the queue.
struct QueryExchange<'c> {
    call: &'c QueryCall,
    request: NodeRequest,
    block: RecordBlock,
    received: u64,
    refused: BTreeMap<u16, ResultCode>,
    /// How long this request has waited for the queue.
    waited: Duration,
}

impl Exchange for QueryExchange<'_> {
    type Answer = ();
    type Failure = RequestEnd;

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
        Ok(encode(self.call, &self.request, self.received, out)?)
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<()>, RequestEnd> {
        let end = self.handle_frame(body).await;
        // Records before a fault are kept.
        self.flush().await?;
        Ok(end?.map_or(Received::Part, |code| Received::End(code, ())))
    }

    /// A new request continues after the last record of each partition.
    fn can_restart(&self) -> bool {
        self.request.share.is_none_or(|share| self.received < share)
    }
}

impl QueryExchange<'_> {
    /// Processes the messages of a frame. Returns the code of the answer's end, if the frame has it.
    async fn handle_frame(&mut self, body: &[u8]) -> Result<Option<ResultCode>, RequestEnd> {
        for answer in QueryAnswers::new(body) {
            match answer.map_err(Fault::from)? {
                QueryAnswer::Record(record) => {
                    self.take(&record)?;
                    if self.block.len() >= BLOCK_RECORDS || self.block.size() >= BLOCK_BYTES {
                        self.flush().await?;
                    }
                }
                QueryAnswer::Partition { partition, code } => {
                    if !self.request.partitions.contains_key(&partition) {
                        return Err(Fault::from(malformed("a partition that was not asked for")).into());
                    }
                    if code != ResultCode::OK {
                        self.refused.insert(partition, code);
                    }
                }
                QueryAnswer::End { code } => return Ok(Some(code)),
            }
        }
        Ok(None)
    }

    /// Adds a record to the block, if it is one that may come next.
    fn take(&mut self, record: &QueryRecord<'_>) -> Result<(), Fault> {
        if self.request.share.is_some_and(|share| self.received >= share) {
            return Err(malformed("more records than were asked for").into());
        }
        if *record.namespace != *self.call.query.space.namespace {
            return Err(malformed("a record of another namespace").into());
        }
        let partition = partition_id(record.digest) as u16;
        let Some(last) = self.request.partitions.get_mut(&partition) else {
            return Err(malformed("a record of a partition that was not asked for").into());
        };
        // Because of this order, a query can continue after a record, and a record never comes twice.
        if last.is_some_and(|last| *record.digest >= last) {
            return Err(malformed("the records of a partition are not in descending order").into());
        }
        *last = Some(*record.digest);
        self.block.push(record);
        self.received += 1;
        Ok(())
    }

    /// Reports the partitions that are complete.
    ///
    /// The report goes into the queue behind their records. The driver must not send it: the queue is fair,
    /// so the driver would wait behind requests that it has to poll.
    async fn finish(&mut self) -> Result<(), mpsc::error::SendError<StreamItem>> {
        let partitions = std::mem::take(&mut self.request.partitions);
        let (left, done): (BTreeMap<_, _>, BTreeMap<_, _>) =
            partitions.into_iter().partition(|(partition, _)| self.refused.contains_key(partition));
        self.request.partitions = left;
        self.call.items.send(StreamItem::Done(done.into_keys().collect())).await
    }

    /// Puts the block into the queue.
    async fn flush(&mut self) -> Result<(), RequestEnd> {
        if self.block.is_empty() {
            return Ok(());
        }
        let item = StreamItem::Records(std::mem::take(&mut self.block));
        let item = match self.call.items.try_send(item) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Full(item)) => item,
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(RequestEnd::Dropped),
        };
        let start = Instant::now();
        // Only the deadline counts here, not the socket timeout.
        let mut timer = Timer::new(self.call.deadline, Duration::ZERO);
        let sent = timer.run(self.call.items.send(item)).await.map_err(|_| RequestEnd::Late)?;
        self.waited += start.elapsed();
        sent.map_err(|_| RequestEnd::Dropped)
    }
}

fn malformed(why: &'static str) -> WireError {
    WireError::Malformed { what: "query answer", why }
}

fn encode(
    call: &QueryCall,
    request: &NodeRequest,
    received: u64,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let Query { space, bins, every_record, policy, records_per_second, .. } = &*call.query;
    let bins = match bins {
        Bins::Names(names)
            if *every_record
                && !names.is_empty()
                && (names.len() > MAX_QUERY_OPS || !request.node.has_query_ops()) =>
        {
            &Bins::All
        }
        bins => bins,
    };
    let names = bins.borrowed();
    let from_start: Vec<u16> = request
        .partitions
        .iter()
        .filter(|(_, after)| after.is_none())
        .map(|(&partition, _)| partition)
        .collect();
    let after: Vec<Digest> = request.partitions.values().copied().flatten().collect();
    write_query(
        out,
        &QueryRequest {
            namespace: &space.namespace,
            set: &space.set,
            projection: bins.projection(&names),
            every_record: *every_record,
            partitions: &from_start,
            after: &after,
            max_records: request.share.map_or(0, |share| share.saturating_sub(received)),
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
    )
}
