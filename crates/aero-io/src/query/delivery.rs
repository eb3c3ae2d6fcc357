//! Where the records of a query go: into a queue of blocks, or into a sink that the caller made.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc;
use wire_protocol::query::QueryRecord;

use super::{RecordBlock, StreamItem};

/// The most records in a block.
const BLOCK_RECORDS: usize = 128;

/// The size at which a block is complete. A larger record is a block of its own.
const BLOCK_BYTES: usize = 64 * 1024;

/// Receives the records of a query where they are read from the sockets, from several requests in turn.
pub trait RecordSink: Send + Sync + 'static {
    /// Permission to write records for a while.
    type Writer<'a>: RecordWriter
    where
        Self: 'a;

    /// Calls `write` with a place for the records of one frame; `None` if there is room for none of them.
    fn fill<T>(&self, write: impl FnOnce(&mut Self::Writer<'_>) -> T) -> Option<T>;

    /// Waits until there may be room. False: the sink accepts no more records, and the query ends.
    fn room(&self) -> impl Future<Output = bool> + Send;

    /// Takes note that all records of these partitions were written.
    fn finish(&self, partitions: Vec<u16>);
}

pub trait RecordWriter {
    /// Takes a record. False if there is no room for it: it is offered again later.
    fn record(&mut self, record: &QueryRecord<'_>) -> bool;
}

/// The receiver of the records was dropped, or accepts no more.
#[derive(Debug)]
pub(super) struct Dropped;

/// The way of one request's records.
pub(super) trait Delivery: Send {
    type Writer<'a>: RecordWriter
    where
        Self: 'a;

    /// As [`RecordSink::fill`].
    fn fill<T>(&mut self, write: impl FnOnce(&mut Self::Writer<'_>) -> T) -> Option<T>;

    /// Hands over the records that it holds back, if that needs no waiting. False if it does.
    fn try_flush(&mut self) -> Result<bool, Dropped>;

    /// Hands over the records that it holds back, and waits until there is room for more.
    fn flush(&mut self) -> impl Future<Output = Result<(), Dropped>> + Send;

    /// Reports the partitions whose records were all delivered.
    fn finish(&mut self, partitions: Vec<u16>) -> impl Future<Output = Result<(), Dropped>> + Send;
}

/// Puts records into the queue of a stream, in blocks.
#[derive(Debug)]
pub(super) struct QueueDelivery {
    items: mpsc::Sender<StreamItem>,
    block: RecordBlock,
}

impl QueueDelivery {
    pub(super) fn new(items: mpsc::Sender<StreamItem>) -> Self {
        Self { items, block: RecordBlock::default() }
    }
}

impl Clone for QueueDelivery {
    /// A delivery into the same queue, with a block of its own.
    fn clone(&self) -> Self {
        Self::new(self.items.clone())
    }
}

impl RecordWriter for RecordBlock {
    #[inline]
    fn record(&mut self, record: &QueryRecord<'_>) -> bool {
        let has_room = self.len() < BLOCK_RECORDS && self.size() < BLOCK_BYTES;
        if has_room {
            self.push(record);
        }
        has_room
    }
}

impl Delivery for QueueDelivery {
    type Writer<'a> = RecordBlock;

    fn fill<T>(&mut self, write: impl FnOnce(&mut RecordBlock) -> T) -> Option<T> {
        Some(write(&mut self.block))
    }

    fn try_flush(&mut self) -> Result<bool, Dropped> {
        if self.block.is_empty() {
            return Ok(true);
        }
        match self.items.try_send(StreamItem::Records(std::mem::take(&mut self.block))) {
            Ok(()) => Ok(true),
            Err(mpsc::error::TrySendError::Full(StreamItem::Records(block))) => {
                self.block = block;
                Ok(false)
            }
            Err(_) => Err(Dropped),
        }
    }

    async fn flush(&mut self) -> Result<(), Dropped> {
        // The block is taken only when there is room: a call that is given up while it waits loses nothing.
        let place = self.items.reserve().await.map_err(|_| Dropped)?;
        place.send(StreamItem::Records(std::mem::take(&mut self.block)));
        Ok(())
    }

    /// The report goes into the queue behind the partitions' records. The driver must not send it: the queue is fair,
    /// so the driver would wait behind requests that it has to poll.
    async fn finish(&mut self, partitions: Vec<u16>) -> Result<(), Dropped> {
        self.items.send(StreamItem::Done(partitions)).await.map_err(|_| Dropped)
    }
}

/// Writes records into a sink.
#[derive(Debug)]
pub(super) struct SinkDelivery<S>(pub(super) Arc<S>);

impl<S> Clone for SinkDelivery<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: RecordSink> Delivery for SinkDelivery<S> {
    type Writer<'a> = S::Writer<'a>;

    fn fill<T>(&mut self, write: impl FnOnce(&mut S::Writer<'_>) -> T) -> Option<T> {
        self.0.fill(write)
    }

    fn try_flush(&mut self) -> Result<bool, Dropped> {
        Ok(true)
    }

    async fn flush(&mut self) -> Result<(), Dropped> {
        if self.0.room().await { Ok(()) } else { Err(Dropped) }
    }

    async fn finish(&mut self, partitions: Vec<u16>) -> Result<(), Dropped> {
        self.0.finish(partitions);
        Ok(())
    }
}
