//! Batch reads of several sets, with a dtype for each.

use std::sync::Arc;

use aero_io::{BatchRead, Bins};
use pyo3::prelude::*;
use record_decode::{Plan, RowBuffer};

use crate::args::casting::CastingArgs;
use crate::args::convert::bin_names;
use crate::args::paths::{field_paths, is_server_side, path_error};
use crate::args::policy;
use crate::arrays::dtype::{PlanArgs, read_plan};
use crate::arrays::memory::Arrays;
use crate::arrays::{as_dtype, check_apart};
use crate::call::{Call, Completions};
use crate::commands::batch_read::bins_of;
use crate::core::Core;
use crate::core::warned_fields::NewFields;
use crate::keys::{KeyArena, KeyGroups};
use crate::python::describe::describe;
use crate::python::errors::{io_error, param_error};
use crate::results::clock;
use crate::results::group_rows::GroupRows;
use crate::results::numpy_sets::{FilledSet, wrap};

/// Name, namespace, set, dtype, paths, out: see [`SetArgs`].
type SetTuple<'py> = (
    Bound<'py, PyAny>,
    Option<String>,
    String,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
    Option<Bound<'py, PyAny>>,
);

/// A set with a dtype.
struct SetArgs<'py> {
    /// What the caller calls it: the key in the result.
    name: Bound<'py, PyAny>,
    /// None: every namespace.
    namespace: Option<String>,
    /// Empty for records without a set.
    set: String,
    dtype: Bound<'py, PyAny>,
    paths: Option<Bound<'py, PyAny>>,
    out: Option<Bound<'py, PyAny>>,
}

impl<'py> From<SetTuple<'py>> for SetArgs<'py> {
    fn from((name, namespace, set, dtype, paths, out): SetTuple<'py>) -> Self {
        Self { name, namespace, set, dtype, paths, out }
    }
}

