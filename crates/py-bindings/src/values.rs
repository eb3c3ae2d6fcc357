//! Bin values: Python objects to particles and back.

use std::cmp::Ordering;

use crate::once::Once;
use crate::once::intern;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple,
};
use wire_protocol::WireError;
use wire_protocol::message::{self, Op, Ops};
use wire_protocol::msgpack::{self, MAX_DEPTH, Reader, Token};
use wire_protocol::particle::{Particle, particle_type};

use crate::errors::{client_error, error_of_code, param_error};
use crate::keys::described;

/// Result code of a bin name that the server would refuse.
const BIN_NAME: i32 = wire_protocol::result_code::BIN_NAME as i32;

/// The longest bin name in bytes of UTF-8.
const MAX_BIN_NAME: usize = 15;

/// Operations of a write, encoded: their number and bytes.
#[derive(Debug, Default)]
pub(crate) struct EncodedOps {
    pub(crate) count: u16,
    pub(crate) bytes: Vec<u8>,
}

/// Encodes a dict of bins as write operations; a bin set to None is removed.
pub(crate) fn encode_bins(bins: &Bound<'_, PyAny>) -> PyResult<EncodedOps> {
    let py = bins.py();
    let Ok(bins) = bins.cast::<PyMapping>() else {
        return Err(param_error(
            py,
            format!("bins is {}; it must be a dict of bin name to value", described(bins)),
        ));
    };
    let mut ops = EncodedOps::default();
    let mut value_bytes = Vec::new();
    for item in bins.items()?.iter() {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let name = bin_name(&name)?;
        value_bytes.clear();
        let kind = encode(&value, &mut value_bytes).map_err(|problem| problem.raise(py, &name))?;
        message::write_op(&mut ops.bytes, message::op::WRITE, kind, name.as_bytes(), &value_bytes);
        ops.count = ops
            .count
            .checked_add(1)
            .ok_or_else(|| param_error(py, format!("bins has more than {} bins", u16::MAX)))?;
    }
    if ops.count == 0 {
        return Err(param_error(py, "bins is empty; a write needs at least one bin".into()));
    }
    Ok(ops)
}

/// Appends one value of the bin's, as it stands in a message; returns its particle type.
pub(crate) fn encode_value(bin: &str, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<u8> {
    encode(value, out).map_err(|problem| problem.raise(value.py(), bin))
}

/// A bin's name, checked.
pub(crate) fn bin_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = name.py();
    let Ok(text) = name.extract::<String>() else {
        return Err(param_error(py, format!("bin name {} must be a str", described(name))));
    };
    if text.len() > MAX_BIN_NAME {
        return Err(error_of_code(
            py,
            BIN_NAME,
            format!(
                "bin name {text:?} has {} bytes of UTF-8; a bin name has at most {MAX_BIN_NAME}",
                text.len()
            ),
            false,
        ));
    }
    Ok(text)
}

/// Why a value cannot be written.
enum Problem {
    /// With what the value is.
    Value(String),
    Python(PyErr),
}

impl Problem {
    fn raise(self, py: Python<'_>, bin: &str) -> PyErr {
        match self {
            Self::Value(message) => param_error(py, format!("bin {bin:?}: {message}")),
            Self::Python(error) => error,
        }
    }
}

impl From<PyErr> for Problem {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// A Python value, sorted by what it becomes on the wire.
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
    Map { items: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>, ordered: bool },
}

fn class<'py>(
    py: Python<'py>,
    cell: &'static Once<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let class = cell
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("aerospike_py.values")?.getattr(name)?.unbind()))?;
    Ok(class.bind(py))
}

static GEOJSON: Once<Py<PyAny>> = Once::new();
static ORDERED: Once<Py<PyAny>> = Once::new();
static HLL: Once<Py<PyAny>> = Once::new();

