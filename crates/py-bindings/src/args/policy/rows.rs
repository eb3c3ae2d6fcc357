//! Policies of a batch's rows.

use aero_io::BatchPolicy;
use pyo3::prelude::*;
use wire_protocol::command::WriteOptions;

use super::{
    Write, batch_settings, change_settings, filter_setting, locking_setting, over, read_mode_settings,
    row_settings,
};
use crate::args::settings::Settings;

/// The settings of a batch's row that writes.
#[derive(Clone, Debug)]
pub(crate) struct RowPolicy {
    pub(crate) options: WriteOptions<'static>,
    pub(crate) send_key: bool,
    /// A filter expression of the row's own; empty for that of the batch.
    pub(crate) filter: Vec<u8>,
}

impl Write {
    /// The part of the policy that a row uses, completed by the row's `meta`. The timeouts are the batch's.
    pub(crate) fn of_row(self, py: Python<'_>, meta: Option<&Bound<'_, PyAny>>) -> PyResult<RowPolicy> {
        let send_key = self.send_key;
        let policy = self.with_meta(py, meta)?;
        let options = WriteOptions {
            ttl: policy.ttl,
            exists: policy.exists,
            generation: policy.generation,
            commit_master: policy.commit_master,
            durable_delete: policy.durable_delete,
            on_locking_only: policy.on_locking_only,
            ..WriteOptions::default()
        };
        Ok(RowPolicy { options, send_key, filter: policy.limits.filter })
    }
}

/// The policy of rows that write, over its defaults.
pub(crate) fn row_write(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    over(py, defaults, name, object, |settings, write| {
        change_settings(settings, write)?;
        locking_setting(settings, write)?;
        changing_row(settings, write)
    })
}

/// The policy of rows that remove, over its defaults.
pub(crate) fn row_remove(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    over(py, defaults, name, object, changing_row)
}

/// Takes the settings of all rows that write or remove.
fn changing_row(settings: &mut Settings<'_>, write: &mut Write) -> PyResult<()> {
    row_settings(settings, write)?;
    filter_setting(settings, &mut write.policy.limits.filter)?;
    // A batch row has two bytes for it.
    let generation = settings.number("generation", 0, u16::MAX.into())?;
    write.generation = generation.map(|number| number as u32).or(write.generation);
    Ok(())
}

/// The policy of a row that reads: the batch's, with read modes of its own, and the row's filter expression.
pub(crate) fn row_read(
    py: Python<'_>,
    parent: &BatchPolicy,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<(BatchPolicy, Vec<u8>)> {
    let defaults = (parent.clone(), Vec::new());
    over(py, &defaults, name, object, |settings, (policy, filter)| {
        filter_setting(settings, filter)?;
        read_mode_settings(settings, &mut policy.reads)
    })
}

/// The policy of a batch and that of its rows that write, from one dictionary.
pub(crate) fn batch_with_row(
    py: Python<'_>,
    batch: &BatchPolicy,
    row: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<(BatchPolicy, RowPolicy)> {
    let defaults = (batch.clone(), row.clone());
    let (policy, row) = over(py, &defaults, name, object, |settings, (policy, row)| {
        batch_settings(py, settings, policy)?;
        change_settings(settings, row)?;
        locking_setting(settings, row)?;
        changing_row(settings, row)
    })?;
    Ok((policy, row.of_row(py, None)?))
}
