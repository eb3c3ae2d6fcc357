//! Particles to Python objects.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use wire_protocol::WireError;
use wire_protocol::message::{Op, Ops};
use wire_protocol::msgpack::{MAX_DEPTH, Reader, Token};
use wire_protocol::particle::Particle;

use super::classes;
use crate::python::errors::{about_record, decode_error};

/// Why a record cannot be made into Python objects.
pub(crate) enum Unreadable {
    /// A value that Python cannot hold, as the exception to raise for it; it has the bin's name.
    Value(PyErr),
    /// Python itself failed, or was interrupted: to be raised as it is.
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
        Unreadable::Value(decode_error(py, &shown, format!("bin {shown:?} cannot be read: {message}")))
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
        Particle::Hll(bytes) => classes(py)?.hyperloglog.bind(py).call1((PyBytes::new(py, bytes),))?,
        Particle::GeoJson(bytes) => classes(py)?.geojson.bind(py).call1((text(py, bytes)?,))?,
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
        Token::GeoJson(bytes) => classes(py)?.geojson.bind(py).call1((text(py, bytes)?,))?,
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
