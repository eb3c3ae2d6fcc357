//! The record that a command is about, and the bins that it reads.

use wire_protocol::command::Projection;
use wire_protocol::digest::{Digest, UserKey};

use crate::error::Error;

/// In bytes.
const MAX_BIN_NAME: usize = 15;

/// A namespace and a set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space {
    pub namespace: Box<[u8]>,
    /// Empty for no set.
    pub set: Box<[u8]>,
}

impl Space {
    #[must_use]
    pub fn new(namespace: impl AsRef<[u8]>, set: impl AsRef<[u8]>) -> Self {
        Self { namespace: namespace.as_ref().into(), set: set.as_ref().into() }
    }
}

/// A user's key, owned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OwnedKey {
    Int(i64),
    Str(Box<str>),
    /// Text that is not UTF-8, as other clients can store it. Its digest and its type are those of text.
    StrBytes(Box<[u8]>),
    Blob(Box<[u8]>),
}

impl OwnedKey {
    #[must_use]
    pub fn borrow(&self) -> UserKey<'_> {
        match self {
            Self::Int(value) => UserKey::Int(*value),
            Self::Str(text) => UserKey::Str(text.as_bytes()),
            Self::StrBytes(bytes) => UserKey::Str(bytes),
            Self::Blob(bytes) => UserKey::Blob(bytes),
        }
    }
}

/// The record that a command is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub space: Space,
    pub digest: Digest,
    /// The user's key, if it is to be sent, and stored by a write.
    pub send: Option<OwnedKey>,
}

impl Key {
    /// A key that is sent as a digest only.
    #[must_use]
    pub fn from_digest(space: Space, digest: Digest) -> Self {
        Self { space, digest, send: None }
    }

    /// The key for a user's key. `send`: send the user's key, too.
    #[must_use]
    pub fn new(space: Space, key: OwnedKey, send: bool) -> Self {
        let digest = key.borrow().digest(&space.set);
        Self { space, digest, send: send.then_some(key) }
    }
}

/// Bins to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bins {
    #[default]
    All,
    /// No bins: generation and expiration only.
    Header,
    /// These bins. No names at all is [`Bins::Header`].
    Names(Vec<Box<[u8]>>),
}

impl Bins {
    pub fn names<N: AsRef<[u8]>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Names(names.into_iter().map(|name| name.as_ref().into()).collect())
    }

    /// Fails if the protocol cannot express the bins.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Self::Names(names) = self else { return Ok(()) };
        if names.len() > usize::from(u16::MAX) {
            return Err(Error::Param {
                what: format!("{} bins; a request takes at most 65535", names.len()),
            });
        }
        names.iter().try_for_each(|name| check_bin_name(name))
    }

    /// The names, for [`Bins::projection`].
    pub(crate) fn borrowed(&self) -> Vec<&[u8]> {
        match self {
            Self::Names(names) => names.iter().map(|name| &**name).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn projection<'a>(&self, borrowed: &'a [&'a [u8]]) -> Projection<'a> {
        match self {
            Self::All => Projection::All,
            Self::Header => Projection::Header,
            // Servers do not accept a read without bins that does not ask for the header.
            Self::Names(names) if names.is_empty() => Projection::Header,
            Self::Names(_) => Projection::Bins(borrowed),
        }
    }
}

pub(crate) fn check_bin_name(name: &[u8]) -> Result<(), Error> {
    if name.len() > MAX_BIN_NAME {
        return Err(Error::BinName { name: String::from_utf8_lossy(name).into_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_bin_names_are_refused() {
        assert!(Bins::names(["fifteen_chars_x"]).check().is_ok());
        let error = Bins::names(["ok", "sixteen_chars_xx"]).check().unwrap_err();
        assert_eq!(error.code(), 21);
        assert!(error.to_string().contains("sixteen_chars_xx"));
    }
}
