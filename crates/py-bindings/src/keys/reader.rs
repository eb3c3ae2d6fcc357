//! Keys from key tuples and `Keys` objects.

use std::collections::HashMap;

use aero_io::Digest;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyInt, PyList, PySequence, PyString, PyTuple};

use super::array::Values;
use super::{KeyArena, KeyKind, WRONG_DIGEST};
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error, with_official_text};
use crate::python::once::{Once, intern};
use crate::python::package::from_package;

/// The longest name of a set in bytes.
const MAX_SET: usize = 63;

/// The longest name of a namespace in bytes.
const MAX_NAMESPACE: usize = 31;

impl KeyArena {
    /// Reads the `keys` argument of a batch.
    pub(crate) fn read(keys: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut reader = Reader::default();
        if is_keys(keys)? {
            reader.keys_object(keys)?;
        } else if let Ok(list) = keys.cast::<PyList>() {
            // By index, since the list may change meanwhile: reading a NumPy integer runs Python code (`__index__`).
            let mut row = 0;
            reader.reserve(list.len());
            while row < list.len() {
                reader.item(&list.get_item(row)?, row)?;
                row += 1;
            }
        } else if let Ok(tuple) = keys.cast::<PyTuple>() {
            if matches!(tuple.len(), 3 | 4) && tuple.get_item(0)?.is_instance_of::<PyString>() {
                let found = describe(keys);
                let message = format!("keys is {found}, a single key; pass a list of keys, such as [key]");
                let official = "keys should be a list of aerospike key tuples";
                return Err(with_official_text(keys.py(), type_error(keys.py(), message), official));
            }
            reader.reserve(tuple.len());
            for (row, item) in tuple.iter_borrowed().enumerate() {
                reader.item(&item, row)?;
            }
        } else if keys.cast::<PySequence>().is_ok()
            && !keys.is_instance_of::<PyString>()
            && !keys.is_instance_of::<PyBytes>()
            && !keys.is_instance_of::<PyByteArray>()
        {
            for (row, item) in keys.try_iter()?.enumerate() {
                reader.item(&item?, row)?;
            }
        } else {
            let found = describe(keys);
            let message = format!(
                "keys is {found}; it must be a sequence of (namespace, set, primary_key) tuples, or Keys(namespace, \
                 set, values) for an array or column of primary keys"
            );
            let error = type_error(keys.py(), message);
            let official = "keys should be a list of aerospike key tuples";
            return Err(with_official_text(keys.py(), error, official));
        }
        Ok(reader.arena)
    }

    /// Reads the keys of `batch_write`, one per row; a `Keys` object is refused.
    pub(crate) fn read_each(keys: &[Bound<'_, PyAny>]) -> PyResult<Self> {
        let mut reader = Reader::default();
        reader.reserve(keys.len());
        for (row, key) in keys.iter().enumerate() {
            let position = || format!("keys[{row}]");
            let tuple = key_tuple(key, position)?;
            reader.key(&tuple).map_err(|bad| bad.raise(key.py(), &position()))?;
        }
        Ok(reader.arena)
    }

    /// Reads one key, for a command on a single record.
    pub(crate) fn read_one(key: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read_one_as("key", key)
    }

    /// [`Self::read_one`], of a key that messages call `name`.
    pub(crate) fn read_one_as(name: &str, key: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut reader = Reader::default();
        let tuple = key_tuple(key, || name.into())?;
        reader.key(&tuple).map_err(|bad| bad.raise(key.py(), name))?;
        // A batch checks its digests when it computes them.
        if reader.arena.has_wrong_digest(0) {
            return Err(param_error(key.py(), format!("key: {WRONG_DIGEST}")));
        }
        Ok(reader.arena)
    }
}

/// Why a key is refused; raised with the key's position.
enum BadKey {
    Message(String),
    /// A part of it has a wrong type.
    Type(String),
    /// Its digest has a wrong type.
    DigestType(String),
    /// It has this many items.
    Size(usize),
    Python(PyErr),
}

impl BadKey {
    fn raise(self, py: Python<'_>, position: &str) -> PyErr {
        match self {
            Self::Message(message) => param_error(py, format!("{position}: {message}")),
            Self::Type(message) => type_error(py, format!("{position}: {message}")),
            Self::DigestType(message) => {
                let error = type_error(py, format!("{position}: {message}"));
                with_official_text(py, error, "digest is invalid. expected a bytearray")
            }
            Self::Size(size) => {
                let message = format!(
                    "{position}: it has {size} items; a key is (namespace, set, primary_key) or \
                     (namespace, set, None, digest)"
                );
                let official = "key tuple must be (Namespace, Set, Key) or (Namespace, Set, None, Digest)";
                with_official_text(py, param_error(py, message), official)
            }
            Self::Python(error) => error,
        }
    }
}

impl From<PyErr> for BadKey {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// Builds an arena.
#[derive(Default)]
struct Reader<'py> {
    arena: KeyArena,
    /// The last namespace and set objects with their space, newest first. They are held so that no new object can get
    /// their identity.
    seen: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>, u32)>,
    by_name: HashMap<(String, String), u32>,
}

