//! Features of several sets into one matrix.

use std::sync::{Arc, Mutex, PoisonError};

use aero_io::{BatchRead, Bins};
use dtype_schema::{Element, Field, Schema};
use pyo3::prelude::*;
use record_decode::{Casting, Plan, RowBuffer};

use crate::args::casting::CastingArgs;
use crate::args::features::{Column, FeatureGroup, name_columns, read_features};
use crate::args::paths::path_error;
use crate::args::policy;
use crate::arrays::matrix::{MatrixArrays, number_element};
use crate::call::{Call, Completions};
use crate::core::Core;
use crate::core::warned_fields::NewFields;
use crate::keys::{KeyArena, KeyGroups};
use crate::python::errors::{io_error, param_error, schema_error};
use crate::python::once::intern;
use crate::results::group_rows::GroupRows;
use crate::results::{clock, matrix};

#[pymethods]
impl Core {
    /// `fill` has the bytes of a cell without a value.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn read_matrix(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        features: &Bound<'_, PyAny>,
        dtype: &Bound<'_, PyAny>,
        fill: &[u8],
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        out: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = policy::batch(py, &self.config.policies.batch, "batch policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        let casting = CastingArgs::read(casting, errors)?;
        let (given, mut columns): (Vec<_>, Vec<_>) = read_features(features)?
            .into_iter()
            .map(|FeatureGroup { keys, columns }| (keys, columns))
            .unzip();
        let keys = read_keys(py, &given)?;
        name_columns(py, &mut columns, |group| set_of(&keys, group, &given))?;
        let element = number_element(dtype)?;
        let layout =
            layout(py, MatrixKind { columns, element, fill: fill.into(), casting: casting.casting })?;

        let rows = keys.arenas().first().map_or(0, |arena| arena.len());
        let names = layout.names.len();
        let arrays = MatrixArrays::new(dtype, (rows, names, given.len()), &given, out)?;
        let now = clock::now();
        let buffer = |(group, (plan, first)): (usize, &(Arc<Plan>, usize))| {
            // SAFETY: `arrays` keeps the memory of the arrays alive and is their only owner, except that `out` is also
            // the caller's, who is told not to resize it or write to it during the call. The columns of a group belong
            // to no other group. `finish` owns `arrays`. It seals the buffers before it uses them; if it is dropped
            // unused, `Operation` or `wait` has sealed the buffers before.
            unsafe { RowBuffer::new(Arc::clone(plan), arrays.group(group, *first), now) }
        };
        let buffers = layout.groups.iter().enumerate().map(buffer).collect();
        let sink = Arc::new(GroupRows::new(buffers, keys.starts()));

        let bins: Vec<Bins> =
            layout.groups.iter().map(|(plan, _)| Bins::names(plan.bin_names().map(str::as_bytes))).collect();
        let bins_of_spaces = keys.groups_of_spaces().filter_map(|group| bins.get(group).cloned()).collect();
        let sizes = layout.groups.iter().map(|(plan, _)| plan.schema().itemsize());
        let row_bytes = sizes.max().unwrap_or(0);
        let request =
            BatchRead { name: "read_matrix", policy, bins_of_spaces, row_bytes, ..BatchRead::default() };
        let request = Arc::new(request);
        let future = {
            let (keys, sink) = (keys.clone(), sink.clone());
            async move {
                let keys = Arc::new(keys.batch_keys()?);
                let outcome = cluster.get().await?.batch_read(keys, request, Arc::clone(&sink)).await;
                sink.fail_rest();
                outcome
            }
        };
        let (seal, warned, coerce) = (sink.clone(), self.warned.clone(), casting.coerce);
        let finish = move |py: Python<'_>, outcome: Result<(), aero_io::Error>| {
            let mut summaries = sink.finish();
            if let Err(error) = outcome {
                return Err(io_error(py, &error));
            }
            let mut new = NewFields::default();
            for ((summary, arena), (plan, _)) in summaries.iter_mut().zip(keys.arenas()).zip(&layout.groups) {
                new.note(&warned, plan, arena.spaces(), &mut summary.missing_fields);
            }
            let result = matrix::wrap(
                py,
                arrays,
                &layout.names,
                layout.kind.columns.iter().map(Vec::len),
                &keys,
                summaries,
                coerce,
            )?;
            new.add_to(&warned);
            Ok(result)
        };
        Call::sealed_by(seal, future, finish).run(py, completions)
    }
}

