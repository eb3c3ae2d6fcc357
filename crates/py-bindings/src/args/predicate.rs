//! Predicates of queries: the tuples that `aerospike_py.predicates` and the official client make.

use std::sync::Arc;

use aero_io::{IndexedValues, Predicate, PredicateIndex, ValueRange};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyInt, PyString, PyTuple};
use wire_protocol::WireError;

use crate::args::convert::{text, whole_number};
use crate::args::expression;
use crate::args::operations::encode_context;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};
use crate::python::text::unicode;
use crate::values::{Bools, bin_name};

/// The operators of predicates.
const EQUALS: i64 = 0;
const BETWEEN: i64 = 1;

/// The data types of indexes, by the official client's `INDEX_*` constants.
const STRING: i64 = 0;
const INTEGER: i64 = 1;
const GEO: i64 = 2;
const BLOB: i64 = 3;
const NUMERIC: i64 = 4;

/// A predicate that was checked, and the way to its index.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryPredicate(pub(crate) Arc<Predicate>);

#[pymethods]
impl QueryPredicate {
    /// The predicate of a query. `way` is how its index is found: `where` by its bin and `argument`, a context or None;
    /// `where_with_index_name` and `where_with_expr` by `argument`.
    #[new]
    fn new(way: &str, predicate: &Bound<'_, PyAny>, argument: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let py = predicate.py();
        let parts = Parts::read(predicate)?;
        let index = match (way, argument) {
            ("where_with_index_name", Some(name)) => {
                let name = text("index_name", name)?;
                check_index_name(py, &name)?;
                PredicateIndex::Name(name.into_bytes().into())
            }
            ("where_with_expr", Some(expr)) => {
                PredicateIndex::Expression(expression::encode("expr", expr, Bools::default())?.into())
            }
            (_, context) => {
                let Some(bin) = parts.bin else {
                    let message = "predicate has no bin; name the bin, or use where_with_index_name() or \
                                   where_with_expr()";
                    return Err(param_error(py, message.into()));
                };
                let context = match context {
                    Some(context) => encode_context("where", context, Bools::default())?,
                    None => Vec::new(),
                };
                PredicateIndex::Bin { bin: bin.into_bytes().into(), context: context.into() }
            }
        };
        let predicate = Predicate { index, values: parts.values, range: parts.range };
        predicate.check().map_err(|error| refused(py, &error))?;
        Ok(Self(Arc::new(predicate)))
    }
}

fn refused(py: Python<'_>, error: &WireError) -> PyErr {
    let message = match error {
        WireError::Malformed { why, .. } => format!("predicate is refused: {why}"),
        error => format!("predicate is refused: {error}"),
    };
    param_error(py, message)
}

/// Refuses the name of an index that info commands cannot hold.
pub(crate) fn check_index_name(py: Python<'_>, name: &str) -> PyResult<()> {
    const MOST: usize = 63;
    if name.is_empty() || name.len() > MOST || name.contains([';', ':', '=', '\n', '\t']) {
        let message = format!(
            "the name of an index is {name:?}; it must have 1 to {MOST} bytes, without ; : = tabs or line breaks"
        );
        return Err(param_error(py, message));
    }
    Ok(())
}

/// What the tuple of a predicate holds.
struct Parts {
    bin: Option<String>,
    values: IndexedValues,
    range: ValueRange,
}

impl Parts {
    fn read(predicate: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = predicate.py();
        let wrong = || {
            let found = describe(predicate);
            type_error(
                py,
                format!(
                    "predicate is {found}; it must be one that aerospike_py.predicates makes, such as equals(\"n\", 1)"
                ),
            )
        };
        let tuple = predicate.cast::<PyTuple>().map_err(|_| wrong())?;
        let part = |at: usize| tuple.get_item(at).ok().filter(|part| !part.is_none());
        let number = |at: usize| part(at).as_ref().and_then(whole_number);
        let (Some(operator), Some(data_type)) = (number(0), number(1)) else { return Err(wrong()) };
        if tuple.len() < 4 || tuple.len() > 6 || ![EQUALS, BETWEEN].contains(&operator) {
            return Err(wrong());
        }
        let values = match part(5) {
            None => IndexedValues::Whole,
            Some(kind) => index_type("index_type", &kind)?,
        };
        let bin = part(2).as_ref().map(bin_name).transpose()?;
        let value = tuple.get_item(3)?;
        let range = match (operator, data_type) {
            (EQUALS, NUMERIC | INTEGER) => {
                let value = integer("val", &value)?;
                ValueRange::Integers(value, value)
            }
            (EQUALS, STRING) => match value.cast::<PyString>() {
                Ok(value) => ValueRange::Text(unicode(value, "val")?.into_bytes().into()),
                Err(_) => return Err(wrong()),
            },
            (EQUALS, BLOB) => match (value.cast::<PyBytes>(), value.cast::<PyByteArray>()) {
                (Ok(bytes), _) => ValueRange::Blob(bytes.as_bytes().into()),
                (_, Ok(bytes)) => ValueRange::Blob(bytes.to_vec().into()),
                _ => return Err(wrong()),
            },
            (BETWEEN, NUMERIC | INTEGER) => {
                let (least, most) = (integer("min", &value)?, integer("max", &tuple.get_item(4)?)?);
                if least > most {
                    let message = format!("min is {least} and max is {most}; min must not be above max");
                    return Err(param_error(py, message));
                }
                ValueRange::Integers(least, most)
            }
            (BETWEEN, GEO) => ValueRange::GeoJson(text("GeoJSON", &value)?.into_bytes().into()),
            _ => return Err(wrong()),
        };
        Ok(Self { bin, values, range })
    }
}

fn integer(what: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    // The official client takes a bool for the int that it is.
    value.extract::<i64>().map_err(|_| {
        let message = format!("{what} is {}; it must be a whole number of 64 bits", describe(value));
        if value.is_instance_of::<PyInt>() {
            param_error(value.py(), message)
        } else {
            type_error(value.py(), message)
        }
    })
}

/// One of the `INDEX_TYPE_*` constants.
pub(crate) fn index_type(what: &str, value: &Bound<'_, PyAny>) -> PyResult<IndexedValues> {
    let number = whole_number(value);
    let found = number
        .and_then(|number| usize::try_from(number).ok())
        .and_then(|number| IndexedValues::ALL.get(number).copied());
    found.ok_or_else(|| {
        let message = format!("{what} is {}; it must be one of the INDEX_TYPE_* constants", describe(value));
        if number.is_some() { param_error(value.py(), message) } else { type_error(value.py(), message) }
    })
}

/// The name of one of the `INDEX_*` constants for data types in info commands.
pub(crate) fn index_data_type(value: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    let number = whole_number(value);
    match number {
        Some(STRING) => Ok("STRING"),
        Some(INTEGER | NUMERIC) => Ok("NUMERIC"),
        Some(GEO) => Ok("GEO2DSPHERE"),
        Some(BLOB) => Ok("BLOB"),
        _ => {
            let message = format!(
                "index_datatype is {}; it must be INDEX_NUMERIC, INDEX_STRING, INDEX_BLOB or INDEX_GEO2DSPHERE",
                describe(value)
            );
            Err(if number.is_some() {
                param_error(value.py(), message)
            } else {
                type_error(value.py(), message)
            })
        }
    }
}
