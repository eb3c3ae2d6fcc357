//! Queries: the records of a namespace or a set, as lists of some records each.

use std::sync::{Arc, PoisonError};

use aero_io::{
    Bins, Cluster, Digest, Query, QueryDuration, QueryPartitions, QueryProgress, QueryRecord, QueryStopper,
    RecordBlock, RecordStream, Space,
};
use futures_util::lock::{Mutex, OwnedMutexGuard};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString};

use crate::batch_read::read_bins;
use crate::call::{Call, Completions, plain};
use crate::clock;
use crate::core::Core;
use crate::errors::{client_error, param_error};
use crate::keys::{described, user_key_object};
use crate::policy::{self, PartitionFilter};
use crate::process;
use crate::records;
use crate::runtime::{NothingToSeal, PARENTS_CALL};
use crate::settings::{Settings, unicode, whole_number};
use crate::values::{BinNames, Unreadable, bins_dict};

#[pymethods]
impl Core {
    /// Begins a query: nothing is sent before the first records are asked for.
    #[allow(clippy::too_many_arguments)] // what a query is made of
    fn query(
        &self,
        py: Python<'_>,
        namespace: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyAny>>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyAny>>,
        max_records: &Bound<'_, PyAny>,
        records_per_second: &Bound<'_, PyAny>,
        place: Option<&QueryPlace>,
    ) -> PyResult<QueryStream> {
        let cluster = self.cluster(py)?;
        let namespace = name("namespace", namespace)?;
        let set = set.filter(|set| !set.is_none()).map(|set| name("set", set)).transpose()?;
        let (policy, filter) = policy::query(py, &self.config.policies.query, "query policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        let bins = match read_bins(bins)? {
            _ if no_bins(py, options)? => Bins::Header,
            Some(names) if !names.is_empty() => Bins::names(names),
            _ => Bins::All,
        };
        let partitions = match place {
            Some(place) => place.go_on(py, filter)?,
            None => filter.map(|filter| filter.partitions).unwrap_or_default(),
        };
        let query = Query {
            space: Space::new(namespace, set.unwrap_or_default()),
            bins,
            policy,
            partitions,
            max_records: number("max_records", max_records, i64::MAX)? as u64,
            records_per_second: number("records_per_second", records_per_second, u32::MAX.into())? as u32,
        };
        if query.records_per_second != 0 && query.policy.duration == QueryDuration::Short {
            // Servers refuse it, and do not say why.
            let message = format!(
                "records_per_second is {} and the policy asks for a short query, which has no rate; leave one out",
                query.records_per_second
            );
            return Err(param_error(py, message));
        }
        Ok(QueryStream::new(&cluster, query))
    }
}

fn name(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => unicode(text, what),
        Err(_) => Err(param_error(value.py(), format!("{what} is {}; it must be a str", described(value)))),
    }
}

fn number(what: &str, value: &Bound<'_, PyAny>, most: i64) -> PyResult<i64> {
    match whole_number(value) {
        Some(number) if (0..=most).contains(&number) => Ok(number),
        _ => {
            let message =
                format!("{what} is {}; it must be a whole number, or 0 for no limit", described(value));
            Err(param_error(value.py(), message))
        }
    }
}

/// The one option that queries have.
fn no_bins(py: Python<'_>, options: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    let Some(mut settings) = Settings::new(py, "query options", options)? else { return Ok(false) };
    let no_bins = settings.flag("nobins")?;
    settings.finish()?;
    Ok(no_bins.unwrap_or(false))
}

/// Where a query stands in each of its partitions.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryPlace(QueryPartitions);

impl QueryPlace {
    /// The partitions to go on in. A filter has to name the same ones.
    fn go_on(&self, py: Python<'_>, filter: Option<PartitionFilter>) -> PyResult<QueryPartitions> {
        let first_and_count = |partitions: &QueryPartitions| {
            (partitions.iter().next().map(|(first, _)| first), partitions.iter().count())
        };
        if let Some(filter) = filter
            && first_and_count(&filter.partitions) != first_and_count(&self.0)
        {
            let message = "policy \"partition_filter\" names other partitions than those that the query goes on \
                           in page by page; make another query for them";
            return Err(param_error(py, message.into()));
        }
        Ok(self.0.clone())
    }
}

