//! Paths: where the values of a field come from.

use std::fmt;

use dtype_schema::SchemaError;

/// A step into a map or list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The string key of a map.
    Str(Box<str>),
    /// The blob key of a map.
    Blob(Box<[u8]>),
    /// The integer key of a map, or the index of a list, negative from its end.
    Int(i64),
}

/// Where the values of a field come from: a bin, and the steps from its value to the field's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The bin.
    pub bin: Box<str>,
    /// The steps; none for the bin's value itself.
    pub steps: Box<[Step]>,
}

/// Why paths are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A path for a field that does not exist.
    #[error("there is no field '{field}' at the top of the dtype")]
    UnknownField {
        /// The name of the field.
        field: Box<str>,
    },
    /// A second path for a field.
    #[error("there are two paths for the field '{field}'")]
    Repeated {
        /// The name of the field.
        field: Box<str>,
    },
    /// A bin name that no bin can have.
    #[error(
        "the bin name '{bin}' in the path of field '{field}' has {length} bytes of UTF-8; bin names have at most 15"
    )]
    BinNameTooLong {
        /// The name of the field.
        field: Box<str>,
        /// The name of the bin.
        bin: Box<str>,
        /// The length of the bin's name in bytes.
        length: usize,
    },
    /// More steps than values nest.
    #[error("the path of field '{field}' has {steps} steps; lists and maps nest at most {most} levels deep")]
    TooLong {
        /// The name of the field.
        field: Box<str>,
        /// The number of steps.
        steps: usize,
        /// How many there may be.
        most: usize,
    },
    /// A field without a path has a name that no bin can have.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// As Python writes it.
impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => write!(out, "'{}'", text.escape_debug()),
            Self::Blob(bytes) => write!(out, "b'{}'", bytes.escape_ascii()),
            Self::Int(number) => write!(out, "{number}"),
        }
    }
}
