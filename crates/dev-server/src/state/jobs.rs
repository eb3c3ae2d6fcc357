//! Queries that run, and the last ones that have run: what `query-show` lists and `query-abort` ends.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use wire_protocol::ResultCode;
use wire_protocol::digest::{Digest, PARTITIONS};

use crate::state::store::index::tree::Entry;

/// Number of finished queries that are remembered.
const MAX_FINISHED: usize = 100;

/// What a query does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// It sends records.
    Read { socket_timeout_ms: u32 },
    /// It applies operations to records, in the background.
    Write,
    /// It applies a user-defined function to records, in the background.
    Apply { module: String, function: String },
}

/// What a query was started with.
#[derive(Clone, Debug)]
pub(crate) struct JobRequest {
    /// 0 stands for a number that the server chooses.
    pub(crate) id: u64,
    pub(crate) kind: JobKind,
    pub(crate) namespace: String,
    /// Empty for the whole namespace.
    pub(crate) set: String,
    pub(crate) index: Option<String>,
    /// The number of partitions, and of those that continue after a digest; `None` for all partitions of a node.
    pub(crate) partitions: Option<(usize, usize)>,
    pub(crate) records_per_second: u32,
    pub(crate) client: SocketAddr,
}

/// How a query ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ending {
    Complete = 0,
    Aborted = 1,
    /// The client read nothing more.
    Abandoned = 2,
    Failed = 3,
}

/// Numbers of records.
#[derive(Debug, Default)]
pub(crate) struct JobCounts {
    pub(crate) throttled: AtomicU64,
    pub(crate) filtered_by_metadata: AtomicU64,
    pub(crate) filtered_by_bins: AtomicU64,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// Adds to a count.
pub(crate) fn add(count: &AtomicU64, number: u64) {
    count.fetch_add(number, Ordering::Relaxed);
}

/// A query that runs or has run.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: JobRequest,
    pub(crate) counts: JobCounts,
    /// Bytes that were sent.
    pub(crate) bytes: AtomicU64,
    /// Partitions that are done.
    pub(crate) partitions: AtomicU64,
    start: Instant,
    end: Mutex<Option<Instant>>,
    ending: AtomicU8,
    is_aborted: AtomicBool,
}

impl Job {
    /// Whether it has to stop.
    pub(crate) fn is_aborted(&self) -> bool {
        self.is_aborted.load(Ordering::Relaxed)
    }

    fn end(&self) -> Option<Instant> {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer about it.
    fn info(&self) -> String {
        let JobRequest { id, kind, namespace, set, index, partitions, records_per_second, client } =
            &self.request;
        let end = self.end();
        let active = end.unwrap_or_else(Instant::now).duration_since(self.start);
        let since = end.map_or(Duration::ZERO, |end| end.elapsed());
        let mut info = format!("trid={id}:ns={namespace}");
        // Writing to a string does not fail.
        if !set.is_empty() {
            _ = write!(info, ":set={set}");
        }
        if let Some(index) = index {
            _ = write!(info, ":sindex-name={index}");
        }
        if let Some((all, continued)) = partitions {
            _ = write!(info, ":n-pids-requested={all}:n-keyds-requested={continued}");
        }
        let status = match self.ending.load(Ordering::Relaxed) {
            1 => "user-aborted",
            2 => "abandoned-response-error",
            3 => "abandoned-unknown",
            _ => "ok",
        };
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let done = count(&self.partitions).min(PARTITIONS as u64);
        let progress = if end.is_some() { 100.0 } else { done as f64 * 100.0 / PARTITIONS as f64 };
        let counts = &self.counts;
        _ = write!(
            info,
            ":rps={records_per_second}:active-threads={}:status={}({status}):job-progress={progress:.2}:run-time={}:\
             time-since-done={}:recs-throttled={}:recs-filtered-meta={}:recs-filtered-bins={}:recs-succeeded={}:\
             recs-failed={}:from={}",
            u8::from(end.is_none()),
            if end.is_some() { "done" } else { "active" },
            active.as_millis(),
            since.as_millis(),
            count(&counts.throttled),
            count(&counts.filtered_by_metadata),
            count(&counts.filtered_by_bins),
            count(&counts.succeeded),
            count(&counts.failed),
            client.to_string().replace(':', "+"),
        );
        let bytes = count(&self.bytes);
        _ = match kind {
            JobKind::Read { socket_timeout_ms } => write!(
                info,
                ":job-type=basic:net-io-bytes={bytes}:net-io-time=0:socket-timeout={socket_timeout_ms}"
            ),
            // The answer to the request is all that is sent; the server waits ten seconds for it.
            JobKind::Write => write!(
                info,
                ":job-type=background-ops:net-io-bytes={bytes}:socket-timeout=10000:ops-active=0"
            ),
            JobKind::Apply { module, function } => write!(
                info,
                ":job-type=background-udf:net-io-bytes={bytes}:socket-timeout=10000:udf-filename={module}:\
                 udf-function={function}:udf-active=0"
            ),
        };
        // Names may have any bytes, and must not look like another answer.
        info.replace(char::is_control, "?")
    }
}

#[derive(Debug, Default)]
struct Lists {
    /// Oldest first.
    active: Vec<Arc<Job>>,
    finished: VecDeque<Arc<Job>>,
    last_id: u64,
}

impl Lists {
    /// All queries, newest first, those that run before those that have run.
    fn newest_first(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.active.iter().rev().chain(self.finished.iter().rev())
    }
}

/// The queries of a node.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<Lists>);

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a query.
    ///
    /// # Errors
    /// Code 4: its identifier is that of another one, which may have finished.
    pub(crate) fn start(&self, mut request: JobRequest) -> Result<Arc<Job>, ResultCode> {
        let mut lists = self.lock();
        if request.id == 0 {
            lists.last_id += 1;
            request.id = lists.last_id;
        } else if lists.newest_first().any(|job| job.request.id == request.id) {
            return Err(ResultCode::PARAMETER);
        }
        let job = Arc::new(Job {
            request,
            counts: JobCounts::default(),
            bytes: AtomicU64::new(0),
            partitions: AtomicU64::new(0),
            start: Instant::now(),
            end: Mutex::new(None),
            ending: AtomicU8::new(Ending::Complete as u8),
            is_aborted: AtomicBool::new(false),
        });
        lists.active.push(Arc::clone(&job));
        Ok(job)
    }

