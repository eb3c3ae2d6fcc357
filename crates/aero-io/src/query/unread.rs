//! The partitions that a query has not read completely, for its error.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::QueryPartitions;
use crate::error::Error;

/// The partitions of a running query that are not complete.
pub(crate) struct UnreadPartitions {
    asked: usize,
    unread: Mutex<BTreeSet<u16>>,
}

impl UnreadPartitions {
    pub(super) fn new(partitions: &QueryPartitions) -> Self {
        let unread = partitions.iter().filter(|(_, progress)| !progress.is_done);
        let unread: BTreeSet<u16> = unread.map(|(partition, _)| partition as u16).collect();
        Self { asked: unread.len(), unread: Mutex::new(unread) }
    }

    pub(super) fn finish(&self, done: &[u16]) {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in done {
            unread.remove(partition);
        }
    }

    /// Adds the partitions to an error that came after some, but not all, were read.
    pub(super) fn explain(&self, error: Error) -> Error {
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        if error.tried().is_none() || unread.is_empty() || unread.len() == self.asked {
            return error;
        }
        Error::PartlyRead {
            source: Box::new(error),
            asked: self.asked,
            unread: unread.iter().copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::Tried;

    fn timeout() -> Error {
        let tried = Tried {
            command: "query",
            bins: String::new(),
            is_filtered: false,
            node: Arc::from("A1"),
            address: ([127, 0, 0, 1], 3000).into(),
            attempts: 1,
            elapsed: std::time::Duration::from_secs(1),
            in_doubt: false,
        };
        Error::Timeout { tried: Box::new(tried) }
    }

    #[test]
    fn an_error_names_the_partitions_that_are_missing() {
        let partitions = UnreadPartitions::new(&QueryPartitions::range(100, 10).unwrap());
        assert!(matches!(partitions.explain(timeout()), Error::Timeout { .. }), "nothing was read");
        partitions.finish(&[100, 103, 104]);
        let error = partitions.explain(timeout());
        assert_eq!(
            error.to_string(),
            "no answer in time: query at node A1 (127.0.0.1:3000), 1 try in 1.00 s; \
             7 of 10 partitions were not read completely: 101-102, 105-109"
        );
        assert_eq!(error.code(), timeout().code());
        let closed = partitions.explain(Error::Closed { in_doubt: false });
        assert!(matches!(closed, Error::Closed { .. }));
    }
}
