//! Bin values to Python objects.

use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use wire_protocol::WireError;
use wire_protocol::message::{Op, Ops};
use wire_protocol::msgpack::{self, MAX_DEPTH, Reader, Token};
use wire_protocol::particle::{Particle, particle_type};

use super::classes;
use crate::python::describe::describe;
use crate::python::errors::{about_record, decode_error};

/// Why a record cannot be converted into Python objects.
pub(crate) enum Unreadable {
    /// A value that has no Python equivalent, as the exception to raise for it, which names the bin. Other records are
    /// not affected.
    Value(PyErr),
    /// Python itself failed or was interrupted. Raised as it is, for the whole call.
    Python(PyErr),
}

impl Unreadable {
    /// The exception to raise; that of a value gets the key of its record.
    pub(crate) fn raise(self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyErr {
        match self {
            Self::Value(error) => about_record(py, error, key, None),
            Self::Python(error) => error,
        }
    }
}

/// Why one value cannot be converted into a Python object; see [`Unreadable`].
enum Unconvertible {
    Value(String),
    Python(PyErr),
}

impl From<PyErr> for Unconvertible {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<WireError> for Unconvertible {
    fn from(error: WireError) -> Self {
        Self::Value(error.to_string())
    }
}

/// Bin names of the previous records as Python strings, by their positions. The next record mostly has the same.
#[derive(Default)]
pub(crate) struct BinNames<'py>(Vec<(Box<[u8]>, Bound<'py, PyString>)>);

/// How many names are kept.
const KEPT_NAMES: usize = 256;

impl<'py> BinNames<'py> {
    /// The name of the bin at this position of a record; None if it is not UTF-8.
    fn name(&mut self, py: Python<'py>, position: usize, name: &[u8]) -> Option<Bound<'py, PyString>> {
        if let Some((_, known)) = self.0.get(position).filter(|(bytes, _)| **bytes == *name) {
            return Some(known.clone());
        }
        let object = PyString::new(py, std::str::from_utf8(name).ok()?);
        let entry = (name.into(), object.clone());
        if let Some(before) = self.0.get_mut(position) {
            *before = entry;
        } else if position == self.0.len() && position < KEPT_NAMES {
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
    for (position, op) in ops.enumerate() {
        let (name, value) = bin_and_value(py, names, position, &op)?;
        bins.set_item(name, value).map_err(Unreadable::Python)?;
    }
    Ok(bins)
}

/// The name and value of the bin at this position of an answer.
pub(crate) fn bin_and_value<'py>(
    py: Python<'py>,
    names: &mut BinNames<'py>,
    position: usize,
    op: &Op<'_>,
) -> Result<(Bound<'py, PyString>, Bound<'py, PyAny>), Unreadable> {
    let value = |message: String| {
        let shown = String::from_utf8_lossy(op.name);
        Unreadable::Value(decode_error(py, &shown, format!("bin {shown:?} cannot be read: {message}")))
    };
    let name = names.name(py, position, op.name).ok_or_else(|| value("its name is not UTF-8".into()))?;
    let object = op.particle().map_err(Unconvertible::from).and_then(|particle| to_object(py, &particle));
    match object {
        Ok(object) => Ok((name, object)),
        Err(Unconvertible::Value(message)) => Err(value(message)),
        Err(Unconvertible::Python(error)) => Err(Unreadable::Python(error)),
    }
}

/// A bin value as a Python object.
fn to_object<'py>(py: Python<'py>, particle: &Particle<'_>) -> Result<Bound<'py, PyAny>, Unconvertible> {
    Ok(match *particle {
        Particle::Nil => py.None().into_bound(py),
        Particle::Bool(flag) => PyBool::new(py, flag).to_owned().into_any(),
        Particle::Int(number) => PyInt::new(py, number).into_any(),
        Particle::Float(number) => PyFloat::new(py, number).into_any(),
        Particle::Str(bytes) => text(py, bytes)?,
        Particle::Blob(bytes) | Particle::Other { bytes, .. } => PyBytes::new(py, bytes).into_any(),
        Particle::Hll(bytes) => classes(py)?.hyperloglog.bind(py).call1((PyBytes::new(py, bytes),))?,
        Particle::GeoJson(bytes) => classes(py)?.geojson.bind(py).call1((text(py, bytes)?,))?,
        Particle::List(bytes) | Particle::Map(bytes) => {
            let mut reader = Reader::new(bytes);
            let value = nested(py, &mut reader, 1)?;
            if !reader.is_at_end() {
                return Err(Unconvertible::Value("bytes follow its msgpack value".into()));
            }
            value
        }
    })
}

fn text<'py>(py: Python<'py>, bytes: &[u8]) -> Result<Bound<'py, PyAny>, Unconvertible> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text).into_any()),
        Err(error) => Err(Unconvertible::Value(format!("its text is not UTF-8 ({error})"))),
    }
}

