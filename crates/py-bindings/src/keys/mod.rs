//! Keys of a batch: read from Python once, kept as bytes.
//!
//! Reading keys is the one part of a batch read whose time under the GIL grows with the batch, so it does
//! as little as it can: the bytes of each key are copied into one arena, and namespace and set are
//! recognised by the identity of their objects. Digests are computed later, without the GIL. The arena
//! stays with the result: `_map` and messages name keys as they were.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use aero_io::{BatchKeys, Digest, DigestSource, Key, OwnedKey, Space};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use wire_protocol::digest::{UserKey, digests_into};

mod array;
mod reader;
mod table;

pub(crate) use self::reader::too_long;
pub(crate) use self::table::KeyTable;

/// What is wrong with a key whose digest belongs to another one.
const WRONG_DIGEST: &str = "its digest is not that of its primary key in that set; leave one out";

/// What a key's bytes in the arena are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Eight bytes, big endian.
    Int,
    /// UTF-8, unless a query returned the key and another client stored it.
    Str,
    /// Bytes.
    Blob,
    /// No primary key: the record's digest.
    Digest,
}

impl Kind {
    /// The primary key that these bytes are; None where they are the record's digest.
    #[inline]
    fn user_key(self, bytes: &[u8]) -> Option<UserKey<'_>> {
        match self {
            Self::Int => Some(UserKey::Int(i64::from_be_bytes(bytes.try_into().unwrap_or_default()))),
            Self::Str => Some(UserKey::Str(bytes)),
            Self::Blob => Some(UserKey::Blob(bytes)),
            Self::Digest => None,
        }
    }
}

/// The keys of a batch.
#[derive(Debug, Default)]
pub(crate) struct KeyArena {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    kinds: Vec<Kind>,
    /// Distinct namespaces and sets.
    spaces: Vec<(String, String)>,
    /// Each key's position in `spaces`; empty while there is one for all.
    space_of: Vec<u32>,
    /// Digests that came with their primary keys.
    given: HashMap<usize, Digest>,
    /// Whether any row came with a digest.
    has_digests: bool,
}

impl KeyArena {
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    fn bytes_of(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }

    /// Bytes that a row's key takes in a request, at most.
    pub(crate) fn key_size(&self, row: usize) -> usize {
        16 + self.bytes_of(row).len()
    }

    /// The distinct namespaces and sets.
    pub(crate) fn spaces(&self) -> &[(String, String)] {
        &self.spaces
    }

    /// A row's place among them.
    pub(crate) fn space_index(&self, row: usize) -> usize {
        self.space_of.get(row).map_or(0, |&space| space as usize)
    }

    pub(crate) fn space(&self, row: usize) -> &(String, String) {
        &self.spaces[self.space_index(row)]
    }

    /// The primary key of a row; None where it was given by digest alone.
    pub(crate) fn user_key(&self, row: usize) -> Option<UserKey<'_>> {
        self.kinds[row].user_key(self.bytes_of(row))
    }

    /// The digest of a row; one that came with its primary key is taken as it is.
    pub(crate) fn digest(&self, row: usize) -> Digest {
        if let Some(digest) = self.given.get(&row) {
            return *digest;
        }
        match self.user_key(row) {
            Some(key) => key.digest(self.space(row).1.as_bytes()),
            None => self.bytes_of(row).try_into().unwrap_or_default(),
        }
    }

    /// Whether a digest that came with a row's primary key is another record's.
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
        if self.kinds[row] == Kind::Blob
            && std::str::from_utf8(bytes).is_err()
            && UserKey::Str(bytes).digest(self.space(row).1.as_bytes()) == *digest
        {
            self.kinds[row] = Kind::Str;
        }
    }

    /// The keys as the network core takes them: digests are computed by the call, without the GIL.
    pub(crate) fn batch_keys(self: &Arc<Self>) -> Result<BatchKeys, aero_io::Error> {
        let space = |(namespace, set): &(String, String)| Space::new(namespace, set);
        let digests = Digests(Arc::clone(self));
        let keys = match self.spaces.as_slice() {
            [one] => BatchKeys::single(space(one), digests),
            many => BatchKeys::mixed(many.iter().map(space).collect(), self.space_of.clone(), digests)?,
        };
        if self.has_digests {
            // One that is not its key's is refused before anything is sent.
            keys.compute(0..self.len())?;
        }
        Ok(keys)
    }

    /// The key of a command on one record: the first one.
    ///
    /// The digest is computed here, not on another thread: for one key the hand-over would cost more.
    pub(crate) fn command_key(&self, send: bool) -> Key {
        let (namespace, set) = self.space(0);
        let send = if send { self.user_key(0).map(owned) } else { None };
        Key { space: Space::new(namespace, set), digest: self.digest(0), send }
    }

    /// The primary key of a row as a Python object; the digest where there is no primary key.
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
        let mut start = rows.start.checked_sub(1).map_or(0, |before| arena.ends[before]);
        let one = arena.spaces.first().map_or(&[][..], |(_, set)| set.as_bytes());
        let is_single = arena.space_of.is_empty();
        let keys = arena.ends[rows.clone()].iter().zip(&arena.kinds[rows.clone()]).enumerate();
        let keys = keys.map(|(at, (&end, kind))| {
            let bytes = &arena.bytes[start..end];
            start = end;
            let set = if is_single { one } else { arena.space(rows.start + at).1.as_bytes() };
            // A row that was given by digest alone has no key to hash: its digest is put in below.
            (set, kind.user_key(bytes).unwrap_or(UserKey::Int(0)))
        });
        digests_into(keys, into);
        for (row, digest) in rows.zip(into).filter(|_| arena.has_digests) {
            if arena.kinds[row] == Kind::Digest {
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
            // Another client stored it; nothing is lost by showing its bytes.
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