/// How many pairs of namespace and set objects are kept to be recognised by identity.
const SEEN: usize = 16;

impl<'py> Reader<'py> {
    fn reserve(&mut self, rows: usize) {
        // An object's own idea of its length must not decide how much memory is allocated.
        self.arena.bytes.reserve(rows.min(1 << 20) * 12);
    }

    /// A key tuple, or a `Keys` in a list of them.
    fn item(&mut self, item: &Bound<'py, PyAny>, row: usize) -> PyResult<()> {
        let py = item.py();
        if let Ok(tuple) = item.cast_exact::<PyTuple>() {
            return self.key(tuple).map_err(|bad| bad.raise(py, &format!("keys[{row}]")));
        }
        if is_keys(item)? {
            return self.keys_object(item);
        }
        let tuple = key_tuple(item, || format!("keys[{row}]"))?;
        self.key(&tuple).map_err(|bad| bad.raise(py, &format!("keys[{row}]")))
    }

    fn key(&mut self, key: &Bound<'py, PyTuple>) -> Result<(), BadKey> {
        let size = key.len();
        if size != 3 && size != 4 {
            return Err(BadKey::Size(size));
        }
        let space = self.space(&key.get_item(0)?, &key.get_item(1)?)?;
        let digest = if size == 4 {
            let digest = key.get_item(3)?;
            if digest.is_none() { None } else { Some(read_digest(&digest)?) }
        } else {
            None
        };
        let primary_key = key.get_item(2)?;
        if primary_key.is_none() {
            let digest = digest.ok_or_else(|| {
                BadKey::Message("its primary key is None and it has no digest; give one of them".into())
            })?;
            self.arena.has_digests = true;
            self.push(KeyKind::Digest, &digest, space);
            return Ok(());
        }
        let Some(digest) = digest else { return self.primary_key(&primary_key, space) };
        self.arena.has_digests = true;
        self.arena.given.insert(self.arena.len(), digest);
        self.primary_key(&primary_key, space)?;
        self.arena.match_kind_to_digest(&digest);
        Ok(())
    }

    #[inline]
    fn primary_key(&mut self, key: &Bound<'py, PyAny>, space: u32) -> Result<(), BadKey> {
        if let Ok(text) = key.cast::<PyString>() {
            let text = text.to_str().map_err(|_| {
                BadKey::Message(format!(
                    "its primary key {} cannot be encoded as UTF-8 (lone surrogate)",
                    describe(key)
                ))
            })?;
            self.push(KeyKind::Str, text.as_bytes(), space);
        } else if key.is_instance_of::<PyInt>() && !key.is_instance_of::<PyBool>() {
            self.int(key, space)?;
        } else if let Ok(bytes) = key.cast::<PyBytes>() {
            self.push(KeyKind::Blob, bytes.as_bytes(), space);
        } else if let Ok(bytes) = key.cast::<PyByteArray>() {
            self.push(KeyKind::Blob, &bytes.to_vec(), space);
        } else if !key.is_instance_of::<PyBool>()
            && let Some(index) = index_of(key)?
        {
            self.int(&index, space)?;
        } else {
            return Err(BadKey::Type(format!(
                "its primary key is {}; it must be str, int (64 bits, signed), bytes or bytearray",
                describe(key)
            )));
        }
        Ok(())
    }

    fn int(&mut self, key: &Bound<'py, PyAny>, space: u32) -> Result<(), BadKey> {
        let value: i64 = key.extract().map_err(|error: PyErr| {
            if !error.is_instance_of::<PyOverflowError>(key.py()) {
                return BadKey::Python(error);
            }
            BadKey::Message(format!(
                "its primary key {} does not fit into a signed 64-bit integer (-2**63 to 2**63 - 1)",
                describe(key)
            ))
        })?;
        self.arena.push_int(value);
        self.arena.assign_space(space);
        Ok(())
    }

    #[inline]
    fn push(&mut self, kind: KeyKind, bytes: &[u8], space: u32) {
        self.arena.push(kind, bytes);
        self.arena.assign_space(space);
    }

    #[inline]
    fn space(&mut self, namespace: &Bound<'py, PyAny>, set: &Bound<'py, PyAny>) -> Result<u32, BadKey> {
        match self.seen.iter().find(|(ns, s, _)| ns.is(namespace) && s.is(set)) {
            Some((_, _, space)) => Ok(*space),
            None => self.new_space(namespace, set),
        }
    }