    pub(crate) fn finish(&self, job: &Arc<Job>, ending: Ending) {
        job.ending.store(ending as u8, Ordering::Relaxed);
        *job.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let mut lists = self.lock();
        let before = lists.active.len();
        lists.active.retain(|active| !Arc::ptr_eq(active, job));
        // One that a restart has forgotten is not listed again.
        if lists.active.len() < before {
            lists.finished.push_back(Arc::clone(job));
            if lists.finished.len() > MAX_FINISHED {
                lists.finished.pop_front();
            }
        }
    }

    /// Aborts a query. Returns whether it runs.
    pub(crate) fn abort(&self, id: u64) -> bool {
        let lists = self.lock();
        let job = lists.active.iter().find(|job| job.request.id == id);
        if let Some(job) = job {
            job.is_aborted.store(true, Ordering::Relaxed);
        }
        job.is_some()
    }

    /// Aborts all queries that run, and returns their number.
    pub(crate) fn abort_all(&self) -> usize {
        let lists = self.lock();
        lists.active.iter().for_each(|job| job.is_aborted.store(true, Ordering::Relaxed));
        lists.active.len()
    }

    /// Aborts and forgets all queries, as a process that dies does.
    pub(crate) fn clear(&self) {
        self.abort_all();
        let mut lists = self.lock();
        lists.active.clear();
        lists.finished.clear();
    }

    /// The answer about a query; `None` if it is not known.
    pub(crate) fn info(&self, id: u64) -> Option<String> {
        self.lock().newest_first().find(|job| job.request.id == id).map(|job| job.info())
    }

    /// The answer about all queries.
    pub(crate) fn all_info(&self) -> String {
        self.lock().newest_first().map(|job| job.info()).collect::<Vec<_>>().join(";")
    }
}

/// How far a background query has come in a partition.
#[derive(Debug, Default)]
pub(crate) struct PartitionProgress {
    pub(crate) is_complete: bool,
    /// The last record of a query over the primary index.
    pub(crate) after_record: Option<Digest>,
    /// The last entry of a query over an index.
    pub(crate) after_entry: Option<Entry>,
    /// The records that a query over an index has come to: they may have several entries, or get new ones.
    pub(crate) seen: HashSet<Digest>,
}

/// The progress of one background query on all nodes, by partition; `None` while a node works on the partition. Nodes take
/// over partitions of each other: a node continues where another one was.
#[derive(Debug, Default)]
pub(crate) struct BackgroundProgress(Mutex<HashMap<usize, Option<PartitionProgress>>>);

