//! Python objects to bin values.

use std::cmp::Ordering;
use std::fmt::Display;

use aero_io::WriteOp;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple,
};
use wire_protocol::message::{self, Ops};
use wire_protocol::msgpack::{self, MAX_DEPTH};
use wire_protocol::particle::{Particle, particle_type};
use wire_protocol::value::{Value as WireValue, WriteValue};

use super::classes;
use super::numpy::{numpy_array, numpy_scalar};
use crate::python::describe::describe;
use crate::python::errors::{
    CLIENT, PARAM, bin_name_error, param_error, type_error, with_code, with_official_text,
};
use crate::python::once::intern;
use crate::python::text::unicode;

/// The longest bin name in bytes of UTF-8.
pub(crate) const MAX_BIN_NAME: usize = 15;

/// The most bytes that a request may hold.
const MAX_BYTES: usize = 128 << 20;

/// What a bool is written as (`send_bool_as`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bools {
    /// The server's boolean type.
    #[default]
    AsBool,
    /// 1 or 0, as clients wrote bools before the server had the type.
    AsInteger,
}

/// What values may be, and how some are written.
#[derive(Clone, Copy, Debug)]
struct Rules {
    bools: Bools,
    /// Whether values that only comparisons know are allowed: infinity and the wildcard.
    compares: bool,
}

impl From<Bools> for Rules {
    fn from(bools: Bools) -> Self {
        Self { bools, compares: false }
    }
}

/// Operations, encoded as a request holds them.
#[derive(Debug, Default)]
pub(crate) struct OpBytes {
    pub(crate) count: u16,
    pub(crate) bytes: Vec<u8>,
}

impl OpBytes {
    /// The operations one by one, as commands on one record take them.
    pub(crate) fn write_ops(&self) -> Result<Vec<WriteOp<'_>>, aero_io::Error> {
        let mut operations = Vec::with_capacity(self.count.into());
        for op in Ops::over(&self.bytes) {
            let value =
                op.particle().map_err(|error| aero_io::Error::Param { what: format!("a value: {error}") })?;
            operations.push(WriteOp { code: op.code, name: op.name, value });
        }
        Ok(operations)
    }
}

/// Encodes a dict of bins as write operations; a bin set to None is removed.
pub(crate) fn encode_bins(bins: &Bound<'_, PyAny>, bools: Bools) -> PyResult<OpBytes> {
    let py = bins.py();
    let Ok(bins) = bins.cast::<PyMapping>() else {
        return Err(type_error(
            py,
            format!("bins is {}; it must be a dict of bin name to value", describe(bins)),
        ));
    };
    let mut ops = OpBytes::default();
    let mut value_bytes = Vec::new();
    for item in bins.items()?.iter() {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let name = bin_name(&name)?;
        value_bytes.clear();
        let kind = encode(&value, bools.into(), &mut value_bytes).map_err(|bad| bad.raise(py, &name))?;
        message::write_op(&mut ops.bytes, message::op::WRITE, kind, name.as_bytes(), &value_bytes);
        ops.count = ops.count.checked_add(1).ok_or_else(|| {
            param_error(py, format!("bins has more than {} bins, the limit of a request", u16::MAX))
        })?;
    }
    if ops.count == 0 {
        return Err(param_error(py, "bins is empty; a write needs at least one bin".into()));
    }
    Ok(ops)
}

/// Appends a value of a bin as a message holds it; returns its particle type.
pub(crate) fn encode_value(
    bin: &str,
    value: &Bound<'_, PyAny>,
    bools: Bools,
    out: &mut Vec<u8>,
) -> PyResult<u8> {
    encode(value, bools.into(), out).map_err(|bad| bad.raise(value.py(), bin))
}

/// Appends an argument of an operation on a list, map, blob or sketch, or of an expression: one element of msgpack.
pub(crate) fn encode_operand(
    value: &Bound<'_, PyAny>,
    bools: Bools,
    out: &mut Vec<u8>,
) -> Result<(), BadValue> {
    let rules = Rules { bools, compares: true };
    encode_nested(classify(value, rules)?, rules, out, 1)
}

