//! Keys, read from Python once and kept as bytes.
//!
//! Reading the keys is the only part of a batch read whose time under the GIL grows with the batch, so it does as
//! little as possible: the bytes of each key are copied into one arena, and namespaces and sets are recognised by
//! the identity of their objects. Digests are computed later, without the GIL. The arena stays with the result,
//! which shows keys as they were given.
//!
//! [`KeyArena`] is here, and `packed` has its memory; `reader` fills it from Python objects, `array` from the memory of a
//! NumPy array; `groups` makes one batch of several arenas; `table` shows an arena to Python.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use aero_io::{BatchKeys, Digest, DigestSource, Key, OwnedKey, Space};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use wire_protocol::digest::{UserKey, digests_into};

mod array;
mod groups;
mod packed;
mod reader;
mod table;

use self::packed::{Kinds, PackedBytes};

pub(crate) use self::groups::KeyGroups;
pub(crate) use self::reader::too_long;
pub(crate) use self::table::KeyTable;

/// What is wrong with a key whose digest belongs to another one.
const WRONG_DIGEST: &str = "its digest does not match its primary key and set; leave one out";

/// What the bytes of a key in the arena are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    /// Four or eight bytes, big endian: see [`KeyArena::push_int`].
    Int,
    /// UTF-8, unless a query returned the key and another client stored it.
    Str,
    Blob,
    /// The record's digest, for a key that was given without a primary key.
    Digest,
}

impl KeyKind {
    /// These bytes as a primary key; None if they are a digest.
    #[inline]
    fn user_key(self, bytes: &[u8]) -> Option<UserKey<'_>> {
        match self {
            Self::Int => Some(UserKey::Int(match <[u8; 4]>::try_from(bytes) {
                Ok(short) => i32::from_be_bytes(short).into(),
                Err(_) => i64::from_be_bytes(bytes.try_into().unwrap_or_default()),
            })),
            Self::Str => Some(UserKey::Str(bytes)),
            Self::Blob => Some(UserKey::Blob(bytes)),
            Self::Digest => None,
        }
    }
}

/// The keys of a batch, or of a command on one record.
#[derive(Debug, Default)]
pub(crate) struct KeyArena {
    bytes: PackedBytes,
    kinds: Kinds,
    /// Distinct namespaces and sets.
    spaces: Vec<(String, String)>,
    /// The position in `spaces` of each key; empty while all keys are of the same one.
    space_of: Vec<u32>,
    /// Digests that were given in addition to primary keys.
    given: HashMap<usize, Digest>,
    /// Whether any digest was given, with or without a primary key.
    has_digests: bool,
}

impl KeyArena {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn bytes_of(&self, row: usize) -> &[u8] {
        self.bytes.get(row)
    }

    /// The most bytes that a row's key takes in a request.
    pub(crate) fn key_size(&self, row: usize) -> usize {
        16 + self.bytes_of(row).len().max(size_of::<i64>())
    }

    /// The distinct pairs of namespace and set.
    pub(crate) fn spaces(&self) -> &[(String, String)] {
        &self.spaces
    }

    /// The position of a row's pair in [`KeyArena::spaces`].
    pub(crate) fn space_index(&self, row: usize) -> usize {
        self.space_of.get(row).map_or(0, |&space| space as usize)
    }

    pub(crate) fn space(&self, row: usize) -> &(String, String) {
        &self.spaces[self.space_index(row)]
    }

