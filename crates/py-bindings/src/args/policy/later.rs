//! The config's policies of commands that are not supported yet.
//!
//! They are checked like those of other commands, so that a config can be shared with the official client, and have no
//! effect. A command that is added takes its policy from here.

use aero_io::{Limits, WritePolicy};
use pyo3::prelude::*;

use super::{durability_settings, filter_setting, limit_settings, over, send_key};
use crate::args::settings::Settings;
use crate::python::describe::describe;
use crate::python::errors::type_error;
use crate::python::once::intern;

/// Takes and checks them from the config's `policies`.
pub(crate) fn check_later_policies(py: Python<'_>, policies: &mut Settings<'_>) -> PyResult<()> {
    let apply = policies.take("apply")?;
    over(py, &(), "config policy \"apply\"", apply.as_ref(), |settings, ()| {
        limit_settings(settings, &mut Limits::default())?;
        apply_settings(settings)
    })?;
    let rows = policies.take("batch_apply")?;
    over(py, &(), "config policy \"batch_apply\"", rows.as_ref(), |settings, ()| apply_settings(settings))?;
    let scan = policies.take("scan")?;
    over(py, &(), "config policy \"scan\"", scan.as_ref(), |settings, ()| {
        limit_settings(settings, &mut Limits::default())?;
        settings.count("max_records")?;
        settings.count("records_per_second")?;
        settings.flag("durable_delete")?;
        settings.time_to_live("ttl").map(drop)
    })?;
    if let Some(mut admin) = Settings::new(py, "config policy \"admin\"", policies.take("admin")?.as_ref())? {
        admin.millis("timeout")?;
        admin.finish()?;
    }
    match policies.take("metrics")? {
        Some(metrics) if !metrics.hasattr(intern!(py, "latency_columns"))? => {
            let found = describe(&metrics);
            let message = format!(
                "config policy \"metrics\" is {found}; it must be a MetricsPolicy of aerospike_helpers.metrics"
            );
            Err(type_error(py, message))
        }
        _ => Ok(()),
    }
}

/// Takes the settings of user-defined functions on records.
fn apply_settings(settings: &mut Settings<'_>) -> PyResult<()> {
    filter_setting(settings, &mut Vec::new())?;
    durability_settings(settings, &mut WritePolicy::default())?;
    settings.time_to_live("ttl")?;
    send_key(settings, &mut false)?;
    settings.flag("on_locking_only").map(drop)
}