/// Checks a bin name: a str, or a bytearray of UTF-8, as the official client accepts it. To that client a bytearray is a
/// C string, which ends at its first NUL.
pub(crate) fn bin_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    bin_name_at("", name)
}

/// [`bin_name`], for a name whose messages begin with its position.
pub(crate) fn bin_name_at(position: impl Display, name: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = name.py();
    let refused = |must: &str| {
        let error = type_error(py, format!("{position}bin name {} must be {must}", describe(name)));
        with_official_text(py, error, "Bin name should be a string or unicode string.")
    };
    let text = if let Ok(text) = name.cast::<PyString>() {
        unicode(text, format_args!("{position}a bin name"))?
    } else if let Ok(bytes) = name.cast::<PyByteArray>() {
        let mut name = bytes.to_vec();
        name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
        String::from_utf8(name).map_err(|_| refused("UTF-8"))?
    } else {
        return Err(refused("a str"));
    };
    if text.len() > MAX_BIN_NAME {
        return Err(bin_name_error(
            py,
            &text,
            format!(
                "{position}bin name {text:?} has {} bytes of UTF-8; a bin name has at most {MAX_BIN_NAME}",
                text.len()
            ),
        ));
    }
    Ok(text)
}

/// Why a value cannot be written.
#[derive(Debug)]
pub(crate) enum BadValue {
    /// A message that shows the value.
    Value(String),
    /// The same, with the official client's text and code.
    Official(String, &'static str, i32),
    Python(PyErr),
}

impl BadValue {
    fn raise(self, py: Python<'_>, bin: &str) -> PyErr {
        self.raise_at(py, &format!("bin {bin:?}"))
    }

    /// The error, with the place of the value.
    pub(crate) fn raise_at(self, py: Python<'_>, place: &str) -> PyErr {
        match self {
            Self::Value(message) => param_error(py, format!("{place}: {message}")),
            Self::Official(message, official, code) => {
                let error = param_error(py, format!("{place}: {message}"));
                with_code(py, with_official_text(py, error, official), code)
            }
            Self::Python(error) => error,
        }
    }
}

impl From<PyErr> for BadValue {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// A Python value by the type that it gets on the wire.
enum Value<'py> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Bound<'py, PyString>),
    Blob(Vec<u8>),
    Hll(Vec<u8>),
    GeoJson(String),
    List(Vec<Bound<'py, PyAny>>),
    Map {
        items: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
        ordered: bool,
    },
    /// Greater than all others.
    Infinity,
    /// Equal to all others.
    Wildcard,
}

fn classify<'py>(value: &Bound<'py, PyAny>, rules: Rules) -> Result<Value<'py>, BadValue> {
    let py = value.py();
    if value.is_none() {
        return Ok(Value::Nil);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        let flag = flag.is_true();
        return Ok(match rules.bools {
            Bools::AsBool => Value::Bool(flag),
            Bools::AsInteger => Value::Int(flag.into()),
        });
    }
    if value.is_instance_of::<PyInt>() {
        return int(value);
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return Ok(Value::Float(float.value()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::Str(text.clone()));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let copy = bytes.as_bytes().to_vec();
        let sketch = !value.is_exact_instance_of::<PyBytes>() && is_sketch(value)?;
        return Ok(if sketch { Value::Hll(copy) } else { Value::Blob(copy) });
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Ok(Value::Blob(bytes.to_vec()));
    }
    if let Ok(list) = value.cast::<PyList>() {
        return Ok(Value::List(list.iter().collect()));
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return Ok(Value::List(tuple.iter().collect()));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let ordered = !value.is_exact_instance_of::<PyDict>() && is_key_ordered(value)?;
        return Ok(Value::Map { items: dict.iter().collect(), ordered });
    }
    if value.is_instance(classes(py)?.geojson.bind(py))? {
        return Ok(Value::GeoJson(value.call_method0(intern!(py, "dumps"))?.extract()?));
    }
    if let Some(scalar) = numpy_scalar(value)? {
        return classify(&scalar, rules);
    }
    if let Some(list) = numpy_array(value)? {
        return classify(&list, rules);
    }
    if let Some(special) = special(value, rules)? {
        return Ok(special);
    }
    if is_time(value)? {
        return Err(BadValue::Value(format!(
            "{} cannot be written; a time is written as an integer, in a unit that its readers know",
            describe(value)
        )));
    }
    Err(BadValue::Value(format!(
        "{} cannot be written; a value must be int, float, bool, str, bytes, list, dict, GeoJSON, \
         HyperLogLog or None",
        describe(value)
    )))
}

