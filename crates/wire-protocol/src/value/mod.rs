//! Values as data: what operations take, what maps and lists hold, what expressions compare with.
//!
//! [`Value`] owns its parts. [`WriteValue`] is what an encoder asks of a value: it is implemented by [`Value`], and by
//! [`Encoded`], bytes that are msgpack already, so that callers with values of their own need not convert them first.
//! Start reading with [`Value`]; `order` has the server's order of values, `read` the way from msgpack.

mod convert;
mod order;
mod read;
mod write;

pub use self::read::sort_maps;
pub use self::write::{Encoded, WriteValue};

/// A value of a bin, of a list or of a map.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Nil,
    /// A bool.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`. Clients do not write such integers, but a server keeps them inside lists and maps.
    Uint(u64),
    /// A float.
    Float(f64),
    /// Text: UTF-8 by convention, not checked.
    Str(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
    /// GeoJSON text.
    GeoJson(Vec<u8>),
    /// A HyperLogLog sketch.
    Hll(Vec<u8>),
    /// Bytes of any other particle type, such as objects that old clients serialized.
    Other {
        /// The type's number.
        particle_type: u8,
        /// The value's bytes.
        bytes: Vec<u8>,
    },
    /// A list.
    List {
        /// How it is ordered.
        order: ListOrder,
        /// Its elements.
        items: Vec<Self>,
    },
    /// A map.
    Map {
        /// How it is ordered.
        order: MapOrder,
        /// Its keys and values.
        pairs: Vec<(Self, Self)>,
    },
    /// Greater than all other values. For the ends of ranges; it cannot be stored.
    Infinity,
    /// Equal to every value. For comparisons with lists and maps; it cannot be stored.
    Wildcard,
}

/// How a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListOrder {
    /// In the order in which elements are inserted.
    #[default]
    Unordered,
    /// By value.
    Ordered,
}

impl ListOrder {
    /// The order as operations and markers of order encode it.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Unordered => 0,
            Self::Ordered => 1,
        }
    }

    /// The order with this encoding.
    #[must_use]
    pub const fn from_bits(bits: i64) -> Option<Self> {
        match bits {
            0 => Some(Self::Unordered),
            1 => Some(Self::Ordered),
            _ => None,
        }
    }
}

/// How a map is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapOrder {
    /// In no particular order.
    #[default]
    Unordered,
    /// By key.
    KeyOrdered,
    /// By key, with an index by value.
    KeyValueOrdered,
}

impl MapOrder {
    /// The order as operations and markers of order encode it.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Unordered => 0,
            Self::KeyOrdered => 1,
            Self::KeyValueOrdered => 3,
        }
    }

    /// The order with this encoding.
    #[must_use]
    pub const fn from_bits(bits: i64) -> Option<Self> {
        match bits {
            0 => Some(Self::Unordered),
            1 => Some(Self::KeyOrdered),
            3 => Some(Self::KeyValueOrdered),
            _ => None,
        }
    }
}

impl Value {
    /// Bytes.
    pub fn blob(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Blob(bytes.into())
    }

    /// GeoJSON text.
    pub fn geojson(text: impl Into<String>) -> Self {
        Self::GeoJson(text.into().into_bytes())
    }

    /// An unordered list.
    pub fn list<V: Into<Self>>(items: impl IntoIterator<Item = V>) -> Self {
        Self::List { order: ListOrder::Unordered, items: items.into_iter().map(Into::into).collect() }
    }

    /// An unordered map.
    pub fn map<K: Into<Self>, V: Into<Self>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self::Map { order: MapOrder::Unordered, pairs }
    }

    /// A map that is ordered by key. The pairs may be given in any order.
    pub fn ordered_map<K: Into<Self>, V: Into<Self>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut pairs: Vec<(Self, Self)> =
            pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        pairs.sort_by(|(a, _), (b, _)| a.compare(b));
        Self::Map { order: MapOrder::KeyOrdered, pairs }
    }
}

#[cfg(test)]
mod tests;
