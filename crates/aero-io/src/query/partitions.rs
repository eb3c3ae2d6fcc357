//! Where a query stands in each partition.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wire_protocol::digest::{Digest, PARTITIONS, partition_id};
use wire_protocol::query::QueryRecord;

use crate::error::Error;

/// Where a record stands in the order in which a query returns the records of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPosition {
    pub digest: Digest,
    /// The entry of the secondary index by which the record was found; 0 in a query without a predicate.
    pub index_value: i64,
}

impl RecordPosition {
    #[must_use]
    #[inline]
    pub fn of(record: &QueryRecord<'_>) -> Self {
        Self { digest: *record.digest, index_value: record.index_value.unwrap_or(0) }
    }
}

/// Where a query stands in a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionProgress {
    /// The last record received. Without a predicate, the following ones have lower digests; with one, higher index
    /// values, or the same and higher digests.
    pub after: Option<RecordPosition>,
    /// Whether all records have been received.
    pub is_done: bool,
}

/// Consecutive partitions, and where a query stands in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPartitions {
    first: usize,
    progress: Vec<PartitionProgress>,
}

impl QueryPartitions {
    #[must_use]
    pub fn all() -> Self {
        Self { first: 0, progress: vec![PartitionProgress::default(); PARTITIONS] }
    }

    /// `count` partitions from `first` on.
    ///
    /// # Errors
    /// The range is empty or exceeds the 4096 partitions.
    pub fn range(first: usize, count: usize) -> Result<Self, Error> {
        if count == 0 || first >= PARTITIONS || count > PARTITIONS - first {
            return Err(Error::Param {
                what: format!(
                    "invalid partition range: {count} from {first} on; partitions are numbered from 0 to 4095"
                ),
            });
        }
        Ok(Self { first, progress: vec![PartitionProgress::default(); count] })
    }

    /// Sets where the query stands in a partition.
    ///
    /// # Errors
    /// The partition is not in the range, or the digest belongs to another one.
    pub fn set(&mut self, partition: usize, progress: PartitionProgress) -> Result<(), Error> {
        if let Some(RecordPosition { digest, .. }) = progress.after
            && partition_id(&digest) != partition
        {
            let of = partition_id(&digest);
            return Err(Error::Param {
                what: format!("the digest belongs to partition {of}, not to {partition}"),
            });
        }
        match self.place(partition) {
            Some(place) => {
                self.progress[place] = progress;
                Ok(())
            }
            None => Err(Error::Param { what: format!("partition {partition} is not in the query's range") }),
        }
    }

    /// The partitions in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, PartitionProgress)> {
        (self.first..).zip(self.progress.iter().copied())
    }

    /// Whether all partitions are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.progress.iter().all(|progress| progress.is_done)
    }

    fn advance(&mut self, position: RecordPosition) {
        if let Some(place) = self.place(partition_id(&position.digest)) {
            self.progress[place].after = Some(position);
        }
    }

    fn finish(&mut self, partition: u16) {
        if let Some(place) = self.place(partition.into()) {
            self.progress[place].is_done = true;
        }
    }

    fn place(&self, partition: usize) -> Option<usize> {
        partition.checked_sub(self.first).filter(|&place| place < self.progress.len())
    }
}

impl Default for QueryPartitions {
    fn default() -> Self {
        Self::all()
    }
}

/// Where a stream of records stands, according to the records that were used. Clones share one stream's
/// progress. Never waits for the stream.
#[derive(Clone, Debug)]
pub struct QueryProgress(Arc<Mutex<QueryPartitions>>);

impl QueryProgress {
    #[must_use]
    pub fn new(partitions: QueryPartitions) -> Self {
        Self(Arc::new(Mutex::new(partitions)))
    }

    /// Records that records of the last block were used, so that a query over [`Self::partitions`] continues
    /// after them. Report all records of a block before requesting the next one.
    pub fn took(&self, records: impl IntoIterator<Item = RecordPosition>) {
        let mut partitions = self.lock();
        records.into_iter().for_each(|record| partitions.advance(record));
    }

    #[must_use]
    pub fn partitions(&self) -> QueryPartitions {
        self.lock().clone()
    }

    /// Records that all records of these partitions were used.
    pub fn finish(&self, finished: Vec<u16>) {
        let mut partitions = self.lock();
        finished.into_iter().for_each(|partition| partitions.finish(partition));
    }

    fn lock(&self) -> MutexGuard<'_, QueryPartitions> {
        // A panic cannot leave the partitions half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: u16) -> RecordPosition {
        let mut digest = [9; 20];
        digest[..2].copy_from_slice(&partition.to_le_bytes());
        RecordPosition { digest, index_value: 7 }
    }

    #[test]
    fn ranges_are_checked() {
        for (first, count) in [(0, 0), (4096, 1), (0, 4097), (4000, 97), (usize::MAX, usize::MAX)] {
            assert!(QueryPartitions::range(first, count).is_err(), "{first} {count}");
        }
        assert_eq!(QueryPartitions::range(0, 4096).unwrap(), QueryPartitions::all());
        assert_eq!(QueryPartitions::range(4095, 1).unwrap().iter().next().unwrap().0, 4095);
    }

    #[test]
    fn progress_is_tracked_per_partition() {
        let mut partitions = QueryPartitions::range(10, 2).unwrap();
        let after = |partition| PartitionProgress { after: Some(record(partition)), is_done: false };
        assert!(partitions.set(10, after(11)).is_err());
        assert!(partitions.set(12, after(12)).is_err());
        assert!(partitions.set(9, PartitionProgress::default()).is_err());
        partitions.set(10, after(10)).unwrap();
        partitions.advance(record(11));
        partitions.advance(record(12));
        partitions.finish(11);
        partitions.finish(9);
        let found: Vec<_> = partitions.iter().collect();
        assert_eq!(found[0], (10, after(10)));
        assert_eq!(found[1], (11, PartitionProgress { after: Some(record(11)), is_done: true }));
        assert!(!partitions.is_done());
        partitions.finish(10);
        assert!(partitions.is_done());
    }
}
