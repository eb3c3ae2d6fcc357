//! Policies of a batch's rows.

use aero_io::{BatchPolicy, Exists, Generation};
use pyo3::prelude::*;

use super::{ON_LOCKING_ONLY, Write, batch_settings, change_settings, conclude, read_modes, row_settings};
use crate::settings::Settings;

/// What a row of a batch has, beside its operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowPolicy {
    pub(crate) ttl: u32,
    pub(crate) exists: Exists,
    pub(crate) generation: Generation,
    pub(crate) commit_master: bool,
    pub(crate) durable_delete: bool,
    pub(crate) send_key: bool,
}

impl Write {
    /// What a row needs of it, with the row's `meta`.
    pub(crate) fn of_row(self, py: Python<'_>, meta: Option<&Bound<'_, PyAny>>) -> PyResult<RowPolicy> {
        let send_key = self.send_key;
        let policy = self.with_meta(py, meta)?;
        Ok(RowPolicy {
            ttl: policy.ttl,
            exists: policy.exists,
            generation: policy.generation,
            commit_master: policy.commit_master,
            durable_delete: policy.durable_delete,
            send_key,
        })
    }
}

/// The policy of rows that write, over its defaults.
pub(crate) fn row_write(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    let mut write = defaults.clone();
    let Some(mut settings) = Settings::new(py, name, object)? else { return Ok(write) };
    change_settings(&mut settings, &mut write)?;
    end_of_row(settings, &mut write)?;
    Ok(write)
}

/// The policy of rows that delete, over its defaults.
pub(crate) fn row_remove(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    let mut write = defaults.clone();
    let Some(settings) = Settings::new(py, name, object)? else { return Ok(write) };
    end_of_row(settings, &mut write)?;
    Ok(write)
}

/// Takes what all rows have that change their records.
fn end_of_row(mut settings: Settings<'_>, write: &mut Write) -> PyResult<()> {
    row_settings(&mut settings, write)?;
    if let Some(generation) = settings.count("generation")? {
        write.generation = Some(generation);
    }
    settings.not_supported(&[ON_LOCKING_ONLY])?;
    conclude(settings)
}

/// The policy of a row that reads: the batch's, with modes of its own.
pub(crate) fn row_read(
    py: Python<'_>,
    parent: &BatchPolicy,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<BatchPolicy> {
    let mut policy = parent.clone();
    let Some(mut settings) = Settings::new(py, name, object)? else { return Ok(policy) };
    read_modes(
        &mut settings,
        &mut policy.read_mode_ap,
        &mut policy.read_mode_sc,
        &mut policy.read_touch_ttl_percent,
    )?;
    conclude(settings)?;
    Ok(policy)
}

/// The policy of a batch and that of its rows, which write, in one dictionary.
pub(crate) fn batch_with_row(
    py: Python<'_>,
    batch: &BatchPolicy,
    row: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<(BatchPolicy, RowPolicy)> {
    let (mut policy, mut row) = (batch.clone(), row.clone());
    if let Some(mut settings) = Settings::new(py, name, object)? {
        batch_settings(py, &mut settings, &mut policy)?;
        change_settings(&mut settings, &mut row)?;
        end_of_row(settings, &mut row)?;
    }
    Ok((policy, row.of_row(py, None)?))
}