/// The keys of the groups, which must be equally many.
fn read_keys(py: Python<'_>, given: &[Bound<'_, PyAny>]) -> PyResult<Arc<KeyGroups>> {
    let mut arenas: Vec<Arc<KeyArena>> = Vec::with_capacity(given.len());
    for (group, keys) in given.iter().enumerate() {
        #[allow(clippy::manual_inspect, reason = "the note may fail")]
        let arena = KeyArena::read(keys).map_err(|error| {
            let note = format!("The keys are those of features[{group}].");
            // Python 3.10 has no notes; the error says enough without.
            _ = error.value(py).call_method1(intern!(py, "add_note"), (note,));
            error
        })?;
        if let Some(first) = arenas.first().filter(|first| first.len() != arena.len()) {
            return Err(param_error(
                py,
                format!(
                    "features[{group}] has {} keys, and features[0] has {}; each group needs a key for each row of \
                     the matrix",
                    arena.len(),
                    first.len()
                ),
            ));
        }
        arenas.push(Arc::new(arena));
    }
    Ok(Arc::new(KeyGroups::new(arenas)))
}

/// The set of a group's keys, if they are of one.
fn set_of(keys: &KeyGroups, group: usize, given: &[Bound<'_, PyAny>]) -> Option<String> {
    match keys.arenas().get(group)?.spaces() {
        [(_, set)] => Some(set.clone()),
        // A `Keys` without values names its set all the same.
        [] => given.get(group)?.getattr("set").ok()?.extract().ok(),
        _ => None,
    }
}

/// What the plans of a matrix are made from.
#[derive(PartialEq)]
struct MatrixKind {
    columns: Vec<Vec<Column>>,
    element: Element,
    fill: Box<[u8]>,
    casting: Casting,
}

/// The plans of a matrix.
struct Layout {
    kind: MatrixKind,
    names: Vec<String>,
    /// The plan of each group, and its first column.
    groups: Vec<(Arc<Plan>, usize)>,
}

/// The last layout that was made: services read the same features again and again.
static LAST_LAYOUT: Mutex<Option<Arc<Layout>>> = Mutex::new(None);

fn layout(py: Python<'_>, kind: MatrixKind) -> PyResult<Arc<Layout>> {
    let last = || LAST_LAYOUT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(layout) = last().as_ref().filter(|layout| layout.kind == kind) {
        return Ok(Arc::clone(layout));
    }
    let names: Vec<String> = kind.columns.iter().flatten().map(|column| column.name.clone()).collect();
    let (mut groups, mut first) = (Vec::new(), 0);
    for columns in &kind.columns {
        let itemsize = kind.element.itemsize();
        let field =
            |(at, column): (usize, &Column)| Field::new(&column.name, at * itemsize, kind.element, &[]);
        let fields = columns.iter().enumerate().map(field).collect::<Result<_, _>>();
        let schema = fields.and_then(|fields| Schema::new(fields, columns.len() * itemsize));
        let schema = schema.map_err(|error| schema_error(&error))?;
        let paths = columns.iter().filter(|column| !column.is_plain());
        let paths = paths.map(|column| (column.name.as_str(), column.path.clone())).collect();
        let plan = Plan::with_paths(schema, kind.casting, None, paths)
            .map_err(|error| path_error(py, &error, &[]))?;
        groups.push((Arc::new(plan.with_empty(&kind.fill)), first));
        first += columns.len();
    }
    let layout = Arc::new(Layout { kind, names, groups });
    *last() = Some(Arc::clone(&layout));
    Ok(layout)
}