#[pymethods]
impl Core {
    #[allow(clippy::too_many_arguments)] // the command's own
    fn batch_read_sets(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        bins: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        sets: Vec<SetTuple<'_>>,
        casting: &Bound<'_, PyAny>,
        errors: &Bound<'_, PyAny>,
        project: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let sets: Vec<SetArgs<'_>> = sets.into_iter().map(SetArgs::from).collect();
        let cluster = self.cluster(py)?;
        let policy = policy::batch(py, &self.config.policies.batch, "batch policy", policy)?;
        self.config.check_replica(py, policy.limits.replica)?;
        let bins = bin_names(bins)?;
        let casting = CastingArgs::read(casting, errors)?;
        if is_server_side(project)? {
            let message = "project is \"server\", which a read of several sets does not take; use \"client\", or read \
                           each set by itself";
            return Err(param_error(py, message.into()));
        }

        let dtypes = sets.iter().map(|set| as_dtype(&set.dtype)).collect::<PyResult<Vec<_>>>()?;
        let mut plans: Vec<Arc<Plan>> = Vec::with_capacity(sets.len());
        for (set, dtype) in sets.iter().zip(&dtypes) {
            let paths = field_paths(set.paths.as_ref())?;
            let args = PlanArgs { casting: casting.casting, bins: bins.as_deref(), paths: &paths };
            plans.push(read_plan(dtype, args, |error, fields| path_error(py, error, fields))?);
        }
        let keys_of_sets = split(py, &KeyArena::read(keys)?, &sets)?;

        let given = sets.iter().enumerate();
        let outs: Vec<_> = given.filter_map(|(at, set)| Some((at, set.out.as_ref()?))).collect();
        check_apart(py, &outs, |at| sets.get(at).map_or_else(String::new, |set| describe_name(&set.name)))?;
        let mut arrays = Vec::with_capacity(sets.len());
        for (((set, dtype), plan), arena) in sets.iter().zip(&dtypes).zip(&plans).zip(keys_of_sets.arenas()) {
            arrays.push(Arrays::new(dtype, plan, arena.len(), keys, set.out.as_ref())?);
        }
        let now = clock::now();
        let buffer = |(plan, arrays): (&Arc<Plan>, &Arrays)| {
            // SAFETY: as in `batch_read`, for each of the arrays, which share no memory: those of users were checked.
            unsafe { RowBuffer::new(Arc::clone(plan), arrays.memory(), now) }
        };
        let buffers = plans.iter().zip(&arrays).map(buffer).collect();
        let sink = Arc::new(GroupRows::new(buffers, keys_of_sets.starts()));

        let reads: Vec<Bins> =
            plans.iter().map(|plan| bins_of(plan.bin_names().map(str::as_bytes))).collect();
        let of_space = |set: usize| reads.get(set).cloned().unwrap_or_default();
        let bins_of_spaces = keys_of_sets.groups_of_spaces().map(of_space).collect();
        let row_bytes = plans.iter().map(|plan| plan.schema().itemsize()).max().unwrap_or(0);
        let request = Arc::new(BatchRead { policy, bins_of_spaces, row_bytes, ..BatchRead::default() });
        let future = {
            let (keys, sink) = (keys_of_sets.clone(), sink.clone());
            async move {
                let keys = Arc::new(keys.batch_keys()?);
                let outcome = cluster.get().await?.batch_read(keys, request, Arc::clone(&sink)).await;
                sink.fail_rest();
                outcome
            }
        };
        let names: Vec<Py<PyAny>> = sets.into_iter().map(|set| set.name.unbind()).collect();
        let (seal, warned, coerce) = (sink.clone(), self.warned.clone(), casting.coerce);
        let finish = move |py: Python<'_>, outcome: Result<(), aero_io::Error>| {
            let summaries = sink.finish();
            if let Err(error) = outcome {
                return Err(io_error(py, &error));
            }
            let mut new = NewFields::default();
            let mut filled = Vec::with_capacity(names.len());
            let parts = names.into_iter().zip(arrays).zip(plans).zip(keys_of_sets.arenas()).zip(summaries);
            for ((((name, arrays), plan), arena), mut summary) in parts {
                new.note(&warned, &plan, arena.spaces(), &mut summary.missing_fields);
                filled.push(FilledSet { name, arrays, arena: arena.clone(), plan, summary });
            }
            let result = wrap(py, filled, coerce)?;
            new.add_to(&warned);
            Ok(result)
        };
        Call::sealed_by(seal, future, finish).run(py, completions)
    }
}

fn describe_name(name: &Bound<'_, PyAny>) -> String {
    name.repr().map_or_else(|_| "?".into(), |text| text.to_string())
}

/// The keys of each set, in their order.
fn split(py: Python<'_>, keys: &KeyArena, sets: &[SetArgs<'_>]) -> PyResult<Arc<KeyGroups>> {
    let mut set_of_space = Vec::with_capacity(keys.spaces().len());
    for (space, (namespace, set)) in keys.spaces().iter().enumerate() {
        let of = |wanted: Option<&String>| {
            sets.iter().position(|args| args.set == *set && args.namespace.as_ref() == wanted)
        };
        let Some(found) = of(Some(namespace)).or_else(|| of(None)) else {
            let row = (0..keys.len()).find(|&row| keys.space_index(row) == space).unwrap_or(0);
            let known: Vec<String> = sets.iter().map(|args| describe(&args.name)).collect();
            let named = if set.is_empty() { "no set".into() } else { format!("set {set:?}") };
            return Err(param_error(
                py,
                format!(
                    "keys[{row}] is of {named} in namespace {namespace:?}, which _dtype has no dtype for; it has {}",
                    known.join(", ")
                ),
            ));
        };
        set_of_space.push(found);
    }
    if let Some(row) = keys.wrong_digest() {
        return Err(param_error(
            py,
            format!("keys[{row}]: its digest does not match its primary key and set; leave one out"),
        ));
    }
    let count = sets.len();
    let parts = py.detach(|| keys.split(&set_of_space, count));
    Ok(Arc::new(KeyGroups::new(parts.into_iter().map(Arc::new).collect())))
}