/// Objects of the official client, and those that only comparisons know.
fn special<'py>(value: &Bound<'py, PyAny>, rules: Rules) -> Result<Option<Value<'py>>, BadValue> {
    let py = value.py();
    let name = value.get_type().fully_qualified_name()?;
    let ours = classes(py)?;
    let found = match name.to_str().unwrap_or_default() {
        _ if value.is_instance(ours.infinite.bind(py))? => Value::Infinity,
        _ if value.is_instance(ours.wildcard.bind(py))? => Value::Wildcard,
        _ if value.is_instance(ours.null.bind(py))? => Value::Nil,
        "aerospike.null" => Value::Nil,
        "aerospike.Geospatial" | "aerospike.GeoJSON" => {
            Value::GeoJson(value.call_method0(intern!(py, "dumps"))?.extract()?)
        }
        "aerospike.CDTInfinite" => Value::Infinity,
        "aerospike.CDTWildcard" => Value::Wildcard,
        _ => return Ok(None),
    };
    if !rules.compares {
        // With the numbers of their types in the C client.
        let official = match found {
            Value::Wildcard => "Invalid value type: 13",
            Value::Infinity => "Invalid value type: 14",
            _ => return Ok(Some(found)),
        };
        let message = format!("{} cannot be stored; it is for comparisons in operations", describe(value));
        return Err(BadValue::Official(message, official, CLIENT));
    }
    Ok(Some(found))
}

/// Whether bytes are a `HyperLogLog` of the package or of the official client's helpers.
fn is_sketch(bytes: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = bytes.py();
    Ok(bytes.is_instance(classes(py)?.hyperloglog.bind(py))?
        || bytes.get_type().fully_qualified_name()? == "aerospike_helpers.HyperLogLog")
}

/// Whether a value that cannot be written is a time of the standard library, pandas or NumPy.
fn is_time(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let kind = value.get_type();
    let name = kind.name()?;
    let times =
        ["datetime", "date", "time", "timedelta", "datetime64", "timedelta64", "Timestamp", "Timedelta"];
    Ok(name.to_str().is_ok_and(|name| times.contains(&name)))
}

/// Whether a dict is a `KeyOrderedDict`: the package's, or the official client's, so that what one client has read can
/// be written by the other.
fn is_key_ordered(dict: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = dict.py();
    Ok(dict.is_instance(classes(py)?.key_ordered.bind(py))?
        || dict.get_type().fully_qualified_name()? == "aerospike.KeyOrderedDict")
}

fn int<'py>(value: &Bound<'py, PyAny>) -> Result<Value<'py>, BadValue> {
    match value.extract::<i64>() {
        Ok(number) => Ok(Value::Int(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
            let message = format!(
                "{} does not fit into a signed 64-bit integer (-2**63 to 2**63 - 1); write it as str or bytes",
                describe(value)
            );
            Err(BadValue::Official(message, "integer value exceeds sys.maxsize", PARAM))
        }
        Err(error) => Err(error.into()),
    }
}

/// Appends a value as a message holds it; returns its particle type.
fn encode(value: &Bound<'_, PyAny>, rules: Rules, out: &mut Vec<u8>) -> Result<u8, BadValue> {
    let sorted = classify(value, rules)?;
    let particle = match &sorted {
        Value::Nil => Particle::Nil,
        Value::Bool(flag) => Particle::Bool(*flag),
        Value::Int(number) => Particle::Int(*number),
        Value::Float(number) => Particle::Float(*number),
        Value::Str(text) => Particle::Str(utf8(text)?.as_bytes()),
        Value::Blob(bytes) => Particle::Blob(bytes),
        Value::Hll(bytes) => Particle::Hll(bytes),
        Value::GeoJson(text) => Particle::GeoJson(text.as_bytes()),
        Value::List(_) => {
            encode_nested(sorted, rules, out, 1)?;
            return Ok(particle_type::LIST);
        }
        Value::Map { .. } => {
            encode_nested(sorted, rules, out, 1)?;
            return Ok(particle_type::MAP);
        }
        // `special` has refused them.
        Value::Infinity | Value::Wildcard => Particle::Nil,
    };
    particle.write(out);
    Ok(particle.particle_type())
}

fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Result<&'a str, BadValue> {
    text.to_str().map_err(|_| {
        BadValue::Value(format!("{} cannot be encoded as UTF-8 (lone surrogate)", describe(text.as_any())))
    })
}

/// Appends a value as msgpack.
fn encode_nested(value: Value<'_>, rules: Rules, out: &mut Vec<u8>, depth: usize) -> Result<(), BadValue> {
    if depth > MAX_DEPTH {
        return Err(BadValue::Value(format!(
            "its lists and dicts are nested deeper than {MAX_DEPTH}, or contain themselves"
        )));
    }
    // Depth alone does not bound the size: a list that holds a list twice, which holds a list twice, and so on,
    // doubles with each level.
    if out.len() > MAX_BYTES {
        return Err(BadValue::Value("it is larger than 128 MiB, the limit of a request".into()));
    }
    match value {
        Value::Nil => msgpack::write_nil(out),
        Value::Bool(flag) => msgpack::write_bool(out, flag),
        Value::Int(number) => msgpack::write_int(out, number),
        Value::Float(number) => msgpack::write_float(out, number),
        Value::Str(text) => msgpack::write_str(out, utf8(&text)?.as_bytes()),
        Value::Blob(bytes) => msgpack::write_blob(out, &bytes),
        Value::Hll(bytes) => msgpack::write_bytes(out, particle_type::HLL, &bytes),
        Value::Infinity => WireValue::Infinity.write_value(out),
        Value::Wildcard => WireValue::Wildcard.write_value(out),
        Value::GeoJson(text) => msgpack::write_geojson(out, text.as_bytes()),
        Value::List(items) => {
            msgpack::write_list_header(out, items.len());
            for item in items {
                encode_nested(classify(&item, rules)?, rules, out, depth + 1)?;
            }
        }
        Value::Map { items, ordered } => {
            let mut pairs = items
                .into_iter()
                .map(|(key, value)| Ok((map_key(&key, rules)?, value)))
                .collect::<Result<Vec<_>, BadValue>>()?;
            // Servers compare maps by their pairs in order: operands are always sorted, as in the official client.
            if ordered || rules.compares {
                pairs.sort_by(|(a, _), (b, _)| key_order(a, b));
            }
            if ordered {
                msgpack::write_ordered_map_header(out, pairs.len());
            } else {
                msgpack::write_map_header(out, pairs.len());
            }
            for (key, value) in pairs {
                encode_nested(key, rules, out, depth + 1)?;
                encode_nested(classify(&value, rules)?, rules, out, depth + 1)?;
            }
        }
    }
    Ok(())
}

/// A map's key. The server refuses keys of other types too, but with a code that does not say why.
fn map_key<'py>(key: &Bound<'py, PyAny>, rules: Rules) -> Result<Value<'py>, BadValue> {
    match classify(key, rules)? {
        sorted @ (Value::Int(_) | Value::Str(_) | Value::Blob(_)) => Ok(sorted),
        _ => Err(BadValue::Value(format!(
            "{} cannot be a map key; the server accepts int, str and bytes",
            describe(key)
        ))),
    }
}

/// The server's order of map keys: by type, then by value.
fn key_order(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    fn rank(value: &Value<'_>) -> u8 {
        match value {
            Value::Nil => 1,
            Value::Bool(_) => 2,
            Value::Int(_) => 3,
            Value::Str(_) => 4,
            Value::List(_) => 5,
            Value::Map { .. } => 6,
            Value::Blob(_) | Value::Hll(_) => 7,
            Value::Float(_) => 8,
            Value::GeoJson(_) => 9,
            Value::Wildcard => 10,
            Value::Infinity => 11,
        }
    }
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Str(a), Value::Str(b)) => a.to_string_lossy().as_bytes().cmp(b.to_string_lossy().as_bytes()),
        (Value::Blob(a) | Value::Hll(a), Value::Blob(b) | Value::Hll(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}
