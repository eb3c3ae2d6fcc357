//! Query policies and partition filters.

use aero_io::{Digest, PartitionProgress, QueryDuration, QueryPartitions, QueryPolicy, RecordPosition};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wire_protocol::digest::{PARTITIONS, partition_id};

use super::{DESERIALIZE, finish_policy, limit_settings, over, set};
use crate::args::convert::whole_number;
use crate::args::settings::{NoOpValue, Settings, UnsupportedKey, unsupported};
use crate::python::describe::describe;
use crate::python::errors::{io_error, param_error, type_error, with_official_text};

const DURATIONS: [QueryDuration; 3] = [QueryDuration::Long, QueryDuration::Short, QueryDuration::LongRelaxAp];

/// Keys of the query policy that have no effect here.
const IGNORED: &[UnsupportedKey] = &[
    unsupported("info_timeout", NoOpValue::Never, "a query sends no info command first"),
    unsupported(
        "fail_on_cluster_change",
        NoOpValue::Flag(false),
        "partitions that move are read from their new node",
    ),
    DESERIALIZE,
];

/// A query policy, and what it says about partitions.
pub(crate) struct QueryArgs {
    pub(crate) policy: QueryPolicy,
    pub(crate) filter: Option<QueryPartitions>,
    /// Whether the first partition goes on after a digest that the filter names.
    pub(crate) has_start_digest: bool,
}

