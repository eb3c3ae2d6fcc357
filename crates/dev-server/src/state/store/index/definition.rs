//! What an index is about.

use wire_protocol::particle::particle_type;

/// The type of the values in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Numeric,
    String,
    Blob,
    Geo,
}

impl ValueType {
    pub(crate) const ALL: [Self; 4] = [Self::Numeric, Self::String, Self::Blob, Self::Geo];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::String => "string",
            Self::Blob => "blob",
            Self::Geo => "geo2dsphere",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn particle_type(self) -> u8 {
        match self {
            Self::Numeric => particle_type::INTEGER,
            Self::String => particle_type::STRING,
            Self::Blob => particle_type::BLOB,
            Self::Geo => particle_type::GEOJSON,
        }
    }

    pub(crate) fn from_particle_type(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.particle_type() == code)
    }
}

/// Which values of a bin are in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    /// The bin itself.
    Whole,
    /// The elements of a list.
    List,
    MapKeys,
    MapValues,
}

impl Elements {
    pub(crate) const ALL: [Self; 4] = [Self::Whole, Self::List, Self::MapKeys, Self::MapValues];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Whole => "default",
            Self::List => "list",
            Self::MapKeys => "mapkeys",
            Self::MapValues => "mapvalues",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|elements| elements.name().eq_ignore_ascii_case(name))
    }

    /// As queries name it.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Where the values of an index come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Bin(Box<[u8]>),
    /// An expression, encoded.
    Expression(Box<[u8]>),
}

/// What an index is about. Two indexes of a namespace never have equal definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    /// The number of the set; `None` for the whole namespace.
    pub(crate) set: Option<u16>,
    pub(crate) source: Source,
    /// The way to a value inside the bin, encoded.
    pub(crate) context: Option<Box<[u8]>>,
    pub(crate) elements: Elements,
    pub(crate) kind: ValueType,
}

impl Definition {
    /// Whether the index is about records of a set.
    pub(crate) fn covers(&self, set: u16) -> bool {
        self.set.is_none_or(|own| own == set)
    }
}