#[pymethods]
impl QueryPlace {
    /// Whether all records of all partitions have come.
    fn is_done(&self) -> bool {
        self.0.is_done()
    }

    /// The same as the official client's dict, which takes this one: partition to (partition, whether a record
    /// came, whether it is to be asked for again, the last one's digest, 0), and two facts about the whole.
    fn status(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let status = PyDict::new(py);
        status.set_item("done", self.0.is_done())?;
        // That all are to be asked for again, whatever each says of itself.
        status.set_item("retry", false)?;
        for (partition, progress) in self.0.iter() {
            let digest = PyByteArray::new(py, &progress.after.unwrap_or_default());
            let facts = (partition, progress.after.is_some(), !progress.is_done, digest, 0);
            status.set_item(partition, facts)?;
        }
        Ok(status.into_any().unbind())
    }
}

/// The records of a query. One call at a time reads from it; others wait.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryStream {
    /// The process that it runs in.
    process: u32,
    reading: Arc<Mutex<Reading>>,
    given: Arc<Given>,
    stopper: QueryStopper,
}

/// A stream, and what came of it and was not used yet. A call that is cancelled leaves it here.
struct Reading {
    stream: RecordStream,
    block: RecordBlock,
    /// The first record of the block that was not given to Python.
    at: usize,
    given: Arc<Given>,
}

/// The records of the last list, and how many of them were noted as used. Apart from the rest, so that nobody
/// who asks where a query stands has to wait for a call under way.
struct Given {
    progress: QueryProgress,
    list: std::sync::Mutex<(Vec<Digest>, usize)>,
}

impl Given {
    /// Notes that so many records of the last list were used.
    fn note(&self, used: usize) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let (digests, noted) = &mut *list;
        let used = used.min(digests.len());
        self.progress.took(digests.get(*noted..used).unwrap_or_default());
        *noted = used.max(*noted);
    }

    /// Takes the place of the last list.
    fn replace(&self, digests: Vec<Digest>) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = (digests, 0);
    }
}

impl Reading {
    /// Makes sure of a record to give; false where there is none left.
    async fn fill(&mut self) -> Result<bool, aero_io::Error> {
        // Whoever asks for more has used what was given.
        self.given.note(usize::MAX);
        if self.at < self.block.len() {
            return Ok(true);
        }
        (self.block, self.at) = (RecordBlock::default(), 0);
        match self.stream.next().await? {
            Some(block) => self.block = block,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The block's records as Python objects, up to one that cannot be one. Where that is the first of them its
    /// error is raised, and the next call goes on behind it.
    fn give(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut digests = Vec::new();
        let list = PyList::empty(py);
        let mut maker = Maker::default();
        let now = clock::now();
        for record in self.block.records().skip(self.at) {
            match maker.make(py, &record, now) {
                Ok(made) => list.append(made)?,
                Err(Unreadable::Value(_)) if !list.is_empty() => break,
                Err(unreadable) => {
                    if matches!(unreadable, Unreadable::Value(_)) {
                        self.given.progress.took([record.digest]);
                        self.at += 1;
                    }
                    return Err(unreadable.into());
                }
            }
            digests.push(*record.digest);
        }
        self.given.replace(digests);
        self.at += list.len();
        Ok(list.into_any().unbind())
    }
}

/// Makes records into Python objects.
#[derive(Default)]
struct Maker<'py> {
    bins: BinNames<'py>,
    /// Namespace and set of the record before.
    space: Option<(Space, Bound<'py, PyAny>, Bound<'py, PyAny>)>,
}

impl<'py> Maker<'py> {
    fn make(
        &mut self,
        py: Python<'py>,
        record: &QueryRecord<'_>,
        now: u32,
    ) -> Result<Bound<'py, PyAny>, Unreadable> {
        let (namespace, set) = self.space(py, record);
        let key = (|| {
            let key = match record.key {
                Some(key) => user_key_object(py, key)?,
                None => py.None().into_bound(py),
            };
            records::key_of(py, [namespace, set, key, PyBytes::new(py, record.digest).into_any()])
        })();
        let key = key.map_err(Unreadable::Python)?;
        let bins = bins_dict(py, &mut self.bins, record.ops()).map_err(|unreadable| match unreadable {
            // The bin alone would not say where it is.
            Unreadable::Value(error) => {
                let shown = key.repr().map_or_else(|_| String::new(), |key| key.to_string());
                Unreadable::Value(client_error(py, format!("record {shown}: {}", error.value(py))))
            }
            python => python,
        })?;
        let meta = records::meta(py, record.generation, clock::seconds_left(record.void_time, now))
            .map_err(Unreadable::Python)?;
        records::record(py, &key, meta.as_any(), bins.as_any()).map_err(Unreadable::Python)
    }