/// A query policy over its defaults, and its partition filter.
pub(crate) fn query(
    py: Python<'_>,
    defaults: &QueryPolicy,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<QueryArgs> {
    let mut policy = defaults.clone();
    let Some(mut settings) = Settings::new(py, name, object)? else {
        return Ok(QueryArgs { policy, filter: None, has_start_digest: false });
    };
    let filter = settings.take("partition_filter")?;
    let filter = filter.map(|filter| partition_filter(py, &filter)).transpose()?;
    let (filter, has_start_digest) = filter.map_or((None, false), |(filter, has)| (Some(filter), has));
    query_settings(&mut settings, &mut policy)?;
    finish_policy(settings)?;
    Ok(QueryArgs { policy, filter, has_start_digest })
}

/// The config's query policy over its defaults. It is for all queries, so it has no partition filter.
pub(crate) fn query_defaults(
    py: Python<'_>,
    defaults: &QueryPolicy,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<QueryPolicy> {
    over(py, defaults, name, object, query_settings)
}

fn query_settings(settings: &mut Settings<'_>, policy: &mut QueryPolicy) -> PyResult<()> {
    limit_settings(settings, &mut policy.limits)?;
    match settings.flag("short_query")? {
        Some(true) => policy.duration = QueryDuration::Short,
        // A long duration of the config's policy stays.
        Some(false) if policy.duration == QueryDuration::Short => policy.duration = QueryDuration::Long,
        _ => {}
    }
    set(&mut policy.duration, settings.choice("expected_duration", "QUERY_DURATION_*", &DURATIONS)?);
    set(
        &mut policy.max_concurrent_nodes,
        settings.count("max_concurrent_nodes")?.map(|count| count as usize),
    );
    settings.ignore(IGNORED)
}

/// `{"begin": ..., "count": ..., "digest": {"init": True, "value": ...}, "partition_status": {...}}`, and whether it has
/// a digest to start after.
fn partition_filter(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<(QueryPartitions, bool)> {
    const NAME: &str = "policy \"partition_filter\"";
    let Some(mut settings) = Settings::new(py, NAME, Some(object))? else {
        return Ok((QueryPartitions::all(), false));
    };
    let last = PARTITIONS as i64 - 1;
    let digest = match settings.take("digest")? {
        Some(value) => start_digest(py, &value)?,
        None => None,
    };
    let official = |text: &'static str| move |error| with_official_text(py, error, text);
    let begin =
        settings.number("begin", 0, last).map_err(official("invalid partition_filter policy begin"))?;
    let begin = begin.map(|begin| begin as usize);
    let count = settings.number("count", 1, PARTITIONS as i64);
    let count = count.map_err(official("invalid partition_filter policy count"))?.map(|count| count as usize);
    let statuses = settings.take("partition_status")?;
    settings.finish()?;
    let (begin, count) = match (begin, digest) {
        (Some(begin), _) => (begin, count.unwrap_or(PARTITIONS - begin)),
        (None, Some(digest)) => (partition_id(&digest), count.unwrap_or(1)),
        (None, None) => (0, count.unwrap_or(PARTITIONS)),
    };
    let refused = |error: aero_io::Error| {
        with_official_text(py, io_error(py, &error), "invalid partition filter range")
    };
    let mut partitions = QueryPartitions::range(begin, count).map_err(refused)?;
    if let Some(digest) = digest {
        let after = RecordPosition { digest, index_value: 0 };
        let progress = PartitionProgress { after: Some(after), is_done: false };
        // The first partition goes on after this record.
        partitions.set(begin, progress).map_err(refused)?;
    }
    if let Some(statuses) = statuses {
        partition_statuses(py, &statuses, &mut partitions)?;
    }
    Ok((partitions, digest.is_some()))
}

/// The digest after which the first partition goes on, if it is set.
fn start_digest(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Option<Digest>> {
    let Some(mut settings) = Settings::new(py, "partition_filter \"digest\"", Some(value))? else {
        return Ok(None);
    };
    let is_set = settings.flag("init")?.unwrap_or(false);
    let value = settings.take("value")?;
    settings.finish()?;
    match (is_set, value) {
        (false, _) => Ok(None),
        (true, Some(value)) => read_digest(&value).map(Some),
        (true, None) => Err(param_error(
            py,
            "partition_filter \"digest\" has \"init\" but no \"value\"; add the digest, 20 bytes".into(),
        )),
    }
}

fn read_digest(value: &Bound<'_, PyAny>) -> PyResult<Digest> {
    let digest = value.extract::<Vec<u8>>().ok().filter(|_| !value.is_instance_of::<PyString>());
    digest.and_then(|digest| digest.try_into().ok()).ok_or_else(|| {
        param_error(value.py(), format!("a digest is {}; it must be 20 bytes", describe(value)))
    })
}

/// The index value of a record. Other clients have it without a sign.
fn index_value(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let unsigned = || value.extract::<u64>().ok().map(|value| value as i64);
    whole_number(value).or_else(unsigned).ok_or_else(|| {
        let message = format!(
            "partition_filter \"partition_status\" has a bval of {}; it must be a whole number of 64 bits",
            describe(value)
        );
        param_error(value.py(), message)
    })
}

/// The entry about all partitions, "done" or "retry", of the dict that `get_partitions_status` returned.
fn whole_status(statuses: &Bound<'_, PyDict>, key: &str) -> PyResult<bool> {
    let py = statuses.py();
    let Some(value) = statuses.get_item(key)? else {
        let message = format!(
            "partition_filter \"partition_status\" has no key {key:?}; pass the whole dict that \
             get_partitions_status() returned"
        );
        let official = format!("partition_status dict missing key '{key}'");
        return Err(with_official_text(py, param_error(py, message), &official));
    };
    if let Ok(number) = value.extract::<i64>() {
        return Ok(number != 0);
    }
    let message = format!(
        "partition_filter \"partition_status\" {key:?} is {}; it must be True or False",
        describe(&value)
    );
    let official = format!("partition_status dict key '{key}' must be an int");
    Err(with_official_text(py, type_error(py, message), &official))
}

/// Takes the dict that `get_partitions_status` of this or the official client returned.
fn partition_statuses(
    py: Python<'_>,
    object: &Bound<'_, PyAny>,
    partitions: &mut QueryPartitions,
) -> PyResult<()> {
    let Ok(statuses) = object.cast::<PyDict>() else {
        let message =
            format!("partition_filter \"partition_status\" is {}; it must be a dict", describe(object));
        return Err(param_error(py, message));
    };
    if statuses.is_empty() {
        return Ok(());
    }
    whole_status(statuses, "done")?;
    let all_again = whole_status(statuses, "retry")?;
    for (key, status) in statuses {
        // The entries about the whole, "done" and "retry", have str keys.
        if key.is_instance_of::<PyString>() {
            continue;
        }
        let number = whole_number(&key);
        let official = |part: &str| format!("invalid {part} for part_id: {}", number.unwrap_or(-1));
        let wrong = |part: &str| {
            let (key, found) = (describe(&key), describe(&status));
            let message = format!(
                "partition_filter \"partition_status\" has {key}: {found}; it must be what get_partitions_status() \
                 returns: partition to (partition, init, retry, digest, bval)"
            );
            with_official_text(py, param_error(py, message), &official(part))
        };
        let partition = number.and_then(|number| usize::try_from(number).ok());
        let partition = partition.ok_or_else(|| wrong("id"))?;
        let mut items = status.try_iter().map_err(|_| wrong("status"))?;
        let mut item = || items.next().transpose()?.ok_or_else(|| wrong("status"));
        let (_, is_set, again, digest) = (item()?, item()?, item()?, item()?);
        let is_set = is_set.extract::<bool>().map_err(|_| wrong("init"))?;
        let again = again.extract::<bool>().map_err(|_| wrong("retry"))?;
        let index_value = items.next().transpose()?.map(|value| index_value(&value)).transpose();
        let index_value = index_value.map_err(|error| with_official_text(py, error, &official("bval")))?;
        let index_value = index_value.unwrap_or(0);
        // Nothing was read of the partition: there is no digest.
        let is_empty = digest.is_none() || digest.len().is_ok_and(|len| len == 0);
        let digest = match is_empty && !is_set {
            true => None,
            false => {
                let official = official("digest value");
                Some(read_digest(&digest).map_err(|error| with_official_text(py, error, &official))?)
            }
        };
        let after = digest.filter(|_| is_set).map(|digest| RecordPosition { digest, index_value });
        partitions
            .set(partition, PartitionProgress { after, is_done: !again && !all_again })
            .map_err(|error| io_error(py, &error))?;
    }
    Ok(())
}
