//! What a row of a batch does: read, operate, remove or apply a function, from the arguments of a command or from the
//! `Read`, `Write`, `Remove` and `Apply` objects of `batch_write`.

use aero_io::{BatchPolicy, Function, RowAttributes};
use pyo3::prelude::*;
use wire_protocol::command::WriteOptions;
use wire_protocol::message::info1;

use crate::args::config::Config;
use crate::args::function::{self, For};
use crate::args::operations::{self, Operations};
use crate::args::policy::{self, RowPolicy};
use crate::args::settings::Settings;
use crate::python::describe::describe;
use crate::python::errors::{param_error, request_error, type_error};
use crate::python::once::intern;

/// What a row does, and what a request says of it.
pub(crate) struct RowCommand {
    attributes: RowAttributes<'static>,
    pub(crate) operations: Operations,
    pub(crate) send_key: bool,
    pub(crate) writes: bool,
    /// A filter expression of the row's own; empty for that of the batch.
    filter: Vec<u8>,
}

impl RowCommand {
    pub(crate) fn attributes(&self) -> RowAttributes<'_> {
        self.attributes.with_filter(&self.filter)
    }

    /// The size of what the row has beside its key.
    pub(crate) fn size(&self) -> usize {
        self.operations.encoded.bytes.len() + self.filter.len()
    }

    /// Operations, some of which may read.
    pub(crate) fn operate(
        py: Python<'_>,
        operations: Operations,
        row: &RowPolicy,
        parent: &BatchPolicy,
    ) -> PyResult<Self> {
        if !operations.writes {
            return Ok(Self::read(operations, parent, row.filter.clone()));
        }
        let ttl = operations.ttl.unwrap_or(row.options.ttl);
        let options = WriteOptions { ttl, ..row.options };
        let attributes =
            RowAttributes::write(&options, operations.reads).map_err(|error| request_error(py, &error))?;
        let filter = row.filter.clone();
        Ok(Self { attributes, operations, send_key: row.send_key, writes: true, filter })
    }

    pub(crate) fn remove(py: Python<'_>, row: &RowPolicy) -> PyResult<Self> {
        let attributes = RowAttributes::delete(&row.options).map_err(|error| request_error(py, &error))?;
        let (operations, filter) = (Operations::default(), row.filter.clone());
        Ok(Self { attributes, operations, send_key: row.send_key, writes: true, filter })
    }

    /// A function. Its call stands in the place of operations.
    pub(crate) fn apply(py: Python<'_>, function: &Function, row: &RowPolicy) -> PyResult<Self> {
        let attributes = RowAttributes::apply(&row.options).map_err(|error| request_error(py, &error))?;
        let mut operations = Operations::default();
        function.call().write_fields(&mut operations.encoded.bytes);
        let filter = row.filter.clone();
        Ok(Self { attributes, operations, send_key: row.send_key, writes: true, filter })
    }

    /// Operations that only read. Without any, all bins if `operations.all_bins`, else none.
    pub(crate) fn read(operations: Operations, parent: &BatchPolicy, filter: Vec<u8>) -> Self {
        let bits = match (operations.all_bins, operations.encoded.count) {
            (true, _) => info1::GET_ALL,
            (false, 0) => info1::NO_BINS,
            _ => 0,
        };
        let mut attributes = parent.reads.row_attributes(bits);
        if operations.responds_to_all {
            attributes = attributes.responding_to_all();
        }
        Self { attributes, operations, send_key: false, writes: false, filter }
    }

    /// Reads a row object of `batch_write`.
    pub(crate) fn from_object(
        object: &Bound<'_, PyAny>,
        config: &Config,
        parent: &BatchPolicy,
    ) -> PyResult<Self> {
        let py = object.py();
        let kind = object.getattr_opt(intern!(py, "kind"))?.and_then(|kind| kind.extract::<String>().ok());
        let policies = &config.policies;
        let attribute = |name| Ok::<_, PyErr>(object.getattr_opt(name)?.filter(|value| !value.is_none()));
        match kind.as_deref() {
            Some("write") => {
                let operations =
                    operations::encode_list(&object.getattr(intern!(py, "ops"))?, config.values())?;
                if !operations.writes {
                    return Err(param_error(py, "a Write has only reads; use Read for them".into()));
                }
                let given = attribute(intern!(py, "policy"))?;
                let row = policy::row_write(py, &policies.batch_write, "batch write policy", given.as_ref())?;
                let row = row.of_row(py, attribute(intern!(py, "meta"))?.as_ref())?;
                Self::operate(py, operations, &row, parent)
            }
            Some("remove") => {
                let given = attribute(intern!(py, "policy"))?;
                let row =
                    policy::row_remove(py, &policies.batch_remove, "batch remove policy", given.as_ref())?;
                Self::remove(py, &row.of_row(py, None)?)
            }
            Some("apply") => {
                let given = attribute(intern!(py, "policy"))?;
                let row = policy::row_apply(py, &policies.batch_apply, "batch apply policy", given.as_ref())?;
                let function = function::function(
                    &object.getattr(intern!(py, "module"))?,
                    &object.getattr(intern!(py, "function"))?,
                    attribute(intern!(py, "args"))?.as_ref(),
                    config.bools,
                    For::Records,
                )?;
                Self::apply(py, &function, &row.of_row(py, None)?)
            }
            Some("read") => {
                let all_bins = object.getattr(intern!(py, "read_all_bins"))?;
                let all_bins = all_bins.is_truthy().map_err(|_| {
                    type_error(py, format!("read_all_bins is {}; it must be a bool", describe(&all_bins)))
                })?;
                let list = attribute(intern!(py, "ops"))?;
                let given = attribute(intern!(py, "policy"))?;
                let (modes, filter) = policy::row_read(py, parent, "batch read policy", given.as_ref())?;
                if let Some(settings) = Settings::new(py, "meta", attribute(intern!(py, "meta"))?.as_ref())? {
                    settings.finish()?;
                }
                // An empty list, as None, reads no bins.
                let is_empty = |list: &Bound<'_, PyAny>| list.len().is_ok_and(|len| len == 0);
                let operations = match list.filter(|list| !is_empty(list)) {
                    Some(_) if all_bins => {
                        let message = "a Read has ops and read_all_bins; choose one of them";
                        return Err(param_error(py, message.into()));
                    }
                    Some(list) => operations::encode_list(&list, config.values())?,
                    None => Operations { all_bins, ..Operations::default() },
                };
                if operations.writes {
                    return Err(param_error(
                        py,
                        "a Read has operations that write; use Write for them".into(),
                    ));
                }
                Ok(Self::read(operations, &modes, filter))
            }
            _ => {
                let found = describe(object);
                Err(type_error(
                    py,
                    format!("it is {found}; it must be a Write, Read, Remove or Apply of aerospike_py.batch"),
                ))
            }
        }
    }
}