fn nested<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    depth: usize,
) -> Result<Bound<'py, PyAny>, Unconvertible> {
    if depth > MAX_DEPTH {
        return Err(Unconvertible::Value(format!("its lists and maps are nested deeper than {MAX_DEPTH}")));
    }
    let before = reader.rest();
    Ok(match reader.token()? {
        Token::Nil => py.None().into_bound(py),
        Token::Bool(flag) => PyBool::new(py, flag).to_owned().into_any(),
        Token::Int(number) => PyInt::new(py, number).into_any(),
        Token::Uint(number) => PyInt::new(py, number).into_any(),
        Token::Float(number) => PyFloat::new(py, number).into_any(),
        Token::Str(bytes) => text(py, bytes)?,
        Token::Blob(bytes) => {
            let consumed = &before[..before.len() - reader.remaining()];
            let object = PyBytes::new(py, bytes);
            // The byte before the content is its type.
            match consumed.len().checked_sub(bytes.len() + 1).and_then(|at| consumed.get(at)) {
                Some(&particle_type::HLL) => classes(py)?.hyperloglog.bind(py).call1((object,))?,
                _ => object.into_any(),
            }
        }
        Token::GeoJson(bytes) => classes(py)?.geojson.bind(py).call1((text(py, bytes)?,))?,
        Token::List { len } => {
            let list = PyList::empty(py);
            for index in 0..len {
                // An ordered list starts with an extension value that says so.
                if index == 0 && order_marker(reader).is_some() {
                    reader.skip_value()?;
                    continue;
                }
                list.append(nested(py, reader, depth + 1)?)?;
            }
            list.into_any()
        }
        Token::Map { len } => map(py, reader, len, depth)?,
        Token::Ext { kind, .. } => {
            return Err(Unconvertible::Value(format!(
                "its msgpack extension type {kind} has no Python equivalent"
            )));
        }
        _ => return Err(Unconvertible::Value("its msgpack has a value of an unknown type".into())),
    })
}

/// A map of `len` pairs as a dict; as a `KeyOrderedDict` if the server keeps it ordered by key; as a list of keys and
/// values if it is the pairs that an operation returns (`MAP_RETURN_KEY_VALUE`).
fn map<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    len: usize,
    depth: usize,
) -> Result<Bound<'py, PyAny>, Unconvertible> {
    let (mut pairs, mut is_ordered) = (len, false);
    // An ordered map starts like an ordered list, with the marker as a key and a value that means nothing.
    if len > 0
        && let Some(kind) = order_marker(reader)
    {
        reader.skip_value()?;
        reader.skip_value()?;
        pairs -= 1;
        if kind & msgpack::PRESERVE_ORDER != 0 {
            let list = PyList::empty(py);
            for _ in 0..pairs {
                list.append(nested(py, reader, depth + 1)?)?;
                list.append(nested(py, reader, depth + 1)?)?;
            }
            return Ok(list.into_any());
        }
        is_ordered = msgpack::is_key_ordered(kind);
    }
    let dict = if is_ordered {
        classes(py)?.key_ordered.bind(py).call0()?.cast_into::<PyDict>().map_err(PyErr::from)?
    } else {
        PyDict::new(py)
    };
    let first = reader.clone();
    for _ in 0..pairs {
        let key = nested(py, reader, depth + 1)?;
        let value = nested(py, reader, depth + 1)?;
        dict.set_item(key, value).map_err(|error| no_key(py, error))?;
    }
    if dict.len() != pairs {
        return Err(equal_keys(py, first, pairs, depth)?);
    }
    Ok(dict.into_any())
}

/// The error of a key that a dict refuses: msgpack allows a list or a map, and GeoJSON that is not JSON has no hash.
#[cold]
fn no_key(py: Python<'_>, error: PyErr) -> Unconvertible {
    if error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyRecursionError>(py)
    {
        Unconvertible::Value(error.value(py).to_string())
    } else {
        Unconvertible::Python(error)
    }
}

/// The error of a map whose pairs, the next values of `reader`, have keys that are equal in Python.
#[cold]
fn equal_keys(
    py: Python<'_>,
    mut reader: Reader<'_>,
    pairs: usize,
    depth: usize,
) -> Result<Unconvertible, Unconvertible> {
    let seen = PyDict::new(py);
    for _ in 0..pairs {
        let key = nested(py, &mut reader, depth + 1)?;
        reader.skip_value()?;
        if let Some(before) = seen.get_item(&key)? {
            return Ok(Unconvertible::Value(format!(
                "its map has the keys {} and {}, which are equal in Python, and a dict keeps only one of them; \
                 write the map with keys that differ",
                describe(&before),
                describe(&key)
            )));
        }
        seen.set_item(&key, &key)?;
    }
    Ok(Unconvertible::Value("its map has keys that are equal in Python".into()))
}

/// The kind of the next value if it is an extension. As the first element of a collection it says how that is ordered.
fn order_marker(reader: &Reader<'_>) -> Option<i8> {
    match reader.clone().token() {
        Ok(Token::Ext { kind, .. }) => Some(kind),
        _ => None,
    }
}
