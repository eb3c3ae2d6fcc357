//! Queries: the records of a namespace or a set.
//!
//! `Core::query` reads the arguments and makes a `QueryStream` (`stream`), which gives the records in lists; a
//! `QueryPlace` (`place`) says where a query stands, to go on from there. `Core::query_numpy` makes a `NumpyStream`
//! (`arrays`), whose records are written into arrays, `Core::query_arrow` an `ArrowStream` (`arrow`). `background` has
//! operations of queries and background jobs.

mod arrays;
mod arrow;
mod background;
mod place;
mod stream;

use std::sync::Arc;

use aero_io::{Bins, Cluster, Query, QueryDuration, Space};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

pub(crate) use self::arrays::NumpyStream;
use self::arrays::Target;
pub(crate) use self::arrow::ArrowStream;
pub(crate) use self::background::QueryOperations;
pub(crate) use self::place::QueryPlace;
pub(crate) use self::stream::QueryStream;
use crate::args::casting::CastingArgs;
use crate::args::convert::{CLIENT_DEFAULT_TTL, bin_names, text, text_or_none, time_to_live, whole_number};
use crate::args::paths::{check_query_project, field_paths, path_error};
use crate::args::policy::{self, QueryArgs};
use crate::args::predicate::QueryPredicate;
use crate::args::settings::Settings;
use crate::arrays::as_dtype;
use crate::arrays::dtype::{PlanArgs, read_plan};
use crate::arrays::space::UsersArray;
use crate::commands::batch_read_arrow::ColumnArgs;
use crate::core::Core;
use crate::keys::too_long;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};

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
        paginates: bool,
        predicate: Option<&QueryPredicate>,
        operations: Option<&QueryOperations>,
    ) -> PyResult<QueryStream> {
        if let Some(operations) = operations {
            operations.check_reads(py)?;
            if bins.is_some() || no_bins(py, options)? {
                let message = "the query has operations and a choice of bins; call either select() or add_ops(), and \
                               leave out \"nobins\" with operations";
                return Err(param_error(py, message.into()));
            }
        }
        let bins = match bin_names(bins)? {
            _ if no_bins(py, options)? => Bins::Header,
            Some(names) if !names.is_empty() => Bins::names(names),
            _ => Bins::All,
        };
        let limits = (max_records, records_per_second);
        let place = (place, paginates, predicate);
        let (cluster, query, start) = self.begin(py, (namespace, set), policy, limits, place)?;
        let operations = operations.map(|operations| Arc::clone(&operations.encoded));
        Ok(QueryStream::new(&cluster, Query { bins, operations, ..query }, start))
    }

    /// Begins a query into arrays, as [`Core::query`] does. `rows` is the number of rows of a block; None for one
    /// array.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn query_numpy(
        &self,
        py: Python<'_>,
        namespace: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyAny>>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        max_records: &Bound<'_, PyAny>,
        records_per_second: &Bound<'_, PyAny>,
        place: Option<&QueryPlace>,
        paginates: bool,
        predicate: Option<&QueryPredicate>,
        dtype: &Bound<'_, PyAny>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
        out: Option<&Bound<'_, PyAny>>,
        paths: Option<&Bound<'_, PyAny>>,
        project: &Bound<'_, PyAny>,
    ) -> PyResult<NumpyStream> {
        let target = self.target(bins, dtype, casting, errors, rows, out, paths, project)?;
        let limits = (max_records, records_per_second);
        let (cluster, query, start) =
            self.begin(py, (namespace, set), policy, limits, (place, paginates, predicate))?;
        let query = Query { bins: arrays::bins_of(&target.plan), every_record: true, ..query };
        Ok(NumpyStream::new(cluster, query, start, target))
    }

    /// Refuses arguments that no query into arrays can have.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn check_query_numpy(
        &self,
        py: Python<'_>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        dtype: &Bound<'_, PyAny>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
        out: Option<&Bound<'_, PyAny>>,
        paths: Option<&Bound<'_, PyAny>>,
        project: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.query_policy(py, policy)?;
        self.target(bins, dtype, casting, errors, rows, out, paths, project).map(drop)
    }

    /// Begins a query into Arrow columns, as [`Core::query`] does. `rows` is the number of rows of a block; None for
    /// one result.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn query_arrow(
        &self,
        py: Python<'_>,
        namespace: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyAny>>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        max_records: &Bound<'_, PyAny>,
        records_per_second: &Bound<'_, PyAny>,
        place: Option<&QueryPlace>,
        paginates: bool,
        predicate: Option<&QueryPredicate>,
        schema: Option<&Bound<'_, PyAny>>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
        paths: Option<&Bound<'_, PyAny>>,
        meta: &Bound<'_, PyAny>,
    ) -> PyResult<ArrowStream> {
        let args = ColumnArgs::read(py, schema, bins, (casting, errors), paths, (meta, false))?;
        let rows = rows.map(|rows| limit("rows", rows)).transpose()?;
        let rows = rows.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
        let limits = (max_records, records_per_second);
        let (cluster, query, start) =
            self.begin(py, (namespace, set), policy, limits, (place, paginates, predicate))?;
        let query = Query { bins: args.bins(), every_record: true, ..query };
        Ok(ArrowStream::new(cluster, query, start, args, rows, self.warned.clone()))
    }

    /// Refuses arguments that no query into Arrow columns can have.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn check_query_arrow(
        &self,
        py: Python<'_>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        schema: Option<&Bound<'_, PyAny>>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
        paths: Option<&Bound<'_, PyAny>>,
        meta: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.query_policy(py, policy)?;
        rows.map(|rows| limit("rows", rows)).transpose()?;
        ColumnArgs::read(py, schema, bins, (casting, errors), paths, (meta, false)).map(drop)
    }

    /// Refuses a namespace or a set that no query can have.
    #[staticmethod]
    fn check_query(namespace: &Bound<'_, PyAny>, set: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        space(namespace, set).map(|_| ())
    }

    /// Refuses names that no bins have.
    #[staticmethod]
    fn check_query_bins(bins: &Bound<'_, PyAny>) -> PyResult<()> {
        bin_names(Some(bins)).map(|_| ())
    }

    /// A setting of a query that is a number, as an int.
    #[staticmethod]
    fn check_query_limit(name: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
        limit(name, value)
    }

    /// Refuses a policy or options that no query can run with.
    fn check_query_policy(
        &self,
        py: Python<'_>,
        policy: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.query_policy(py, policy)?;
        no_bins(py, options).map(|_| ())
    }
}