fn sort_out<'py>(value: &Bound<'py, PyAny>) -> Result<Value<'py>, Problem> {
    let py = value.py();
    if value.is_none() {
        return Ok(Value::Nil);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
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
        let sketch =
            !value.is_exact_instance_of::<PyBytes>() && value.is_instance(class(py, &HLL, "HyperLogLog")?)?;
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
        let ordered = value.is_instance(class(py, &ORDERED, "KeyOrderedDict")?)?;
        return Ok(Value::Map { items: dict.iter().collect(), ordered });
    }
    if value.is_instance(class(py, &GEOJSON, "GeoJSON")?)? {
        return Ok(Value::GeoJson(value.call_method0(intern!(py, "dumps"))?.extract()?));
    }
    if let Some(scalar) = numpy_scalar(value)? {
        return sort_out(&scalar);
    }
    if let Some(list) = numpy_array(value)? {
        return sort_out(&list);
    }
    Err(Problem::Value(format!(
        "{} cannot be written; values are int, float, bool, str, bytes, list, dict, GeoJSON, HyperLogLog \
         or None",
        described(value)
    )))
}

fn int<'py>(value: &Bound<'py, PyAny>) -> Result<Value<'py>, Problem> {
    match value.extract::<i64>() {
        Ok(number) => Ok(Value::Int(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Err(Problem::Value(format!(
            "{} does not fit 64 signed bits (-2**63 to 2**63 - 1); write it as str or bytes",
            described(value)
        ))),
        Err(error) => Err(error.into()),
    }
}

/// NumPy, which is optional: an object of its exists only where it was imported.
fn imported_numpy(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    Ok(modules.get_item(intern!(py, "numpy")).ok().filter(|module| !module.is_none()))
}

/// A NumPy scalar as the Python object that it stands for.
fn numpy_scalar<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    let Some(numpy) = imported_numpy(py)? else { return Ok(None) };
    if !value.is_instance(&numpy.getattr(intern!(py, "generic"))?)? {
        return Ok(None);
    }
    let kind: char = value.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "kind"))?.extract()?;
    match kind {
        'b' | 'i' | 'u' => Ok(Some(value.call_method0(intern!(py, "item"))?)),
        // Long doubles would be cut in silence: they stay refused.
        'f' => {
            let item = value.call_method0(intern!(py, "item"))?;
            Ok(item.is_instance_of::<PyFloat>().then_some(item))
        }
        _ => Ok(None),
    }
}

/// A NumPy array of numbers, bools, text or bytes as a list; of several dimensions, as lists of lists.
fn numpy_array<'py>(value: &Bound<'py, PyAny>) -> Result<Option<Bound<'py, PyAny>>, Problem> {
    let py = value.py();
    let Some(numpy) = imported_numpy(py)? else { return Ok(None) };
    if !value.is_instance(&numpy.getattr(intern!(py, "ndarray"))?)? {
        return Ok(None);
    }
    let dtype = value.getattr(intern!(py, "dtype"))?;
    let kind: char = dtype.getattr(intern!(py, "kind"))?.extract()?;
    let width: usize = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
    // What a mask hides would become None without a word.
    let masked = value.hasattr(intern!(py, "mask"))?;
    if masked || !(matches!(kind, 'b' | 'i' | 'u' | 'S' | 'U') || kind == 'f' && width <= 8) {
        let what = if masked { "a masked array".into() } else { format!("an array of dtype {dtype}") };
        return Err(Problem::Value(format!(
            "{what} cannot be written; arrays of integers, floats up to f8, bools, str and bytes are written as \
             lists; use .tobytes() for its bytes or .tolist() for its elements"
        )));
    }
    Ok(Some(value.call_method0(intern!(py, "tolist"))?))
}

/// Appends a value's bytes as they stand in a message; returns its particle type.
fn encode(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Result<u8, Problem> {
    let sorted = sort_out(value)?;
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
            encode_nested(sorted, out, 1)?;
            return Ok(particle_type::LIST);
        }
        Value::Map { .. } => {
            encode_nested(sorted, out, 1)?;
            return Ok(particle_type::MAP);
        }
    };
    particle.write(out);
    Ok(particle.particle_type())
}

fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Result<&'a str, Problem> {
    text.to_str().map_err(|_| {
        Problem::Value(format!("{} has no UTF-8 form (a lone surrogate)", described(text.as_any())))
    })
}

