//! The results of operations on many records, as the fields of an array.

use std::collections::HashSet;
use std::sync::Arc;

use aero_io::{BatchOperate, BatchPolicy};
use pyo3::prelude::*;
use record_decode::{Path, RowBuffer};

use crate::args::casting::CastingArgs;
use crate::args::convert::{items_of, text};
use crate::args::operations::Operations;
use crate::args::row_command::RowCommand;
use crate::arrays::as_dtype;
use crate::arrays::dtype::{PlanArgs, read_plan};
use crate::arrays::memory::Arrays;
use crate::call::{Call, Completions};
use crate::commands::batch_operate::RowCommands;
use crate::core::Core;
use crate::keys::KeyArena;
use crate::python::describe::describe;
use crate::python::errors::{io_error, param_error, type_error};
use crate::python::once::intern;
use crate::results::sinks::{NO_RESPONSE, NumpyRows, OperationRows};
use crate::results::{clock, numpy_batch};

/// Where the results go: the arguments of the call that are about the array.
pub(super) struct ArrayArgs<'a, 'py> {
    pub(super) keys: &'a Bound<'py, PyAny>,
    pub(super) dtype: &'a Bound<'py, PyAny>,
    pub(super) fields: Option<&'a Bound<'py, PyAny>>,
    pub(super) casting: CastingArgs,
    pub(super) out: Option<&'a Bound<'py, PyAny>>,
}

impl ArrayArgs<'_, '_> {
    /// The field of each operation's result.
    pub(super) fn fields(&self, operations: &Operations) -> PyResult<Vec<Option<String>>> {
        let py = self.dtype.py();
        let names = as_dtype(self.dtype)?.getattr(intern!(py, "names"))?;
        let names: Vec<String> = if names.is_none() { Vec::new() } else { names.extract()? };
        let bins = operations.bins();
        let fields = match self.fields.filter(|fields| !fields.is_none()) {
            // By default, each result goes to the field that has the name of the bin.
            None => bins.map(|bin| Some(bin).filter(|bin| names.contains(bin))).collect(),
            Some(fields) => named_fields(fields, operations.encoded.count.into(), &names)?,
        };
        let mut seen = HashSet::new();
        for (position, field) in fields.iter().enumerate() {
            let Some(field) = field else { continue };
            if !seen.insert(field) {
                let first = fields.iter().position(|other| other.as_ref() == Some(field)).unwrap_or(0);
                let message = format!(
                    "operations[{first}] and operations[{position}] both fill field {field:?}; pass fields=[...] with \
                     a field or None for each operation"
                );
                return Err(param_error(py, message));
            }
        }
        if let Some(unfilled) = names.iter().find(|name| !seen.contains(name)) {
            let message = format!(
                "no operation fills field {unfilled:?}; name the bins like the fields, or pass fields=[...] with a \
                 field or None for each operation"
            );
            return Err(param_error(py, message));
        }
        Ok(fields)
    }
}

/// The `fields` argument.
fn named_fields(fields: &Bound<'_, PyAny>, count: usize, names: &[String]) -> PyResult<Vec<Option<String>>> {
    let py = fields.py();
    let Some(items) = items_of(fields) else {
        let found = describe(fields);
        return Err(type_error(
            py,
            format!("fields is {found}; it must be a list of a field or None per operation"),
        ));
    };
    if items.len() != count {
        let message = format!(
            "fields has {} items for {count} operations; it must have a field or None for each of them",
            items.len()
        );
        return Err(param_error(py, message));
    }
    let named = |(position, item): (usize, &Bound<'_, PyAny>)| {
        if item.is_none() {
            return Ok(None);
        }
        let name = text(&format!("fields[{position}]"), item)?;
        if names.contains(&name) {
            return Ok(Some(name));
        }
        Err(param_error(py, format!("fields[{position}] is {name:?}, which is no field of the dtype")))
    };
    items.iter().enumerate().map(named).collect()
}

impl Core {
    /// Carries out operations that are the same for all rows, and reads their results into an array.
    pub(super) fn operate_into_numpy(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        args: &ArrayArgs<'_, '_>,
        fields: &[Option<String>],
        command: RowCommand,
        policy: BatchPolicy,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let dtype = as_dtype(args.dtype)?;
        // Operations answer in their order. The position of each is the name of the bin that its field comes from.
        let paths: Vec<(String, Path)> = fields
            .iter()
            .enumerate()
            .filter_map(|(position, field)| {
                let bin = position.to_string().into();
                Some((field.clone()?, Path { bin, steps: Box::default() }))
            })
            .collect();
        let plan_args = PlanArgs { casting: args.casting.casting, bins: None, paths: &paths };
        let plan = read_plan(&dtype, plan_args, |error, _| param_error(py, error.to_string()))?;
        let arena = Arc::new(KeyArena::read(args.keys)?);
        let arrays = Arrays::new(&dtype, &plan, arena.len(), args.keys, args.out)?;
        // SAFETY: `arrays` keeps the memory of the three arrays alive and is their only owner, except that `out` is
        // also the caller's, who is told not to resize it or write to it during the call. `finish` owns `arrays`. It
        // seals the buffer before it uses them; if it is dropped unused, `Operation` or `wait` has sealed the buffer
        // before.
        let buffer = unsafe { RowBuffer::new(plan.clone(), arrays.memory(), clock::now()) };
        let used: Vec<bool> = fields.iter().map(Option::is_some).collect();
        let rows = Arc::new(OperationRows::new(NumpyRows(buffer), &used));
        let writes = command.writes;
        let ops = Arc::new(RowCommands::one(arena.clone(), command));
        let future = {
            let (arena, rows) = (arena.clone(), rows.clone());
            async move {
                let keys = Arc::new(arena.batch_keys()?);
                let batch = BatchOperate { name: "batch_operate", ops, policy };
                let outcome = cluster.get().await?.batch_operate(keys, batch, Arc::clone(&rows)).await;
                // Every row is answered or given up by now. If one were not, its memory would never have been written.
                rows.buffer().fail_rest(NO_RESPONSE);
                outcome
            }
        };
        let (seal, coerce) = (rows.clone(), args.casting.coerce);
        let finish = move |py: Python<'_>, outcome: Result<(), aero_io::Error>| {
            let mut summary = rows.buffer().finish();
            if let Err(error) = outcome {
                return Err(io_error(py, &error));
            }
            // A field without a value is no mistyped name here: its operation had no result.
            summary.missing_fields.clear();
            numpy_batch::wrap(py, arrays, arena, None, summary, coerce)
        };
        Call::sealed_by(seal, future, finish).that_writes(writes).run(py, completions)
    }
}
