//! Queries: the records of a namespace or a set.
//!
//! `Core::query` reads the arguments and makes a `QueryStream` (`stream`), which gives the records in lists; a
//! `QueryPlace` (`place`) says where a query stands, to go on from there. Queries into arrays or with predicates are
//! further methods here, over the same stream of blocks.

mod place;
mod stream;

use aero_io::{Bins, Query, QueryDuration, Space};
use pyo3::prelude::*;

pub(crate) use self::place::QueryPlace;
pub(crate) use self::stream::QueryStream;
use crate::args::convert::{bin_names, text, text_or_none, whole_number};
use crate::args::policy;
use crate::args::settings::Settings;
use crate::core::Core;
use crate::python::describe::describe;
use crate::python::errors::param_error;

#[pymethods]
impl Core {
    /// Begins a query of a client that is connected. Nothing is sent before the first records are asked for.
    #[allow(clippy::too_many_arguments)] // the command's own
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
        let cluster = self.require_cluster(py)?;
        let namespace = text("namespace", namespace)?;
        let set = text_or_none("set", set)?;
        let (policy, filter) = policy::query(py, &self.config.policies.query, "query policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        let bins = match bin_names(bins)? {
            _ if no_bins(py, options)? => Bins::Header,
            Some(names) if !names.is_empty() => Bins::names(names),
            _ => Bins::All,
        };
        let partitions = match place {
            Some(place) => place.resume(py, filter)?,
            None => filter.unwrap_or_default(),
        };
        let query = Query {
            space: Space::new(namespace, set.unwrap_or_default()),
            bins,
            policy,
            partitions,
            max_records: limit("max_records", max_records, i64::MAX)? as u64,
            records_per_second: limit("records_per_second", records_per_second, u32::MAX.into())? as u32,
        };
        if query.records_per_second != 0 && query.policy.duration == QueryDuration::Short {
            // The server refuses this, with an error that does not say why.
            let message = format!(
                "records_per_second is {} and the policy asks for a short query, which has no rate; leave one out",
                query.records_per_second
            );
            return Err(param_error(py, message));
        }
        Ok(QueryStream::new(&cluster, query))
    }
}

fn limit(what: &str, value: &Bound<'_, PyAny>, most: i64) -> PyResult<i64> {
    match whole_number(value) {
        Some(number) if (0..=most).contains(&number) => Ok(number),
        _ => {
            let message =
                format!("{what} is {}; it must be a whole number, or 0 for no limit", describe(value));
            Err(param_error(value.py(), message))
        }
    }
}

/// `nobins`, the only option of queries.
fn no_bins(py: Python<'_>, options: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    let Some(mut settings) = Settings::new(py, "query options", options)? else { return Ok(false) };
    let no_bins = settings.flag("nobins")?;
    settings.finish()?;
    Ok(no_bins.unwrap_or(false))
}