    fn space(&mut self, py: Python<'py>, record: &QueryRecord<'_>) -> (Bound<'py, PyAny>, Bound<'py, PyAny>) {
        if let Some((space, namespace, set)) = &self.space
            && *space.namespace == *record.namespace
            && *space.set == *record.set
        {
            return (namespace.clone(), set.clone());
        }
        let text = |bytes: &[u8]| PyString::new(py, &String::from_utf8_lossy(bytes)).into_any();
        let namespace = text(record.namespace);
        let set = if record.set.is_empty() { py.None().into_bound(py) } else { text(record.set) };
        let space = Space::new(record.namespace, record.set);
        self.space = Some((space, namespace.clone(), set.clone()));
        (namespace, set)
    }
}

impl QueryStream {
    fn new(cluster: &Cluster, query: Query) -> Self {
        let stream = cluster.query(query);
        let stopper = stream.stopper().clone();
        let given =
            Arc::new(Given { progress: stream.progress().clone(), list: std::sync::Mutex::default() });
        let reading = Reading { stream, block: RecordBlock::default(), at: 0, given: Arc::clone(&given) };
        Self { process: process::id(), given, stopper, reading: Arc::new(Mutex::new(reading)) }
    }

    fn is_parents(&self) -> bool {
        self.process != process::id()
    }
}

#[pymethods]
impl QueryStream {
    /// The next records as a list; None when all have come.
    fn next_block(&self, py: Python<'_>, face: Option<&Completions>) -> PyResult<Py<PyAny>> {
        if self.is_parents() {
            return Err(client_error(py, PARENTS_CALL.into()));
        }
        let reading = Arc::clone(&self.reading);
        let future = async move {
            let mut reading = reading.lock_owned().await;
            Ok(if reading.fill().await? { Some(reading) } else { None })
        };
        let finish = plain(|py, reading: Option<OwnedMutexGuard<Reading>>| match reading {
            Some(mut reading) => reading.give(py),
            None => Ok(py.None()),
        });
        Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
    }

    /// Where the query stands after so many records of the last list.
    fn place(&self, py: Python<'_>, used: usize) -> PyResult<QueryPlace> {
        if self.is_parents() {
            return Err(client_error(py, PARENTS_CALL.into()));
        }
        self.given.note(used);
        Ok(QueryPlace(self.given.progress.partitions()))
    }

    /// Ends the query and closes its connections. A call that waits for records gets None.
    fn close(&self) {
        if !self.is_parents() {
            self.stopper.stop();
        }
    }
}

impl Drop for QueryStream {
    fn drop(&mut self) {
        if self.is_parents() {
            // Leaked on purpose, as a client is: its sockets are shared with the parent.
            std::mem::forget(Arc::clone(&self.reading));
        }
    }
}