impl Core {
    /// The cluster of a client that is connected, a query for all bins, and where it begins. `limits` are `max_records`
    /// and `records_per_second`.
    fn begin(
        &self,
        py: Python<'_>,
        (namespace, set): (&Bound<'_, PyAny>, Option<&Bound<'_, PyAny>>),
        policy: Option<&Bound<'_, PyAny>>,
        (max_records, records_per_second): (&Bound<'_, PyAny>, &Bound<'_, PyAny>),
        (place, paginates, predicate): (Option<&QueryPlace>, bool, Option<&QueryPredicate>),
    ) -> PyResult<(Cluster, Query, QueryPlace)> {
        let cluster = self.require_cluster(py)?;
        let space = space(namespace, set)?;
        let QueryArgs { policy, filter, has_start_digest } = self.query_policy(py, policy)?;
        if has_start_digest && predicate.is_some() {
            let message = "partition_filter \"digest\" is given, but a query with a predicate has another order; pass \
                           \"partition_status\" to continue it";
            return Err(param_error(py, message.into()));
        }
        let start = match place {
            Some(place) => place.resume(py, filter, paginates)?,
            None => QueryPlace::begin(filter),
        };
        let query = Query {
            space,
            bins: Bins::All,
            every_record: false,
            operations: None,
            predicate: predicate.map(|predicate| Arc::clone(&predicate.0)),
            policy,
            partitions: (*start.partitions).clone(),
            max_records: limit("max_records", max_records)? as u64,
            records_per_second: limit("records_per_second", records_per_second)? as u32,
        };
        check_rate(py, &query)?;
        Ok((cluster, query, start))
    }

