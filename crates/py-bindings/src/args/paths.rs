//! `paths` and `project`: where the values of fields come from, and who picks them.

use std::fmt;

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyMapping, PyString};
use record_decode::{Path, PathError, Step};
use wire_protocol::operation::context_type;

use crate::args::convert::{items_of, one_word};
use crate::python::describe::describe;
use crate::python::errors::{param_error, schema_error, type_error};
use crate::python::once::intern;
use crate::python::text::unicode;
use crate::values::bin_name_at;

/// The `paths` argument: the paths of fields by name; none for None.
pub(crate) fn field_paths(paths: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<(String, Path)>> {
    let Some(paths) = paths.filter(|paths| !paths.is_none()) else { return Ok(Vec::new()) };
    let py = paths.py();
    if let Ok(dict) = paths.cast::<PyDict>() {
        return dict.iter().map(|(field, path)| field_path(&field, &path)).collect();
    }
    let Ok(mapping) = paths.cast::<PyMapping>() else {
        return Err(type_error(
            py,
            format!("paths is {}; it must map names of fields to paths", describe(paths)),
        ));
    };
    let pair = |item: Bound<'_, PyAny>| field_path(&item.get_item(0)?, &item.get_item(1)?);
    mapping.items()?.iter().map(pair).collect()
}

/// The path of a field, as messages begin. Formatted only for an error: paths are read in every call.
#[derive(Clone, Copy)]
struct PathOf<'a>(&'a str);

impl fmt::Display for PathOf<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "paths[{:?}]: ", self.0)
    }
}

fn field_path(field: &Bound<'_, PyAny>, path: &Bound<'_, PyAny>) -> PyResult<(String, Path)> {
    let py = field.py();
    let Ok(name) = field.cast::<PyString>() else {
        return Err(type_error(
            py,
            format!("paths has the key {}; it must be the name of a field", describe(field)),
        ));
    };
    let name = unicode(name, "the name of a field in paths")?;
    let prefix = PathOf(&name);
    if path.is_instance_of::<PyString>() || path.is_instance_of::<PyByteArray>() {
        let bin = bin_name_at(prefix, path)?.into();
        return Ok((name, Path { bin, steps: Box::default() }));
    }
    let Some(parts) = items_of(path) else {
        return Err(type_error(
            py,
            format!("paths[{name:?}] is {}; it must be a bin, or a tuple of a bin and steps", describe(path)),
        ));
    };
    let Some((bin, steps)) = parts.split_first() else {
        return Err(param_error(py, format!("paths[{name:?}] is empty; it must begin with a bin")));
    };
    let bin = bin_name_at(prefix, bin)?.into();
    let steps = read_steps(prefix, steps)?;
    Ok((name, Path { bin, steps }))
}

/// The steps of a path. `prefix` is how messages begin.
pub(super) fn read_steps(
    prefix: impl fmt::Display + Copy,
    steps: &[Bound<'_, PyAny>],
) -> PyResult<Box<[Step]>> {
    (1..).zip(steps).map(|(number, step)| read_step(prefix, number, step)).collect()
}

fn read_step(prefix: impl fmt::Display, number: usize, step: &Bound<'_, PyAny>) -> PyResult<Step> {
    let py = step.py();
    if let Ok(text) = step.cast::<PyString>() {
        return Ok(Step::Str(unicode(text, format_args!("{prefix}step {number}"))?.into()));
    }
    if let Ok(bytes) = step.cast::<PyBytes>() {
        return Ok(Step::Blob(bytes.as_bytes().into()));
    }
    if let Ok(bytes) = step.cast::<PyByteArray>() {
        return Ok(Step::Blob(bytes.to_vec().into()));
    }
    let refused = |must: &str| format!("{prefix}step {number} is {}; it must be {must}", describe(step));
    if !step.is_instance_of::<PyBool>() {
        match step.extract::<i64>() {
            Ok(index) => return Ok(Step::Int(index)),
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
                return Err(param_error(py, refused("from -2**63 to 2**63 - 1, as keys and indexes are")));
            }
            Err(_) => {}
        }
    }
    // A step of a context (`aerospike_py.cdt_ctx`).
    if let Some(id) = step.getattr_opt(intern!(py, "id"))?.and_then(|id| id.extract::<i64>().ok()) {
        if !matches!(id, context_type::MAP_KEY | context_type::LIST_INDEX) {
            return Err(param_error(
                py,
                refused("a key or an index: of cdt_ctx, cdt_ctx_map_key or cdt_ctx_list_index"),
            ));
        }
        let value = step.getattr(intern!(py, "value"))?;
        // A step has no other step inside.
        return match value.hasattr(intern!(py, "id"))? {
            false => read_step(prefix, number, &value),
            true => Err(type_error(py, refused("a key or an index"))),
        };
    }
    Err(type_error(py, refused("a str or bytes (a key of a map), or an int (a key, or an index of a list)")))
}

/// The exception of paths that do not fit the dtype with the names of its fields.
pub(crate) fn path_error(py: Python<'_>, error: &PathError, fields: &[&str]) -> PyErr {
    match error {
        PathError::Schema(error) => schema_error(error),
        PathError::UnknownField { field } => {
            let known: Vec<String> = fields.iter().take(20).map(|name| format!("{name:?}")).collect();
            let more = if fields.len() > known.len() { " ..." } else { "" };
            let known = known.join(", ");
            param_error(
                py,
                format!("paths has a path for {field:?}, which is no field; the dtype has {known}{more}"),
            )
        }
        error => param_error(py, format!("paths: {error}")),
    }
}

/// The `project` argument: whether the server picks values out of maps and lists.
pub(crate) fn is_server_side(project: &Bound<'_, PyAny>) -> PyResult<bool> {
    one_word("project", project, &[("client", false), ("server", true)])
}

/// Refuses a `project` of a query that is not that of the client.
pub(crate) fn check_query_project(project: &Bound<'_, PyAny>) -> PyResult<()> {
    if is_server_side(project)? {
        return Err(param_error(
            project.py(),
            "project is \"server\", which queries do not take: a server leaves out each record in which a value \
             cannot be picked; use \"client\", or batch_read with project=\"server\""
                .into(),
        ));
    }
    Ok(())
}