    #[cold]
    fn new_space(&mut self, namespace: &Bound<'py, PyAny>, set: &Bound<'py, PyAny>) -> Result<u32, BadKey> {
        let text = |object: &Bound<'py, PyAny>, what: &str, or_none: &str| {
            let found = || format!("its {what} is {}; it must", describe(object));
            match object.cast::<PyString>() {
                Ok(text) => text
                    .to_str()
                    .map(str::to_owned)
                    .map_err(|_| BadKey::Message(format!("{} be encodable as UTF-8", found()))),
                Err(_) => Err(BadKey::Type(format!("{} be a str{or_none}", found()))),
            }
        };
        let namespace_name = text(namespace, "namespace", "")?;
        let set_name = if set.is_none() { String::new() } else { text(set, "set", " or None")? };
        for (what, name) in [("namespace", &namespace_name), ("set", &set_name)] {
            too_long(what, name).map_or(Ok(()), |bad| Err(BadKey::Message(format!("its {bad}"))))?;
        }
        let name = (namespace_name, set_name);
        let space = match self.by_name.get(&name) {
            Some(&space) => space,
            None => {
                let space = self.arena.spaces.len() as u32;
                if space == 1 {
                    // The rows so far are of the first space.
                    self.arena.assign_first_space();
                }
                self.arena.spaces.push(name.clone());
                self.by_name.insert(name, space);
                space
            }
        };
        self.seen.insert(0, (namespace.clone(), set.clone(), space));
        self.seen.truncate(SEEN);
        Ok(space)
    }

    /// A `Keys` object: one namespace and set, many values.
    fn keys_object(&mut self, keys: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = keys.py();
        let as_bytes = keys.getattr(intern!(py, "key_type"))?.eq("bytes")?;
        let values = keys.getattr(intern!(py, "values"))?;
        let values = from_package!(py, "plain_key_values")?.call1((values,))?;
        let facts = ArrayFacts::of(&values)?;
        if facts.is_none() && values.cast::<PySequence>().is_err() {
            return Err(type_error(
                py,
                format!(
                    "Keys: values is {}; it must be a one-dimensional array or a sequence",
                    describe(&values)
                ),
            ));
        }
        if values.len()? == 0 {
            // No row is of its set, which must not count as one of the batch's.
            return Ok(());
        }
        let space = self
            .space(&keys.getattr(intern!(py, "namespace"))?, &keys.getattr(intern!(py, "set"))?)
            .map_err(|bad| bad.raise(py, "Keys"))?;
        match facts {
            Some(facts) if facts.kind != 'O' => self.array(&values, &facts, as_bytes, space),
            _ => {
                for (row, value) in values.try_iter()?.enumerate() {
                    self.primary_key(&value?, space)
                        .map_err(|bad| bad.raise(py, &format!("Keys: values[{row}]")))?;
                }
                Ok(())
            }
        }
    }

    /// An array of integers, bytes or text, read from a copy of its memory.
    fn array(
        &mut self,
        values: &Bound<'py, PyAny>,
        facts: &ArrayFacts,
        as_bytes: bool,
        space: u32,
    ) -> PyResult<()> {
        let py = values.py();
        let target = match facts.kind {
            'i' => "<i8",
            'u' => "<u8",
            'U' => &format!("<U{}", (facts.itemsize / 4).max(1)),
            'S' | 'V' => "",
            kind => {
                return Err(param_error(
                    py,
                    format!(
                        "Keys: values is an array of kind {kind:?}; it must be integers, S, U, V or objects"
                    ),
                ));
            }
        };
        let converted = if target.is_empty() {
            values.clone()
        } else {
            values.call_method1(intern!(py, "astype"), (target,))?
        };
        let memory = converted.call_method0(intern!(py, "tobytes"))?;
        let memory = memory.cast::<PyBytes>()?.as_bytes();
        let width = if target.is_empty() {
            facts.itemsize
        } else if facts.kind == 'U' {
            facts.itemsize.max(4)
        } else {
            8
        };
        if Some(memory.len()) != facts.len.checked_mul(width) {
            // An object that calls itself an array, or a scalar that looks like one.
            return Err(param_error(
                py,
                format!(
                    "Keys: values is {}; it must be a one-dimensional array or a sequence",
                    describe(values)
                ),
            ));
        }
        let values = match (facts.kind, as_bytes) {
            ('i', _) => Values::Signed,
            ('u', _) => Values::Unsigned,
            ('U', _) => Values::Text,
            ('S', false) => Values::Bytes(KeyKind::Str),
            ('S', true) => Values::Bytes(KeyKind::Blob),
            _ => Values::Whole,
        };
        let arena = &mut self.arena;
        // `memory` is a copy that nothing else can change, so the GIL can be released.
        let read = py.detach(|| arena.read_array(memory, facts.len, width, values));
        read.map_err(|(row, what)| param_error(py, format!("Keys: values[{row}]: {what}")))?;
        self.arena.assign_space(space);
        Ok(())
    }
}