/// Appends a value as msgpack.
fn encode_nested(value: Value<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), Problem> {
    if depth > MAX_DEPTH {
        return Err(Problem::Value(format!(
            "its lists and dicts are nested deeper than {MAX_DEPTH}, or contain themselves"
        )));
    }
    match value {
        Value::Nil => msgpack::write_nil(out),
        Value::Bool(flag) => msgpack::write_bool(out, flag),
        Value::Int(number) => msgpack::write_int(out, number),
        Value::Float(number) => msgpack::write_float(out, number),
        Value::Str(text) => msgpack::write_str(out, utf8(&text)?.as_bytes()),
        Value::Blob(bytes) | Value::Hll(bytes) => msgpack::write_blob(out, &bytes),
        Value::GeoJson(text) => msgpack::write_geojson(out, text.as_bytes()),
        Value::List(items) => {
            msgpack::write_list_header(out, items.len());
            for item in items {
                encode_nested(sort_out(&item)?, out, depth + 1)?;
            }
        }
        Value::Map { items, ordered } => {
            let mut pairs = items
                .into_iter()
                .map(|(key, value)| Ok((map_key(&key)?, value)))
                .collect::<Result<Vec<_>, Problem>>()?;
            if ordered {
                pairs.sort_by(|(a, _), (b, _)| key_order(a, b));
                msgpack::write_ordered_map_header(out, pairs.len());
            } else {
                msgpack::write_map_header(out, pairs.len());
            }
            for (key, value) in pairs {
                encode_nested(key, out, depth + 1)?;
                encode_nested(sort_out(&value)?, out, depth + 1)?;
            }
        }
    }
    Ok(())
}

/// A map's key. The server refuses a map with a key of another kind, with a code that says nothing.
fn map_key<'py>(key: &Bound<'py, PyAny>) -> Result<Value<'py>, Problem> {
    match sort_out(key)? {
        sorted @ (Value::Int(_) | Value::Str(_) | Value::Blob(_)) => Ok(sorted),
        _ => Err(Problem::Value(format!(
            "{} cannot be a map's key; the server takes int, str and bytes",
            described(key)
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

/// Why a record cannot be made into Python objects.
pub(crate) enum Unreadable {
    /// A value that Python cannot hold, as the exception to raise for it.
    Value(PyErr),
    /// Python itself failed, or was interrupted: to be raised as it is.
    Python(PyErr),
}

impl From<Unreadable> for PyErr {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Value(error) | Unreadable::Python(error) => error,
        }
    }
}

/// Why one value cannot be made into a Python object.
enum NoObject {
    Value(String),
    Python(PyErr),
}

impl From<PyErr> for NoObject {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<WireError> for NoObject {
    fn from(error: WireError) -> Self {
        Self::Value(error.to_string())
    }
}

/// The bin names of the records before, by their places: those of the next record are mostly the same.
#[derive(Default)]
pub(crate) struct BinNames<'py>(Vec<(Box<[u8]>, Bound<'py, PyString>)>);

/// How many names are kept.
const KEPT_NAMES: usize = 256;

impl<'py> BinNames<'py> {
    /// The name of the bin at that place of a record; None where it is not UTF-8.
    fn name(&mut self, py: Python<'py>, place: usize, name: &[u8]) -> Option<Bound<'py, PyString>> {
        if let Some((_, known)) = self.0.get(place).filter(|(bytes, _)| **bytes == *name) {
            return Some(known.clone());
        }
        let object = PyString::new(py, std::str::from_utf8(name).ok()?);
        let entry = (name.into(), object.clone());
        if let Some(before) = self.0.get_mut(place) {
            *before = entry;
        } else if place == self.0.len() && place < KEPT_NAMES {
            self.0.push(entry);
        }
        Some(object)
    }
}

/// The bins of a record as a dict.
pub(crate) fn bins_dict<'py>(
    py: Python<'py>,
    names: &mut BinNames<'py>,
    ops: Ops<'_>,
) -> Result<Bound<'py, PyDict>, Unreadable> {
    let bins = PyDict::new(py);
    for (place, op) in ops.enumerate() {
        let (name, value) = bin_and_value(py, names, place, &op)?;
        bins.set_item(name, value).map_err(Unreadable::Python)?;
    }
    Ok(bins)
}

/// The bin at that place of an answer: its name and value.
pub(crate) fn bin_and_value<'py>(
    py: Python<'py>,
    names: &mut BinNames<'py>,
    place: usize,
    op: &Op<'_>,
) -> Result<(Bound<'py, PyString>, Bound<'py, PyAny>), Unreadable> {
    let value = |message: String| {
        let shown = String::from_utf8_lossy(op.name);
        Unreadable::Value(client_error(py, format!("bin {shown:?} cannot be read: {message}")))
    };
    let name = names.name(py, place, op.name).ok_or_else(|| value("its name is not UTF-8".into()))?;
    let object = op.particle().map_err(NoObject::from).and_then(|particle| to_object(py, &particle));
    match object {
        Ok(object) => Ok((name, object)),
        Err(NoObject::Value(message)) => Err(value(message)),
        Err(NoObject::Python(error)) => Err(Unreadable::Python(error)),
    }
}