impl BackgroundProgress {
    /// Takes the progress of a partition, to put it back later. `None`: a node works on the partition.
    pub(crate) fn take(&self, partition: usize) -> Option<PartitionProgress> {
        let mut partitions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match partitions.insert(partition, None) {
            Some(progress) => progress,
            None => Some(PartitionProgress::default()),
        }
    }

    pub(crate) fn put(&self, partition: usize, progress: PartitionProgress) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(partition, Some(progress));
    }
}

/// The progress of the background queries that run, by their identifiers.
#[derive(Debug, Default)]
pub(crate) struct BackgroundQueries(Mutex<HashMap<u64, Weak<BackgroundProgress>>>);

impl BackgroundQueries {
    /// The progress of a query, which is shared by all nodes that run it.
    pub(crate) fn progress(&self, id: u64) -> Arc<BackgroundProgress> {
        let mut queries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queries.retain(|_, progress| progress.strong_count() > 0);
        let known = queries.get(&id).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let new = Arc::new(BackgroundProgress::default());
            queries.insert(id, Arc::downgrade(&new));
            new
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: u64) -> JobRequest {
        JobRequest {
            id,
            kind: JobKind::Write,
            namespace: "test".into(),
            set: "s".into(),
            index: None,
            partitions: None,
            records_per_second: 10_000,
            client: ([127, 0, 0, 1], 4711).into(),
        }
    }

    #[test]
    fn queries_are_listed_as_by_the_server() {
        let jobs = Jobs::default();
        let job = jobs.start(request(7)).unwrap();
        assert_eq!(jobs.start(request(7)).unwrap_err(), ResultCode::PARAMETER);
        add(&job.counts.succeeded, 5);
        add(&job.bytes, 30);
        let active = jobs.info(7).unwrap();
        assert!(active.starts_with(
            "trid=7:ns=test:set=s:rps=10000:active-threads=1:status=active(ok):job-progress=0.00:run-time="
        ));
        assert!(active.ends_with(
            ":recs-succeeded=5:recs-failed=0:from=127.0.0.1+4711:job-type=background-ops:net-io-bytes=30:\
             socket-timeout=10000:ops-active=0"
        ));
        assert!(jobs.abort(7) && !jobs.abort(8) && job.is_aborted());
        jobs.finish(&job, Ending::Aborted);
        assert!(jobs.info(7).unwrap().contains("status=done(user-aborted):job-progress=100.00"));
        assert!(!jobs.abort(7));
        assert_eq!(jobs.start(request(7)).unwrap_err(), ResultCode::PARAMETER);
        let index = JobRequest { index: Some("i".into()), partitions: Some((9, 2)), ..request(0) };
        let kind = JobKind::Read { socket_timeout_ms: 50 };
        let read = jobs.start(JobRequest { kind, set: String::new(), ..index }).unwrap();
        let all = jobs.all_info();
        assert!(all.starts_with("trid=1:ns=test:sindex-name=i:n-pids-requested=9:n-keyds-requested=2:rps="));
        assert!(all.contains(":job-type=basic:net-io-bytes=0:net-io-time=0:socket-timeout=50;trid=7:"));
        jobs.clear();
        assert!(read.is_aborted());
        jobs.finish(&read, Ending::Aborted);
        assert_eq!((jobs.all_info(), jobs.info(7)), (String::new(), None));
    }

    #[test]
    fn few_finished_queries_are_remembered() {
        let jobs = Jobs::default();
        for id in 1..=150 {
            let job = jobs.start(request(id)).unwrap();
            jobs.finish(&job, Ending::Complete);
        }
        assert!(jobs.info(50).is_none() && jobs.info(51).is_some());
    }

    #[test]
    fn nodes_share_the_progress_of_a_query() {
        let queries = BackgroundQueries::default();
        let first = queries.progress(1);
        let second = queries.progress(1);
        assert!(!first.take(3).unwrap().is_complete && second.take(3).is_none());
        first.put(3, PartitionProgress { is_complete: true, ..PartitionProgress::default() });
        assert!(second.take(3).unwrap().is_complete && first.take(3).is_none());
        assert!(!Arc::ptr_eq(&first, &queries.progress(2)));
        drop((first, second));
        assert!(!queries.progress(1).take(3).unwrap().is_complete);
    }
}