    #[allow(clippy::too_many_arguments)] // the command's own
    fn target(
        &self,
        bins: Option<&Bound<'_, PyAny>>,
        dtype: &Bound<'_, PyAny>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
        out: Option<&Bound<'_, PyAny>>,
        paths: Option<&Bound<'_, PyAny>>,
        project: &Bound<'_, PyAny>,
    ) -> PyResult<Target> {
        let dtype = as_dtype(dtype)?;
        let casting = CastingArgs::read(casting, errors)?;
        check_query_project(project)?;
        let (bins, paths) = (bin_names(bins)?, field_paths(paths)?);
        let args = PlanArgs { casting: casting.casting, bins: bins.as_deref(), paths: &paths };
        let plan = read_plan(&dtype, args, |error, fields| path_error(dtype.py(), error, fields))?;
        let rows = rows.map(|rows| limit("rows", rows)).transpose()?;
        let rows = rows.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
        let out = out.map(|out| UsersArray::new(out, &dtype, plan.schema().itemsize())).transpose()?;
        let coerce = casting.coerce;
        Ok(Target { dtype: dtype.unbind(), plan, coerce, rows, out, warned: self.warned.clone() })
    }

    /// The client's query policy, overridden by the run's, and the partitions that this chooses.
    fn query_policy(&self, py: Python<'_>, policy: Option<&Bound<'_, PyAny>>) -> PyResult<QueryArgs> {
        let args = policy::query(py, &self.config.policies.query, "query policy", policy)?;
        self.config.check_replica(py, args.policy.limits.replica)?;
        Ok(args)
    }
}

fn space(namespace: &Bound<'_, PyAny>, set: Option<&Bound<'_, PyAny>>) -> PyResult<Space> {
    let py = namespace.py();
    let namespace = text("namespace", namespace)?;
    check_length(py, "namespace", &namespace)?;
    let set = text_or_none("set", set)?.unwrap_or_default();
    check_length(py, "set", &set)?;
    Ok(Space::new(namespace, set))
}

/// Refuses a name that no namespace or set has.
fn check_length(py: Python<'_>, what: &str, name: &str) -> PyResult<()> {
    too_long(what, name).map_or(Ok(()), |problem| Err(param_error(py, problem)))
}

fn check_rate(py: Python<'_>, query: &Query) -> PyResult<()> {
    if query.records_per_second == 0 || query.policy.duration != QueryDuration::Short {
        return Ok(());
    }
    // The server refuses this, with an error that does not say why.
    let message = format!(
        "records_per_second is {} and the policy asks for a short query, which has no rate; leave one out",
        query.records_per_second
    );
    Err(param_error(py, message))
}

/// `max_records`, `records_per_second`, `ttl` or `rows`.
fn limit(what: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let least = i64::from(what == "rows");
    let (most, meaning) = match what {
        "rows" => (i64::MAX, " of at least 1"),
        "max_records" => (i64::MAX, ", or 0 for no limit"),
        "records_per_second" => (u32::MAX.into(), " below 2**32, or 0 for no limit"),
        _ => return time_to_live(what, value).map(|ttl| ttl.unwrap_or(CLIENT_DEFAULT_TTL).into()),
    };
    match whole_number(value) {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        found => {
            let message = format!("{what} is {}; it must be a whole number{meaning}", describe(value));
            // As the official client has it: another type is a TypeError.
            let is_whole =
                found.is_some() || (value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>());
            Err(if is_whole { param_error(value.py(), message) } else { type_error(value.py(), message) })
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
