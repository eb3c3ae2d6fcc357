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
use crate::net::timer::Timer;
use crate::node::Node;
use crate::topology::state::Inner;

/// Most records of a block.
const BLOCK_RECORDS: usize = 128;

/// Bytes of a block that it is closed at; a larger record is a block of its own.
const BLOCK_BYTES: usize = 64 * 1024;

/// For how long a node waits for a socket that takes nothing, where it is not told.
const SERVERS_PATIENCE: Duration = Duration::from_secs(10);

/// What all requests of a query share.
pub(crate) struct QueryCall {
    pub(crate) inner: Arc<Inner>,
    pub(crate) query: Arc<Query>,
    pub(crate) items: mpsc::Sender<StreamItem>,
    pub(crate) start: Instant,
    pub(crate) deadline: Option<Instant>,
}

/// Partitions to ask a node for in one request.
pub(crate) struct NodeRequest {
    pub(crate) node: Arc<Node>,
    /// Those that are not done yet, each with the last record that came.
    pub(crate) partitions: BTreeMap<u16, Option<Digest>>,
    /// The most records; None for all.
    pub(crate) share: Option<u64>,
    /// Tries that failed before.
    pub(crate) attempt: u32,
    pub(crate) not_before: Option<Instant>,
}

/// How a request ended.
pub(crate) struct FinishedRequest {
    pub(crate) request: NodeRequest,
    pub(crate) sent_at: Instant,
    /// Records that came and were put into the queue.
    pub(crate) received: u64,
    /// Partitions that the node could not serve, and its code.
    pub(crate) refused: BTreeMap<u16, ResultCode>,
    pub(crate) end: Result<ResultCode, RequestEnd>,
    /// Whether the queue was full for so long that the node may have given up.
    pub(crate) was_stalled: bool,
}

/// Why a request ended before the node said so.
pub(crate) enum RequestEnd {
    Fault(Fault),
    Refused(Error),
    /// The query's time was up while nobody took its records: no fault of the node's.
    Late,
    /// Nobody takes the records any more.
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

/// Asks a node for its partitions and puts the records into the queue.
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
    let patience = match call.query.policy.limits.socket_timeout {
        Duration::ZERO => SERVERS_PATIENCE,
        patience => patience,
    };
    FinishedRequest {
        was_stalled: exchange.waited >= patience / 2,
        request: exchange.request,
        sent_at,
        received: exchange.received,
        refused: exchange.refused,
        end,
    }
}

/// The exchange of a query: records in frames, each taken before the next is read.
struct QueryExchange<'c> {
    call: &'c QueryCall,
    request: NodeRequest,
    block: RecordBlock,
    received: u64,
    refused: BTreeMap<u16, ResultCode>,
    /// Time that the queue was full for.
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

    /// How long a query takes depends on what it finds and on how fast its records are used.
    fn timed_rows(&self) -> Option<usize> {
        None
    }

    fn encode(&mut self, out: &mut Vec<u8>, _timeout_ms: u32) -> Result<(), Error> {
        Ok(encode(self.call, &self.request, self.received, out)?)
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<()>, RequestEnd> {
        let end = self.walk(body).await;
        // What came before something went wrong is kept.
        self.flush().await?;
        Ok(end?.map_or(Received::Part, |code| Received::End(code, ())))
    }

    /// The request asks for what comes after the last record of each partition.
    fn can_restart(&self) -> bool {
        self.request.share.is_none_or(|share| self.received < share)
    }
}

impl QueryExchange<'_> {
    /// Takes over the messages of a frame. Gives the code of the answer's end, if it is there.
    async fn walk(&mut self, body: &[u8]) -> Result<Option<ResultCode>, RequestEnd> {
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

    /// Takes over a record that may come next.
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
        // This order is what lets a query go on after a record, and what tells one that comes twice.
        if last.is_some_and(|last| *record.digest >= last) {
            return Err(malformed("the records of a partition are not in descending order").into());
        }
        *last = Some(*record.digest);
        self.block.push(record);
        self.received += 1;
        Ok(())
    }

    /// Tells that all records of the partitions that were served have come. Behind these records, and not by the
    /// driver: the queue's turns are given in order, and those who wait before it could not take theirs.
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
        // Here the call's own time counts alone.
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
    let Query { space, bins, policy, records_per_second, .. } = &*call.query;
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
            partitions: &from_start,
            after: &after,
            max_records: request.share.map_or(0, |share| share.saturating_sub(received)),
            records_per_second: *records_per_second,
            socket_timeout_ms: u32::try_from(policy.limits.socket_timeout.as_millis()).unwrap_or(u32::MAX),
            // Another one each time: a node may still be busy with a request whose connection failed, and
            // refuses a second one of the same name.
            task_id: RandomState::new().hash_one(call.start.elapsed()),
            duration: policy.duration,
            info1: policy.limits.info1(),
            info3: 0,
            ttl: QueryRequest::DONT_TOUCH,
            filter: &policy.limits.filter,
        },
    )
}
