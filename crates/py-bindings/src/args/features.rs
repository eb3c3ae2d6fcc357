//! The `features` argument: groups of keys and columns, which become one matrix.

use std::collections::HashMap;
use std::fmt;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use record_decode::{Path, Step};

use crate::args::convert::{items_of, text};
use crate::args::paths::read_steps;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};
use crate::values::bin_name_at;

/// A column of a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) path: Path,
}

impl Column {
    /// Whether it is the value of the bin of its name.
    pub(crate) fn is_plain(&self) -> bool {
        self.path.steps.is_empty() && *self.path.bin == *self.name
    }
}

/// Keys, and the columns that are read of their records.
pub(crate) struct FeatureGroup<'py> {
    pub(crate) keys: Bound<'py, PyAny>,
    pub(crate) columns: Vec<Column>,
}

/// A column, as messages begin.
#[derive(Clone, Copy)]
struct ColumnAt(usize, usize);

impl fmt::Display for ColumnAt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "features[{}]: columns[{}]: ", self.0, self.1)
    }
}

/// Reads the `features` argument.
pub(crate) fn read_features<'py>(features: &Bound<'py, PyAny>) -> PyResult<Vec<FeatureGroup<'py>>> {
    let py = features.py();
    let Some(groups) = items_of(features) else {
        return Err(type_error(
            py,
            format!("features is {}; it must be a list of (keys, columns) pairs", describe(features)),
        ));
    };
    if groups.is_empty() {
        return Err(param_error(
            py,
            "features is empty; it must have at least one (keys, columns) pair".into(),
        ));
    }
    groups.iter().enumerate().map(|(at, group)| read_group(at, group)).collect()
}

fn read_group<'py>(at: usize, group: &Bound<'py, PyAny>) -> PyResult<FeatureGroup<'py>> {
    let py = group.py();
    let Some([keys, columns]) = items_of(group).and_then(|parts| <[_; 2]>::try_from(parts).ok()) else {
        return Err(type_error(
            py,
            format!("features[{at}] is {}; it must be a pair of keys and columns", describe(group)),
        ));
    };
    let Some(columns) = items_of(&columns) else {
        return Err(type_error(
            py,
            format!("features[{at}]: columns is {}; it must be a list of bins and paths", describe(&columns)),
        ));
    };
    if columns.is_empty() {
        return Err(param_error(py, format!("features[{at}] has no columns; name at least one bin")));
    }
    let columns = columns.iter().enumerate().map(|(column, item)| read_column(ColumnAt(at, column), item));
    Ok(FeatureGroup { keys, columns: columns.collect::<PyResult<_>>()? })
}

fn read_column(at: ColumnAt, column: &Bound<'_, PyAny>) -> PyResult<Column> {
    let py = column.py();
    if column.is_instance_of::<PyString>() {
        let name = bin_name_at(at, column)?;
        let path = Path { bin: name.as_str().into(), steps: Box::default() };
        return Ok(Column { name, path });
    }
    let Ok(parts) = column.cast::<PyTuple>() else {
        return Err(type_error(
            py,
            format!(
                "{at}it is {}; it must be a bin, a path (bin, step, ...) or (name, path)",
                describe(column)
            ),
        ));
    };
    if parts.len() == 2
        && let Ok(path) = parts.get_item(1)?.cast::<PyTuple>()
    {
        let name = text(&format!("{at}its name"), &parts.get_item(0)?)?;
        if name.is_empty() {
            return Err(param_error(py, format!("{at}its name is empty; a column of a table needs one")));
        }
        return Ok(Column { name, path: read_path(at, path)? });
    }
    let path = read_path(at, parts)?;
    Ok(Column { name: dotted(&path), path })
}

fn read_path(at: ColumnAt, path: &Bound<'_, PyTuple>) -> PyResult<Path> {
    let parts: Vec<_> = path.iter().collect();
    let Some((bin, steps)) = parts.split_first() else {
        return Err(param_error(path.py(), format!("{at}its path is empty; it must begin with a bin")));
    };
    Ok(Path { bin: bin_name_at(at, bin)?.into(), steps: read_steps(at, steps)? })
}

/// The name of a path: its bin and steps.
fn dotted(path: &Path) -> String {
    let mut name = path.bin.to_string();
    for step in &path.steps {
        name.push('.');
        match step {
            Step::Str(text) => name.push_str(text),
            Step::Blob(bytes) => name.push_str(&String::from_utf8_lossy(bytes)),
            Step::Int(number) => name.push_str(&number.to_string()),
        }
    }
    name
}

/// Puts `set.` in front of names that several columns have. `set_of` has the set of each group, if it is of one.
pub(crate) fn name_columns(
    py: Python<'_>,
    groups: &mut [Vec<Column>],
    set_of: impl Fn(usize) -> Option<String>,
) -> PyResult<()> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for column in groups.iter().flatten() {
        *counts.entry(column.name.clone()).or_default() += 1;
    }
    if counts.values().all(|&count| count == 1) {
        return Ok(());
    }
    for (group, columns) in groups.iter_mut().enumerate() {
        let set = set_of(group).filter(|set| !set.is_empty());
        for column in columns.iter_mut().filter(|column| counts.get(&column.name).is_some_and(|&n| n > 1)) {
            if let Some(set) = &set {
                column.name = format!("{set}.{}", column.name);
            }
        }
    }
    let mut seen = HashMap::new();
    for (group, columns) in groups.iter().enumerate() {
        for column in columns {
            if let Some(first) = seen.insert(&column.name, group) {
                return Err(param_error(
                    py,
                    format!(
                        "features[{first}] and features[{group}] both have a column {:?}; give one another name, \
                         as (name, path)",
                        column.name
                    ),
                ));
            }
        }
    }
    Ok(())
}
