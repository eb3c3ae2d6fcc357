//! Where a query finds its records: all records of a partition, or entries of an index.

use std::collections::HashSet;
use std::sync::Arc;

use wire_protocol::digest::Digest;

use crate::command::query::request::{Resume, SetFilter};
use crate::command::request::Search;
use crate::state::store::index::predicate::KeyRange;
use crate::state::store::index::tree::Entry;
use crate::state::store::index::values::Key;
use crate::state::store::namespace::Namespace;

/// Number of entries that are read from an index at once.
const ENTRIES_PER_READ: usize = 1000;

/// A record that may be one of the query's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) digest: Digest,
    /// The key under which an index has it.
    pub(super) key: Option<Key>,
}

/// Finds the records of one partition after the other.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) search: Option<Arc<Search>>,
    ranges: Vec<KeyRange>,
    position: Option<Position>,
    /// Candidates that have been found and not taken.
    found: std::vec::IntoIter<Candidate>,
    /// The records of the partition that were taken, if an index may have several entries for one.
    taken: HashSet<Digest>,
}

/// A position in an index.
#[derive(Clone, Copy, Debug)]
struct Position {
    partition: usize,
    /// The number of the range.
    range: usize,
    after: Option<Entry>,
}

impl Source {
    pub(super) fn new(search: Option<Arc<Search>>) -> Self {
        let ranges = search.as_ref().map(|search| search.predicate.ranges()).unwrap_or_default();
        let found = Vec::new().into_iter();
        Self { search, ranges, position: None, found, taken: HashSet::new() }
    }

    /// Starts a partition, at its beginning or after a record or entry.
    pub(super) fn start(
        &mut self,
        namespace: &Namespace,
        set: SetFilter,
        partition: usize,
        resume: Option<Resume>,
        now: u32,
    ) {
        self.taken.clear();
        self.position = None;
        self.found = Vec::new().into_iter();
        if set == SetFilter::Nothing {
            return;
        }
        if self.search.is_some() {
            let after = match resume {
                Some(Resume::Entry(entry)) => Some(entry),
                _ => None,
            };
            self.position = Some(Position { partition, range: 0, after });
            return;
        }
        let mut digests =
            namespace.digests(partition, |record| set.contains(record) && !record.is_expired(now));
        if let Some(Resume::Record(after)) = resume {
            digests.retain(|digest| *digest < after);
        }
        // Descending, as the server sends them.
        digests.sort_unstable_by(|a, b| b.cmp(a));
        let found: Vec<_> = digests.into_iter().map(|digest| Candidate { digest, key: None }).collect();
        self.found = found.into_iter();
    }

    /// The next candidate of the partition.
    pub(super) fn next(&mut self, namespace: &Namespace) -> Option<Candidate> {
        loop {
            if let Some(candidate) = self.found.next() {
                return Some(candidate);
            }
            let (search, position) = (self.search.as_ref()?, self.position.as_mut()?);
            let range = *self.ranges.get(position.range)?;
            // Like the server, ends the query without an error if the index is dropped.
            if search.index.is_dropped() {
                self.position = None;
                return None;
            }
            let entries = namespace.shard(position.partition).search(
                &search.index,
                position.partition,
                range,
                position.after,
                ENTRIES_PER_READ,
            );
            match entries.last() {
                Some(last) if entries.len() == ENTRIES_PER_READ => position.after = Some(*last),
                // The range is done. The next one has greater keys only, so `after` stays right.
                _ => position.range += 1,
            }
            let candidate = |entry: Entry| Candidate { digest: entry.digest, key: Some(entry.key) };
            self.found = entries.into_iter().map(candidate).collect::<Vec<_>>().into_iter();
        }
    }

    /// Notes that a record is taken. Returns whether it was not taken before.
    pub(super) fn take(&mut self, digest: &Digest) -> bool {
        !self.search.as_ref().is_some_and(|search| search.may_repeat()) || self.taken.insert(*digest)
    }
}
