//! The config's policies of commands that are not supported yet.
//!
//! They are checked like those of other commands, so that a config can be shared with the official client, and have no
//! effect. A command that is added takes its policy from here.

use aero_io::Limits;
use pyo3::prelude::*;

use super::{limit_settings, over};
use crate::args::settings::Settings;
use crate::args::unused::not_an_instance;
use crate::python::describe::describe;
use crate::python::errors::{type_error, with_official_text};
use crate::python::once::intern;

/// Takes and checks them from the config's `policies`.
pub(crate) fn check_later_policies(py: Python<'_>, policies: &mut Settings<'_>) -> PyResult<()> {
    let scan = policies.take("scan")?;
    over(py, &(), "config policy \"scan\"", scan.as_ref(), |settings, ()| {
        limit_settings(settings, &mut Limits::default())?;
        settings.count("max_records")?;
        settings.count("records_per_second")?;
        settings.flag("durable_delete")?;
        settings.time_to_live("ttl").map(drop)
    })?;
    match policies.take("metrics")? {
        Some(metrics) if !metrics.hasattr(intern!(py, "latency_columns"))? => {
            let found = describe(&metrics);
            let message = format!(
                "config policy \"metrics\" is {found}; it must be a MetricsPolicy of aerospike_helpers.metrics"
            );
            let official = not_an_instance("metrics", "aerospike_helpers.metrics.MetricsPolicy", &metrics)?;
            Err(with_official_text(py, type_error(py, message), &official))
        }
        Some(metrics) => check_size_limit(py, &metrics),
        None => Ok(()),
    }
}

fn check_size_limit(py: Python<'_>, metrics: &Bound<'_, PyAny>) -> PyResult<()> {
    const FIELD: &str = "report_size_limit";
    match metrics.getattr_opt(FIELD)? {
        Some(limit) if limit.extract::<u64>().is_err() => {
            let message = format!(
                "config policy \"metrics\" has a {FIELD} of {}; it must be a number of bytes",
                describe(&limit)
            );
            let official = format!("MetricsPolicy.{FIELD} must be a unsigned 64-bit integer type");
            Err(with_official_text(py, type_error(py, message), &official))
        }
        _ => Ok(()),
    }
}