    /// The primary key of a row; None if only its digest was given.
    pub(crate) fn user_key(&self, row: usize) -> Option<UserKey<'_>> {
        self.kinds.get(row).user_key(self.bytes_of(row))
    }

    /// The digest of a row; if it was given, as it was given.
    pub(crate) fn digest(&self, row: usize) -> Digest {
        if let Some(digest) = self.given.get(&row) {
            return *digest;
        }
        match self.user_key(row) {
            Some(key) => key.digest(self.space(row).1.as_bytes()),
            None => self.bytes_of(row).try_into().unwrap_or_default(),
        }
    }

    /// Whether the digest that came with a row's primary key belongs to another key.
    fn has_wrong_digest(&self, row: usize) -> bool {
        match (self.given.get(&row), self.user_key(row)) {
            (Some(given), Some(key)) => *given != key.digest(self.space(row).1.as_bytes()),
            _ => false,
        }
    }

    /// Makes the last row's primary key text, if it came as bytes and its digest is that of text.
    ///
    /// A query returns a key of text that is not UTF-8 as bytes, with its digest. It must stay the same key.
    fn match_kind_to_digest(&mut self, digest: &Digest) {
        let Some(row) = self.len().checked_sub(1) else { return };
        let bytes = self.bytes_of(row);
        if self.kinds.get(row) == KeyKind::Blob
            && std::str::from_utf8(bytes).is_err()
            && UserKey::Str(bytes).digest(self.space(row).1.as_bytes()) == *digest
        {
            self.kinds.set(self.len(), row, KeyKind::Str);
        }
    }

    /// The keys as `aero-io` takes them. It has the digests computed while the call runs, without the GIL.
    pub(crate) fn batch_keys(self: &Arc<Self>) -> Result<BatchKeys, aero_io::Error> {
        let space = |(namespace, set): &(String, String)| Space::new(namespace, set);
        let digests = Digests(Arc::clone(self));
        let keys = match self.spaces.as_slice() {
            [one] => BatchKeys::single(space(one), digests),
            many => BatchKeys::mixed(many.iter().map(space).collect(), self.space_of.clone(), digests)?,
        };
        if self.has_digests {
            // A digest that does not match its primary key is refused before anything is sent.
            keys.compute(0..self.len())?;
        }
        Ok(keys)
    }

    /// The key of a command on one record: the first one.
    ///
    /// Its digest is computed here: for one key, handing that to another thread would cost more.
    pub(crate) fn command_key(&self, send: bool) -> Key {
        let (namespace, set) = self.space(0);
        let send = if send { self.user_key(0).map(owned) } else { None };
        Key { space: Space::new(namespace, set), digest: self.digest(0), send }
    }

    /// The primary key of a row as a Python object; the digest if there is no primary key.
    pub(crate) fn primary_key<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        match self.user_key(row) {
            Some(key) => user_key_object(py, key),
            None => Ok(PyBytes::new(py, self.bytes_of(row)).into_any()),
        }
    }
}

/// The digests of an arena's keys.
struct Digests(Arc<KeyArena>);

impl DigestSource for Digests {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn digests(&self, rows: Range<usize>, into: &mut Vec<Digest>) -> Result<(), aero_io::Error> {
        let arena = &*self.0;
        let one = arena.spaces.first().map_or(&[][..], |(_, set)| set.as_bytes());
        let is_single = arena.space_of.is_empty();
        let keys = arena.bytes.iter(rows.clone()).zip(rows.clone()).map(|(bytes, row)| {
            let set = if is_single { one } else { arena.space(row).1.as_bytes() };
            // A row without a primary key has nothing to hash. Its digest is filled in below.
            (set, arena.kinds.get(row).user_key(bytes).unwrap_or(UserKey::Int(0)))
        });
        digests_into(keys, into);
        for (row, digest) in rows.zip(into).filter(|_| arena.has_digests) {
            if arena.kinds.get(row) == KeyKind::Digest {
                *digest = arena.digest(row);
            } else if arena.given.get(&row).is_some_and(|given| given != digest) {
                return Err(aero_io::Error::Param { what: format!("keys[{row}]: {WRONG_DIGEST}") });
            }
        }
        Ok(())
    }
}

/// A primary key as a Python object.
pub(crate) fn user_key_object<'py>(py: Python<'py>, key: UserKey<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match key {
        UserKey::Int(value) => value.into_pyobject(py)?.into_any(),
        UserKey::Str(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => PyString::new(py, text).into_any(),
            // Stored by another client: shown as bytes, so that nothing is lost.
            Err(_) => PyBytes::new(py, bytes).into_any(),
        },
        UserKey::Blob(bytes) => PyBytes::new(py, bytes).into_any(),
    })
}

fn owned(key: UserKey<'_>) -> OwnedKey {
    match key {
        UserKey::Int(value) => OwnedKey::Int(value),
        UserKey::Str(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => OwnedKey::Str(text.into()),
            Err(_) => OwnedKey::StrBytes(bytes.into()),
        },
        UserKey::Blob(bytes) => OwnedKey::Blob(bytes.into()),
    }
}