/// The properties of a NumPy array of keys.
struct ArrayFacts {
    kind: char,
    itemsize: usize,
    len: usize,
}

impl ArrayFacts {
    /// None for anything but an array.
    fn of(values: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = values.py();
        let dtype = match values.getattr_opt(intern!(py, "dtype"))? {
            Some(dtype) if dtype.hasattr(intern!(py, "kind"))? => dtype,
            _ => return Ok(None),
        };
        Ok(Some(Self {
            kind: dtype.getattr(intern!(py, "kind"))?.extract()?,
            itemsize: dtype.getattr(intern!(py, "itemsize"))?.extract()?,
            len: values.len()?,
        }))
    }
}

/// Whether the object is a `Keys`.
fn is_keys(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static CLASS: Once<Py<PyAny>> = Once::new();
    let py = object.py();
    let class = CLASS.get_or_try_init(py, || Ok(from_package!(py, "Keys")?.unbind()))?;
    object.is_instance(class.bind(py))
}

/// The key as a tuple; `position` is what messages call it.
fn key_tuple<'py>(key: &Bound<'py, PyAny>, position: impl Fn() -> String) -> PyResult<Bound<'py, PyTuple>> {
    if let Ok(tuple) = key.cast::<PyTuple>() {
        return Ok(tuple.clone());
    }
    if let Ok(list) = key.cast::<PyList>() {
        return Ok(list.to_tuple());
    }
    if let Ok(dict) = key.cast::<PyDict>() {
        return tuple_of_dict(dict, position);
    }
    let found = describe(key);
    let message = format!("{} is {found}; it must be (namespace, set, primary_key)", position());
    Err(with_official_text(key.py(), type_error(key.py(), message), "key is invalid"))
}

/// A key as a dict, `{"ns": ..., "set": ..., "key": ..., "digest": ...}`, as the official client accepts it.
fn tuple_of_dict<'py>(
    dict: &Bound<'py, PyDict>,
    position: impl Fn() -> String,
) -> PyResult<Bound<'py, PyTuple>> {
    const ENTRIES: [&str; 4] = ["ns", "set", "key", "digest"];
    let py = dict.py();
    for (entry, _) in dict {
        let name = entry.cast::<PyString>().ok().and_then(|name| name.to_str().ok());
        if !name.is_some_and(|name| ENTRIES.contains(&name)) {
            let message = format!(
                "{} has an entry {}; a key that is a dict has \"ns\", \"set\", \"key\" and \"digest\"",
                position(),
                describe(&entry)
            );
            return Err(param_error(py, message));
        }
    }
    let entry = |name: &str| Ok::<_, PyErr>(dict.get_item(name)?.unwrap_or_else(|| py.None().into_bound(py)));
    let items = [entry("ns")?, entry("set")?, entry("key")?, entry("digest")?];
    PyTuple::new(py, items)
}

/// An object with `__index__`, such as a NumPy integer, as an int.
fn index_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    if !object.hasattr(intern!(py, "__index__"))? {
        return Ok(None);
    }
    match object.call_method0(intern!(py, "__index__")) {
        Ok(index) => Ok(Some(index)),
        // Arrays have the method, but most of them raise.
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_digest(digest: &Bound<'_, PyAny>) -> Result<Digest, BadKey> {
    let bytes = if let Ok(bytes) = digest.cast::<PyBytes>() {
        bytes.as_bytes().to_vec()
    } else if let Ok(bytes) = digest.cast::<PyByteArray>() {
        bytes.to_vec()
    } else {
        return Err(BadKey::DigestType(format!("its digest is {}; it must be 20 bytes", describe(digest))));
    };
    bytes.as_slice().try_into().map_err(|_| {
        BadKey::Message(format!("its digest has {} bytes; it must have {}", bytes.len(), size_of::<Digest>()))
    })
}

/// The message for a namespace or set whose name is too long; the server would cut it to another name or refuse it.
pub(crate) fn too_long(what: &str, name: &str) -> Option<String> {
    let most = if what == "set" { MAX_SET } else { MAX_NAMESPACE };
    let found = name.len();
    (found > most).then(|| {
        let shown: String = name.chars().take(80).collect();
        format!("{what} {shown:?} has {found} bytes of UTF-8; a {what} name has at most {most}")
    })
}
