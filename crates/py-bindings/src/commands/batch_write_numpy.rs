//! Batch writes from an array: each row is a record, each field a bin.

use std::sync::Arc;

use aero_io::{BatchOperate, BatchWriter, OperateRow, RowAttributes, RowHead, RowOps};
use pyo3::prelude::*;
use record_decode::{BytesAs, EncodeOptions, EncodePlan};

use crate::args::convert::one_word;
use crate::args::policy;
use crate::arrays::dtype::read_schema;
use crate::arrays::memory::{ArrayRows, result_arrays};
use crate::call::{Call, Completions, or_raise};
use crate::core::Core;
use crate::keys::{KeyArena, KeyTable};
use crate::python::errors::{param_error, request_error, schema_error};
use crate::python::package::from_package;
use crate::results::sinks::CodeRows;
use crate::values::Bools;

struct WrittenRows {
    array: ArrayRows,
    plan: EncodePlan,
    /// One byte per row and field of the plan's schema: whether it is written. None: all are.
    present: Option<Vec<u8>>,
    arena: Arc<KeyArena>,
    attributes: RowAttributes<'static>,
    send_key: bool,
}

impl WrittenRows {
    fn presence(&self, row: usize) -> Option<&[u8]> {
        let width = self.plan.schema().fields().len();
        self.present.as_ref().map(|bytes| &bytes[row * width..(row + 1) * width])
    }

    /// Refuses values that no bin can hold, before anything is sent.
    fn check(&self) -> Result<(), aero_io::Error> {
        if !self.plan.needs_check() {
            return Ok(());
        }
        for row in 0..self.arena.len() {
            let presence = self.presence(row);
            let is_present = |field: usize| presence.is_none_or(|bytes| bytes[field] != 0);
            self.array
                .with_row(row, |bytes| self.plan.check_row(row, bytes, is_present))
                .map_err(unwritable)?;
        }
        Ok(())
    }
}

fn unwritable(error: record_decode::Unwritable) -> aero_io::Error {
    aero_io::Error::Param { what: format!("data: {error}") }
}

impl RowOps for WrittenRows {
    fn head(&self, row: usize) -> RowHead<'_> {
        let send_key = if self.send_key { self.arena.user_key(row) } else { None };
        RowHead { attributes: self.attributes, send_key }
    }

    fn writes(&self, _row: usize) -> bool {
        true
    }

    fn is_empty(&self, row: usize) -> bool {
        self.presence(row).is_some_and(|bytes| bytes.iter().all(|&byte| byte == 0))
    }

    fn size(&self, row: usize) -> usize {
        self.plan.max_size() + self.arena.key_size(row)
    }

    fn write<'r>(
        &'r self,
        row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), aero_io::Error> {
        let presence = self.presence(row);
        let is_present = |field: usize| presence.is_none_or(|bytes| bytes[field] != 0);
        writer.row_with(head, |out| {
            self.array
                .with_row(row, |bytes| self.plan.write_row(row, bytes, is_present, out))
                .map_err(unwritable)
        })
    }
}

#[pymethods]
impl Core {
    /// `dtype` has the fields of `data` that are written; `present` has one byte per row and field of it.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn batch_write_numpy(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        data: &Bound<'_, PyAny>,
        dtype: &Bound<'_, PyAny>,
        keys: &Bound<'_, PyAny>,
        present: Option<Vec<u8>>,
        strings_as: &Bound<'_, PyAny>,
        arrays_as: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policies = &self.config.policies;
        let (policy, row) = policy::batch_with_row(
            py,
            &policies.batch_parent_write,
            &policies.batch_write,
            "batch write policy",
            policy,
        )?;
        self.config.check_replica(py, policy.limits.replica)?;
        let attributes =
            RowAttributes::write(&row.options, false).map_err(|error| request_error(py, &error))?;
        let plan = EncodePlan::new(
            read_schema(dtype)?,
            encode_options(strings_as, arrays_as, self.config.bools)?,
            |_| true,
        )
        .map_err(|error| schema_error(&error))?;
        let arena = Arc::new(KeyArena::read(keys)?);
        let array = ArrayRows::new(data, plan.schema().itemsize(), arena.len())?;
        let width = plan.schema().fields().len();
        if present.as_ref().is_some_and(|bytes| bytes.len() != arena.len() * width) {
            return Err(param_error(py, format!("present must have {} rows of {width} fields", arena.len())));
        }
        let codes = Arc::new(CodeRows::new(arena.len()));
        let future = {
            let (arena, codes) = (arena.clone(), codes.clone());
            async move {
                let keys = Arc::new(arena.batch_keys()?);
                let rows = WrittenRows { array, plan, present, arena, attributes, send_key: row.send_key };
                rows.check()?;
                let batch = BatchOperate { name: "batch_write_numpy", ops: Arc::new(rows), policy };
                cluster.get().await?.batch_operate(keys, batch, codes).await
            }
        };
        let finish = or_raise(move |py, ()| {
            let (codes, in_doubt) = codes.finish();
            let arrays = result_arrays(py, codes, in_doubt)?;
            let made = from_package!(py, "finish_batch_write")?.call1((
                arrays.0,
                arrays.1,
                Py::new(py, KeyTable(arena))?,
            ))?;
            Ok(made.unbind())
        });
        Call::new(future, finish).that_writes(true).run(py, completions)
    }
}

fn encode_options(
    strings_as: &Bound<'_, PyAny>,
    arrays_as: &Bound<'_, PyAny>,
    bools: Bools,
) -> PyResult<EncodeOptions> {
    let bytes_as = one_word("strings_as", strings_as, &[("str", BytesAs::Text), ("blob", BytesAs::Blob)])?;
    let arrays_as_lists = one_word("arrays_as", arrays_as, &[("blob", false), ("list", true)])?;
    Ok(EncodeOptions { bytes_as, arrays_as_lists, bools_as_integers: bools == Bools::AsInteger })
}