/// A bin value as a Python object.
fn to_object<'py>(py: Python<'py>, particle: &Particle<'_>) -> Result<Bound<'py, PyAny>, NoObject> {
    Ok(match *particle {
        Particle::Nil => py.None().into_bound(py),
        Particle::Bool(flag) => PyBool::new(py, flag).to_owned().into_any(),
        Particle::Int(number) => PyInt::new(py, number).into_any(),
        Particle::Float(number) => PyFloat::new(py, number).into_any(),
        Particle::Str(bytes) => text(py, bytes)?,
        Particle::Blob(bytes) | Particle::Other { bytes, .. } => PyBytes::new(py, bytes).into_any(),
        Particle::Hll(bytes) => class(py, &HLL, "HyperLogLog")?.call1((PyBytes::new(py, bytes),))?,
        Particle::GeoJson(bytes) => class(py, &GEOJSON, "GeoJSON")?.call1((text(py, bytes)?,))?,
        Particle::List(bytes) | Particle::Map(bytes) => {
            let mut reader = Reader::new(bytes);
            let value = nested(py, &mut reader, 1)?;
            if !reader.is_at_end() {
                return Err(NoObject::Value("bytes follow its msgpack value".into()));
            }
            value
        }
    })
}

fn text<'py>(py: Python<'py>, bytes: &[u8]) -> Result<Bound<'py, PyAny>, NoObject> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text).into_any()),
        Err(error) => Err(NoObject::Value(format!("its text is not UTF-8 ({error})"))),
    }
}

fn nested<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    depth: usize,
) -> Result<Bound<'py, PyAny>, NoObject> {
    if depth > MAX_DEPTH {
        return Err(NoObject::Value(format!("its lists and maps are nested deeper than {MAX_DEPTH}")));
    }
    Ok(match reader.token()? {
        Token::Nil => py.None().into_bound(py),
        Token::Bool(flag) => PyBool::new(py, flag).to_owned().into_any(),
        Token::Int(number) => PyInt::new(py, number).into_any(),
        Token::Uint(number) => PyInt::new(py, number).into_any(),
        Token::Float(number) => PyFloat::new(py, number).into_any(),
        Token::Str(bytes) => text(py, bytes)?,
        Token::Blob(bytes) => PyBytes::new(py, bytes).into_any(),
        Token::GeoJson(bytes) => class(py, &GEOJSON, "GeoJSON")?.call1((text(py, bytes)?,))?,
        Token::List { len } => {
            let list = PyList::empty(py);
            for index in 0..len {
                // A list with an order starts with an ext that says so.
                if index == 0 && is_order_mark(reader) {
                    reader.skip_value()?;
                    continue;
                }
                list.append(nested(py, reader, depth + 1)?)?;
            }
            list.into_any()
        }
        Token::Map { len } => {
            let dict = PyDict::new(py);
            for index in 0..len {
                if index == 0 && is_order_mark(reader) {
                    reader.skip_value()?;
                    reader.skip_value()?;
                    continue;
                }
                let key = nested(py, reader, depth + 1)?;
                let value = nested(py, reader, depth + 1)?;
                dict.set_item(&key, value).map_err(|error| {
                    // What msgpack can hold and a dict cannot: a list or a map as a key.
                    if key.is_instance_of::<PyList>() || key.is_instance_of::<PyDict>() {
                        NoObject::Value(error.value(py).to_string())
                    } else {
                        NoObject::Python(error)
                    }
                })?;
            }
            dict.into_any()
        }
        Token::Ext { kind, .. } => {
            return Err(NoObject::Value(format!("its msgpack ext of kind {kind} has no Python value")));
        }
        _ => return Err(NoObject::Value("its msgpack has a value of an unknown kind".into())),
    })
}

/// Whether an ext comes next, which as a collection's first element says how it is ordered.
fn is_order_mark(reader: &Reader<'_>) -> bool {
    matches!(reader.clone().token(), Ok(Token::Ext { .. }))
}
